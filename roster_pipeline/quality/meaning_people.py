"""What people, their roles and their enrollments mean together."""

from collections.abc import Iterable
from typing import Final

import numpy as np

from roster_pipeline.oneroster.findings import Severity
from roster_pipeline.oneroster.rules import Layer, Source
from roster_pipeline.quality.meaning_classes import live
from roster_pipeline.quality.meaning_sessions import session_spans
from roster_pipeline.quality.view import EVER, Hashes, Mask, RosterView
from roster_pipeline.quality.whole_roles import ROLES, user_roles
from roster_pipeline.quality.whole_rules import Broken, WholeRule
from roster_pipeline.tables.keys import KeySet

_WARN: Final = Severity.WARN


def _enrolled(view: RosterView) -> Mask:
    """Who is in a class."""
    return view.marked("users", view.links("enrollments", "userSourcedId")[view.once(live)])


def _in_session(view: RosterView) -> bool:
    starts, ends = session_spans(view)
    return view.today is None or bool(((starts <= view.today) & (view.today < ends)).any())


def _without_enrollment(view: RosterView) -> Iterable[Broken]:
    if not _in_session(view):  # nobody is in a class then
        return
    student = view.is_word("roles", "role", "student") & _held(view)
    student &= view.is_word("roles", "roleType", "primary")
    wanted = view.marked("users", view.links("roles", "userSourcedId")[student])
    wanted &= view.is_word("users", "enabledUser", "true")
    yield Broken("users", None, np.flatnonzero(wanted & ~view.once(_enrolled)))


def _held(view: RosterView) -> Mask:
    """Which roles have not ended."""
    held: Mask = view.days("roles", "endDate") > (EVER if view.today is None else view.today)
    return held


def _without_role(view: RosterView) -> Iterable[Broken]:
    roles = view.once(user_roles)
    yield Broken("users", None, np.flatnonzero(roles == 0))


def _places(view: RosterView) -> Hashes:
    """For each role a number for its user and org."""
    users = view.links("roles", "userSourcedId").astype(np.uint64)
    return users * np.uint64(1 << 32) + view.links("roles", "orgSourcedId").astype(np.uint64)


def _without_primary(view: RosterView) -> Iterable[Broken]:
    held, primary = view.once(_held), view.is_word("roles", "roleType", "primary")
    others = np.flatnonzero(held & ~primary)
    places = view.once(_places)
    lonely = others[~KeySet(places[held & primary]).contains(places[others])]
    _, first = np.unique(places[lonely], return_index=True)
    yield Broken("roles", "roleType", np.sort(lonely[first]))


def _primary_org(view: RosterView) -> Iterable[Broken]:
    orgs, users = view.links("users", "primaryOrgSourcedId"), view.links("roles", "userSourcedId")
    there = np.append(orgs, -2)[users] == view.links("roles", "orgSourcedId")
    backed = view.marked("users", users[there])
    has_roles = view.once(user_roles) != 0
    yield Broken("users", "primaryOrgSourcedId", np.flatnonzero((orgs >= 0) & has_roles & ~backed))


def _disabled(view: RosterView) -> Iterable[Broken]:
    off = view.is_word("users", "enabledUser", "false")
    yield Broken("users", "enabledUser", np.flatnonzero(off & view.once(_enrolled)))


def _profile(view: RosterView) -> Iterable[Broken]:
    profiles = view.links("roles", "userProfileSourcedId")
    rows = np.flatnonzero(profiles >= 0)
    owners = view.links("userProfiles", "userSourcedId")[profiles[rows]]
    others = owners != view.links("roles", "userSourcedId")[rows]
    yield Broken("roles", "userProfileSourcedId", rows[others])


PEOPLE: Final = (
    WholeRule(
        code="user.without_role",
        layer=Layer.MEANING,
        severity=_WARN,
        message="the person has no role",
        why="Receivers cannot know whether this is a student or a teacher, nor of which school, "
        "and leave the person out.",
        fix="send a role for the person, or leave the person out",
        source=Source.PRACTICE,
        entities=("users", "roles"),
        columns=("userSourcedId",),
        may_be=(_WARN,),
        reads=ROLES,
        breaks=_without_role,
        absent_from="roles",
    ),
    WholeRule(
        code="user.without_primary",
        layer=Layer.MEANING,
        severity=_WARN,
        message="none of the person's roles at this org is primary",
        why="Receivers that take one role for each person and org take any of them, or none.",
        fix="let roleType be primary for one role of each person at each org",
        source=Source.PRACTICE,
        entities=("roles",),
        columns=("roleType",),
        may_be=(_WARN,),
        reads={"roles": ("userSourcedId", "orgSourcedId", "roleType", "endDate")},
        breaks=_without_primary,
        absent_from="roles",
    ),
    WholeRule(
        code="user.primary_org",
        layer=Layer.MEANING,
        severity=_WARN,
        message="the person has no role at the org that is said to be the primary one",
        why="Receivers put the person into a school where there is nothing for them to do.",
        fix="name an org at which the person has a role, or send the role",
        source=Source.PRACTICE,
        entities=("users", "roles"),
        columns=("primaryOrgSourcedId",),
        may_be=(_WARN,),
        reads={
            "users": ("primaryOrgSourcedId",),
            "roles": ("userSourcedId", "role", "orgSourcedId"),
        },
        breaks=_primary_org,
        absent_from="roles",
    ),
    WholeRule(
        code="role.profile",
        layer=Layer.MEANING,
        severity=_WARN,
        message="the role names a user profile that is another person's",
        why="The person would sign in to the vendor's system as somebody else.",
        fix="name a profile of the same person",
        source=Source.PRACTICE,
        entities=("roles", "userProfiles"),
        columns=("userProfileSourcedId",),
        may_be=(_WARN,),
        reads={
            "userProfiles": ("userSourcedId",),
            "roles": ("userSourcedId", "userProfileSourcedId"),
        },
        breaks=_profile,
    ),
    WholeRule(
        code="user.without_enrollment",
        layer=Layer.MEANING,
        severity=_WARN,
        message="the student is in no class",
        why="The student can sign in and finds nothing there.",
        fix="enroll the student, or set enabledUser to false if the student is not here",
        source=Source.PRACTICE,
        entities=("users", "enrollments"),
        columns=("userSourcedId", "endDate"),
        may_be=(_WARN,),
        reads={
            "academicSessions": ("startDate", "endDate"),
            "users": ("enabledUser",),
            "roles": ("userSourcedId", "role", "roleType", "endDate"),
            "enrollments": ("userSourcedId", "endDate"),
        },
        breaks=_without_enrollment,
        absent_from="enrollments",
    ),
    WholeRule(
        code="user.disabled",
        layer=Layer.MEANING,
        severity=_WARN,
        message="enabledUser is false, and the person is in a class",
        why="The class counts somebody who cannot get in.",
        fix="end the enrollments, or enable the person",
        source=Source.PRACTICE,
        entities=("users", "enrollments"),
        columns=("enabledUser",),
        may_be=(_WARN,),
        reads={"users": ("enabledUser",), "enrollments": ("userSourcedId", "endDate")},
        breaks=_disabled,
    ),
)
