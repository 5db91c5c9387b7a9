"""The limits that a roster may not pass without a person's word."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import Field, StrictInt, field_validator

from roster_pipeline.fields import Part

LATER: Final[Mapping[str, str]] = {
    "additions": "limits on additions",
    "changes": "limits on changed rows",
    "schools": "limits for each school",
    "roles": "limits for students and teachers apart",
    "cumulative": "limits over several days",
    "windows": "rollover windows and blackout dates",
    "policy": "letting additions through while removals wait",
}
"""Keys of `guards:` that are planned, and what each will do."""

Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


class Limit(Part):
    """How many rows may be affected before a sync waits for a person."""

    percent: Percent = 10.0
    """More than this share of an entity's rows is too much …"""
    floor: Annotated[StrictInt, Field(ge=0)] = 5
    """… if it is at least this many rows, so that a small school is not held for one leaver."""
    count: Annotated[StrictInt, Field(ge=0)] | None = None
    """More than this many rows is too much whatever the share; none by default."""

    def passed_by(self, affected: int, total: int) -> bool:
        """Whether `affected` of `total` rows is too much."""
        if self.count is not None and affected > self.count:
            return True
        return affected >= max(self.floor, 1) and affected * 100 > self.percent * total

    def sentence(self, total: int) -> str:
        """The limit in words and in numbers for an entity of `total` rows."""
        parts = [f"{self.percent:g} % ({int(self.percent * total / 100):,} rows)"]
        if self.floor > 1:
            parts.append(f"from {self.floor} rows up")
        if self.count is not None:
            parts.append(f"or {self.count:,} rows in any case")
        return ", ".join(parts)


class EntityLimits(Part):
    """The limits of one entity; what is not said comes from the limits of all entities."""

    removed: Limit = Field(default_factory=Limit)
    held_back: Limit = Field(default_factory=lambda: Limit(percent=20.0))
    orphaned: Limit = Field(default_factory=lambda: Limit(percent=1.0))


class GuardSettings(EntityLimits):
    """The `guards:` of roster.yaml, or of a source, where they overlay roster.yaml's."""

    entities: dict[str, EntityLimits] = Field(default_factory=dict)
    """Other limits for single entities, by entity name."""

    @field_validator("entities")
    @classmethod
    def _known_entities(cls, entities: dict[str, EntityLimits]) -> dict[str, EntityLimits]:
        from roster_pipeline.oneroster.entities import ENTITIES

        if unknown := [name for name in entities if name not in ENTITIES]:
            raise ValueError(
                f"no entity is called {', '.join(unknown)}; the entities are {', '.join(ENTITIES)}"
            )
        return entities

    def of(self, entity: str) -> EntityLimits:
        """The limits that hold for one entity."""
        own = self.entities.get(entity)
        if own is None:
            return self
        general = self.model_dump(exclude={"entities"})
        return EntityLimits.model_validate(_overlay(general, own.model_dump(exclude_unset=True)))

    def overlaid_by(self, other: "GuardSettings") -> "GuardSettings":
        """These settings with every key that `other` sets taken from `other`."""
        return GuardSettings.model_validate(
            _overlay(self.model_dump(exclude_unset=True), other.model_dump(exclude_unset=True))
        )


def _overlay(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        lower = merged.get(key)
        both = isinstance(lower, Mapping) and isinstance(value, Mapping)
        merged[key] = _overlay(lower, value) if both else value  # type: ignore[arg-type]  # narrowed by `both`
    return merged
