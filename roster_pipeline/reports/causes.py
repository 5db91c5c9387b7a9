"""What is at fault in a package and what only follows from it, in the order in which to mend it.

Grouping alone: `causes_text.py` puts it into words, and other renderings can stand beside it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.oneroster.findings import FindingGroup, Findings, Severity, Texts, row_at_fault
from roster_pipeline.reports.effects import is_harmless
from roster_pipeline.tables.arrow import pc

FIX_ORDER: Final = (
    "orgs",
    "academicSessions",
    "courses",
    "users",
    "userProfiles",
    "roles",
    "demographics",
    "classes",
    "enrollments",
)
"""Mending an entity may mend those after it. What is wrong with the package comes before all."""

RANK: Final[Mapping[Severity, int]] = {severity: rank for rank, severity in enumerate(Severity)}

_Key = tuple[Severity, str | None, str]
"""What findings are grouped by: severity, entity and code."""

Values = Sequence[Sequence[str | None] | None]
"""For each group of findings the cells of its lines; None where the group has none to show."""

_Ints = npt.NDArray[np.int64]
_LINE_BITS: Final = 40
# Which of the codes of its consequences says best why a row is not there.
_TELLING: Final = ("reference.unknown", "reference.removed")


@dataclass(frozen=True)
class Place:
    """Where one finding is."""

    file: str
    line: int | None
    column: str | None
    sourced_id: str | None = None
    value: str | None = None
    """The cell, where it was asked for."""

    def __str__(self) -> str:
        parts = (self.file, None if self.line is None else str(self.line), self.column)
        return ":".join(part for part in parts if part is not None)


@dataclass(frozen=True)
class Spot:
    """One sentence about one column of one file, and the lines that it is true of."""

    file: str
    column: str | None
    message: str
    fix: str
    count: int
    places: tuple[Place, ...]
    """The first ones, by line; one without a line where the file itself is meant."""


@dataclass(frozen=True)
class Absent:
    """A row that is not to be had and has no finding of its own."""

    sourced_id: str
    rows: int
    """How many rows follow from its absence."""
    first: Place


@dataclass(frozen=True)
class Cause:
    """Findings of one rule on one entity that follow from nothing else, or rows that others miss.

    It has `spots` or `absent`, and never both.
    """

    code: str
    severity: Severity
    entity: str | None
    """None for the package as a whole."""
    count: int
    """How many findings, or how many absent rows, that is."""
    follow: Mapping[str, int] = field(default_factory=dict)
    """How many rows follow from it, by entity."""
    spots: tuple[Spot, ...] = ()
    """All of them, those with most findings first."""
    absent: tuple[Absent, ...] = ()
    """The first ones, those from which most rows follow first."""

    @property
    def following(self) -> int:
        """How many rows follow from it."""
        return sum(self.follow.values())

    @property
    def harmless(self) -> bool:
        """Whether it changes nothing."""
        return is_harmless(self.code, self.severity)


@dataclass(frozen=True)
class Causes:
    """All causes of a package's findings, in the order in which to mend them."""

    listed: tuple[Cause, ...]
    count: int
    """How many findings are at the root, and rows that others miss."""
    following: int
    """How many findings only follow from these."""


def causes_of(findings: Findings, *, places: int = 3, values: Values | None = None) -> Causes:
    """Group findings by what is at fault.

    A finding that follows from another row is counted for that row and never listed. Keeps the
    first `places` lines of each spot, and as many absent rows of each kind. `values` belong to
    the groups of `findings`.
    """
    groups = findings.groups
    roots = [_roots(group) for group in groups]
    links = _links(groups, roots)
    followers = _followers(groups, links)
    own: dict[_Key, list[int]] = defaultdict(list)
    for number, group in enumerate(groups):
        kept = roots[number]
        if kept is None or len(kept):
            own[_key(group)].append(number)
    listed = [
        _cause(key, numbers, groups, roots, followers.get(key, {}), places, values)
        for key, numbers in own.items()
    ]
    listed += _absences(groups, links, places)
    at_root = sum(cause.count for cause in listed)
    return Causes(tuple(sorted(listed, key=_order)), at_root, len(links.cause))


def entity_of(group: FindingGroup) -> str | None:
    """The entity that a group is about; None for the package."""
    if group.entity is not None:
        return group.entity
    stem = PurePosixPath(group.file).stem
    return stem if stem in ENTITIES else None


def _key(group: FindingGroup) -> _Key:
    return group.severity, entity_of(group), group.code


def fix_rank(entity: str | None) -> int:
    """Where an entity stands in the order of mending; what is none of them, before all."""
    return FIX_ORDER.index(entity) if entity in FIX_ORDER else -1


def _order(cause: Cause) -> tuple[object, ...]:
    return (
        cause.harmless,
        fix_rank(cause.entity),
        RANK[cause.severity],
        # A row may only be missed because its id, or its line, is damaged.
        bool(cause.absent),
        -cause.following,
        -cause.count,
        cause.code,
    )


def _roots(group: FindingGroup) -> _Ints | None:
    """Which findings of a group follow from nothing; None for all of them."""
    if group.causes is None or not len(group.lines):
        return None
    return np.flatnonzero(group.causes.is_null().to_numpy(zero_copy_only=False)).astype(np.int64)


# ---- what follows from what ----


@dataclass(frozen=True)
class _Links:
    """Every finding that follows from a row, and the rows that are at fault."""

    labels: list[str]
    """The rows at fault, each once."""
    owner: _Ints
    """For each of them the group with its own gravest finding; -1 where it has none."""
    cause: _Ints
    """For each finding that follows, the position of its row at fault in `labels`."""
    group: _Ints
    line: _Ints


def _links(groups: Sequence[FindingGroup], roots: Sequence[_Ints | None]) -> _Links:
    causes: list[Texts] = [pa.array([], pa.large_string())]
    numbers, lines = [], []
    for number, group in enumerate(groups):
        if group.causes is not None and group.causes.null_count < len(group.lines):
            valid = group.causes.is_valid()
            causes.append(group.causes.filter(valid))
            lines.append(group.lines[valid.to_numpy(zero_copy_only=False)])
            numbers.append(np.full(len(lines[-1]), number, dtype=np.int64))
    encoded = pa.concat_arrays(causes).dictionary_encode()
    labels = cast(Texts, encoded.dictionary)
    return _Links(
        [str(label) for label in labels.to_pylist()],
        _owners(groups, roots, labels),
        encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64),
        np.concatenate([_NONE, *numbers]),
        np.concatenate([_NONE, *lines]),
    )


_NONE: Final[_Ints] = np.empty(0, dtype=np.int64)


def _owners(groups: Sequence[FindingGroup], roots: Sequence[_Ints | None], labels: Texts) -> _Ints:
    owner = np.full(len(labels), -1, dtype=np.int64)
    # The gravest are written last, and of these the first one, so that it stays.
    graver_later = sorted(
        range(len(groups)), key=lambda n: (RANK[groups[n].severity], n), reverse=True
    )
    for number in graver_later if len(labels) else ():
        group, kept = groups[number], roots[number]
        if group.entity is None or group.sourced_ids is None:
            continue
        if is_harmless(group.code, group.severity):
            # Something else took the row: nothing follows from what changes nothing.
            continue
        ids = group.sourced_ids if kept is None else group.sourced_ids.take(kept)
        at = pc.index_in(row_at_fault(group.entity, ids), value_set=labels).drop_null()
        owner[at.to_numpy(zero_copy_only=False)] = number
    return owner


def _rows(groups: Sequence[FindingGroup], links: _Links) -> pd.DataFrame:
    """Each row that follows once for each row at fault: `cause`, `entity`, `group`, `line`."""
    files = pd.factorize(np.array([group.file for group in groups], dtype=object))[0]
    names = [entity_of(group) or group.file for group in groups]
    row = (files[links.group].astype(np.int64) << _LINE_BITS) + links.line
    rows = pd.DataFrame({"cause": links.cause, "row": row, "group": links.group})
    rows = rows.drop_duplicates(["cause", "row"])
    codes, entities = pd.factorize(np.array(names, dtype=object))
    entity = pd.Categorical.from_codes(codes[rows["group"].to_numpy()], pd.Index(entities))
    return rows.assign(entity=entity, line=links.line[rows.index.to_numpy()])


def _counted(rows: pd.DataFrame, by: str) -> dict[int, dict[str, int]]:
    """How many rows of each entity there are, by another column; each row counts once there."""
    rows = rows.drop_duplicates([by, "row"])
    counts = rows.groupby([by, "entity"], observed=True).size().reset_index(name="rows")
    found: dict[int, dict[str, int]] = defaultdict(dict)
    columns = (counts[name].tolist() for name in (by, "entity", "rows"))
    for number, entity, count in zip(*columns, strict=True):
        found[number][entity] = count
    return found


def _followers(groups: Sequence[FindingGroup], links: _Links) -> dict[_Key, dict[str, int]]:
    """How many rows of each entity follow from all rows at fault of one kind."""
    if not len(links.cause):
        return {}
    rows = _rows(groups, links)
    owner = links.owner[rows["cause"].to_numpy()]
    rows, owner = rows[owner >= 0], owner[owner >= 0]
    keys = [_key(group) for group in groups]
    first = {key: number for number, key in reversed(list(enumerate(keys)))}
    kinds = np.array([first[key] for key in keys], dtype=np.int64)
    counted = _counted(rows.assign(kind=kinds[owner]), "kind")
    return {keys[number]: counts for number, counts in counted.items()}


def _absences(groups: Sequence[FindingGroup], links: _Links, keep: int) -> list[Cause]:
    """Causes for the rows at fault that have no finding of their own."""
    if not (links.owner < 0).any():
        return []
    rows = _rows(groups, links)
    rows = rows[links.owner[rows["cause"].to_numpy()] < 0]
    codes = [group.code for group in groups]
    telling = [_TELLING.index(code) if code in _TELLING else len(_TELLING) for code in codes]
    ranks = [RANK[group.severity] for group in groups]
    rows = rows.assign(
        telling=np.array(telling)[rows["group"].to_numpy()],
        rank=np.array(ranks)[rows["group"].to_numpy()],
    )
    by_cause = rows.groupby("cause", sort=False)
    first = rows.sort_values("telling", kind="stable").drop_duplicates("cause").set_index("cause")
    facts = pd.DataFrame(
        {
            "entity": [
                label.partition("/")[0] for label in map(links.labels.__getitem__, first.index)
            ],
            "code": [codes[number] for number in first["group"]],
            "rank": by_cause["rank"].min().reindex(first.index),
            "rows": by_cause.size().reindex(first.index),
            "group": first["group"],
            "line": first["line"],
        },
        index=first.index,
    )
    kinds = facts.groupby(["entity", "code", "rank"], sort=False)
    kind = pd.Series(kinds.ngroup(), index=facts.index)
    counted = _counted(rows.assign(kind=kind.reindex(rows["cause"]).to_numpy()), "kind")
    return [
        Cause(
            some["code"].iloc[0],
            list(Severity)[some["rank"].iloc[0]],
            some["entity"].iloc[0],
            len(some),
            counted[number],
            absent=tuple(_absent(some, groups, links.labels, keep)),
        )
        for number, some in ((kind[of.index[0]], of) for _, of in kinds)
    ]


def _absent(
    facts: pd.DataFrame, groups: Sequence[FindingGroup], labels: Sequence[str], keep: int
) -> Iterable[Absent]:
    most = facts.sort_values("rows", ascending=False, kind="stable").head(keep)
    columns = (most.index.tolist(), *(most[name].tolist() for name in ("rows", "group", "line")))
    for label, rows, number, line in zip(*columns, strict=True):
        place = Place(groups[number].file, line, groups[number].column)
        yield Absent(labels[label].partition("/")[2], rows, place)


# ---- findings of their own ----


def _cause(
    key: _Key,
    numbers: Sequence[int],
    groups: Sequence[FindingGroup],
    roots: Sequence[_Ints | None],
    follow: Mapping[str, int],
    places: int,
    values: Values | None,
) -> Cause:
    severity, entity, code = key
    spots: dict[tuple[str, str | None, str, str], list[int]] = defaultdict(list)
    for number in numbers:
        group = groups[number]
        spots[group.file, group.column, group.message, group.fix].append(number)
    found = [
        spot_of([(groups[n], roots[n], values[n] if values else None) for n in some], places)
        for some in spots.values()
    ]
    found.sort(key=lambda spot: -spot.count)
    count = sum(spot.count for spot in found)
    return Cause(code, severity, entity, count, follow, tuple(found))


def spot_of(
    some: Sequence[tuple[FindingGroup, _Ints | None, Sequence[str | None] | None]], keep: int
) -> Spot:
    """Groups of one place and sentence as one spot; of each the findings named (None for all), and
    the cells of all its lines, where they are to be shown."""
    count, first = 0, []
    for group, kept, cells in some:
        count += group.count if kept is None else len(kept)
        at = np.arange(len(group.lines), dtype=np.int64) if kept is None else kept
        if len(at) > keep:
            at = at[np.argpartition(group.lines[at], keep - 1)[:keep]]
        first += [
            Place(
                group.file,
                int(group.lines[row]),
                group.column,
                None if group.sourced_ids is None else group.sourced_ids[row].as_py(),
                None if cells is None else cells[row],
            )
            for row in at.tolist()
        ]
    group = some[0][0]
    first.sort(key=lambda place: place.line or 0)
    places = tuple(first[:keep]) or (Place(group.file, None, group.column),)
    return Spot(group.file, group.column, group.message, group.fix, count, places)
