"""Records of a pull as the rows of a package, with what is odd about them."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from roster_pipeline.oneroster.entities import Kind
from roster_pipeline.oneroster.extra_properties import ExtraProperties, is_a_name
from roster_pipeline.oneroster.findings import FindingGroup
from roster_pipeline.oneroster.header import METADATA
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.package import PackageBlock, tables
from roster_pipeline.oneroster.reading_rules import RULES
from roster_pipeline.oneroster.record_lines import Records
from roster_pipeline.oneroster.rest_json import (
    collection_of,
    metadata_names,
    property_of,
    rows_of,
)
from roster_pipeline.oneroster.spelling import BLANK, day_as_written, day_in, respell
from roster_pipeline.oneroster.text_faults import readable
from roster_pipeline.tables.arrow import is_true, pc
from roster_pipeline.tables.text import TEXT, arrow, series

_IDS: Final = (Kind.GUID, Kind.REFERENCE, Kind.REFERENCES)
# A table with thousands of columns takes minutes to read, and so many names may be people's.
_MOST_METADATA: Final = 200
# Made of what the user says, who has the finding.
_DERIVED: Final = {
    (entity, name)
    for entity in ("roles", "userProfiles")
    for name in ("sourcedId", "userSourcedId", "userProfileSourcedId")
}


class RecordRows:
    """Makes rows of the records of one entity, and keeps count of what is odd about them all.

    With `underscores` blanks within sourcedIds become such; with a `timezone` moments become days
    of it where days are meant. `file` is what findings name.
    """

    def __init__(
        self, entity: str, file: str, version: Version, *, underscores: bool, timezone: str | None
    ) -> None:
        self._entity = entity
        self._file = file
        self._version = version
        self._table = tables(version)[entity]
        self._underscores = underscores
        self._day = day_in(timezone) if timezone else day_as_written
        self._extra = ExtraProperties(entity, version)
        self._blanks: Counter[str] = Counter()
        self._metadata: set[str] = set()
        self._too_many = False

    def block(self, some: Records) -> PackageBlock:
        """The rows of some records."""
        self._extra.look(some.records)
        self._choose_metadata(some)
        rows = rows_of(some.records, self._entity, self._version, self._metadata)
        lines = some.lines[rows.record]
        frame = rows.frame.assign(
            status=rows.frame["status"].mask(rows.frame["status"].eq("active").fillna(False)),
            dateLastModified=pd.Series([None] * len(rows.frame), dtype=TEXT),
        )
        frame, findings = respell(
            frame, self._table, lines, self._file, self._entity, day=self._day
        )
        if self._underscores:
            frame = self._without_blanks(frame)
        # Roles and profiles share their user's records, and these have the finding once.
        if collection_of(self._entity) == self._entity:
            findings.extend(self._merged(some, frame))
        return PackageBlock(
            self._entity, self._file, frame, lines, (), 0, findings, bulk_or_delta=False
        )

    def _choose_metadata(self, some: Records) -> None:
        """Take more names in metadata, those first that most records have, while there is room."""
        if collection_of(self._entity) != self._entity:
            return
        found = metadata_names(some.records)
        new = sorted(found.keys() - self._metadata, key=lambda name: (-found[name], name))
        room = _MOST_METADATA - len(self._metadata)
        self._metadata.update(new[:room])
        self._too_many = self._too_many or len(new) > room

    def _merged(self, some: Records, frame: pd.DataFrame) -> Iterator[FindingGroup]:
        """What differs between records that were put together. A record is a row here."""
        columns = {property_of(column): column.name for column in self._table}
        differing: defaultdict[str, set[int]] = defaultdict(set)
        for name, places in some.differing.items():
            # What is not read differs from nothing.
            if name in columns or (name.startswith(METADATA) and name in frame):
                shown = columns.get(name) or (name if is_a_name(name) else "metadata")
                differing[shown].update(places)
        for column, found in differing.items():
            rows = sorted(found)
            ids = readable(arrow(frame["sourcedId"]).take(pa.array(rows)))
            yield RULES["pull.merged"].at(
                self._file, column, some.lines[rows], entity=self._entity, sourced_ids=ids
            )

    def _without_blanks(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The frame with underscores in place of blanks within sourcedIds."""
        changed = {}
        for column in self._table:
            if column.kind in _IDS:
                cells = arrow(frame[column.name])
                odd = is_true(pc.match_substring_regex(cells, BLANK))
                if odd.any():
                    self._blanks[column.name] += int(np.count_nonzero(odd))
                    changed[column.name] = series(pc.replace_substring_regex(cells, BLANK, "_"))
        return frame.assign(**changed)

    def findings(self) -> Iterator[FindingGroup]:
        """What was odd about the records together."""
        yield from self._extra.findings(self._file)
        if self._too_many:
            yield RULES["pull.metadata"].at(self._file, "metadata", entity=self._entity)
        rule = RULES["pull.blank_in_id"]
        for name, count in self._blanks.items():
            if (self._entity, name) not in _DERIVED:
                message = f"{rule.message} ({count:,} cells)"
                yield rule.at(self._file, name, message=message, entity=self._entity)
