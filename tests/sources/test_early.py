"""An answer that is asked for before it is wanted."""

import threading
from contextlib import closing

import pytest

from roster_pipeline.sources.early import Early


def test_an_answer_is_asked_for_once_and_in_the_background() -> None:
    asked: list[tuple[int, str]] = []

    def ask(place: int) -> int:
        asked.append((place, threading.current_thread().name))
        return place * 10

    with closing(Early(ask)) as early:
        assert early.take(1) == 10
        early.begin(2)
        assert early.take(2) == 20
    assert [place for place, _ in asked] == [1, 2]
    assert asked[0][1] == threading.current_thread().name != asked[1][1]


def test_an_answer_nobody_wants_is_forgotten_with_its_failure() -> None:
    busy = threading.Semaphore()

    def ask(place: int) -> int:
        assert busy.acquire(blocking=False), "two at a time"
        try:
            if place == 9:
                raise ValueError("nobody wants that")
            return place
        finally:
            busy.release()

    with closing(Early(ask)) as early:
        early.begin(9)
        assert early.take(3) == 3
        assert early.take(4) == 4
        early.begin(9)


def test_a_failure_comes_out_where_the_answer_is_taken() -> None:
    def ask(place: int) -> int:
        raise ValueError(str(place))

    with closing(Early(ask)) as early:
        early.begin(7)
        with pytest.raises(ValueError, match="7"):
            early.take(7)
