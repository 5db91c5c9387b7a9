"""What parts of a mapping say of one another, and cannot be so."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import InitErrorDetails

from roster_pipeline.oneroster.entities import ENTITIES, Column, Required
from roster_pipeline.oneroster.header import METADATA
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.named_columns import nearest
from roster_pipeline.oneroster.package import required_files, tables
from roster_pipeline.oneroster.templates import names_in
from roster_pipeline.sources.mapping.config import Table, Value

Place = tuple[str | int, ...]
Fault = tuple[Place, str]
"""Where it is, as keys and positions below the mapping, and a sentence."""


def joined(title: str, wrong: ValidationError | None, found: Iterable[Fault]) -> ValidationError:
    """One error of what pydantic found wrong and of what was found here."""
    details = [] if wrong is None else [_again(detail) for detail in wrong.errors()]
    details += [
        InitErrorDetails(
            type="value_error", loc=place, input=None, ctx={"error": ValueError(sentence)}
        )
        for place, sentence in found
    ]
    return ValidationError.from_exception_data(title, details, hide_input=True)


def _again(detail: Any) -> InitErrorDetails:
    again = InitErrorDetails(type=detail["type"], loc=detail["loc"], input=detail.get("input"))
    if "ctx" in detail:
        again["ctx"] = detail["ctx"]
    return again


def faults(data: Mapping[str, Any]) -> Iterator[Fault]:
    """What does not hold together in a mapping as YAML has it. What is wrong in itself is passed
    over."""
    version = Version.V1P1 if data.get("version") == "1.1" else Version.V1P2
    known = _Known(version, _keys(data.get("files")), _keys(data.get("lookups")))
    said = data.get("tables")
    if not isinstance(said, Mapping):
        return
    for entity in ENTITIES:
        parts = said.get(entity)
        if isinstance(parts, (list, tuple)) and parts:
            if entity not in tables(version):
                yield (
                    ("tables", entity),
                    f'OneRoster {version} has no {entity}; say `version: "1.2"`',
                )
                continue
            for place, raw in enumerate(parts):
                if (table := _table(raw)) is not None:
                    made = _keys(raw.get("columns"))
                    yield from _faults_of(table, made, entity, ("tables", entity, place), known)
    if lacking := [entity for entity in required_files(version) if not said.get(entity)]:
        yield (
            ("tables",),
            f"nothing makes {', '.join(lacking)}, without which there is no roster. Rows that no "
            "file has can be made of any file with `first: true`",
        )


@dataclass(frozen=True)
class _Known:
    version: Version
    files: Collection[str]
    lookups: Collection[str]


def _keys(data: Any) -> list[str]:
    return list(data) if isinstance(data, Mapping) else []


_OF_MANY: Final = ("columns", "join", "only", "but")
"""Keys of a table with values of which one may be wrong and the others not."""


def _table(raw: Any) -> Table | None:
    """A table, or what of it is sound; None where that is none."""
    try:
        return Table.model_validate(raw)
    except ValidationError as error:
        if not isinstance(raw, Mapping):
            return None
        wrong = {tuple(detail["loc"][:2]) for detail in error.errors()}
    sound: dict[str, Any] = {}
    for key, value in raw.items():
        if key in _OF_MANY and isinstance(value, Mapping):
            sound[key] = {name: one for name, one in value.items() if (key, name) not in wrong}
            if key == "columns" and not sound[key]:
                sound[key] = {"sourcedId": ""}  # a table has columns
        elif not any(place[0] == key for place in wrong):
            sound[key] = value
    try:
        return Table.model_validate(sound)
    except ValidationError:
        return None


def _faults_of(
    table: Table, made: Collection[str], entity: str, place: Place, known: _Known
) -> Iterator[Fault]:
    """What is wrong in a table of which the columns in `made` are said, not all of them soundly."""
    if table.rows_of not in known.files:
        yield (*place, "rows_of"), _no_file(table.rows_of, known.files)
    above: set[str] = set()
    for name, join in table.join.items():
        if join.file not in known.files:
            yield (*place, "join", name, "file"), _no_file(join.file, known.files)
        for said in names_in(join.by):
            if said.partition(".")[0] in table.join.keys() - above and "." in said:
                yield (
                    (*place, "join", name, "by"),
                    "this is of a joined row that is yet to be found; name columns of the row's "
                    "own file, or of a join that stands above this one",
                )
        above.add(name)
    yield from _faults_of_each(table, place)
    for key, names in (
        ("only", table.only),
        ("but", table.but),
        ("filled", table.filled),
    ):
        for name in names:
            if fault := _no_join(name, table):
                yield (*place, key), fault
    columns = {column.name: column for column in tables(known.version)[entity]}
    for name, value in table.columns.items():
        at = (*place, "columns", name)
        if name not in columns and not (name.startswith(METADATA) and name != METADATA):
            hint = nearest(name, columns, "its columns are")
            yield at, f"{entity} of OneRoster {known.version} has no column {name}; {hint}"
        yield from _faults_of_value(value, table, at, known)
    if lacking := list(_lacking(table, made, columns.values())):
        yield (
            (*place, "columns"),
            f"no value makes {', '.join(lacking)}, without which no row of {entity} can be taken",
        )


def _faults_of_each(table: Table, place: Place) -> Iterator[Fault]:
    words = {word for entry in table.each for word in entry}
    for number, entry in enumerate(table.each):
        if lacking := sorted(words - entry.keys()):
            yield (
                (*place, "each", number),
                f"this says no column for {', '.join(lacking)}, as the others do",
            )
    for word in sorted(words & table.join.keys()):
        yield (*place, "each"), f"{word} is the name of a join, too; choose another word"


def _faults_of_value(value: Value, table: Table, at: Place, known: _Known) -> Iterator[Fault]:
    for key, template in (("value", value.value), ("otherwise", value.otherwise)):
        for name in names_in(template or ""):
            if fault := _no_join(name, table):
                yield (*at, key), fault
    if value.lookup is not None and value.lookup not in known.lookups:
        there = nearest(value.lookup, known.lookups, "there are") if known.lookups else "none is"
        yield (*at, "lookup"), f"no lookup is called {value.lookup}; {there}"


_LIKE_A_JOIN: Final = "no join of this table is called {}; {}"


def _no_join(name: str, table: Table) -> str | None:
    """What is wrong with a name that looks like a joined column and is none. Columns may have dots
    in their names, so only what is near a join's name does."""
    said, dot, column = name.partition(".")
    if not dot or not column or said in table.join or not table.join:
        return None
    hint = nearest(said, table.join, "")
    return _LIKE_A_JOIN.format(said, hint) if hint.startswith("did you mean") else None


def _no_file(name: str, files: Collection[str]) -> str:
    return f"`files` has no {name}; {nearest(name, files, 'it has')}"


def _lacking(table: Table, made: Collection[str], columns: Iterable[Column]) -> Iterator[str]:
    for column in columns:
        value = table.columns.get(column.name)
        said = column.name in made and (value is None or not _is_empty(value))
        if column.required is Required.ALWAYS and not said:
            yield column.name


def _is_empty(value: Value) -> bool:
    return not value.value and not value.otherwise
