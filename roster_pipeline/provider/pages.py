"""Pages of a roster as JSON."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from threading import Lock
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from roster_pipeline.oneroster.layout import ROLE, Positions
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.rest_json import utc_text
from roster_pipeline.oneroster.rest_records import (
    SINGULAR,
    Nested,
    Speech,
    Texts,
    selectable,
    texts_of,
)
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.versions import downgrade_users, downgrade_words
from roster_pipeline.provider.listing import Listing, View
from roster_pipeline.provider.problems import Problem, RefusedError
from roster_pipeline.provider.query import Query
from roster_pipeline.provider.reading import Reading, Recent
from roster_pipeline.tables.arrow import pc

# Objects are made so many at a time: a page of the usual size is then cut out of what is there.
_ROWS: Final = 1 << 13
_TEXT_BYTES: Final = 64 << 20


@dataclass(frozen=True)
class Published:
    """A roster to serve, and when it came to be what it is.

    `modified` is the dateLastModified of every record that has none of its own, as those of bulk
    files do.
    """

    roster: Roster
    modified: datetime


@dataclass(frozen=True)
class Page:
    """One page of a view."""

    body: bytes
    total: int
    """The rows of the whole view."""


class Pages:
    """One published roster as pages of JSON. Safe for several threads at once.

    Memory is bounded: 64 MB of JSON, and some 8 bytes for each user, role and row of a filtered or
    sorted view. Decoded parts lie in temporary files.
    """

    def __init__(self, published: Published) -> None:
        self.published = published
        self._lock = Lock()
        self._reading = Reading(published.roster)
        self._modified = utc_text(published.modified)
        self._listings = {
            version: Listing(self._reading, version, self._modified) for version in Version
        }
        self._texts: Recent[Texts] = Recent(_TEXT_BYTES, size=lambda texts: int(texts.nbytes))

    def page(
        self,
        version: Version,
        base: str,
        steps: tuple[str, ...],
        ids: tuple[str, ...],
        query: Query,
    ) -> Page:
        """One page of what a path and its query ask for. `base` begins the address of each
        reference. `RefusedError` where there is no such path, record or property."""
        with self._lock:
            view = self._listings[version].view(steps, ids, query)
            _require(view.entity, version, query.fields)
            start = min(query.offset, view.rows)
            end = min(start + query.limit, view.rows)
            speech = Speech(version, base, self._modified)
            pieces = []
            for number in range(start // _ROWS, -(-end // _ROWS)):
                texts = self._made(view, number, speech, query.fields)
                first = max(start - number * _ROWS, 0)
                pieces.append(texts.slice(first, min(end - number * _ROWS, _ROWS) - first))
        body = b'{"%s":[%s]}' % (view.entity.encode(), _joined(pieces))
        return Page(body, view.rows)

    def record(
        self, version: Version, base: str, step: str, sourced_id: str, fields: frozenset[str] | None
    ) -> bytes:
        """One record by its sourcedId; `RefusedError` where there is none."""
        with self._lock:
            view = self._listings[version].one(step, sourced_id)
            _require(view.entity, version, fields)
            positions = np.zeros(0, dtype=np.int64) if view.positions is None else view.positions
            texts = self._texts_at(
                view.entity, positions, Speech(version, base, self._modified), fields
            )
        return b'{"%s":%s}' % (SINGULAR[view.entity].encode(), _joined([texts]))

    def _made(
        self, view: View, number: int, speech: Speech, fields: frozenset[str] | None
    ) -> Texts:
        start, end = number * _ROWS, min((number + 1) * _ROWS, view.rows)
        positions = np.arange(start, end) if view.positions is None else view.positions[start:end]
        key = (speech, view.key, number, fields)
        return self._texts.get(key, partial(self._texts_at, view.entity, positions, speech, fields))

    def _texts_at(
        self, entity: str, positions: Positions, speech: Speech, fields: frozenset[str] | None
    ) -> Texts:
        frame = self._reading.rows(entity, positions)
        if entity == "users":
            return self._users(frame, positions, speech, fields)
        if entity == "roles":
            frame = frame.drop(columns=ROLE)
        if speech.version is Version.V1P1:
            frame = downgrade_words(frame, entity)
        return texts_of(frame, entity, speech, only=fields)

    def _users(
        self,
        users: pd.DataFrame,
        positions: Positions,
        speech: Speech,
        fields: frozenset[str] | None,
    ) -> Texts:
        rows, owner = self._reading.roles.of(positions)
        roles = self._reading.rows("roles", rows)
        if speech.version is Version.V1P1:
            said = downgrade_words(downgrade_users(users, roles).users, "users")
            return texts_of(said, "users", speech, only=fields)
        at, user = self._reading.profiles.of(positions)
        profiles = self._reading.rows("userProfiles", at)
        return texts_of(
            users,
            "users",
            speech,
            roles=Nested(roles, owner),
            profiles=Nested(profiles, user),
            only=fields,
        )


def _require(entity: str, version: Version, fields: frozenset[str] | None) -> None:
    if fields is not None and not fields <= set(selectable(entity, version)):
        raise RefusedError(Problem.SELECTION, f"{entity} have no property of that name.")


def _joined(pieces: list[Texts]) -> bytes:
    """The texts with a comma between each two."""
    if not pieces:
        return b""
    texts = pieces[0] if len(pieces) == 1 else pa.concat_arrays(pieces)
    whole = pa.LargeListArray.from_arrays(pa.array([0, len(texts)], pa.int64()), texts)
    comma = pa.scalar(",", pa.large_string())
    return bytes(memoryview(pc.binary_join(whole, comma)[0].as_buffer()))


def pages_of(published: Callable[[], Published]) -> Callable[[], Pages]:
    """The pages of what is published now; those made are kept as long as it is the same."""
    lock = Lock()
    made: list[Pages] = []

    def current() -> Pages:
        now = published()
        with lock:
            if not made or made[0].published != now:
                made[:] = [Pages(now)]
            return made[0]

    return current
