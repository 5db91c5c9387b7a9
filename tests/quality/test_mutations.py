"""Whatever happens to one cell of a clean package is told, or changes that cell alone."""

import io
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.package import open_package
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.quality.candidate import build_candidate
from roster_pipeline.simulator.district import District
from tests.examples import examples
from tests.quality.breaking import TODAY
from tests.quality.mutations import Cell, Package, Rows, complaints, rows_of
from tests.small import Row, district, packed

EXAMPLES: Final = int(os.environ.get("ROSTER_MUTATIONS", examples(6)))
"""For each of the eight packages; a thorough look takes thousands."""

_MODIFIED: Final = "2026-09-20T12:00:00.000Z"
_ODD: Final = (
    *("", " ", "\t", "\n", "a\nb", "a\r\nb", "\r", '"', '""', 'a"b', ",", ",,", "a,b", "a, b", "{"),
    *("\x00", "\ufeff", "\ufffd", "\u200b", "\u00a0", "\x85", "\u2028", "\x1a", "\\", "'", ";"),
    *("é" * 300, "x" * 255, "x" * 256, "y" * 70_000, "NULL", "NA", "null", "None", "0", "1", "-1"),
    *("TRUE", "True", "yes", "no", "1.0", "1.23E+11", "007", "=1+1", "@x", "ext:", "ext:coach"),
    *("2026-09-01", "2026-9-1", "09/01/2026", "2026-02-30", "2026-09-01T00:00:00Z", "0000-00-00"),
    *("1999-01-01", "9999-12-31", "2026", "26", "2026-09-01T00:00:00.000Z", "2026-09-01 10:00:00"),
    *("active", "tobedeleted", "inactive", "ACTIVE", "bulk", "delta", "student", "Teacher", "aide"),
    *("school", "district", "term", "schoolYear", "primary", "secondary", "{LDAP:a}", "{a:b},{c}"),
    *("KG", "1", "13", "Grade 9", "😀", "e\u0301", "\u0661", "İ", "ß", "somebody@example.org"),
)


@dataclass(frozen=True)
class Clean:
    """A package without a finding, and its roster."""

    package: Package
    rows: Rows = field(repr=False)


def _delta_of(files: dict[str, list[Row]]) -> bytes:
    stamp = {"status": "active", "dateLastModified": _MODIFIED}
    changed = {name: [row | stamp for row in rows] for name, rows in files.items()}
    version = "1.2" if "roles" in files else "1.1"
    return packed(changed, version=version, modes=dict.fromkeys(files, "delta"))


def _simulated(version: Version, delta: bool) -> tuple[bytes, bytes | None, date]:
    made = District(students=30, seed=5)
    first, later = io.BytesIO(), io.BytesIO()
    made.write_package(first, version=version)
    if not delta:
        return first.getvalue(), None, made.today
    made.write_delta(later, 0, 5, version=version)
    return later.getvalue(), first.getvalue(), made.date_of(5)


def _small(version: Version, delta: bool) -> tuple[bytes, bytes | None, date]:
    bulk = packed(district(version), version=version)
    return (_delta_of(district(version)), bulk, TODAY) if delta else (bulk, None, TODAY)


Source = Callable[[Version, bool], tuple[bytes, bytes | None, date]]
SOURCES: Final[dict[str, Source]] = {"small": _small, "simulated": _simulated}


def _accepted(package: bytes, today: date, into: Path) -> Roster:
    with open_package(io.BytesIO(package)) as opened:
        made = build_candidate(opened, None, into, today=today)
    assert made.roster is not None
    return made.roster


@pytest.fixture(
    scope="module",
    params=[(s, v, d) for s in SOURCES for v in Version for d in (False, True)],
    ids=lambda p: f"{p[0]}-{p[1]}-{'delta' if p[2] else 'bulk'}",
)
def clean(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Clean:
    """A clean package: small or simulated, 1.1 or 1.2, bulk or delta upon a base."""
    source, version, delta = request.param
    folder = tmp_path_factory.mktemp("clean")
    sent, accepted, today = SOURCES[source](version, delta)
    base = None if accepted is None else _accepted(accepted, today, folder / "base")
    package = Package.of(sent, version, today, base)
    made = package.judged(folder / "made")
    assert [str(finding) for finding in made.findings] == []
    assert made.roster is not None
    return Clean(package, rows_of(made.roster))


def _cells(package: Package) -> st.SearchStrategy[Cell]:
    """Any cell of any file with any text, most often one that means something somewhere."""
    places = [
        (file, row, place)
        for file, rows in package.files.items()
        if file != "manifest"
        for row in range(1, len(rows))
        for place in range(len(rows[0]))
    ]
    known = sorted({cell for rows in package.files.values() for row in rows for cell in row})
    ids = sorted({row[0] for rows in package.files.values() for row in rows[1:]})
    texts = st.one_of(
        st.sampled_from(_ODD),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
        st.sampled_from(known),
        st.sampled_from(ids),
        st.lists(st.sampled_from([*ids, "nobody", ""]), min_size=2, max_size=3).map(",".join),
    )

    def cell(where: tuple[str, int, int]) -> st.SearchStrategy[Cell]:
        file, row, place = where
        own = package.files[file][row][place]
        column = sorted({row[place] for row in package.files[file][1:]})
        near = [own.upper(), own + " ", " " + own, own + "\n", own + ",", own[:-1], own + own]
        said = st.one_of(texts, st.sampled_from(column), st.sampled_from(near))
        return st.builds(Cell, st.just(file), st.just(row), st.just(place), said)

    # A file with few rows is as likely as one with many.
    files = sorted({file for file, _, _ in places})
    some = st.sampled_from(files).flatmap(
        lambda file: st.sampled_from([place for place in places if place[0] == file])
    )
    return some.flatmap(cell)


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_changed_cell_is_told_or_changes_that_cell_alone(
    clean: Clean, data: st.DataObject
) -> None:
    cell = data.draw(_cells(clean.package))
    with TemporaryDirectory() as folder:
        made = clean.package.changed(cell).judged(Path(folder) / "made")
        assert complaints(clean.package, clean.rows, cell, made) == []
