"""A destination that takes changes, what is sent to it, and a reader that applies what it gets."""

import io
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from roster_pipeline.oneroster.delta import diff
from roster_pipeline.oneroster.package import open_package
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.quality.candidate import build_candidate
from roster_pipeline.receivers.adapting import adapted
from roster_pipeline.receivers.config import Destination
from roster_pipeline.receivers.processing.looking import Answer
from roster_pipeline.receivers.rendering import render
from roster_pipeline.receivers.sending import Sender, Sent
from roster_pipeline.store import Accepted, Delivery
from roster_pipeline.store.ledger import Ledger
from roster_pipeline.store.outbox import Outbox
from roster_pipeline.store.snapshots import Snapshots
from roster_pipeline.transport.folder import Folder
from tests.oneroster.strategies import frame_of, stored
from tests.small import Row, district, unpacked

Rows = dict[str, list[Row]]
SOURCE = "springfield"


class Killed(BaseException):
    """What a process that dies at a crash point does not live to see."""


@dataclass
class Reader:
    """Somebody who fetches what is new in a folder, in the order of names, and applies it."""

    inbox: Path
    scratch: Path
    state: Roster = field(default_factory=Roster.empty)
    seen: dict[str, bytes] = field(default_factory=dict)
    newest: str = ""
    """The latest dateLastModified so far."""
    refuses: Collection[str] = ()
    """The names of packages of which nothing is taken."""

    def fetch(self) -> list[str]:
        """Apply what is new; returns the names."""
        new = []
        for path in sorted(self.inbox.glob("*.zip")):
            content = path.read_bytes()
            if self.seen.get(path.name) != content:
                if path.name not in self.refuses:
                    self._apply(content)
                self.seen[path.name] = content
                new.append(path.name)
        return new

    def _apply(self, content: bytes) -> None:
        self.state = read(
            content, self.state, self.scratch / f"{len(list(self.scratch.iterdir()))}"
        )
        moments = {
            row["dateLastModified"]
            for name, rows in unpacked(content).items()
            for row in rows
            if name != "manifest" and row["dateLastModified"]
        }
        if moments:
            (moment,) = moments
            assert moment > self.newest
            self.newest = moment


def read(content: bytes, base: Roster, into: Path) -> Roster:
    """What our own reader makes of a package that comes after a roster."""
    with open_package(io.BytesIO(content)) as package:
        made = build_candidate(package, base, into)
    assert made.roster is not None
    assert not any(made.held.values())
    return made.roster


@dataclass
class Desk:
    """One source, one destination, a folder between them."""

    folder: Path
    keys: Mapping[str, Any]
    rows: Rows = field(default_factory=district)
    now: datetime = datetime(2026, 8, 24, 7, tzinfo=UTC)
    sequence: int = 0

    def __post_init__(self) -> None:
        self._made: Roster | None = None
        self.answered: Callable[[Delivery], Answer] | None = None
        for name in ("in", "scratch", "rosters"):
            (self.folder / name).mkdir(parents=True)
        self.snapshots = Snapshots(self.folder / "store")
        self.outbox = Outbox(self.folder / "store", "desk")
        self.ledger = Ledger.open(f"sqlite:///{self.folder / 'ledger.db'}")
        self.channel: Callable[[], Folder] = lambda: Folder(self.folder)
        self.reader = Reader(self.folder / "in", self.folder / "scratch")

    @property
    def made(self) -> Roster:
        """What was accepted last."""
        assert self._made is not None
        return self._made

    @property
    def destination(self) -> Destination:
        """As its file says now."""
        keys = {
            "id": "desk",
            "profile": "oneroster-1.2",
            "mode": "delta",
            "transport": {"folder": {"path": "."}},
            "path": "in/{source}-{number}.zip",
            **self.keys,
        }
        return Destination.model_validate(keys)

    def accepted(self) -> Accepted:
        """What the rows are, accepted now."""
        frames = {
            entity: frame_of(entity, listed, sorted({n for r in listed for n in r if "." in n}))
            for entity, listed in self.rows.items()
        }
        self.sequence += 1
        roster = stored(frames, self.folder / "rosters" / str(self.sequence), block=3)
        snapshot = self.snapshots.put(SOURCE, roster)
        self._made = self.snapshots.open(snapshot)
        day = self.now.date()
        return Accepted(SOURCE, self.sequence, snapshot, None, day, day, self.now, None)

    @contextmanager
    def sender(self) -> Iterator[Sender]:
        """Under the source's lease."""
        destination = self.destination
        with self.ledger.lease(SOURCE, lambda: self.now) as lease:
            yield Sender(
                destination,
                destination.format,
                SOURCE,
                self.ledger,
                lease,
                self.snapshots,
                self.outbox,
                self.channel,
                lambda: self.now,
                datetime.date,
                answered=self.answered,
            )

    def bring(self, **options: Any) -> Sent:
        """Bring what the rows are now."""
        accepted = self.accepted()
        with self.sender() as sender:
            return sender.bring(accepted, **options)

    def resend(self, day: date) -> Sent:
        """Send a day's package again."""
        with self.sender() as sender:
            return sender.resend(day)

    def killed_at(
        self,
        place: str,
        patch: pytest.MonkeyPatch,
        doing: Callable[[], object] | None = None,
    ) -> None:
        """Do something, by default try to bring what the rows are now, and die at a crash point."""

        def reached(here: str) -> None:
            if here == place:
                raise Killed(place)

        with patch.context() as patched:
            for module in ("transport.folder", "transport.channel", "store.ledger", "store.files"):
                patched.setattr(f"roster_pipeline.{module}.reached", reached)
            with pytest.raises(Killed):
                (doing or self.bring)()

    def day(self, days: int = 1) -> None:
        """Let days pass."""
        self.now += timedelta(days=days)

    def read_alike(self) -> bool:
        """Whether the reader, having fetched, has what a whole package of now would tell."""
        self.reader.fetch()
        profile, expected = self.destination.format, self._made
        assert expected is not None
        assert profile.oneroster is not None
        if profile.oneroster.version == "1.1":
            whole = self.folder / "scratch" / f"whole-{self.sequence}.zip"
            render(adapted(expected, profile, whole.with_suffix("")).roster, profile, whole)
            into = self.folder / "scratch" / f"read-{self.sequence}"
            expected = read(whole.read_bytes(), Roster.empty(), into)
        return diff(self.reader.state, expected).empty

    def names(self) -> list[str]:
        """What lies at the receiver."""
        return sorted(path.name for path in (self.folder / "in").iterdir())

    def package(self, name: str) -> Rows:
        """The rows of a package at the receiver."""
        return unpacked(self.folder / "in" / name)


def live(rows: Rows, random: Random, day: int) -> None:
    """A day in a small district: people come, go, come back, are renamed, change roles."""
    for _ in range(random.randint(0, 4)):
        random.choice([_comes, _goes, _renamed, _moves, _role, _class])(rows, random, day)


def _comes(rows: Rows, random: Random, day: int) -> None:
    gone = [n for n in range(1, 15) if f"p{n}" not in {u["sourcedId"] for u in rows["users"]}]
    if not gone:
        return
    key = f"p{random.choice(gone)}"
    # Whoever comes back is often as before.
    rows["users"].append({
        "sourcedId": key, "enabledUser": "true", "username": key, "givenName": "Bo",
        "familyName": random.choice(["Lee", "Poe"]), "email": f"{key}@example.org",
    })  # fmt: skip
    rows["roles"].append({
        "sourcedId": f"r-{key}", "userSourcedId": key, "roleType": "primary",
        "role": "student", "orgSourcedId": "s1",
    })  # fmt: skip
    rows["enrollments"].append({
        "sourcedId": f"e-{key}", "classSourcedId": "cl1", "schoolSourcedId": "s1",
        "userSourcedId": key, "role": "student",
    })  # fmt: skip


def _goes(rows: Rows, random: Random, day: int) -> None:
    those = [u["sourcedId"] for u in rows["users"] if u["sourcedId"].startswith("p")]
    if those:
        key = random.choice(those)
        rows["users"] = [u for u in rows["users"] if u["sourcedId"] != key]
        for entity in ("roles", "enrollments"):
            rows[entity] = [row for row in rows[entity] if row["userSourcedId"] != key]


def _renamed(rows: Rows, random: Random, day: int) -> None:
    random.choice(rows["users"])["givenName"] = random.choice(["Ada", "Zoë", "李", "O'Neill"])


def _moves(rows: Rows, random: Random, day: int) -> None:
    row = random.choice([e for e in rows["enrollments"] if e["role"] == "student"])
    row["classSourcedId"] = random.choice(["cl1", "cl2"])


def _role(rows: Rows, random: Random, day: int) -> None:
    staff = [r for r in rows["roles"] if r["userSourcedId"] in ("u4", "u5")]
    random.choice(staff)["role"] = random.choice(["teacher", "siteAdministrator", "aide"])


def _class(rows: Rows, random: Random, day: int) -> None:
    random.choice(rows["classes"])["title"] = f"Algebra {random.randint(1, 3)}"
