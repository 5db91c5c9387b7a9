"""What the names in a table of a mapping stand for: columns of its file, joined ones, words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from roster_pipeline.oneroster.templates import names_in
from roster_pipeline.sources.mapping.config import CsvMapping, Table, Value


@dataclass(frozen=True, slots=True)
class Meant:
    """A column of the row's own file, or of the row that a join found."""

    column: str
    join: str | None = None


def meaning(name: str, table: Table, words: Mapping[str, str]) -> Meant:
    """What a name stands for where the words of `each` are these columns."""
    if name in words:
        return Meant(words[name])
    said, dot, column = name.partition(".")
    if dot and column and said in table.join:
        return Meant(column, said)
    return Meant(name)


def entries(table: Table) -> tuple[Mapping[str, str], ...]:
    """The words with which each row is taken, once where there are none."""
    return table.each or ({},)


def templates(value: Value) -> tuple[str, ...]:
    """The templates of a value."""
    return (value.value,) if value.otherwise is None else (value.value, value.otherwise)


def meant_by(table: Table, words: Mapping[str, str]) -> Iterator[Meant]:
    """All that a table names, but for the keys of joined rows."""
    said = [text for value in table.columns.values() for text in templates(value)]
    said += [join.by for join in table.join.values()]
    named = [name for text in said for name in names_in(text)]
    for name in dict.fromkeys([*named, *table.only, *table.but, *table.filled]):
        yield meaning(name, table, words)


def chosen_by(table: Table, words: Mapping[str, str]) -> Iterator[Meant]:
    """The cells without which a row is not taken."""
    for name in table.filled:
        yield meaning(name, table, words)
    for name, texts in table.only.items():
        if all(text.strip() for text in texts):
            yield meaning(name, table, words)
    for name, texts in table.but.items():
        if not all(text.strip() for text in texts):
            yield meaning(name, table, words)


def own_columns(table: Table) -> tuple[str, ...]:
    """The columns that a table takes of its own file."""
    return tuple(
        dict.fromkeys(
            meant.column
            for words in entries(table)
            for meant in meant_by(table, words)
            if meant.join is None
        )
    )


def joined_columns(table: Table, join: str) -> tuple[str, ...]:
    """The columns that a table takes of the rows that one of its joins finds."""
    return tuple(
        dict.fromkeys(
            meant.column
            for words in entries(table)
            for meant in meant_by(table, words)
            if meant.join == join
        )
    )


def names_used(mapping: CsvMapping, file: str) -> tuple[str, ...]:
    """The columns of a file that anything in a mapping takes."""
    used: list[str] = []
    for entity in type(mapping.tables).model_fields:
        for table in mapping.tables.of(entity):
            if table.rows_of == file:
                used += own_columns(table)
            for name, join in table.join.items():
                if join.file == file:
                    used += [*names_in(join.key), *joined_columns(table, name)]
    return tuple(dict.fromkeys(used))
