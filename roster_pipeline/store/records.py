"""What the store remembers, as frozen values. All times are UTC and carry their zone."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Literal

from roster_pipeline.transport.channel import RemoteFile

Verdict = Literal["pass", "hold"]
"""What the guards made of a candidate."""

IGNORE: Final = "ignore"
"""The decision that a course is none of a product's."""
WITHDRAWN: Final = "withdrawn"
"""The decision that an earlier decision holds no longer."""


class HoldStatus(StrEnum):
    """Where a hold stands."""

    OPEN = "open"
    """Waits for a person."""
    APPROVED = "approved"
    """A person let it through; the next run of its source and date accepts it."""
    REJECTED = "rejected"
    """A person refused it; the same candidate on the same base stays refused."""
    SUPERSEDED = "superseded"
    """No longer in question: a newer candidate came, or its base is no longer accepted."""
    ACCEPTED = "accepted"
    """Approved, and accepted since."""


class Origin(StrEnum):
    """How an account came to be ours."""

    CREATED = "created"
    ADOPTED = "adopted"
    """It was at the provider before, and matched."""


class AccountState(StrEnum):
    """What the provider is known to have of an account."""

    PENDING = "pending"
    """Asked for; whether the provider did it is not known until the next look."""
    ACTIVE = "active"
    SUSPENDED = "suspended"
    GONE = "gone"
    """Somebody removed it at the provider."""


class Outcome(StrEnum):
    """How a sync ended."""

    DONE = "done"
    NOTHING_NEW = "nothing_new"
    HELD = "held"
    STOPPED = "stopped"
    """The input could not be used."""
    FAILED = "failed"
    """Something broke that is not the input's fault."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A handle on one roster in the store: what travels between assets."""

    source: str
    content_hash: str
    counts: dict[str, int]
    """Rows per entity."""
    url: str
    """Where it was put; `Snapshots.open` goes by source and hash, so a store may be moved."""

    def is_with(self, delivery: "Delivery | None") -> bool:
        """Whether this roster is what a destination was last confirmed to have."""
        return delivery is not None and delivery.content_hash == self.content_hash


@dataclass(frozen=True, slots=True)
class Landed:
    """A package as it came in, kept without its passwords."""

    source: str
    date: dt.date
    """The date (partition) that the package is for."""
    original_hash: str
    """SHA-256 of what the source sent."""
    stored_hash: str
    """SHA-256 of what is kept."""
    remote_path: str
    modified: dt.datetime
    """The server's time of the file."""
    size: int
    """Bytes kept."""
    url: str
    files: tuple[RemoteFile, ...] = ()
    """The files on the server that it was made of, as they were listed, by path."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A roster that passed the gate; the one with the highest sequence is the source's truth."""

    source: str
    sequence: int
    """1 for the first sync, then one more each time."""
    snapshot: Snapshot
    base_hash: str | None
    """What it replaced; None for the first sync."""
    date: dt.date
    confirmed: dt.date
    """The latest date on which the source sent this same content; nothing older may replace it."""
    at: dt.datetime
    hold_name: str | None
    """The approved hold that let it through, if the guards had not."""
    shift: Mapping[str, Any] = field(default_factory=dict)
    """What it changed, in numbers, as the guards counted it."""
    windows: tuple[str, ...] = ()
    """The kinds of calendar windows that its date fell into."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A candidate that waits, or waited, for a person's decision."""

    name: str
    source: str
    date: dt.date
    candidate: Snapshot
    base_hash: str | None
    """The accepted roster that the guards compared it with; None for a first sync."""
    reasons: tuple[Mapping[str, Any], ...]
    """The guards' reasons as they gave them: counts and sentences, no cell values."""
    status: HoldStatus
    opened_at: dt.datetime
    decided_by: str | None
    why: str | None
    decided_at: dt.datetime | None
    closed_at: dt.datetime | None
    """When it was accepted or superseded."""
    closed_because: str | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A package that a destination has, confirmed by reading it back."""

    destination: str
    source: str
    content_hash: str
    """The accepted roster that the package was made from."""
    package_hash: str
    path: str
    size: int
    receipt: Mapping[str, Any]
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Sync:
    """How one run over a source and a date ended."""

    source: str
    date: dt.date
    outcome: Outcome
    summary: Mapping[str, Any]
    """Counts and codes for the status page; never names."""
    run_id: str | None
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Account:
    """A person's account at a product's provider; ours, as we created or adopted it."""

    product: str
    source: str
    sourced_id: str
    """The person's sourcedId in the source; with the source, the account's identity."""
    remote_id: str | None
    """The provider's own id; None while that is not known."""
    origin: Origin
    state: AccountState
    external_id: str = field(repr=False)
    """Our id for it, as last sent."""
    user_name: str = field(repr=False)
    """What the person signs in by, as last sent."""
    content_hash: str
    """Of everything that was last sent, so that an unchanged person costs no request."""
    missing_since: dt.date | None
    """Since when the person has had no right to the account; None while there is one."""
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class CourseDecision:
    """What a person decided that a district's course is for a product."""

    product: str
    source: str
    course: str
    """The course's sourcedId in the source."""
    decision: str
    """The id of a course in the product's catalogue, or `IGNORE`, or `WITHDRAWN`."""
    who: str
    why: str
    at: dt.datetime
