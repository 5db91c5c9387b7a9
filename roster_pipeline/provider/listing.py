"""Which rows of a roster a path and a query ask for."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from roster_pipeline.oneroster.entities import USER_ROLES_1P1, Column, Kind
from roster_pipeline.oneroster.layout import ROLE, Positions
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.rest_json import COLLECTIONS
from roster_pipeline.oneroster.versions import downgrade_users, downgrade_words, role_words
from roster_pipeline.provider.filters import Mask, fields_of, holds
from roster_pipeline.provider.problems import NOT_FOUND, Problem, RefusedError
from roster_pipeline.provider.query import Clause, Filter, Op, Query
from roster_pipeline.provider.reading import Reading, Recent
from roster_pipeline.tables.arrow import pc
from roster_pipeline.tables.text import TEXT, arrow

_VIEWS: Final = 6
_ROLES: Final = ("roles", "userSourcedId")
_ROLE_COLUMNS: Final = ("roleType", "role", "beginDate", "endDate", "orgSourcedId")


@dataclass(frozen=True, slots=True)
class Collection:
    """What the first step of a path lists: an entity, or some of its rows."""

    entity: str
    filter: str = ""
    """A property that says which rows, and its value, as a path of the API names them."""
    value: str = ""


# REST 1.1 and 1.2: the plural entity is the wrapper, whatever the path is.
PATHS: Final[Mapping[str, Collection]] = {
    **{entity: Collection(entity) for entity in COLLECTIONS},
    "schools": Collection("orgs", "type", "school"),
    "terms": Collection("academicSessions", "type", "term"),
    "gradingPeriods": Collection("academicSessions", "type", "gradingPeriod"),
    "students": Collection("users", "role", "student"),
    "teachers": Collection("users", "role", "teacher"),
}


@dataclass(frozen=True, slots=True)
class Related:
    """What a longer path lists: the rows of a collection that fit the ids in the path.

    Each clause names a property and which id of the path it must equal. `through` names an entity
    and its reference by which the rows are found; the clauses are about that entity then, and the
    role of students and teachers is the one that they have there. Through roles: their org.
    """

    path: str
    clauses: tuple[tuple[str, int], ...]
    through: tuple[str, str] | None = None


# REST 1.1 and 1.2: the 17 endpoints of related records.
RELATED: Final[Mapping[tuple[str, ...], Related]] = {
    ("courses", "classes"): Related("classes", (("course.sourcedId", 0),)),
    ("terms", "classes"): Related("classes", (("terms.sourcedId", 0),)),
    ("terms", "gradingPeriods"): Related("gradingPeriods", (("parent.sourcedId", 0),)),
    ("schools", "classes"): Related("classes", (("school.sourcedId", 0),)),
    ("schools", "enrollments"): Related("enrollments", (("school.sourcedId", 0),)),
    ("schools", "courses"): Related(
        "courses", (("school.sourcedId", 0),), ("classes", "courseSourcedId")
    ),
    ("schools", "terms"): Related(
        "terms", (("school.sourcedId", 0),), ("classes", "termSourcedIds")
    ),
    **{
        ("schools", people): Related(people, (("school.sourcedId", 0),), _ROLES)
        for people in ("students", "teachers")
    },
    **{
        ("classes", people): Related(
            people, (("class.sourcedId", 0),), ("enrollments", "userSourcedId")
        )
        for people in ("students", "teachers")
    },
    **{
        (people, "classes"): Related(
            "classes", (("user.sourcedId", 0),), ("enrollments", "classSourcedId")
        )
        for people in ("users", "students", "teachers")
    },
    ("schools", "classes", "enrollments"): Related(
        "enrollments", (("school.sourcedId", 0), ("class.sourcedId", 1))
    ),
    **{
        ("schools", "classes", people): Related(
            people,
            (("school.sourcedId", 0), ("class.sourcedId", 1)),
            ("enrollments", "userSourcedId"),
        )
        for people in ("students", "teachers")
    },
}


@dataclass(frozen=True, slots=True)
class View:
    """The rows that one request, page after page, goes through."""

    entity: str
    positions: Positions | None
    """None for all rows in their order."""
    rows: int
    key: tuple[object, ...]
    """Equal for equal views of one listing."""


@dataclass
class Listing:
    """Views of one roster in the words of one version."""

    reading: Reading
    version: Version
    modified: str
    """The dateLastModified of rows that have none."""
    _views: Recent[View] = field(default_factory=lambda: Recent(_VIEWS))
    _masks: Recent[Mask | None] = field(default_factory=lambda: Recent(_VIEWS))

    def view(self, steps: tuple[str, ...], ids: tuple[str, ...], query: Query) -> View:
        """The rows that a path and its query ask for; `RefusedError` where there is no such path
        or record, or the query names no property."""
        key = (steps, ids, query.filter, query.sort, query.descending)
        return self._views.get(key, lambda: self._view(steps, ids, query, key))

    def one(self, step: str, sourced_id: str) -> View:
        """The one record of a collection; `RefusedError` where there is none."""
        collection = _collection(step)
        position = self.reading.position(collection.entity, sourced_id)
        mask = self._listed(step)
        if position < 0 or (mask is not None and not mask[position]):
            raise RefusedError(Problem.UNKNOWN, NOT_FOUND)
        key = (step, "one", sourced_id)
        return View(collection.entity, np.array([position], dtype=np.int64), 1, key)

    def _view(
        self,
        steps: tuple[str, ...],
        ids: tuple[str, ...],
        query: Query,
        key: tuple[object, ...],
    ) -> View:
        entity, mask = self._related(steps, ids) if ids else self._whole(steps)
        if query.filter is not None:
            filtered = self._filtered(entity, query.filter)
            mask = filtered if mask is None else mask & filtered
        positions = None if mask is None else np.flatnonzero(mask).astype(np.int64)
        if query.sort is not None:
            positions = self._sorted(entity, positions, query.sort, query.descending)
        rows = self.reading.roster.counts[entity] if positions is None else len(positions)
        return View(entity, positions, rows, key)

    # ---- which rows ----

    def _whole(self, steps: tuple[str, ...]) -> tuple[str, Mask | None]:
        return _collection(steps[0]).entity, self._listed(steps[0])

    def _listed(self, step: str) -> Mask | None:
        """The rows that a collection lists, None for all of its entity."""
        return self._masks.get(step, lambda: self._decide_listed(_collection(step)))

    def _decide_listed(self, collection: Collection) -> Mask | None:
        if collection.entity == "users":
            return self._people(collection.value)
        if not collection.filter:
            return None
        return self._decided(collection.entity, _equal(collection.filter, collection.value))

    def _people(self, role: str) -> Mask | None:
        if role:
            return self._users_with(lambda roles: _is(roles["role"], role))
        if self.version is Version.V1P2:
            return None
        # 1.1 does not have all roles, and without any there is no person.
        return self._users_of(
            (owners, role_words(roles).notna()) for roles, owners in self._all_roles()
        )

    def _related(self, steps: tuple[str, ...], ids: tuple[str, ...]) -> tuple[str, Mask | None]:
        if steps not in RELATED or len(ids) != len(steps) - 1:
            raise RefusedError(Problem.UNKNOWN, NOT_FOUND)
        related = RELATED[steps]
        for step, sourced_id in zip(steps[:-1], ids, strict=True):
            self.one(step, sourced_id)
        collection = _collection(related.path)
        if related.through == _ROLES:
            return collection.entity, self._users_with(
                lambda roles: (
                    _is(roles["role"], collection.value) & _is(roles["orgSourcedId"], ids[0])
                )
            )
        source = related.through[0] if related.through else collection.entity
        mask = np.ones(self.reading.roster.counts[source], dtype=bool)
        for name, index in related.clauses:
            mask &= self._decided(source, _equal(name, ids[index]))
        if related.through is None:
            listed = self._listed(related.path)
            return collection.entity, mask if listed is None else mask & listed
        role = collection.value or PATHS[steps[0]].value
        if source == "enrollments" and role:
            mask &= self._decided("enrollments", _equal("role", role))
        found = self._referred_to(related.through, mask, collection.entity)
        listed = None if collection.entity == "users" else self._listed(related.path)
        return collection.entity, found if listed is None else found & listed

    def _referred_to(self, through: tuple[str, str], mask: Mask, entity: str) -> Mask:
        """The rows of an entity that chosen rows of another one refer to."""
        source, column = through
        frames = self.reading.roster.select(source, np.flatnonzero(mask), [column])
        texts = [text for frame in frames for text in frame[column].dropna().unique()]
        ids = pd.Series(sorted({i for text in texts for i in text.split(",")}), dtype=TEXT)
        at = self.reading.roster.find(entity, ids)
        found = np.zeros(self.reading.roster.counts[entity], dtype=bool)
        found[at[at >= 0]] = True
        return found

    # ---- filter and sort ----

    def _filtered(self, entity: str, wanted: Filter) -> Mask:
        masks = [self._decided(entity, clause) for clause in wanted.clauses]
        combine = np.logical_or if wanted.either else np.logical_and
        mask: Mask = combine.reduce(masks)
        return mask

    def _decided(self, entity: str, clause: Clause) -> Mask:
        """For each row whether a clause holds."""
        nested = _role_fields(self.version) if entity == "users" else {}
        if clause.field in nested:
            column = nested[clause.field]
            unequal = clause.op is Op.UNEQUAL
            asked = Clause(clause.field, Op.EQUAL, clause.value) if unequal else clause
            found = self._users_with(lambda roles: holds(roles[column.name], column, asked))
            return ~found if unequal else found
        column = self._column(entity, clause.field, Problem.FILTER)
        blocks = self.reading.roster.blocks(entity, [column.name])
        masks = [holds(self._said(b, entity)[column.name], column, clause) for b in blocks]
        return np.concatenate([np.zeros(0, dtype=bool), *masks])

    def _sorted(
        self, entity: str, positions: Positions | None, name: str, descending: bool
    ) -> Positions:
        column = self._column(entity, name, Problem.SORT)
        frame = self.reading.roster.columns(entity, [column.name])
        cells = arrow(self._said(frame, entity)[column.name])
        if positions is not None:
            cells = cells.take(positions)
        order = pc.array_sort_indices(
            cells, order="descending" if descending else "ascending", null_placement="at_end"
        )
        places: npt.NDArray[np.int64] = order.to_numpy().astype(np.int64)
        return places if positions is None else positions[places]

    def _column(self, entity: str, name: str, problem: Problem) -> Column:
        header = self.reading.roster.header(entity)
        column = fields_of(entity, self.version, header).get(name)
        if column is None or column.name not in header:
            raise RefusedError(problem, f"{entity} have no property by that name to look at.")
        if problem is Problem.SORT and column.kind in (
            Kind.REFERENCES,
            Kind.STRINGS,
            Kind.USER_IDS,
        ):
            raise RefusedError(problem, "A list cannot be sorted by.")
        return column

    def _said(self, frame: pd.DataFrame, entity: str) -> pd.DataFrame:
        """Cells as an object of the version has them."""
        blanks = {"status": "active", "dateLastModified": self.modified}
        frame = frame.fillna({name: blanks[name] for name in blanks if name in frame.columns})
        return downgrade_words(frame, entity) if self.version is Version.V1P1 else frame

    # ---- people by their roles ----

    def _users_with(self, decide: Callable[[pd.DataFrame], Mask]) -> Mask:
        """The users of whom any role is as asked for."""
        return self._users_of((owners, decide(roles)) for roles, owners in self._roles())

    def _users_of(self, decided: Iterable[tuple[Positions, Any]]) -> Mask:
        """The users to whom rows belong that are chosen among theirs."""
        found = np.zeros(self.reading.roster.counts["users"], dtype=bool)
        for owners, chosen in decided:
            hits = owners[np.asarray(chosen, dtype=bool)]
            found[hits[hits >= 0]] = True
        return found

    def _all_roles(self) -> Iterator[tuple[pd.DataFrame, Positions]]:
        """All roles, each with the position of its user."""
        start = 0
        for block in self.reading.roster.blocks("roles", [*_ROLE_COLUMNS, ROLE]):
            yield block, self.reading.roles.owners[start : start + len(block)]
            start += len(block)

    def _roles(self) -> Iterator[tuple[pd.DataFrame, Positions]]:
        """The same; in 1.1 roles that it does not say of the user are empty."""
        for roles, owners in self._all_roles():
            if self.version is Version.V1P2:
                yield roles, owners
                continue
            words = role_words(roles)
            said = _code(words) == np.where(owners < 0, -1, self._words[owners])
            orgs = roles["orgSourcedId"].where(said)
            yield roles.assign(role=words.where(said), orgSourcedId=orgs), owners

    @cached_property
    def _words(self) -> npt.NDArray[np.int8]:
        """The one role of 1.1 that each user has, by number; -1 where there is none."""
        codes, start = np.full(self.reading.roster.counts["users"], -1, dtype=np.int8), 0
        for block in self.reading.roster.blocks("users"):
            here = np.arange(start, start + len(block))
            roles, _ = self.reading.roles.of(here)
            said = downgrade_users(block, self.reading.rows("roles", roles)).users
            at = pd.Index(block["sourcedId"]).get_indexer(pd.Index(said["sourcedId"]))
            codes[start + at] = _code(said["role"])
            start += len(block)
        return codes


def _collection(step: str) -> Collection:
    if step not in PATHS:
        raise RefusedError(Problem.UNKNOWN, NOT_FOUND)
    return PATHS[step]


def _equal(name: str, value: str) -> Clause:
    return Clause(name, Op.EQUAL, value)


def _is(cells: pd.Series, text: str) -> Mask:
    mask: Mask = cells.eq(text).fillna(False).to_numpy(dtype=bool)
    return mask


def _code(words: pd.Series) -> npt.NDArray[np.int8]:
    numbers = {word: number for number, word in enumerate(USER_ROLES_1P1)}
    return words.map(numbers).fillna(-1).to_numpy(dtype=np.int64).astype(np.int8)


@cache
def _role_fields(version: Version) -> dict[str, Column]:
    """What a filter may ask about the roles of a user: of 1.1 the one role and its orgs."""
    columns = {c.name: (name, c) for name, c in fields_of("roles", Version.V1P2, ()).items()}
    if version is Version.V1P1:
        return {"role": columns["role"][1], "orgs.sourcedId": columns["orgSourcedId"][1]}
    return {f"roles.{name}": c for name, c in columns.values() if c.name in _ROLE_COLUMNS}
