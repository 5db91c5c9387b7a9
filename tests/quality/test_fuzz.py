"""No input gives a traceback, hangs over 10 s, or takes over 1 GiB."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.targets import TARGETS, as_members, seeds, zipped
from roster_pipeline.cli import main
from roster_pipeline.oneroster.manifest import Version
from tests.examples import examples
from tests.quality.hostile import BIG, SMALL, members, written

SECONDS = 10
"""Of the processor: a machine that runs tests is busy. What hangs, the child's timeout ends."""
PEAK_MB = 1024

_NAMES = st.one_of(
    st.sampled_from(["manifest.csv", "users.csv", "Users.CSV", "x/users.csv", "pull.json", "../a"]),
    st.text(min_size=1, max_size=20),
)
_VALID = {name: seeds(name) for name in TARGETS}


@pytest.mark.parametrize("target", TARGETS)
def test_what_fuzzing_begins_with_keeps_every_promise(target: str) -> None:
    for seed in _VALID[target]:
        TARGETS[target](seed)


@given(st.binary(max_size=300))
def test_bytes_are_read_as_csv_manifest_or_zip_or_refused(data: bytes) -> None:
    for target in ("csv_reader", "manifest", "zip_reader"):
        TARGETS[target](data)


@given(st.data())
@settings(max_examples=examples(20))
def test_a_zip_with_any_bytes_flipped_or_cut_is_read_or_refused(data: st.DataObject) -> None:
    valid = bytearray(data.draw(st.sampled_from(_VALID["zip_reader"])))
    for place, value in data.draw(
        st.lists(st.tuples(st.integers(0, len(valid) - 1), st.integers(0, 255)), max_size=4)
    ):
        valid[place] = value
    cut = data.draw(st.one_of(st.just(len(valid)), st.integers(0, len(valid))))
    TARGETS["zip_reader"](bytes(valid[:cut]))


@given(st.lists(st.tuples(_NAMES, st.binary(max_size=50)), max_size=8))
@settings(max_examples=examples(15))
def test_any_members_in_a_zip_are_judged_or_refused(files: list[tuple[str, bytes]]) -> None:
    TARGETS["package"](zipped(files, zipfile.ZIP_DEFLATED))


@given(st.data())
@settings(max_examples=examples(15))
def test_a_package_with_any_bytes_in_it_changed_is_judged(data: st.DataObject) -> None:
    valid = data.draw(st.sampled_from(_VALID["members"]))
    start = data.draw(st.integers(0, len(valid)))
    length = data.draw(st.integers(0, 60))
    TARGETS["members"](valid[:start] + data.draw(st.binary(max_size=40)) + valid[start + length :])


@pytest.mark.parametrize("version", list(Version))
def test_a_package_is_judged_whatever_file_is_empty(version: Version) -> None:
    files = members(version)
    for name in files:
        TARGETS["members"](as_members(files | {name: b""}))


def test_users_of_1p1_are_judged_though_no_org_can_be_read() -> None:
    """Found by fuzzing: without a single org, the types of orgs were taken for numbers."""
    TARGETS["members"](as_members(members("1.1") | {"orgs.csv": b"sourcedId\n"}))


def _judged(folder: Path, names: Sequence[str]) -> list[dict[str, Any]]:
    """What a process of its own makes of some inputs, and what they cost it."""
    for name in names:
        written(name, folder)
    command = [sys.executable, "-m", "tests.quality.hostile", str(folder), *names]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.soak
def test_hostile_packages_cost_little_and_give_no_traceback(tmp_path: Path) -> None:
    found = _judged(tmp_path, list(SMALL))
    assert [each["name"] for each in found] == list(SMALL)
    assert [each for each in found if each["cpu"] > SECONDS or each["peak_mb"] > PEAK_MB] == []


@pytest.mark.soak
@pytest.mark.parametrize("name", BIG)
def test_huge_packages_cost_no_more_than_seconds_and_a_gigabyte(name: str, tmp_path: Path) -> None:
    (found,) = _judged(tmp_path, [name])
    assert found["peak_mb"] <= PEAK_MB
    assert found["cpu"] <= SECONDS


@pytest.mark.parametrize(
    "name",
    ["noise", "a path upwards", "1 MB of quotes", "100,000 sessions with every cell wrong"],
)
@pytest.mark.timeout(60)
def test_roster_check_answers_a_hostile_package_in_words(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    package = written(name, tmp_path)
    # Unexpected errors would be a sentence, too: it lets them out.
    monkeypatch.setenv("ROSTER_DEBUG", "1")
    code = main(["check", str(package)])
    said = " ".join("".join(capsys.readouterr()).split())
    assert package.name in said
    assert "Traceback" not in said
    assert code in {0, 1, 2}
