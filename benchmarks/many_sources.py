"""A workspace of many sources: reading it, `roster status`, Dagster's definitions and a reload.

    python -m benchmarks.many_sources                    500 sources
    python -m benchmarks.many_sources --sources 50

Half of the sources come by SFTP, half from servers; each tenth says something of every key that is
common. Each way is timed in a process of its own, of 1 source and of all, imports apart; `parse` is
the floor of the reading: PyYAML's `safe_load` (with libyaml) of the same files. The ledger of
`status` has an accepted roster, a sync and a delivery of every source, and rows that are held.

`reload` is all that a person waits for: a new process of the code location, its imports too. It is
run once; on two cores with nothing else to do the whole takes about a minute.
"""

import argparse
import json
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

_START: Final = "2026-08-01"
_DROPS: Final = """\
# yaml-language-server: $schema=../.schemas/source.json
id: district-{number}
name: District number {number}
vendor: generic-csv
timezone: {zone}

transport:
  sftp:
    host: sftp.district-{number}.example
    username: roster
    # The variable that holds the password; never the password itself.
    password: {{env: DISTRICT_{number}_SFTP_PASSWORD}}
    fingerprint: SHA256:oZ3tVxdDvJmq2sQGmU5hdvXjd6hUZvTnkcmCQy3wDdQ

folder: outgoing
pattern: "*.zip"

cadence: daily
at: "02:30"
"""
_REST: Final = """\
# yaml-language-server: $schema=../.schemas/source.json
id: district-{number}
name: District number {number}
vendor: infinite-campus
timezone: {zone}

rest:
  base_url: https://district-{number}.example/campus/api/oneroster/v1p2/district/ims/oneroster/rostering/v1p2
  app: district{number}
  auth:
    oauth2:
      client_id: roster
      client_secret: {{env: DISTRICT_{number}_SECRET}}
      token_url: https://district-{number}.example/token
  demographics: false

cadence: daily
at: "02:30"
"""
_MORE: Final = """
expect: {users: [4000, 9000], fill: {users.email: 95}}
scope: {schools: [school-1, school-2]}
held_rows: {escalate_after: 5}
guards:
  removed: {percent: 5}
calendar:
  windows:
    - {name: New school year, kind: rollover, from: 2027-07-15, to: 2027-09-10}
"""
_ZONES: Final = ("America/Chicago", "America/New_York", "America/Denver", "Pacific/Honolulu")
_DESTINATION: Final = """\
id: learning-app
transport: {folder: {path: ./out}}
path: rosters/{source}.zip
"""

Result = dict[str, float]


def _make(folder: Path, sources: int) -> None:
    """A workspace with so many sources."""
    (folder / "sources").mkdir(parents=True)
    (folder / "destinations").mkdir()
    (folder / "roster.yaml").write_text(f"partitions: {{start: {_START}}}\n")
    (folder / "destinations" / "learning-app.yaml").write_text(_DESTINATION)
    for number in range(sources):
        text = (_DROPS if number % 2 == 0 else _REST).format(
            number=number, zone=_ZONES[number % len(_ZONES)]
        )
        text += _MORE if number % 10 == 0 else ""
        (folder / "sources" / f"district-{number}.yaml").write_text(text)


def _accept(folder: Path) -> None:
    """Let every source have an accepted roster, a sync and a delivery."""
    import pandas as pd

    from roster_pipeline.store import Delivery, Outcome, Snapshot
    from roster_pipeline.store.held import COLUMNS
    from roster_pipeline.store.ledger import Ledger
    from roster_pipeline.store.snapshots import Snapshots
    from roster_pipeline.tables.text import TEXT
    from roster_pipeline.workspace import Workspace

    now, day = datetime.now(UTC), date(2026, 11, 20)
    workspace = Workspace.load(folder)
    held = pd.DataFrame({column: ["2026-11-20"] for column in COLUMNS}, dtype=TEXT)
    snapshots = Snapshots(workspace.storage_url)
    with Ledger.open(workspace.ledger_url(os.environ)) as ledger:
        for source in workspace.sources:
            snapshot = Snapshot(source, "0" * 64, {"users": 5000}, "nowhere")
            with ledger.lease(source, lambda: now) as lease:
                ledger.record_verdict(source, snapshot, None, day, "pass", (), now, lease)
                ledger.accept(source, snapshot, None, day, now, lease)
                app = Delivery("learning-app", source, "0" * 64, "1" * 64, "x.zip", 1, {}, now)
                ledger.record_delivery(app, lease)
            ledger.record_sync(source, day, Outcome.DONE, {"sentences": ["Done."]}, now)
            snapshots.put_held(source, day, held)


# ---- what is timed, each in a process of its own ----


def parse(folder: Path) -> int:
    """PyYAML alone."""
    import yaml

    files = [folder / "roster.yaml", *folder.glob("sources/*.yaml")]
    return sum(bool(yaml.load(f.read_bytes(), Loader=yaml.CSafeLoader)) for f in files)


def load(folder: Path) -> int:
    """Every file read and checked, as each command and each run does first."""
    from roster_pipeline.workspace import Workspace

    return len(Workspace.load(folder).sources)


def check(folder: Path) -> int:
    """`roster workspace check`."""
    from roster_pipeline.workspace.inspection import inspect

    return inspect(folder, os.environ, datetime.now(UTC)).sources


def status(folder: Path) -> int:
    """`roster status`, text and all."""
    return _silently(["status", "-w", str(folder)])


def definitions(folder: Path) -> int:
    """The workspace read and Dagster's objects made, as a code location does when it starts."""
    from roster_pipeline.build import build_defs
    from roster_pipeline.workspace import Workspace

    return len(build_defs(Workspace.load(folder)).get_repository_def().schedule_defs)


def reload(folder: Path) -> int:
    """The location reloaded, as the button of the UI does it, its new process included."""
    import dagster as dg
    from dagster._core.workspace.context import WorkspaceProcessContext
    from dagster._core.workspace.load_target import WorkspaceFileTarget

    from roster_pipeline.automation.home import dagster_home, make_home

    os.environ["ROSTER_WORKSPACE"] = str(folder)
    target = WorkspaceFileTarget([str(Path(__file__).parents[1] / "workspace.yaml")])
    make_home(folder)
    os.environ["DAGSTER_HOME"] = str(dagster_home(folder))
    with (
        dg.DagsterInstance.get() as instance,
        WorkspaceProcessContext(instance, target) as context,
    ):
        start = time.perf_counter()
        context.reload_code_location("roster_pipeline")
        location = context.create_request_context().get_code_location("roster_pipeline")
        (repository,) = location.get_repositories().values()
        _TIMED.append(time.perf_counter() - start)
        return len(repository.get_schedules())


def _silently(words: list[str]) -> int:
    from contextlib import redirect_stdout
    from io import StringIO

    from roster_pipeline.cli import main

    with redirect_stdout(StringIO()) as said:
        main(words)
    return len(said.getvalue())


_TIMED: Final[list[float]] = []
"""What a way has timed itself, where not all that it does is to be counted."""

WAYS: Final[dict[str, Callable[[Path], int]]] = {
    "parse": parse,
    "load": load,
    "check": check,
    "status": status,
    "status, accepted": status,
    "definitions": definitions,
    "reload": reload,
}


# ---- running ----


def _timed(way: str, folder: Path) -> Result:
    start, cpu = time.perf_counter(), time.process_time()
    WAYS[way](folder)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": (_TIMED or [seconds])[0], "cpu": cpu, "peak_mb": peak}


def _import() -> None:
    """What the ways import when they first run is no part of their work."""
    from roster_pipeline import build, cli
    from roster_pipeline.quality import rules
    from roster_pipeline.reports import syncs
    from roster_pipeline.store import ledger, snapshots
    from roster_pipeline.workspace import inspection

    assert all((build, cli, rules, syncs, ledger, snapshots, inspection))


def _run(way: str, folder: Path) -> Result:
    """One way, in a process that has imported all that it needs."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as child:
        return child.submit(_timed, way, folder).result()


def _run_afresh(way: str, folder: Path) -> Result:
    """One way, in a process that starts servers of its own: these do not go with a fork."""
    command = [sys.executable, "-m", "benchmarks.many_sources", "--child", way, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{way}: {done.stderr or done.stdout}")
    # Those servers write to the same place.
    said = next(line for line in done.stdout.splitlines() if line.startswith("{"))
    found: Result = json.loads(said)
    return found


def _compare(sources: int, runs: int) -> None:
    _import()
    with tempfile.TemporaryDirectory() as scratch:
        folders = {count: Path(scratch) / str(count) for count in (1, sources)}
        for count, folder in folders.items():
            _make(folder, count)
        found: dict[str, dict[int, Result]] = {way: {} for way in WAYS}
        for way in WAYS:
            if way == "status, accepted":
                for folder in folders.values():
                    _accept(folder)
            for count, folder in folders.items():
                if way == "reload":
                    found[way][count] = _run_afresh(way, folder)
                    continue
                runs_of = [_run(way, folder) for _ in range(runs)]
                found[way][count] = {
                    key: statistics.median(run[key] for run in runs_of) for key in runs_of[0]
                }
    print(f"\n{sources:,} sources, median of {runs}")
    print(
        f"{'':18}{'1 source s':>12}{'all s':>9}{'CPU s':>9}{'peak MB':>9}{'ms a source':>13}"
        f"{'× parse':>9}"
    )
    floor = found["parse"][sources]["seconds"]
    for way, by_count in found.items():
        one, many = by_count[1], by_count[sources]
        each = (many["seconds"] - one["seconds"]) * 1000 / max(sources - 1, 1)
        print(
            f"{way:18}{one['seconds']:12.3f}{many['seconds']:9.2f}{many['cpu']:9.2f}"
            f"{many['peak_mb']:9.0f}{each:13.2f}{many['seconds'] / floor:9.1f}"
        )


def main() -> None:
    """Run the comparison that the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--sources", type=int, default=500)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--child", nargs=2, metavar=("WAY", "FOLDER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        way, folder = arguments.child
        _import()
        print(json.dumps(_timed(way, Path(folder))))
        return
    _compare(arguments.sources, arguments.runs)


if __name__ == "__main__":
    main()
