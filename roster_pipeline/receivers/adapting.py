"""A roster as far as a receiver has words for it, before it is written.

What the receiver cannot be told leaves, with all that hangs on it, and is counted. What comes out
is what a reader of the package would have: of a receiver of 1.1 everybody has one role, and
nothing is filled that 1.1 has no column for.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from roster_pipeline.oneroster.entities import ENTITIES, Kind, references
from roster_pipeline.oneroster.header import METADATA
from roster_pipeline.oneroster.layout import Positions
from roster_pipeline.oneroster.roles_of import RolesOf, pieces
from roster_pipeline.oneroster.roster import Roster, RosterWriter
from roster_pipeline.oneroster.scoping.ids import Ids, Mask, ids_of, is_in
from roster_pipeline.oneroster.versions import (
    downgrade_users,
    items,
    lists,
    role_words,
    upgrade_users,
)
from roster_pipeline.receivers.columns.checking import left_out
from roster_pipeline.receivers.columns.config import ColumnsFormat
from roster_pipeline.receivers.prefixing import prefixed
from roster_pipeline.receivers.profiles import OneRosterFormat, Profile
from roster_pipeline.receivers.staying import (
    Keep,
    Words,
    roles_spoken,
    sent,
    staying,
    vocabulary,
    words_used,
)
from roster_pipeline.tables.text import TEXT

_NAMES = (
    ("givenName", "preferredGivenName"),
    ("middleName", "preferredMiddleName"),
    ("familyName", "preferredFamilyName"),
)
_OF_ROLES = ("userSourcedId", "roleType", "role", "orgSourcedId", "_role")


@dataclass(frozen=True)
class Adapted:
    """A canonical roster of what one receiver is told."""

    roster: Roster
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Rows that the receiver is not told, by entity; none of which it is told all."""


def adapted(roster: Roster, profile: Profile, into: Path) -> Adapted:
    """Write what a receiver can be told into a folder that is not there yet.

    A roster that fits as it is comes back itself, and nothing is written. What is told refers to
    nothing that leaves; a session that classes need is there even where no session is sent.
    """
    if isinstance(profile.columns, ColumnsFormat):
        return Adapted(roster, left_out(roster, profile.columns))
    form = profile.oneroster
    if form is None:
        return Adapted(roster)
    told = _told(roster, form, into)
    if form.ids == "as_they_are":
        return told
    return Adapted(prefixed(told.roster, sent(form), into / "prefixed"), told.left_out)


def _told(roster: Roster, form: OneRosterFormat, into: Path) -> Adapted:
    keep = staying(roster, form)
    telling = {entity: _Telling.of(roster, entity, form, keep) for entity in ENTITIES}
    if form.version == "1.2" and not keep and not any(t.needed for t in telling.values()):
        return Adapted(roster)
    with closing(RosterWriter(into)) as writer:
        for entity in ENTITIES:
            if form.version == "1.1" and entity in ("users", "roles"):
                continue
            _write(writer, roster, telling[entity], keep.get(entity))
        if form.version == "1.1":
            _write_people(writer, roster, telling["users"], keep, form)
        made = writer.finish()
    told = {entity: made.counts[entity] if entity in sent(form) else 0 for entity in ENTITIES}
    left = {entity: roster.counts[entity] - rows for entity, rows in told.items()}
    return Adapted(made, {entity: rows for entity, rows in left.items() if rows})


@dataclass(frozen=True)
class _Telling:
    """In what the cells of one entity are told otherwise than they are."""

    entity: str
    there: Mapping[str, tuple[Kind, Ids]]
    """By column that refers to rows of which some leave: those that stay."""
    words: Mapping[str, Words]
    blank: tuple[str, ...]
    unwanted: tuple[str, ...]
    """Metadata columns that stay at home."""
    preferred: bool
    of_teachers: bool
    """Whether `primary` is told of teachers alone."""

    @classmethod
    def of(cls, roster: Roster, entity: str, form: OneRosterFormat, keep: Keep) -> "_Telling":
        there = {
            column.name: (column.kind, keep.ids(column.target))
            for column in references(entity)
            if column.target is not None and column.target in keep and column.name != "sourcedId"
        }
        words = dict(vocabulary(form, entity))
        if entity == "roles" and form.people.words is not None:
            words["role"] = form.people.words
        used = {name: words_used(roster, entity, name) for name in words}
        metadata = roster.tables[entity].metadata
        wanted = None if form.metadata is None else [f"{METADATA}{name}" for name in form.metadata]
        return cls(
            entity,
            there,
            {
                name: said
                for name, said in words.items()
                if any(said.get(word) != word for word in used[name])
            },
            form.blank.get(entity, ()),
            () if wanted is None else tuple(name for name in metadata if name not in wanted),
            entity == "users" and form.people.names == "preferred",
            entity == "enrollments" and form.primary == "teachers",
        )

    @property
    def needed(self) -> bool:
        """Whether any cell may be told otherwise."""
        otherwise = self.there or self.words or self.blank or self.unwanted
        return bool(otherwise or self.preferred or self.of_teachers)

    def told(self, block: pd.DataFrame) -> pd.DataFrame:
        """The block as it is told."""
        cells: dict[str, pd.Series] = {}
        for name, (kind, ids) in self.there.items():
            of_list = kind is Kind.REFERENCES
            inside = block[name].where(is_in(block[name], ids)) if not of_list else None
            cells[name] = _only(block[name], ids) if inside is None else inside
        for name, words in self.words.items():
            said = {ours: theirs for ours, theirs in words.items() if theirs is not None}
            cells[name] = block[name].map(said).astype(TEXT)
        if self.preferred:
            for name, preferred in _NAMES:
                cells[name] = block[preferred].fillna(block[name])
        if self.of_teachers:
            cells["primary"] = block["primary"].where(is_in(block["role"], ids_of(["teacher"])))
        for name in self.blank:
            cells[name] = pd.Series([None] * len(block), dtype=TEXT, index=block.index)
        return block.assign(**cells).drop(columns=list(self.unwanted), errors="ignore")


def _write(writer: RosterWriter, roster: Roster, telling: _Telling, mask: Mask | None) -> None:
    entity, positions = telling.entity, None if mask is None else np.flatnonzero(mask)
    if not telling.needed:
        writer.copy_from(roster, entity, positions)
        return
    for block, lines in _blocks(roster, entity, positions):
        writer.write(entity, telling.told(block), file=f"{entity}.csv", lines=lines)


def _write_people(
    writer: RosterWriter,
    roster: Roster,
    telling: _Telling,
    keep: Mapping[str, Mask],
    form: OneRosterFormat,
) -> None:
    """Users and their roles as who reads them in 1.1 has them."""
    spoken = roles_spoken(form) or {}
    roles_of = RolesOf(roster, _OF_ROLES, keep.get("roles"))
    orgs = roster.columns("orgs", ["sourcedId", "type"])
    words = form.words.get("orgs.type", {})
    said_types = (words.get(kind, kind) for kind in orgs["type"])
    types = dict(zip(orgs["sourcedId"], said_types, strict=True))
    mask = keep.get("users")
    blocks = _blocks(roster, "users", None if mask is None else np.flatnonzero(mask))
    for block, lines in _cut(blocks):
        roles = roles_of(block["sourcedId"])
        said = downgrade_users(telling.told(block), roles, spoken, form.people.precedence)
        users = _with_role(said.users, roles, spoken, form.people.role_column)
        read = upgrade_users(users, types)
        writer.write("users", read.users, file="users.csv", lines=lines)
        writer.write(
            "roles",
            read.roles,
            file="users.csv",
            lines=lines[read.role_rows],
            role_words=read.role_words,
        )


def _with_role(
    users: pd.DataFrame, roles: pd.DataFrame, spoken: Mapping[str, str], column: str | None
) -> pd.DataFrame:
    """Users of 1.1 with a metadata column that tells of each which of our roles the one is."""
    if column is None:
        return users
    links = roles[roles["userSourcedId"].isin(users["sourcedId"])]
    words = users.set_index("sourcedId")["role"]
    chosen = role_words(links, spoken) == links["userSourcedId"].map(words)
    ours = links[chosen.fillna(False)].drop_duplicates("userSourcedId")
    told = users["sourcedId"].map(ours.set_index("userSourcedId")["role"]).astype(TEXT)
    return users.assign(**{f"{METADATA}{column}": told})


def _blocks(
    roster: Roster, entity: str, positions: Positions | None
) -> Iterator[tuple[pd.DataFrame, Positions]]:
    """The rows at some positions, or all, block by block, with where each stands."""
    blocks = roster.blocks(entity) if positions is None else roster.select(entity, positions)
    start = 0
    for block in blocks:
        end = start + len(block)
        yield block, np.arange(start, end) if positions is None else positions[start:end]
        start = end


def _cut(
    blocks: Iterator[tuple[pd.DataFrame, Positions]],
) -> Iterator[tuple[pd.DataFrame, Positions]]:
    """The blocks in pieces: people are taken apart and put together in several copies."""
    for block, lines in blocks:
        for piece in pieces(block):
            yield piece, lines[piece.index]


def _only(cells: pd.Series, ids: Ids) -> pd.Series:
    """List cells without the items that are not among some texts."""
    rows, each = items(cells)
    inside = is_in(each, ids)
    if inside.all():
        return cells
    return lists(rows[inside], each[inside], len(cells)).set_axis(cells.index)
