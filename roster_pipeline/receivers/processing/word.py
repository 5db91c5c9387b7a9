"""What a receiver's own report comes to for what it is told next."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd

from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.receivers.processing.looking import Answer
from roster_pipeline.receivers.processing.matching import Outcome, refused

_TOOK: tuple[Outcome, ...] = (Outcome.ACCEPTED, Outcome.WITH_ERRORS)


@dataclass(frozen=True)
class Word:
    """Of the last package that was brought to a receiver which answers."""

    taken: bool = False
    """Whether it has what it was sent, but for rows that it refused. Not so where nobody knows."""
    rejected: bool = False
    """Whether it took nothing."""
    refused: Mapping[str, "pd.Series[str]"] = field(default_factory=dict)
    """By entity the sourcedIds of rows that it refused."""


def word(answer: Answer, brought: datetime, sent: Callable[[], Roster]) -> Word:
    """What an answer says of a package that was brought at a moment, and is made of a roster.

    A report that was there before, and one that refuses what cannot be found in the roster (as
    rows that were told as deleted), confirm nothing.
    """
    if answer.modified is None or answer.modified <= brought:
        return Word()
    if answer.outcome is Outcome.REJECTED:
        return Word(rejected=True)
    if answer.outcome not in _TOOK or answer.refused is None:
        return Word()
    if not len(answer.refused):
        return Word(taken=True)
    found = refused(answer.refused, sent())
    return Word() if found is None else Word(taken=True, refused=found)
