"""Who should have an account now, and what should stand in it."""

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from roster_pipeline.accounts.config import AccountSettings
from roster_pipeline.accounts.fields import EXTERNAL_ID, USER_NAME, Content, content_hash
from roster_pipeline.accounts.identity import fill
from roster_pipeline.accounts.patterns import columns_of
from roster_pipeline.accounts.roles import COLUMNS, entitled
from roster_pipeline.oneroster.layout import FILE, LINE, ROLE
from roster_pipeline.oneroster.origins import lines_of
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.shape import stack
from roster_pipeline.tables.text import TEXT

PROBLEMS: Final = {
    "no_user_name": "a cell that the userName is made of is empty",
    "no_external_id": "a cell that the externalId is made of is empty",
    "same_user_name": "two people of this roster have one userName; neither is pushed",
    "same_external_id": "two people of this roster have one externalId; neither is pushed",
    "same_email": "two people of this roster have one e-mail; neither is pushed",
}
"""Why a person who should have an account cannot be given one: code → sentence."""

_ALWAYS: Final = ("sourcedId", "enabledUser")
_PROBLEM: Final = "problem"
_SAME: Final = {
    USER_NAME: "same_user_name",
    EXTERNAL_ID: "same_external_id",
    "email": "same_email",
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who should have an account."""

    sourced_id: str = field(repr=False)
    content: Content = field(repr=False)
    """userName, externalId and the fields that are sent, without the empty ones."""
    content_hash: str
    problem: str | None
    """A code of `PROBLEMS`; None for somebody who can be pushed."""
    file: str
    line: int


def name_key(text: str) -> str:
    """What a provider's userName is known by: case does not count (RFC 7643, section 4.1.1), and
    every other difference does. `straße` and `strasse` are two people."""
    return unicodedata.normalize("NFC", text).lower()


def alike_key(text: str) -> str:
    """What our own people's values are kept apart by: wider than any provider compares them, so
    that no two of them are ever taken for one."""
    return unicodedata.normalize("NFKC", text).casefold()


def desired(roster: Roster, settings: AccountSettings, source: str, day: date) -> pd.DataFrame:
    """Everybody of a roster who should have an account on a day, in the roster's order.

    Columns: sourcedId, userName, externalId, one for each of the settings' fields, problem, and
    the users row's file and line. `people` reads its rows.
    """
    roles = entitled(_roles(roster), settings.roles, day)
    users = _users(roster, settings)
    if settings.suspend.disabled_users:
        users = users[(users["enabledUser"] != "false").fillna(True)]
    people = users.merge(roles, left_on="sourcedId", right_on="userSourcedId", how="inner")
    known = {
        "sourcedId": people["sourcedId"],
        USER_NAME: _user_names(people, settings, source),
        EXTERNAL_ID: fill(settings.identity.external_id, people, source),
        **{name: _field(name, people, roster) for name in settings.fields},
    }
    found = pd.DataFrame(known)
    found[_PROBLEM] = _problems(found)
    lines = lines_of(people[LINE].to_numpy(dtype=np.int64))
    return found.assign(**{FILE: people[FILE], LINE: pd.Series(lines, index=people.index)})


def people(found: pd.DataFrame) -> Iterator[Person]:
    """The rows of `desired`, one by one."""
    columns = [name for name in found.columns if name not in ("sourcedId", _PROBLEM, FILE, LINE)]
    cells = zip(*(found[name].array for name in columns), strict=True)
    marks = zip(*(found[name].array for name in ("sourcedId", _PROBLEM, FILE, LINE)), strict=True)
    for row, (sourced_id, problem, file, line) in zip(cells, marks, strict=True):
        content = {n: c for n, c in zip(columns, row, strict=True) if not pd.isna(c)}
        hashed = content_hash(content)
        reason = None if pd.isna(problem) else str(problem)
        yield Person(str(sourced_id), content, hashed, reason, str(file), int(line))


def _roles(roster: Roster) -> pd.DataFrame:
    return stack(list(roster.blocks("roles", COLUMNS, provenance=True)), (*COLUMNS, ROLE))


def _users(roster: Roster, settings: AccountSettings) -> pd.DataFrame:
    identity = settings.identity
    patterns = [identity.user_name, identity.external_id, *(c.user_name for c in identity.claims)]
    wanted = [*_ALWAYS, *(name for pattern in patterns for name in columns_of(pattern))]
    wanted += [column for name in settings.fields for column in _READS.get(name, (name,))]
    present = roster.header("users")
    columns = [name for name in dict.fromkeys(wanted) if name in present]
    return stack(list(roster.blocks("users", columns, provenance=True)), (*columns, FILE, LINE))


def _user_names(people: pd.DataFrame, settings: AccountSettings, source: str) -> pd.Series:
    names = pd.Series([None] * len(people), dtype=TEXT, index=people.index)
    for role in people["role"].unique():
        mine = people["role"] == role
        pattern = settings.identity.pattern(source, str(role))
        names = names.where(~mine, fill(pattern, people, source))
    return names


def _display_name(people: pd.DataFrame, _: Roster) -> pd.Series:
    return people["givenName"].str.cat(people["familyName"], sep=" ")


def _product_role(people: pd.DataFrame, _: Roster) -> pd.Series:
    return people["product_role"]


def _school(people: pd.DataFrame, roster: Roster) -> pd.Series:
    orgs = roster.columns("orgs", ["sourcedId", "name"]).drop_duplicates("sourcedId")
    return people["orgSourcedId"].map(orgs.set_index("sourcedId")["name"]).astype(TEXT)


_MADE: Final[dict[str, Callable[[pd.DataFrame, Roster], pd.Series]]] = {
    "displayName": _display_name,
    "role": _product_role,
    "school": _school,
}
_READS: Final[dict[str, tuple[str, ...]]] = {
    "displayName": ("givenName", "familyName"),
    "role": (),
    "school": (),
}


def _field(name: str, people: pd.DataFrame, roster: Roster) -> pd.Series:
    return _MADE[name](people, roster) if name in _MADE else people[name]


def _problems(found: pd.DataFrame) -> pd.Series:
    """The first thing wrong with each person, or null."""
    problems = pd.Series([None] * len(found), dtype=TEXT, index=found.index)
    checks = [
        (found[EXTERNAL_ID].isna(), "no_external_id"),
        (found[USER_NAME].isna(), "no_user_name"),
        *((_shared(found[name]), code) for name, code in _SAME.items() if name in found.columns),
    ]
    for wrong, code in checks:
        problems = problems.where(~(wrong & problems.isna()), code)
    return problems


def _shared(cells: pd.Series) -> "pd.Series[bool]":
    keys = pd.Series([None if pd.isna(c) else alike_key(c) for c in cells], index=cells.index)
    return keys.notna() & keys.duplicated(keep=False)
