"""A roster as far as a receiver has words for it, before it is written.

What the receiver cannot be told leaves, with all that hangs on it, and is counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.receivers.profiles import Profile


@dataclass(frozen=True)
class Adapted:
    """A canonical roster of what one receiver is told."""

    roster: Roster
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Rows that left, by entity; none that lost nothing."""


def adapted(roster: Roster, profile: Profile, into: Path) -> Adapted:
    """Write what a receiver can be told into a folder that is not there yet.

    A roster that fits as it is comes back itself, and nothing is written.
    """
    return Adapted(roster)
