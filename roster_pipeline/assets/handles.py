"""What the assets hand to one another beside `Landed` and `Snapshot`: values that JSON can hold."""

from dataclasses import dataclass, field
from datetime import date

from roster_pipeline.guards.facts import Facts
from roster_pipeline.guards.reasons import Reason
from roster_pipeline.store import Landed, Snapshot
from roster_pipeline.store.held import HeldRows


@dataclass(frozen=True)
class CandidateRoster:
    """A roster that was read and is not accepted yet, and what reading it brought up."""

    snapshot: Snapshot
    base_hash: str | None
    """The accepted roster whose rows stand in for held ones; None where there was none."""
    rows: dict[str, int] = field(default_factory=dict)
    """Rows of the package, by entity."""
    held: dict[str, int] = field(default_factory=dict)
    """Rows of the package that are held back, by entity."""
    orphaned: dict[str, int] = field(default_factory=dict)
    """Rows of the package that go with a row that they refer to, by entity."""
    header_only: tuple[str, ...] = ()
    """Entities whose file has a header and no rows, and whose accepted rows stay."""
    emptied: tuple[str, ...] = ()
    """Entities whose file has a header and no rows, and that would be empty."""
    findings: dict[str, int] = field(default_factory=dict)
    """Findings by code."""
    held_rows: HeldRows | None = None
    """Of the rows held back those whose sourcedId is known, and how old they are."""
    package: Landed | None = None
    """What it was read from."""


@dataclass(frozen=True)
class Withheld:
    """A candidate whose removals wait, while all else of it is what may be accepted."""

    candidate: Snapshot
    facts: Facts
    until: date | None
    """The last day of the window for which they wait; None where they wait for a person."""
    reasons: tuple[Reason, ...]
    """Why."""
    run_id: str
    """The run that withheld them."""


@dataclass(frozen=True)
class Changes:
    """How what may be accepted next differs from the accepted roster, in numbers."""

    candidate: Snapshot
    base: Snapshot | None
    """The accepted roster that it was compared with; None where there was none."""
    counts: dict[str, dict[str, int]]
    """Rows added, changed, removed, unchanged, by entity."""
    facts: Facts
    withheld: Withheld | None = None
    package: Landed | None = None
    """What the candidate, with what is withheld of it, was read from."""

    @property
    def base_hash(self) -> str | None:
        """The content of the base."""
        return self.base.content_hash if self.base else None

    @property
    def left_out(self) -> dict[str, int]:
        """Of the rows removed, by entity, those that the scope leaves out."""
        return {entity: of.descoped for entity, of in self.facts.shift.entities.items()}
