"""Write the package of a make-believe district: `python -m roster_pipeline.simulator --help`."""

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from roster_pipeline.simulator.accidents import ACCIDENTS, CUT_OFF, apply_accident
from roster_pipeline.simulator.cells import IdStyle
from roster_pipeline.simulator.deviations import DEVIATIONS
from roster_pipeline.simulator.district import District
from roster_pipeline.simulator.formats import FORMATS, write_as
from roster_pipeline.simulator.rewriting import Planted

OLD_FILE_DAYS: Final = 7
"""How old the old file is that comes again."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; gives its exit code."""
    arguments = _parser().parse_args(argv)
    try:
        district = District(
            students=arguments.students,
            seed=arguments.seed,
            today=arguments.today,
            ids=IdStyle(arguments.ids),
        )
        print(_write(district, arguments))  # noqa: T201  this is the command line
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m roster_pipeline.simulator",
        description="Write the OneRoster zip of a make-believe district, or another form of it.",
        epilog="Accidents: " + "; ".join(f"{n}: {a.imitates}" for n, a in ACCIDENTS.items()),
    )
    parser.add_argument("--students", type=int, default=District.students)
    parser.add_argument("--seed", type=int, default=District.seed)
    parser.add_argument("--today", type=date.fromisoformat, default=District.today, help="day 0")
    parser.add_argument("--day", type=int, default=0, help="days after day 0")
    parser.add_argument("--since", type=int, help="write the delta since this day instead")
    parser.add_argument("--version", choices=("1.1", "1.2"), default="1.2")
    parser.add_argument("--ids", choices=[style.value for style in IdStyle], default="uuid")
    parser.add_argument("--accident", choices=tuple(ACCIDENTS), metavar="NAME")
    parser.add_argument(
        "--format", choices=tuple(FORMATS), help="write this instead of OneRoster 1.1 or 1.2"
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="the zip to write; with --format also a folder, where the name has no .zip",
    )
    return parser


def _write(district: District, arguments: argparse.Namespace) -> str:
    if arguments.format is not None:
        return _write_format(district, arguments)
    if arguments.accident is None:
        return _counted(arguments.out, _write_package(district, arguments, arguments.out))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    planted = _write_accident(district, arguments, arguments.out)
    places = "".join(f"\n{p.file}, line {p.line}: {p.kind} {p.column or ''}" for p in planted)
    return f"{arguments.out}: {arguments.accident}{places}"


def _write_format(district: District, arguments: argparse.Namespace) -> str:
    """Write the OneRoster package, let its accident happen, and write that in the format."""
    if arguments.since is not None:
        raise ValueError("the formats have no deltas: leave out --since or --format")
    if arguments.accident in DEVIATIONS:
        raise ValueError(
            f"{arguments.accident} spoils OneRoster's own files: leave out --accident or --format"
        )
    name, out, accident = arguments.format, arguments.out, arguments.accident
    arguments.version = FORMATS[name].version
    on = district.date_of(arguments.day)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        package = Path(folder, "package.zip")
        if accident is None or accident == CUT_OFF:
            _write_package(district, arguments, package)
        else:
            _write_accident(district, arguments, package)
        whole = Path(folder, "whole.zip") if accident == CUT_OFF else out
        counts = write_as(name, package, whole, on)
        if accident == CUT_OFF:
            apply_accident(CUT_OFF, whole, out)
    return _counted(out, counts) if accident is None else f"{out}: {accident}"


def _counted(out: Path, counts: Mapping[str, int]) -> str:
    rows = ", ".join(f"{rows:,} {name.removesuffix('.csv')}" for name, rows in counts.items())
    return f"{out}: {sum(counts.values()):,} rows ({rows})"


def _write_accident(
    district: District, arguments: argparse.Namespace, out: Path
) -> tuple[Planted, ...]:
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        whole, older = Path(folder, "whole.zip"), Path(folder, "older.zip")
        _write_package(district, arguments, whole)
        options = {}
        if arguments.accident == "old-file-again":
            if arguments.day < 1:
                raise ValueError("there is no file older than day 0's: choose a later --day")
            district.write_package(older, max(0, arguments.day - OLD_FILE_DAYS), arguments.version)
            options["older"] = older
        return apply_accident(arguments.accident, whole, out, **options)


def _write_package(district: District, arguments: argparse.Namespace, out: Path) -> dict[str, int]:
    if arguments.since is not None:
        return district.write_delta(out, arguments.since, arguments.day, arguments.version)
    return district.write_package(out, arguments.day, arguments.version)


if __name__ == "__main__":
    sys.exit(main())
