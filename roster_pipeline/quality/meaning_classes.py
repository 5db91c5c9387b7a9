"""What classes and enrollments mean together."""

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np

from roster_pipeline.oneroster.findings import Severity
from roster_pipeline.oneroster.rules import Layer, Source
from roster_pipeline.quality.collisions import enrolled
from roster_pipeline.quality.meaning_sessions import session_spans
from roster_pipeline.quality.overlaps import overlapping, repeated
from roster_pipeline.quality.view import EVER, NEVER, Days, Mask, RosterView
from roster_pipeline.quality.whole_roles import OWN, ROLES, STAFF, STUDENT, has, user_roles
from roster_pipeline.quality.whole_rules import Broken, WholeRule

_WARN: Final = Severity.WARN

_TERMS: Final = {"academicSessions": ("startDate", "endDate"), "classes": ("termSourcedIds",)}

ROLES_OF_ENROLLMENTS: Final[Mapping[str, np.uint16]] = {
    "student": STUDENT,
    "teacher": STAFF,
    "administrator": STAFF,
    "proctor": STAFF,
}
"""The roles of which a person enrolled as such has at least one."""


def class_spans(view: RosterView) -> tuple[Days, Days]:
    """The first day of each class's terms, and the first one after them."""
    starts, ends = session_spans(view)
    rows, links = view.items("classes", "termSourcedIds")
    rows, links = rows[links >= 0], links[links >= 0]
    first = np.full(view.rows("classes"), NEVER, dtype=np.int32)
    last = np.full(view.rows("classes"), EVER, dtype=np.int32)
    np.minimum.at(first, rows, starts[links])
    np.maximum.at(last, rows, ends[links])
    return first, last


def live(view: RosterView) -> Mask:
    """Which enrollments are not over and never empty: those that still mean something."""
    ends = view.days("enrollments", "endDate")
    lasting: Mask = ends > (EVER if view.today is None else view.today)
    return lasting


def _without(view: RosterView, role: str) -> Iterable[Broken]:
    theirs = view.once(live) & view.is_word("enrollments", "role", role)
    found = view.marked("classes", view.links("enrollments", "classSourcedId")[theirs])
    _, last = view.once(class_spans)
    goes_on = last > (EVER if view.today is None else view.today)
    yield Broken("classes", None, np.flatnonzero(~found & goes_on))


def _without_teacher(view: RosterView) -> Iterable[Broken]:
    return _without(view, "teacher")


def _without_student(view: RosterView) -> Iterable[Broken]:
    return _without(view, "student")


def _primary_teachers(view: RosterView) -> Iterable[Broken]:
    theirs = view.once(live) & view.is_word("enrollments", "role", "teacher")
    rows = np.flatnonzero(theirs & view.is_word("enrollments", "primary", "true"))
    classes = view.links("enrollments", "classSourcedId")[rows].astype(np.uint64)
    crowded = repeated(classes)
    rows, classes = rows[crowded], classes[crowded]
    begins, ends = (view.days("enrollments", name)[rows] for name in ("beginDate", "endDate"))
    # The same person twice is not two teachers.
    _, again = overlapping(enrolled(view, rows), begins, ends)
    rows, classes = rows[~again], classes[~again]
    both, _ = overlapping(classes, begins[~again], ends[~again])
    yield Broken("enrollments", "primary", rows[both])


def _of_school(view: RosterView, orgs: Days) -> Mask:
    """Which of some links point at a school."""
    schools = np.append(view.is_word("orgs", "type", "school"), False)
    found: Mask = schools[orgs]
    return found


def _course(view: RosterView) -> Iterable[Broken]:
    school = view.links("classes", "schoolSourcedId")
    home = np.append(view.links("courses", "orgSourcedId"), -1)
    of_course = home[view.links("classes", "courseSourcedId")]
    elsewhere = _of_school(view, of_course) & _of_school(view, school) & (of_course != school)
    yield Broken("classes", "courseSourcedId", np.flatnonzero(elsewhere))


def _school(view: RosterView) -> Iterable[Broken]:
    school = view.links("enrollments", "schoolSourcedId")
    home = np.append(view.links("classes", "schoolSourcedId"), -1)
    of_class = home[view.links("enrollments", "classSourcedId")]
    rows = np.flatnonzero(of_class != school)
    told = _of_school(view, of_class[rows]) & _of_school(view, school[rows])
    yield Broken("enrollments", "schoolSourcedId", rows[told])


def _outside_terms(view: RosterView) -> Iterable[Broken]:
    first, last = view.once(class_spans)
    classes = view.links("enrollments", "classSourcedId")
    begins, ends = (view.days("enrollments", name) for name in ("beginDate", "endDate"))
    starts, over = np.append(first, NEVER)[classes], np.append(last, EVER)[classes]
    judged = view.once(live) & (starts < over) & (begins < ends)
    early = judged & (((begins != EVER) & (begins < starts)) | (begins >= over))
    late = judged & ~early & (((ends != NEVER) & (ends > over)) | (ends <= starts))
    yield Broken("enrollments", "beginDate", np.flatnonzero(early))
    yield Broken("enrollments", "endDate", np.flatnonzero(late))


def _role(view: RosterView) -> Iterable[Broken]:
    roles = view.once(user_roles)
    # Nobody's user, no role at all, or one of the district's own: nothing to compare with.
    judged = np.append(has(roles, ~OWN) & ~has(roles, OWN), False)
    users = view.links("enrollments", "userSourcedId")
    wrong = np.zeros(len(users), dtype=np.bool_)
    for word, wanted in ROLES_OF_ENROLLMENTS.items():
        unfit = judged & ~np.append(has(roles, wanted), True)
        wrong |= view.is_word("enrollments", "role", word) & unfit[users]
    yield Broken("enrollments", "role", np.flatnonzero(wrong & view.once(live)))


CLASSES: Final = (
    WholeRule(
        code="class.course",
        layer=Layer.MEANING,
        severity=_WARN,
        message="the class's course belongs to another school",
        why="Receivers that keep courses by school do not find the course of the class.",
        fix="let the class refer to a course of its school or of the district",
        source=Source.PRACTICE,
        entities=("classes",),
        columns=("courseSourcedId", "schoolSourcedId"),
        may_be=(_WARN,),
        reads={
            "orgs": ("type",),
            "courses": ("orgSourcedId",),
            "classes": ("courseSourcedId", "schoolSourcedId"),
        },
        breaks=_course,
    ),
    WholeRule(
        code="class.without_teacher",
        layer=Layer.MEANING,
        severity=_WARN,
        message="nobody is enrolled in the class as its teacher",
        why="Nobody can see the class or set work in it.",
        fix="enroll the teacher, or leave the class out if it is not held",
        source=Source.PRACTICE,
        entities=("classes", "enrollments"),
        columns=("classSourcedId", "role", "endDate"),
        may_be=(_WARN,),
        reads={**_TERMS, "enrollments": ("classSourcedId", "role", "endDate")},
        breaks=_without_teacher,
        absent_from="enrollments",
    ),
    WholeRule(
        code="class.without_student",
        layer=Layer.MEANING,
        severity=_WARN,
        message="no student is enrolled in the class",
        why="Its students do not see it, or it is a class that is not held.",
        fix="enroll the students, or leave the class out if it is not held",
        source=Source.PRACTICE,
        entities=("classes", "enrollments"),
        columns=("classSourcedId", "role", "endDate"),
        may_be=(_WARN,),
        reads={**_TERMS, "enrollments": ("classSourcedId", "role", "endDate")},
        breaks=_without_student,
        absent_from="enrollments",
    ),
    WholeRule(
        code="class.primary_teachers",
        layer=Layer.MEANING,
        severity=_WARN,
        message="the class has another primary teacher at the same time",
        why="Receivers that know one owner of a class take either, and not always the same.",
        fix="let primary be true for one teacher of the class at a time",
        source=Source.PRACTICE,
        entities=("enrollments",),
        columns=("classSourcedId", "role", "primary", "beginDate", "endDate"),
        may_be=(_WARN,),
        reads={
            "enrollments": (
                "classSourcedId",
                "userSourcedId",
                "role",
                "primary",
                "beginDate",
                "endDate",
            )
        },
        breaks=_primary_teachers,
    ),
    WholeRule(
        code="enrollment.school",
        layer=Layer.MEANING,
        severity=_WARN,
        message="the enrollment names another school than its class",
        why="Receivers that read school by school get the person without the class, or the class "
        "without the person.",
        fix="name the school of the class",
        source=Source.PRACTICE,
        entities=("enrollments",),
        columns=("schoolSourcedId", "classSourcedId"),
        may_be=(_WARN,),
        reads={
            "orgs": ("type",),
            "classes": ("schoolSourcedId",),
            "enrollments": ("classSourcedId", "schoolSourcedId"),
        },
        breaks=_school,
    ),
    WholeRule(
        code="enrollment.outside_terms",
        layer=Layer.MEANING,
        severity=_WARN,
        message="the enrollment begins before or ends after the terms of its class",
        why="Outside of them there is no class to be in: one of the dates, or the class's term, is "
        "wrong.",
        fix="mend the dates, or the terms of the class; endDate is the first day after",
        source=Source.PRACTICE,
        entities=("enrollments",),
        columns=("beginDate", "endDate", "classSourcedId"),
        may_be=(_WARN,),
        reads={**_TERMS, "enrollments": ("classSourcedId", "beginDate", "endDate")},
        breaks=_outside_terms,
    ),
    WholeRule(
        code="enrollment.role",
        layer=Layer.MEANING,
        severity=_WARN,
        message="the person has no role that goes with this enrollment's: a student needs to be a "
        "student, a teacher, administrator or proctor a member of staff",
        why="Receivers make accounts by the person's role: a student would sit among the teachers, "
        "or see what only teachers may.",
        fix="mend the enrollment's role, or give the person the role that is missing",
        source=Source.PRACTICE,
        entities=("enrollments", "roles"),
        columns=("role", "userSourcedId"),
        may_be=(_WARN,),
        reads={**ROLES, "enrollments": ("userSourcedId", "role", "endDate")},
        breaks=_role,
    ),
)
