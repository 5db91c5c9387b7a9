"""Blocks of rows, and nothing about rosters: CSV and Parquet, in and out; ZIP archives; hashes of
rows and keys; key sets and the comparison of two keyed lists. The only room that imports polars.

Start at `csv_blocks` (reading), `csv_write`, `archive`, `hashes`, `keys`, `parts`, `text`.
"""
