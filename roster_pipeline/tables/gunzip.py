"""Files packed by gzip, unpacked as they are read and never trusted."""

from collections.abc import Iterator
from typing import BinaryIO, Final, cast

from isal import igzip, isal_zlib

from roster_pipeline.tables.zip_directory import HARMLESS, ArchiveError, Limits

_CHUNK: Final = 1 << 20
# The stubs call this class an instance.
_INFLATE_ERROR: Final = cast(type[Exception], isal_zlib.error)


def gunzipped(
    file: BinaryIO, size: int, name: str, limits: Limits | None = None
) -> Iterator[bytes]:
    """The pieces of a file whose `size` packed bytes begin where it stands. Raises ArchiveError."""
    allowed, grown = limits or Limits(), 0
    packed = igzip.GzipFile(fileobj=file, mode="rb")  # type: ignore[no-untyped-call]
    while True:
        try:
            piece: bytes = packed.read(_CHUNK)
        except EOFError:
            raise ArchiveError("truncated", f"{name} is cut off. Send it again.") from None
        except (_INFLATE_ERROR, OSError):
            raise ArchiveError(
                "bad_crc", f"{name} is damaged, or not packed by gzip. Send it again."
            ) from None
        if not piece:
            return
        grown += len(piece)
        if grown > allowed.member_bytes or (grown > HARMLESS and grown > allowed.ratio * size):
            raise ArchiveError(
                "bomb", f"{name} grows to more than {grown} bytes from {size}. That is no roster."
            )
        yield piece
