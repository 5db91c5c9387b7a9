"""What a receiver has not got of a source, and since when, by what the ledger says."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from roster_pipeline.receivers.config import Destination
from roster_pipeline.receivers.timing import DAY, Times, Wait
from roster_pipeline.store import Accepted, Delivery, Outcome, Sync
from roster_pipeline.store.overview import Overview

WAITING: Final = "waiting"
"""Under this the summary of a sync has the receivers that waited, and until when."""

UNDELIVERED: Final = "undelivered"
"""Under this it has those to which it failed to bring what is accepted."""

Acceptances = Callable[[str, date], Iterable[Accepted]]
"""What was accepted of a source for a date and those after it, oldest first."""

# A date of a source may lie before the day on which it was accepted.
_BEFORE: Final = timedelta(days=31)


@dataclass(frozen=True)
class Lack:
    """Something that a receiver ought to get."""

    since: datetime
    """When it began to be missing, as far as that is known."""
    had_at: datetime | None
    """When something was sent last."""
    tried: bool = True
    """Whether a sync saw to it then."""

    def wait(self, times: Times, now: datetime) -> Wait | None:
        """What has to be waited for before it is sent."""
        return times.wait(now, self.since, self.had_at)

    def due(self, times: Times, now: datetime) -> datetime | None:
        """When it was due last to be sent, or tried again; None where it has to wait."""
        if self.wait(times, now) is not None:
            return None
        if times.schedule is not None:
            return times.last_try(times.last_slot(now), now, tried=False)
        return times.last_try(self.since, now, tried=self.tried)


@dataclass(frozen=True)
class Turn:
    """What a destination may be sent at a moment."""

    lack: Lack | None
    """What it is known to lack; nothing at all where it lacks nothing."""
    wait: Wait | None
    """What has to be waited for first, if anything is sent."""
    again: bool
    """Whether it lacks nothing, and gets what it got last once more, as a sync is held."""


def turn(
    known: Overview,
    destination: Destination,
    source: str,
    zone: ZoneInfo,
    now: datetime,
    since: Acceptances,
) -> Turn:
    """What a destination may be sent of a source, whose timezone is `zone`."""
    times = destination.times(zone)
    missing = lack(known, destination.id, source, times, now, since)
    wait = times.wait(now, None) if missing is None else missing.wait(times, now)
    again = missing is None and due_while_held(known, destination, source, times, now) is not None
    return Turn(missing, wait, again)


def failed_at_deliveries(sync: Sync) -> bool:
    """Whether a sync accepted what came and failed to bring it to somebody. That is tried again by
    itself; what came needs no other sync."""
    return sync.outcome is Outcome.FAILED and bool(sync.summary.get(UNDELIVERED))


def due_while_held(
    known: Overview, destination: Destination, source: str, times: Times, now: datetime
) -> datetime | None:
    """When a destination was due last to get once more what it has, as the newest sync is held."""
    if destination.on_hold != "resend":
        return None
    missing = lack_while_held(known, destination.id, source, times)
    return None if missing is None else missing.due(times, now)


def lack(
    known: Overview, receiver: str, source: str, times: Times, now: datetime, since: Acceptances
) -> Lack | None:
    """What a receiver has not got of what is accepted, or may have lost since, or has as of an
    earlier day than it is `now`: roles begin and end by the clock. None where nothing is known to
    be missing; a sync may find that it is, as a destination's file may have changed."""
    accepted, had = known.accepted.get(source), known.deliveries.get((receiver, source))
    if accepted is None:
        return None
    if had is None or not accepted.snapshot.is_with(had):
        return _another_roster(accepted, had, times, now, since)
    return _in_doubt(known, had) or _of_the_past(had, times, now) or _put_off(known, had)


def lack_while_held(known: Overview, receiver: str, source: str, times: Times) -> Lack | None:
    """The file of the day that a receiver of `on_hold: resend` has not got, as the newest sync of
    the source is held: what it got last, once more. Without a schedule it comes a day after the
    last one."""
    sync, had = known.last_syncs.get(source), known.deliveries.get((receiver, source))
    if sync is None or sync.outcome is not Outcome.HELD or had is None:
        return None
    if times.schedule is not None:
        return Lack(sync.at, had.at, tried=False)
    return Lack(max(sync.at, had.at + DAY), had.at, tried=False)


def _another_roster(
    accepted: Accepted, had: Delivery | None, times: Times, now: datetime, since: Acceptances
) -> Lack:
    if had is None:
        return Lack(accepted.at, None)
    first = accepted
    if times.schedule is not None and times.next_slot(had.at) <= now:
        # Of several days the first that was not sent: else no time of the schedule might ever come.
        listed = since(accepted.source, had.at.date() - _BEFORE)
        first = next((one for one in listed if one.at > had.at), accepted)
    return Lack(max(first.at, had.at), had.at)


def _in_doubt(known: Overview, had: Delivery) -> Lack | None:
    """It may have got something else since, or may not have what its receipt says."""
    tried = known.unconfirmed.get((had.destination, had.source))
    if tried is None and not had.receipt.get("doubt"):
        return None
    return Lack(had.at if tried is None else max(tried, had.at), had.at)


def _of_the_past(had: Delivery, times: Times, now: datetime) -> Lack | None:
    day = had.receipt.get("day")
    if day is None or date.fromisoformat(day) >= now.astimezone(times.zone).date():
        return None
    midnight = datetime.combine(date.fromisoformat(day) + DAY, time(), times.zone)
    return Lack(max(midnight, had.at), had.at, tried=False)


def _put_off(known: Overview, had: Delivery) -> Lack | None:
    """What the newest sync found missing, when it had to wait."""
    sync = known.last_syncs.get(had.source)
    if sync is None or sync.at <= had.at or had.destination not in sync.summary.get(WAITING, {}):
        return None
    return Lack(sync.at, had.at, tried=False)
