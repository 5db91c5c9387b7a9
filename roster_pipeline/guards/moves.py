"""What moved between two rosters, counted by entity, kind of people and school."""

from collections.abc import Mapping
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from roster_pipeline.guards.census import (
    Hashes,
    all_roles,
    at_school,
    dated_traits,
    first_ones,
    role_traits,
    user_traits,
)
from roster_pipeline.guards.facts import PEOPLE, STUDENTS, TEACHERS, Moves, Share, Shift
from roster_pipeline.guards.hanging import shortened
from roster_pipeline.guards.headcount import count_people
from roster_pipeline.guards.moved import (
    FATES,
    REMOVED,
    Mask,
    Moved,
    Trait,
    Traits,
)
from roster_pipeline.guards.schools import Schools, Tally
from roster_pipeline.oneroster.coded import by_text, hashed
from roster_pipeline.oneroster.delta import Delta
from roster_pipeline.oneroster.endings import Endings
from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.oneroster.layout import Positions
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.tables.arrow import is_true, pc
from roster_pipeline.tables.hashes import row_hashes
from roster_pipeline.tables.keys import KeySet
from roster_pipeline.tables.text import arrow

_FEWEST: Final = 5
"""Students from whom on a class counts."""
_NONE: Final[Positions] = np.empty(0, dtype=np.int64)
_WITH_PEOPLE: Final = [PEOPLE.index(kind) for kind in (STUDENTS, TEACHERS)]


def count_moves(delta: Delta, day: date, left_out: Mapping[str, Mask] | None = None) -> Shift:
    """Count what a difference moves on the day of a sync. `left_out` is by entity a mask over the
    old roster's rows: what the scope that holds now leaves out. All nine entities are in it."""
    old, schools = delta.old or Roster.empty(), Schools.of(delta)
    traits, endings, without = _traits(schools, day), Endings(old, day), left_out or {}
    rows = {
        entity: Moved(delta, entity, endings, traits.get(entity, {}), without.get(entity))
        for entity in ENTITIES
    }
    ends_early = shortened(rows)
    tally = Tally(schools)
    for entity in ("classes", "enrollments"):
        _count_at_schools(rows[entity], ends_early.get(entity, _NONE), schools, tally)
    everyone = all_roles(old, schools, day)
    people = count_people(rows["roles"], rows["users"], everyone, tally)
    at_schools = tally.moves()
    return Shift(
        entities={
            entity: _moves(moved, len(ends_early.get(entity, _NONE)))
            for entity, moved in rows.items()
        },
        people=people,
        schools=at_schools,
        school_names=schools.called(at_schools),
    )


def schools_removed(
    delta: Delta, left_out: Mapping[str, Mask] | None = None
) -> tuple[dict[str, int], dict[str, str]]:
    """Of each school whose row is gone how many students and teachers it had, and its name. An org
    of another type counts as a school if it had any; one that the scope leaves out does not."""
    gone = delta.entities["orgs"].removed
    if left_out is not None and "orgs" in left_out:
        gone = gone[~left_out["orgs"][gone]]
    if not len(gone) or delta.old is None:
        return {}, {}
    orgs = delta.old.take("orgs", gone, ["sourcedId", "type"])
    schools = Schools.of(delta)
    # No date matters to who is there.
    everyone = all_roles(delta.old, schools, date.min)
    counted = first_ones(at_school(everyone)) & np.isin(everyone["kind"], _WITH_PEOPLE)
    at = everyone["school"][counted]
    heads = np.bincount(at[at >= 0], minlength=len(schools.sourced_ids))
    heads = heads[schools.numbers(arrow(orgs["sourcedId"]))]
    as_school = (heads > 0) | (orgs["type"] == "school").to_numpy(bool, na_value=False)
    ids = orgs["sourcedId"]
    counts = dict(zip(ids[as_school].tolist(), heads[as_school].tolist(), strict=True))
    return counts, schools.called(counts)


def emptied_classes(delta: Delta, day: date, left_out: Mapping[str, Mask] | None = None) -> Share:
    """Classes still sent that would lose more than half of at least five students, of all classes
    that had at least five. Not lost is a student whose enrollment is over or left out by the
    scope, or who comes into any class that day: sections are closed, and their students spread."""
    if delta.old is None:
        return Share()
    keys = delta.old.keys("classes")
    classes = KeySet(keys)
    had = _students(delta.old, classes)
    at = classes.positions(_lost(delta, day, left_out))
    lost = np.bincount(at[at >= 0], minlength=len(had))
    emptied = (had >= _FEWEST) & (lost * 2 > had)
    if emptied.any():
        emptied &= KeySet(delta.new.keys("classes")).contains(keys)
    return Share(int(np.count_nonzero(emptied)), int(np.count_nonzero(had >= _FEWEST)))


# ---- rows ----


def _traits(schools: Schools, day: date) -> Mapping[str, Traits]:
    school = Trait(
        ("schoolSourcedId",), lambda rows: schools.numbers(arrow(rows["schoolSourcedId"]))
    )
    return {
        "academicSessions": dated_traits(day, "startDate"),
        "users": user_traits(),
        "roles": role_traits(schools, day),
        "classes": {"school": school},
        "enrollments": {"school": school, "subject": _SUBJECT, **dated_traits(day)},
    }


def _moves(rows: Moved, ends_early: int) -> Moves:
    """What moved of an entity; so many rows end early by what they hang on."""
    change, old = rows.delta.entities[rows.entity], rows.delta.old
    another, fates = int(np.count_nonzero(rows.another)), rows.fates
    if another:
        fates = np.concatenate([fates, rows.fates_elsewhere[rows.another]])
    return Moves(
        was=0 if old is None else old.counts[rows.entity],
        added=len(change.added) + another,
        changed=len(change.changed) - another,
        deactivated=int(np.count_nonzero(rows.off)) + ends_early,
        reactivated=int(np.count_nonzero(rows.on)),
        **{field: int(np.count_nonzero(fates == fate)) for field, fate in FATES.items()},
    )


def _count_at_schools(rows: Moved, ends_early: Positions, schools: Schools, tally: Tally) -> None:
    """Put what moved of an entity at its schools into the tally. What is at another school now, or
    about something else, is gone from the one and new at the other."""
    entity, changed = rows.entity, rows.delta.entities[rows.entity].changed
    for part in (rows.delta.old or Roster.empty()).coded(entity, ["schoolSourcedId"]):
        tally.add(entity, "was", by_text(part["schoolSourcedId"], schools.numbers))
    before, after = rows.before["school"], rows.after["school"]
    stays = (before == after) & ~rows.another
    tally.add(entity, "added", rows.came["school"])
    tally.add(entity, "added", after[~stays])
    for field, fate in FATES.items():
        tally.add(entity, field, rows.gone["school"][rows.fates == fate])
        tally.add(entity, field, before[~stays & (rows.fates_elsewhere == fate)])
    tally.add(entity, "changed", after[stays])
    tally.add(entity, "deactivated", after[stays & rows.off])
    tally.add(entity, "reactivated", after[stays & rows.on])
    here = np.setdiff1d(ends_early, changed[~stays], assume_unique=True)
    for block in rows.delta.new.select(entity, here, ["schoolSourcedId"]):
        tally.add(entity, "deactivated", schools.numbers(arrow(block["schoolSourcedId"])))


# ---- students of classes ----


def _students(roster: Roster, classes: KeySet) -> npt.NDArray[np.int64]:
    """How many enrollments as a student each class has."""
    found = np.zeros(len(classes), dtype=np.int64)
    for part in roster.coded("enrollments", ["classSourcedId", "role"]):
        at = by_text(part["classSourcedId"], lambda ids: classes.positions(hashed(ids)))
        at = at[by_text(part["role"], _as_student) & (at >= 0)]
        found += np.bincount(at, minlength=len(found))
    return found


def _lost(delta: Delta, day: date, left_out: Mapping[str, Mask] | None) -> Hashes:
    """The class of each student's enrollment that is lost to it."""
    endings = Endings(delta.old or Roster.empty(), day)
    rows = Moved(delta, "enrollments", endings, _SEATS, (left_out or {}).get("enrollments"))
    gone, before, after = rows.gone, rows.before, rows.after
    dropped = gone["student"] & (rows.fates == REMOVED)
    away = before["student"] & rows.another & (rows.fates_elsewhere == REMOVED)
    comes = KeySet(
        np.concatenate(
            [
                rows.came["user"][rows.came["student"]],
                after["user"][after["student"] & rows.another],
            ]
        )
    )
    lost = (
        side["class"][which & ~comes.contains(side["user"])]
        for side, which in ((gone, dropped), (before, away))
    )
    return np.concatenate([*lost])


def _as_student(roles: pa.LargeStringArray) -> Mask:
    return is_true(pc.equal(roles, "student"))


_SUBJECT: Final = Trait(
    ("classSourcedId", "userSourcedId", "role"),
    lambda rows: row_hashes(rows, ["classSourcedId", "userSourcedId", "role"]),
    of_changed=True,
)
"""Who is in which class as what: where it is another, one enrollment went and one came."""
_SEATS: Final[Traits] = {
    "subject": _SUBJECT,
    "class": Trait(("classSourcedId",), lambda rows: hashed(arrow(rows["classSourcedId"]))),
    "user": Trait(("userSourcedId",), lambda rows: hashed(arrow(rows["userSourcedId"]))),
    "student": Trait(("role",), lambda rows: _as_student(arrow(rows["role"]))),
}
