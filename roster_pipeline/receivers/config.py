"""What a file in `destinations/` may say."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final, Self, cast
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictInt,
    ValidationInfo,
    field_validator,
    model_validator,
)

from roster_pipeline.fields import Identifier, Part, Sources, Text
from roster_pipeline.oneroster.scoping.config import Scope
from roster_pipeline.receivers import profiles
from roster_pipeline.receivers.columns.config import ColumnsFormat
from roster_pipeline.receivers.mask_config import Mask
from roster_pipeline.receivers.processing.config import Reports
from roster_pipeline.receivers.timing import Times
from roster_pipeline.receivers.timing_config import OnHold, QuietTimes, Schedule
from roster_pipeline.transport.config import Secret, TransportConfig
from roster_pipeline.transport.outlet_config import OutletConfig

LATER: Final[Mapping[str, str]] = {
    "combine": "one package of several sources",
    "product": "sections and accounts of a product",
}
"""Keys that are planned, by their path in a destination's file, and what each will do."""


SHORTEST_KEY: Final = 16
"""Characters that a `mask_key` has at least."""

# What PostgreSQL takes without quotes; `pg_` is its own.
_SCHEMA: Final = re.compile(r"(?!pg_)[a-z_][a-z0-9_]{0,62}")


def _schema(text: str) -> str:
    if not _SCHEMA.fullmatch(text):
        raise ValueError(
            "a schema's name has small letters, digits and underscores, at most 63, and does not "
            "begin with a digit or pg_"
        )
    return text


class TablesConfig(Part):
    """`tables:`, a schema of a PostgreSQL database."""

    url: Secret
    """Where the address is kept, which holds a password."""
    schema_name: Annotated[Text, AfterValidator(_schema), Field(alias="schema")] = "roster"
    """Made if it is not there. It holds the rows of all sources."""


_OF_A_PACKAGE: Final = (
    "transport",
    "path",
    "profile",
    "variant",
    "columns",
    "system_name",
    "system_code",
    "mode",
    "bulk_every",
    "retention",
    "reports",
    "on_hold",
)
# What may stand in braces in a path; six digits keep names in the order of their numbers.
_IN_A_PATH: Final = ("source", "date", "number")


def _as_a_list(named: Any) -> Any:
    return () if named is None else (named,) if isinstance(named, str) else named


Variants = Annotated[
    tuple[Text, ...],
    BeforeValidator(_as_a_list, json_schema_input_type=Text | tuple[Text, ...] | None),
]


class Destination(Part):
    """One receiver: what is sent to it, of which sources, and where.

    It gets packages (`transport` and `path`) or rows (`tables`).
    """

    id: Identifier
    profile: Text = "oneroster-1.2-bulk"
    """The receiver's format."""
    variant: Variants = ()
    """A variant of the profile, or several that go together: another reading of what the receiver's
    pages leave open."""
    columns: ColumnsFormat | None = None
    """The files that the receiver takes, for the profile `csv`."""
    sources: Sources = "all"
    """Ids of the sources whose rosters it gets."""
    scope: Scope = Field(default_factory=Scope)
    """What of their rosters it gets; all by default. A source that lacks what is named is not
    delivered, so sources of which it gets different parts are destinations of their own."""
    mask: Mask | None = None
    """Columns that do not go out as they are."""
    mask_key: Secret | None = None
    """What the hashes of `mask` are made with, 16 characters at least. Whoever has it can tell
    whose hash one is; with another key all hashes are others."""
    transport: OutletConfig | None = None
    path: Text | None = None
    """Where the package lies at the receiver: on an SFTP server, or below the folder, bucket or
    address of `transport`. `{source}` stands for the source's id; without it the packages of two
    sources would overwrite each other. With `mode: delta` no package may take the place of one
    that is not fetched yet: `{number}` counts them, `{date}` is the day."""
    mode: profiles.Mode = "bulk"
    """The whole roster each time, or only what the receiver is not known to have."""
    bulk_every: Annotated[StrictInt, Field(ge=1, le=366)] | None = None
    """With `mode: delta`: days after which the whole roster is sent once more."""
    retention: Annotated[StrictInt, Field(ge=0, le=366)] = 0
    """With `mode: delta`: days for which a row that is gone is told again as `tobedeleted` with
    each package; by default until a package that tells it is confirmed."""
    system_name: Text | None = None
    """How the manifest names the sending system (`source.systemName`)."""
    system_code: Text | None = None
    """The sending system's code in the manifest (`source.systemCode`)."""
    reports: Reports | None = None
    """What the receiver answers, and how to read it."""
    schedule: Schedule | None = None
    """When it gets what is accepted; right after each sync by default."""
    quiet_hours: QuietTimes = ()
    """When nothing begins to be sent: it waits for their end."""
    on_hold: OnHold = "keep"
    """What it gets while the newest sync of a source is held."""
    tables: TablesConfig | None = None
    """Where the rosters are kept as tables, instead of packages."""

    @field_validator("profile")
    @classmethod
    def _known_profile(cls, name: str) -> str:
        if name not in profiles.names():
            known = ", ".join(profiles.names())
            raise ValueError(f"no profile is called {name!r}; the profiles are {known}")
        return name

    @field_validator("variant")
    @classmethod
    def _known_variant(cls, named: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if not named or "profile" not in info.data:
            return named
        known = profiles.load(info.data["profile"]).variants
        has = f"it has {', '.join(known)}" if known else "it has none"
        for name in named:
            if name not in known:
                raise ValueError(f"{info.data['profile']} has no variant {name!r}; {has}")
        profiles.load(info.data["profile"], named)
        return named

    @field_validator("quiet_hours")
    @classmethod
    def _some_hours_are_left(cls, quiet_hours: QuietTimes) -> QuietTimes:
        someday = datetime(2026, 1, 1, tzinfo=UTC)
        times = Times(ZoneInfo("UTC"), quiet_hours=quiet_hours)
        if times.after_quiet(someday) - someday > timedelta(days=7):
            raise ValueError("these quiet hours leave no time at which something could be sent")
        return quiet_hours

    @field_validator("path")
    @classmethod
    def _one_zip_for_each(cls, path: str | None, info: ValidationInfo) -> str | None:
        if path is None:
            return None
        rest = path
        for name in _IN_A_PATH:
            rest = rest.replace(f"{{{name}}}", "")
        if "{" in rest or "}" in rest:
            raise ValueError(
                "only {source}, and with `mode: delta` {date} and {number}, can stand in braces"
            )
        if not path.endswith(".zip") or path.endswith("/.zip") or path == ".zip":
            raise ValueError("say a path that ends in a file name, such as /in/{source}.zip")
        if ".." in path.split("/"):
            raise ValueError("the path may not go up with `..`")
        wanted = _archive_name(info)
        sources = info.data.get("sources", ())
        if "{source}" not in path and (sources == "all" or len(sources) > 1):
            raise ValueError(
                "several sources would write to the same path; put {source} into it, "
                f"such as /in/{f'{{source}}/{wanted}' if wanted else '{source}.zip'}"
            )
        if wanted is not None and path.rpartition("/")[2].casefold() != wanted.casefold():
            raise ValueError(
                f"the profile {info.data['profile']} wants a file called {wanted}; give each "
                f"source a folder instead, such as /in/{{source}}/{wanted}"
            )
        return path

    @field_validator("mode")
    @classmethod
    def _mode_of_the_profile(cls, mode: profiles.Mode, info: ValidationInfo) -> profiles.Mode:
        if mode == "bulk" or "profile" not in info.data:
            return mode
        profile, path = info.data["profile"], info.data.get("path")
        if mode not in profiles.load(profile).modes:
            raise ValueError(f"the profile {profile} takes whole rosters only, not `delta`")
        if path is not None and not _counts(path):
            raise ValueError(
                "one package of changes would overwrite another; put {number} or {date} into "
                "`path`, such as /in/{source}-{number}.zip"
            )
        return mode

    @field_validator("reports")
    @classmethod
    def _of_one_source_each(cls, reports: Reports | None, info: ValidationInfo) -> Reports | None:
        sources, path = info.data.get("sources", ()), info.data.get("path") or ""
        if reports is None or reports.tells_sources_apart(path):
            return reports
        if sources == "all" or len(sources) > 1:
            raise ValueError(
                "a report on one source would be taken for another's; put {source} into its "
                'pattern or folder, such as pattern: "{source}-*.csv"'
            )
        return reports

    @field_validator("bulk_every", "retention")
    @classmethod
    def _of_changes(cls, days: int | None, info: ValidationInfo) -> int | None:
        if info.data.get("mode") == "bulk":
            raise ValueError("this goes with `mode: delta`; add that, or take this out")
        return days

    @model_validator(mode="after")
    def _packages_or_tables(self) -> Self:
        if self.tables is None:
            missing = [n for n in ("transport", "path") if getattr(self, n) is None]
            if len(missing) == 1:
                raise ValueError(f"`{missing[0]}` is missing, without which no package has a place")
            if missing:
                raise ValueError("say `transport` and `path`, or `tables`")
        elif odd := [name for name in _OF_A_PACKAGE if name in self.model_fields_set]:
            raise ValueError(f"`{odd[0]}` is of packages, and `tables` gets none; remove one")
        return self

    @model_validator(mode="after")
    def _columns_where_the_profile_has_none(self) -> Self:
        if self.format.columns == "of-the-destination":
            raise ValueError(f"the profile {self.profile} needs `columns`: say which files it gets")
        if self.columns is not None and profiles.load(self.profile).columns != "of-the-destination":
            raise ValueError(
                f"the profile {self.profile} has files of its own; `columns` goes with "
                "`profile: csv`"
            )
        return self

    @model_validator(mode="after")
    def _numbers_for_changes_alone(self) -> Self:
        if self.mode == "bulk" and self.path is not None and _counts(self.path):
            raise ValueError(
                "{date} and {number} go with `mode: delta`; a whole roster takes the place of "
                "the one before, so only {source} can stand in braces"
            )
        return self

    @model_validator(mode="after")
    def _key_for_hashes(self) -> Self:
        hashes = self.mask is not None and bool(self.mask.hash)
        if hashes and self.mask_key is None:
            raise ValueError("`mask.hash` needs a `mask_key`, such as {env: ROSTER_MASK_KEY}")
        if self.mask_key is not None and not hashes:
            raise ValueError("`mask_key` is for `mask.hash`, which names no column; remove it")
        return self

    @model_validator(mode="after")
    def _has_a_place_for_reports(self) -> Self:
        if self.reports is not None and self.reports_from is None:
            raise ValueError(
                "say under `reports.transport` where the reports lie: only an SFTP server or a "
                "folder can be looked into"
            )
        return self

    @model_validator(mode="after")
    def _once_more_what_is_whole(self) -> Self:
        if self.on_hold == "resend" and self.mode != "bulk":
            raise ValueError(
                "`on_hold: resend` goes with `mode: bulk`: changes are not sent a second time"
            )
        return self

    @property
    def reports_from(self) -> TransportConfig | None:
        """Where processing reports lie; None where there are none, or nobody says."""
        if self.reports is None or self.reports.transport is not None:
            return None if self.reports is None else self.reports.transport
        to = self.transport
        if to is None or (to.sftp is None and to.folder is None):
            return None
        return TransportConfig(sftp=to.sftp, folder=to.folder)

    def times(self, zone: ZoneInfo) -> Times:
        """When something of a source in a timezone may be sent to it."""
        return Times(zone, self.schedule, self.quiet_hours)

    @property
    def format(self) -> profiles.Profile:
        """The receiver's format, in the variant named, with columns that are said here."""
        profile = profiles.load(self.profile, self.variant)
        own = profile.columns == "of-the-destination" and self.columns is not None
        return profile.model_copy(update={"columns": self.columns}) if own else profile

    def takes(self, source: str) -> bool:
        """Whether this destination gets the roster of a source."""
        return self.sources == "all" or source in self.sources

    def path_for(self, source: str, *, day: date | None = None, number: int | None = None) -> str:
        """Where the package of one source lies at a receiver of packages; what is not given stays
        in its braces."""
        path = cast(str, self.path).replace("{source}", source)
        if self.transport is not None and self.transport.folder is not None:
            path = path.lstrip("/")  # the folder is the root, as a bucket and an address are
        if day is not None:
            path = path.replace("{date}", day.isoformat())
        return path if number is None else path.replace("{number}", f"{number:06}")


def _counts(path: str) -> bool:
    return "{date}" in path or "{number}" in path


def _archive_name(info: ValidationInfo) -> str | None:
    """What the zip has to be called by the profile, as far as that is known of it."""
    if not {"profile", "variant"} <= info.data.keys():
        return None
    return profiles.load(info.data["profile"], info.data["variant"]).archive.name
