"""Properties that the standard does not have, in the objects of the REST API.

Objects are closed but for `metadata` (Rostering Binding 1.2). What else a server sends is kept with
what it sent, and read by nobody.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any, Final

from roster_pipeline.oneroster.findings import FindingGroup
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.package import tables
from roster_pipeline.oneroster.reading_rules import RULES
from roster_pipeline.oneroster.rest_json import property_of

# What the objects have beside the columns of the tables.
_MORE: Final = {
    "orgs": ("children",),
    "academicSessions": ("children",),
    "courses": ("resources",),
    "classes": ("resources",),
    "users": ("resources", "roles", "userProfiles"),
    "roles": ("userProfile",),
    "userProfiles": ("profileId", "credentials"),
}
# A name of a property, `@type` and `$ref` among them. What does not look like one may be a value:
# with an at-sign further on it is somebody's address.
_NAME: Final = re.compile(r"(?=.{1,64}\Z)[$@]?[A-Za-z_][A-Za-z0-9_.:-]*")
_MOST: Final = 50
_OTHERS: Final = "the standard has no such property, and there are many, or without a proper name"
_OF_USERS: Final = ("roles", "userProfiles")


@cache
def known_properties(entity: str, version: Version) -> frozenset[str]:
    """The properties that an object of an entity can have."""
    more = _MORE.get(entity, ())
    if version is Version.V1P1:
        more = tuple(name for name in more if name not in _OF_USERS)
    table = tables(version)[entity]
    return frozenset((*map(property_of, table), *more, "metadata"))


class ExtraProperties:
    """Counts the records of an entity that have properties beyond the standard's.

    Records have few different sets of names, so that a record costs a look-up, not one a name.
    """

    def __init__(self, entity: str, version: Version) -> None:
        self._entity = entity
        self._known = known_properties(entity, version)
        self._counts: Counter[str] = Counter()

    def look(self, records: Sequence[Any]) -> None:
        """Count more records of the entity's collection."""
        for names, count in Counter(map(tuple, self._objects(records))).items():
            for name in {
                name if is_a_name(name) else "" for name in names if name not in self._known
            }:
                self._counts[name] += count

    def _objects(self, records: Sequence[Any]) -> Iterator[dict[str, Any]]:
        objects = (record for record in records if isinstance(record, dict))
        if self._entity not in _OF_USERS:
            return objects
        held = (user.get(self._entity) for user in objects)
        lists = (found for found in held if isinstance(found, list))
        return (each for each in chain.from_iterable(lists) if isinstance(each, dict))

    def findings(self, file: str) -> Iterator[FindingGroup]:
        """A finding for each property; one for all that have no proper name, or are too many."""
        named = sorted(name for name in self._counts if name)
        for name in named[:_MOST]:
            yield self._finding(file, name, self._counts[name])
        others = [*named[_MOST:], *([""] if "" in self._counts else [])]
        if others:
            yield self._finding(file, None, max(self._counts[name] for name in others))

    def _finding(self, file: str, name: str | None, count: int) -> FindingGroup:
        rule = RULES["pull.extra_property"]
        what = rule.message if name else _OTHERS
        have = "one object has it" if count == 1 else f"{count:,} objects have it"
        column = f"{self._entity}.{name}" if name and self._entity in _OF_USERS else name
        return rule.at(file, column, message=f"{what}; {have}", entity=self._entity)


def is_a_name(name: str) -> bool:
    """Whether what a server has as a name looks like one, so that it can be repeated."""
    return bool(_NAME.fullmatch(name))
