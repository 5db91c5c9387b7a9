"""Records that say one person, or one of anything, several times, put together into one.

Some servers send a user once for each school (Ed-Fi does), each time with the roles there.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from roster_pipeline.oneroster.rest_json import Record, reference_of, text_of

_EACH_TIME_ANOTHER: Final = ("sourcedId", "dateLastModified")
_REFERENCE: Final = {"href", "sourcedId", "type"}
_TRUE: Final = ("true", "1", "yes", "y")
# 1.0 said inactive for what is now tobedeleted.
_DELETED: Final = ("tobedeleted", "inactive")


class Union:
    """What records of one sourcedId say together: their lists put together, and of any other
    property the first that is filled.

    What takes access away does so only if all records say it: a person is enabled if one record
    says so, and records that delete count for nothing beside one that does not.
    """

    def __init__(self, record: Record) -> None:
        self.record: dict[str, Any] = dict(record)
        self.differing: set[str] = set()
        """Properties of which the records say different things."""

    def add(self, record: Record) -> None:
        """Put one more record of the sourcedId to those before."""
        if _deletes(record) is not _deletes(self.record):
            self.differing.add("status")
            if _deletes(self.record):
                self.record = dict(record)
            return
        for name, value in record.items():
            self.record[name] = self._one(name, self.record.get(name), value)

    def _one(self, name: str, first: Any, second: Any) -> Any:
        if first == second or not _is_filled(second):
            return first
        if not _is_filled(first):
            return second
        if isinstance(first, list) or isinstance(second, list):
            return _together(first, second)
        if isinstance(first, Mapping) and isinstance(second, Mapping) and name == "metadata":
            return {
                key: self._one(f"metadata.{key}", first.get(key), second.get(key))
                for key in {**first, **second}
            }
        if name == "enabledUser":
            return self._enabled(first, second)
        if name not in _EACH_TIME_ANOTHER and _likeness(first) != _likeness(second):
            self.differing.add(name)
        return first

    def _enabled(self, first: Any, second: Any) -> Any:
        says = [_word(value) in _TRUE for value in (first, second)]
        if says[0] is not says[1]:
            self.differing.add("enabledUser")
        return second if says == [False, True] else first


def _deletes(record: Record) -> bool:
    return _word(record.get("status")) in _DELETED


def _word(value: Any) -> str:
    return (text_of(value) or "").strip().casefold()


def _is_filled(value: Any) -> bool:
    return not (
        value is None or value in ([], {}) or (isinstance(value, str) and not value.strip())
    )


def _together(first: Any, second: Any) -> list[Any]:
    """The items of both lists, each once; a value that is no list is its only item."""
    some = first if isinstance(first, list) else [first]
    more = second if isinstance(second, list) else [second]
    found: dict[str, Any] = {}
    for item in (*some, *more):
        if _is_filled(item):
            found.setdefault(_likeness(item), item)
    return list(found.values())


def _likeness(value: Any) -> str:
    """A text that is the same for values which say the same."""
    return json.dumps(_bare(value), sort_keys=True)


def _bare(value: Any) -> Any:
    """A value without what says nothing: empty properties, their order, addresses of references,
    and whether a number is a text."""
    if isinstance(value, list):
        return [_bare(item) for item in value]
    if not isinstance(value, Mapping):
        return (text_of(value) or "").strip()
    if set(value) <= _REFERENCE and (found := reference_of(value)):
        return found.strip()
    return {name: _bare(held) for name, held in value.items() if _is_filled(held)}
