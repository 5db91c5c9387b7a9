"""Bringing the accepted roster of one source to the tables of one destination.

A receipt says which roster the tables were given (`package_hash`), of which accepted one it was
made (`content_hash`), and by which `recipe`; `sent` is false where they had it already. Whatever is
about to be committed is noted as an attempt before, so that nobody takes the tables for what they
were.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from roster_pipeline.oneroster.delta import diff
from roster_pipeline.oneroster.layout import RosterError
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.scoping.scope import ScopeError
from roster_pipeline.receivers.config import Destination
from roster_pipeline.receivers.hiding import Hidden
from roster_pipeline.receivers.masking import masked, part_print, remarks
from roster_pipeline.receivers.outgoing import Outgoing
from roster_pipeline.receivers.scoping import scoped
from roster_pipeline.receivers.sending import Difference, Sent
from roster_pipeline.receivers.tables import Filled, Tables
from roster_pipeline.store import Delivery, NotStored, Snapshot
from roster_pipeline.store.lease import Lease
from roster_pipeline.store.ledger import Ledger
from roster_pipeline.store.outbox import Outbox
from roster_pipeline.store.snapshots import Snapshots


@dataclass(frozen=True)
class Brought:
    """What became of bringing a roster to tables."""

    sent: Sent
    forgotten: tuple[str, ...] = ()
    """See `Filled`."""


@dataclass(frozen=True)
class Filler:
    """One source and one destination of tables, and whatever it takes."""

    destination: Destination
    source: str
    ledger: Ledger
    lease: Lease
    """Of the source."""
    snapshots: Snapshots
    outbox: Outbox
    tables: Tables
    now: Callable[[], datetime]
    mask_key: bytes | None = None

    def bring(self, accepted: Snapshot, *, compare: bool = False) -> Brought:
        """Put what the destination gets of an accepted roster into its tables, unless these are
        known to have it.

        With `compare` say too what differs from what they had. Raises `ScopeError` and what the
        tables and the store raise.
        """
        last = self.ledger.delivery(self.destination.id, self.source)
        attempts = self.ledger.attempts(self.destination.id, self.source)
        if last is not None and not attempts and self._is_of(last, accepted):
            return Brought(Sent(last, news=False, difference={} if compare else None))
        before = [*attempts, *((last,) if last else ())]
        with self._staged() as folder:
            out = self._part(self.snapshots.open(accepted), folder / "now")
            roster = out.roster

            def about_to() -> None:
                this = self._delivery(accepted, roster, 0, {"recipe": self._recipe})
                self.ledger.record_attempt(this, self.lease)

            difference = self._difference(roster, last, folder / "had") if compare else None
            filled = self.tables.replace(
                self.source,
                roster,
                at=self.now(),
                check=about_to,
                kept=lambda content_hash: self._had(content_hash, before, folder / "before"),
                hidden=Hidden.by(self.destination.mask, self.mask_key),
            )
        receipt = self._receipt(filled, out.left_out)
        confirmed = self._record(self._delivery(accepted, roster, filled.size, receipt))
        sent = Sent(confirmed, True, None, out.left_out, difference, out.remarks)
        return Brought(sent, filled.forgotten)

    def _part(self, accepted: Roster, into: Path) -> Outgoing:
        """What of a roster is in the destination's scope, masked; where that is all of it, it comes
        back itself."""
        inside = scoped(
            accepted, self.destination.scope, into / "scoped", destination=self.destination.id
        )
        left_out = Counter(inside.left_out)
        if (mask := self.destination.mask) is not None:
            left_out.update({entity: inside.roster.counts[entity] for entity in mask.entities})
        return Outgoing(
            masked(inside.roster, mask, into / "masked", self.mask_key),
            dict(+left_out),
            remarks=remarks(inside, mask),
        )

    def _had(self, content_hash: str, before: list[Delivery], into: Path) -> Roster | None:
        """The roster with this content that the tables were given, if need be made once more; None
        where that cannot be done."""
        if (kept := self._kept(content_hash)) is not None:
            return kept
        given = (content_hash, self._recipe)
        made_of = (o.content_hash for o in before if _as_given(o) == given)
        accepted = self._kept(next(made_of, content_hash))
        if accepted is None:
            return None
        try:
            roster = self._part(accepted, into).roster
        except (RosterError, ScopeError):
            return None
        return roster if roster.content_hash == content_hash else None

    def _kept(self, content_hash: str) -> Roster | None:
        try:
            return self.snapshots.open(Snapshot(self.source, content_hash, {}, ""))
        except NotStored:
            return None

    def _difference(self, roster: Roster, last: Delivery | None, into: Path) -> Difference | None:
        """What differs from what the tables were last confirmed to have; None where that is not
        known."""
        if last is None:
            return None
        had = self._had(last.package_hash, [last], into)
        try:
            return None if had is None else diff(had, roster).counts()
        except RosterError:
            return None

    @property
    def _recipe(self) -> str | None:
        """What the rows depend on beside the accepted roster; None for all of it, as it is."""
        return part_print(self.destination.scope, self.destination.mask, self.mask_key)

    def _is_of(self, had: Delivery, accepted: Snapshot) -> bool:
        """Whether a delivery was of an accepted roster, to here and as it would be made now."""
        was = (had.content_hash, had.path, had.receipt.get("recipe"))
        return was == (accepted.content_hash, self.tables.place, self._recipe)

    def _delivery(
        self, accepted: Snapshot, roster: Roster, size: int, receipt: Mapping[str, Any]
    ) -> Delivery:
        return Delivery(
            self.destination.id,
            self.source,
            accepted.content_hash,
            roster.content_hash,
            self.tables.place,
            size,
            receipt,
            self.now(),
        )

    def _receipt(self, filled: Filled, left_out: Mapping[str, int]) -> dict[str, Any]:
        told = {"left_out": dict(left_out), "recipe": self._recipe}
        return {
            "sent": filled.written,
            "committed": True,
            "rows": dict(filled.rows),
            **{key: value for key, value in told.items() if value},
        }

    def _record(self, this: Delivery) -> Delivery:
        return self.ledger.record_delivery(this, self.lease)

    @contextmanager
    def _staged(self) -> Iterator[Path]:
        folder = self.outbox.stage(self.source)
        try:
            yield folder
        finally:
            self.outbox.discard(folder)


def _as_given(this: Delivery) -> tuple[str, str | None]:
    return this.package_hash, this.receipt.get("recipe")
