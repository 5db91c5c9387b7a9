"""The limits that a roster may not pass without a person's word."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import AfterValidator, Field, StrictInt, field_validator

from roster_pipeline.fields import Part
from roster_pipeline.guards.facts import PEOPLE

Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Count = Annotated[StrictInt, Field(ge=0)]
V = TypeVar("V")


def _known_entities(given: dict[str, V]) -> dict[str, V]:
    from roster_pipeline.oneroster.entities import ENTITIES

    if unknown := [name for name in given if name not in ENTITIES]:
        raise ValueError(
            f"no entity is called {', '.join(unknown)}; the entities are {', '.join(ENTITIES)}"
        )
    return given


ByEntity = Annotated[dict[str, V], AfterValidator(_known_entities)]
"""A value for some entities, by their names."""


class Limit(Part):
    """How many rows may be affected before a sync waits for a person."""

    percent: Percent | None = 10.0
    """More than this share of the rows there were is too much; None (`null`) for no such limit …"""
    floor: Count = 5
    """… if it is at least this many rows, so that a small school is not held for one leaver."""
    count: Count | None = None
    """More than this many rows is too much whatever the share; none by default."""

    def passed_by(self, affected: int, total: int) -> bool:
        """Whether `affected` of `total` rows is too much."""
        if self.count is not None and affected > self.count:
            return True
        if self.percent is None:
            return False
        return affected >= max(self.floor, 1) and affected * 100 > self.percent * total

    def times(self, number: int) -> "Limit":
        """So many times this limit, from as many rows up."""
        return Limit.model_construct(
            percent=None if self.percent is None else self.percent * number,
            floor=self.floor,
            count=None if self.count is None else self.count * number,
        )

    def sentence(self, total: int, noun: str = "rows") -> str:
        """The limit in words and in numbers where there are `total` rows, or whatever else."""
        parts = []
        if self.percent is not None:
            parts.append(f"{self.percent:g} % ({int(self.percent * total / 100):,} {noun})")
            if self.floor > 1:
                parts.append(f"from {self.floor} {noun} up")
        if self.count is not None:
            parts.append(f"{'or ' if parts else ''}{self.count:,} {noun} in any case")
        return ", ".join(parts) or "none"


class Additions(Limit):
    """Nobody loses anything by rows that are added, but another file may be behind them."""

    percent: Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)] | None = 75.0
    floor: Count = 25


class Changes(Limit):
    """Names and grades change for all in summer, and on no other day."""

    percent: Percent | None = 75.0
    floor: Count = 25


class HeldBack(Limit):
    """Of the rows that were read."""

    percent: Percent | None = 20.0


class Orphaned(Limit):
    """Of the rows that were read."""

    percent: Percent | None = 1.0


class AtSchool(Limit):
    """A school is smaller than a district, and more of it may change."""

    percent: Percent | None = 25.0
    floor: Count = 10


class NoLimit(Limit):
    """None unless somebody sets one."""

    percent: Percent | None = None


class EmptiedClasses(Limit):
    """Of the classes with at least five students: one is enough in a small district."""

    percent: Percent | None = 0.5
    floor: Count = 1


class Rekeyed(Limit):
    """Of the rows there were."""

    percent: Percent | None = 5.0


class RoleFlips(Limit):
    """Of the people who stay."""

    percent: Percent | None = 1.0


class MovedSchool(Limit):
    """Of the students who stay."""

    percent: Percent | None = 5.0
    floor: Count = 25


class SignIn(Limit):
    """Of the users who stay."""

    percent: Percent | None = 5.0
    floor: Count = 10


class InAWeek(Limit):
    """Of the rows there were before."""

    percent: Percent | None = 20.0


class InAMonth(Limit):
    """Of the rows there were before."""

    percent: Percent | None = 30.0


class InAWeekAtSchool(Limit):
    """Of the rows there were at the school before."""

    percent: Percent | None = 40.0
    floor: Count = 15


class InAMonthAtSchool(Limit):
    """Of the rows there were at the school before."""

    percent: Percent | None = 50.0
    floor: Count = 20


class MoveLimits(Part):
    """The limits on what may become of rows of one kind."""

    removed: Limit = Limit()
    additions: Additions = Additions()
    changes: Changes = Changes()
    deactivated: Limit = Limit()
    """Disabled, or with an end date that has come forward."""
    descoped: Limit = Limit()
    """Left out by a scope that was narrowed."""


class SchoolLimits(Part):
    """The limits on what may become of one kind at one school."""

    removed: AtSchool = AtSchool()
    additions: NoLimit = NoLimit()
    changes: NoLimit = NoLimit()
    deactivated: AtSchool = AtSchool()
    descoped: NoLimit = NoLimit()


class EntityLimits(MoveLimits):
    """The limits of one entity; what is not said comes from the limits of all entities."""

    held_back: HeldBack = HeldBack()
    orphaned: Orphaned = Orphaned()


class Cumulative(Part):
    """The limits on what may be removed, and on what may be deactivated, over several days, today
    included, without a person's word."""

    in_7_days: InAWeek = InAWeek()
    in_30_days: InAMonth = InAMonth()
    at_school_in_7_days: InAWeekAtSchool = InAWeekAtSchool()
    at_school_in_30_days: InAMonthAtSchool = InAMonthAtSchool()


class GuardSettings(EntityLimits):
    """The `guards:` of roster.yaml, or of a source, where they overlay roster.yaml's."""

    policy: Literal["hold", "additions_only"] = "hold"
    """What happens when only removals are too many: everything waits, or only they do."""
    entities: ByEntity[EntityLimits] = Field(default_factory=dict)
    """Other limits for single entities, by entity name."""
    people: dict[str, MoveLimits] = Field(default_factory=dict)
    """Other limits for kinds of people: students, teachers, staff, relatives."""
    schools: SchoolLimits = SchoolLimits()
    """For each school: its students, teachers, staff, relatives, classes and enrollments."""
    cumulative: Cumulative = Cumulative()
    emptied_classes: EmptiedClasses = EmptiedClasses()
    """Classes that lose more than half of at least five students at once."""
    rekeyed: Rekeyed = Rekeyed()
    """Rows that come again under another sourcedId."""
    overlap: Percent = 50.0
    """Fewer of the accepted users or orgs than this share makes it another district's file."""
    role_flips: RoleFlips = RoleFlips()
    """Students who become staff, or the other way round, and people who become administrators."""
    moved_school: MovedSchool = MovedSchool()
    """Students who change schools."""
    sign_in: SignIn = SignIn()
    """Users of whom what they sign in by, or a name or identifier, is replaced."""

    @field_validator("people")
    @classmethod
    def _known_people(cls, people: dict[str, MoveLimits]) -> dict[str, MoveLimits]:
        if unknown := [name for name in people if name not in PEOPLE]:
            raise ValueError(
                f"no kind of people is called {', '.join(unknown)}; say {', '.join(PEOPLE)}"
            )
        return people

    def of(self, entity: str) -> EntityLimits:
        """The limits that hold for one entity."""
        own, usual = self.entities.get(entity), _OF_TERMS.get(entity)
        if own is None and usual is None:
            return self
        general = self.model_dump(include=set(EntityLimits.model_fields), exclude_unset=True)
        said = _overlay(general, own.model_dump(exclude_unset=True) if own else {})
        return EntityLimits.model_validate(_overlay(usual or {}, said))

    def of_people(self, kind: str) -> MoveLimits:
        """The limits that hold for one kind of people."""
        own = self.people.get(kind)
        if own is None:
            return self
        general = self.model_dump(include=set(MoveLimits.model_fields))
        return MoveLimits.model_validate(_overlay(general, own.model_dump(exclude_unset=True)))

    def overlaid_by(self, other: "GuardSettings") -> "GuardSettings":
        """These settings with every key that `other` sets taken from `other`."""
        return GuardSettings.model_validate(
            _overlay(self.model_dump(exclude_unset=True), other.model_dump(exclude_unset=True))
        )


_OF_TERMS: Final[Mapping[str, Mapping[str, Any]]] = {
    "academicSessions": {"deactivated": {"percent": 0.0, "floor": 1}},
    "classes": {"additions": {"percent": 150.0}},
    "enrollments": {"additions": {"percent": 150.0}},
}
"""Where every class is of one term, those of the next come all at once, and may stand beside those
of the last for some days; and a single term that ends before its time takes all of them along."""


def _overlay(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        lower = merged.get(key)
        both = isinstance(lower, Mapping) and isinstance(value, Mapping)
        merged[key] = _overlay(lower, value) if both else value  # type: ignore[arg-type]  # narrowed by `both`
    return merged
