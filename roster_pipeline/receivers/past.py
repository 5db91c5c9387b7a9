"""What is known of what a destination has of a source, from receipts and open attempts.

A receipt says, beside what `Delivery` does: `recipe` (all that the package depended on beside the
roster, and where it went), `mode`, `rows`, `sent` (whether it had to be uploaded), `same` (nothing
was new, so there is no package of its own), `again` (when an older package was sent once more),
`doubt` (where it is not known after that what the destination has), `part` (by which scope and mask
it was made, if not all goes out as it is), `left_out` and `unfit` (what
its receiver will not like: messages and rows), and of a destination that takes changes `number`,
`modified` and `dated` (the day in its name) of its newest package, `outgoing` (the roster as it was
sent), `bulk_on` (the day of the last whole roster) and `gone` (rosters of rows that are told as
deleted once more, and since when), and of a package that is another on a later day, though the
roster is the same, `day`: the last one on which it is this. `brought` is when the package was
brought, and `also`, of a receiver that answers, names the rosters of which it may have rows if it
did not take the package.

A ledger can be lost, and one of yesterday put in its place. So the outbox has, beside the packages,
a note on the newest: where the ledger does not know of that one, there is doubt.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from roster_pipeline.receivers.config import Destination
from roster_pipeline.receivers.processing.word import Word
from roster_pipeline.store import Delivery

MOST_ATTEMPTS: Final = 8
"""After so many that nobody confirmed, the whole roster is sent."""

NOTED: Final = ("number", "modified", "dated")
"""What of a receipt is noted beside the package."""

_STEP: Final = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Past:
    """One destination's past with one source."""

    destination: Destination
    recipe: str
    """As a package would be made and sent now."""
    last: Delivery | None
    """What it was last confirmed to have."""
    attempts: tuple[Delivery, ...]
    """What was about to be sent since, oldest first."""
    word: Word | None = None
    """What the receiver itself says of the last package; None where it does not answer, so that a
    package that was read back is confirmed."""
    noted: Mapping[str, Any] | None = None
    """Of the newest package, by whoever keeps it: `package`, its hash, and of its receipt what
    `NOTED` names. None where there is no note."""

    def has(self, content_hash: str, today: date) -> Delivery | None:
        """The last delivery, if the destination is known to have this accepted roster by it."""
        last = self.last
        same = last is not None and last.content_hash == content_hash and not self.attempts
        rejected = self.word is not None and self.word.rejected
        doubt = self.in_doubt or rejected or self.made_otherwise
        if not same or doubt or self._bulk_is_due(today):
            return None
        return None if _is_of_the_past(last, today) else last

    def tried(self, content_hash: str, today: date) -> Delivery | None:
        """The last attempt, if it was one to bring this accepted roster, and would be made alike
        now."""
        if not self.attempts or self.in_doubt:
            return None
        this = self.attempts[-1]
        alike = (this.content_hash, this.receipt.get("recipe")) == (content_hash, self.recipe)
        return this if alike and not _is_of_the_past(this, today) else None

    @property
    def in_doubt(self) -> bool:
        """Whether it may have what nobody remembers, or an older package, sent again."""
        known = {one.package_hash for one in self._all}
        forgotten = self.noted is not None and self.noted.get("package") not in known
        return forgotten or any(one.receipt.get("doubt") for one in self._all)

    def beyond(self, number: int) -> "Past":
        """The same, but that a package of this number was sent that nobody remembers."""
        return replace(self, noted={**(self.noted or {}), "package": None, "number": number})

    @property
    def number(self) -> int:
        """Of the package sent last, in names; 0 where there was none."""
        return max((int(number) for number in self._said("number")), default=0)

    def day(self, today: date) -> date:
        """The day in the name of the next package: names never go back, even if a clock does."""
        return max([today, *map(date.fromisoformat, self._said("dated"))])

    def modified_after(self, accepted: datetime) -> datetime:
        """What the rows of the next package say of when they were modified: when they were
        accepted, and always later than those of any package before, in whole milliseconds."""
        before = [datetime.fromisoformat(moment) + _STEP for moment in self._said("modified")]
        whole = accepted.replace(microsecond=accepted.microsecond // 1000 * 1000)
        return max([whole, *before])

    @property
    def carried(self) -> dict[str, Any]:
        """What the receipt of a package that has no number keeps of those that have one."""
        newest = {key: max(self._said(key), default=None) for key in ("modified", "dated")}
        return {"number": self.number, **newest}

    @property
    def paths(self) -> set[str]:
        """Where the last packages went."""
        return {one.path for one in self._all}

    @property
    def bulk_on(self) -> str | None:
        """The day of the last whole roster that is confirmed."""
        return self.last.receipt.get("bulk_on") if self.last else None

    def may_have(self) -> list[str]:
        """The outgoing rosters of any of which the destination may have a row, oldest first."""
        taken = self.word is None or self.word.taken
        return self._outgoing(with_also=not taken)

    def also(self) -> list[str]:
        """What it may still have where the next package is not taken, oldest first; some more than
        are made good by changes, at most."""
        clear = self.word is not None and self.word.taken and not self.word.refused
        return self._outgoing(with_also=not clear)[-MOST_ATTEMPTS - 1 :]

    def kept(self) -> list[str]:
        """All outgoing rosters that may be asked for."""
        return self._outgoing(with_also=True)

    def repeated(self, now: datetime) -> list[dict[str, str]]:
        """Rosters of rows that are told as deleted once more, oldest first; none of before what it
        gets was changed, as they may say what a mask hides since."""
        if self.made_otherwise:
            return []
        since = now - timedelta(days=self.destination.retention)
        gone = self.last.receipt.get("gone", ()) if self.last else ()
        return [one for one in gone if datetime.fromisoformat(one["at"]) > since]

    def why_bulk(self, path: str, today: date, is_kept: Callable[[str], bool]) -> str | None:
        """Why the whole roster has to go to a destination that takes changes, as a clause; None
        where changes will do. `path` is where they would go, `is_kept` whether an outgoing roster
        is."""
        if self.last is None or not self.last.receipt.get("outgoing") or self.in_doubt:
            return "what it has is not known"
        open_, days = len(self.may_have()) - 1, self.destination.bulk_every
        doubts = (
            (
                self.made_otherwise,
                "its file, or this program, makes packages otherwise than before",
            ),
            (self._bulk_is_due(today), f"{days} days have passed since the last one"),
            (open_ > MOST_ATTEMPTS, f"{open_} packages in a row were not confirmed"),
            (self._whole_is_open, "it has not said that it took the whole one before"),
            (
                not all(is_kept(outgoing) for outgoing in self.may_have()),
                "what was sent before is not kept any more",
            ),
            (
                path == self.last.path,
                "a package of this name was sent before, and may not be fetched yet",
            ),
        )
        return next((why for holds, why in doubts if holds), None)

    def _outgoing(self, *, with_also: bool) -> list[str]:
        named: list[Any] = []
        for one in self._all:
            named += one.receipt.get("also", ()) if with_also else ()
            named.append(one.receipt.get("outgoing"))
        return list(dict.fromkeys(str(outgoing) for outgoing in named if outgoing))

    def _said(self, key: str) -> list[Any]:
        """What receipts and the note say of this, where they do."""
        said = [*(one.receipt.get(key) for one in self._all), (self.noted or {}).get(key)]
        return [each for each in said if each]

    @property
    def _all(self) -> tuple[Delivery, ...]:
        return (*((self.last,) if self.last else ()), *self.attempts)

    @property
    def made_otherwise(self) -> bool:
        """Whether what it has or may have was made, or sent, otherwise than it would be now."""
        return any(one.receipt.get("recipe") != self.recipe for one in self._all)

    @property
    def _whole_is_open(self) -> bool:
        """Whether changes may find nothing that they change."""
        open_ = self.word is not None and not self.word.taken
        return open_ and self.last is not None and self.last.receipt.get("mode") == "bulk"

    def _bulk_is_due(self, today: date) -> bool:
        every, day = self.destination.bulk_every, self.bulk_on
        if every is None or day is None:
            return False
        passed = (today - date.fromisoformat(day)).days
        return passed >= every or passed < 0  # a clock that was wrong is no reason to wait


def _is_of_the_past(this: Delivery | None, today: date) -> bool:
    """Whether the same roster may give another package by now."""
    day = this.receipt.get("day") if this else None
    return day is not None and date.fromisoformat(day) < today
