"""What each receiver of OneRoster packages gets of one make-believe district.

`ROSTER_GOLDEN=write` writes the goldens anew: read the difference before it is committed.
"""

import hashlib
import io
import os
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from roster_pipeline.oneroster.delta import diff
from roster_pipeline.oneroster.package import open_package
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.rules import STRICT
from roster_pipeline.quality.candidate import build_candidate
from roster_pipeline.receivers import profiles
from roster_pipeline.receivers.adapting import Adapted, adapted
from roster_pipeline.receivers.checking import unfit
from roster_pipeline.receivers.rendering import Rendered, render
from roster_pipeline.simulator.district import District

NOON = datetime(2026, 9, 19, 12, tzinfo=UTC)
GOLDEN = Path(__file__).parent / "golden"
PACKAGES = [name for name in profiles.names() if profiles.load(name).oneroster]
VARIANTS = [(name, v) for name in PACKAGES for v in (None, *profiles.load(name).variants)]
WHOLE = [
    ("oneroster-1.1", None),
    ("oneroster-1.2", None),
    ("oneroster-1.2", "resource-sourced-ids"),
    ("apple-oneroster", "with-sessions"),
    ("imagine-learning-math", None),
    ("lingco", None),
    ("mcgraw-hill", None),
]
"""Packages that are whole by the standard, too."""


def packed(roster: Roster, name: str, variant: str | None, into: Path) -> tuple[Adapted, Rendered]:
    profile = profiles.load(name, variant)
    told = adapted(roster, profile, into / "told")
    return told, render(told.roster, profile, into / "package.zip", left_out=told.left_out)


def described(package: Rendered) -> str:
    """The members of a package: rows, hash, header and first row of each; and who is left out."""
    lines = [f"left out: {dict(sorted(package.left_out.items()))}"]
    with zipfile.ZipFile(package.file) as archive:
        for member in archive.namelist():
            content = archive.read(member)
            rows = package.rows.get(member.removesuffix(".csv"), "")
            lines.append(f"{member} {rows} {hashlib.sha256(content).hexdigest()}")
            lines += [f"  {line}" for line in content.decode().splitlines()[:2]]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_a_receiver_gets_what_it_got_before_and_all_of_it_fits(
    district_roster: Roster, tmp_path: Path, name: str, variant: str | None
) -> None:
    told, package = packed(district_roster, name, variant, tmp_path)
    made = described(package)
    assert unfit(told.roster, profiles.load(name, variant)) == []
    golden = GOLDEN / f"{name}{f'.{variant}' if variant else ''}.txt"
    if os.environ.get("ROSTER_GOLDEN") == "write":
        golden.write_text(made)
    assert made == golden.read_text()


def test_there_is_no_golden_of_a_profile_that_is_gone() -> None:
    wanted = {f"{name}{f'.{variant}' if variant else ''}" for name, variant in VARIANTS}
    others = {name for name in profiles.names() if name not in PACKAGES}
    found = {path.stem for path in GOLDEN.glob("*.txt")}
    assert {stem for stem in found - wanted if not any(map(stem.startswith, others))} == set()


@pytest.mark.parametrize(("name", "variant"), WHOLE)
def test_a_package_passes_the_strict_check_and_reads_back_as_what_went_out(
    district_roster: Roster, tmp_path: Path, name: str, variant: str | None
) -> None:
    told, package = packed(district_roster, name, variant, tmp_path)
    with open_package(package.file) as opened:
        read = build_candidate(
            opened, None, tmp_path / "read", policy=STRICT, today=date(2026, 9, 14)
        )
    assert list(read.findings) == []
    assert read.roster is not None
    assert diff(told.roster, read.roster).empty


@pytest.mark.parametrize("name", ["oneroster-1.1", "oneroster-1.2", "imagine-learning-math"])
def test_a_delta_brings_a_reader_from_one_day_to_another(
    district_roster: Roster, tmp_path: Path, name: str
) -> None:
    profile = profiles.load(name)
    later = io.BytesIO()
    District(students=60, seed=11, metadata=True).write_package(later, day=5)
    with open_package(later) as opened:
        accepted = build_candidate(opened, None, tmp_path / "later").roster
    assert accepted is not None
    old = adapted(district_roster, profile, tmp_path / "old").roster
    new = adapted(accepted, profile, tmp_path / "new").roster
    delta = diff(old, new)
    assert not delta.empty
    package = render(new, profile, tmp_path / "x.zip", delta=delta, modified=NOON)
    with open_package(package.file) as opened:
        read = build_candidate(opened, old, tmp_path / "read", policy=STRICT)
    assert list(read.findings) == []
    assert read.roster is not None
    assert diff(new, read.roster).empty


def test_the_same_roster_gives_the_same_package(district_roster: Roster, tmp_path: Path) -> None:
    sides = tmp_path / "one", tmp_path / "other"
    for side in sides:
        side.mkdir()
    made = {packed(district_roster, "naviance-students", None, side)[1].sha256 for side in sides}
    assert len(made) == 1
