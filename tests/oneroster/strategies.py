"""Hypothesis strategies for rosters.

    frames = data.draw(rosters())         # {entity: frame of TEXT cells}, valid as a whole
    later = data.draw(edits_of(frames))   # some rows fewer, more, changed, in another order
    roster = stored(frames, folder)       # written as a Roster, in blocks of a few rows

Hypothesis draws how many rows, their sourcedIds, some texts and a seed; a seeded generator deals
the cells. That is ten times faster than drawing each cell, and failures still shrink to few rows.
"""

import string
from collections.abc import Iterable, Mapping
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from roster_pipeline.oneroster.entities import (
    BULK_BLANK,
    ENTITIES,
    SECRET,
    Column,
    Kind,
    Required,
    columns,
    names,
)
from roster_pipeline.oneroster.roster import Roster, RosterWriter
from roster_pipeline.tables.text import TEXT

Frames = dict[str, pd.DataFrame]
Row = dict[str, str | None]

BLANK = (*BULK_BLANK, *SECRET)
"""Empty in every roster that came from a bulk package."""
METADATA = ("metadata.bus", "metadata.diet")

# Texts that readers and comparisons get wrong: words for nothing, numbers, other scripts, quotes,
# one letter in two encodings.
_NASTY = (
    *("NA", "Null", "None", "nan", "0", "007", "1e5", "TRUE", "a", "a,b", 'O"Neil', "D'Angelo"),
    *("Zoë", "Zoe\u0308", "李小龙", "محمد", "😀", "x" * 300, "a|b", "=1+1"),
)
_IDS = st.text(string.ascii_letters + string.digits + "._/@-", min_size=1, max_size=6)
_TEXTS = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=6
)
_EXAMPLES: Mapping[Kind, tuple[str, ...]] = {
    Kind.DATE: ("1999-12-31", "2026-08-22", "2027-02-28", "2028-02-29"),
    Kind.DATETIME: ("2026-08-22T00:00:00.000Z", "2026-08-22T23:59:59.999Z"),
    Kind.YEAR: ("2026", "2027"),
    Kind.STRINGS: ("KG", "01,02", "été", "09,10,11,12"),
    Kind.USER_IDS: ("{SIS:1}", "{SIS:1},{LDAP:a}"),
}
# Without many schools there would be few classes, and fewer enrollments.
_REFERRED_TO = {word for e in ENTITIES for column in columns(e) for word in column.target_types}


@st.composite
def rosters(
    draw: st.DrawFn,
    entities: Iterable[str] = ENTITIES,
    *,
    max_rows: int = 5,
    metadata: bool = True,
    blank: Iterable[str] = BLANK,
) -> Frames:
    """These entities, each with all columns of the standard and perhaps metadata.

    A sourcedId is unique within its entity, every reference finds a row of the right type, and
    the columns in `blank` are empty. Entities come in the standard's order; one that others need
    must be among them.
    """
    dealer = draw(_dealers())
    frames: Frames = {}
    for entity in entities:
        ids = draw(_ids(max_rows))
        extra = dealer.some(METADATA) if metadata else []
        frames[entity] = dealer.rows(entity, ids, frames, extra, set(blank))
    return frames


@st.composite
def edits_of(draw: st.DrawFn, frames: Mapping[str, pd.DataFrame]) -> Frames:
    """The same roster another day: rows gone (whatever refers to them), come, changed, moved.

    A changed cell may lie in any column but sourcedId, and is valid or empty.
    """
    dealer = draw(_dealers())
    edited: Frames = {}
    for entity, frame in frames.items():
        come = dealer.rows(entity, draw(_ids(2)), frames, dealer.some(METADATA), set(BLANK))
        here = set(frame["sourcedId"])
        table = [
            dealer.changed(entity, row) for row in _rows_of(frame) if dealer.random.random() < 0.8
        ]
        table += [row for row in _rows_of(come) if row["sourcedId"] not in here]
        dealer.random.shuffle(table)
        if entity == "roles":
            _one_primary_role(table)
        extra = sorted({name for row in table for name in row if name in METADATA})
        edited[entity] = frame_of(entity, table, extra)
    return edited


def frame_of(
    entity: str, table: Iterable[Mapping[str, str | None]], metadata: Iterable[str] = ()
) -> pd.DataFrame:
    """A frame of an entity's columns and some metadata from rows that need not name them all."""
    found = list(table)
    return pd.DataFrame(
        {
            name: pd.Series([row.get(name) for row in found], dtype=TEXT)
            for name in (*names(entity), *metadata)
        }
    )


def stored(frames: Mapping[str, pd.DataFrame], folder: Path, *, block: int = 1000) -> Roster:
    """Write frames as a roster, `block` rows at a time; entities left out have no rows."""
    writer = RosterWriter(folder)
    for entity, frame in frames.items():
        for start in range(0, len(frame), block):
            some = frame.iloc[start : start + block]
            lines = np.arange(start, start + len(some)) + 2
            writer.write(entity, some, file=f"{entity}.csv", lines=lines)
    return writer.finish()


def row_set(
    roster: Roster, entity: str, *, without: Iterable[str] = BLANK
) -> list[tuple[str, ...]]:
    """The rows of an entity as sorted tuples of filled cells with their column names, so that
    neither order nor columns without any cell make a difference."""
    left_out = set(without)
    return sorted(
        tuple(f"{name}={cell}" for name, cell in row.items() if name not in left_out and cell)
        for row in _rows_of(roster.frame(entity))
    )


class _Dealer:
    """Deals valid cells from what hypothesis drew."""

    def __init__(self, seed: int, texts: list[str]) -> None:
        self.random = Random(seed)  # noqa: S311  not for secrets
        self.texts = [*texts, *_NASTY]

    def some(self, things: Iterable[str]) -> list[str]:
        return [thing for thing in things if self.random.random() < 0.5]

    def rows(
        self,
        entity: str,
        ids: list[str],
        others: Mapping[str, pd.DataFrame],
        extra: list[str],
        blank: set[str],
    ) -> pd.DataFrame:
        """Rows that refer to rows of `others` or to each other; none where a column that must be
        filled has nothing to refer to."""
        if entity == "demographics":  # its sourcedId is its user's
            ids = list(others["users"]["sourcedId"][: len(ids)])
        targets = {
            c.name: ids if c.target == entity else _targets(c, others) for c in columns(entity)
        }
        needed = [c for c in columns(entity) if c.required is Required.ALWAYS]
        if any(c.target is not None and not targets[c.name] for c in needed):
            ids = []
        table: list[Row] = []
        elders = self.random.sample(ids, len(ids))  # a row's parent is before it: no loops
        for sourced_id in ids:
            older = elders[: elders.index(sourced_id)]
            row = {
                c.name: self.cell(c, older if c.name == "parentSourcedId" else targets[c.name])
                for c in columns(entity)
                if c.name not in blank
            }
            row |= {name: self.random.choice([None, *self.texts]) for name in extra}
            table.append(_in_order(row | {"sourcedId": sourced_id}))
        if entity == "roles":
            _one_primary_role(table)
        return frame_of(entity, table, extra)

    def cell(self, column: Column, targets: list[str]) -> str | None:
        """A valid cell, often empty where it may be."""
        if column.required is not Required.ALWAYS and self.random.random() < 0.6:
            return None
        if column.target is None:
            return self.random.choice(self.choices(column))
        if not targets:
            return None
        most = 2 if column.kind is Kind.REFERENCES else 1
        return ",".join(self.random.sample(targets, min(most, len(targets))))

    def choices(self, column: Column) -> list[str]:
        """Valid texts of a column that is not a reference."""
        if column.words:
            often = [word for word in column.words if word in _REFERRED_TO] * len(column.words)
            return [*often, *column.words, *(["ext:other"] if column.extensible else [])]
        return list(_EXAMPLES.get(column.kind, self.texts))

    def changed(self, entity: str, row: Row) -> Row:
        """The row, perhaps with one or two cells that are other ones."""
        row = dict(row)
        for column in self.random.sample(columns(entity)[1:], self.random.choice([0, 0, 1, 2])):
            row[column.name] = self.cell(column, ["elsewhere"])
        if self.random.random() < 0.3:
            row[self.random.choice(METADATA)] = self.random.choice([None, *self.texts])
        return _in_order(row)


def _in_order(row: Row) -> Row:
    """The row, not ending before it begins."""
    begins = "startDate" if "startDate" in row else "beginDate"
    first, last = row.get(begins), row.get("endDate")
    if first and last and last < first:
        row |= {begins: last, "endDate": first}
    return row


def _one_primary_role(table: Iterable[Row]) -> None:
    """Leave each user one primary role at an org."""
    seen = set()
    for row in table:
        who = (row["userSourcedId"], row["orgSourcedId"])
        if row["roleType"] == "primary" and who in seen:
            row["roleType"] = "secondary"
        seen.add(who)


def _dealers() -> st.SearchStrategy[_Dealer]:
    return st.builds(_Dealer, st.integers(0, 1 << 32), st.lists(_TEXTS, max_size=4))


def _ids(most: int) -> st.SearchStrategy[list[str]]:
    return st.integers(0, most).flatmap(
        lambda count: st.lists(_IDS, min_size=count, max_size=count, unique=True)
    )


def _rows_of(frame: pd.DataFrame) -> list[Row]:
    return [
        {str(name): None if pd.isna(cell) else str(cell) for name, cell in row.items()}
        for row in frame.to_dict("records")
    ]


def _targets(column: Column, others: Mapping[str, pd.DataFrame]) -> list[str]:
    if column.target is None or column.target not in others:
        return []
    there = others[column.target]
    if column.target_types:
        there = there[there["type"].isin(column.target_types)]
    return list(there["sourcedId"])
