"""What every sensor does alike: pass over what will pass, and fail in safe words."""

from collections.abc import Callable

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
