"""What a scope names, found in a roster."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Final

from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.scoping.config import Courses, Scope
from roster_pipeline.oneroster.scoping.ids import (
    Ids,
    any_in,
    ids_of,
    is_in,
    items_of,
    lines,
    rows_where,
    texts,
    values,
)

_SHOWN: Final = 8
"""How many names a sentence lists."""
# CEDS Entry Grade Level, as OneRoster 1.1 names them: the one vocabulary that many sources share.
_GRADES: Final = frozenset(
    ["IT", "PR", "PK", "TK", "KG", *(f"{year:02}" for year in range(1, 14)), "PS", "UG", "Other"]
)
# The keys of a scope, together where one alone does not say what is taken.
_KEYS: Final = (("schools",), ("grades",), ("years", "terms"), ("roles",), ("courses",))
_KINDERGARTEN: Final = frozenset({"k", "kg", "kn", "0", "00"})


class ScopeError(Exception):
    """The scope names what the roster does not have: rather nothing than half a roster."""


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What is taken, by sourcedId; None where that does not matter."""

    schools: frozenset[str] | None = None
    """Schools, and the orgs below them."""
    students: Ids | None = None
    """Users who may be taken as students. With them come only those who have to do with them."""
    sessions: frozenset[str] | None = None
    """Sessions of which a class has at least one."""
    courses: Ids | None = None
    roles: frozenset[str] | None = None
    """Words of roles, which are no sourcedIds."""
    alone: bool = False
    """Whether nothing is wanted but what `students` need: no staff but that of their classes, no
    schools but theirs."""


def choose(roster: Roster, scope: Scope, *, strict: bool = True) -> Chosen:
    """What a scope takes of a roster. `ScopeError` names what the roster does not have; unless it
    is `strict`, that is passed over."""
    chosen = Chosen(
        schools=_below(roster, "orgs", scope.schools),
        students=None if scope.grades is None else _of_grades(roster, scope.grades),
        sessions=_sessions(roster, scope),
        courses=None if scope.courses is None else _coded(roster, scope.courses),
        roles=None if scope.roles is None else frozenset(scope.roles),
    )
    if strict:
        _require_known(roster, scope, chosen)
    return chosen


def of_names_known(roster: Roster, scope: Scope) -> Scope:
    """A scope without the keys that name what the roster does not have."""
    for keys in _KEYS:
        others = dict.fromkeys(set(Scope.model_fields).difference(keys))
        try:
            choose(roster, scope.model_copy(update=others))
        except ScopeError:
            scope = scope.model_copy(update=dict.fromkeys(keys))
    return scope


def _below(roster: Roster, entity: str, named: Iterable[str] | None) -> frozenset[str] | None:
    """The rows named and those below them."""
    if named is None:
        return None
    tops = set(named)
    return frozenset(
        row for row, line in lines(roster, entity).items() if not line.isdisjoint(tops)
    )


def _of_grades(roster: Roster, grades: Collection[str]) -> Ids:
    wanted = ids_of(grades)
    mask = rows_where(roster, "users", ["grades"], lambda users: any_in(users["grades"], wanted))
    return values(roster, "users", mask)


def _sessions(roster: Roster, scope: Scope) -> frozenset[str] | None:
    """The sessions of the years named and of the terms named, or those below these."""
    if scope.years is None and scope.terms is None:
        return None
    frame = roster.columns("academicSessions", ["sourcedId", "title", "schoolYear"])
    found = set(frame["sourcedId"])
    if scope.terms is not None:
        named = frame["sourcedId"].isin(scope.terms) | frame["title"].isin(scope.terms)
        found &= _below(roster, "academicSessions", frame["sourcedId"][named]) or set()
    if scope.years is not None:
        years = [str(year) for year in scope.years]
        found &= set(frame["sourcedId"][frame["schoolYear"].isin(years)])
    return frozenset(found)


def _coded(roster: Roster, courses: Courses) -> Ids:
    """The courses whose code fits the patterns; each code is asked once."""
    codes = texts(values(roster, "courses", None, "courseCode"))
    out = ids_of(code for code in codes if _fits(code, courses.exclude))
    take = ids_of(code for code in codes if _fits(code, courses.include))
    everything = "*" in courses.include
    return values(
        roster,
        "courses",
        rows_where(
            roster,
            "courses",
            ["courseCode"],
            lambda rows: (
                (is_in(rows["courseCode"], take) | everything) & ~is_in(rows["courseCode"], out)
            ),
        ),
    )


def _fits(code: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(code, pattern) for pattern in patterns)


# ---- what is not there ----


def _require_known(roster: Roster, scope: Scope, chosen: Chosen) -> None:
    require_schools(roster, scope.schools or (), "`scope.schools`")
    _require_sessions(roster, scope, chosen)
    if scope.grades is not None:
        _require_grades(scope.grades, texts(items_of(roster, "users", None, "grades")))
    if scope.roles is not None:
        _require_roles(scope.roles, texts(values(roster, "roles", None, "role")))
    if scope.courses is not None:
        codes = texts(values(roster, "courses", None, "courseCode"))
        patterns = [
            pattern
            for pattern in scope.courses.include
            if pattern != "*" and not _fits_any(pattern, codes)
        ]
        _say("`scope.courses`", patterns, "no course has such a courseCode", codes)


def _fits_any(pattern: str, codes: Sequence[str]) -> bool:
    return any(fnmatchcase(code, pattern) for code in codes)


def require_schools(roster: Roster, named: Iterable[str], where: str) -> None:
    """Everything named is the sourcedId of an org. `ScopeError` says `where` it was named; if that
    is the name of an org, its sourcedId is meant."""
    frame = roster.columns("orgs", ["sourcedId", "name"])
    known = dict(zip(frame["sourcedId"], frame["name"], strict=True))
    unknown = [one for one in named if one not in known]
    near = [org for org, name in known.items() if name in unknown]
    _say(where, unknown, "the orgs have no such sourcedId", list(known), near)


def _require_sessions(roster: Roster, scope: Scope, chosen: Chosen) -> None:
    frame = roster.columns("academicSessions", ["sourcedId", "title", "schoolYear"])
    years = sorted(set(frame["schoolYear"].dropna()))
    unknown = [str(year) for year in scope.years or () if str(year) not in years]
    _say("`scope.years`", unknown, "no academicSession has such a schoolYear", years, years[-2:])
    names = [*frame["title"].dropna().drop_duplicates(), *frame["sourcedId"]]
    missing = sorted(set(scope.terms or ()) - set(names))
    _say("`scope.terms`", missing, "no academicSession has such a sourcedId or title", names)
    if chosen.sessions is not None and not chosen.sessions:
        raise ScopeError(
            "`scope.terms` and `scope.years` have no academicSession in common; correct one of them"
        )


def _require_grades(grades: Iterable[str], known: Sequence[str]) -> None:
    """A grade that nobody is in this year is no mistake where it is one of the standard's, is not
    spelled otherwise in the roster, and another grade named has students."""
    missing = [grade for grade in grades if grade not in known]
    alike = {_plain(grade): grade for grade in known}
    near = [alike[_plain(grade)] for grade in missing if _plain(grade) in alike]
    if near or set(grades) == set(missing) or not _GRADES.issuperset(missing):
        _say("`scope.grades`", missing, "no user is in such a grade", sorted(known), near)


def _plain(grade: str) -> str:
    """A grade as it is spelled by nobody in particular."""
    plain = grade.casefold().removeprefix("grade").strip()
    return "k" if plain in _KINDERGARTEN else plain.lstrip("0")


def _require_roles(roles: Iterable[str], known: Sequence[str]) -> None:
    """A role of the standard that nobody has is no mistake where another one named is there."""
    missing = [role for role in roles if role not in known]
    if set(roles) == set(missing) or any(role.startswith("ext:") for role in missing):
        _say("`scope.roles`", missing, "nobody has such a role", sorted(known))


def _say(
    where: str, missing: Sequence[str], why: str, known: Sequence[str], near: Sequence[str] = ()
) -> None:
    """Raise a `ScopeError` that names what is missing and what may have been meant."""
    if not missing:
        return
    close = [*near, *(one for name in missing for one in get_close_matches(name, known, n=2))]
    said = f"{where} names {_listed(missing)}, and {why}."
    if close:
        said += f" Did you mean {_listed(list(dict.fromkeys(close)))}?"
    elif 0 < len(known) <= _SHOWN:
        said += f" There are {_listed(known)}."
    # What was typed just now is not to be mended by the district.
    other = "" if where.startswith("`--") else ", or have the roster sent again"
    raise ScopeError(f"{said} Correct it{other}.")


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more:,} more" if more > 0 else "")
