"""What a file in `destinations/` may say of when something is sent."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from roster_pipeline.fields import ClosingTime, Part, TimeOfDay, Timezone, Weekday


class Schedule(Part):
    """`schedule:`, the times at which something is sent, instead of right after a sync."""

    cadence: Literal["daily", "weekly"] = "daily"
    weekday: Weekday | None = None
    """The day of a weekly one."""
    at: TimeOfDay
    timezone: Timezone | None = None
    """By whose clock; the source's by default."""

    @model_validator(mode="after")
    def _weekday_for_weekly(self) -> Self:
        if self.cadence == "weekly" and self.weekday is None:
            raise ValueError("a weekly schedule needs a `weekday`, such as monday")
        if self.cadence == "daily" and self.weekday is not None:
            raise ValueError("`weekday` is for `cadence: weekly`; a daily one has every day")
        return self


class QuietHours(Part):
    """Some hours of the day in which nothing begins to be sent."""

    model_config = ConfigDict(populate_by_name=True)

    first: TimeOfDay = Field(alias="from")
    last: ClosingTime = Field(alias="to")
    """When they are over; on the next day, where that is before `from`."""
    days: tuple[Weekday, ...] = ()
    """The days on which they begin; every day by default."""
    timezone: Timezone | None = None
    """By whose clock; the source's by default."""

    @model_validator(mode="after")
    def _last_for_a_while(self) -> Self:
        if self.first == self.last:
            raise ValueError(
                '`from` and `to` are the same; for whole days say from "00:00" to "24:00"'
            )
        return self


def _one_or_more(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


QuietTimes = Annotated[
    tuple[QuietHours, ...],
    BeforeValidator(_one_or_more, json_schema_input_type=QuietHours | tuple[QuietHours, ...]),
]
"""One block of hours, or a list of them."""

OnHold = Literal["keep", "resend"]
"""What a destination gets while the newest sync of a source is held: `keep`, nothing new;
`resend`, once a day, what it got last."""
