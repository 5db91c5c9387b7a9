"""What parts of a format say of one another, and cannot be so."""

from collections.abc import Collection, Iterator
from typing import Final

from pydantic import ValidationError
from pydantic_core import InitErrorDetails

from roster_pipeline.oneroster.named_columns import nearest
from roster_pipeline.oneroster.templates import names_in
from roster_pipeline.receivers.columns.config import ColumnsFormat, File, N, Value
from roster_pipeline.receivers.columns.names import VIEWS, resolved

Place = tuple[str | int, ...]
Fault = tuple[Place, str]
"""Where it is, as keys and positions below the format, and a sentence."""

_IN_FORMATS: Final = "the files are"


def located(format_: ColumnsFormat) -> ValidationError | None:
    """All that is wrong, each where it stands; None where nothing is."""
    details = [
        InitErrorDetails(
            type="value_error", loc=place, input=None, ctx={"error": ValueError(sentence)}
        )
        for place, sentence in _faults(format_)
    ]
    if not details:
        return None
    return ValidationError.from_exception_data("ColumnsFormat", details, hide_input=True)


def _faults(format_: ColumnsFormat) -> Iterator[Fault]:
    if format_.ids is not None:
        for name, kind in format_.ids.kinds.items():
            if kind.of not in VIEWS or kind.of == "relationships":
                yield ("ids", "kinds", name, "of"), _no_view(kind.of)
    for name, file in format_.files.items():
        yield from _of_file(file, ("files", name), format_)
    for number, group in enumerate(format_.unique):
        for file_name, column in group.items():
            if sentence := _no_column(format_, file_name, column):
                yield ("unique", number, file_name), sentence


def _of_file(file: File, place: Place, format_: ColumnsFormat) -> Iterator[Fault]:
    if file.rows not in VIEWS:
        yield (*place, "rows"), _no_view(file.rows)
        return
    named: list[Fault] = [((*place, "only", name), name) for name in file.only]
    named += [((*place, "but", name), name) for name in file.but]
    named += [((*place, "filled", at), name) for at, name in enumerate(file.filled)]
    for column, value in file.columns.items():
        here = (*place, "columns", column)
        named += [((*here, "value"), name) for name in names_in(value.value)]
        named += [((*here, "otherwise"), name) for name in names_in(value.otherwise or "")]
        yield from _of_value(value, here, format_)
        yield from _of_number(column, value, here, file.columns)
    for where, name in named:
        try:
            resolved(file.rows, name)
        except ValueError as error:
            yield where, str(error)
    if file.order and sorted(file.order) != sorted(file.columns):
        yield (*place, "order"), "name each of the columns once, and nothing else"


def _of_value(value: Value, place: Place, format_: ColumnsFormat) -> Iterator[Fault]:
    if value.lookup is not None and value.lookup not in format_.lookups:
        hint = nearest(value.lookup, format_.lookups, "there are")
        yield (*place, "lookup"), f"no lookup is called {value.lookup}; {hint}"
    kinds: Collection[str] = format_.ids.kinds if format_.ids is not None else ()
    if value.id is not None and value.id not in kinds:
        hint = nearest(value.id, kinds, "the kinds are")
        yield (*place, "id"), f"`ids` has no kind {value.id}; {hint}"
    for file, column in value.among.items():
        if sentence := _no_column(format_, file, column):
            yield (*place, "among", file), sentence


def _of_number(
    column: str, value: Value, place: Place, columns: Collection[str]
) -> Iterator[Fault]:
    """Whether a column with a number in its name says which."""
    if N not in column:
        if value.most is not None:
            yield (*place, "most"), f"only a column with {N} in its name has several"
        return
    first = value.item or 1
    if value.most is None or first < 1 or value.most < first:
        yield place, f"{N} counts from `item`, which is 1 or more, up to `most`: say both"
        return
    for name in columns:
        if name != column and any(
            column.replace(N, str(number)) == name for number in range(first, value.most + 1)
        ):
            yield place, f"{name} is one of its columns too; begin with a higher `item`"


def _no_view(name: str) -> str:
    return f"there are no rows called {name}; {nearest(name, VIEWS, 'there are')}"


def _no_column(format_: ColumnsFormat, file: str, column: str) -> str | None:
    if file not in format_.files:
        return f"no file is called {file}; {nearest(file, format_.files, _IN_FORMATS)}"
    columns = format_.files[file].columns
    if column not in columns:
        return f"{file} has no column {column}; {nearest(column, columns, 'its columns are')}"
    return None
