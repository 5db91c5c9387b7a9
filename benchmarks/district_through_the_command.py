"""A large district through the `roster` command, over real SFTP servers in their own process.

    python -m benchmarks.district_through_the_command --students 1000000

Prints seconds and peak memory of each command: check, a first sync (held), its approval (accepted
and delivered), a next day.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.districts import DATA, package
from roster_pipeline.cli import demo_world
from roster_pipeline.cli.loopback import served

FOLDER: Final = DATA / "workspace"


def command(*words: str, expect: int = 0) -> str:
    """Run `roster` in a process of its own, print what it took, return what it printed."""
    roster = [str(Path(sys.executable).parent / "roster"), "--workspace", str(FOLDER), *words]
    start = time.perf_counter()
    process = subprocess.Popen(roster, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    code = os.waitstatus_to_exitcode(status)
    cpu = used.ru_utime + used.ru_stime
    name = " ".join(Path(word).name for word in words[:2])
    print(f"{name:40}{seconds:9.1f} s{cpu:9.1f} CPU s{used.ru_maxrss / 1024:9.0f} MB", flush=True)
    if code != expect:
        raise SystemExit(f"roster {name} ended with {code}, not {expect}:\n{said}")
    return said


def drop(students: int, day: int, world: demo_world.World) -> None:
    """Put the package of a day on the district's server, arriving now."""
    outgoing = world.export(demo_world.SPRINGFIELD, 1).parent
    unfinished = outgoing / f".day-{day}.part"
    shutil.copyfile(package(students, day), unfinished)
    unfinished.replace(outgoing / f"day-{day}.zip")


def count(students: int) -> int:
    """The rows of a package, counted in a process of its own: its memory would show in others'."""
    program = (
        "import sys; from pathlib import Path;"
        "from roster_pipeline.oneroster.package import open_package\n"
        "with open_package(Path(sys.argv[1])) as p:"
        " print(sum(len(b.lines) for e in p.modes for b in p.blocks(e)))"
    )
    counted = [sys.executable, "-c", program, str(package(students, 0))]
    return int(subprocess.run(counted, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    """Run the commands on a district of the size that the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=1_000_000)
    students = parser.parse_args().students
    for day in (0, 1):
        package(students, day)
    shutil.rmtree(FOLDER, ignore_errors=True)
    world = demo_world.World(FOLDER, datetime.now(UTC))
    demo_world.build(world)
    # Accounts have a benchmark of their own.
    (FOLDER / "products" / f"{demo_world.PRODUCT}.yaml").unlink()
    size = package(students, 0).stat().st_size / 1e6
    print(f"{students:,} students, {count(students):,} rows, {size:.0f} MB zipped")
    command("check", str(package(students, 0)))
    source = demo_world.SPRINGFIELD.source
    with served(FOLDER):
        drop(students, 0, world)
        command("sync", source, expect=3)
        (hold,) = command("holds", "--format", "json").split('"name": "')[1:]
        command("approve", hold.split('"')[0], "--why", "the first roster of the year")
        drop(students, 1, world)
        command("sync", source)
    print(f"delivered {world.delivered(demo_world.SPRINGFIELD).stat().st_size / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
