"""ZIP archives in and out: inflated and deflated by ISA-L, streamed, and never trusted."""

from roster_pipeline.tables.zip_directory import ArchiveError, Limits
from roster_pipeline.tables.zip_read import RawMember, ZipReader
from roster_pipeline.tables.zip_write import ZipWriter

__all__ = ["ArchiveError", "Limits", "RawMember", "ZipReader", "ZipWriter"]
