"""What a receiver's own files are like, and what is looked at in them before sending, in lines."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from roster_pipeline.receivers.columns.config import ColumnsFormat, Dialect, Value

_DELIMITERS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_NEWLINES: Final = {"crlf": "a carriage return and a line feed", "lf": "a line feed alone"}
_QUOTES: Final = {
    "needed": "that cannot do without",
    "spaced": "that cannot do without, or have a space",
    "all": "that there are",
}
_ENCODINGS: Final = {"utf-8": "UTF-8", "utf-16": "UTF-16", "windows-1252": "Windows-1252"}
_MANY: Final = 8
"""Words of which more are counted, not listed."""


def spelling_lines(format_: ColumnsFormat) -> Iterator[str]:
    """How cells become files."""
    csv = format_.csv
    mark = " with a byte order mark" if csv.bom else ""
    yield (
        f"Cells are separated by {_DELIMITERS[csv.delimiter]}, lines end with "
        f"{_NEWLINES[csv.newline]}, and the text is {_ENCODINGS[csv.encoding]}{mark}."
    )
    yield f"Quotes stand around the cells {_QUOTES[csv.quotes]}; {_in_cells(csv)}."


def _in_cells(csv: Dialect) -> str:
    quote = "is doubled" if csv.escape == "double" else "gets a backslash before it"
    breaks = "; a line break in a cell becomes a blank" if csv.line_breaks == "blanks" else ""
    return f"a quote in a cell {quote}{breaks}"


def check_lines(format_: ColumnsFormat) -> Iterator[str]:
    """What the receiver wants of these files, told of a delivery where it is not so."""
    stops = "; otherwise nothing is sent" if format_.refuses == "delivery" else ""
    for file, said in format_.files.items():
        columns = said.ordered
        if needed := [name for name, value in columns.items() if value.required]:
            yield f"{file} has {_listed(needed)} in each row{stops}."
        for (other, column), names in _referring(columns).items():
            yield f"What {file} has in {_listed(names)} is a {column} of {other}{stops}."
        for name, value in columns.items():
            if value.words:
                yield f"{file} has in {name} only {_words(value.words)}."
            if value.most is not None:
                yield f"{file} has room for {name} up to {value.most:,}; what is more is not sent."
    alone = [one for one in format_.unique if len(one) == 1]
    for together in format_.unique:
        if len(together) > 1:
            yield f"No text stands twice in {_listed(_places(together))}, taken together{stops}."
    if alone:
        places = [place for one in alone for place in _places(one)]
        yield f"No text stands twice in {_listed(places, 'or')}{stops}."


def _places(columns: Mapping[str, str]) -> list[str]:
    return [f"{column} of {file}" for file, column in columns.items()]


def _referring(columns: Mapping[str, Value]) -> dict[tuple[str, str], list[str]]:
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for name, value in columns.items():
        for place in value.among.items():
            found[place].append(name)
    return found


def _words(words: tuple[str, ...]) -> str:
    if len(words) > _MANY:
        return f"the {len(words):,} words of the receiver's list"
    return _listed([word or "nothing" for word in words], "or")


def _listed(names: list[str], last: str = "and") -> str:
    *before, end = names
    return f"{', '.join(before)} {last} {end}" if before else end
