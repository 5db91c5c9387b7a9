"""Blocks of rows, and nothing about rosters: CSV and Parquet, in and out; ZIP archives; hashes of
rows and keys; key sets and the comparison of two keyed lists. The only room that imports polars.

Start at `csv_blocks` (reading), `csv_write`, `archive`, `hashes`, `keys`, `parts`, `text`.
"""

import os

import pyarrow as pa

# Arrow's own allocator gives blocks of tens of megabytes back to the system and asks for them
# again at once: with the C library's a sync of 100,000 students takes an eighth less time.
if "ARROW_DEFAULT_MEMORY_POOL" not in os.environ:
    pa.set_memory_pool(pa.system_memory_pool())
