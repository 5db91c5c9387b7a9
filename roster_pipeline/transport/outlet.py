"""A place that files are brought to, and that may never be listed."""

from collections.abc import Iterator
from typing import BinaryIO, Protocol, Self

from roster_pipeline.transport.channel import RemoteFile


class Outlet(Protocol):
    """What a delivery needs of a receiver's server; every `Channel` is one.

    Use it from one thread at a time and close it. Every method raises a `TransportError`; errors
    of the local streams pass through unchanged.
    """

    @property
    def reads_back(self) -> bool:
        """Whether what was put there can be looked at. If not, the server's answer to the upload
        is all there is, and `stat` and `read` must not be asked."""
        ...

    def stat(self, path: str) -> RemoteFile | None:
        """The file at a path, or None."""
        ...

    def read(self, path: str) -> Iterator[bytes]:
        """The blocks of a file, in order. Raises `NotFound`."""
        ...

    def upload(self, path: str, content: BinaryIO, size: int) -> None:
        """Put `size` bytes at a path, visible there only when complete; replaces what was there.

        Of content that is longer or shorter than announced nothing is put in place.
        """
        ...

    def close(self) -> None:
        """Let go of the connection; may be called twice."""
        ...

    def __enter__(self) -> Self:
        """The outlet itself."""
        ...

    def __exit__(self, *_: object) -> None:
        """Close it."""
        ...
