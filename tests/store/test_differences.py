"""What a reviewer reads is kept once, whole, and stays."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from roster_pipeline.store import NotStored
from roster_pipeline.store.differences import Differences

CANDIDATE, BASE = "ab" * 32, "cd" * 32


def test_a_difference_comes_back_as_it_was_put(url: str) -> None:
    Differences(url).put_difference("springfield", CANDIDATE, BASE, b"{}")
    assert Differences(url).difference("springfield", CANDIDATE, BASE) == b"{}"


def test_a_difference_does_not_change_under_the_reviewer(url: str) -> None:
    kept = Differences(url)
    kept.put_difference("springfield", CANDIDATE, BASE, b"first")
    kept.put_difference("springfield", CANDIDATE, BASE, b"second")
    assert kept.difference("springfield", CANDIDATE, BASE) == b"first"


def test_a_difference_belongs_to_one_source_candidate_and_base(url: str) -> None:
    kept = Differences(url)
    kept.put_difference("springfield", CANDIDATE, BASE, b"to the accepted one")
    kept.put_difference("springfield", CANDIDATE, None, b"to nothing")
    assert kept.difference("springfield", CANDIDATE, BASE) == b"to the accepted one"
    assert kept.difference("springfield", CANDIDATE, None) == b"to nothing"
    assert kept.has("springfield", CANDIDATE, BASE)
    for other in (("shelbyville", CANDIDATE, BASE), ("springfield", BASE, CANDIDATE)):
        assert not kept.has(*other)
        with pytest.raises(NotStored):
            kept.difference(*other)


def test_a_difference_that_is_not_there_is_said_to_be_missing(url: str) -> None:
    with pytest.raises(NotStored, match="springfield: no difference is kept for roster abababab"):
        Differences(url).difference("springfield", CANDIDATE, None)


def test_nothing_is_left_in_staging(url: str, tmp_path: Path) -> None:
    Differences(url).put_difference("springfield", CANDIDATE, BASE, b"{}")
    assert [path for path in tmp_path.rglob("*") if "staging" in path.parent.parent.name] == []


def test_a_put_that_was_cut_leaves_no_half_of_a_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Differences(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            kept.put_difference("springfield", CANDIDATE, BASE, b"first")
    with pytest.raises(NotStored):
        kept.difference("springfield", CANDIDATE, BASE)
    kept.put_difference("springfield", CANDIDATE, BASE, b"again")
    assert kept.difference("springfield", CANDIDATE, BASE) == b"again"


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        Differences(tmp_path / "store").put_difference("springfield", CANDIDATE, BASE, b"{}")
    finally:
        os.umask(mask)
    paths = [tmp_path / "store", *(tmp_path / "store").rglob("*")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_dir()} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_file()} == {0o600}


@pytest.mark.parametrize("name", ["../elsewhere", "a/b", ""])
def test_a_name_cannot_lead_out_of_the_store(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="cannot name anything"):
        Differences(tmp_path).put_difference(name, CANDIDATE, BASE, b"{}")


@pytest.mark.parametrize(
    "spoil", [lambda b: b[:-1], lambda b: b.replace(b"7", b"1"), lambda _: b""]
)
def test_a_difference_that_was_changed_is_not_believed(
    tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    kept = Differences(tmp_path)
    kept.put_difference("springfield", CANDIDATE, BASE, b'{"removed": 7}')
    (path,) = tmp_path.rglob("*.json")
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(NotStored, match="has been changed since"):
        kept.difference("springfield", CANDIDATE, BASE)
