"""`roster check` and `roster diff`: packages on this disk, without a workspace."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from roster_pipeline.cli.console import Ends, Format, FormatOption, Refusal, answer, end, progress

if TYPE_CHECKING:
    from rich.progress import Progress

    from roster_pipeline.oneroster.roster import Roster
    from roster_pipeline.quality.candidate import Candidate


def check(
    path: Annotated[Path, typer.Argument(help="A OneRoster zip, or a folder with its files.")],
    strict: Annotated[
        bool, typer.Option("--strict", help="Let every finding stop, as a strict source does.")
    ] = False,
    form: FormatOption = Format.TEXT,
) -> None:
    """Say what is wrong with a package, offline.

    Exits 0 if nothing is or there are only warnings, 1 if values, rows or the whole package would
    not be taken, 2 if the package cannot be opened.
    """
    from tempfile import TemporaryDirectory

    from roster_pipeline.reports.packages import (
        Checked,
        check_document,
        check_text,
        unreadable_document,
    )

    with TemporaryDirectory(prefix="roster-check-") as scratch:
        try:
            version, candidate = _read(path, None, Path(scratch) / "roster", strict=strict)
        except Refusal as error:
            if form is Format.JSON:
                answer("", unreadable_document(str(path), str(error)), form)
            raise
        usable = candidate.roster is not None
        rows = candidate.roster.counts if candidate.roster else {}
    checked = Checked(str(path), version, usable, candidate.findings, rows, candidate.held)
    answer(check_text(checked), check_document(checked), form)
    end(Ends.ERROR if checked.outcome == "errors" else Ends.DONE)


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
def _watched(path: Path, shown: "Progress") -> "Iterator[Path | BinaryIO]":
    """The package, with progress by how much of a zip has been read."""
    if path.is_dir() or shown.disable:
        shown.add_task(f"Reading {path.name}", total=None)
        yield path
        return
    with path.open("rb") as file:
        task = shown.add_task(f"Reading {path.name}", total=path.stat().st_size)
        yield shown.wrap_file(file, task_id=task)


def _roster(path: Path, base: "Roster | None", into: Path) -> "Roster":
    _version, candidate = _read(path, base, into, strict=False)
    if candidate.roster is None:
        raise Refusal(f"{path} cannot be used; see `roster check {path}`.", Ends.UNREADABLE)
    return candidate.roster


def _read(
    path: Path, base: "Roster | None", into: Path, *, strict: bool
) -> "tuple[str | None, Candidate]":
    """The package's version and what can be used of it. Raises Refusal if it cannot be opened."""
    if not path.exists():
        raise Refusal(f"There is no {path}.", Ends.UNREADABLE)
    from roster_pipeline.oneroster.package import open_package
    from roster_pipeline.oneroster.rules import LENIENT, STRICT
    from roster_pipeline.quality.candidate import build_candidate
    from roster_pipeline.tables.archive import ArchiveError

    try:
        with progress() as shown, _watched(path, shown) as where, open_package(where) as package:
            candidate = build_candidate(package, base, into, policy=STRICT if strict else LENIENT)
            return package.version, candidate
    except (ArchiveError, OSError) as error:
        raise Refusal(f"{path}: {error}", Ends.UNREADABLE) from error
