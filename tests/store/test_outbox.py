"""What went out, as long as it is kept."""

from pathlib import Path

import pytest

from roster_pipeline.store import NotStored
from roster_pipeline.store.outbox import Outbox, Outboxes
from tests.store.test_snapshots import write


def put(outbox: Outbox, *ids: str, source: str = "springfield") -> str:
    return outbox.put(source, write(outbox.stage(source), *ids)).content_hash


def put_package(outbox: Outbox, name: str, source: str = "springfield") -> None:
    file = outbox.stage(source) / "package.zip"
    file.write_bytes(name.encode())
    outbox.put_package(source, file, name)
    outbox.discard(file.parent)


def test_what_went_out_comes_back_by_destination_and_source(url: str) -> None:
    lms, sis = (Outboxes(url).of(name) for name in ("lms", "sis"))
    one = put(lms, "d1")
    put_package(lms, "p1")

    assert lms.open("springfield", one).counts["orgs"] == 1
    with lms.package("springfield", "p1") as kept:
        assert kept.read() == b"p1"
    assert not sis.has("springfield", one)
    assert not lms.has("shelbyville", one)
    assert not lms.has_package("shelbyville", "p1")


def test_only_what_is_needed_stays(url: str) -> None:
    lms = Outboxes(url).of("lms")
    old, new, other = put(lms, "d1"), put(lms, "d1", "s1"), put(lms, "d1", source="shelbyville")
    for name in ("p1", "p2"):
        put_package(lms, name)
    put_package(lms, "p1", "shelbyville")

    lms.keep_only("springfield", {new}, {"p2"})

    assert lms.open("springfield", new).counts["orgs"] == 2
    assert not lms.has("springfield", old)
    assert lms.has("shelbyville", other)
    assert lms.has_package("shelbyville", "p1")
    with pytest.raises(NotStored, match="is not kept any more"):
        lms.package("springfield", "p1")
    with pytest.raises(NotStored):
        lms.open("springfield", old)


def test_a_note_takes_the_place_of_the_one_before_and_stays_when_the_rest_goes(url: str) -> None:
    lms = Outboxes(url).of("lms")
    folder = lms.stage("springfield")
    assert lms.noted("springfield") is None
    for number in (1, 2):
        lms.note("springfield", {"number": number}, folder)
    lms.discard(folder)
    lms.keep_only("springfield", (), ())
    assert lms.noted("springfield") == {"number": 2}
    assert lms.noted("shelbyville") is None


def test_a_damaged_note_says_nothing_rather_than_that_there_is_none(tmp_path: Path) -> None:
    lms = Outboxes(str(tmp_path)).of("lms")
    note = tmp_path / "outgoing" / "lms" / "noted" / "springfield.json"
    note.parent.mkdir(parents=True)
    for damaged in ("{", "[]", "\udcff"):
        note.write_bytes(damaged.encode(errors="surrogateescape"))
        assert lms.noted("springfield") == {}


def test_nothing_is_left_in_staging(url: str, tmp_path: Path) -> None:
    lms = Outboxes(url).of("lms")
    put(lms, "d1")
    put(lms, "d1")
    put_package(lms, "p1")
    put_package(lms, "p1")
    left = [path for path in tmp_path.rglob("*") if path.is_file() and "staging" in str(path)]
    assert left == []
