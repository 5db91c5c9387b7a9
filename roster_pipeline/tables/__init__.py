"""Blocks of rows, and nothing about rosters: CSV and Parquet, in and out; ZIP archives; hashes of
rows and keys; key sets and the comparison of two keyed lists. The only room that imports polars.

Start at `csv_blocks` (reading), `csv_write`, `archive`, `hashes`, `keys`, `parts`, `text`.
"""

import ctypes
import os
from contextlib import suppress
from typing import Final

import pyarrow as pa

_M_ARENA_MAX: Final = -8
"""Of glibc's mallopt."""
_ARENAS: Final = 2

# Arrow's own allocator gives blocks of tens of megabytes back to the system and asks for them
# again at once: with the C library's a sync of 100,000 students takes an eighth less time.
if "ARROW_DEFAULT_MEMORY_POOL" not in os.environ:
    pa.set_memory_pool(pa.system_memory_pool())
# The C library would keep free memory for each thread apart: a quarter of all, and for nothing.
if "MALLOC_ARENA_MAX" not in os.environ:
    with suppress(OSError, AttributeError):  # another system, or another C library
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)
