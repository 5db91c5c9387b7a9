"""Where a sync leaves the world, and what is seen of it while it goes on."""

import hashlib
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.proofs.stage import PRODUCT, SOURCE, Stage, files_below


@dataclass(frozen=True)
class Ending:
    """What is there after a sync, without what changes from run to run."""

    accepted: str
    sequence: int
    delivered: str
    deliveries: list[tuple[str, str, str, int]]
    holds: list[str]
    store: dict[str, str]
    at_receiver: list[str]
    accounts: list[tuple[Any, ...]]
    """As the ledger has them."""
    users: list[dict[str, Any]]
    """As the product's provider has them."""
    litter: list[Path]
    under_way: list[str]
    """Runs that Dagster believes to be going on."""


def ending(stage: Stage) -> Ending:
    """Where the world is now."""
    with stage.ledger() as ledger:
        accepted = ledger.accepted(SOURCE)
        assert accepted is not None
        return Ending(
            accepted.snapshot.content_hash,
            accepted.sequence,
            hash_of(stage.delivered),
            [(d.content_hash, d.package_hash, d.path, d.size) for d in ledger.deliveries(SOURCE)],
            [str(hold.status) for hold in ledger.holds(SOURCE)],
            dict(files_below(stage.workspace / "store")),
            sorted(path.name for path in stage.delivered.parent.iterdir()),
            [astuple(replace(a, at=_NO_TIME)) for a in ledger.accounts(PRODUCT, SOURCE)],
            [] if stage.provider is None else stage.provider.users,
            litter(stage),
            [status for _, status in stage.dagster_runs() if status not in ("SUCCESS", "FAILURE")],
        )


def litter(stage: Stage) -> list[Path]:
    """What is there for a time only, and should be gone."""
    staging = (stage.workspace / "store" / ".staging").glob("*/*")
    drafts = (stage.workspace / ".dagster" / "handles").rglob(".*")
    return [*staging, *drafts, *stage.scratch.iterdir()]


def doubled(users: list[dict[str, Any]]) -> list[str]:
    """Ids of ours that more than one account has."""
    return [key for key, count in Counter(u["externalId"] for u in users).items() if count > 1]


@contextmanager
def watched(path: Path) -> Iterator[set[str]]:
    """The hashes of everything that lies under a name while the block lasts."""
    found: set[str] = set()
    ended = threading.Event()

    def look() -> None:
        last: tuple[int, ...] = ()
        while not ended.wait(0.002):
            if not path.exists():
                continue
            status = path.stat()
            now = (status.st_ino, status.st_size, status.st_mtime_ns)
            if now != last:
                found.add(hash_of(path))
                last = now

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield found
    finally:
        ended.set()
        watcher.join()


def hash_of(path: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


_NO_TIME = datetime(2000, 1, 1, tzinfo=UTC)
