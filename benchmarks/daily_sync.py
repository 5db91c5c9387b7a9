"""A district's second day: zip → landed → validated → changes → guards → delta zip, snapshot.

    python -m benchmarks.daily_sync                  10,000 and 100,000 students
    python -m benchmarks.daily_sync --students 1000000 --runs 1 --skip naive

Three ways are timed in turn, each run in a process of its own, imports and preparation apart:

- L0, the floor: inflate every member with ISA-L and count the newlines;
- naive: `read_csv(dtype=str)`, the same rules as lazy Pandera schemas, merges for the references
  and for the difference with yesterday, `to_csv` into `zipfile`, Parquet as pandas writes it;
- ours: what a sync runs between the download and the delivery.

Yesterday is prepared in an earlier process. Seconds are of the work alone; memory is the peak of
the whole process, imports included.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from benchmarks.districts import DATA, package

if TYPE_CHECKING:
    import pandas as pd
    import pandera.pandas as pa

    from roster_pipeline.oneroster.roster import Roster

MODIFIED: Final = datetime(2026, 9, 1, tzinfo=UTC)
Work = Callable[[], object]


def floor(students: int, _: Path, __: Path) -> Work:
    """L0."""
    from roster_pipeline.tables.archive import ZipReader

    def work() -> int:
        lines = 0
        with package(students, 1).open("rb") as file, ZipReader(file) as reader:
            for name in reader.names:
                with reader.open(name) as member:
                    while data := member.read(1 << 20):
                        lines += data.count(b"\n")
        return lines

    return work


def _naive_frames(students: int, day: int) -> "dict[str, pd.DataFrame]":
    import pandas as pd

    from roster_pipeline.oneroster.entities import ENTITIES

    with zipfile.ZipFile(package(students, day)) as archive:
        return {
            entity: pd.read_csv(
                archive.open(f"{entity}.csv"), dtype=str, keep_default_na=False, na_values=[""]
            )
            for entity in ENTITIES
        }


def _import_late() -> None:
    """What Pandera imports when it first validates is an import, too."""
    import pandas as pd
    import pandera.pandas as pa

    pa.DataFrameSchema({}).validate(pd.DataFrame())


def prepare_naive(students: int, yesterday: Path) -> None:
    """Yesterday as pandas keeps it."""
    for entity, frame in _naive_frames(students, 0).items():
        frame.to_parquet(yesterday / f"{entity}.parquet")


def naive(students: int, yesterday: Path, folder: Path) -> Work:
    """What one writes on a first day with pandas."""
    import pandas as pd
    import pandera.pandas as pa
    import pyarrow as arrow  # noqa: ICN001  pa is Pandera here

    pool = arrow.default_memory_pool()
    from roster_pipeline.oneroster.entities import ENTITIES, Kind, columns, references

    # Importing our tables chose another allocator; on a first day one has Arrow's own.
    arrow.set_memory_pool(pool)
    schemas = {entity: _text_schema(entity) for entity in ENTITIES}
    _import_late()

    def work() -> int:
        today = _naive_frames(students, 1)
        for entity, frame in today.items():
            try:
                schemas[entity].validate(frame, lazy=True)
            except pa.errors.SchemaErrors as errors:
                raise SystemExit(f"{entity}: {len(errors.failure_cases)} failures") from None
        for entity, frame in today.items():
            for column in references(entity):
                if column.kind is Kind.REFERENCES or column.name == "sourcedId":
                    continue
                known = today[column.target or entity][["sourcedId"]]
                asked = frame[[column.name]].dropna()
                joined = asked.merge(
                    known, left_on=column.name, right_on="sourcedId", how="left", indicator=True
                )
                assert (joined["_merge"] == "both").all()
        rows = 0
        out = zipfile.ZipFile(folder / "delta.zip", "w", zipfile.ZIP_DEFLATED)
        with out as archive:
            for entity, frame in today.items():
                names = [column.name for column in columns(entity)]
                old = pd.read_parquet(yesterday / f"{entity}.parquet")
                joined = old.merge(
                    frame, on="sourcedId", how="outer", suffixes=("_old", ""), indicator=True
                )
                both = joined["_merge"] == "both"
                changed = both & False
                for name in names[1:]:
                    now, was = joined[name].fillna(""), joined[f"{name}_old"].fillna("")
                    changed |= both & (now != was)
                moved = joined[changed | (joined["_merge"] != "both")].reindex(columns=names)
                rows += len(moved)
                archive.writestr(f"{entity}.csv", moved.to_csv(index=False))
                frame.to_parquet(folder / f"{entity}-today.parquet")
        return rows

    return work


def _text_schema(entity: str) -> "pa.DataFrameSchema":
    """The same rules as one writes them with Pandera's own checks, for pandas' own text dtype."""
    import pandera.pandas as pa

    from roster_pipeline.oneroster import entities
    from roster_pipeline.oneroster.checks import GUID

    patterns = {
        entities.Kind.GUID: GUID,
        entities.Kind.REFERENCE: GUID,
        entities.Kind.REFERENCES: entities.GUIDS,
        entities.Kind.DATE: r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
        entities.Kind.DATETIME: entities.DATETIME,
        entities.Kind.YEAR: entities.YEAR,
        entities.Kind.USER_IDS: entities.USER_IDS,
    }

    def check(column: entities.Column) -> list[pa.Check]:
        if column.words and not column.extensible:
            return [pa.Check.isin(column.words)]
        if column.words:
            words = "|".join(column.words)
            return [pa.Check.str_matches(rf"^(?:{words}|{entities.EXTENSION})$")]
        known = column.kind in patterns
        return [pa.Check.str_matches(patterns[column.kind])] if known else []

    made = {
        column.name: pa.Column(
            str, check(column), nullable=column.required is not entities.Required.ALWAYS
        )
        for column in entities.columns(entity)
    }
    return pa.DataFrameSchema(made, unique=["sourcedId"])


Accept = Callable[[Path | BinaryIO, "Roster | None", Path], "Roster"]


def _acceptance() -> Accept:
    from roster_pipeline.oneroster.package import open_package
    from roster_pipeline.quality.candidate import build_candidate
    from roster_pipeline.store.snapshots import Snapshots

    def accept(where: Path | BinaryIO, base: "Roster | None", store: Path) -> "Roster":
        snapshots = Snapshots(store)
        staged = snapshots.stage("bench")
        with open_package(where) as opened:
            candidate = build_candidate(opened, base, staged, today=MODIFIED.date())
        # Of namesakes born on one day there are warnings.
        assert candidate.roster is not None
        return snapshots.open(snapshots.put("bench", candidate.roster))

    return accept


def prepare_ours(students: int, yesterday: Path) -> None:
    """Yesterday as the store keeps it."""
    roster = _acceptance()(package(students, 0), None, yesterday)
    (yesterday / "roster").write_text(str(Path(roster.url).relative_to(yesterday)))


def ours(students: int, yesterday: Path, folder: Path) -> Work:
    """A sync without Dagster, the ledger and the wire to the receiver."""
    from roster_pipeline.guards.facts import Facts
    from roster_pipeline.guards.gather import gather
    from roster_pipeline.guards.judge import judge
    from roster_pipeline.guards.settings import GuardSettings
    from roster_pipeline.oneroster.delta import diff
    from roster_pipeline.oneroster.roster import Roster
    from roster_pipeline.oneroster.writing import write_delta
    from roster_pipeline.sources.landing import land
    from roster_pipeline.sources.vendors import load
    from roster_pipeline.store.landing import Landing
    from roster_pipeline.transport.folder import Folder

    landing, channel = Landing(folder / "store"), Folder(package(students, 1).parent)
    accept, secrets = _acceptance(), load("generic-csv").secrets
    _import_late()
    old = Roster.open(str(yesterday / (yesterday / "roster").read_text()))

    def work() -> int:
        (remote,) = channel.list(".", f"{students}-1.zip")
        with land(channel, remote, source="bench", secrets=secrets, scratch=folder) as bytes_:
            landed = landing.put(
                "bench",
                bytes_.file,
                date=date(2026, 9, 1),
                original_hash=bytes_.original_hash,
                remote_path=remote.path,
                modified=remote.modified,
            )
        with landing.open(landed) as file:
            today = accept(file, old, folder / "store")
        delta = diff(old, today)
        given = Facts(counts=today.counts, base=old.counts)
        verdict = judge(gather(given, delta, MODIFIED.date()), GuardSettings())
        assert verdict.outcome == "pass"
        with (folder / "delta.zip").open("wb") as out:
            return sum(write_delta(delta, out, modified=MODIFIED).values())

    return work


WAYS: Final = {"L0": floor, "naive": naive, "ours": ours}
PREPARE: Final = {"naive": prepare_naive, "ours": prepare_ours}


def _child(way: str, students: int) -> None:
    """One run; the first child of a way and size prepares yesterday and ends."""
    yesterday = DATA / "yesterday" / f"{way}-{students}"
    if way in PREPARE and not yesterday.exists():
        unfinished = Path(tempfile.mkdtemp(dir=DATA))
        PREPARE[way](students, unfinished)
        yesterday.parent.mkdir(exist_ok=True)
        unfinished.rename(yesterday)
        return
    with tempfile.TemporaryDirectory(dir=DATA) as scratch:
        work = WAYS[way](students, yesterday, Path(scratch))
        start, cpu = time.perf_counter(), time.process_time()
        result = work()
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak_mb": peak, "result": result}))


def _run(way: str, students: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.daily_sync", "--child", way, str(students)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{way} at {students}: {done.stderr or done.stdout}")
    if not done.stdout:
        return _run(way, students)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _compare(students: int, runs: int, ways: list[str]) -> None:
    for day in (0, 1):
        package(students, day)
    found: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    for _ in range(runs):
        for way in ways:
            found[way].append(_run(way, students))
    print(f"\n{students:,} students, median of {runs} interleaved")
    print(f"{'':8}{'wall s':>9}{'min–max':>16}{'CPU s':>9}{'peak MB':>9}{'× L0':>8}{'naive ÷':>9}")
    median = {
        way: {key: statistics.median(run[key] for run in runs_) for key in runs_[0]}
        for way, runs_ in found.items()
    }
    for way in ways:
        walls = sorted(run["seconds"] for run in found[way])
        row = median[way]
        times = row["seconds"] / median["L0"]["seconds"] if "L0" in ways else float("nan")
        saved = median["naive"]["seconds"] / row["seconds"] if "naive" in ways else float("nan")
        spread = f"{walls[0]:.2f}–{walls[-1]:.2f}"
        print(
            f"{way:8}{row['seconds']:9.2f}{spread:>16}{row['cpu']:9.2f}{row['peak_mb']:9.0f}"
            f"{times:8.1f}{saved:9.1f}"
        )


def main() -> None:
    """Run the comparison that the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--students", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--skip", nargs="*", default=[], choices=list(WAYS))
    parser.add_argument("--child", nargs=2, metavar=("WAY", "STUDENTS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        way, students = arguments.child
        _child(way, int(students))
        return
    for students in arguments.students:
        _compare(students, arguments.runs, [way for way in WAYS if way not in arguments.skip])


if __name__ == "__main__":
    main()
