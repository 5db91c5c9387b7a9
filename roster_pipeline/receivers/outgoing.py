"""From an accepted roster to what one destination gets of it, as a roster still."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.receivers.adapting import adapted
from roster_pipeline.receivers.config import Destination
from roster_pipeline.receivers.in_force import in_force, leaving
from roster_pipeline.receivers.masking import masked, remarks
from roster_pipeline.receivers.profiles import Profile
from roster_pipeline.receivers.scoping import scoped


@dataclass(frozen=True)
class Outgoing:
    """What a destination gets: canonical rows, of which none refers to one that stays at home."""

    roster: Roster
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Accepted rows that it does not get, by entity."""
    until: date | None = None
    """The last day on which the same accepted roster gives this; None if it always does."""
    remarks: tuple[str, ...] = ()
    """What of its scope and mask nobody may have meant, in sentences."""


def prepare(
    accepted: Roster,
    destination: Destination,
    profile: Profile,
    into: Path,
    mask_key: bytes | None = None,
    *,
    on: date,
) -> Outgoing:
    """Write into a new folder what a destination gets of an accepted roster on a day.

    Each step writes a roster of its own below `into`, and none where it changes nothing: what
    comes back may be the accepted roster itself. `mask_key` is what the hashes of the
    destination's mask are made with. Raises `ScopeError` where its scope does not fit the roster.
    """
    left_out: Counter[str] = Counter()
    inside = scoped(accepted, destination.scope, into / "scoped", destination=destination.id)
    left_out.update(inside.left_out)
    leaves = leaving(profile, destination.mask)
    today = in_force(inside.roster, leaves, on, into / "in_force")
    left_out.update(today.left_out)
    roster = masked(today.roster, destination.mask, into / "masked", mask_key)
    if destination.mask is not None:
        dropped = destination.mask.entities
        left_out.update({entity: today.roster.counts[entity] for entity in dropped})
    told = adapted(roster, profile, into / "adapted")
    left_out.update(told.left_out)
    said = remarks(inside, destination.mask)
    return Outgoing(told.roster, dict(+left_out), today.until, said)
