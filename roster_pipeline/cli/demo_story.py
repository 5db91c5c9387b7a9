"""What happens in the demo: each step is done, told, and made sure of at the other end."""

import hashlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from roster_pipeline.cli.console import Refusal, progress
from roster_pipeline.cli.demo_world import DAYS, DESTINATION, PRODUCT, SENDERS, Sender, World
from roster_pipeline.cli.rooms import Rooms
from roster_pipeline.cli.syncs import standing, steps
from roster_pipeline.store import AccountState, CourseDecision, Outcome

if TYPE_CHECKING:
    from roster_pipeline.automation.run import SyncResult
    from roster_pipeline.simulator.district import Day
    from roster_pipeline.store import Hold

_WHO: Final = "demo"
_WHY: Final = "the numbers agree with what the district told us"
# Runs begin when the schedule would start them, 25 minutes after the export.
_AFTER: Final = timedelta(minutes=25)


class Story:
    """The demo as it goes. A step that does not end as it should raises Refusal."""

    def __init__(self, world: World, rooms: Rooms) -> None:
        self.world = world
        self._rooms = rooms
        self._day = 0

    def headline(self, day: int, what: str) -> None:
        """A day begins."""
        self._day = day
        dates = sorted({str(self.world.date_of(sender, day)) for sender in SENDERS})
        say(f"\nDay {day} of {DAYS}, {' and '.join(dates)}: {what}")

    def first_day(self, sender: Sender, roster: "Day") -> None:
        """A roster that nothing can be compared with waits for a person."""
        self._export(sender, roster)
        hold = self._require_held(self._sync(sender))
        self._rooms.ledger.approve(hold.name, _WHO, _WHY, self._clock(sender)())
        say(f"  Approved by {_WHO}: {_WHY}.")
        self._require_done(sender, self._resume(sender, self._rooms.ledger.hold(hold.name)))

    def normal_day(self, day: int, sender: Sender, roster: "Day") -> None:
        """A few people come, go and change."""
        self._day = day
        self._export(sender, roster)
        self._require_done(sender, self._sync(sender))

    def broken_day(self, sender: Sender, roster: "Day") -> "Hold":
        """The guards keep half of the people from losing their accounts; the hold stays open."""
        from roster_pipeline.simulator.accidents import apply_accident

        before = self._arrived(sender), self._active_accounts()
        self._export(sender, roster, spoil=lambda path: apply_accident("half-of-users", path, path))
        hold = self._require_held(self._sync(sender))
        if (self._arrived(sender), self._active_accounts()) != before:
            raise Refusal("What is delivered or provisioned was changed by a roster that is held.")
        say("  Nobody lost anything: the receiver still has the package of day 2, and the product")
        say(f"  its {before[1]:,} active accounts.")
        return hold

    def decide_a_course(self, sender: Sender) -> None:
        """A person settles what no code and no rule could."""
        from roster_pipeline.cli.courses import waiting_courses

        waiting = waiting_courses(self._rooms, sender.source, PRODUCT)
        say(f"\n{len(waiting)} courses of {sender.name} wait for a person. Suggested:")
        for course in waiting:
            for likely in course.suggestions[:1]:
                say(f"  {course.title} → {likely.title}, {likely.score} of 100: {likely.reason}")
        suggested = [course for course in waiting if course.suggestions]
        if not suggested:
            raise Refusal("There should be a course to decide on, and there is none.")
        course, likely = suggested[0], suggested[0].suggestions[0]
        now, why = self._clock(sender)(), "the same course by another name"
        self._rooms.ledger.record_course_decisions(
            [
                CourseDecision(
                    PRODUCT, sender.source, course.course, likely.product_course, _WHO, why, now
                )
            ]
        )
        say(f"  Decided by {_WHO}: {course.title} is {likely.title}, from the next sync on.")

    def summary(self) -> None:
        """Where every source stands."""
        from roster_pipeline.cli.console import Format, answer
        from roster_pipeline.reports.syncs import status_document, status_text

        say("")
        standings = [standing(self._rooms, sender.source) for sender in SENDERS]
        answer(status_text(standings), status_document(standings), Format.TEXT)

    def _export(
        self, sender: Sender, roster: "Day", *, spoil: Callable[[Path], object] = lambda _: None
    ) -> None:
        """The district's system writes its roster, early in its morning."""
        path = self.world.export(sender, self._day)
        hidden = path.with_name(f".{path.name}")
        with working(f"{sender.name} exports its roster"):
            roster.write_package(hidden, sender.version)
            spoil(hidden)
        at = self.world.exported_at(sender, self._day).timestamp()
        os.utime(hidden, (at, at))
        hidden.replace(path)
        if sender.kind == "rest":
            say(f"\n  {sender.name} has it on its OneRoster {sender.version} REST server.")
        else:
            say(
                f"\n  {sender.name} puts {path.name} (OneRoster {sender.version}) on its SFTP "
                f"server."
            )

    def _clock(self, sender: Sender) -> Callable[[], datetime]:
        """The early morning of a day, going on from there; never later than now."""
        began = datetime.now(UTC)
        at = min(self.world.exported_at(sender, self._day).astimezone(UTC) + _AFTER, began)
        return lambda: at + (datetime.now(UTC) - began)

    def _sync(self, sender: Sender) -> "SyncResult":
        from roster_pipeline.automation.run import run_sync
        from roster_pipeline.build import build_defs

        with steps(f"Syncing {sender.source}") as on_step:
            return run_sync(
                build_defs,
                self._rooms.workspace,
                sender.source,
                self.world.date_of(sender, self._day),
                overrides={"clock": self._clock(sender)},
                on_step=on_step,
            )

    def _resume(self, sender: Sender, hold: "Hold") -> "SyncResult":
        from roster_pipeline.automation.run import resume
        from roster_pipeline.build import build_defs

        with steps(f"Continuing {sender.source}") as on_step:
            return resume(
                build_defs,
                self._rooms.workspace,
                hold,
                overrides={"clock": self._clock(sender)},
                on_step=on_step,
            )

    def _require_held(self, result: "SyncResult") -> "Hold":
        if result.outcome is not Outcome.HELD or result.hold is None:
            raise Refusal(_unexpected("held", result))
        hold = self._rooms.ledger.hold(result.hold)
        say(f"  Read and compared: {sum(hold.candidate.counts.values()):,} rows.")
        say(f"  Held as {hold.name}:")
        for reason in hold.reasons:
            say(f"    {reason['sentence']}")
        return hold

    def _require_done(self, sender: Sender, result: "SyncResult") -> None:
        """The run is done, or a small district had no news that day, and the receiver and the
        product have what the ledger says."""
        if result.outcome not in (Outcome.DONE, Outcome.NOTHING_NEW):
            raise Refusal(_unexpected("done", result))
        for sentence in result.sentences:
            say(f"  {sentence}")
        accepted = self._rooms.ledger.accepted(sender.source)
        delivery = self._rooms.ledger.delivery(DESTINATION, sender.source)
        package = self._arrived(sender)
        if accepted is None or delivery is None:
            raise Refusal("The ledger does not know of what was delivered.")
        if hashlib.sha256(package).hexdigest() != delivery.package_hash:
            raise Refusal("The receiver's server gives another file than was delivered.")
        rows = _rows(package)
        if rows != {entity: count for entity, count in accepted.snapshot.counts.items() if count}:
            raise Refusal("The package that arrived has other rows than the accepted roster.")
        say(
            f"  Fetched from the receiver and counted: {sum(rows.values()):,} rows, "
            f"{rows['users']:,} people, as accepted."
        )
        ours = [
            account
            for account in self._rooms.ledger.accounts(PRODUCT)
            if account.state is AccountState.ACTIVE
        ]
        if self._active_accounts() != len(ours):
            raise Refusal("The product has other accounts than the ledger says.")
        say(f"  Asked the product: {len(ours):,} active accounts, as the ledger says.")

    def _arrived(self, sender: Sender) -> bytes:
        """What the receiver has, over SFTP."""
        from roster_pipeline.resources.channels import Channels

        workspace = self._rooms.workspace
        destination = workspace.destinations[DESTINATION]
        with Channels(workspace.folder, os.environ).destination(destination) as channel:
            return b"".join(channel.read(destination.path_for(sender.source)))

    def _active_accounts(self) -> int:
        """How many active accounts the product's SCIM server has."""
        from roster_pipeline.transport.http import open_http

        workspace = self._rooms.workspace
        settings = workspace.products[PRODUCT].accounts
        assert settings is not None  # noqa: S101 - the demo's own file
        scim = settings.scim
        with open_http(
            scim.base_url, scim.auth, base=workspace.folder, environ=os.environ
        ) as server:
            asked = {"filter": "active eq true", "count": "0"}
            found = server.request("GET", "Users", params=asked)
            return int(found.json()["totalResults"])


def _rows(package: bytes) -> Mapping[str, int]:
    """Rows by file, counted by nothing of ours."""
    import csv
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        return {
            name.removesuffix(".csv"): sum(1 for _ in csv.reader(text)) - 1
            for name in archive.namelist()
            if name != "manifest.csv"
            for text in [io.TextIOWrapper(archive.open(name), encoding="utf-8", newline="")]
        }


def _unexpected(wanted: str, result: "SyncResult") -> str:
    said = " ".join(result.sentences)
    return f"The sync should have been {wanted} and is {result.outcome}: {said}"


@contextmanager
def working(what: str) -> Iterator[None]:
    """Something that takes a while."""
    with progress() as shown:
        shown.add_task(what, total=None)
        yield


def say(line: str) -> None:
    """Tell what happens."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
