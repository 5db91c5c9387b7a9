"""What the values in the user's YAML files have in common. Below every floor; knows nothing."""

import re
from datetime import date, datetime
from difflib import get_close_matches
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StrictStr

_ID: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME: Final = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class Part(BaseModel):
    """A part of a configuration file: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _identifier(text: str) -> str:
    if not _ID.fullmatch(text) or len(text) > 63:
        raise ValueError(
            "an id has small letters, digits and single hyphens between them, at most 63 in all"
        )
    return text


def _filled(text: str) -> str:
    if not text or text != text.strip():
        raise ValueError("the text is empty, or has spaces around it")
    return text


Identifier = Annotated[StrictStr, AfterValidator(_identifier)]
"""The id of a source or a destination: it names files, partitions and holds."""


def _list_or_all(sources: Any) -> Any:
    if isinstance(sources, str) and sources != "all":
        raise ValueError(f"say `all`, or a list such as [{sources}]")
    if isinstance(sources, list):
        if not sources:
            raise ValueError("the list is empty; say `all` or name at least one source")
        if len({str(source) for source in sources}) < len(sources):
            raise ValueError("a source is named twice")
    return sources


Sources = Annotated[
    tuple[Identifier, ...] | Literal["all"],
    BeforeValidator(_list_or_all, json_schema_input_type=tuple[Identifier, ...] | Literal["all"]),
]
"""Ids of sources, or `all` of them."""


def _a_date(value: Any) -> Any:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value if _DAY.fullmatch(value) else "")
    except (TypeError, ValueError):
        raise ValueError("say a date as YYYY-MM-DD, such as 2027-07-15") from None


Day = Annotated[date, BeforeValidator(_a_date, json_schema_input_type=date)]
"""A date as it stands; never one that is made of a number."""

Text = Annotated[StrictStr, AfterValidator(_filled)]
"""Text as it stands; never a number or a boolean that YAML made of it."""


def _a_time(text: str) -> str:
    if not _TIME.fullmatch(text):
        raise ValueError('say a time of day as "HH:MM", such as "02:30"')
    return text


TimeOfDay = Annotated[Text, AfterValidator(_a_time)]
"""A time of day as it stands: hours and minutes, both with two digits."""

ClosingTime = Annotated[
    Text, AfterValidator(lambda text: text if text == "24:00" else _a_time(text))
]
"""The same, or 24:00, when the day is over."""


def _a_timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        near = get_close_matches(name, available_timezones(), n=1)
        hint = f"; did you mean {near[0]}?" if near else ", such as America/Chicago"
        raise ValueError(f"this is not an IANA timezone{hint}") from None
    return name


Timezone = Annotated[Text, AfterValidator(_a_timezone)]
"""A timezone by its IANA name."""
