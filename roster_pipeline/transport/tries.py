"""How often and how soon a transient failure is met with another attempt."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from roster_pipeline.transport.errors import Changed, TransportError

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 30.0
"""Seconds between attempts: 1, 2, 4, … 30."""


@dataclass
class Tries:
    """The attempts of one call. `sleep` is given seconds."""

    attempts: int
    sleep: Callable[[float], None]
    failures: int = 0

    def failed(self, error: TransportError) -> None:
        """Wait until the next attempt is due, or raise when it would not help or was the last."""
        # A file that changed will not change back: the caller must list again.
        if not error.transient or isinstance(error, Changed):
            raise error
        self.failures += 1
        if self.failures >= self.attempts:
            count = f"{self.attempts} attempts" if self.attempts > 1 else "one attempt"
            raise type(error)(
                f"{error} Gave up after {count}. Run it again later; if it goes on, "
                "ask the server's owner."
            ) from None
        self.sleep(min(FIRST_PAUSE * 2 ** (self.failures - 1), LONGEST_PAUSE))
