"""What roster.yaml may say."""

from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import (
    Discriminator,
    Field,
    StrictBool,
    StrictInt,
    Tag,
    field_validator,
)

from roster_pipeline.fields import Day, Part, Text
from roster_pipeline.guards.calendar import Calendar
from roster_pipeline.guards.settings import GuardSettings
from roster_pipeline.transport.config import Secret
from roster_pipeline.workspace.severities import Severities

LATER: Final[Mapping[str, str]] = {
    "notify": "messages to people",
    "retention": "throwing old snapshots away",
    "metrics": "metrics for a monitoring system",
    "partitions.keep": "retiring old dates",
    "storage_options": "options of object stores",
}
"""Keys that are planned, by their path in roster.yaml, and what each will do."""

_DATABASES: Final = ("sqlite", "postgresql", "postgresql+psycopg2")


class Partitions(Part):
    """Which dates exist."""

    start: Day
    """The first date that can be synced."""


class HeldRows(Part):
    """When rows that are held back become urgent."""

    escalate_after: Annotated[StrictInt, Field(ge=0)] = 7
    """A row that was held for more than this many days needs a person."""


def _url_or_secret(value: Any) -> str:
    return "url" if isinstance(value, str) else "reference"


class Settings(Part):
    """What holds for the whole workspace."""

    storage: Text = "./store"
    """Where rosters and landed packages are kept: a folder (relative to the workspace) or a URL."""
    ledger: Annotated[
        Annotated[Text, Tag("url")] | Annotated[Secret, Tag("reference")],
        Discriminator(_url_or_secret),
    ] = "sqlite:///ledger.sqlite"
    """The database address of the ledger, or where it is found: `{env: NAME}`, `{file: path}`. A
    relative SQLite path is relative to the workspace."""
    partitions: Partitions
    strict: StrictBool = False
    """Whether findings that are usually tolerated stop a sync."""
    severities: Severities = Field(default_factory=dict)
    """Rule code → stop, hold, drop or warn, where a rule's own severity is not wanted."""
    held_rows: HeldRows = Field(default_factory=HeldRows)
    guards: GuardSettings = Field(default_factory=GuardSettings)
    calendar: Calendar = Calendar()
    """Windows that hold for every source."""

    @field_validator("ledger")
    @classmethod
    def _no_password(cls, ledger: Any) -> Any:
        if isinstance(ledger, str):
            check_database(ledger)
            if urlsplit(ledger).password is not None:
                raise ValueError(
                    "an address with a password does not belong here; "
                    "say {env: NAME} and set that variable"
                )
        return ledger


def check_database(url: str) -> None:
    """Refuse an address of a kind of database that the ledger does not speak.

    Raises `ValueError` whose sentence does not repeat the address.
    """
    if urlsplit(url).scheme not in _DATABASES:
        raise ValueError(
            "the ledger lives in sqlite:///path or postgresql+psycopg2://user@host/database"
        )
