"""What the tests of the tables floor share."""

from collections.abc import Mapping, Sequence

import pandas as pd
import pyarrow as pa
from hypothesis import strategies as st

from roster_pipeline.tables.text import series

Cell = str | None
# No surrogates (not text), no NUL (refused on reading): all else may stand in a cell.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
AWKWARD = st.sampled_from(
    [
        *("NA", "null", "None", "nan", "007", "1e5", "0x1F", "true", " a ", "\t", "-", "=1", "'"),
        *('"', '""', ",", "a,b", 'say "hi"', "a\nb", "a\r\nb", ";", "Ñandú", "李"),
        *("\ufeff", "\u2028", "\x1c", "\x0b", "\x85"),
    ]
)
CELLS: st.SearchStrategy[Cell] = st.none() | (TEXTS | AWKWARD).map(lambda text: text or None)


def frame_of(columns: Mapping[str, Sequence[Cell]]) -> pd.DataFrame:
    """A frame of TEXT columns."""
    return pd.DataFrame(
        {name: series(pa.array(cells, pa.large_string())) for name, cells in columns.items()}
    )


@st.composite
def frames(draw: st.DrawFn, *, min_columns: int = 1, max_rows: int = 12) -> pd.DataFrame:
    """Frames of up to four columns."""
    width = draw(st.integers(min_columns, 4))
    rows = draw(st.lists(st.tuples(*[CELLS] * width), max_size=max_rows))
    columns = list(zip(*rows, strict=True)) if rows else [()] * width
    return frame_of({f"c{place}": column for place, column in enumerate(columns)})


def cells_of(frame: pd.DataFrame) -> list[list[Cell]]:
    """The frame's rows, null as None."""
    lists = [[None if pd.isna(cell) else cell for cell in frame[name]] for name in frame.columns]
    return [list(row) for row in zip(*lists, strict=True)]
