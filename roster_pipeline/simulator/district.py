"""A make-believe school district of any size, the same each time for the same settings.

The simulated source system: it writes OneRoster packages of any day, bulk and delta, 1.1 and 1.2.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from roster_pipeline.oneroster.entities import ENTITIES, ENTITIES_1P1
from roster_pipeline.oneroster.manifest import Mode, Version
from roster_pipeline.simulator import days
from roster_pipeline.simulator.cells import IdStyle
from roster_pipeline.simulator.first_day import build_zone
from roster_pipeline.simulator.names import NameBook, check_locales, login_form, name_book
from roster_pipeline.simulator.packages import Frames, Target, write_package
from roster_pipeline.simulator.rollover import roll_over
from roster_pipeline.simulator.school_year import SchoolYear
from roster_pipeline.simulator.seasons import STEADY, rates_on
from roster_pipeline.simulator.style import (
    Style,
    courses,
    district_org,
    header,
    header_1p1,
    sessions,
)
from roster_pipeline.simulator.version_1p1 import frame_1p1
from roster_pipeline.simulator.zone import Zone
from roster_pipeline.simulator.zone_rows import ZoneRows
from roster_pipeline.tables.arrow import to_frame, to_table
from roster_pipeline.tables.text import TEXT

ZONE_STUDENTS: Final = 4000
"""Students of one feeder pattern: a large high school and the schools that lead to it."""
SYSTEM: Final = "Make-believe SIS"
_TOWNS: Final = ("Springfield", "Fairview", "Greenwood", "Bridgewater", "Ashland", "Kingsport")


@dataclass(frozen=True)
class District:
    """A district as its settings make it. Raises ValueError for settings that make none."""

    students: int = 1200
    seed: int = 7
    today: date = date(2026, 9, 14)
    """Day 0."""
    name: str | None = None
    ids: IdStyle = IdStyle.UUID
    locales: tuple[str, ...] | None = None
    """Naming locales, all by default; `names.WESTERN` fits into Windows-1252."""
    guardians: float = 0.3
    """Share of households whose guardians are on file: many districts send only some."""
    passwords: bool = False
    """Whether the system sends initial passwords, as it should not."""
    metadata: bool = False
    """Whether it sends an extension column (`metadata.positionTitle` in users)."""
    seasons: bool = False
    """Whether it lives through school years (docs/churn.md): quiet weekends, busy weeks, terms that
    end, rollovers. Otherwise every day is alike and one school year lasts for ever."""

    def __post_init__(self) -> None:
        if self.students < 1:
            raise ValueError("a district has at least one student")
        if self.seed < 0:
            raise ValueError("the seed is not negative")
        if not 0 <= self.guardians <= 1:
            raise ValueError("guardians is a share between 0 and 1")
        IdStyle(self.ids)
        check_locales(self.locales)

    def on(self, day: int) -> "Day":
        """The district so many days after day 0."""
        book = name_book(self.locales)
        zones = [
            build_zone(self.seed, number, size, book, self.guardians)
            for number, size in enumerate(self._zone_sizes())
        ]
        self._pass_days(zones, book, 0, day)
        return Day(self, day, zones, book)

    def date_of(self, day: int) -> date:
        """The date of a day."""
        return self.today + timedelta(days=day)

    def write_package(
        self, target: Target, day: int = 0, version: str = Version.V1P2
    ) -> dict[str, int]:
        """Write the bulk zip of a day; give the rows of each entity."""
        return self.on(day).write_package(target, version)

    def write_delta(
        self, target: Target, day_from: int, day_to: int, version: str = Version.V1P2
    ) -> dict[str, int]:
        """Write the delta zip from one day to a later one; give the rows of each entity."""
        before = self.on(day_from)
        return before.later(day_to).write_delta(target, before, version)

    def year_on(self, day: int) -> SchoolYear:
        """The school year of the classes that are sent on a day."""
        if self.seasons:
            return SchoolYear.exported(self.date_of(day))
        return SchoolYear.around(self.today)

    def style(self, day: int) -> Style:
        """How the district's system writes on a day."""
        year = self.year_on(day)
        every = frozenset(range(len(year.sessions)))
        name = self.name or f"{_TOWNS[self.seed % len(_TOWNS)]} Unified School District"
        return Style(
            seed=self.seed,
            name=name,
            domain=f"{login_form(name.split()[0]) or 'district'}.example.org",
            today=self.today,
            year=year,
            terms=year.shown(self.date_of(day)) if self.seasons else every,
            ids=IdStyle(self.ids),
            passwords=self.passwords,
            metadata=self.metadata,
        )

    def _pass_days(self, zones: list[Zone], book: NameBook, day_from: int, day_to: int) -> None:
        """Bring zones from one day to another, in place."""
        if day_to < day_from:
            raise ValueError(f"day {day_to} is before day {day_from}")
        for day in range(day_from + 1, day_to + 1):
            for zone in zones:
                self._pass_day(zone, book, day)

    def _pass_day(self, zone: Zone, book: NameBook, day: int) -> None:
        today, year = self.date_of(day), self.year_on(day)
        terms = frozenset(t for t, session in enumerate(year.sessions) if session.end > today)
        if year.ends != self.year_on(day - 1).ends:
            roll_over(zone, self.seed, book, self.guardians)
        elif rates := rates_on(today, year) if self.seasons else STEADY:
            days.next_day(zone, self.seed, book, self.guardians, terms, rates)
        else:
            zone.day += 1

    def _zone_sizes(self) -> list[int]:
        count = max(1, round(self.students / ZONE_STUDENTS))
        shares = np.random.default_rng([self.seed]).uniform(0.85, 1.15, count).cumsum()
        edges = np.rint(shares / shares[-1] * self.students).astype(int)
        return [int(size) for size in np.diff(edges, prepend=0)]


@dataclass(frozen=True)
class Day:
    """A district on one day."""

    district: District
    number: int
    _zones: list[Zone] = field(repr=False)
    _book: NameBook = field(repr=False)

    def later(self, day: int) -> "Day":
        """The same district on this or a later day; ValueError for an earlier one."""
        zones = [zone.copy() for zone in self._zones]
        self.district._pass_days(zones, self._book, self.number, day)
        return Day(self.district, day, zones, self._book)

    def frames(self, entity: str, version: str = Version.V1P2) -> Iterator[pd.DataFrame]:
        """The rows of an entity, a part at a time; parts without rows are left out."""
        for frame in self._parts(entity, Version(version)):
            if frame is not None and len(frame):
                yield frame

    def frame(self, entity: str, version: str = Version.V1P2) -> pd.DataFrame:
        """All rows of an entity."""
        columns = self.header(entity, version)
        tables = [to_table(frame, columns) for frame in self.frames(entity, version)]
        if not tables:
            return to_frame(pa.table({name: pa.nulls(0, pa.large_string()) for name in columns}))
        return to_frame(pa.concat_tables(tables).combine_chunks())

    def header(self, entity: str, version: str = Version.V1P2) -> tuple[str, ...]:
        """The columns sent of an entity."""
        of_version = header_1p1 if Version(version) is Version.V1P1 else header
        return of_version(entity, self._style)

    def write_package(self, target: Target, version: str = Version.V1P2) -> dict[str, int]:
        """Write the bulk zip; give the rows of each entity."""
        members = {
            entity: (self.header(entity, version), self.frames(entity, version))
            for entity in _entities(version)
        }
        return write_package(target, Version(version), Mode.BULK, members, SYSTEM)

    def write_delta(
        self, target: Target, since: "Day", version: str = Version.V1P2
    ) -> dict[str, int]:
        """Write the delta zip since an earlier day; give the rows of each entity."""
        members = {
            entity: (self.header(entity, version), self._changes(entity, since, Version(version)))
            for entity in _entities(version)
        }
        return write_package(target, Version(version), Mode.DELTA, members, SYSTEM)

    @property
    def _style(self) -> Style:
        return self.district.style(self.number)

    def _parts(self, entity: str, version: Version) -> Iterator[pd.DataFrame | None]:
        """The rows of the whole district, then those of each zone."""
        style = self._style
        central = {"orgs": district_org, "academicSessions": sessions, "courses": courses}
        yield central[entity](style) if entity in central else None
        for zone in self._zones:
            rows = ZoneRows(zone, self._book, style)
            if version is Version.V1P1:
                yield frame_1p1(rows, zone, style, entity)
            else:
                yield rows.frame(entity)

    def _changes(self, entity: str, since: "Day", version: Version) -> Frames:
        stamp = f"{self.district.date_of(self.number).isoformat()}T02:00:00.000Z"
        parts = zip(since._parts(entity, version), self._parts(entity, version), strict=True)
        for old, new in parts:
            if old is None or new is None:
                continue
            kept = _rows_in(new, old, new.columns)
            gone = ~_rows_in(old, new, ["sourcedId"])
            for frame, status in ((new[~kept], "active"), (old[gone], "tobedeleted")):
                if len(frame):
                    yield frame.assign(
                        status=pd.Series(status, frame.index, TEXT),
                        dateLastModified=pd.Series(stamp, frame.index, TEXT),
                    )


def _entities(version: str) -> tuple[str, ...]:
    return ENTITIES_1P1 if Version(version) is Version.V1P1 else ENTITIES


def _rows_in(frame: pd.DataFrame, other: pd.DataFrame, columns: Iterable[str]) -> "pd.Series[bool]":
    """Which rows of a frame another one has too, by some columns."""
    mine, theirs = (_row_texts(f, list(columns)) for f in (frame, other))
    return pd.Series(pc.is_in(mine, value_set=theirs).to_numpy(), index=frame.index)


def _row_texts(frame: pd.DataFrame, columns: list[str]) -> Any:
    operands: list[Any] = [*to_table(frame, columns).columns, pa.scalar("\x1f", pa.large_string())]
    return pc.binary_join_element_wise(*operands, null_handling="replace", null_replacement="")
