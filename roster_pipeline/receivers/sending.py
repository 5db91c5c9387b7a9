"""Bringing the accepted roster of one source to one destination of packages.

With `mode: bulk` a destination has one file, which is replaced. With `mode: delta` each package has
a name of its own and says what the destination is not known to have (`outstanding`). A package is
kept, and the attempt written down, before the first byte is uploaded: whatever dies on the way is
tried again as it was, or made good by the next package.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from roster_pipeline.oneroster.delta import diff
from roster_pipeline.oneroster.layout import RosterError
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.scoping.chosen import ScopeError
from roster_pipeline.receivers.checking import unfit
from roster_pipeline.receivers.config import Destination
from roster_pipeline.receivers.delivery import (
    DeliveryError,
    NameTakenError,
    Receipt,
    deliver,
    require_free,
)
from roster_pipeline.receivers.emptied import emptied
from roster_pipeline.receivers.keeping import Keeping
from roster_pipeline.receivers.masking import key_print, part_print
from roster_pipeline.receivers.outgoing import Outgoing, prepare
from roster_pipeline.receivers.outstanding import Outstanding, outstanding
from roster_pipeline.receivers.past import Past
from roster_pipeline.receivers.processing.looking import Answer, brought
from roster_pipeline.receivers.processing.word import Word, word
from roster_pipeline.receivers.profiles import Profile
from roster_pipeline.receivers.rendering import Rendered, recipe, render
from roster_pipeline.store import Accepted, Delivery, NotStored, Snapshot
from roster_pipeline.store.lease import Lease
from roster_pipeline.store.ledger import Ledger
from roster_pipeline.store.outbox import Outbox
from roster_pipeline.store.snapshots import Snapshots
from roster_pipeline.transport.errors import TransportError
from roster_pipeline.transport.outlet import Outlet

KEPT_DAYS: Final = 14
"""For how long a package is kept, so that it can be sent again byte for byte."""
# What the receipt of an older package, sent again, has of the newest.
_CARRIED: Final = ("gone", "bulk_on", "also")


class UnfitError(Exception):
    """A roster that its receiver would refuse; the message is for people."""


Difference = Mapping[str, Mapping[str, int]]
"""By entity how many rows were added, changed, removed and left as they were."""


@dataclass(frozen=True)
class Sent:
    """What became of bringing a roster to a destination."""

    delivery: Delivery
    """What the destination is confirmed to have now."""
    news: bool
    """Whether a package was brought to it."""
    why_bulk: str | None = None
    """Why a destination that takes changes got the whole roster, as a clause."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Accepted rows that it does not get, by entity."""
    difference: Difference | None = None
    """What differs from what it had, where that was asked for and is known."""
    remarks: tuple[str, ...] = ()
    """What of its scope and mask nobody may have meant, in sentences."""


@dataclass(frozen=True)
class _Made:
    """A package in a staged folder."""

    package: Rendered
    path: str
    receipt: dict[str, Any]
    empty: bool = False
    """Whether it says nothing new."""
    why_bulk: str | None = None
    silent: bool = False
    """Whether it says nothing of an entity of which nothing is left."""


@dataclass(frozen=True)
class Sender:
    """One source and one destination, and whatever it takes."""

    destination: Destination
    profile: Profile
    source: str
    ledger: Ledger
    lease: Lease
    """Of the source."""
    snapshots: Snapshots
    outbox: Outbox
    channel: Callable[[], AbstractContextManager[Outlet]]
    now: Callable[[], datetime]
    day_of: Callable[[datetime], date]
    """The source's date at a moment."""
    mask_key: bytes | None = None
    answered: Callable[[Delivery], Answer] | None = None
    """What the receiver says of a delivery; raises `TransportError`. None of one that does not."""

    def bring(self, accepted: Accepted, *, compare: bool = False) -> Sent:
        """Bring an accepted roster to the destination unless it is known to have it.

        With `compare` say too what differs from what it had. Raises `DeliveryError`,
        `RenderingError`, `ScopeError`, `UnfitError`, `TransportError` and what the store raises.
        """
        past, content_hash = self._asked(self._past()), accepted.snapshot.content_hash
        last = past.has(content_hash, self._today)
        if last is not None:
            return Sent(last, news=False, difference={} if compare else None)
        with self._keeping.staged() as folder:
            tried = None if compare else past.tried(content_hash, self._today)
            package = None if tried is None else self._keeping.package(tried, folder)
            if tried is not None and package is not None:
                return Sent(self._deliver(package, tried, past, folder), news=True)
        with self._keeping.staged() as folder:
            return self._bring(accepted, past, folder, compare=compare)

    def resend(self, day: date) -> Sent:
        """Send the last package of a day once more, byte for byte, to where it was sent.

        Raises `DeliveryError` where there is none, it is not kept any more, or was made for another
        scope or mask than that of now. Unless it was the newest, it is not known then what the
        destination has: the next delivery brings what is accepted, and all of it.
        """
        since = self.now() - timedelta(days=KEPT_DAYS)
        listed = self.ledger.deliveries(self.source, self.destination.id, since)
        packages = [one for one in listed if not one.receipt.get("same")]
        those = [one for one in packages if self.day_of(one.at) == day]
        if not those:
            days = sorted({str(self.day_of(one.at)) for one in packages})
            whose = f"No package of {self.source} for {self.destination.id}"
            kept = f"is kept of {day}; there are some of {', '.join(days)}."
            none = f"is kept; that is for {KEPT_DAYS} days."
            raise DeliveryError(f"{whose} {kept if days else none}")
        if not self._may_have(those[-1]):
            raise DeliveryError(
                f"The package of {day} was made for another `scope`, `mask` or `mask_key` than "
                f"{self.destination.id} has now, and would show what these keep back. `roster "
                f"deliver {self.destination.id}` brings what is accepted."
            )
        return self._resend(those[-1], self._past())

    def once_more(self, accepted: Accepted) -> Sent:
        """Send what was sent last once more, byte for byte, also where it lies there still: for a
        receiver that wants a file each day. What would be made otherwise now, or go elsewhere, is
        made anew, of the accepted roster. Raises as `bring` and `resend`."""
        past = self._past()
        if past.last is None:
            raise DeliveryError(f"{self.destination.id} got nothing of {self.source} yet.")
        if past.last.receipt.get("recipe") != self._recipe():
            with self._keeping.staged() as folder:
                return self._bring(accepted, past, folder, anyway=True)
        return self._resend(past.last, past, anyway=True)

    def _may_have(self, old: Delivery) -> bool:
        """Whether the destination may have an older package still."""
        part = self._part_print
        known = old.receipt.get("part"), old.receipt.get("recipe")
        return part is None or known[0] == part or known[1] == self._recipe()

    def _resend(self, old: Delivery, past: Past, *, anyway: bool = False) -> Sent:
        with self._keeping.staged() as folder:
            package = self._keeping.package(old, folder)
            if package is None:
                raise DeliveryError(
                    f"The package of {self.day_of(old.at)} for {self.destination.id} is not kept "
                    f"any more, or is damaged. `roster deliver {self.destination.id}` brings what "
                    "is accepted."
                )
            again = replace(old, at=self.now(), receipt=self._again(old, past))
            return Sent(self._deliver(package, again, past, folder, anyway=anyway), news=True)

    def _again(self, old: Delivery, past: Past) -> dict[str, Any]:
        """The receipt of an older package, sent again."""
        last = past.last
        newest = last is not None and (last.package_hash, last.path) == (old.package_hash, old.path)
        now = self.now().isoformat()
        told = {**old.receipt, **past.carried, "again": now, "brought": now}
        told.pop("same", None)
        told |= {key: last.receipt[key] for key in _CARRIED if last and key in last.receipt}
        if self.destination.mode == "delta" and (not newest or past.attempts or past.in_doubt):
            told |= {"outgoing": last.receipt.get("outgoing") if last else None, "doubt": True}
        return told

    # ---- making a package ----

    def _bring(
        self,
        accepted: Accepted,
        past: Past,
        folder: Path,
        *,
        compare: bool = False,
        anyway: bool = False,
    ) -> Sent:
        self._tidy(past)
        out = self._prepare(accepted.snapshot, folder / "prepared", self._today)
        found = unfit(out.roster, self.profile)
        if stops := [one.message for one in found if one.stops]:
            raise UnfitError(
                f"{self.destination.id} would refuse it, so nothing was sent. " + " ".join(stops)
            )
        difference = self._difference(out.roster, past, folder) if compare else None
        told: dict[str, Any] = {"unfit": [{"message": u.message, "rows": u.rows} for u in found]}
        if out.until is not None:
            told["day"] = out.until.isoformat()
        try:
            sent = self._bring_prepared(out, accepted, past, folder, told, anyway=anyway)
        except NameTakenError as taken:
            with self._keeping.staged() as other:
                beyond = past.beyond(taken.number)
                sent = self._bring_prepared(out, accepted, beyond, other, told, anyway=anyway)
        return replace(sent, difference=difference, remarks=(*out.remarks, *sent.remarks))

    def _bring_prepared(
        self,
        out: Outgoing,
        accepted: Accepted,
        past: Past,
        folder: Path,
        told: Mapping[str, Any],
        *,
        anyway: bool,
    ) -> Sent:
        """Raises `NameTakenError` where somebody else's package has the name of the new one."""
        if self.destination.mode == "bulk":
            made = self._whole(out, past, folder)
        else:
            made = self._numbered(out, accepted, past, folder)
        package = made.package
        receipt = {**made.receipt, **told, "brought": self.now().isoformat()}
        this = self._delivery(accepted.snapshot.content_hash, package, made.path, receipt)
        if made.empty and past.last is not None and not anyway:
            last = past.last
            receipt |= {**past.carried, "sent": False, "same": True}
            receipt["brought"] = brought(last).isoformat()
            this = replace(
                this,
                package_hash=last.package_hash,
                path=last.path,
                size=last.size,
                receipt=receipt,
            )
            return Sent(self._record(this), False, None, out.left_out)
        confirmed = self._deliver(package, this, past, folder, new=True, anyway=anyway)
        had = past.last.receipt.get("rows", {}) if past.last and made.silent else {}
        said = emptied(had, package.rows, self.profile)
        return Sent(confirmed, True, made.why_bulk, out.left_out, remarks=said)

    def _prepare(self, snapshot: Snapshot, into: Path, on: date) -> Outgoing:
        accepted = self.snapshots.open(snapshot)
        return prepare(accepted, self.destination, self.profile, into, self.mask_key, on=on)

    def _whole(self, out: Outgoing, past: Past, folder: Path) -> _Made:
        """The whole roster, for a destination that takes nothing else."""
        path = self.destination.path_for(self.source)
        package = self._render(out, folder)
        receipt = {**past.carried, **self._receipt("bulk", package)}
        last = past.last
        same = last is not None and (last.package_hash, last.path) == (package.sha256, path)
        sure = not (past.attempts or past.in_doubt or past.made_otherwise)
        return _Made(package, path, receipt, empty=same and sure, silent=True)

    def _numbered(self, out: Outgoing, accepted: Accepted, past: Past, folder: Path) -> _Made:
        """Changes, or the whole where they will not do."""
        roster = self._keeping.keep(out.roster)
        number, modified, day = past.number + 1, past.modified_after(accepted.at), self._dated(past)
        path = self.destination.path_for(self.source, day=day, number=number)
        why = past.why_bulk(path, self._today, self._keeping.has)
        told = self._outstanding(roster, past, folder)
        if told is None and why is None:
            why = "what was sent before cannot be read any more"
        out = replace(out, roster=roster)
        if told is None or why is not None:
            emptied = self._accepted_before(past, folder) if told is None else told.gone
            package = self._render(out, folder, emptied=emptied, modified=modified)
            empty = False
        else:
            package = self._render(out, folder, delta=told.delta, modified=modified)
            empty = told.empty or not any(package.rows.values())
        receipt = {
            **self._receipt("bulk" if why else "delta", package),
            "number": number,
            "modified": modified.isoformat(),
            "dated": day.isoformat(),
            "outgoing": roster.content_hash,
            "bulk_on": self._today.isoformat() if why else past.bulk_on,
            "gone": self._gone(told, past),
        }
        if self.answered is not None:
            receipt["also"] = past.also()
        return _Made(package, path, receipt, empty, why)

    def _render(self, out: Outgoing, folder: Path, **delta: Any) -> Rendered:
        options: dict[str, Any] = {**_names(self.destination), **delta}
        return render(
            out.roster, self.profile, folder / "package", left_out=out.left_out, **options
        )

    def _outstanding(self, roster: Roster, past: Past, folder: Path) -> Outstanding | None:
        """What has to be told; None where it is not known what the destination may have."""
        if not past.may_have():
            return None
        form = self.profile.oneroster
        try:
            return outstanding(
                roster,
                [self._keeping.open(had) for had in past.may_have()],
                [self._keeping.open(o["hash"]) for o in past.repeated(self.now())],
                folder / "outstanding",
                roles_in_users=form is not None and form.version == "1.1",
                refused=None if past.word is None else past.word.refused,
            )
        except (RosterError, NotStored):
            return None

    def _accepted_before(self, past: Past, folder: Path) -> Roster | None:
        """What it would get of the roster that it was brought last, where that itself is lost."""
        if past.last is None:
            return None
        before = Snapshot(self.source, past.last.content_hash, {}, "")
        try:
            return self._prepare(before, folder / "had", self._today).roster
        except (RosterError, NotStored, ScopeError):
            return None

    def _gone(self, told: Outstanding | None, past: Past) -> list[dict[str, str]]:
        """The rosters of rows that later packages tell as deleted once more."""
        repeated = [o for o in past.repeated(self.now()) if self._keeping.has(o["hash"])]
        retained = self.destination.retention and not past.made_otherwise
        if told is None or not retained or not any(told.gone.counts.values()):
            return repeated
        kept = self._keeping.keep(told.gone)
        return [*repeated, {"hash": kept.content_hash, "at": self.now().isoformat()}]

    def _difference(self, roster: Roster, past: Past, folder: Path) -> Difference | None:
        """What differs from what it was last confirmed to have; None where that is not known."""
        last = past.last
        if last is None or past.in_doubt:
            return None
        try:
            if (had := last.receipt.get("outgoing")) is not None:
                return diff(self._keeping.open(had), roster).counts()
            if last.receipt.get("recipe") != self._recipe():
                return None  # of another scope or mask, say
            before = Snapshot(self.source, last.content_hash, {}, "")
            day = date.fromisoformat(last.receipt.get("day") or self._today.isoformat())
            return diff(self._prepare(before, folder / "before", day).roster, roster).counts()
        except (RosterError, NotStored):
            return None

    # ---- what is kept and written down ----

    def _past(self) -> Past:
        last = self.ledger.delivery(self.destination.id, self.source)
        attempts = self.ledger.attempts(self.destination.id, self.source)
        noted = self.outbox.noted(self.source)
        return Past(self.destination, self._recipe(), last, tuple(attempts), noted=noted)

    def _asked(self, past: Past) -> Past:
        """With what the receiver says of the last package of changes, if it says something."""
        last = past.last
        if self.answered is None or last is None or not (had := last.receipt.get("outgoing")):
            return past
        try:
            said = word(self.answered(last), brought(last), lambda: self._keeping.open(had))
        except (TransportError, RosterError, NotStored):
            said = Word()  # nobody knows whether it took the package
        return replace(past, word=said)

    def _recipe(self) -> str:
        """SHA-256 of all that a package depends on beside the roster, and of where it goes."""
        named = recipe(self.profile, **_names(self.destination))
        ways = self.destination.model_dump(
            mode="json", include={"scope", "mask", "transport", "path", "mode"}
        )
        ways["mask_key"] = None if self.mask_key is None else key_print(self.mask_key)
        return hashlib.sha256(json.dumps([named, ways], sort_keys=True).encode()).hexdigest()

    @property
    def _part_print(self) -> str | None:
        return part_print(self.destination.scope, self.destination.mask, self.mask_key)

    @property
    def _today(self) -> date:
        return self.day_of(self.now())

    def _dated(self, past: Past) -> date:
        return past.day(self._today)

    def _receipt(self, mode: str, package: Rendered) -> dict[str, Any]:
        left_out = {"left_out": dict(package.left_out)} if package.left_out else {}
        told = {"mode": mode, "rows": dict(package.rows), "recipe": self._recipe(), **left_out}
        return told if self._part_print is None else {**told, "part": self._part_print}

    def _delivery(
        self, content_hash: str, package: Rendered, path: str, receipt: dict[str, Any]
    ) -> Delivery:
        return Delivery(
            self.destination.id,
            self.source,
            content_hash,
            package.sha256,
            path,
            package.size,
            receipt,
            self.now(),
        )

    def _deliver(
        self,
        package: Rendered,
        this: Delivery,
        past: Past,
        folder: Path,
        *,
        new: bool = False,
        anyway: bool = False,
    ) -> Delivery:
        """Bring a package there, `anyway` also if it lies there, and write down that it is. A `new`
        one is not to take the place of what nobody knows of: raises `NameTakenError`."""

        def first() -> None:
            self._keeping.keep_package(package, folder)
            self.ledger.record_attempt(_attempt(this, past), self.lease)
            self._keeping.note(this, folder)

        self.ledger.check(self.lease)
        with self.channel() as channel:
            if new and self._wants_a_free_name(this, past):
                require_free(channel, self._numbers(past), past.number + 1, package)
            got = deliver(channel, this.path, package, first=first, anyway=anyway)
        self._keeping.keep_package(package, folder)
        self._keeping.note(this, folder)
        return self._record(replace(this, receipt={**this.receipt, **_of(got)}))

    def _wants_a_free_name(self, this: Delivery, past: Past) -> bool:
        """A whole roster may take the place of what nobody knows of, where no number can go on."""
        if self.destination.mode == "bulk" or this.path in past.paths:
            return False
        return "{number}" in (self.destination.path or "") or this.receipt["mode"] == "delta"

    def _numbers(self, past: Past) -> Callable[[int], str]:
        day = self._dated(past)
        return lambda number: self.destination.path_for(self.source, day=day, number=number)

    def _record(self, this: Delivery) -> Delivery:
        confirmed = self.ledger.record_delivery(replace(this, at=self.now()), self.lease)
        self._tidy(Past(self.destination, self._recipe(), confirmed, ()))
        return confirmed

    def _tidy(self, past: Past) -> None:
        """Remove from the outbox what nobody will ask for."""
        since = self.now() - timedelta(days=KEPT_DAYS)
        recent = self.ledger.deliveries(self.source, self.destination.id, since)
        rosters = {*past.kept(), *(one["hash"] for one in past.repeated(self.now()))}
        needed = (*recent, *((past.last,) if past.last else ()), *past.attempts)
        self.outbox.keep_only(self.source, rosters, {one.package_hash for one in needed})

    @property
    def _keeping(self) -> Keeping:
        return Keeping(self.outbox, self.source)


def _names(destination: Destination) -> dict[str, str | None]:
    return {"system_name": destination.system_name, "system_code": destination.system_code}


def _attempt(this: Delivery, past: Past) -> Delivery:
    """A doubt stays where nobody knows whether this arrived."""
    if not past.in_doubt:
        return this
    return replace(this, receipt={**this.receipt, "doubt": True})


def _of(got: Receipt) -> dict[str, bool]:
    return {"sent": got.sent, "read_back": got.read_back}
