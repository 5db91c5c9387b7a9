"""What is hidden in tables that keep rows from before.

A package is replaced by the next one. Tables have rows that a mask of today never saw, so what they
hide is noted with them, and what a mask hides more is taken out of them first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.receivers.mask_config import Mask
from roster_pipeline.receivers.masking import columns_masked, key_print

_ID: Final = "sourcedId"


@dataclass(frozen=True)
class Hidden:
    """What stands in no row, or only as a hash: columns with their entity (`users.phone`), and
    entities of which there is no row."""

    empty: frozenset[str] = frozenset()
    hashed: frozenset[str] = frozenset()
    key: str | None = None
    """The print of the key of the hashes."""

    @classmethod
    def by(cls, mask: Mask | None, key: bytes | None) -> "Hidden":
        """What a mask hides, in all entities that it reaches."""
        if mask is None:
            return cls()
        empty, hashed = set(mask.entities), set[str]()
        for entity in (entity for entity in ENTITIES if entity not in empty):
            done = columns_masked(mask, entity)
            empty |= {f"{entity}.{name}" for name in done.gone | done.empty}
            hashed |= {f"{entity}.{name}" for name in done.hashed | done.hashed_lists}
        return cls(frozenset(empty), frozenset(hashed), key_print(key) if key else None)

    @classmethod
    def read(cls, document: Mapping[str, Any] | None) -> "Hidden":
        """What `document` wrote."""
        if not document:
            return cls()
        empty, hashed = (frozenset(document.get(way, ())) for way in ("empty", "hashed"))
        return cls(empty, hashed, document.get("key"))

    def document(self) -> dict[str, Any] | None:
        """As JSON; None where nothing is hidden."""
        if not self:
            return None
        return {"empty": sorted(self.empty), "hashed": sorted(self.hashed), "key": self.key}

    def __bool__(self) -> bool:
        """Whether anything is hidden."""
        return bool(self.empty or self.hashed)

    def besides(self, before: "Hidden") -> "Hidden":
        """What is hidden now and was to be seen before, or was hashed with another key."""
        known = before.hashed if before.key == self.key else frozenset[str]()
        return Hidden(
            frozenset(name for name in self.empty if not before._is_empty(name)),
            frozenset(n for n in self.hashed - known if not before._is_empty(n)),
            self.key,
        )

    def has_no_row(self, entity: str) -> bool:
        """Whether no row of before can stay, as its entity or its very id is hidden."""
        return entity in self.empty or f"{entity}.{_ID}" in self.hashed

    def columns(self, entity: str) -> list[str]:
        """The columns of an entity that are hidden, in either way."""
        named = (name.partition(".") for name in sorted(self.empty | self.hashed))
        return [column for its, _, column in named if its == entity and column]

    def _is_empty(self, name: str) -> bool:
        return any(name == one or name.startswith(f"{one}.") for one in self.empty)


NOTHING_HIDDEN: Final = Hidden()
