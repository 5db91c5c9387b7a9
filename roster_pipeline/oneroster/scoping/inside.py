"""Which rows of a roster are inside of what is chosen: one small rule after the other.

Each rule narrows what is taken of one entity by what was taken of others. What is taken refers to
nothing left out, but for the cells that `scope` blanks. Taking again what was taken leaves nothing
out: what a later scope leaves out of it is the later scope's doing.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd

from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.scoping.chosen import Chosen
from roster_pipeline.oneroster.scoping.ids import (
    NOBODY,
    Ids,
    Mask,
    any_in,
    ids_of,
    is_in,
    items_of,
    lines,
    rows_where,
    texts,
    union,
    values,
    without,
)
from roster_pipeline.oneroster.versions import items
from roster_pipeline.tables.text import arrow

_STUDENT: Final = ids_of(["student"])
_RELATIVES: Final = frozenset({"guardian", "parent", "relative"})
# Words of enrollments, and the words of roles that make somebody one of these.
_IN_CLASS: Final = {
    "student": ("student",),
    "teacher": ("teacher",),
    "proctor": ("proctor",),
    "administrator": (
        "districtAdministrator",
        "principal",
        "siteAdministrator",
        "systemAdministrator",
    ),
}


def lasting_longer(roster: Roster, chosen: Chosen) -> int:
    """How many classes are left out for no other reason than that they last longer than the
    sessions chosen: they have sessions above these."""
    if chosen.sessions is None:
        return 0
    above = lines(roster, "academicSessions")
    wider = chosen.sessions.union(*(above.get(one, ()) for one in chosen.sessions))
    if wider == chosen.sessions:
        return 0
    with_those = _Inside(roster, replace(chosen, sessions=wider)).classes
    without_them = _Inside(roster, chosen).classes
    if with_those is None or without_them is None:
        return 0
    return int((with_those & ~without_them).sum())


def inside(roster: Roster, chosen: Chosen) -> dict[str, Mask]:
    """Entity → which of its rows are inside; an entity that is not narrowed is not there."""
    rules = _Inside(roster, chosen)
    keep: dict[str, Mask | None] = {
        "orgs": rules.orgs,
        "academicSessions": rules.sessions,
        "courses": rules.courses,
        "classes": rules.classes,
        "users": rules.users,
        "userProfiles": rules.profiles,
        "roles": rules.roles,
        "demographics": rules.demographics,
        "enrollments": rules.enrollments,
    }
    return {entity: mask for entity, mask in keep.items() if mask is not None}


@dataclass(frozen=True)
class _Inside:
    """The rules. A mask is None where an entity is not narrowed."""

    roster: Roster
    chosen: Chosen

    # ---- classes and who is in them ----

    @cached_property
    def _classes_offered(self) -> Mask | None:
        """Classes of the schools, sessions and courses chosen, whoever is in them."""
        chosen = self.chosen
        wanted = {
            "schoolSourcedId": None if chosen.schools is None else ids_of(chosen.schools),
            "courseSourcedId": chosen.courses,
            "termSourcedIds": None if chosen.sessions is None else ids_of(chosen.sessions),
        }
        columns = {name: ids for name, ids in wanted.items() if ids is not None}
        if not columns:
            return None

        def offered(classes: pd.DataFrame) -> Mask:
            parts = [
                (any_in if name == "termSourcedIds" else is_in)(classes[name], ids)
                for name, ids in columns.items()
            ]
            fits: Mask = np.logical_and.reduce(parts)
            return fits

        return rows_where(self.roster, "classes", list(columns), offered)

    @cached_property
    def _seats_offered(self) -> Mask | None:
        """Enrollments in classes offered of people who may be taken."""
        classes = self._classes_offered
        if classes is None and self.chosen.students is None and self.chosen.roles is None:
            return None
        offered = None if classes is None else values(self.roster, "classes", classes)
        columns = ["classSourcedId", "userSourcedId", "role"]

        def fits(seats: pd.DataFrame) -> Mask:
            taken = ~is_in(seats["userSourcedId"], self._nobody_here)
            if offered is not None:
                taken &= is_in(seats["classSourcedId"], offered)
            if self.chosen.students is not None:
                others = ~is_in(seats["role"], _STUDENT)
                taken &= others | is_in(seats["userSourcedId"], self.chosen.students)
            for word, users in self._left_as.items():
                taken &= ~(
                    is_in(seats["role"], ids_of([word])) & is_in(seats["userSourcedId"], users)
                )
            return taken

        return rows_where(self.roster, "enrollments", columns, fits)

    @cached_property
    def classes(self) -> Mask | None:
        """Of the classes offered, where students are chosen, those that one of them is in."""
        if self.chosen.students is None or self._seats_offered is None:
            return self._classes_offered
        as_student = rows_where(
            self.roster, "enrollments", ["role"], lambda rows: is_in(rows["role"], _STUDENT)
        )
        seats = self._seats_offered & as_student
        theirs = values(self.roster, "enrollments", seats, "classSourcedId")
        return rows_where(
            self.roster, "classes", ["sourcedId"], lambda rows: is_in(rows["sourcedId"], theirs)
        )

    @cached_property
    def enrollments(self) -> Mask | None:
        """Seats of people who may be taken, in classes that are."""
        seats = self._seats_offered
        if seats is None or self.classes is None or self.chosen.students is None:
            return seats
        taken = values(self.roster, "classes", self.classes)
        return seats & rows_where(
            self.roster,
            "enrollments",
            ["classSourcedId"],
            lambda rows: is_in(rows["classSourcedId"], taken),
        )

    # ---- people ----

    @cached_property
    def _taken_words(self) -> Ids | None:
        """The words of roles that are taken."""
        return None if self.chosen.roles is None else ids_of(self.chosen.roles)

    @cached_property
    def _nobody_here(self) -> Ids:
        """People who have roles, and none that is taken."""
        if (words := self._taken_words) is None:
            return NOBODY
        taken = rows_where(self.roster, "roles", ["role"], lambda rows: is_in(rows["role"], words))
        everyone = values(self.roster, "roles", None, "userSourcedId")
        return without(everyone, values(self.roster, "roles", taken, "userSourcedId"))

    @cached_property
    def _left_as(self) -> dict[str, Ids]:
        """By word of enrollments the people who are that by a role left out."""
        if self.chosen.roles is None:
            return {}
        lost = {word: ids_of(set(roles) - self.chosen.roles) for word, roles in _IN_CLASS.items()}
        return {word: self._with_role(words) for word, words in lost.items() if len(words)}

    def _with_role(self, words: Ids, orgs: Ids | None = None) -> Ids:
        """The people with one of some roles, at one of some orgs or wherever."""
        columns = ["role", *([] if orgs is None else ["orgSourcedId"])]
        mask = rows_where(self.roster, "roles", columns, lambda rows: self._at(rows, words, orgs))
        return values(self.roster, "roles", mask, "userSourcedId")

    @cached_property
    def users(self) -> Mask | None:
        """Who has a role that is taken at a school chosen or is enrolled in a class taken, their
        agents, and the agents of these; but nobody who only studies, whom a brother's or sister's
        guardian names as well."""
        chosen = self.chosen
        if chosen.schools is None and chosen.students is None and chosen.roles is None:
            return None
        users = self.roster.columns("users", ["sourcedId", "agentSourcedIds"])
        ids, agents = users["sourcedId"], users["agentSourcedIds"]
        kept = is_in(ids, union(self._by_role, self._by_seat))
        may_come = self._may_come(ids)
        if chosen.students is not None:
            students = arrow(ids[kept & is_in(ids, chosen.students)])
            kept |= may_come & is_in(ids, self._relatives) & any_in(agents, students)
        new = kept
        while new.any():
            _, named = items(agents[new].reset_index(drop=True))
            new = is_in(ids, arrow(named)) & may_come & ~kept
            kept |= new
        return kept

    def _may_come(self, ids: pd.Series) -> Mask:
        """Who may come along as somebody's agent."""
        words = self.chosen.roles
        if words is not None and not any(w in _RELATIVES or w.startswith("ext:") for w in words):
            return np.zeros(len(ids), dtype=bool)
        # Roles elsewhere are not taken: who only studies without them would not come again.
        here = None if self.chosen.alone or self.org_ids is None else ids_of(self.org_ids)
        pupils = union(self._who_only_study(None), self._who_only_study(here))
        return ~is_in(ids, union(pupils, self._nobody_here))

    def _who_only_study(self, orgs: Ids | None) -> Ids:
        """Students who are nobody's relative, judged by their roles at some orgs or by all."""
        return without(self._with_role(_STUDENT, orgs), self._with_role(self._kin, orgs))

    @cached_property
    def _by_role(self) -> Ids:
        """The people whom a role at a school chosen brings in. Where students are chosen, teachers
        come by their classes and relatives by their children alone."""
        words, students = self._taken_words, self.chosen.students
        schools = None if self.chosen.schools is None else ids_of(self.chosen.schools)

        def fits(roles: pd.DataFrame) -> Mask:
            taken = self._at(roles, words, schools)
            if students is not None:
                studies = is_in(roles["role"], _STUDENT)
                staff = (
                    np.zeros(len(roles), dtype=bool) if self.chosen.alone else self._staff(roles)
                )
                taken &= staff | (studies & is_in(roles["userSourcedId"], students))
            return taken

        columns = ["userSourcedId", "role", "orgSourcedId"]
        mask = rows_where(self.roster, "roles", columns, fits)
        return values(self.roster, "roles", mask, "userSourcedId")

    @staticmethod
    def _staff(roles: pd.DataFrame) -> Mask:
        return ~is_in(roles["role"], ids_of({"student", "teacher"} | _RELATIVES))

    @staticmethod
    def _at(roles: pd.DataFrame, words: Ids | None, orgs: Ids | None) -> Mask:
        taken = np.ones(len(roles), dtype=bool)
        if words is not None:
            taken &= is_in(roles["role"], words)
        if orgs is not None:
            taken &= is_in(roles["orgSourcedId"], orgs)
        return taken

    @cached_property
    def _by_seat(self) -> Ids:
        if self.enrollments is None:
            return NOBODY
        return values(self.roster, "enrollments", self.enrollments, "userSourcedId")

    @cached_property
    def _kin(self) -> Ids:
        """The words of relatives that are taken."""
        return ids_of(_RELATIVES if self.chosen.roles is None else _RELATIVES & self.chosen.roles)

    @cached_property
    def _relatives(self) -> Ids:
        """Who has the role of a relative that is taken, at a school chosen."""
        schools = None if self.chosen.schools is None else ids_of(self.chosen.schools)
        return self._with_role(self._kin, schools)

    @cached_property
    def _people(self) -> Ids | None:
        return None if self.users is None else values(self.roster, "users", self.users)

    @cached_property
    def roles(self) -> Mask | None:
        """The roles taken of the people taken, at orgs that are."""
        if (people := self._people) is None:
            return None
        orgs = None if self.chosen.alone else self.org_ids
        at = None if orgs is None else ids_of(orgs)
        return rows_where(
            self.roster,
            "roles",
            ["userSourcedId", "role", "orgSourcedId"],
            lambda rows: (
                self._at(rows, self._taken_words, at) & is_in(rows["userSourcedId"], people)
            ),
        )

    @cached_property
    def profiles(self) -> Mask | None:
        """The profiles of the people taken."""
        return self._of_people("userProfiles", "userSourcedId")

    @cached_property
    def demographics(self) -> Mask | None:
        """The demographics of the people taken."""
        return self._of_people("demographics", "sourcedId")

    def _of_people(self, entity: str, column: str) -> Mask | None:
        if (people := self._people) is None:
            return None
        return rows_where(self.roster, entity, [column], lambda rows: is_in(rows[column], people))

    # ---- what classes need ----

    @cached_property
    def courses(self) -> Mask | None:
        """The courses of the classes taken; and those that no class uses, if nothing but schools
        and courses themselves is chosen, and an org taken owns them."""
        chosen = self.chosen
        if self.classes is None:
            return None
        used = values(self.roster, "classes", self.classes, "courseSourcedId")
        home = self._home if chosen.sessions is None and chosen.students is None else NOBODY

        def fits(courses: pd.DataFrame) -> Mask:
            owned = np.ones(len(courses), dtype=bool)
            if home is not None:
                owned = is_in(courses["orgSourcedId"], home)
            if chosen.courses is not None:
                owned &= is_in(courses["sourcedId"], chosen.courses)
            return owned | is_in(courses["sourcedId"], used)

        return rows_where(self.roster, "courses", ["sourcedId", "orgSourcedId"], fits)

    @cached_property
    def sessions(self) -> Mask | None:
        """The sessions chosen, those that classes and courses taken refer to, and those above: a
        class that lasts for two terms ends no sooner because one of them is chosen."""
        if self.chosen.sessions is None and not self.chosen.alone:
            return None
        used = union(
            items_of(self.roster, "classes", self.classes, "termSourcedIds"),
            values(self.roster, "courses", self.courses, "schoolYearSourcedId"),
        )
        found = set(texts(used)) | (self.chosen.sessions or frozenset())
        return self._with_those_above("academicSessions", found)

    @cached_property
    def _home(self) -> Ids | None:
        """The orgs chosen and those above."""
        schools = self.chosen.schools
        if schools is None:
            return None
        return ids_of(schools.union(*(self._org_lines.get(org, ()) for org in schools)))

    @cached_property
    def _org_lines(self) -> dict[str, set[str]]:
        return lines(self.roster, "orgs")

    @cached_property
    def org_ids(self) -> frozenset[str] | None:
        """The orgs taken: those chosen, those that own courses taken or that enrollments taken
        name, and those above; of a few students those that anything taken names."""
        if self.chosen.alone:
            found = self._named_orgs
        elif self._home is not None:
            owners = values(self.roster, "courses", self.courses, "orgSourcedId")
            homes = values(self.roster, "enrollments", self.enrollments, "schoolSourcedId")
            found = union(self._home, owners, homes)
        else:
            return None
        return frozenset().union(*(self._org_lines.get(org, set()) for org in texts(found)))

    @cached_property
    def _named_orgs(self) -> Ids:
        return union(
            values(self.roster, "roles", self.roles, "orgSourcedId"),
            values(self.roster, "classes", self.classes, "schoolSourcedId"),
            values(self.roster, "enrollments", self.enrollments, "schoolSourcedId"),
            values(self.roster, "courses", self.courses, "orgSourcedId"),
            values(self.roster, "users", self.users, "primaryOrgSourcedId"),
        )

    @cached_property
    def orgs(self) -> Mask | None:
        """The rows of `org_ids`."""
        return None if self.org_ids is None else self._with_those_above("orgs", set(self.org_ids))

    def _with_those_above(self, entity: str, found: set[str]) -> Mask:
        line = self._org_lines if entity == "orgs" else lines(self.roster, entity)
        kept = ids_of(set().union(*(line.get(row, set()) for row in found)))
        return rows_where(
            self.roster, entity, ["sourcedId"], lambda rows: is_in(rows["sourcedId"], kept)
        )
