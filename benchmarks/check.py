"""`roster check`'s work on a district's zip, against a bare read of the same files.

    python -m benchmarks.check                       100,000 students
    python -m benchmarks.check --students 10000 --runs 5

Four ways are timed in turn, each run in a process of its own, imports apart:

- whole, streamed: the floor, twice: ISA-L inflates each member, Arrow reads it as text columns, at
  once with its threads or some megabytes at a time. The faster of the two is what × counts in;
- clean: every rule on a package without a finding, the roster written, as a sync has it;
- spoilt: the same with one cell wrong in each twentieth row of every file, by turns a word, a
  date, a reference, a list, a required cell.

Seconds are of the work alone; memory is the peak of the whole process, imports included.
"""

import argparse
import csv
import io
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from benchmarks.districts import DATA, package

if TYPE_CHECKING:
    from roster_pipeline.oneroster.entities import Column

TODAY: Final = date(2026, 9, 14)
"""The simulated district's day 0."""
EVERY: Final = 20
_CHUNK: Final = 8 << 20
_LIMIT: Final = 5.0
_LIMIT_SPOILT: Final = 1.5
_LIMIT_MB: Final = 1024

Result = dict[str, float]


def _members(path: Path) -> Iterator[tuple[BinaryIO, list[str]]]:
    """Each CSV member of a zip, and the names in its header."""
    from roster_pipeline.tables.archive import ZipReader

    with path.open("rb") as file, ZipReader(file) as reader:
        for name in reader.names:
            with reader.open(name) as member:
                header = member.readline().decode().strip().split(",")
            with reader.open(name) as member:
                yield member, header


def _as_text(header: list[str]) -> Any:
    import pyarrow as pa
    import pyarrow.csv as pa_csv

    return pa_csv.ConvertOptions(column_types={name: pa.string() for name in header})


def whole(path: Path, _: Path) -> int:
    """Each file inflated, then read at once."""
    import pyarrow as pa
    import pyarrow.csv as pa_csv

    rows = 0
    for member, header in _members(path):
        content = cast(BinaryIO, pa.BufferReader(member.read()))
        rows += len(pa_csv.read_csv(content, convert_options=_as_text(header)))
    return rows


def streamed(path: Path, _: Path) -> int:
    """Each file inflated and read some megabytes at a time."""
    import pyarrow.csv as pa_csv

    rows = 0
    options = pa_csv.ReadOptions(block_size=_CHUNK)
    for member, header in _members(path):
        with pa_csv.open_csv(member, read_options=options, convert_options=_as_text(header)) as it:
            rows += sum(batch.num_rows for batch in it)
    return rows


def check(path: Path, folder: Path) -> int:
    """What `roster check` does between its words; how many findings there are."""
    from roster_pipeline.oneroster.package import open_package
    from roster_pipeline.quality.candidate import build_candidate

    with open_package(path) as opened:
        return len(build_candidate(opened, None, folder / "made", today=TODAY).findings)


WAYS: Final[dict[str, Callable[[Path, Path], int]]] = {
    "whole": whole,
    "streamed": streamed,
    "clean": check,
    "spoilt": check,
}


# ---- the spoilt package ----


def spoilt(students: int) -> Path:
    """The same zip with one cell wrong in each twentieth row, made once of each clean one."""
    path, clean = DATA / f"{students}-0-spoilt.zip", package(students, 0)
    if not path.exists() or path.stat().st_mtime < clean.stat().st_mtime:
        unfinished = path.with_suffix(".unfinished")
        with (
            zipfile.ZipFile(clean) as old,
            zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as new,
        ):
            for name in old.namelist():
                with old.open(name) as source, new.open(name, "w", force_zip64=True) as target:
                    _spoil(name.removesuffix(".csv"), source, target)
        unfinished.replace(path)
    return path


def _spoil(entity: str, source: Any, target: Any) -> None:
    from roster_pipeline.oneroster.entities import ENTITIES, columns

    rows = csv.reader(io.TextIOWrapper(source, "utf-8", newline=""))
    text = io.TextIOWrapper(target, "utf-8", newline="")
    out = csv.writer(text)
    header = next(rows)
    out.writerow(header)
    wrong = [
        (header.index(column.name), cell)
        for column in (columns(entity) if entity in ENTITIES else ())
        if column.name in header and (cell := _wrong(column)) is not None
    ]
    for number, row in enumerate(rows):
        if wrong and number % EVERY == EVERY // 2:
            place, cell = wrong[number // EVERY % len(wrong)]
            row[place] = cell.format(number)
        out.writerow(row)
    text.flush()
    text.detach()


def _wrong(column: "Column") -> str | None:
    """A text that the column cannot hold; None where it is left alone."""
    from roster_pipeline.oneroster.entities import BULK_BLANK, Kind, Required

    if column.name in BULK_BLANK or column.name == "sourcedId":
        return None
    of_kind = {
        Kind.WORD: "mistyped",
        Kind.BOOLEAN: "maybe",
        Kind.DATE: "2026-13-45",
        Kind.REFERENCE: "nobody-{}",
        Kind.REFERENCES: "nobody {},,",
        Kind.USER_IDS: "no pair",
    }
    if column.kind in of_kind:
        return of_kind[column.kind]
    return "" if column.required is Required.ALWAYS else None


# ---- running ----


def _child(way: str, students: int) -> None:
    path = spoilt(students) if way == "spoilt" else package(students, 0)
    if way == "prepare":
        spoilt(students)
        return
    _import()
    with tempfile.TemporaryDirectory(dir=DATA) as scratch:
        start, cpu = time.perf_counter(), time.process_time()
        result = WAYS[way](path, Path(scratch))
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak_mb": peak, "result": result}))


def _import() -> None:
    """What the ways import when they first run is no part of their work."""
    import pandas as pd
    import pandera.pandas as pa

    from roster_pipeline.quality import candidate

    assert candidate
    pa.DataFrameSchema({}).validate(pd.DataFrame())


def _run(way: str, students: int) -> Result:
    command = [sys.executable, "-m", "benchmarks.check", "--child", way, str(students)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{way} at {students}: {done.stderr or done.stdout}")
    found: Result = json.loads(done.stdout.splitlines()[-1]) if done.stdout else {}
    return found


def _compare(students: int, runs: int) -> None:
    _run("prepare", students)
    found: dict[str, list[Result]] = {way: [] for way in WAYS}
    for _ in range(runs):
        for way in WAYS:
            found[way].append(_run(way, students))
    median = {
        way: {key: statistics.median(run[key] for run in some) for key in some[0]}
        for way, some in found.items()
    }
    bare = min(median[way]["seconds"] for way in ("whole", "streamed"))
    print(f"\n{students:,} students, median of {runs} interleaved")
    print(f"{'':10}{'wall s':>9}{'min–max':>16}{'CPU s':>9}{'peak MB':>9}{'× bare':>9}"
          f"{'findings':>10}{'a second':>10}")  # fmt: skip
    for way, row in median.items():
        walls = sorted(run["seconds"] for run in found[way])
        spread = f"{walls[0]:.2f}–{walls[-1]:.2f}"
        line = (
            f"{way:10}{row['seconds']:9.2f}{spread:>16}{row['cpu']:9.2f}{row['peak_mb']:9.0f}"
            f"{row['seconds'] / bare:9.2f}"
        )
        if WAYS[way] is check:
            line += f"{row['result']:10,.0f}{row['result'] / row['seconds']:10,.0f}"
        print(line)
    clean, bad = median["clean"], median["spoilt"]
    peak = max(clean["peak_mb"], bad["peak_mb"])
    print(f"clean ÷ bare   {clean['seconds'] / bare:.2f} (at most {_LIMIT})")
    print(f"spoilt ÷ clean {bad['seconds'] / clean['seconds']:.2f} (at most {_LIMIT_SPOILT})")
    print(f"peak           {peak:.0f} MB (at most {_LIMIT_MB})")


def main() -> None:
    """Run the comparison that the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--students", type=int, nargs="+", default=[100_000])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--child", nargs=2, metavar=("WAY", "STUDENTS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        way, students = arguments.child
        _child(way, int(students))
        return
    for students in arguments.students:
        _compare(students, arguments.runs)


if __name__ == "__main__":
    main()
