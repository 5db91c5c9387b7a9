"""Titles and codes of courses in the form in which they are compared."""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import pandas as pd
from anyascii import anyascii

_LIST: Final = re.compile(r"[,;]")
_TOKEN: Final = re.compile(r"[a-z]+|[0-9]+")
_INITIALS: Final = re.compile(r"\b([a-z])\.(?=[a-z]\b)")
# Which half or quarter of a year it is, or which section, says nothing about what is taught.
_PART: Final = re.compile(
    r"\b(?:s|sem|semester|q|qtr|quarter|t|tri|trimester|term|per|period|sec|section)"
    r"[.]?\s*#?[0-9]{1,2}\b|\b(?:sem|semester|sec|section)[.]?\s+[a-d]\b"
)
_ROMAN: Final[Mapping[str, str]] = {
    "i": "1",
    "ii": "2",
    "iii": "3",
    "iv": "4",
    "v": "5",
    "vi": "6",
    "vii": "7",
    "viii": "8",
}
# How schools shorten the words of their titles.
_WORDS: Final[Mapping[str, str]] = {
    "acctg": "accounting",
    "adv": "advanced",
    "alg": "algebra",
    "amer": "american",
    "anat": "anatomy",
    "ap": "advanced placement",
    "bio": "biology",
    "biol": "biology",
    "calc": "calculus",
    "chem": "chemistry",
    "civ": "civilization",
    "dev": "development",
    "econ": "economics",
    "ed": "education",
    "ela": "english language arts",
    "elem": "elementary",
    "eng": "english",
    "engl": "english",
    "env": "environmental",
    "euro": "european",
    "fr": "french",
    "geog": "geography",
    "geom": "geometry",
    "ger": "german",
    "govt": "government",
    "gov": "government",
    "gr": "grade",
    "hist": "history",
    "hon": "honors",
    "honours": "honors",
    "hnrs": "honors",
    "ib": "international baccalaureate",
    "integ": "integrated",
    "intro": "introduction",
    "k": "kindergarten",
    "kg": "kindergarten",
    "lang": "language",
    "lit": "literature",
    "math": "mathematics",
    "maths": "mathematics",
    "mod": "modern",
    "orch": "orchestra",
    "pe": "physical education",
    "precalc": "precalculus",
    "prin": "principles",
    "psych": "psychology",
    "rdg": "reading",
    "sci": "science",
    "soc": "social",
    "span": "spanish",
    "stat": "statistics",
    "stats": "statistics",
    "std": "studies",
    "stds": "studies",
    "tech": "technology",
    "trig": "trigonometry",
    "us": "united states",
    "usa": "united states",
    "wrld": "world",
}
# Words that titles have or lack without meaning anything else by it.
_EMPTY: Final = frozenset({"a", "an", "and", "course", "class", "for", "in", "of", "the", "to"})


@cache
def folded(text: str) -> str:
    """A text in plain small letters: `ÁLGEBRA Ⅰ` is `algebra i`."""
    return anyascii(unicodedata.normalize("NFKC", text)).casefold().strip()


@cache
def words(title: str) -> tuple[str, ...]:
    """The words of a title as they are compared: folded, written out, numbers as digits.

    `Hon. Alg II (Sem 1)` is honors, algebra, 2.
    """
    text = _INITIALS.sub(r"\1", folded(title).replace("'", "").replace("&", " and "))
    tokens = _TOKEN.findall(_PART.sub(" ", text)) or _TOKEN.findall(text)
    found: list[str] = []
    for token in tokens:
        if token in _EMPTY:
            continue
        number = _ROMAN.get(token, token)
        plain = number.lstrip("0") or "0" if number.isdigit() else _WORDS.get(number, number)
        found += plain.split()
    return tuple(found)


def code_key(code: str) -> str:
    """A code as it is compared: capitals and blanks around it do not matter, zeros do."""
    return unicodedata.normalize("NFKC", code).strip().casefold()


def grade_key(grade: str) -> str:
    """A grade as it is compared: `9` is `09`."""
    return grade.strip().casefold().lstrip("0")


def items(cell: Any) -> tuple[str, ...]:
    """What a list cell holds; nothing if it is null."""
    if not isinstance(cell, str):
        return ()
    return tuple(item.strip() for item in _LIST.split(cell) if item.strip())


def text_of(cell: Any) -> str:
    """A cell's text; the empty one if it is null."""
    return "" if cell is None or cell is pd.NA else str(cell)
