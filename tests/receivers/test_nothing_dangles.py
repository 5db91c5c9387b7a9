"""Whatever leaves on the way to a receiver, what goes out refers to nothing that stays at home."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from roster_pipeline.oneroster.entities import ENTITIES, Kind, Required, references
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.receivers import profiles
from roster_pipeline.receivers.adapting import adapted
from roster_pipeline.receivers.staying import sent
from tests.oneroster.strategies import stored

# By entity and column words that a receiver of 1.1 does not have, and how many rows get them.
ODD = [
    ("orgs", "type", "ext:annex", 1),
    ("academicSessions", "type", "ext:week", 2),
    ("classes", "classType", "ext:club", 6),
    ("enrollments", "role", "ext:guest", 9),
    ("roles", "role", "counselor", 12),
    ("roles", "role", "ext:coach", 12),
]
PACKAGES = ("oneroster-1.1", "oneroster-1.2", "apple-oneroster", "naviance-staff", "lingco")


def dangling(roster: Roster) -> list[str]:
    """The columns in which something refers to a row that is not there."""
    found = []
    for entity in ENTITIES:
        for column in references(entity):
            ids = set(roster.frame(column.target or "")["sourcedId"])
            cells = roster.frame(entity)[column.name]
            named = cells.dropna().str.split(",").explode()
            demanded = column.required is Required.ALWAYS and cells.isna().any()
            if demanded or not set(named) <= ids:
                found.append(f"{entity}.{column.name}")
            assert column.kind is Kind.REFERENCES or not cells.str.contains(",").any()
    return found


def odd(roster: Roster, seed: int, into: Path) -> Roster:
    """The roster with odd words in rows that chance chooses."""
    chance = np.random.default_rng(seed)
    frames: dict[str, pd.DataFrame] = {entity: roster.frame(entity) for entity in ENTITIES}
    for entity, column, word, rows in ODD:
        at = chance.choice(len(frames[entity]), rows, replace=False)
        frames[entity].loc[at, column] = word
    return stored(frames, into)


@pytest.mark.parametrize("seed", range(2))
def test_no_reference_dangles_and_every_row_is_told_or_counted(
    district_roster: Roster, tmp_path: Path, seed: int
) -> None:
    roster = odd(district_roster, seed, tmp_path / "odd")
    for name in PACKAGES:
        profile = profiles.load(name)
        told = adapted(roster, profile, tmp_path / name)
        assert dangling(told.roster) == [], name
        assert profile.oneroster is not None
        entities = sent(profile.oneroster)
        for entity in ENTITIES:
            there = told.roster.counts[entity] if entity in entities else 0
            assert there + told.left_out.get(entity, 0) == roster.counts[entity], (name, entity)
        if profile.oneroster.version == "1.1":
            people = set(told.roster.frame("roles")["userSourcedId"])
            assert people == set(told.roster.frame("users")["sourcedId"])
            assert told.left_out["users"] > 0
