"""Columns of a roster as numbers, each text asked about once."""

from collections.abc import Callable
from typing import Any

import numpy.typing as npt
import pyarrow as pa

from roster_pipeline.tables.hashes import text_hashes
from roster_pipeline.tables.text import series

Answers = Callable[[pa.LargeStringArray], npt.NDArray[Any]]
"""For each text, null among them, a number."""


def by_text(cells: Any, answers: Answers) -> npt.NDArray[Any]:
    """What is answered for each cell of a column of `Roster.coded`: where it lies as a dictionary
    the answer is sought once for each text, not for each row."""
    whole: Any = cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.concat_arrays(whole.chunks) if whole.num_chunks else pa.array([], whole.type)
    if not pa.types.is_dictionary(whole.type):
        return answers(whole)
    texts, codes = whole.dictionary.cast(pa.large_string()), whole.indices
    if codes.null_count:
        codes = codes.fill_null(len(texts))
        texts = pa.concat_arrays([texts, pa.nulls(1, pa.large_string())])
    found: npt.NDArray[Any] = answers(texts)[codes.to_numpy()]
    return found


def hashed(texts: pa.LargeStringArray) -> npt.NDArray[Any]:
    """The hash of each text: equal to `Roster.keys` of the row that has it as its sourcedId."""
    return text_hashes(series(texts))
