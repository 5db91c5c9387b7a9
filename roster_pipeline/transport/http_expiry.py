"""When credentials end, by the dates that somebody noted in the YAML as `expires`.

A note, and no fact: nothing is refused because of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Final, Literal

from roster_pipeline.transport.http_config import HttpAuth

WARNING_DAYS: Final = 30
"""So many days before their end somebody is told."""

NTH: Final = ("the first credential", "the second credential")
"""What sentences call two credentials that are tried in turn."""
_NTH: Final = ("first", "second")
# Where a day ends last.
_LAST: Final = timezone(timedelta(hours=-12))

State = Literal["fine", "soon", "over"]
"""Whether to do nothing, to see to it in time, or to look at once."""


@dataclass(frozen=True)
class Expiry:
    """The ends of all credentials that a server may be asked with, as seen on one day."""

    ends: tuple[date | None, ...]
    """Of each the last day on which it is good; None where nothing is noted. One has a date."""
    today: date

    @property
    def on(self) -> date:
        """The day to tell of: the first noted, or the last if all credentials have ended."""
        noted = [end for end in self.ends if end is not None]
        return max(noted) if self.state == "over" else min(noted)

    @property
    def days(self) -> int:
        """How many days that is from today; below 0 it is past."""
        return (self.on - self.today).days

    @property
    def state(self) -> State:
        """What the worst of them asks for; `over` only where nothing that may be good is left."""
        states = [self._state(end) for end in self.ends]
        if states.count("over") == len(states):
            return "over"
        return "fine" if states.count("fine") == len(states) else "soon"

    def sentence(self) -> str:
        """When they end, and what to do about it."""
        if len(self.ends) == 1:
            past = "The credentials ended on"
            said = f"{_told(self.on, self.today, 'The credentials end', past)}."
        else:
            first, second = (
                "says nothing of its end"
                if end is None
                else _told(end, self.today, "ends", "ended on")
                for end in self.ends
            )
            said = f"The first of two credentials {first}; the second {second}."
        return f"{said} {self._advice()}".rstrip()

    def _advice(self) -> str:
        if self.state == "over":
            return "Put new ones under `auth`; if these are still taken, correct `expires`."
        if self.state == "fine":
            return ""
        if len(self.ends) == 1:
            return (
                "Ask for new ones and add them under `auth` as the second of a list; the first "
                "may then end."
            )
        named = zip(_NTH, self.ends, strict=False)
        ending = [nth for nth, end in named if self._state(end) != "fine"]
        if len(ending) == len(self.ends):
            earliest = _NTH[self.ends.index(self.on)]
            return f"Ask for new ones and put them in the place of the {earliest}."
        (other,) = set(_NTH) - {*ending}
        return (
            f"See with `roster source test` that the {other} is taken, then take the {ending[0]} "
            "out of `auth`."
        )

    def _state(self, end: date | None) -> State:
        if end is None:
            return "fine"
        days = (end - self.today).days
        if days < 0:
            return "over"
        return "soon" if days <= WARNING_DAYS else "fine"


def _told(end: date, today: date, ends: str, ended_on: str) -> str:
    """When something ends, after the words for what is to come or for what is past."""
    days = (end - today).days
    if days < 0:
        return f"{ended_on} {end}"
    if days > WARNING_DAYS:
        return f"{ends} on {end}"
    when = {0: "today", 1: "tomorrow"}.get(days, f"in {days} days")
    return f"{ends} {when}, on {end}"


def expiry(auth: Sequence[HttpAuth], today: date) -> Expiry | None:
    """The ends of one login, or of two that are tried in turn; None where no date is noted."""
    ends = tuple(login.expires for login in auth)
    return None if set(ends) == {None} else Expiry(ends, today)


def ended(auth: Sequence[HttpAuth], now: datetime) -> str | None:
    """Which of the credentials have ended everywhere on earth, for a refusal; None if none has."""
    today = now.astimezone(_LAST).date()
    called = NTH if len(auth) > 1 else ("the credentials",)
    said = [
        f"{called[number]} ended on {login.expires}"
        for number, login in enumerate(auth)
        if login.expires is not None and login.expires < today
    ]
    return f"By `expires`, {' and '.join(said)}: put new ones under `auth`." if said else None
