"""Leases: one worker at a time, and no write by one that was taken over."""

import datetime as dt
import os
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from roster_pipeline.store import Delivery, LeaseHeld, LeaseLost
from roster_pipeline.store import process as processes
from roster_pipeline.store.ledger import Ledger
from roster_pipeline.store.process import Process
from tests.store import children
from tests.store.scene import DAY1, START, Clock, Scene, snapshot


def eventually(happened: Callable[[], object]) -> bool:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if happened():
            return True
        time.sleep(0.005)
    return False


def move_the_holder_to_another_machine(url: str) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE leases SET host = 'elsewhere'"))


def test_a_lease_is_free_again_after_use_and_its_number_grows(ledger: Ledger) -> None:
    numbers = []
    for _ in range(3):
        with ledger.lease("springfield", Clock()) as lease:
            numbers.append(lease.fencing)
            assert lease.taken_from is None
    assert numbers == [1, 2, 3]


def test_a_held_lease_says_who_holds_it_since_when(ledger: Ledger) -> None:
    clock = Clock()
    with ledger.lease("springfield", clock, run_id="run-1"):
        clock.forward(600)
        with pytest.raises(LeaseHeld) as held, ledger.lease("springfield", clock):
            pass
    sentence = str(held.value)
    assert f"process {os.getpid()} on " in sentence
    assert "run run-1" in sentence
    assert "since 2026-08-26 09:30:00 UTC" in sentence


def test_leases_of_different_names_do_not_meet(ledger: Ledger) -> None:
    clock = Clock()
    with ledger.lease("springfield", clock), ledger.lease("destination/lms", clock) as other:
        ledger.check(other)


def test_a_lease_is_given_back_when_the_work_fails(ledger: Ledger) -> None:
    clock = Clock()
    with pytest.raises(RuntimeError), ledger.lease("springfield", clock):
        raise RuntimeError
    with ledger.lease("springfield", clock) as lease:
        assert lease.fencing == 2


def test_a_killed_holder_on_this_machine_is_followed_at_once(ledger_url: str) -> None:
    taken = children.event()
    holder = children.start(children.hold_a_lease, ledger_url, taken)
    assert taken.wait(60)
    with Ledger.open(ledger_url) as ledger:
        with pytest.raises(LeaseHeld), ledger.lease("springfield", Clock()):
            pass
        holder.kill()
        holder.join()
        with ledger.lease("springfield", Clock()) as lease:
            assert lease.fencing == 2
            assert lease.taken_from is not None
            assert lease.taken_from.run_id == "run-7"
            assert lease.taken_from.process.pid == holder.pid


def test_a_killed_process_that_nobody_waited_for_is_dead() -> None:
    child = subprocess.Popen(["sleep", "60"])
    stat = processes._stat(child.pid)
    assert stat is not None
    it = replace(Process.current(), pid=child.pid, started=stat[1])
    assert it.alive() is True
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert it.alive() is False
    child.wait()


def test_a_living_holder_on_this_machine_is_never_taken_over(ledger: Ledger) -> None:
    clock = Clock()
    with ledger.lease("springfield", clock):
        clock.forward(86_400)
        with pytest.raises(LeaseHeld), ledger.lease("springfield", clock):
            pass


def test_a_holder_elsewhere_is_taken_over_after_a_minute_of_silence(
    ledger: Ledger, ledger_url: str
) -> None:
    clock = Clock()
    with ledger.lease("springfield", clock) as first:
        move_the_holder_to_another_machine(ledger_url)
        clock.forward(60)
        with pytest.raises(LeaseHeld, match="on elsewhere"), ledger.lease("springfield", clock):
            pass
        clock.forward(1)
        with ledger.lease("springfield", clock) as second:
            ledger.check(second)
            with pytest.raises(LeaseLost, match="another process took this work over"):
                ledger.check(first)


def test_no_write_of_a_lost_lease_reaches_the_ledger(scene: Scene, ledger_url: str) -> None:
    scene.sync("a", None, DAY1)
    move_the_holder_to_another_machine(ledger_url)
    scene.clock.forward(61)
    ledger, candidate, base = scene.ledger, snapshot("b"), snapshot("a").content_hash
    with ledger.lease("springfield", scene.clock):
        for write in (
            lambda: scene.judge("b", "a", DAY1, "hold"),
            lambda: scene.accept("a", None, DAY1),
            lambda: ledger.record_delivery(
                Delivery("lms", "springfield", base, "p", "/in/r.zip", 1, {}, START), scene.lease
            ),
        ):
            with pytest.raises(LeaseLost):
                write()
    with pytest.raises(LeaseLost):
        ledger.accept("springfield", candidate, base, DAY1, START, scene.lease)
    assert ledger.holds() == []
    assert ledger.deliveries("springfield") == []


def test_a_lost_lease_does_not_free_its_successors(ledger: Ledger, ledger_url: str) -> None:
    clock = Clock()
    with ledger.lease("springfield", clock):
        move_the_holder_to_another_machine(ledger_url)
        clock.forward(61)
        successor = ledger.lease("springfield", clock)
        lease = successor.__enter__()
    ledger.check(lease)
    successor.__exit__(None, None, None)


def test_a_lease_of_another_source_covers_nothing(scene: Scene) -> None:
    with pytest.raises(ValueError, match="does not cover shelbyville"):
        scene.ledger.accept(
            "shelbyville", snapshot("a", "shelbyville"), None, DAY1, START, scene.lease
        )


def test_the_heartbeat_goes_on_while_the_work_does(ledger: Ledger, ledger_url: str) -> None:
    clock = Clock()
    with ledger.lease("springfield", clock, heartbeat_seconds=0.01):
        clock.forward(55)
        engine = sa.create_engine(ledger_url, poolclass=sa.NullPool)
        text = sa.text("SELECT CAST(heartbeat_at AS VARCHAR) FROM leases")

        def renewed() -> bool:
            with engine.begin() as connection:
                return "09:30:55" in str(connection.scalar(text))

        assert eventually(renewed)
    assert not [t for t in threading.enumerate() if t.name == "lease-springfield"]


def test_a_pid_that_belongs_to_another_process_now_is_dead() -> None:
    me = Process.current()
    assert me.alive() is True
    assert replace(me, started=str(int(me.started) + 1)).alive() is False
    assert replace(me, pid=2**22 + 1).alive() is False


def test_a_process_elsewhere_can_not_be_judged() -> None:
    me = Process.current()
    assert replace(me, host="elsewhere").alive() is None
    assert replace(me, boot="another boot").alive() is None


def test_without_proc_a_running_pid_is_not_proof_but_a_missing_one_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(processes, "_boot", lambda: "")
    monkeypatch.setattr(processes, "_stat", lambda pid: None)
    me = Process.current()
    assert (me.boot, me.started) == ("", "")
    assert me.alive() is None
    assert replace(me, pid=2**22 + 1).alive() is False


def test_a_lease_taken_at_any_hour_is_kept_in_utc(ledger: Ledger) -> None:
    honolulu = dt.timezone(dt.timedelta(hours=-10))
    clock = Clock(START.astimezone(honolulu))
    with ledger.lease("springfield", clock), pytest.raises(LeaseHeld, match="09:30:00 UTC"):
        ledger.lease("springfield", clock).__enter__()


def test_the_process_file_of_any_command_name_is_read(tmp_path: Path) -> None:
    odd = tmp_path / "a) R (b"
    odd.write_text("#!/bin/sh\nsleep 30\n")
    odd.chmod(0o700)
    child = subprocess.Popen([str(odd)])
    try:
        stat = processes._stat(child.pid)
        assert stat is not None
        assert stat[1].isdecimal()
    finally:
        child.kill()
        child.wait()


def test_a_ledger_that_goes_away_is_told_of_and_the_work_goes_on(
    ledger: Ledger, ledger_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    engine = sa.create_engine(ledger_url, poolclass=sa.NullPool)
    with ledger.lease("springfield", Clock(), heartbeat_seconds=0.01):
        with engine.begin() as connection:
            connection.execute(sa.text("DROP TABLE leases"))
        assert eventually(lambda: "could not be renewed, trying again" in caplog.text)
    assert "could not be given back" in caplog.text


def test_a_holder_that_was_taken_over_stops_renewing(ledger: Ledger, ledger_url: str) -> None:
    clock = Clock()
    with ledger.lease("springfield", clock, heartbeat_seconds=0.01) as lost:
        hearts = [t for t in threading.enumerate() if t.name == "lease-springfield"]
        engine = sa.create_engine(ledger_url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            connection.execute(sa.text("UPDATE leases SET fencing = fencing + 1"))
        assert eventually(lambda: not hearts[0].is_alive())
        with pytest.raises(LeaseLost):
            ledger.check(lost)
