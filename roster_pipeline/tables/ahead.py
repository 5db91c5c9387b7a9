"""Work of an iterator done ahead of its consumer, in a thread."""

import io
import queue
import threading
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final, TypeVar, cast

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Item = TypeVar("Item")
_END: Final = object()


def ahead(items: Iterator[Item], depth: int = 1) -> Generator[Item]:
    """The same items in the same order, up to `depth` of them made before they are asked for.

    Pays where making and using an item both leave the interpreter lock alone (inflating, parsing,
    hashing, Parquet). An exception comes out where it would have. If the consumer stops early, the
    thread ends after the item it is making.
    """
    made: queue.Queue[object] = queue.Queue(maxsize=depth)
    enough = threading.Event()

    def put(item: object) -> bool:
        while not enough.is_set():
            try:
                made.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def work() -> None:
        try:
            # Whoever takes an item out of its box is the only one that holds it: some are large.
            for box in ([item] for item in items):
                if not put(box):
                    return
            put(_END)
        except BaseException as error:  # it is raised in the consumer's thread
            put(error)

    thread = threading.Thread(target=work, name="ahead", daemon=True)
    thread.start()
    try:
        while (item := made.get()) is not _END:
            if isinstance(item, BaseException):
                raise item
            assert isinstance(item, list)  # noqa: S101
            yield item.pop()
    finally:
        enough.set()
        thread.join()


@contextmanager
def read_ahead(stream: BinaryIO, size: int = 1 << 20) -> Iterator[BinaryIO]:
    """The same stream, read (and inflated) in a thread, some `size` bytes before they are asked
    for. Can only be read from, once, to the end."""
    with closing(ahead(iter(lambda: stream.read(size), b""), depth=4)) as pieces:
        yield cast(BinaryIO, io.BufferedReader(_Pieces(pieces), size))


class _Pieces(io.RawIOBase):
    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, into: "WriteableBuffer", /) -> int:
        if not self._left:
            self._left = memoryview(next(self._pieces, b""))
        with memoryview(into).cast("B") as room:
            count = min(len(room), len(self._left))
            room[:count] = self._left[:count]
        self._left = self._left[count:]
        return count
