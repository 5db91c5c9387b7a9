"""The times of a destination: those of its schedule, its quiet hours, and those of further tries.

All moments are aware. Of a time that a clock shows twice the schedule means the first, and quiet
hours last from the first to the second; one that a clock skips is an hour later.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from typing import Final, Literal
from zoneinfo import ZoneInfo

from roster_pipeline.fields import WEEKDAYS
from roster_pipeline.receivers.timing_config import QuietHours, Schedule

DAY: Final = timedelta(days=1)
_WEEK: Final = 7 * DAY

LATE: Final = timedelta(hours=1)
"""What was accepted so long after a time of the schedule, at which a sync was under way perhaps,
still goes then."""
PAUSES: Final = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4))
"""After which a delivery that failed is tried again; then day after day."""

Why = Literal["schedule", "quiet_hours"]


@dataclass(frozen=True)
class Wait:
    """Nothing may be sent yet."""

    until: datetime
    why: Why
    zone: ZoneInfo
    """By whose clock that is told."""

    def sentence(self, destination: str) -> str:
        """Until when, and why, for people."""
        when = f"{self.until.astimezone(self.zone):%Y-%m-%d %H:%M} {self.zone.key}"
        if self.why == "schedule":
            return f"{destination} waits for the time of its `schedule`, {when}."
        return f"{destination} has quiet hours until {when}, and waits."


@dataclass(frozen=True)
class Times:
    """When something of a source may be sent to a destination; with nothing said, ever."""

    zone: ZoneInfo
    """The source's, for what names no other."""
    schedule: Schedule | None = None
    quiet_hours: tuple[QuietHours, ...] = ()

    def wait(
        self, now: datetime, since: datetime | None, had_at: datetime | None = None
    ) -> Wait | None:
        """What has to be waited for until something is sent that is missing since a moment, or
        that is not known to be missing. `had_at` is when something was sent last."""
        if self.schedule is not None:
            begun = now if since is None else min(since, now - LATE)
            slot = self.next_slot(begun if had_at is None else max(begun, had_at))
            if slot > now:
                return Wait(self.after_quiet(slot), "schedule", self._clock(self.schedule))
        return self.quiet(now)

    def quiet(self, now: datetime) -> Wait | None:
        """The quiet hours that a moment is in, and those that follow on them."""
        until, zone, limit = now, self.zone, now + _WEEK + DAY
        while until < limit:
            ends = [
                (end, self._clock(hours))
                for hours in self.quiet_hours
                for start, end in self._spans(hours, until)
                if start <= until < end
            ]
            if not ends:
                break
            until, zone = max(ends, key=lambda one: one[0])
        return Wait(until, "quiet_hours", zone) if until > now else None

    def after_quiet(self, moment: datetime) -> datetime:
        """The moment itself, or the end of the quiet hours that it is in."""
        quiet = self.quiet(moment)
        return moment if quiet is None else quiet.until

    def next_slot(self, moment: datetime) -> datetime:
        """The first time of the schedule after a moment; without one, the moment itself."""
        return moment if self.schedule is None else next(self._slots(self.schedule, moment))

    def last_slot(self, moment: datetime) -> datetime:
        """The last time of the schedule up to a moment; without one, the moment itself."""
        if self.schedule is None:
            return moment
        slots = self._slots(self.schedule, moment - _WEEK - DAY)
        return [*takewhile(lambda slot: slot <= moment, slots)][-1]

    def last_try(self, begun: datetime, now: datetime, *, tried: bool) -> datetime | None:
        """When the last try was due of a delivery that was due first when it `begun`; None where
        none is due yet. With `tried` somebody else has seen to the first one."""
        days = (now - begun) // DAY
        later = [*(begun + pause for pause in PAUSES), *([begun + days * DAY] if days > 0 else [])]
        first = self.after_quiet(begun)
        due = [self.after_quiet(moment) for moment in later]
        if not tried or first > begun:
            due.append(first)
        return max((moment for moment in due if moment <= now), default=None)

    def _clock(self, part: Schedule | QuietHours) -> ZoneInfo:
        return self.zone if part.timezone is None else ZoneInfo(part.timezone)

    def _slots(self, schedule: Schedule, moment: datetime) -> Iterator[datetime]:
        """The times of a schedule after a moment, without end."""
        zone = self._clock(schedule)
        day, at = moment.astimezone(zone).date(), time.fromisoformat(schedule.at)
        while True:
            slot = datetime.combine(day, at, zone).astimezone(UTC)
            if slot > moment and schedule.weekday in (None, WEEKDAYS[day.weekday()]):
                yield slot
            day += DAY

    def _spans(self, hours: QuietHours, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The first and the last moment of quiet hours that may be about one."""
        zone = self._clock(hours)
        today = moment.astimezone(zone).date()
        for day in (today - DAY, today):
            if hours.days and WEEKDAYS[day.weekday()] not in hours.days:
                continue
            whole = hours.last == "24:00"
            last = time() if whole else time.fromisoformat(hours.last)
            over_midnight = whole or hours.last < hours.first
            first = time.fromisoformat(hours.first)
            yield (
                min(_both(day, first, zone)),
                max(_both(day + DAY if over_midnight else day, last, zone)),
            )


def _both(day: date, at: time, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The moments that a clock may mean by a time."""
    local = datetime.combine(day, at, zone)
    return local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)
