"""Work ahead of a consumer."""

import threading
from collections.abc import Iterator

import pytest

from roster_pipeline.tables.ahead import ahead


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
