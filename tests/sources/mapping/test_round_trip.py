"""Whatever a roster holds, it comes back through a mapping from files in a form of their own."""

import io
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from roster_pipeline.oneroster.entities import ENTITIES, columns
from roster_pipeline.oneroster.findings import Severity
from roster_pipeline.quality.candidate import build_candidate
from roster_pipeline.sources.mapping.config import CsvMapping
from roster_pipeline.sources.opening import open_mapped
from tests.examples import examples
from tests.oneroster.strategies import BLANK, METADATA, Frames, rosters, row_set, stored
from tests.sources.mapping.school import table_bytes, zipped

NOISE = 'A column, of no "use"'


def _renamed(name: str) -> str:
    return f"Col. {name} (x)"


def _mapping(cut: bool) -> dict[str, Any]:
    """Every entity from a file of its own, or from two whose rows stand one after the other."""
    parts = ("1", "2") if cut else ("1",)
    tables = {}
    for entity in ENTITIES:
        names = [c.name for c in columns(entity) if c.name not in BLANK]
        made: dict[str, Any] = {name: f"{{{_renamed(name)}}}" for name in (*names, *METADATA)}
        half, rest = (f"{{{_renamed(name)}}}" for name in ("half", "rest"))
        made["sourcedId"] = {"value": half + rest, "otherwise": half}
        tables[entity] = [{"rows_of": f"{entity.lower()}_{n}", "columns": made} for n in parts]
    files = {
        f"{entity.lower()}_{n}": {
            "name": f"{entity.upper()}?{n}.csv",
            "ignore": ["A column*"],
            "required": False,
        }
        for entity in ENTITIES
        for n in parts
    }
    return {"files": files, "tables": tables}


def _files(frames: Frames, cut: bool) -> dict[str, bytes]:
    """The inverse: columns under other names, in another order, a sourcedId in two columns."""
    made = {}
    for entity, frame in frames.items():
        rows = []
        for row in frame.astype(object).where(frame.notna(), "").to_dict("records"):
            cells = {_renamed(str(n)): row.get(n, "") for n in reversed([*row, *METADATA])}
            first = cells.pop(_renamed("sourcedId"))
            halves = {"half": first[:1], "rest": first[1:]}
            rows.append({NOISE: "x", **cells, **{_renamed(k): v for k, v in halves.items()}})
        middle = len(rows) // 2 if cut else len(rows)
        for number, some in (("1", rows[:middle]), ("2", rows[middle:])):
            if some:
                made[f"{entity}-{number}.csv"] = table_bytes(some)
    return made


@given(rosters(max_rows=6), st.booleans(), st.sampled_from([1, 200, 1 << 20]))
@settings(max_examples=examples(15))
def test_a_mapping_of_the_inverse_gives_the_roster_again(
    frames: Frames, cut: bool, block_bytes: int
) -> None:
    files = _files(frames, cut)
    assume(files)
    mapping = CsvMapping.model_validate(_mapping(cut))
    with TemporaryDirectory() as folder:
        roster = stored(frames, Path(folder) / "roster")
        with open_mapped(zipped(files), mapping) as package:
            again = build_candidate(
                package, roster, Path(folder) / "again", block_bytes=block_bytes
            )
        assert [str(f) for f in again.findings if f.severity is not Severity.WARN] == []
        assert again.roster is not None
        for entity in ENTITIES:
            assert row_set(again.roster, entity) == row_set(roster, entity)


def test_the_same_drop_gives_the_same_roster(tmp_path: Path) -> None:
    from tests.sources.mapping.school import files, judged, roster_of

    first, second = (roster_of(judged(files(), tmp_path / n)) for n in ("a", "b"))
    assert first.content_hash == second.content_hash
    assert isinstance(zipped(files()), io.BytesIO)
