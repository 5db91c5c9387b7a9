"""Records that say one person, or one of anything, several times, put together into one.

Some servers send a user once for each school (Ed-Fi does), each time with the roles there. In
which order they send them is their whim, so nothing depends on it.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date
from operator import itemgetter
from typing import Any, Final

from roster_pipeline.oneroster.rest_json import Record, reference_of, text_of
from roster_pipeline.oneroster.spelling import (
    BOOLEANS_AS_SENT,
    STATUS_1P0,
    day_as_written,
    moment_of,
)

_EACH_TIME_ANOTHER: Final = ("sourcedId", "dateLastModified")
_SPAN: Final = ("beginDate", "endDate")
_REFERENCE: Final = {"href", "sourcedId", "type"}
_TRUE: Final = ("true", *(sent for sent, meant in BOOLEANS_AS_SENT.items() if meant == "true"))
_DELETED: Final = (*STATUS_1P0.values(), *STATUS_1P0)
_NEVER: Final = float("inf")
# Texts cost the garbage collector nothing, but the few that differ much may be very many.
_WAITING: Final = 100

Rank = tuple[float, float, str]
"""What goes before what: what keeps more access, then the newest, then whatever is the same
tomorrow. The least is the first."""

_Items = dict[str, tuple[tuple[Rank, int], Any]]
# Making one for each text costs as much as the text.
_as_text: Final = json.JSONEncoder(sort_keys=True).encode


class Union:
    """What records of one sourcedId say together: their lists put together, and of any other
    property what the newest by `dateLastModified` says of those that fill it.

    What takes access away does so only if all records say it: a person is enabled if one record
    says so; an enrollment lasts from the first beginDate to the last endDate, and is open at an
    end at which one record leaves it open; and records that delete count for nothing beside one
    that does not.
    """

    def __init__(self, record: Record) -> None:
        self._deletes = _deletes(record)
        self._both = False
        self._waiting: list[tuple[float, str]] = []
        self._heard: _Heard | None = None
        self.add(record)

    def add(self, record: Record) -> None:
        """Put one more record of the sourcedId to those before."""
        if _deletes(record) is not self._deletes:
            self._both = True
            if not self._deletes:
                return
            self._deletes, self._waiting, self._heard = False, [], None
        self._waiting.append(_age_and_text(record))
        if len(self._waiting) >= _WAITING:
            self._heard, self._waiting = self._all(), []

    def united(self) -> tuple[dict[str, Any], set[str]]:
        """The one record, and the properties of which the records say different things."""
        record, differing = self._all().united()
        return record, differing | ({"status"} if self._both else set())

    def _all(self) -> "_Heard":
        heard = self._heard or _Heard()
        for age, text in sorted(self._waiting):
            others, lists = json.loads(text)
            heard.hear({**others, **lists}, age, text)
        return heard


class _Heard:
    """What records of one sourcedId say, property by property."""

    def __init__(self) -> None:
        self._records = 0
        self._said: defaultdict[str, _Said] = defaultdict(_Said)
        self._metadata: defaultdict[str, _Said] = defaultdict(_Said)

    def hear(self, record: Record, age: float, text: str) -> None:
        """Take in one more record, with that by which it has its place."""
        self._records += 1
        rank = 0.0, age, text
        for name, value in record.items():
            if name == "metadata" and isinstance(value, Mapping):
                for key, held in value.items():
                    self._metadata[key].hear(held, rank)
                continue
            said = self._said[name]
            if name == "enabledUser":
                said.hear(value, (float(not _is_true(value)), age, text), _is_true)
            elif name in _SPAN and "class" in record:
                said.hear(value, (_how_narrow(name, value), age, text))
            else:
                said.hear(value, rank)

    def united(self) -> tuple[dict[str, Any], set[str]]:
        """The one record, and the properties of which the records differ."""
        record = {name: said.together() for name, said in self._said.items()}
        differing = {name for name, said in self._said.items() if said.differs}
        for name in _SPAN if "class" in record else ():
            if name in record and 0 < self._said[name].times < self._records:
                record[name] = None
                differing.add(name)
        if self._metadata:
            record["metadata"] = {key: said.together() for key, said in self._metadata.items()}
            differing |= {f"metadata.{key}" for key, said in self._metadata.items() if said.differs}
        return record, differing.difference(_EACH_TIME_ANOTHER)


class _Said:
    """What records say of one property: the first by rank of what is filled, and all items of
    lists."""

    __slots__ = ("_items", "_list", "_rank", "_value", "differs", "times")

    def __init__(self) -> None:
        self._value: Any = None
        self._rank: Rank | None = None
        self._list: tuple[list[Any], Rank] | None = None
        self._items: _Items | None = None
        self.times = 0
        """How many records fill it."""
        self.differs = False

    def hear(self, value: Any, rank: Rank, likeness: Callable[[Any], Any] | None = None) -> None:
        """Take in what one more record says; `likeness` is the same for what says the same."""
        if not _is_filled(value):
            return
        self.times += 1
        if isinstance(value, list):
            self._hear_list(value, rank)
            return
        if self._rank is None:
            self._value, self._rank = value, rank
            return
        if value != self._value and not self.differs:
            of = likeness or _likeness
            self.differs = of(value) != of(self._value)
        if rank < self._rank:
            self._value, self._rank = value, rank

    def _hear_list(self, value: list[Any], rank: Rank) -> None:
        """Most lists are the same in all records, and their items need not be looked at."""
        if self._list is None:
            self._list = value, rank
            return
        known, first = self._list
        if value == known:
            self._list = known, min(rank, first)
            return
        self._items = {} if self._items is None else self._items
        _keep_first(self._items, value, rank)

    def together(self) -> Any:
        """The value; of lists, and values beside lists, a list of all items, each once."""
        if self._list is None:
            return self._value
        if self._items is None and self._rank is None:
            return self._list[0]
        items = dict(self._items or {})
        _keep_first(items, *self._list)
        if self._rank is not None:
            _keep_first(items, [self._value], self._rank)
        return [item for _, item in sorted(items.values(), key=itemgetter(0))]


def _keep_first(items: _Items, some: list[Any], rank: Rank) -> None:
    """Put those items of a record to others that are not there, or stand later there."""
    for place, item in enumerate(some):
        if _is_filled(item):
            likeness, at = _likeness(item), (rank, place)
            known = items.get(likeness)
            if known is None or at < known[0]:
                items[likeness] = at, item


def _age_and_text(record: Record) -> tuple[float, str]:
    """By which a record has its place among those of its sourcedId. Of one age those go first
    that come first as text, without their lists to begin with: a server may not order these."""
    moment = moment_of(_text(record.get("dateLastModified")))
    lists = {name: value for name, value in record.items() if isinstance(value, list)}
    others = {name: value for name, value in record.items() if name not in lists}
    return _NEVER if moment is None else -moment.timestamp(), _as_text((others, lists))


def _how_narrow(name: str, value: Any) -> float:
    """Less for an earlier beginDate or a later endDate; most for what is no date."""
    try:
        day = date.fromisoformat(day_as_written(_text(value))).toordinal()
    except ValueError:
        return _NEVER
    return day if name == "beginDate" else -day


def _deletes(record: Record) -> bool:
    return _text(record.get("status")).casefold() in _DELETED


def _is_true(value: Any) -> bool:
    return _text(value).casefold() in _TRUE


def _text(value: Any) -> str:
    return (text_of(value) or "").strip()


def _is_filled(value: Any) -> bool:
    if isinstance(value, str):
        return bool(value.strip())
    return not (value is None or value in ([], {}))


def _likeness(value: Any) -> str:
    """A text that is the same for values which say the same."""
    return _as_text(_bare(value))


def _bare(value: Any) -> Any:
    """A value without what says nothing: empty properties, their order, addresses of references,
    and whether a number is a text."""
    if isinstance(value, list):
        return [_bare(item) for item in value]
    if not isinstance(value, Mapping):
        return _text(value)
    if set(value) <= _REFERENCE and (found := reference_of(value)):
        return found.strip()
    return {name: _bare(held) for name, held in value.items() if _is_filled(held)}
