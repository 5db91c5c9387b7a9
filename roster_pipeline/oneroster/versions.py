"""OneRoster 1.1 brought up to the canonical 1.2 model, and down again.

The versions differ in who a person is: 1.1 has one users row per person and role, with a list of
orgs; 1.2 has one users row and a roles row for each org. A 1.1 row becomes one users row (rows are
never merged by username) and a roles row for each org in the order of the list.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from roster_pipeline.oneroster.entities import USER_ROLES_1P1, columns_1p1, names
from roster_pipeline.oneroster.header import METADATA
from roster_pipeline.oneroster.shape import conform
from roster_pipeline.tables.arrow import pc
from roster_pipeline.tables.text import TEXT, arrow, series

RoleMap = Mapping[str, Mapping[str, str]]
"""1.1 role word to a 1.2 role for each org type; the key `other` serves the types not named."""

DEFAULT_ROLES: Final[RoleMap] = {
    "administrator": {"school": "siteAdministrator", "other": "districtAdministrator"}
}

# The standard does not say how roles go down; these words mean administrators of some kind.
WORDS_1P1: Final[Mapping[str, str]] = {
    "districtAdministrator": "administrator",
    "principal": "administrator",
    "siteAdministrator": "administrator",
    "systemAdministrator": "administrator",
    **{word: word for word in USER_ROLES_1P1},
}

_LONGEST_GUID = 255


def items(cells: pd.Series) -> tuple[npt.NDArray[np.int64], pd.Series]:
    """The items of list cells: for each the position of its row, and its text. Null has none."""
    lists = pc.split_pattern(arrow(cells), ",")
    flat = pc.list_flatten(lists)
    parents = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False).astype(np.int64)
    return parents, series(flat)


def lists(rows: npt.NDArray[np.int64], each: pd.Series, length: int) -> pd.Series:
    """So many list cells of items, given with the position of the row of each, which must not
    descend; a row without any is null. The reverse of `items`."""
    offsets = np.searchsorted(rows, np.arange(length + 1))
    of_rows = pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), arrow(each))
    empty = pa.array(offsets[1:] == offsets[:-1])
    joined = pc.binary_join(of_rows, pa.scalar(",", pa.large_string()))
    return series(pc.if_else(empty, pa.scalar(None, pa.large_string()), joined))


@dataclass(frozen=True)
class UpgradedUsers:
    """What a block of 1.1 users rows says in 1.2."""

    users: pd.DataFrame
    """As many rows as came in, in their order."""
    roles: pd.DataFrame
    role_rows: npt.NDArray[np.int64]
    """For each roles row the position of the users row that it comes from."""
    role_words: pd.Series
    """For each roles row the 1.1 word, so that going down again is exact."""


def upgrade_users(
    frame: pd.DataFrame, org_types: Mapping[str, str], role_map: RoleMap = DEFAULT_ROLES
) -> UpgradedUsers:
    """Bring a block of 1.1 users (columns of 1.1, then metadata) up to 1.2 users and roles.

    `org_types` maps an org's sourcedId to its type. An org named twice in one list counts once.
    """
    metadata = [name for name in frame.columns if name.startswith(METADATA)]
    users = conform(frame, [*names("users"), *metadata])
    parents, orgs = items(frame["orgSourcedIds"])
    links = pd.DataFrame({"row": parents, "org": orgs})
    links = links[~links.duplicated()]
    rows = links["row"].to_numpy()
    words = frame["role"].iloc[rows].reset_index(drop=True)
    people = frame["sourcedId"].iloc[rows].reset_index(drop=True)
    orgs = links["org"].reset_index(drop=True)
    # Where no org is known, pandas takes the types for numbers.
    types = orgs.map(org_types).astype(TEXT).fillna("other")
    roles = _roles(words, types, role_map)
    made: dict[str, pd.Series] = {
        "sourcedId": role_ids(people, orgs, roles),
        "status": frame["status"].iloc[rows].reset_index(drop=True),
        "dateLastModified": frame["dateLastModified"].iloc[rows].reset_index(drop=True),
        "userSourcedId": people,
        "roleType": pd.Series(["primary"] * len(rows), dtype=TEXT),
        "role": roles,
        "orgSourcedId": orgs,
    }
    empty = pd.Series([None] * len(rows), dtype=TEXT)
    roles_frame = pd.DataFrame({name: made.get(name, empty) for name in names("roles")})
    return UpgradedUsers(users, roles_frame, rows, words)


def _roles(words: pd.Series, org_types: pd.Series, role_map: RoleMap) -> pd.Series:
    pairs = pd.DataFrame({"word": words.astype(object), "type": org_types.astype(object)})
    distinct = pairs.drop_duplicates()
    chosen = {
        (word, kind): role_map.get(word, {}).get(kind, role_map.get(word, {}).get("other", word))
        for word, kind in distinct.itertuples(index=False)
    }
    index = pd.MultiIndex.from_frame(pairs)
    codes, found = index.factorize()
    return (
        pd.Series([chosen[pair] for pair in found], dtype=TEXT).take(codes).reset_index(drop=True)
    )


def role_ids(people: pd.Series, orgs: pd.Series, roles: pd.Series) -> pd.Series:
    """A sourcedId for each role that has none of its own, as in 1.1 and over REST:
    `user.org.role`, or its digest where that is too long."""
    dot = pa.scalar(".", pa.large_string())
    joined = pc.binary_join_element_wise(arrow(people), arrow(orgs), arrow(roles), dot)
    return short_guids(series(joined))


def short_guids(texts: pd.Series) -> pd.Series:
    """Each text, or `short_guid` of it."""
    cells: Any = arrow(texts)
    too_long = pc.greater(pc.utf8_length(cells), _LONGEST_GUID)
    if not pc.any(too_long).as_py():
        return texts
    hashed = pa.array([short_guid(text) for text in cells.filter(too_long).to_pylist()])
    return series(pc.replace_with_mask(cells, too_long, hashed.cast(pa.large_string())))


def short_guid(text: str) -> str:
    """The text, or its SHA-256 in base32 where it is too long for a sourcedId."""
    if len(text) <= _LONGEST_GUID:
        return text
    return base64.b32encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def role_words(roles: pd.DataFrame, words: Mapping[str, str] = WORDS_1P1) -> pd.Series:
    """The 1.1 word of each roles row; null where there is none (of counselor, `ext:` words).

    `roles` has the columns role and, where the row came from 1.1, its word in `_role`: that stands
    if `words`, which has the 1.1 word of each role, has it for any.
    """
    distinct = pc.unique(arrow(roles["role"])).to_pylist()
    spoken = {role: words[role] for role in distinct if role in words}
    said = roles["role"].map(spoken).astype(TEXT)
    if "_role" not in roles.columns:
        return said
    came = roles["_role"].astype(TEXT)
    return came.where(came.isin(set(words.values()))).fillna(said)


@dataclass(frozen=True)
class DowngradedUsers:
    """What 1.2 users and roles say in 1.1, and what 1.1 has no words for."""

    users: pd.DataFrame
    without_role: int
    """People left out because no role of theirs exists in 1.1."""
    other_roles: int
    """Roles rows left out because 1.1 gives one person one role."""


def downgrade_users(
    users: pd.DataFrame,
    roles: pd.DataFrame,
    words: Mapping[str, str] = WORDS_1P1,
    precedence: Sequence[str] = (),
) -> DowngradedUsers:
    """Make 1.1 users rows of 1.2 users and the roles rows of at least these users.

    `roles` has userSourcedId, roleType, role, orgSourcedId and `_role`; `words` is as in
    `role_words`. A person's one role is the one that stands first in `precedence`; among others the
    primary one at the primary org, else the first primary one, else the first. The orgs are
    those where the person has that role, in the order of the roles rows.
    """
    links = roles[roles["userSourcedId"].isin(users["sourcedId"])]
    spoken = links.assign(word=role_words(links, words)).dropna(subset=["word"])
    primary_org = users.set_index("sourcedId")["primaryOrgSourcedId"]
    at_home = (spoken["orgSourcedId"] == spoken["userSourcedId"].map(primary_org)).fillna(False)
    is_primary = (spoken["roleType"] == "primary").fillna(False)
    rank = 2 - is_primary.astype(int) - (is_primary & at_home).astype(int)
    if precedence:
        places = {word: place for place, word in enumerate(precedence)}
        rank += 3 * spoken["word"].map(places).astype(float).fillna(len(places)).astype(int)
    first = spoken.assign(rank=rank).sort_values("rank", kind="stable")
    chosen = first.drop_duplicates("userSourcedId").set_index("userSourcedId")["word"]
    kept = spoken[(spoken["word"] == spoken["userSourcedId"].map(chosen)).fillna(False)]
    kept = kept.drop_duplicates(["userSourcedId", "orgSourcedId"])
    said = users[users["sourcedId"].isin(chosen.index)].reset_index(drop=True)
    said = said.assign(
        role=said["sourcedId"].map(chosen).astype(TEXT),
        orgSourcedIds=_orgs_of(said["sourcedId"], kept),
    )
    metadata = [name for name in users.columns if name.startswith(METADATA)]
    wanted = [column.name for column in columns_1p1("users")] + metadata
    return DowngradedUsers(said[wanted], len(users) - len(said), len(links) - len(kept))


def _orgs_of(people: pd.Series, roles: pd.DataFrame) -> pd.Series:
    """The orgs of each person's roles, in the order of these, as list cells."""
    rows = pc.index_in(arrow(roles["userSourcedId"]), value_set=arrow(people))
    rows = rows.to_numpy(zero_copy_only=False).astype(np.int64)
    order = np.argsort(rows, kind="stable")
    return lists(rows[order], roles["orgSourcedId"].iloc[order], len(people))


def downgrade_words(frame: pd.DataFrame, entity: str) -> pd.DataFrame:
    """Blank the words that the vocabularies of 1.1 do not have, in the columns that are there."""
    changed = {}
    for column in columns_1p1(entity):
        if column.words and column.name in frame.columns:
            known = frame[column.name].isin(column.words) | frame[column.name].isna()
            if not known.all():
                changed[column.name] = frame[column.name].where(known)
    return frame.assign(**changed) if changed else frame
