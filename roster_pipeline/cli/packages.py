"""`roster check` and `roster diff`: packages on this disk, and the last ones of sources."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from roster_pipeline.cli.console import Ends, Format, FormatOption, Refusal, answer, end, progress

if TYPE_CHECKING:
    from datetime import date

    from rich.progress import Progress

    from roster_pipeline.cli.subjects import Subject
    from roster_pipeline.oneroster.package import Package
    from roster_pipeline.oneroster.roster import Roster
    from roster_pipeline.oneroster.rules import Policy
    from roster_pipeline.oneroster.versions import RoleMap
    from roster_pipeline.quality.candidate import Candidate
    from roster_pipeline.reports.causes import Values
    from roster_pipeline.reports.packages import Checked

    Reading = Callable[[Path | BinaryIO], AbstractContextManager[Package]]


class CheckFormat(StrEnum):
    """How `roster check` answers."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"


def check(
    context: typer.Context,
    named: Annotated[
        str,
        typer.Argument(
            metavar="PATH|SOURCE",
            help="A OneRoster zip, a folder with its files, or a source: its last package.",
        ),
    ],
    strict: Annotated[
        bool, typer.Option("--strict", help="Insist on the standard to the letter.")
    ] = False,
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            metavar="PATH|SOURCE",
            help="What was accepted before: an earlier package, or a source's accepted roster.",
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--source", metavar="SOURCE", help="Read a PATH as a source of the workspace is read."
        ),
    ] = None,
    vendor: Annotated[
        str | None,
        typer.Option(
            "--vendor",
            metavar="VENDOR",
            help="Read a PATH as the files of a vendor, as `roster vendor list` names it.",
        ),
    ] = None,
    values: Annotated[
        bool, typer.Option("--values", help="Show the cells, with what is personal masked.")
    ] = False,
    show_values: Annotated[
        bool, typer.Option("--show-values", help="Show the cells as they are, but for passwords.")
    ] = False,
    form: Annotated[
        CheckFormat,
        typer.Option("--format", help="For a person, for a program, or one line per finding."),
    ] = CheckFormat.TEXT,
) -> None:
    """Say what is wrong with a package, offline.

    Exits 0 if nothing is or there are only warnings, 1 if values, rows or the whole package would
    not be taken, 2 if the package cannot be opened.
    """
    from tempfile import TemporaryDirectory

    from roster_pipeline.cli.subjects import subject
    from roster_pipeline.reports.packages import unreadable
    from roster_pipeline.store import NotStored
    from roster_pipeline.tables.archive import ArchiveError

    with (
        subject(context, named, strict=strict, source=source, vendor=vendor) as judged,
        TemporaryDirectory(prefix="roster-check-") as scratch,
    ):
        into = Path(scratch) / "base"
        base = _base(context, against, judged, into) if against else judged.base
        try:
            checked = _checked(judged, base, Path(scratch) / "roster", values, show_values)
        except NotStored as error:
            raise Refusal(str(error), Ends.UNREADABLE) from error
        except (ArchiveError, OSError) as error:
            if form is not CheckFormat.TEXT:
                code = getattr(error, "code", "unreadable")
                _told(unreadable(judged.name, code, _sentence(error)), form)
            raise Refusal(f"{judged.name}: {_sentence(error)}", Ends.UNREADABLE) from error
        _told(checked, form)
    end(Ends.DONE if checked.verdict == "valid" else Ends.ERROR)


def _checked(
    subject: "Subject", base: "Roster | None", into: Path, values: bool, show_values: bool
) -> "Checked":
    from roster_pipeline.oneroster.entities import ENTITIES
    from roster_pipeline.reports.packages import Checked

    wanted = values or show_values
    with subject.open() as where:
        version, made, mended = _judged(
            where,
            base,
            into,
            policy=subject.policy,
            read=subject.read,
            role_map=subject.role_map,
            today=subject.today,
        )
        cells = _cells(where, version, made, subject, show_values) if wanted else None
    sent = [entity for entity in ENTITIES if entity in made.rows or made.held.get(entity)]
    lost = {entity: made.held.get(entity, 0) + made.orphaned.get(entity, 0) for entity in sent}
    return Checked(
        subject.name,
        version,
        made.roster is not None,
        made.findings,
        subject.policy.profile,
        {entity: max(0, made.rows.get(entity, 0) - lost[entity]) for entity in sent},
        made.held,
        made.orphaned,
        made.header_only,
        cells,
        mended,
    )


def _cells(
    where: Path | BinaryIO,
    version: str | None,
    made: "Candidate",
    subject: "Subject",
    show_values: bool,
) -> "Values":
    from roster_pipeline.oneroster.manifest import Version
    from roster_pipeline.reports.cells import read_cells

    known = Version(version) if version else None
    own, masking = subject.mapped, not show_values
    return read_cells(where, known, made.findings, masking=masking, own_columns=own)


def _base(context: typer.Context, named: str, subject: "Subject", into: Path) -> "Roster | None":
    """What a package is compared with: an earlier one, or a source's accepted roster."""
    from roster_pipeline.cli.subjects import accepted, source_rooms

    path = Path(named).expanduser()
    if path.exists():
        return _roster(path, None, into, subject.read)
    with source_rooms(context, named) as rooms:
        if (found := accepted(rooms, named)) is None:
            raise Refusal(f"{named} has no accepted roster yet.", Ends.UNREADABLE)
        return found


def _told(checked: "Checked", form: CheckFormat) -> None:
    """The answer on stdout, as it is made: there may be hundreds of thousands of findings."""
    from roster_pipeline.reports.findings_lines import csv_lines
    from roster_pipeline.reports.packages import check_json, check_text

    if form is CheckFormat.TEXT:
        answer(check_text(checked), {}, Format.TEXT)
    elif form is CheckFormat.JSON:
        _write(check_json(checked))
    else:
        _write(csv_lines(checked.findings, checked.values))


def _write(pieces: Iterable[str]) -> None:
    # The name of a member may be no text; it is then written with escapes.
    getattr(sys.stdout, "reconfigure", lambda **_: None)(errors="backslashreplace", newline="")
    sys.stdout.writelines(pieces)


def diff(
    old: Annotated[Path, typer.Argument(help="The earlier package, zip or folder.")],
    new: Annotated[Path, typer.Argument(help="The later one; a delta is applied to the earlier.")],
    form: FormatOption = Format.TEXT,
) -> None:
    """Say what a sync would change that has OLD and is given NEW.

    As in a sync, a held row keeps its old version and a missing file removes nobody.
    """
    from tempfile import TemporaryDirectory

    from roster_pipeline.oneroster.delta import changed_columns
    from roster_pipeline.oneroster.delta import diff as compare
    from roster_pipeline.reports.changes import changes_document, changes_text

    with TemporaryDirectory(prefix="roster-diff-") as scratch:
        before = _roster(old, None, Path(scratch) / "old")
        after = _roster(new, before, Path(scratch) / "new")
        with progress() as shown:
            shown.add_task("Comparing", total=None)
            delta = compare(before, after)
            counts = delta.counts()
            columns = {entity: changed_columns(delta, entity) for entity in counts}
    document = {
        "schema": "roster.diff/1",
        "old": str(old),
        "new": str(new),
        **changes_document(counts, columns),
    }
    answer(changes_text(counts, columns), document, form)


@contextmanager
def _watched(path: Path | BinaryIO, shown: "Progress") -> "Iterator[Path | BinaryIO]":
    """The package, with progress by how much of a zip has been read."""
    if not isinstance(path, Path) or path.is_dir() or shown.disable:
        name = path.name if isinstance(path, Path) else "the package"
        shown.add_task(f"Reading {name}", total=None)
        yield path
        return
    with path.open("rb") as file:
        task = shown.add_task(f"Reading {path.name}", total=path.stat().st_size)
        yield shown.wrap_file(file, task_id=task)


def _roster(
    path: Path, base: "Roster | None", into: Path, read: "Reading | None" = None
) -> "Roster":
    """What can be used of a package. Raises Refusal if nothing can."""
    if not path.exists():
        raise Refusal(f"There is no {path}.", Ends.UNREADABLE)
    from roster_pipeline.oneroster.rules import LENIENT
    from roster_pipeline.tables.archive import ArchiveError

    try:
        _version, candidate, _mended = _judged(path, base, into, policy=LENIENT, read=read)
    except (ArchiveError, OSError) as error:
        raise Refusal(f"{path}: {_sentence(error)}", Ends.UNREADABLE) from error
    if candidate.roster is None:
        raise Refusal(f"{path} cannot be used; see `roster check {path}`.", Ends.UNREADABLE)
    return candidate.roster


def _judged(
    where: Path | BinaryIO,
    base: "Roster | None",
    into: Path,
    *,
    policy: "Policy",
    read: "Reading | None" = None,
    role_map: "RoleMap | None" = None,
    today: "date | None" = None,
) -> "tuple[str | None, Candidate, dict[str, dict[str, int]]]":
    """The package's version, what can be used of it, and how many cells were mended of each column;
    `read` opens one, as OneRoster without. Raises ArchiveError and OSError."""
    from roster_pipeline.oneroster.versions import DEFAULT_ROLES
    from roster_pipeline.quality.candidate import build_candidate
    from roster_pipeline.sources.opening import open_mapped
    from roster_pipeline.sources.repairs import repaired_cells

    with (
        progress() as shown,
        _watched(where, shown) as stream,
        (read or open_mapped)(stream) as package,
    ):
        candidate = build_candidate(
            package,
            base,
            into,
            policy=policy,
            role_map=role_map or DEFAULT_ROLES,
            today=today,
        )
        return package.version, candidate, repaired_cells(package)


def _sentence(error: Exception) -> str:
    """What an error of opening says, without the path, which stands beside it."""
    return getattr(error, "strerror", None) or str(error)
