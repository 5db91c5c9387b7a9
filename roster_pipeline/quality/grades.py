"""Words of CEDS, which 1.1 names and most receivers expect."""

import re
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from roster_pipeline.oneroster.manifest import Version

# CEDS Entry Grade Level, as far as OneRoster 1.1 takes it over.
GRADES: Final = frozenset(
    {"IT", "PR", "PK", "TK", "KG", "PS", "UG", "Other", *(f"{year:02}" for year in range(1, 14))}
)
# CEDS Public School Residence Status, which 1.1 names.
RESIDENCES: Final = frozenset(f"{code:05}" for code in range(1652, 1657))
# Spellings in use that can mean nothing but one of these.
_NEAR: Final = re.compile(
    r"(?:it|pr|pk|tk|kg|ps|ug|other)|k|kdg|kind(?:er(?:garten)?)?|pre-?k(?:indergarten)?"
    r"|0*(?:1[0-3]|[1-9])(?:st|nd|rd|th)?(?: grade)?|(?:grade|gr\.?) ?0*(?:1[0-3]|[1-9])",
    re.IGNORECASE,
)


def wrong_grades(lists: pd.Series, version: Version) -> npt.NDArray[np.bool_]:
    """Which lists of grades hold one that is not among these.

    1.2 leaves the words to agreement: there only what is misspelt beyond doubt is wrong.
    """

    def wrong(text: str) -> bool:
        others = [item for item in text.split(",") if item and item not in GRADES]
        if version is Version.V1P1:
            return bool(others)
        return any(_NEAR.fullmatch(item) for item in others)

    return np.array([isinstance(text, str) and wrong(text) for text in lists], dtype=bool)


def wrong_residence(texts: pd.Series) -> npt.NDArray[np.bool_]:
    """Which texts are no code of public school residence."""
    wrong: npt.NDArray[np.bool_] = ~texts.isin(RESIDENCES).to_numpy(dtype=bool)
    return wrong
