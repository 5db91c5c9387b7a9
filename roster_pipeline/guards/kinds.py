"""Which kind of people a role makes somebody."""

from collections.abc import Mapping
from typing import Final

from roster_pipeline.guards.facts import RELATIVES, STAFF, STUDENTS, TEACHERS
from roster_pipeline.oneroster.entities import columns

_OTHERS: Final[Mapping[str, str]] = {
    "student": STUDENTS,
    "teacher": TEACHERS,
    "guardian": RELATIVES,
    "parent": RELATIVES,
    "relative": RELATIVES,
}
_WORDS: Final = next(column.words for column in columns("roles") if column.name == "role")

KINDS: Final[Mapping[str, str]] = {word: _OTHERS.get(word, STAFF) for word in _WORDS}
"""The kind (`facts.PEOPLE`) of each role of the standard; a district's own (`ext:…`) are staff."""
