"""The same rows as OneRoster 1.1 says them: a users row for each person and kind of role.

Written apart from the product's own down-mapping on purpose, so that each can test the other.
"""

from typing import Final

import numpy as np
import pandas as pd

from roster_pipeline.oneroster.entities import ENTITIES_1P1
from roster_pipeline.simulator.cells import joined, listed, only, words
from roster_pipeline.simulator.style import Style, frame_of, header_1p1
from roster_pipeline.simulator.zone import KIN, ROLE_WORDS, Role, Zone
from roster_pipeline.simulator.zone_rows import ZoneRows

_KIN_WORDS: Final = tuple(ROLE_WORDS[role] for role in KIN)
_WORDS: Final = (
    *ROLE_WORDS[: Role.PRINCIPAL],
    "administrator",
    "administrator",
    "aide",  # 1.1 has no counsellors
    "aide",
    "administrator",
    "administrator",
)


def frame_1p1(rows: ZoneRows, zone: Zone, style: Style, entity: str) -> pd.DataFrame | None:
    """The zone's rows of an entity; None for what 1.1 or the zone does not have."""
    if entity not in ENTITIES_1P1:
        return None
    if entity == "users":
        return _users(rows, zone, style)
    frame = rows.frame(entity)
    if frame is not None and entity == "demographics":
        frame["sex"] = frame["sex"].where(frame["sex"].isin(["female", "male"]))
    return frame


def _users(rows: ZoneRows, zone: Zone, style: Style) -> pd.DataFrame:
    """One row per person and 1.1 word, the word's orgs in a list.

    Whoever has a second word has a second row with its own sourcedId and the same username.
    """
    person, role, org = rows.role_rows
    words_1p1 = sorted(set(_WORDS))
    word = np.array([words_1p1.index(w) for w in _WORDS])[role]
    # Roles come by person; the words of a person keep the order in which they first appear.
    pair = person * len(words_1p1) + word
    _, first = np.unique(pair, return_index=True)
    first.sort()
    owner = np.searchsorted(first, np.arange(len(pair)), side="right") - 1
    people, kind = person[first], word[first]
    again = np.concatenate(([False], people[1:] == people[:-1]))

    child_bearing = zone.people["role"] == Role.TEACHER
    kin_ids = joined(rows.person_ids, only(child_bearing, words((".parent",), child_bearing * 0)))
    cells = rows.people(people, kin_ids)
    is_kin = np.isin(kind, [words_1p1.index(w) for w in _KIN_WORDS])
    student = kind == words_1p1.index("student")
    cells["sourcedId"] = joined(
        cells["sourcedId"], only(again, joined(".", words(words_1p1, kind)))
    )
    cells["role"] = words(words_1p1, kind)
    cells["orgSourcedIds"] = listed(len(people), owner, words(rows.org_ids, org))
    cells["agentSourcedIds"] = only(is_kin | student, cells["agentSourcedIds"])
    columns = header_1p1("users", style)
    return frame_of(columns, {name: cells[name] for name in columns if name in cells})
