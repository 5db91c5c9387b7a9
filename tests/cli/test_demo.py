"""`roster demo`: it tells the truth, starts again on request, and touches nothing of others."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from roster_pipeline.cli.demo_world import World, build
from roster_pipeline.cli.loopback import remembered, served
from tests.cli.conftest import Roster


def test_three_days_end_held_with_day_two_at_the_receiver(roster: Roster, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    ended = roster("demo", folder, "--students", "500")
    assert ended.code == 0, ended.err
    told = [line for line in ended.out.splitlines() if line.startswith("Day ")]
    assert [line.split(":")[0][:5] for line in told] == ["Day 1", "Day 2", "Day 3"]
    assert ended.out.count("as accepted.") == 5
    assert ended.out.count("as the ledger says.") == 5
    assert "Nobody lost anything" in ended.out

    standings = roster("status", "-w", folder, "--format", "json").document()["sources"]
    by_source = {source["source"]: source for source in standings}
    springfield, shelbyville = by_source["springfield"], by_source["shelbyville"]
    assert springfield["accepted"]["sequence"] == 2
    assert springfield["last_sync"]["outcome"] == "held"
    assert len(springfield["holds"]) == 1
    assert shelbyville["accepted"]["confirmed"] == shelbyville["last_sync"]["date"]
    assert shelbyville["last_sync"]["outcome"] == "done"
    for source in standings:
        receivers = {one["destination"]: one["behind"] for one in source["destinations"]}
        assert receivers == {"learning-app": False, "accounts/maths-path": False}
    secrets = [file.read_text().strip() for file in (folder / "secrets").iterdir()]
    yaml = "".join(file.read_text() for file in folder.rglob("*.yaml"))
    assert len(secrets) == 4
    assert not any(secret in yaml + ended.out for secret in secrets)

    again = roster("demo", folder)
    assert again.code == 1
    assert "--fresh" in again.err


def test_a_folder_that_no_demo_made_is_never_removed(roster: Roster, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    ended = roster("demo", tmp_path, "--fresh")
    assert ended.code == 1
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


@pytest.mark.soak
def test_a_demo_at_work_is_not_removed_from_under_it(roster: Roster, tmp_path: Path) -> None:
    world = World(tmp_path / "demo", datetime.now(UTC))
    build(world)
    with served(world.folder):
        ended = roster("demo", world.folder, "--fresh")
    assert ended.code == 1
    assert "end that first" in ended.err
    assert (world.folder / "roster.yaml").exists()


@pytest.mark.soak
def test_the_servers_end_with_whoever_started_them_even_if_that_is_killed(tmp_path: Path) -> None:
    world = World(tmp_path / "demo", datetime.now(UTC))
    build(world)
    code = (
        "import os, signal, pathlib\n"
        "from roster_pipeline.cli.loopback import serve_until_exit\n"
        f"serve_until_exit(pathlib.Path({str(world.folder)!r}))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ports = {server.port for server in remembered(world.folder)}
    starter = subprocess.run([sys.executable, "-c", code], env=dict(os.environ), check=False)
    assert starter.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and _listening() & ports:
        time.sleep(0.1)
    assert not _listening() & ports


def _listening() -> set[int]:
    return {
        int(connection.laddr[1])
        for connection in psutil.net_connections("tcp4")
        if connection.laddr and connection.status == psutil.CONN_LISTEN
    }
