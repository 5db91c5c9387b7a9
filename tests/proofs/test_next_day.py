"""A normal next day: killed anywhere and run again at once, run twice, and run dry."""

import hashlib
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from roster_pipeline.crashpoints import PLACES
from tests.proofs.forking import Commands
from tests.proofs.stage import SOURCE, Stage, files_below, staged

QUICK = ("accept.after", "upload.half")
"""Those of every test run; `make soak` has the others."""


@dataclass(frozen=True)
class Ending:
    """Where a sync leaves the world."""

    accepted: str
    sequence: int
    delivered: str
    deliveries: list[tuple[str, str, str, int]]
    holds: list[str]
    store: dict[str, str]
    at_receiver: list[str]
    litter: list[Path]
    under_way: list[str]
    """Runs that Dagster believes to be going on."""


def ending(stage: Stage) -> Ending:
    with stage.ledger() as ledger:
        accepted = ledger.accepted(SOURCE)
        assert accepted is not None
        return Ending(
            accepted.snapshot.content_hash,
            accepted.sequence,
            _hash(stage.delivered),
            [(d.content_hash, d.package_hash, d.path, d.size) for d in ledger.deliveries(SOURCE)],
            [str(hold.status) for hold in ledger.holds(SOURCE)],
            dict(files_below(stage.workspace / "store")),
            sorted(path.name for path in stage.delivered.parent.iterdir()),
            litter(stage),
            [status for _, status in stage.dagster_runs() if status not in ("SUCCESS", "FAILURE")],
        )


def litter(stage: Stage) -> list[Path]:
    """What is there for a time only, and should be gone."""
    staging = (stage.workspace / "store" / ".staging").glob("*/*")
    drafts = (stage.workspace / ".dagster" / "handles").rglob(".*")
    return [*staging, *drafts, *stage.scratch.iterdir()]


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def stage(
    request: pytest.FixtureRequest, commands: Commands, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """Yesterday's roster is accepted and delivered; today's lies on the server."""
    postgres = request.getfixturevalue("postgres_url") if request.param == "postgres" else None
    with staged(tmp_path_factory.mktemp("crash"), commands, postgres) as stage:
        stage.drop(0)
        stage.first_day()
        stage.drop(1)
        stage.save()
        yield stage


@pytest.fixture(scope="module")
def undisturbed(stage: Stage, results: set[tuple[str, str]]) -> Ending:
    """Where a sync ends that nobody kills; the same on both databases."""
    before = _hash(stage.delivered)
    done = stage.sync(1)
    assert done.code == 0, done.err + done.out
    ended = ending(stage)
    assert ended.delivered != before
    assert len(ended.deliveries) == 2
    assert (ended.litter, ended.under_way) == ([], [])
    results.add((ended.accepted, ended.delivered))
    assert len(results) == 1
    return ended


@pytest.fixture(scope="module")
def results() -> set[tuple[str, str]]:
    """What the undisturbed syncs came to, on whichever database."""
    return set()


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(place, marks=[] if place in QUICK else pytest.mark.soak)
        for place in PLACES
        if not place.startswith("tables.")  # these are nobody's here; see tests/receivers
    ],
)
def test_a_sync_killed_anywhere_ends_as_one_that_was_not(
    stage: Stage, place: str, undisturbed: Ending
) -> None:
    stage.put_back()
    seen = {_hash(stage.delivered), undisturbed.delivered}
    with watched(stage.delivered) as at_receiver:
        killed = stage.sync(1, ROSTER_CRASH_AT=place)
        assert killed.code == -signal.SIGKILL, killed.err + killed.out
        left = _parts(stage)
        again = stage.sync(1)
    assert again.code == 0, again.err + again.out
    assert ending(stage) == undisturbed
    assert at_receiver <= seen
    # A kill in the middle of an upload leaves some of it, or the place is not where it says.
    assert bool(left) == (place in ("upload.half", "upload.before-rename"))
    assert [status for _, status in stage.dagster_runs()][-2:] == ["FAILURE", "SUCCESS"]


@pytest.mark.parametrize(
    "stage",
    ["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.soak])],
    indirect=True,
)
def test_the_same_input_again_is_delivered_once_only(stage: Stage, undisturbed: Ending) -> None:
    stage.put_back()
    assert stage.sync(1).code == 0
    assert _hash(stage.delivered) == undisturbed.delivered
    before, taken = stage.delivered.stat(), stage.server.taken
    again = stage.sync(1, "--format", "json")
    assert (again.code, again.document()["outcome"]) == (0, "nothing_new")
    after = stage.delivered.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert stage.server.taken == taken
    assert ending(stage) == undisturbed


@pytest.mark.parametrize(
    "stage",
    ["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.soak])],
    indirect=True,
)
def test_a_dry_run_leaves_ledger_store_and_servers_as_they_were(
    stage: Stage, undisturbed: Ending, tmp_path: Path
) -> None:
    stage.put_back()
    before, taken = stage.everything(), stage.server.taken
    assert {"ledger.sqlite", "roster.accepted"} & before.keys()
    rehearsed = stage.sync(1, "--dry-run", "--out", tmp_path)
    assert rehearsed.code == 0, rehearsed.err
    assert stage.everything() == before
    assert (stage.server.taken, litter(stage)) == (taken, [])
    (package,) = tmp_path.rglob("*.zip")
    assert _hash(package) == undisturbed.delivered


@contextmanager
def watched(path: Path) -> Iterator[set[str]]:
    """The hashes of everything that lies under a name while the block lasts."""
    found: set[str] = set()
    ended = threading.Event()

    def look() -> None:
        last: tuple[int, ...] = ()
        while not ended.wait(0.002):
            status = path.stat()
            now = (status.st_ino, status.st_size, status.st_mtime_ns)
            if now != last:
                found.add(_hash(path))
                last = now

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield found
    finally:
        ended.set()
        watcher.join()


def _parts(stage: Stage) -> list[Path]:
    return [path for path in stage.delivered.parent.iterdir() if path != stage.delivered]


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
