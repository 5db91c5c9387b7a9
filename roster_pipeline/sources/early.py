"""An answer that is asked for before anybody knows that it is wanted."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Early(Generic[Answer]):
    """Asks for one place at a time, in a thread, while the answer before it is read. `ask` gives
    the answer of a place; what it raises comes out where the answer is taken."""

    def __init__(self, ask: Callable[[int], Answer]) -> None:
        self._ask = ask
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="early")
        self._begun: tuple[int, Future[Answer]] | None = None

    def begin(self, place: int) -> None:
        """Ask for a place. Whatever was asked for before and never taken is forgotten."""
        self._begun = place, self._thread.submit(self._ask, place)

    def take(self, place: int) -> Answer:
        """The answer of a place. No two are asked for at the same time."""
        begun, self._begun = self._begun, None
        if begun is None:
            return self._ask(place)
        early, answer = begun
        if early == place:
            return answer.result()
        wait([answer])
        return self._ask(place)

    def close(self) -> None:
        """Wait for what is under way, and forget it."""
        self._begun = None
        self._thread.shutdown(cancel_futures=True)
