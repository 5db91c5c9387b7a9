"""Packages in which somebody or something is missing, and nothing dangles that the field would not
leave dangling."""

import hashlib
from collections.abc import Callable, Collection, Iterator

import pandas as pd

from roster_pipeline.oneroster.entities import Column, Kind
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.simulator.packages import Target
from roster_pipeline.simulator.rewriting import (
    Edit,
    Source,
    columns_of,
    member,
    parts,
    rewrite,
    rows,
    version_of,
)
from roster_pipeline.tables.text import TEXT


def school_missing(source: Source, target: Target, *, school: str | None = None) -> tuple[()]:
    """Leave out a school (a sourcedId, by default the first), and with it all that hangs on it.

    People who are elsewhere too stay there. What remains is a roster without a dangling reference.
    """
    school = school or _first_school(source)
    here, elsewhere = _roles(source, school)
    _without(source, target, {school}, here - elsewhere)
    return ()


def school_row_missing(source: Source, target: Target, *, school: str | None = None) -> tuple[()]:
    """Leave out the row of a school in orgs, and nothing of what refers to it."""
    school = school or _first_school(source)
    edit: Edit = lambda frame: frame[frame["sourcedId"] != school]  # noqa: E731
    rewrite(source, target, {member("orgs"): rows(edit)})
    return ()


def students_of_a_school_missing(
    source: Source, target: Target, *, school: str | None = None
) -> tuple[()]:
    """Leave out everybody who is a student at one school and nowhere else."""
    here, elsewhere = _roles(source, school or _first_school(source), "student")
    _without(source, target, set(), here - elsewhere)
    return ()


def people_missing(
    source: Source, target: Target, *, share: float = 0.09, role: str = "student"
) -> tuple[()]:
    """Leave out a share of all who have a role. Those missing at one share are missing at any
    greater one, and nearly all of them on another day."""
    frames = _roles_by_user(source)
    people = {user for frame in frames for user in frame.loc[frame["role"] == role, "user"]}
    shuffled = sorted(people, key=lambda user: hashlib.blake2b(user.encode()).digest())
    _without(source, target, set(), set(shuffled[: round(share * len(shuffled))]))
    return ()


def mapped(cells: pd.Series, function: Callable[[str], str | None]) -> pd.Series:
    """Each filled cell put through a function, which is called once for each distinct one."""
    known = {cell: function(cell) for cell in cells.dropna().unique()}
    return pd.Series([known.get(cell) for cell in cells], index=cells.index, dtype=TEXT)


def _first_school(source: Source) -> str:
    orgs = pd.concat(parts(source, "orgs"))
    return str(orgs.loc[orgs["type"] == "school", "sourcedId"].iloc[0])


def _roles(source: Source, school: str, role: str | None = None) -> tuple[set[str], set[str]]:
    """Who has a role (or that role) at a school, and who has any role elsewhere."""
    here: set[str] = set()
    elsewhere: set[str] = set()
    for frame in _roles_by_user(source):
        at_school = frame["org"] == school
        wanted = at_school if role is None else at_school & (frame["role"] == role)
        here |= set(frame.loc[wanted, "user"])
        elsewhere |= set(frame.loc[~at_school, "user"])
    return here, elsewhere


def _roles_by_user(source: Source) -> Iterator[pd.DataFrame]:
    """User, role and org of each role."""
    if version_of(source) is Version.V1P1:
        for part in parts(source, "users"):
            at = part["orgSourcedIds"].fillna("").str.split(",")
            yield part.assign(user=part["sourcedId"], org=at).explode("org")
        return
    for part in parts(source, "roles"):
        yield part.assign(user=part["userSourcedId"], org=part["orgSourcedId"])


def _without(source: Source, target: Target, orgs: Collection[str], users: Collection[str]) -> None:
    """Leave out some orgs and users, the rows that need them, and whatever else names them."""
    lost = {"orgs": set(orgs), "users": set(users)}
    tables = columns_of(source)

    def without(entity: str) -> Edit:
        def edit(frame: pd.DataFrame) -> pd.DataFrame:
            keep = pd.Series(True, index=frame.index)
            for column in tables[entity]:
                gone = _lost_in(entity, column, lost)
                if gone is None:
                    continue
                cells = frame[column.name]
                if column.kind is Kind.REFERENCES:
                    frame = frame.assign(**{column.name: _without_items(cells, gone)})
                elif column.kind is Kind.GUID or column.required == "always":
                    keep &= ~cells.isin(gone)
                else:
                    frame = frame.assign(**{column.name: cells.mask(cells.isin(gone))})
            return frame[keep]

        return edit

    rewrite(source, target, {member(entity): rows(without(entity)) for entity in tables})


def _lost_in(entity: str, column: Column, lost: dict[str, set[str]]) -> set[str] | None:
    """What a column may name that is lost; None for other columns."""
    own = column.kind is Kind.GUID and column.target is None
    return lost.get(entity) if own else lost.get(column.target or "")


def _without_items(cells: pd.Series, lost: set[str]) -> pd.Series:
    def rest(cell: str) -> str | None:
        return ",".join(item for item in cell.split(",") if item not in lost) or None

    return mapped(cells, rest)
