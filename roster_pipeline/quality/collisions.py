"""Keys that collide: what should tell people and enrollments apart, and does not."""

from collections.abc import Iterable
from typing import Final

import numpy as np

from roster_pipeline.oneroster.findings import Severity
from roster_pipeline.oneroster.rules import Layer, Source
from roster_pipeline.quality.overlaps import overlapping, repeated
from roster_pipeline.quality.view import (
    EVER,
    Hashes,
    Mask,
    Positions,
    RosterView,
)
from roster_pipeline.quality.whole_roles import (
    ROLES,
    STUDENT,
    has,
    one_person,
    paired,
    signs_on,
    user_roles,
)
from roster_pipeline.quality.whole_rules import Broken, WholeRule

_WARN: Final = Severity.WARN


def _shared(keys: Hashes, among: Mask) -> Positions:
    """The rows whose key another row has too."""
    rows = np.flatnonzero(among & (keys != 0))
    return rows[repeated(keys[rows])]


def _same_person(view: RosterView) -> Iterable[Broken]:
    given, family = view.texts("users", "givenName"), view.texts("users", "familyName")
    born = np.full(view.rows("users") + 1, EVER, dtype=np.int64)
    # One more, for demographics of nobody.
    born[view.links("demographics", "sourcedId")] = view.days("demographics", "birthDate")
    known = (born[:-1] != EVER) & (given != 0) & (family != 0)
    named = paired(paired(given, family), born[:-1].astype(np.uint64))
    alike = _shared(one_person(view, named), known)
    yield Broken("users", None, alike)
    master = view.texts("users", "userMasterIdentifier")
    twice = _shared(one_person(view, master), master != 0)
    yield Broken("users", "userMasterIdentifier", np.setdiff1d(twice, alike, assume_unique=True))


def _identifier(view: RosterView) -> Iterable[Broken]:
    students = has(view.once(user_roles), STUDENT)
    yield Broken("users", "identifier", _shared(view.texts("users", "identifier"), students))


def _username(view: RosterView) -> Iterable[Broken]:
    names = view.texts("users", "username")
    yield Broken("users", "username", _shared(one_person(view, names), names != 0))


def _email(view: RosterView) -> Iterable[Broken]:
    emails = view.texts("users", "email")
    among = (emails != 0) & signs_on(view)
    yield Broken("users", "email", _shared(one_person(view, emails), among))


def _enrollment(view: RosterView) -> Iterable[Broken]:
    words = view.words("enrollments", "role").astype(np.uint64)
    both, _ = overlapping(
        paired(enrolled(view), words),
        view.days("enrollments", "beginDate"),
        view.days("enrollments", "endDate"),
    )
    yield Broken("enrollments", "userSourcedId", np.flatnonzero(both))


def enrolled(view: RosterView, rows: Positions | slice = slice(None)) -> Hashes:
    """For each of some enrollments a number for its class and user."""
    classes = view.links("enrollments", "classSourcedId")[rows].astype(np.uint64)
    users = view.links("enrollments", "userSourcedId")[rows].astype(np.uint64)
    return classes * np.uint64(1 << 32) + users


def _sso(view: RosterView) -> Iterable[Broken]:
    without = view.is_word("users", "enabledUser", "true") & signs_on(view)
    for column in _SIGN_ON:
        without &= view.texts("users", column) == 0
    yield Broken("users", "email", np.flatnonzero(without))


_SIGN_ON: Final = ("email", "userMasterIdentifier", "userIds")

COLLISIONS: Final = (
    WholeRule(
        code="key.same_person",
        layer=Layer.KEY,
        severity=_WARN,
        message="another row seems to be the same person",
        why="A person with two rows gets two accounts, and half of the classes in each.",
        fix="keep one row for the person and give it all roles; if they are two people who share "
        "name and birth date, nothing is to be done",
        source=Source.PRACTICE,
        entities=("users",),
        columns=("givenName", "familyName", "userMasterIdentifier"),
        may_be=(_WARN,),
        reads={
            **ROLES,
            "users": ("givenName", "familyName", "userMasterIdentifier"),
            "demographics": ("sourcedId", "birthDate"),
        },
        breaks=_same_person,
    ),
    WholeRule(
        code="key.identifier",
        layer=Layer.KEY,
        severity=_WARN,
        message="another student has the same identifier",
        why="Receivers that match students by their number mix the two up.",
        fix="give each student a number of their own",
        source=Source.PRACTICE,
        entities=("users",),
        columns=("identifier",),
        may_be=(_WARN,),
        reads={**ROLES, "users": ("identifier",)},
        breaks=_identifier,
    ),
    WholeRule(
        code="key.username",
        layer=Layer.KEY,
        severity=_WARN,
        message="another person has the same username",
        why="Only one of them can sign in, or one sees what is the other's. Upper and lower case "
        "make no difference to most systems.",
        fix="give each person a username of their own",
        source=Source.PRACTICE,
        entities=("users",),
        columns=("username",),
        may_be=(_WARN,),
        reads={**ROLES, "users": ("username",)},
        breaks=_username,
    ),
    WholeRule(
        code="key.email",
        layer=Layer.KEY,
        severity=_WARN,
        message="another student or member of staff has the same e-mail address",
        why="Where people sign in with their address, one of them gets the other's account. "
        "Guardians may share one.",
        fix="give each of them an address of their own, or leave the cell empty",
        source=Source.PRACTICE,
        entities=("users",),
        columns=("email",),
        may_be=(_WARN,),
        reads={**ROLES, "users": ("email",)},
        breaks=_email,
    ),
    WholeRule(
        code="key.enrollment",
        layer=Layer.KEY,
        severity=_WARN,
        message="the person is enrolled in this class twice, in the same role and at the same time",
        why="Receivers refuse the second row, or take the person out of the class when one of the "
        "two ends.",
        fix="send one enrollment for each person, class, role and span of days",
        source=Source.PRACTICE,
        entities=("enrollments",),
        columns=("classSourcedId", "userSourcedId", "role", "beginDate", "endDate"),
        may_be=(_WARN,),
        reads={
            "enrollments": ("classSourcedId", "userSourcedId", "role", "beginDate", "endDate"),
        },
        breaks=_enrollment,
    ),
    WholeRule(
        code="key.sso_identifier",
        layer=Layer.KEY,
        severity=_WARN,
        message="nothing but the username tells who this is when they sign in: "
        "email, userMasterIdentifier and userIds are empty",
        why="Single sign-on knows people by an address or an id of the directory; without one, the "
        "person cannot get in, or is matched by a name that may change hands.",
        fix="fill in email, userMasterIdentifier or userIds",
        source=Source.PRACTICE,
        entities=("users",),
        columns=_SIGN_ON,
        may_be=(_WARN,),
        reads={**ROLES, "users": ("enabledUser", *_SIGN_ON)},
        breaks=_sso,
    ),
)
