"""Which rows of a roster a receiver has words for, and which hang on others that leave."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from roster_pipeline.oneroster.entities import (
    BULK_BLANK,
    ENTITIES,
    Column,
    Kind,
    Required,
    columns,
    references,
)
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.package import tables
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.scoping.ids import (
    Ids,
    Mask,
    any_in,
    ids_of,
    is_in,
    rows_where,
    values,
)
from roster_pipeline.oneroster.versions import WORDS_1P1, role_words
from roster_pipeline.receivers.profiles import OneRosterFormat
from roster_pipeline.tables.arrow import is_true, pc
from roster_pipeline.tables.text import arrow

Words = Mapping[str, str | None]
"""The receiver's word for each of ours; None is blank."""
# People come by their roles, so these are judged before users.
_ORDER: Final = (*ENTITIES[:4], "roles", *(e for e in ENTITIES[4:] if e != "roles"))


class Keep(dict[str, Mask]):
    """Entity → which of its rows stay; an entity of which all stay is not there."""

    def __init__(self, roster: Roster) -> None:
        super().__init__()
        self._roster = roster
        self._ids: dict[str, Ids] = {}

    def ids(self, entity: str) -> Ids:
        """The sourcedIds of the rows that stay; large, and so the same each time."""
        if entity not in self._ids:
            self._ids[entity] = values(self._roster, entity, self[entity])
        return self._ids[entity]


def staying(roster: Roster, form: OneRosterFormat) -> Keep:
    """Which rows of a roster stay.

    What stays refers to nothing that leaves, but for references that can be blanked.
    """
    keep = Keep(roster)
    needed = _needed(form)
    for entity in _ORDER:
        if entity not in needed:
            mask: Mask | None = np.zeros(roster.counts[entity], dtype=bool)
        elif entity == "users":
            mask = _people(roster, form, keep)
        else:
            mask = _of_entity(roster, entity, form, keep)
        _put(keep, entity, mask)
    return keep


def sent(form: OneRosterFormat) -> tuple[str, ...]:
    """The entities that are told; in 1.1 roles are told with their users."""
    files = tables(Version(form.version)) if form.files is None else form.files
    with_users = form.version == "1.1" and "users" in files
    return tuple(e for e in ENTITIES if e in files or (with_users and e == "roles"))


def files(form: OneRosterFormat) -> tuple[str, ...]:
    """The entities that have a file of their own."""
    return tuple(entity for entity in sent(form) if entity in tables(Version(form.version)))


def roles_spoken(form: OneRosterFormat) -> Mapping[str, str] | None:
    """The receiver's word for each role; None where it takes all that 1.2 has."""
    if form.people.words is None and form.version == "1.1":
        return WORDS_1P1
    return form.people.words


def vocabulary(form: OneRosterFormat, entity: str) -> dict[str, Words]:
    """By column the receiver's words, where it does not take all that 1.2 allows."""
    found: dict[str, Words] = {}
    table = tables(Version(form.version)).get(entity, ())
    for column in columns(entity):
        said = form.words.get(f"{entity}.{column.name}")
        known = [other.words for other in table if other.name == column.name and other.words]
        if said is not None:
            found[column.name] = said
        elif form.version == "1.1" and known and column.name not in BULK_BLANK:
            found[column.name] = {word: word for word in known[0]}
    return found


def words_used(roster: Roster, entity: str, column: str) -> set[str]:
    """The distinct filled cells of a column that has few."""
    blocks = roster.coded(entity, [column])
    return {word for block in blocks for word in block[column].unique().to_pylist() if word}


def _put(keep: dict[str, Mask], entity: str, mask: Mask | None) -> None:
    if mask is not None and not mask.all():
        keep[entity] = mask


def _needed(form: OneRosterFormat) -> set[str]:
    """What is sent, and what that cannot do without."""
    needed = set(sent(form)) | ({"roles"} if "users" in sent(form) else set())
    for entity in reversed(ENTITIES):
        if entity in needed:
            needed |= {c.target for c in references(entity) if c.target and _demanded(c)}
    return needed


def _demanded(column: Column) -> bool:
    return column.required is Required.ALWAYS


def _of_entity(roster: Roster, entity: str, form: OneRosterFormat, keep: Keep) -> Mask | None:
    """The rows whose demanded references and words are there; None where that may be said of all.

    Of roles also: those that the receiver has a word for.
    """
    there = {
        column.name: (column.kind, keep.ids(column.target))
        for column in references(entity)
        if column.target is not None and column.target in keep and _demanded(column)
    }
    unknown = _unknown(roster, entity, form)
    spoken = roles_spoken(form) if entity == "roles" else None
    if not there and not unknown and spoken is None:
        return None
    with_roles = ["role", *(["_role"] if form.version == "1.1" else [])]
    names = [*there, *unknown, *(with_roles if spoken is not None else [])]

    def fits(rows: pd.DataFrame) -> Mask:
        mask = np.ones(len(rows), dtype=bool)
        for name, (kind, ids) in there.items():
            mask &= (any_in if kind is Kind.REFERENCES else is_in)(rows[name], ids)
        for name, words in unknown.items():
            mask &= ~is_in(rows[name], words)
        if spoken is not None:
            mask &= is_true(pc.is_valid(arrow(role_words(rows[with_roles], spoken))))
        return mask

    return rows_where(roster, entity, list(dict.fromkeys(names)), fits)


def _unknown(roster: Roster, entity: str, form: OneRosterFormat) -> dict[str, Ids]:
    """By demanded column the words in use that the receiver does not have."""
    found = {}
    demanded = {column.name for column in columns(entity) if _demanded(column)}
    for name, words in vocabulary(form, entity).items():
        if name in demanded and (odd := words_used(roster, entity, name) - words.keys()):
            found[name] = ids_of(odd)
    return found


def _people(roster: Roster, form: OneRosterFormat, keep: Mapping[str, Mask]) -> Mask | None:
    """Who has a role that stays; where a version can tell of people without roles, these too."""
    everyone_has_one = roles_spoken(form) is not None
    if "roles" not in keep and not everyone_has_one:
        return None
    people = values(roster, "roles", keep.get("roles"), "userSourcedId")
    with_roles = values(roster, "roles", None, "userSourcedId")

    def fits(users: pd.DataFrame) -> Mask:
        mask = is_in(users["sourcedId"], people)
        return mask if everyone_has_one else mask | ~is_in(users["sourcedId"], with_roles)

    return rows_where(roster, "users", ["sourcedId"], fits)
