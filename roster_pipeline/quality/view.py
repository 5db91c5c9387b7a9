"""A finished roster as whole columns of numbers: what rules over many rows look at.

A text is read once, part by part, and becomes a number: a reference the position of its row, a day
the days since 1970, a word its place in the vocabulary, any other text a hash. So nobody holds the
texts of a large entity: seven million enrollments take 25 bytes each.
"""

from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import date
from typing import Any, Final, NamedTuple, TypeVar, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from roster_pipeline.oneroster.entities import Column, Kind, columns
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.tables.ahead import ahead
from roster_pipeline.tables.arrow import pc
from roster_pipeline.tables.hashes import text_hashes
from roster_pipeline.tables.keys import KeySet
from roster_pipeline.tables.text import series

Mask = npt.NDArray[np.bool_]
Days = npt.NDArray[np.int32]
Links = npt.NDArray[np.int32]
Words = npt.NDArray[np.int8]
Hashes = npt.NDArray[np.uint64]
Positions = npt.NDArray[np.int64]
Made = TypeVar("Made")

EVER: Final = int(np.iinfo(np.int32).min)
"""In place of a missing day: before every other one. It is what a missing beginning means."""
NEVER: Final = int(np.iinfo(np.int32).max)
"""In place of a missing endDate: after every other day."""
NO_WORD: Final = -1
_EMPTY: Final = np.uint64(0)


class Items(NamedTuple):
    """The items of a column of references, all lists one after another."""

    rows: Positions
    """The row that each stands in, ascending."""
    links: Links
    """The row that each refers to, -1 where there is none."""


class RosterView:
    """The columns of a finished roster that were asked for, each as an array in row order."""

    def __init__(
        self,
        roster: Roster,
        own: Mapping[str, int],
        wanted: Mapping[str, set[str]],
        *,
        version: Version,
        today: date | None,
    ) -> None:
        self._roster = roster
        self._own = own
        self._wanted = wanted
        self.version = version
        self.today = None if today is None else (today - date(1970, 1, 1)).days
        """Days since 1970."""
        self._arrays: dict[tuple[str, str], Any] = {}
        self._keys: dict[str, KeySet] = {}
        self._made: dict[Any, Any] = {}

    def rows(self, entity: str) -> int:
        """How many rows there are."""
        return self._roster.counts[entity]

    def own(self, entity: str) -> int:
        """How many of the first of them came with the package."""
        return min(self._own.get(entity, 0), self.rows(entity))

    def links(self, entity: str, column: str) -> Links:
        """The position of the row that each refers to, -1 where there is none."""
        return cast(Links, self._array(entity, column))

    def items(self, entity: str, column: str) -> Items:
        """The same for lists of references."""
        return cast(Items, self._array(entity, column))

    def days(self, entity: str, column: str) -> Days:
        """Days since 1970; `NEVER` where an endDate is missing, else `EVER`."""
        return cast(Days, self._array(entity, column))

    def words(self, entity: str, column: str) -> Words:
        """The place of each word in the column's vocabulary, behind its end for words of one's
        own (`ext:…`), `NO_WORD` for empty cells."""
        return cast(Words, self._array(entity, column))

    def is_word(self, entity: str, column: str, *wanted: str) -> Mask:
        """Whether a cell is one of these words of the standard."""
        vocabulary = _column(entity, column).words
        found: Mask = np.isin(
            self.words(entity, column), [vocabulary.index(word) for word in wanted]
        )
        return found

    def years(self, entity: str, column: str) -> Days:
        """Years, 0 where there is none."""
        return cast(Days, self._array(entity, column))

    def texts(self, entity: str, column: str) -> Hashes:
        """A hash of each text, blanks around it and upper and lower case put aside; 0 where
        there is none."""
        return cast(Hashes, self._array(entity, column))

    def marked(self, entity: str, links: npt.NDArray[Any]) -> Mask:
        """Which rows of an entity are among some links."""
        # One more, for links of -1.
        found = np.zeros(self.rows(entity) + 1, dtype=np.bool_)
        found[links] = True
        return found[:-1]

    def once(self, make: Callable[["RosterView"], Made]) -> Made:
        """What a function makes of this view, made once."""
        if make not in self._made:
            self._made[make] = make(self)
        return cast(Made, self._made[make])

    def _array(self, entity: str, column: str) -> Any:
        if column not in self._wanted.get(entity, ()):
            raise KeyError(f"no rule said that it reads {entity}.{column}")
        if (entity, column) not in self._arrays:
            self._read(entity)
        return self._arrays[entity, column]

    def _read(self, entity: str) -> None:
        wanted = [_column(entity, name) for name in sorted(self._wanted[entity])]
        whole = {column.name: _Whole(column, self.rows(entity)) for column in wanted}
        with closing(ahead(self._roster.coded(entity, list(whole)))) as parts:
            for part in parts:
                for column in wanted:
                    whole[column.name].add(self._numbered(part[column.name], column), len(part))
        self._arrays |= {(entity, name): made.finish() for name, made in whole.items()}

    def _numbered(self, cells: "pa.ChunkedArray[Any]", column: Column) -> Any:
        codes, texts = _coded(cells)
        if column.kind is Kind.REFERENCES:
            return _items(codes, texts, lambda ids: self._positions(column, ids))
        values: npt.NDArray[Any]
        if column.target is not None:
            values = self._positions(column, texts)
        elif column.kind is Kind.DATE:
            values = _days(texts, _missing(column))
        elif column.words:
            values = _places(texts, column.words)
        elif column.kind is Kind.YEAR:
            values = _years(texts)
        else:
            values = _hashes(texts)
        return np.append(values, np.array(_missing(column), dtype=_dtype(column)))[codes]

    def _positions(self, column: Column, ids: pa.LargeStringArray) -> Links:
        target = column.target or ""
        if target not in self._keys:
            self._keys[target] = KeySet(self._roster.keys(target))
        return self._keys[target].positions(text_hashes(series(ids))).astype(np.int32)


class _Whole:
    """A column that is put together part by part."""

    def __init__(self, column: Column, rows: int) -> None:
        listed = column.kind is Kind.REFERENCES
        self._array = None if listed else np.empty(rows, dtype=_dtype(column))
        self._items = [Items(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32))]
        self._filled = 0

    def add(self, part: Any, rows: int) -> None:
        """The next rows."""
        if self._array is None:
            self._items.append(Items(part.rows + self._filled, part.links))
        else:
            self._array[self._filled : self._filled + rows] = part
        self._filled += rows

    def finish(self) -> Any:
        """The whole column."""
        if self._array is not None:
            return self._array
        rows, links = zip(*self._items, strict=True)
        return Items(np.concatenate(rows), np.concatenate(links))


def _column(entity: str, name: str) -> Column:
    return next(column for column in columns(entity) if column.name == name)


def _missing(column: Column) -> Any:
    """What stands for an empty cell."""
    if column.kind is Kind.DATE:
        return NEVER if column.name == "endDate" else EVER
    if column.target is not None:
        return -1
    if column.words:
        return NO_WORD
    return 0 if column.kind is Kind.YEAR else _EMPTY


def _dtype(column: Column) -> npt.DTypeLike:
    if column.kind in (Kind.DATE, Kind.YEAR) or column.target is not None:
        return np.int32
    return np.int8 if column.words else np.uint64


def _coded(cells: "pa.ChunkedArray[Any]") -> tuple[npt.NDArray[Any], pa.LargeStringArray]:
    """For each cell a place among the texts, -1 for an empty one; and texts that seldom repeat."""
    whole: Any = cells.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.concat_arrays(whole.chunks) if whole.num_chunks else whole.type.empty()
    if not pa.types.is_dictionary(whole.type):
        if not whole.null_count:
            return np.arange(len(whole)), whole
        codes = np.cumsum(whole.is_valid().to_numpy(zero_copy_only=False)) - 1
        codes[whole.is_null().to_numpy(zero_copy_only=False)] = -1
        return codes, whole.drop_null()
    indices = whole.indices
    if indices.null_count:
        indices = indices.fill_null(-1)
    return indices.to_numpy(), whole.dictionary.cast(pa.large_string())


def _days(texts: pa.LargeStringArray, missing: int) -> Days:
    try:
        days = pc.cast(texts, pa.date32())
    except pa.ArrowInvalid:  # a source may let wrong dates pass
        seconds = pc.strptime(texts, format="%Y-%m-%d", unit="s", error_is_null=True)
        days = pc.cast(seconds, pa.date32())
    numbers = pc.cast(days, pa.int32()).fill_null(missing)
    return cast(Days, numbers.to_numpy(zero_copy_only=False))


def _places(texts: pa.LargeStringArray, vocabulary: tuple[str, ...]) -> Words:
    at = pc.index_in(texts, value_set=pa.array(vocabulary, pa.large_string()))
    places = at.fill_null(len(vocabulary)).to_numpy(zero_copy_only=False)
    return cast(Words, places.astype(np.int8))


def _years(texts: pa.LargeStringArray) -> Days:
    digits = pc.match_substring_regex(texts, pattern="^[0-9]{4}$")
    years = pc.cast(pc.if_else(digits, texts, "0"), pa.int32())
    return cast(Days, years.to_numpy(zero_copy_only=False))


def _hashes(texts: pa.LargeStringArray) -> Hashes:
    folded = pc.utf8_lower(pc.utf8_trim_whitespace(texts))
    blank = pc.equal(pc.binary_length(folded), 0).to_numpy(zero_copy_only=False)
    return np.where(blank, _EMPTY, text_hashes(series(folded)))


def _items(
    codes: npt.NDArray[Any],
    texts: pa.LargeStringArray,
    positions: Callable[[pa.LargeStringArray], Links],
) -> Items:
    """The items of each cell. A list that many rows have is only taken apart once."""
    lists = pc.split_pattern(texts, ",")
    links = positions(pc.list_flatten(lists).cast(pa.large_string()))
    sizes = np.append(pc.list_value_length(lists).to_numpy(zero_copy_only=False), 0)
    starts = np.append(0, np.cumsum(sizes))
    per_row = sizes[codes]
    rows = np.repeat(np.arange(len(codes)), per_row)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(per_row) - per_row, per_row)
    return Items(rows, links[np.repeat(starts[codes], per_row) + within])
