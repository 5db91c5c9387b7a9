"""What every sensor does alike: pass over what will pass, fail in safe words, try again later."""

import math
from collections.abc import Callable
from datetime import timedelta

import dagster as dg

from roster_pipeline.resources.errors import is_transient, sentence

Answer = dg.SensorResult | dg.SkipReason


class TickFailedError(Exception):
    """Somebody must change something before this sensor can look again."""


def tick(look: Callable[[], Answer]) -> Answer:
    """The answer of a sensor. A transient error skips the tick, any other fails it."""
    try:
        return look()
    except Exception as error:
        if is_transient(error):
            return dg.SkipReason(sentence(error))
        raise TickFailedError(sentence(error)) from None


def attempt(waited: timedelta, pause: timedelta) -> int:
    """Which attempt is due: 0 at once, 1 after a pause, 2 after two more, 3 after four more.

    Part of a run's key, so that Dagster starts each attempt once.
    """
    return int(math.log2(1 + max(waited, timedelta()) / pause))
