"""A OneRoster package as whole frames, and the few ways to look from one into another."""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache

import pandas as pd
import pyarrow as pa

from roster_pipeline.simulator.rewriting import Source, columns_of, member, reading
from roster_pipeline.tables.archive import ZipReader
from roster_pipeline.tables.arrow import to_frame, to_table
from roster_pipeline.tables.csv_blocks import CsvBlocks
from roster_pipeline.tables.text import TEXT


class Sheets:
    """The rows of a package by entity; an entity without a file has none."""

    def __init__(self, source: Source) -> None:
        self._frames = {}
        tables = columns_of(source)
        with reading(source) as file, ZipReader(file) as archive:
            for entity in tables:
                with archive.open(member(entity)) as stream:
                    self._frames[entity] = _whole(CsvBlocks(stream))

    def __getitem__(self, entity: str) -> pd.DataFrame:
        return self._frames[entity]

    def having(self, entity: str, column: str, *words: str) -> pd.DataFrame:
        """The rows of an entity that have one of some words in a column."""
        frame = self[entity]
        return frame[frame[column].isin(words)].reset_index(drop=True)


def _whole(blocks: CsvBlocks) -> pd.DataFrame:
    tables = [to_table(block.frame, blocks.header) for block in blocks]
    if not tables:
        return to_frame(pa.table({name: pa.nulls(0, pa.large_string()) for name in blocks.header}))
    return to_frame(pa.concat_tables(tables).combine_chunks())


def sheet(columns: Mapping[str, "pd.Series[str] | str"], index: "pd.Index[int]") -> pd.DataFrame:
    """A file's rows: column → its cells, or what stands in all of them."""
    return pd.DataFrame(
        {
            name: cells if isinstance(cells, pd.Series) else pd.Series(cells, index, TEXT)
            for name, cells in columns.items()
        },
        index=index,
    ).astype(TEXT)


def beside(
    keys: "pd.Series[str]", frame: pd.DataFrame, column: str, by: str = "sourcedId"
) -> "pd.Series[str]":
    """The cell of a column in the row of a frame that each key names; empty where none does.

    Of rows with one key the first counts.
    """
    cells = frame.drop_duplicates(by).set_index(by)[column].reindex(pd.Index(keys))
    return pd.Series(cells.array, index=keys.index, dtype=TEXT)


def us_date(days: "pd.Series[str]") -> "pd.Series[str]":
    """Days as most US systems write them: 9/14/2026."""
    return days.map(cache(lambda day: _us(date.fromisoformat(day))), na_action="ignore").astype(
        TEXT
    )


def last_day(ends: "pd.Series[str]") -> "pd.Series[str]":
    """The last day before each end, which is the first that is over; as US systems write it."""
    one = timedelta(days=1)
    return ends.map(
        cache(lambda end: _us(date.fromisoformat(end) - one)), na_action="ignore"
    ).astype(TEXT)


def _us(day: date) -> str:
    return f"{day.month}/{day.day}/{day.year}"
