"""How many examples a property is tried with."""

import os
from typing import Final

_TIMES: Final = int(os.environ.get("ROSTER_EXAMPLES", "1"))


def examples(count: int) -> int:
    """So many in every test run; `make soak` has a multiple of them."""
    return count * _TIMES
