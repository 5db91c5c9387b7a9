from typing import Final

from tests.quality.breaking import Breaks

CASES: Final[tuple[Breaks, ...]] = ()
