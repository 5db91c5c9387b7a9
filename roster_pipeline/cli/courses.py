"""`roster courses`: what waits for a person's decision, and the decisions."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from roster_pipeline.cli.console import (
    Ends,
    Format,
    FormatOption,
    Refusal,
    answer,
    note,
    progress,
)
from roster_pipeline.cli.holds import Who, user
from roster_pipeline.cli.rooms import opened
from roster_pipeline.store import IGNORE, WITHDRAWN, CourseDecision

if TYPE_CHECKING:
    import pandas as pd

    from roster_pipeline.cli.rooms import Rooms
    from roster_pipeline.courses.catalogue import Catalogue
    from roster_pipeline.courses.decision_files import Scope
    from roster_pipeline.courses.suggestions import Suggestion
    from roster_pipeline.oneroster.roster import Roster
    from roster_pipeline.reports.courses import Waiting
    from roster_pipeline.workspace import Product

app = typer.Typer(
    help="Which course of a product each course of a district is.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Source = Annotated[str | None, typer.Argument(help="The id of a source; all by default.")]
ProductOption = Annotated[
    str | None, typer.Option("--product", help="The id of a product; all by default.")
]
Why = Annotated[str, typer.Option("--why", help="The reason, kept in the ledger for good.")]


@app.command()
def unmapped(
    context: typer.Context,
    source: Source = None,
    product: ProductOption = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """List the courses that no decision, code or rule maps; those with most classes first."""
    from roster_pipeline.reports.courses import unmapped_document, unmapped_text

    with opened(context) as rooms:
        waiting = waiting_courses(rooms, source, product)
    answer(unmapped_text(waiting, rooms.command), unmapped_document(waiting), form)


@app.command()
def suggest(
    context: typer.Context,
    source: Source = None,
    product: ProductOption = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Say what each unmapped course may be, how likely, and why. Nothing is applied."""
    from roster_pipeline.reports.courses import suggestions_document, suggestions_text

    with opened(context) as rooms:
        waiting = waiting_courses(rooms, source, product)
    answer(suggestions_text(waiting, rooms.command), suggestions_document(waiting), form)


@app.command()
def decide(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="The id of a source.")],
    course: Annotated[str, typer.Argument(help="A course's sourcedId, or its code.")],
    why: Why,
    product_course: Annotated[
        str | None, typer.Option("--as", help="The id of a course in the product's catalogue.")
    ] = None,
    ignore: Annotated[bool, typer.Option("--ignore", help="It is none of the product's.")] = False,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="An earlier decision holds no longer.")
    ] = False,
    product: Annotated[
        str | None, typer.Option("--product", help="The id of a product, if there are several.")
    ] = None,
    who: Who = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Decide what a district's course is. It holds from the source's next sync on."""
    said = [word for word in (product_course, ignore and IGNORE, withdraw and WITHDRAWN) if word]
    if len(said) != 1:
        raise Refusal("Say one of --as, --ignore and --withdraw.", Ends.UNREADABLE)
    if product_course in (IGNORE, WITHDRAWN):
        raise Refusal(f"For this say --{'ignore' if product_course == IGNORE else 'withdraw'}.")
    from rich.text import Text

    from roster_pipeline.courses.decision_files import objections
    from roster_pipeline.reports.courses import decision_document

    with opened(context) as rooms:
        rooms.require_source(source)
        this = _only(rooms, product)
        made = CourseDecision(
            product=this.id,
            source=source,
            course=_course(rooms, source, course),
            decision=said[0],
            who=(who or user()).strip(),
            why=why.strip(),
            at=datetime.now(UTC),
        )
        for _code, _column, sentence in objections(made, _scope(rooms, [this], ahead=False)):
            raise Refusal(f"{course}: {sentence}")
        new = rooms.ledger.record_course_decisions([made])
    sentence = f"{source}, {made.course}: {made.decision} for {this.id} from the next sync on."
    text = sentence if new else f"{sentence} That was decided already."
    answer(Text(text), decision_document(made), form)


@app.command("import")
def take(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A CSV file as `roster courses export` writes it.")],
    product: Annotated[
        str | None, typer.Option("--product", help="The product of rows that name none.")
    ] = None,
    why: Annotated[
        str | None, typer.Option("--why", help="The reason of rows without one.")
    ] = None,
    who: Who = None,
    ahead: Annotated[
        bool, typer.Option("--ahead", help="Take courses that a district does not have yet, too.")
    ] = False,
    form: FormatOption = Format.TEXT,
) -> None:
    """Take many decisions at once: all of a file, or none.

    Rows without a decision are passed over.
    """
    from rich.text import Text

    from roster_pipeline.courses.decision_files import Assumed, read_decisions
    from roster_pipeline.courses.files import FileError

    with opened(context) as rooms:
        mapping = _mapping(rooms, None)
        only = mapping[0].id if len(mapping) == 1 else None
        assumed = Assumed(product or only, (who or user()).strip(), why, datetime.now(UTC))
        try:
            made = read_decisions(file, _scope(rooms, mapping, ahead=ahead), assumed)
        except FileError as error:
            raise Refusal(f"{error}\nNothing was taken.", Ends.UNREADABLE) from error
        new = rooms.ledger.record_course_decisions(made)
    document = {"schema": "roster.courses.import/1", "decisions": len(made), "new": len(new)}
    text = f"{len(made):,} decisions, {len(new):,} of them new, hold from the next sync on."
    answer(Text(text), document, form)


@app.command("export")
def give(
    context: typer.Context,
    source: Source = None,
    product: ProductOption = None,
    waiting: Annotated[
        bool, typer.Option("--unmapped", help="What waits for a decision too, to be filled in.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="The file to write; standard output by default.")
    ] = None,
) -> None:
    """Write the decisions that hold as CSV, for a spreadsheet or another workspace."""
    import io

    from roster_pipeline.cli.workspaces import write
    from roster_pipeline.courses.decision_files import write_decisions

    written = io.BytesIO()
    with opened(context) as rooms:
        mapping = _mapping(rooms, product)
        catalogues = _catalogues(rooms, mapping) if waiting else {}
        decisions, courses, open_ones = [], {}, []
        for this, name, roster in _pairs(rooms, source, mapping):
            decisions += rooms.ledger.course_decisions(this.id, name)
            if roster is not None:
                courses[name] = roster.columns("courses", ["sourcedId", "title", "courseCode"])
            if roster is not None and waiting:
                left = _left(rooms, this, catalogues[this.id], name, roster)
                open_ones.append((this.id, name, left.courses, left.suggestions))
        rows = write_decisions(written, decisions, courses, open_ones)
    text = written.getvalue().decode()
    if out is None:
        sys.stdout.write(text)
        return
    write(out, text)
    note(f"{out}: {rows:,} rows, {len(decisions):,} of them decided.")


@contextmanager
def _located() -> Iterator[None]:
    """Faults of a catalogue, told as those of any file of the workspace."""
    from roster_pipeline.workspace import WorkspaceError

    try:
        yield
    except WorkspaceError as error:
        raise Refusal(str(error), Ends.UNREADABLE) from error


def _mapping(rooms: "Rooms", product: str | None) -> "list[Product]":
    """The products that map courses, or the one that is named. Raises Refusal if there is none."""
    workspace = rooms.workspace
    with _located():
        named = [*workspace.products.values()] if product is None else [workspace.product(product)]
    mapping = [this for this in named if this.courses is not None]
    if not mapping:
        which = "No product has" if product is None else f"Product {product} does not have"
        raise Refusal(f"{which} `courses:` in its file in products/.", Ends.UNREADABLE)
    return mapping


def _only(rooms: "Rooms", product: str | None) -> "Product":
    mapping = _mapping(rooms, product)
    if len(mapping) > 1:
        known = ", ".join(this.id for this in mapping)
        raise Refusal(f"Say --product; there are: {known}.", Ends.UNREADABLE)
    return mapping[0]


def _catalogues(rooms: "Rooms", mapping: "Sequence[Product]") -> "dict[str, Catalogue]":
    """The catalogue of each product; what is odd about one is said."""
    from roster_pipeline.workspace import open_catalogue

    with _located():
        opened = {this.id: open_catalogue(rooms.workspace.folder, this) for this in mapping}
    for catalogue in opened.values():
        for finding in catalogue.findings:
            note(f"roster: {finding}")
    return opened


def _pairs(
    rooms: "Rooms", source: str | None, mapping: "Sequence[Product]"
) -> "Iterator[tuple[Product, str, Roster | None]]":
    """Each product with each source that uses it, and the source's accepted roster."""
    if source is not None:
        rooms.require_source(source)
    for name in rooms.workspace.sources if source is None else [source]:
        using = [this for this in mapping if this.takes(name)]
        if source is not None and not using:
            raise Refusal(f"No product that maps courses takes {name}.", Ends.UNREADABLE)
        roster = _accepted(rooms, name) if using else None
        if using and roster is None:
            note(f"roster: {name} has no accepted roster yet; see `{rooms.command} status`.")
        for this in using:
            yield this, name, roster


def _accepted(rooms: "Rooms", source: str) -> "Roster | None":
    accepted = rooms.ledger.accepted(source)
    return None if accepted is None else rooms.snapshots.open(accepted.snapshot)


@dataclass(frozen=True)
class _Left:
    """What a product has not mapped of a source."""

    courses: "pd.DataFrame"
    suggestions: "Mapping[str, Sequence[Suggestion]]"


def _left(
    rooms: "Rooms", product: "Product", catalogue: "Catalogue", source: str, roster: "Roster"
) -> _Left:
    from roster_pipeline.courses.matching import READ, Status, map_courses
    from roster_pipeline.courses.suggestions import suggest as suggested

    settings = product.courses
    assert settings is not None  # noqa: S101  _mapping lets only such products through
    decisions = rooms.ledger.course_decisions(product.id, source)
    courses = roster.columns("courses", READ)
    with progress() as shown:
        shown.add_task(f"Matching the courses of {source}", total=None)
        mapped = map_courses(courses, catalogue, decisions, settings, source)
        left = mapped.of(Status.UNMAPPED)
        return _Left(left, suggested(left, catalogue, at_least=settings.suggest_from))


def waiting_courses(rooms: "Rooms", source: str | None, product: str | None) -> "list[Waiting]":
    """What waits, by source and product; courses with most classes first."""
    from roster_pipeline.courses.titles import text_of
    from roster_pipeline.reports.courses import Waiting

    waiting: list[Waiting] = []
    mapping = _mapping(rooms, product)
    catalogues = _catalogues(rooms, mapping)
    for this, name, roster in _pairs(rooms, source, mapping):
        if roster is None:
            continue
        left = _left(rooms, this, catalogues[this.id], name, roster)
        classes = roster.columns("classes", ["courseSourcedId"])["courseSourcedId"]
        counts = classes.value_counts().to_dict()
        found = [
            Waiting(
                this.id,
                name,
                course=str(row.sourcedId),
                code=text_of(row.courseCode),
                title=text_of(row.title),
                classes=int(counts.get(row.sourcedId, 0)),
                reason=str(row.reason),
                suggestions=left.suggestions[str(row.sourcedId)],
            )
            for row in left.courses.itertuples(index=False)
        ]
        waiting += sorted(found, key=lambda one: -one.classes)
    return waiting


def _course(rooms: "Rooms", source: str, named: str) -> str:
    """The sourcedId of a course that is named by it, or by a code that only it has."""
    roster = _accepted(rooms, source)
    if roster is None:
        raise Refusal(f"{source} has no accepted roster yet; see `{rooms.command} status`.")
    courses = roster.columns("courses", ["sourcedId", "courseCode"])
    if (courses["sourcedId"] == named).any():
        return named
    coded = courses.loc[(courses["courseCode"] == named).fillna(False), "sourcedId"]
    if len(coded) > 1:
        raise Refusal(f"{len(coded)} courses of {source} have the code {named}; name one by id.")
    return str(coded.iloc[0]) if len(coded) else named


def _scope(rooms: "Rooms", mapping: "Sequence[Product]", *, ahead: bool) -> "Scope":
    """What decisions may speak of: courses that a district has, or that are decided already."""
    from roster_pipeline.courses.decision_files import Scope

    there: dict[str, frozenset[str]] = {}
    for name in rooms.workspace.sources:
        roster = None if ahead else _accepted(rooms, name)
        there[name] = (
            frozenset(roster.columns("courses", ["sourcedId"])["sourcedId"])
            if roster is not None
            else frozenset()
        )
    courses: dict[str, dict[str, frozenset[str] | None]] = {}
    for this in mapping:
        decided = {(d.source, d.course) for d in rooms.ledger.course_decisions(this.id)}
        courses[this.id] = {
            name: None if ahead else ids | {course for at, course in decided if at == name}
            for name, ids in there.items()
            if this.takes(name)
        }
    return Scope(_catalogues(rooms, mapping), courses)
