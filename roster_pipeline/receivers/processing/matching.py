"""Finds the rows that a receiver's report speaks of again: ours, and where they came from."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any, Final

import pandas as pd

from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.oneroster.layout import FILE, LINE
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.receivers.processing.reading import Report
from roster_pipeline.tables.text import TEXT

MATCHED: Final = (
    *("grade", "code", "message", "entity", "sourcedId"),
    *("their file", "their line", "our file", "our line", "findings"),
)
"""The columns of what was matched."""
# A sourcedId may stand in several entities; most that is refused are people.
_LIKELY: Final = ("users", *(entity for entity in ENTITIES if entity != "users"))
_ENTITY_OF: Final = {entity.casefold(): entity for entity in ENTITIES}


class Outcome(StrEnum):
    """What became of a package at its receiver, as far as is known."""

    ACCEPTED = "accepted"
    WITH_ERRORS = "accepted with errors"
    REJECTED = "rejected"
    WAITING = "no report yet"
    LATE = "no report in time"
    UNREADABLE = "a report that cannot be read"


def outcome(report: Report) -> Outcome:
    """What a report comes to."""
    if report.rejected:
        return Outcome.REJECTED
    return Outcome.WITH_ERRORS if report.counts()["error"] else Outcome.ACCEPTED


def matched(report: Report, roster: Roster, findings: pd.DataFrame | None = None) -> pd.DataFrame:
    """The rows of a report with the columns MATCHED, all TEXT, in the report's order.

    `roster` is what the package was made of; by its sourcedId a row is found in the entity that the
    report's file is named after; where it names no such file, in the first that has it, people
    first. "our file" and "our line" are where the source sent it. `findings` (`Findings.frame`) are
    those of that roster: the codes of what we found about the same row ourselves. What cannot be
    found stays empty.
    """
    told = report.rows
    made = pd.DataFrame(
        {
            "grade": told["grade"],
            "code": told["code"],
            "message": told["message"],
            "entity": pd.Series([_entity(file) for file in told["file"]], dtype=TEXT),
            "sourcedId": told["sourcedId"],
            "their file": told["file"],
            "their line": told["line"],
        }
    )
    places = [*_found(made, roster)]
    ours = pd.concat(places) if places else pd.DataFrame(columns=["entity", FILE, LINE])
    for name, column in (("our file", FILE), ("our line", LINE)):
        made[name] = ours[column].astype(TEXT).reindex(made.index)
    made["entity"] = made["entity"].fillna(ours["entity"].astype(TEXT).reindex(made.index))
    made["findings"] = _codes(made, findings)
    return made[list(MATCHED)]


def refused(told: pd.DataFrame, roster: Roster) -> dict[str, pd.Series] | None:
    """By entity the sourcedIds of which rows of a report speak; where one names no file, of every
    entity that has it. None where a row cannot be found in the roster."""
    entities = pd.Series([_entity(file) for file in told["file"]], index=told.index, dtype=TEXT)
    left, found = pd.Series(True, index=told.index), {}
    for entity in ENTITIES:
        asked = told["sourcedId"].notna() & (entities.isna() | (entities == entity).fillna(False))
        ids = told.loc[asked, "sourcedId"]
        there = ids[roster.find(entity, ids.reset_index(drop=True)) >= 0]
        if len(there):
            left[there.index] = False
            found[entity] = there.drop_duplicates().reset_index(drop=True)
    return None if left.any() else found


def _entity(file: Any) -> str | None:
    """The entity that a file is named after."""
    if not isinstance(file, str):
        return None
    name = PurePosixPath(file.replace("\\", "/")).name
    return _ENTITY_OF.get(name.removesuffix(".csv").removesuffix(".CSV").casefold())


def _found(made: pd.DataFrame, roster: Roster) -> Iterator[pd.DataFrame]:
    """What was found of each entity: entity, file and line, by the place in the report."""
    left = made["sourcedId"].notna()
    for entity in _LIKELY:
        asked = left & (made["entity"].isna() | (made["entity"] == entity).fillna(False))
        if not asked.any() or not roster.counts[entity]:
            continue
        ids = made.loc[asked, "sourcedId"]
        at = roster.find(entity, ids.reset_index(drop=True))
        there = ids.index[at >= 0]
        rows = roster.take(entity, at[at >= 0], ["sourcedId"], provenance=True)
        left[there] = False
        yield rows[[FILE, LINE]].set_axis(there).assign(entity=entity)


def _codes(made: pd.DataFrame, findings: pd.DataFrame | None) -> "pd.Series[Any]":
    """The codes of our findings about each row."""
    nothing = pd.Series([None] * len(made), dtype=TEXT, index=made.index)
    if findings is None or findings.empty:
        return nothing
    keys = ["entity", "sourcedId"]
    said = findings.dropna(subset=keys).drop_duplicates([*keys, "code"]).sort_values("code")
    codes = said.groupby(keys)["code"].agg(", ".join)
    wanted = pd.MultiIndex.from_frame(made[keys])
    return codes.astype(TEXT).reindex(wanted).set_axis(made.index)
