"""Cell rules: the Pandera schema of a table, judged on one block of rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from roster_pipeline.oneroster.entities import Column
from roster_pipeline.oneroster.rules import Rule
from roster_pipeline.quality.rules import RULES, cell_rule


@dataclass(frozen=True)
class CellFault:
    """One rule broken in one column of a block."""

    column: Column
    rule: Rule
    rows: npt.NDArray[np.int64]
    """Positions in the block, ascending."""


def judge_cells(
    frame: pd.DataFrame, schema: pa.DataFrameSchema, table: Sequence[Column]
) -> Iterator[CellFault]:
    """Judge every cell of a block (RangeIndex, TEXT) by type, vocabulary and requiredness."""
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as errors:
        # The exception's own text holds cells: it is read here and goes no further.
        cases = errors.failure_cases[["column", "check", "index"]]
    else:
        return
    by_name = {column.name: column for column in table}
    empty = cases["check"].eq("not_nullable")
    for (name, is_empty), found in cases.groupby([cases["column"], empty], sort=True):
        column = by_name[str(name)]
        rule = RULES["cell.required"] if is_empty else cell_rule(column)
        yield CellFault(column, rule, np.unique(found["index"].to_numpy(dtype=np.int64)))
