"""What other processes do in the tests. They are forked from one that has imported this."""

import datetime as dt
import io
import multiprocessing
import os
import signal
import tempfile
import time
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from roster_pipeline.oneroster.roster import RosterWriter
from roster_pipeline.store import Delivery, LeaseHeld, Snapshot
from roster_pipeline.store.landing import Landing
from roster_pipeline.store.ledger import Ledger
from roster_pipeline.store.snapshots import Snapshots
from roster_pipeline.tables.text import TEXT
from tests.store.scene import DAY1, START, Clock

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__])


def event() -> Event:
    """An event between processes."""
    return _CONTEXT.Event()


def barrier(parties: int) -> Barrier:
    """A barrier between processes."""
    return _CONTEXT.Barrier(parties)


def start(target: Callable[..., None], *args: Any) -> ForkServerProcess:
    """Start one process."""
    process = _CONTEXT.Process(target=target, args=args)
    process.start()
    return process


def run(*calls: tuple[Any, ...]) -> list[int | None]:
    """Run processes together; their exit codes (0, or minus the signal that killed them)."""
    processes = [start(*call) for call in calls]
    for process in processes:
        process.join(120)
    return [process.exitcode for process in processes]


def open_ledger(url: str, together: Barrier) -> None:
    """Open a ledger at the same moment as others."""
    together.wait()
    Ledger.open(url).close()


def hold_a_lease(url: str, taken: Event) -> None:
    """Take Springfield's lease and keep it."""
    with Ledger.open(url) as ledger, ledger.lease("springfield", Clock(), run_id="run-7"):
        taken.set()
        time.sleep(60)


def accept_a_chain(url: str, source: str, rounds: int) -> None:
    """Accept rosters of one's own source, each on the one before."""
    base = None
    with Ledger.open(url) as ledger, ledger.lease(source, Clock()) as lease:
        for number in range(rounds):
            candidate = Snapshot(source, f"{number:064x}", {}, "")
            ledger.record_verdict(source, candidate, base, DAY1, "pass", [], START, lease)
            ledger.accept(source, candidate, base, DAY1, START, lease)
            base = candidate.content_hash


def fight_for_springfield(url: str, worker: str, rounds: int) -> None:
    """Accept rosters of a source that others want too."""
    done = 0
    with Ledger.open(url) as ledger:
        while done < rounds:
            try:
                with ledger.lease("springfield", Clock()) as lease:
                    current = ledger.accepted("springfield")
                    base = current.snapshot.content_hash if current else None
                    candidate = Snapshot("springfield", f"{worker}-{done}", {}, "")
                    about = ("springfield", candidate, base, DAY1)
                    ledger.record_verdict(*about, "pass", [], START, lease)
                    ledger.accept(*about, START, lease)
                    done += 1
            except LeaseHeld:
                time.sleep(0.002)


def record_syncs(url: str, source: str, rounds: int) -> None:
    """One small transaction after the other."""
    with Ledger.open(url) as ledger:
        for number in range(rounds):
            ledger.record_sync(source, DAY1, "done", {"round": number}, START)


def stage_and_die(url: str, told: Path) -> None:
    """Stage half a roster, say where, and be killed."""
    tempfile.tempdir = str(told.parent)
    folder = Snapshots(url).stage("springfield")
    (folder / "half").write_text("x")
    told.write_text(str(folder))
    os.kill(os.getpid(), signal.SIGKILL)


def sync(url: str, store: str, crash_at: str = "") -> None:
    """One source from package to receipt, as far as the store sees it."""
    os.environ["ROSTER_CRASH_AT"] = crash_at
    now = dt.datetime(2026, 8, 24, tzinfo=dt.UTC)
    with Ledger.open(url) as ledger, ledger.lease("s", Clock(now)) as lease:
        landed = Landing(store).put(
            "s",
            io.BytesIO(b"package"),
            date=DAY1,
            original_hash="o",
            remote_path="/out/s.zip",
            modified=now,
        )
        ledger.record_landed(landed, now, lease)
        snapshots = Snapshots(store)
        writer = RosterWriter(snapshots.stage("s"))
        frame = pd.DataFrame({"sourcedId": pd.Series(["d1", "s1"], dtype=TEXT)})
        writer.write("orgs", frame, file="orgs.csv", lines=np.array([2, 3]))
        candidate = snapshots.put("s", writer.finish())
        current = ledger.accepted("s")
        base = current.snapshot.content_hash if current else None
        about = ("s", candidate, base, DAY1)
        ledger.record_verdict(*about, "pass", [], now, lease)
        ledger.accept(*about, now, lease)
        this = Delivery("lms", "s", candidate.content_hash, "p", "/in/s.zip", 7, {}, now)
        ledger.record_delivery(this, lease)
