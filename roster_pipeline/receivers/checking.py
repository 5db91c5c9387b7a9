"""What a receiver will not like about what goes out, looked for before it does.

A profile names its checks; each is a strategy of this module, and answers with counts alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import pandas as pd

from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.scoping.ids import Ids, ids_of, is_in, rows_where, values
from roster_pipeline.oneroster.versions import items
from roster_pipeline.receivers.columns.checking import Misfit, misfits, told
from roster_pipeline.receivers.columns.config import ColumnsFormat
from roster_pipeline.receivers.profiles import Check, Profile
from roster_pipeline.receivers.staying import files
from roster_pipeline.tables.arrow import is_true, pc
from roster_pipeline.tables.keys import KeySet
from roster_pipeline.tables.text import TEXT, arrow


@dataclass(frozen=True)
class Unfit:
    """Rows that a receiver will refuse, or make something of that nobody wants."""

    check: str
    entity: str | None
    """Or the file, of files that are the receiver's own."""
    columns: tuple[str, ...]
    rows: int
    of: int
    """How many rows were looked at."""
    message: str
    """What the receiver wants, and how many rows are otherwise; no cells."""
    stops: bool
    """Whether the receiver would refuse the whole delivery."""


@dataclass(frozen=True)
class _Look:
    """A roster that goes out, and the check that looks at it."""

    roster: Roster
    check: Check
    files: tuple[str, ...]
    """The entities that have a file in a OneRoster package."""
    told: Callable[[], Mapping[str, np.ndarray]] | None = None
    """Of files of the receiver's own, by entity, which rows stand in any."""

    @property
    def entity(self) -> str:
        """What the check is about."""
        if self.check.entity is None:
            raise ValueError(f"the check {self.check.check} needs an `entity`")
        return self.check.entity


_Found = tuple[int, int]
"""How many rows are unfit, of how many."""


def unfit(roster: Roster, profile: Profile) -> list[Unfit]:
    """What of an outgoing roster does not fit its receiver, by the checks of the profile, and by
    what it says of its own files."""
    entities = () if profile.oneroster is None else files(profile.oneroster)
    form, found = profile.columns, []
    in_files = cache(lambda: told(roster, form)) if isinstance(form, ColumnsFormat) else None
    for check in profile.checks:
        look = _Look(roster, check, entities, in_files)
        rows, of = _STRATEGIES[check.check].look(look)
        if rows:
            found.append(
                Unfit(
                    check.check,
                    check.entity,
                    check.columns,
                    rows,
                    of,
                    _sentence(look, rows, of),
                    check.stops,
                )
            )
    if isinstance(profile.columns, ColumnsFormat):
        found += [_of_file(misfit) for misfit in misfits(roster, profile.columns)]
    return found


def _of_file(misfit: Misfit) -> Unfit:
    """What is wrong in a file of the receiver's own."""
    return Unfit(
        misfit.wrong,
        ", ".join(misfit.files),
        (misfit.column,),
        misfit.rows,
        misfit.of,
        misfit.message,
        misfit.stops,
    )


def _sentence(look: _Look, rows: int, of: int) -> str:
    strategy = _STRATEGIES[look.check.check]
    verb = strategy.one if rows == 1 else strategy.more
    if look.check.check == "files":
        names = ", ".join(f"{entity}.csv" for entity in _empty(look))
        return f"{look.check.says}: {names} {verb}."
    return f"{look.check.says}: {rows:,} of {of:,} {strategy.things or look.check.entity} {verb}."


# ---- cells ----


def _filled(look: _Look) -> _Found:
    def empty(rows: pd.DataFrame) -> np.ndarray:
        return rows[list(look.check.columns)].isna().all(axis="columns").to_numpy(dtype=bool)

    chosen = _chosen(look)
    missing = rows_where(look.roster, look.entity, list(look.check.columns), empty) & chosen
    return int(missing.sum()), int(chosen.sum())


def _unique(look: _Look) -> _Found:
    """Rows that share a filled cell with another, letters' case aside."""
    (column,) = look.check.columns
    chosen = _chosen(look)
    cells = look.roster.columns(look.entity, [column])[column][chosen].str.casefold()
    shared = cells.notna() & cells.duplicated(keep=False)
    return int(shared.sum()), int(chosen.sum())


def _matches(look: _Look) -> _Found:
    """Filled cells that are not wholly as a pattern says."""
    (column,) = look.check.columns
    pattern = f"^(?:{look.check.pattern})$"

    def fits_not(rows: pd.DataFrame) -> np.ndarray:
        return is_true(pc.invert(pc.match_substring_regex(arrow(rows[column]), pattern)))

    chosen = _chosen(look)
    odd = rows_where(look.roster, look.entity, [column], fits_not) & chosen
    return int(odd.sum()), int(chosen.sum())


def _files(look: _Look) -> _Found:
    """Files without rows, which are left out of a OneRoster package."""
    return len(_empty(look)), len(look.check.entities or look.files)


def _empty(look: _Look) -> list[str]:
    wanted = look.check.entities or look.files
    return [entity for entity in wanted if not look.roster.counts[entity]]


def _at_most(look: _Look) -> _Found:
    rows = look.roster.counts[look.entity]
    return max(0, rows - (look.check.most or rows)), rows


def _in_files(look: _Look, entity: str) -> np.ndarray:
    """The rows of an entity that stand in any file."""
    everything = np.ones(look.roster.counts[entity], dtype=bool)
    return everything if look.told is None else look.told().get(entity, everything)


def _chosen(look: _Look) -> np.ndarray:
    """The rows that a check is about: of users maybe only those with certain roles."""
    there = _in_files(look, look.entity)
    if not look.check.roles:
        return there
    words = ids_of(look.check.roles)
    having = rows_where(look.roster, "roles", ["role"], lambda rows: is_in(rows["role"], words))
    people = values(look.roster, "roles", having, "userSourcedId")
    return there & rows_where(
        look.roster, "users", ["sourcedId"], lambda rows: is_in(rows["sourcedId"], people)
    )


# ---- rows among others ----


def _unique_ids(look: _Look) -> _Found:
    """Rows whose sourcedId another row has, of any file; demographics have their users'."""
    own = [entity for entity in look.files if entity != "demographics"]
    keys = np.concatenate([np.zeros(0, np.uint64), *(look.roster.keys(e) for e in own)])
    return len(KeySet(keys).duplicated()), len(keys)


def _student_in_each_class(look: _Look) -> _Found:
    student = ids_of(["student"])
    seats = rows_where(look.roster, "enrollments", ["role"], lambda r: is_in(r["role"], student))
    seats &= _in_files(look, "enrollments")
    filled = values(look.roster, "enrollments", seats, "classSourcedId")
    classes = look.roster.columns("classes", ["sourcedId"])["sourcedId"]
    return int((~is_in(classes, filled)).sum()), len(classes)


def _inside_sessions(look: _Look) -> _Found:
    """Enrollments that begin before the first session of their class, or end after its last."""
    ids, starts, ends = _spans(look.roster)

    def outside(rows: pd.DataFrame) -> np.ndarray:
        at = pc.index_in(arrow(rows["classSourcedId"]), value_set=ids)
        first, last = starts.take(at), ends.take(at)
        begin, end = arrow(rows["beginDate"]), arrow(rows["endDate"])
        early = is_true(pc.less(begin, first)) | is_true(pc.less_equal(end, first))
        late = is_true(pc.greater(end, last)) | is_true(pc.greater_equal(begin, last))
        return early | late

    columns = ["classSourcedId", "beginDate", "endDate"]
    odd = rows_where(look.roster, "enrollments", columns, outside)
    return int(odd.sum()), len(odd)


def _spans(roster: Roster) -> tuple[Ids, Ids, Ids]:
    """The sourcedIds of classes, the first day of each one's sessions, and the day after the
    last."""
    classes = roster.columns("classes", ["sourcedId", "termSourcedIds"])
    sessions = roster.columns("academicSessions", ["sourcedId", "startDate", "endDate"])
    rows, terms = items(classes["termSourcedIds"])
    known = sessions.drop_duplicates("sourcedId").set_index("sourcedId").astype(object)
    lasting = known.reindex(terms.astype(object))
    bounds = [
        lasting[name].groupby(rows).agg(pick).reindex(np.arange(len(classes))).astype(TEXT)
        for name, pick in (("startDate", "min"), ("endDate", "max"))
    ]
    return arrow(classes["sourcedId"]), arrow(bounds[0]), arrow(bounds[1])


def _one_primary_teacher(look: _Look) -> _Found:
    """Classes that have two primary teachers at a time."""
    columns = ["classSourcedId", "role", "primary", "beginDate", "endDate"]
    seats = [
        block[is_in(block["role"], ids_of(["teacher"])) & is_in(block["primary"], ids_of(["true"]))]
        for block in look.roster.blocks("enrollments", columns)
    ]
    classes = look.roster.counts["classes"]
    if not seats:
        return 0, classes
    teachers = pd.concat(seats, ignore_index=True)
    begin, end = _days(teachers["beginDate"], 0), _days(teachers["endDate"], 99999999)
    times = teachers.assign(begin=begin, end=end).sort_values(["classSourcedId", "begin"])
    # Of those that begin one after the other two neighbours overlap if any do.
    before = times.groupby("classSourcedId", sort=False)["end"].shift().fillna(-1)
    overlap = times["begin"] < before
    return times.loc[overlap, "classSourcedId"].nunique(), classes


def _days(dates: pd.Series, otherwise: int) -> pd.Series:
    """Dates as numbers in their order."""
    digits = dates.str.replace("-", "", regex=False)
    return pd.to_numeric(digits.astype(object), errors="coerce").fillna(otherwise).astype(np.int64)


@dataclass(frozen=True)
class _Strategy:
    look: Callable[[_Look], _Found]
    one: str
    """What one unfit row does, as the end of a sentence."""
    more: str
    things: str = ""
    """What is counted, if not the rows of the check's entity."""


_STRATEGIES: Final[Mapping[str, _Strategy]] = {
    "filled": _Strategy(_filled, "has none", "have none"),
    "unique": _Strategy(_unique, "shares one", "share theirs"),
    "unique_ids": _Strategy(_unique_ids, "has one that is taken", "have one that is taken", "rows"),
    "matches": _Strategy(_matches, "has others", "have others"),
    "files": _Strategy(
        _files, "has no rows and is not there", "have no rows and are not there", "files"
    ),
    "at_most": _Strategy(_at_most, "is too many", "are too many"),
    "student_in_each_class": _Strategy(_student_in_each_class, "has none", "have none", "classes"),
    "inside_sessions": _Strategy(_inside_sessions, "is outside", "are outside", "enrollments"),
    "one_primary_teacher": _Strategy(
        _one_primary_teacher, "has several", "have several", "classes"
    ),
}
