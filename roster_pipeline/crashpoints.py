"""Fault injection for the crash tests: named places at which a process can be made to die.

With ROSTER_CRASH_AT set to one of `PLACES`, the process kills itself there as `kill -9` would: no
handler runs, nothing is flushed. Unset, as in every real run, `reached` does nothing.
"""

import os
import signal
from typing import Final

PLACES: Final = (
    "lease.before",
    "lease.after",
    "landing.half",
    "landing.before-rename",
    "landing.after-rename",
    "snapshot.part-written",
    "snapshot.before-rename",
    "snapshot.after-rename",
    "accept.before",
    "accept.after",
    "upload.half",
    "upload.before-rename",
    "upload.after-rename",
    "tables.before-commit",
    "delivery.before-receipt",
    "clearing.before",
)


def reached(place: str) -> None:
    """Die here if the environment asks for it. `place` is one of `PLACES`."""
    if os.environ.get("ROSTER_CRASH_AT") == place:
        os.kill(os.getpid(), signal.SIGKILL)
