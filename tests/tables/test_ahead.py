"""Work ahead of a consumer."""

import io
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roster_pipeline.tables.ahead import ahead, read_ahead


def test_items_come_in_their_order() -> None:
    assert list(ahead(iter(range(1000)))) == list(range(1000))


def test_nothing_comes_of_nothing() -> None:
    assert list(ahead(iter(()))) == []


def test_an_error_comes_out_after_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("two")

    found = ahead(items())
    assert next(found) == 1
    with pytest.raises(ValueError, match="two"):
        next(found)


def test_the_thread_ends_when_the_consumer_stops_early() -> None:
    found = ahead(iter(range(1000)))
    assert next(found) == 0
    found.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "ahead"]


def test_no_more_is_made_than_asked_for() -> None:
    made = []

    def items() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    found = ahead(items(), depth=2)
    assert next(found) == 0
    found.close()
    assert len(made) <= 5


@given(st.binary(max_size=300), st.integers(1, 50), st.lists(st.integers(1, 90), max_size=9))
def test_a_stream_read_ahead_gives_the_same_bytes(
    content: bytes, size: int, asked: list[int]
) -> None:
    with read_ahead(io.BytesIO(content), size) as stream:
        got = [stream.read(count) for count in asked]
        assert b"".join([*got, stream.read()]) == content
    assert [len(part) for part in got] == [
        max(0, min(count, len(content) - sum(asked[:n]))) for n, count in enumerate(asked)
    ]


def test_what_breaks_while_reading_ahead_breaks_where_it_is_asked_for() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() >= 4:
                raise OSError("the disk is gone")
            return super().read(size)

    with read_ahead(Broken(b"abcdefgh"), 4) as stream:
        assert stream.read(4) == b"abcd"
        with pytest.raises(OSError, match="the disk is gone"):
            stream.read(4)
