"""Why a candidate is held: sentences for people, with the numbers beside them."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from roster_pipeline.guards.settings import Limit


@dataclass(frozen=True)
class Reason:
    """Why one guard holds a candidate."""

    guard: str
    entity: str | None
    """An entity or a kind of people; None where the reason is about more than one."""
    sentence: str
    numbers: Mapping[str, int | float] = field(default_factory=dict)
    school: str | None = None
    """The sourcedId of the one school that the reason is about."""
    losses: bool = False
    """Whether it is only about what would go: nothing is wrong with the rest."""

    def to_json(self) -> dict[str, Any]:
        """This reason as plain values."""
        return {**asdict(self), "numbers": dict(self.numbers)}


@dataclass(frozen=True)
class Excess:
    """More than a limit allows."""

    what: str
    """An entity or a kind of people."""
    code: str
    """What becomes of them, in one word: `removed`."""
    affected: int
    of: int
    noun: str
    fate: str
    """What becomes of them, in a sentence: `would be removed`."""
    limit: Limit
    losses: bool = False

    @property
    def percent(self) -> float:
        """How many in a hundred."""
        return round(100 * self.affected / self.of, 1) if self.of else 100.0

    def __str__(self) -> str:
        return (
            f"{self.affected:,} of {self.of:,} {self.noun} ({self.percent:g} %) {self.fate}; "
            f"the limit is {self.limit.sentence(self.of, self.noun)}"
        )

    def reason(self, guard: str, name: str | None = None) -> Reason:
        """A reason of its own, about `name`, which is the entity if nothing else is said."""
        numbers: dict[str, int | float] = {
            self.code: self.affected,
            "of": self.of,
            "percent": self.percent,
        }
        if self.limit.percent is not None:
            numbers["limit_percent"] = self.limit.percent
        if self.limit.count is not None:
            numbers["limit_count"] = self.limit.count
        sentence = f"{name or self.what}: {self}"
        return Reason(guard, self.what, sentence, numbers, losses=self.losses)


def exceeded(
    what: str,
    code: str,
    affected: int,
    of: int,
    limit: Limit,
    fate: str,
    *,
    noun: str = "rows",
    losses: bool = False,
) -> Iterator[Excess]:
    """One excess if the limit is passed, else none."""
    if limit.passed_by(affected, of):
        yield Excess(what, code, affected, of, noun, fate, limit, losses)
