"""A normal next day: killed anywhere and run again at once, run twice, and run dry."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from roster_pipeline.crashpoints import PLACES
from tests.proofs.endings import Ending, ending, hash_of, litter, watched
from tests.proofs.forking import Commands
from tests.proofs.stage import Stage, staged

QUICK: dict[str, tuple[str, ...]] = {"sqlite": ("upload.half",), "postgres": ()}
"""Where in every test run; `make soak` has the other places."""
NO_LEASE = ("lease.before", "lease.after")
"""Who takes the lease learns from it whose run was lost; here only the run's process tells."""


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
    before = hash_of(stage.delivered)
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
    ("stage", "place"),
    [
        pytest.param(
            storage,
            place,
            marks=[
                *([pytest.mark.postgres] if storage == "postgres" else []),
                *([] if place in quick else [pytest.mark.soak]),
            ],
        )
        for storage, quick in QUICK.items()
        for place in PLACES
        # The tables are nobody's here, and drops stay; see tests/receivers and test_cleared.
        if not place.startswith(("tables.", "clearing.")) and place not in NO_LEASE
    ],
    indirect=["stage"],
)
def test_a_sync_killed_anywhere_ends_as_one_that_was_not(
    stage: Stage, place: str, undisturbed: Ending
) -> None:
    stage.put_back()
    seen = {hash_of(stage.delivered), undisturbed.delivered}
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


@pytest.mark.soak
@pytest.mark.parametrize("place", NO_LEASE)
def test_a_sync_killed_without_its_lease_ends_as_one_that_was_not(
    stage: Stage, place: str, undisturbed: Ending
) -> None:
    stage.put_back()
    assert stage.sync(1, ROSTER_CRASH_AT=place).code == -signal.SIGKILL
    assert stage.sync(1).code == 0
    assert ending(stage) == undisturbed


@pytest.mark.parametrize(
    "stage",
    ["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.soak])],
    indirect=True,
)
def test_the_same_input_again_is_delivered_once_only(stage: Stage, undisturbed: Ending) -> None:
    stage.put_back()
    assert stage.sync(1).code == 0
    assert hash_of(stage.delivered) == undisturbed.delivered
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
    assert hash_of(package) == undisturbed.delivered


def _parts(stage: Stage) -> list[Path]:
    return [path for path in stage.delivered.parent.iterdir() if path != stage.delivered]
