"""What an export says beyond the standard, in `metadata.*`, survives every way in and out."""

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from roster_pipeline.oneroster.entities import ENTITIES, ENTITIES_1P1
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.package import open_package
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.writing import write_bulk
from roster_pipeline.quality.candidate import build_candidate
from tests.examples import examples
from tests.oneroster.strategies import frame_of
from tests.records import pulled, records_of
from tests.small import Row, district, packed

Extra = Mapping[str, Mapping[str, Mapping[str, str]]]
"""Entity → sourcedId → column → cell."""

_NAMES: Final = st.from_regex(r"metadata\.[A-Za-z][A-Za-z0-9_]{0,6}", fullmatch=True)
_CELLS: Final = st.one_of(
    st.sampled_from(["NA", "null", "0", "007", "1e5", "TRUE", "true", "a,b", 'O"Neil', "=1", "😀"]),
    st.text(
        st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=8
    ),
)
# What belongs to a user stands within it in REST, and in 1.1 roles are no rows.
_TOP: Final = tuple(entity for entity in ENTITIES_1P1 if entity != "demographics")


@st.composite
def extras(draw: st.DrawFn) -> Extra:
    """Some metadata for some rows of the small district."""
    rows = {entity: [row["sourcedId"] for row in district()[entity]] for entity in _TOP}
    cells = st.dictionaries(_NAMES, _CELLS, min_size=1, max_size=3)
    return {
        entity: draw(st.dictionaries(st.sampled_from(ids), cells, max_size=3))
        for entity, ids in rows.items()
    }


def files(extra: Extra, version: str) -> dict[str, list[Row]]:
    made = district(version)
    for entity, of_rows in extra.items():
        for row in made[entity]:
            row.update(of_rows.get(row["sourcedId"], {}))
    return made


def by_csv(extra: Extra, version: str) -> bytes:
    return packed(files(extra, version), version=version)


def by_rest(extra: Extra) -> bytes:
    rows = files(extra, "1.2") | {"userProfiles": []}
    frames = {}
    for entity in ENTITIES:
        if entity in rows:
            names = sorted({name for row in rows[entity] for name in row if "metadata." in name})
            frames[entity] = frame_of(entity, rows[entity], names)
    return pulled(records_of(frames))


WAYS_IN: Final[Mapping[str, Callable[[Extra], bytes]]] = {
    "1.1": lambda extra: by_csv(extra, "1.1"),
    "1.2": lambda extra: by_csv(extra, "1.2"),
    "REST": by_rest,
}


def written(roster: Roster, version: Version) -> bytes:
    out = io.BytesIO()
    write_bulk(roster, out, version=version)
    return out.getvalue()


def served(roster: Roster) -> bytes:
    return pulled(records_of({entity: roster.frame(entity) for entity in ENTITIES}))


WAYS_OUT: Final[Mapping[str, Callable[[Roster], bytes]]] = {
    "1.1": lambda roster: written(roster, Version.V1P1),
    "1.2": lambda roster: written(roster, Version.V1P2),
    "REST": served,
}


def read(package: bytes, into: Path) -> Roster:
    with open_package(io.BytesIO(package)) as opened:
        made = build_candidate(opened, None, into)
    assert made.roster is not None
    return made.roster


def extra_of(roster: Roster) -> Extra:
    """The metadata of a roster, without empty cells and rows that have none."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for entity in _TOP:
        for row in roster.frame(entity).to_dict("records"):
            cells = {
                str(name): str(cell)
                for name, cell in row.items()
                if str(name).startswith("metadata.") and isinstance(cell, str)
            }
            if cells:
                found.setdefault(entity, {})[row["sourcedId"]] = cells
    return found


@given(extras(), st.sampled_from(sorted(WAYS_IN)), st.sampled_from(sorted(WAYS_OUT)))
@settings(max_examples=examples(12), deadline=None)
def test_metadata_survives_every_way_in_and_out(extra: Extra, way_in: str, way_out: str) -> None:
    wanted = {entity: rows for entity, rows in extra.items() if rows}
    with TemporaryDirectory() as folder:
        roster = read(WAYS_IN[way_in](extra), Path(folder) / "in")
        assert extra_of(roster) == wanted
        again = read(WAYS_OUT[way_out](roster), Path(folder) / "out")
        assert extra_of(again) == wanted
