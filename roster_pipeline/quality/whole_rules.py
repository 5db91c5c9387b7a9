"""What a rule over many rows is: a rule that names the columns it reads, and has its predicate."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from roster_pipeline.oneroster.rules import Rule
from roster_pipeline.quality.view import Positions, RosterView


class Broken(NamedTuple):
    """Rows of one entity that break a rule."""

    entity: str
    column: str | None
    rows: Positions | None
    """Ascending; None where it is the file as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeRule(Rule):
    """A rule over a finished roster."""

    reads: Mapping[str, tuple[str, ...]]
    """The columns that it looks at, by entity."""
    breaks: Callable[[RosterView], Iterable[Broken]]
    clock: bool = False
    """Whether it compares with the day, and is left out where none is given."""
    absent_from: str | None = None
    """The entity in which rows are missed that should be there. Where rows of it were held back
    or never came, that may be why: so many breaches are not told, and none if it has no rows."""
