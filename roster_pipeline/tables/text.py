"""The one dtype of a cell: Arrow large strings, where only the empty cell is missing."""

from typing import Final

import pandas as pd
import pyarrow as pa

TEXT: Final = pd.ArrowDtype(pa.large_string())
"""Dtype of every cell column above this floor. Large strings have no 2 GiB limit per column and
are what polars hands over; null stands for the empty cell, quoted or not, and for nothing else."""
