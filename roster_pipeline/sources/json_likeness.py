"""Pages of records like those read before, split without an object for each value in them.

Which names stand where is learned from records that were read name by name and have none that may
hold a secret. msgspec then refuses, in C, whatever has another name or shape; so what it takes has
no secret either. The few records of a page that it refuses are left to be read name by name.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Union

import msgspec

_SCALARS: Final = (None, bool, int, float, str)
_MOST_NAMES: Final = 200
"""At one place; who uses more names things after their values."""
_DEEPEST: Final = 8
_TRIES: Final = 5
"""After so many pages in a row that are not like those before, the others are not, either."""
_MOST_ODD: Final = 0.5
"""Of a page; where more records are odd, it is not like those before."""
_PAGE: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass
class _Place:
    """What stood at one place of records."""

    names: dict[str, "_Place"] = field(default_factory=dict)
    """Of the objects there, or in a list there."""
    seen: bool = False
    """Whether there was any object."""

    def type(self) -> Any:
        """Of an object there."""
        fields = {f"f{place}": name for place, name in enumerate(self.names)}
        types = [(field, self.names[name].value(), None) for field, name in fields.items()]
        return msgspec.defstruct("Like", types, rename=fields, forbid_unknown_fields=True, gc=False)

    def value(self) -> Any:
        """The type of whatever is there."""
        held = (*_SCALARS, self.type()) if self.seen else _SCALARS
        items: Any = Union[held]  # noqa: UP007 - of types known only now
        return Union[(*held, list[items])]


@dataclass(frozen=True)
class Likes:
    """The records of a page that is like those before."""

    lines: list[str]
    """Each as it came."""
    around: Mapping[str, Any]
    """What stands beside their lists."""
    records: Sequence[Any]
    """None for one that is odd: it was not read, and may hold a secret."""
    places: Mapping[str, str]
    """Name → the attribute of a record that holds what stands there."""

    @property
    def odd(self) -> list[int]:
        """The places of the records that are not like others."""
        return [place for place, record in enumerate(self.records) if record is None]

    def column(self, name: str) -> list[Any]:
        """What the records have under a name; None where they have nothing, or are odd. Objects
        are opaque."""
        attribute = self.places.get(name)
        if attribute is None:
            return [None] * len(self.records)
        return [getattr(record, attribute, None) for record in self.records]


class Likeness:
    """What records have been like so far. `harmless` says of a name that it holds no secret."""

    def __init__(self, harmless: Callable[[str], bool]) -> None:
        self._harmless = harmless
        self._root = _Place()
        self._decoder: msgspec.json.Decoder[Any] | None = None
        self._all: msgspec.json.Decoder[list[Any]] | None = None
        self._places: dict[str, str] = {}
        self._missed = 0
        self._new = False

    @property
    def learning(self) -> bool:
        """Whether anything may still come of it."""
        return self._missed < _TRIES

    def learn(self, records: Sequence[Any]) -> None:
        """Take records that hold no secret for what others will be like."""
        self._new = False
        for record in records:
            if isinstance(record, dict):
                self._learn(record, self._root, 0)
        if not self._new:
            return
        self._places = {name: f"f{place}" for place, name in enumerate(self._root.names)}
        try:
            like = self._root.type()
            self._decoder = msgspec.json.Decoder(like)
            self._all = msgspec.json.Decoder(list[like])  # type: ignore[valid-type]
        except (TypeError, ValueError):
            self._missed = _TRIES  # a name that msgspec cannot take for one

    def read(self, body: bytes, names: Sequence[str]) -> Likes | None:
        """A page, if all is as before: one line, in UTF-8, its records in lists under `names`."""
        if not self.learning:
            return None
        try:
            found = self._read(body, names) if self._decoder else None
        except (ValueError, RecursionError):  # what msgspec raises is a ValueError
            found = None
        self._missed = 0 if found is not None else self._missed + 1
        return found

    def _read(self, body: bytes, names: Sequence[str]) -> Likes | None:
        # Of a name that stands there twice msgspec gives the last only.
        if b"\n" in body or any(body.count(b'"%b"' % name.encode()) > 1 for name in names):
            return None
        page = _PAGE.decode(body)
        lists = {name: page.pop(name) for name in list(page) if name in names}
        if not lists:
            return None
        split = [line for held in lists.values() for line in _LIST.decode(held)]
        records = [record for held in lists.values() for record in self._decoded(held)]
        if records.count(None) > _MOST_ODD * len(records):
            return None
        around = {name: msgspec.json.decode(held) for name, held in page.items()}
        return Likes([str(line, "utf-8") for line in split], around, records, self._places)

    def _decoded(self, held: msgspec.Raw) -> list[Any]:
        """The records of a list, None for each that is odd."""
        assert self._all is not None  # noqa: S101
        try:
            return self._all.decode(held)
        except ValueError:
            return [self._one(line) for line in _LIST.decode(held)]

    def _one(self, line: msgspec.Raw) -> Any:
        assert self._decoder is not None  # noqa: S101
        try:
            return self._decoder.decode(line)
        except ValueError:
            return None

    def _learn(self, value: Any, place: _Place, depth: int) -> None:
        """Note what stands at a place, as far as others may be read by that."""
        if isinstance(value, list):
            for item in value:
                if not isinstance(item, list):
                    self._learn(item, place, depth)
        if not isinstance(value, dict):
            return
        self._new = self._new or not place.seen
        place.seen = True
        for name, held in value.items():
            if name not in place.names:
                if not self._harmless(name) or len(place.names) >= _MOST_NAMES or depth > _DEEPEST:
                    continue
                place.names[name] = _Place()
                self._new = True
            self._learn(held, place.names[name], depth + 1)
