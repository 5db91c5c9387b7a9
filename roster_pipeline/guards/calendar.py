"""A district's year: when much may change, when nothing may, and when nothing may go."""

from collections.abc import Collection, Iterable
from datetime import date
from typing import Final, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from roster_pipeline.fields import Day, Part, Text
from roster_pipeline.guards.settings import GuardSettings

_ANY: Final = {"percent": None}
_MOST: Final = {"percent": 50.0}

ROLLOVER: Final = GuardSettings.model_validate(
    {
        "removed": _MOST,
        "additions": _ANY,
        "changes": _ANY,
        "deactivated": _MOST,
        "schools": {"removed": {"percent": 75.0}, "deactivated": _ANY},
        "cumulative": {
            "in_7_days": {"percent": 60.0},
            "in_30_days": {"percent": 60.0},
            "at_school_in_7_days": _ANY,
            "at_school_in_30_days": _ANY,
        },
        "emptied_classes": _ANY,
        "moved_school": _MOST,
    }
)
"""What may happen when one school year follows another: everybody moves up a grade, a class of
leavers goes, every timetable is new. What names an accident (other ids, another district, roles
exchanged, new e-mail addresses for all) is guarded as ever."""


class Window(Part):
    """Some days on which other rules hold."""

    model_config = ConfigDict(populate_by_name=True)

    name: Text
    """What people call it: it stands in reports."""
    kind: Literal["rollover", "blackout", "additions_only"]
    """rollover: looser limits. blackout: nothing flows, the last accepted roster stands.
    additions_only: what is new or changed flows, and nothing is removed."""
    first: Day = Field(alias="from")
    last: Day = Field(alias="to")
    """Both days belong to it, in the district's timezone."""
    guards: GuardSettings = Field(default_factory=GuardSettings)
    """Limits for these days, over all others."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"{self.name}: `to` is before `from`")
        return self

    def holds(self, days: Collection[date]) -> bool:
        """Whether it holds for what is of these days: see `Calendar.on`."""
        inside = [self.first <= day <= self.last for day in days]
        return all(inside) if self.kind == "rollover" else any(inside)

    @property
    def limits(self) -> GuardSettings:
        """What these days change of the limits."""
        return ROLLOVER.overlaid_by(self.guards) if self.kind == "rollover" else self.guards


class Calendar(Part):
    """The windows of a source, or in roster.yaml those of all sources."""

    windows: tuple[Window, ...] = ()

    def on(self, *days: date) -> tuple[Window, ...]:
        """The windows that hold for a roster, in the order of the file. `days` are the date that
        it is of and the day on which it came: one of them is enough for what stops or keeps
        something, and what loosens limits takes both."""
        return tuple(window for window in self.windows if window.holds(days))

    def joined(self, other: "Calendar") -> "Calendar":
        """The windows of both, these first."""
        return Calendar(windows=(*self.windows, *other.windows))


def of_kind(windows: Iterable[Window], kind: str) -> Window | None:
    """The first window of a kind."""
    return next((window for window in windows if window.kind == kind), None)


def loosened(settings: GuardSettings, windows: Iterable[Window]) -> GuardSettings:
    """The limits that hold in some windows; the last one named has the last word."""
    for window in windows:
        settings = settings.overlaid_by(window.limits)
    return settings
