"""Which of a person's roles gives an account, and as what."""

from collections.abc import Mapping
from datetime import date
from typing import Final

import pandas as pd

from roster_pipeline.accounts.config import NO_ACCOUNT
from roster_pipeline.oneroster.layout import ROLE
from roster_pipeline.oneroster.versions import role_words

COLUMNS: Final = ("userSourcedId", "roleType", "role", "beginDate", "endDate", "orgSourcedId")
"""What is read of roles, beside the word that 1.1 used."""


def entitled(roles: pd.DataFrame, table: Mapping[str, str], day: date) -> pd.DataFrame:
    """One row for each person with a role in force that gives an account.

    `roles` has `COLUMNS` and `_role`. Comes back with the columns userSourcedId, role (the word of
    the table), product_role and orgSourcedId. Of several roles the one that stands first in the
    table counts, then the primary one, then the first.
    """
    giving = [word for word, product_role in table.items() if product_role != NO_ACCOUNT]
    rank = {word: place for place, word in enumerate(giving)}
    own = roles["role"].where(roles["role"].isin([*table]))
    # A word of the table may be 1.1's, for what 1.2 divides: `administrator`.
    words = own.fillna(role_words(roles[["role", ROLE]]))
    ranks = words.map(rank)
    chosen = roles.assign(role=words, _rank=ranks, _second=roles["roleType"] != "primary")
    chosen = chosen[ranks.notna() & _in_force(roles, day)]
    chosen = chosen.sort_values(["_rank", "_second"], kind="stable")
    first = chosen.drop_duplicates("userSourcedId").reset_index(drop=True)
    product_roles = first["role"].map(dict(table)).astype(first["role"].dtype)
    return first[["userSourcedId", "role", "orgSourcedId"]].assign(product_role=product_roles)


def _in_force(roles: pd.DataFrame, day: date) -> "pd.Series[bool]":
    """Dates are text in the standard's form, so they compare as text; endDate is exclusive."""
    today = day.isoformat()
    begun = (roles["beginDate"] <= today).fillna(True)
    ended = (roles["endDate"] <= today).fillna(False)
    return begun & ~ended
