"""The gate: whether a candidate may become the accepted roster, as a pure decision."""

import datetime as dt
from dataclasses import dataclass

from roster_pipeline.store.errors import Refused
from roster_pipeline.store.records import Accepted, Hold, HoldStatus, Snapshot, Verdict


@dataclass(frozen=True, slots=True)
class Candidacy:
    """A roster that stands before the gate."""

    candidate: Snapshot
    base_hash: str | None
    """The accepted roster that it was compared with; None if there was none."""
    date: dt.date

    @property
    def source(self) -> str:
        """Whose roster it is."""
        return self.candidate.source


@dataclass(frozen=True, slots=True)
class Standing:
    """What the ledger knows that bears on one candidacy."""

    accepted: Accepted | None
    """What is accepted now."""
    verdict: Verdict | None
    """The newest verdict on exactly this candidate and base."""
    hold: Hold | None
    """The newest hold of exactly this candidate and base."""


def is_accepted(this: Candidacy, accepted: Accepted | None) -> bool:
    """Whether the candidate is what is accepted already, of the same or a later date."""
    return (
        accepted is not None
        and accepted.snapshot.content_hash == this.candidate.content_hash
        and this.date >= accepted.date
    )


def stale(this: Candidacy, accepted: Accepted | None) -> Refused | None:
    """The objection that the candidate is old, or was compared with what is no longer accepted."""
    if is_accepted(this, accepted):
        return None
    if accepted is not None and this.date < accepted.confirmed:
        return Refused(
            f"{this.source}: this roster is of {this.date}, but the accepted one is of"
            f" {accepted.confirmed}; an older roster never replaces a newer one. Nothing was"
            " changed."
        )
    current = accepted.snapshot.content_hash if accepted else None
    if current != this.base_hash:
        return Refused(
            f"{this.source}: this roster was compared with {_roster(this.base_hash)}, but"
            f" {_roster(current)} is accepted now. Run the sync of {this.date} again."
        )
    return None


def objection(this: Candidacy, standing: Standing) -> Refused | None:
    """Why the candidate may not be accepted; None if it may."""
    if is_accepted(this, standing.accepted):
        return None
    return stale(this, standing.accepted) or _undecided(this, standing)


def _undecided(this: Candidacy, standing: Standing) -> Refused | None:
    hold, source = standing.hold, this.source
    status = hold.status if hold else None
    if hold is not None and status is HoldStatus.OPEN:
        return Refused(
            f"{source}: hold {hold.name} waits for a decision. Look at it with `roster show"
            f' {hold.name}`, then `roster approve {hold.name} --why "..."` or `roster reject'
            f' {hold.name} --why "..."`.',
            hold.name,
        )
    if hold is not None and status is HoldStatus.REJECTED:
        return Refused(
            f"{source}: this roster was rejected as hold {hold.name} (`roster show {hold.name}`"
            " says by whom and why). The accepted roster stays until the source sends another one.",
            hold.name,
        )
    if standing.verdict == "pass" or status is HoldStatus.APPROVED:
        return None
    if standing.verdict is None:
        return Refused(
            f"{source}: no guard has judged this roster of {this.date} against the accepted one."
            " Run the whole sync, not this step alone."
        )
    if hold is not None and status is HoldStatus.SUPERSEDED:
        return Refused(
            f"{source}: hold {hold.name} of this roster was superseded"
            f" ({hold.closed_because}). Run the sync again.",
            hold.name,
        )
    return Refused(f"{source}: the guards would hold this roster for a person's decision.")


def _roster(content_hash: str | None) -> str:
    return f"roster {content_hash[:12]}" if content_hash else "no roster"
