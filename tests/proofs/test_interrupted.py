"""A sync with accounts and a delivery, interrupted at any moment and run again: exactly once.

The moments are drawn by a seeded generator. `ROSTER_KILLS=300 make soak` draws so many of them for
each database; the seed of one that fails is in its test's name.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pytest

from roster_pipeline.simulator.rewriting import member, rewrite, rows
from roster_pipeline.store import HoldStatus
from roster_pipeline.store.snapshots import Snapshots
from tests.proofs.endings import Ending, doubled, ending, hash_of, watched
from tests.proofs.forking import Commands, Ended
from tests.proofs.line import Line
from tests.proofs.stage import SOURCE, Stage, staged

KILLS: Final = int(os.environ.get("ROSTER_KILLS", "30"))
APPROVAL, ACCEPTED, NEXT_DAY = "approval", "accepted", "next_day"
RENAMED, DISABLED = 20, 10
LATER_ON_POSTGRES: Final = (pytest.mark.postgres, pytest.mark.soak)
Command = Callable[[Mapping[str, Any]], Ended]
"""A command, run as `Commands.run` says."""


@dataclass(frozen=True)
class Act:
    """Something that the command does, from a saved state of the stage to its end."""

    saved: str
    do: Command
    again: Command
    """What a person does once it was interrupted."""
    before: set[str]
    """What lies at the receiver before."""
    ending: Ending
    seconds: float
    """How long it takes if nothing gets into its way."""


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgres", marks=LATER_ON_POSTGRES)]
)
def stage(
    request: pytest.FixtureRequest, commands: Commands, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """Two states: the first roster is held; it is accepted, and the next day's lies there."""
    postgres = request.getfixturevalue("postgres_url") if request.param == "postgres" else None
    root = tmp_path_factory.mktemp("interrupted")
    with staged(root, commands, postgres, accounts=True) as stage:
        stage.drop(0)
        stage.first_hold()
        stage.save(APPROVAL)
        yield stage


@pytest.fixture(scope="module")
def approval(stage: Stage) -> Act:
    """The approval of the first roster, which gives everybody their accounts."""
    with stage.ledger() as ledger:
        (hold,) = ledger.holds(SOURCE)

    def approve(how: Mapping[str, Any]) -> Ended:
        return stage.roster("approve", hold.name, "--why", "as expected", how=how)

    def again(how: Mapping[str, Any]) -> Ended:
        with stage.ledger() as ledger:
            is_open = ledger.hold(hold.name).status is HoldStatus.OPEN
        return approve(how) if is_open else stage.sync(0, how=how)

    act = acted(stage, APPROVAL, approve, again)
    assert act.ending.holds == ["accepted"]
    assert len(act.ending.users) > 250
    stage.save(ACCEPTED)
    return act


@pytest.fixture(scope="module")
def next_day(stage: Stage, approval: Act) -> Act:
    """The sync of a day on which people came, went, and have other names."""
    stage.put_back(ACCEPTED)
    stage.drop(1, people_changed)
    stage.save(NEXT_DAY)

    def sync(how: Mapping[str, Any]) -> Ended:
        return stage.sync(1, how=how)

    act = acted(stage, NEXT_DAY, sync, sync)
    assert act.ending.delivered not in act.before
    assert sum(not user["active"] for user in act.ending.users) >= DISABLED
    return act


def acted(stage: Stage, saved: str, do: Command, again: Command) -> Act:
    """Do something undisturbed, from how the stage is now."""
    before = {hash_of(stage.delivered)} if stage.delivered.exists() else set()
    began = time.monotonic()
    done = do({})
    seconds = time.monotonic() - began
    assert done.code == 0, done.err + done.out
    ended = ending(stage)
    assert (ended.litter, ended.under_way, doubled(ended.users)) == ([], [], [])
    return Act(saved, do, again, before, ended, seconds)


def people_changed(package: Path) -> None:
    """Give some people another name, and disable others."""

    def edit(users: pd.DataFrame) -> pd.DataFrame:
        names, enabled = users["familyName"].copy(), users["enabledUser"].copy()
        names.iloc[:RENAMED] = "Roe"
        enabled.iloc[RENAMED : RENAMED + DISABLED] = "false"
        return users.assign(familyName=names, enabledUser=enabled)

    copy = package.with_name(f"{package.name}.copy")
    rewrite(package, copy, {member("users"): rows(edit)})
    copy.replace(package)


def moments(seeds: int, *, quick: int) -> list[Any]:
    """Seeds; the first of them in every test run."""
    return [
        pytest.param(seed, marks=[] if seed < quick else pytest.mark.soak, id=f"seed-{seed}")
        for seed in range(seeds)
    ]


@pytest.mark.parametrize("seed", moments(KILLS, quick=1))
@pytest.mark.soak
def test_a_sync_killed_at_any_moment_ends_as_one_that_was_not(
    stage: Stage, next_day: Act, seed: int
) -> None:
    killed_at_random(stage, next_day, np.random.default_rng(seed))


@pytest.mark.parametrize("seed", moments(KILLS // 3, quick=0))
def test_an_approval_killed_at_any_moment_ends_as_one_that_was_not(
    stage: Stage, approval: Act, seed: int
) -> None:
    killed_at_random(stage, approval, np.random.default_rng(seed))


def killed_at_random(stage: Stage, act: Act, draw: np.random.Generator) -> None:
    """Do it, killed, in a third of all cases once more at the second try, and then to its end."""
    moments = [killed(stage, act, draw.random() * act.seconds)]
    if draw.random() < 1 / 3:
        moments.append(draw.random() * act.seconds)
        # What is left to do may be done before that.
        assert nothing_half(stage, act, act.again, moments[-1]).code in (-signal.SIGKILL, 0)
    again = nothing_half(stage, act, act.again)
    told = f"killed after {moments} of {act.seconds:.2f} s: {again.err}{again.out}"
    assert again.code == 0, told
    assert ending(stage) == act.ending, told


def killed(stage: Stage, act: Act, moment: float) -> float:
    """Do it and kill it at a moment, or earlier if it is done by then; when that was."""
    while True:
        stage.put_back(act.saved)
        ended = nothing_half(stage, act, act.do, moment)
        if ended.code == -signal.SIGKILL:
            return moment
        assert ended.code == 0, ended.err + ended.out
        moment *= 0.8


def nothing_half(
    stage: Stage, act: Act, command: Command, kill_after: float | None = None
) -> Ended:
    """Run a command, while the receiver never sees but the old file or the new."""
    with watched(stage.delivered) as at_receiver:
        ended = command({"kill_after": kill_after})
    assert at_receiver <= act.before | {act.ending.delivered}
    return ended


@pytest.mark.parametrize(
    ("stage", "most_bytes"),
    [
        ("sqlite", 1 << 12),
        pytest.param("sqlite", 1 << 18, marks=pytest.mark.soak),
        # Here only our own files grow: the package, the roster's parts, the delivery.
        pytest.param("postgres", 1 << 12, marks=LATER_ON_POSTGRES),
        pytest.param("postgres", 1 << 15, marks=LATER_ON_POSTGRES),
        pytest.param("postgres", 140_000, marks=LATER_ON_POSTGRES),
    ],
    indirect=["stage"],
)
@pytest.mark.soak
def test_a_disk_that_is_full_is_one_sentence_and_the_next_sync_goes_on(
    stage: Stage, next_day: Act, most_bytes: int
) -> None:
    stage.put_back(NEXT_DAY)
    failed = next_day.do({"most_bytes": most_bytes})
    breaks_off_well(stage, next_day, failed)


# Dagster tries each of its writes for some seconds before it gives up: this takes minutes.
@pytest.mark.postgres
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("stage", ["postgres"], indirect=True)
@pytest.mark.parametrize("seed", moments(KILLS // 10, quick=0))
def test_a_database_that_goes_away_is_one_sentence_and_the_next_sync_goes_on(
    stage: Stage, next_day: Act, postgres_url: str, seed: int
) -> None:
    moment = np.random.default_rng(seed).random() * next_day.seconds
    while (failed := cut_off(stage, next_day, postgres_url, moment)).code == 0:
        moment *= 0.8
    breaks_off_well(stage, next_day, failed)


def cut_off(stage: Stage, act: Act, postgres_url: str, moment: float) -> Ended:
    """Do it, with a database that is gone from a moment on."""
    stage.put_back(act.saved)
    with Line(postgres_url) as line:
        stage.postgres_port = line.port
        cut = threading.Timer(moment, line.cut)
        cut.start()
        try:
            return nothing_half(stage, act, act.do)
        finally:
            cut.cancel()
            cut.join()
            stage.postgres_port = None


def breaks_off_well(stage: Stage, act: Act, failed: Ended) -> None:
    """It said what was wrong, kept the roster of before or after, and ends well once it can."""
    assert failed.code == 1, failed.err + failed.out
    # Dagster and its driver may have grumbled before that, of addresses and no cells.
    *grumbled, said = failed.err.splitlines()
    assert said.startswith("roster: "), failed.err
    assert "fault of roster-pipeline" not in said
    assert "Traceback" not in failed.err
    assert stage.databases is not None or not grumbled
    with stage.ledger() as ledger:
        accepted = ledger.accepted(SOURCE)
        assert accepted is not None
        assert accepted.sequence in (act.ending.sequence - 1, act.ending.sequence)
        assert Snapshots(str(stage.workspace / "store")).open(accepted.snapshot).counts
    again = nothing_half(stage, act, act.again)
    assert again.code == 0, again.err + again.out
    assert ending(stage) == act.ending
