"""What the assets hand to one another beside `Landed` and `Snapshot`: values that JSON can hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from roster_pipeline.guards.facts import Facts, Moves, Shift
from roster_pipeline.sources.config import Expect
from roster_pipeline.store import Snapshot
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
    """Entities whose file has a header and no rows."""
    findings: dict[str, int] = field(default_factory=dict)
    """Findings by code."""
    held_rows: HeldRows | None = None
    """Of the rows held back those whose sourcedId is known, and how old they are."""


@dataclass(frozen=True)
class Changes:
    """How a candidate differs from the accepted roster, in numbers."""

    candidate: Snapshot
    base: Snapshot | None
    """The accepted roster that it was compared with; None where there was none."""
    counts: dict[str, dict[str, int]]
    """Rows added, changed, removed, unchanged, by entity."""
    held: dict[str, int]
    orphaned: dict[str, int]
    read: dict[str, int]
    header_only: tuple[str, ...]

    @property
    def base_hash(self) -> str | None:
        """The content of the base."""
        return self.base.content_hash if self.base else None

    def facts(self, expect: Expect, filled: Mapping[str, int]) -> Facts:
        """What the guards look at: these numbers, and what the source is expected to have."""
        return Facts(
            counts=self.candidate.counts,
            base=self.base.counts if self.base else None,
            shift=Shift(
                entities={
                    entity: Moves(added=of["added"], changed=of["changed"], removed=of["removed"])
                    for entity, of in self.counts.items()
                }
            ),
            held=self.held,
            orphaned=self.orphaned,
            read=self.read,
            header_only=self.header_only,
            expect=expect.rows,
            expect_fill=expect.fill,
            filled=filled,
        )
