"""What a file in `sources/` may say: a source, and the limits that hold for it."""

from typing import Literal

from pydantic import Field

from roster_pipeline.guards.calendar import Calendar
from roster_pipeline.guards.settings import ByEntity, GuardSettings
from roster_pipeline.sources.config import Source
from roster_pipeline.workspace.settings import HeldRows
from roster_pipeline.workspace.severities import Severities


class District(Source):
    """A source with the limits that hold for it."""

    severities: Severities = Field(default_factory=dict)
    """Rule code → stop, hold, drop or warn; what is not said here is as roster.yaml says."""
    held_rows: HeldRows | None = None
    """When held rows become urgent; as roster.yaml says by default."""
    guards: GuardSettings = Field(default_factory=GuardSettings)
    """Limits that differ from those of roster.yaml."""
    calendar: Calendar = Calendar()
    """The district's own windows, beside those of roster.yaml."""
    header_only: ByEntity[Literal["hold", "keep"]] = Field(default_factory=dict)
    """What a file with a header and no rows means, by entity: `hold`, that there are none if a
    person says so; `keep`, nothing. Files that a package must have are held, others kept."""

    @property
    def believed_empty(self) -> frozenset[str]:
        """The entities of which a file without rows is put before a person."""
        from roster_pipeline.oneroster.entities import ENTITIES, REQUIRED_1P2

        usual = {entity: "hold" if entity in REQUIRED_1P2 else "keep" for entity in ENTITIES}
        meant = {**usual, **self.header_only}
        return frozenset(entity for entity, what in meant.items() if what == "hold")
