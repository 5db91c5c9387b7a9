"""What moved, counted by entity, kind of people and school."""

import tempfile
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roster_pipeline.guards import hanging
from roster_pipeline.guards.facts import AT_SCHOOL, PEOPLE, Moves, Share, Shift
from roster_pipeline.guards.kinds import KINDS
from roster_pipeline.guards.moves import count_moves, emptied_classes, schools_removed
from roster_pipeline.oneroster import delta as delta_module
from roster_pipeline.oneroster.delta import Delta, diff
from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.oneroster.roster import Roster
from tests.examples import examples
from tests.oneroster.strategies import frame_of, stored

DAY = date(2027, 1, 15)
YESTERDAY, TOMORROW, IN_30_DAYS = "2027-01-14", "2027-01-16", "2027-02-14"
Row = dict[str, str | None]
Tables = dict[str, list[Row]]

ORGS: list[Row] = [
    {"sourcedId": "d", "name": "Springfield", "type": "district"},
    {"sourcedId": "a", "name": "Evergreen", "type": "school"},
    {"sourcedId": "b", "name": "Hillside", "type": "school"},
]


def user(key: str, **cells: str) -> Row:
    return {"sourcedId": key, "enabledUser": "true", **cells}


def role(key: str, who: str, word: str, org: str, **cells: str | None) -> Row:
    return {"sourcedId": key, "userSourcedId": who, "role": word, "orgSourcedId": org, **cells}


def seat(key: str, class_: str, who: str = "u", school: str = "a", **cells: str | None) -> Row:
    return {
        "sourcedId": key,
        "classSourcedId": class_,
        "schoolSourcedId": school,
        "userSourcedId": who,
        "role": "student",
        **cells,
    }


def written(tables: Mapping[str, list[Row]], folder: Path) -> Roster:
    return stored({entity: frame_of(entity, rows) for entity, rows in tables.items()}, folder)


Between = Callable[[Tables, Tables], Delta]


@pytest.fixture
def between(tmp_path: Path) -> Between:
    """Makes the difference of two days, each given by its tables; orgs are the same."""

    def made(old: Tables, new: Tables) -> Delta:
        before = written({"orgs": ORGS, **old}, tmp_path / "old")
        return diff(before, written({"orgs": ORGS, **new}, tmp_path / "new"))

    return made


def numbers(shift: Shift) -> dict[str, dict[str, dict[str, int]]]:
    """What moved at each school."""
    return {
        school: {what: moves.to_json() for what, moves in of.items()}
        for school, of in shift.schools.items()
    }


def people(shift: Shift) -> dict[str, dict[str, int]]:
    return {kind: moves.to_json() for kind, moves in shift.people.items()}


# ---- entities ----


def test_every_entity_is_counted_also_where_nothing_moved(between: Between) -> None:
    shift = count_moves(between({"users": [user("u")]}, {"users": [user("u")]}), DAY)

    assert list(shift.entities) == list(ENTITIES)
    assert shift.entities["users"] == Moves(was=1)
    assert shift.entities["orgs"] == Moves(was=3)
    assert (shift.people, shift.schools, shift.school_names) == ({}, {}, {})


def test_rows_are_added_changed_and_removed(between: Between) -> None:
    old = [user("u"), user("v"), user("w")]
    new = [user("u", email="u@example.org"), user("w"), user("x"), user("y")]

    shift = count_moves(between({"users": old}, {"users": new}), DAY)

    assert shift.entities["users"] == Moves(was=3, added=2, changed=1, removed=1)


def test_rows_of_which_nothing_but_their_number_is_told_change_too(between: Between) -> None:
    old: Tables = {"userProfiles": [{"sourcedId": "p", "vendorId": "one"}], "orgs": ORGS}
    new: Tables = {"userProfiles": [{"sourcedId": "p", "vendorId": "two"}], "orgs": ORGS[1:]}

    shift = count_moves(between(old, new), DAY)

    assert shift.entities["userProfiles"] == Moves(was=1, changed=1)
    assert shift.entities["orgs"] == Moves(was=3, removed=1)


def test_on_a_first_sync_everything_is_added(tmp_path: Path) -> None:
    tables: Tables = {
        "orgs": ORGS,
        "users": [user("u")],
        "roles": [role("r", "u", "student", "a")],
        "classes": [{"sourcedId": "c", "schoolSourcedId": "a"}],
    }

    shift = count_moves(diff(None, written(tables, tmp_path)), DAY)

    assert shift.entities["users"] == Moves(added=1)
    assert people(shift) == {"students": {"added": 1}}
    assert numbers(shift) == {"a": {"students": {"added": 1}, "classes": {"added": 1}}}
    assert shift.school_names == {"a": "Evergreen"}


def test_what_was_over_is_ended_and_not_removed(between: Between) -> None:
    old = [seat("past", "c", endDate=str(DAY)), seat("open", "c"), seat("on", "c", "v")]

    shift = count_moves(between({"enrollments": old}, {"enrollments": old[2:]}), DAY)

    assert shift.entities["enrollments"] == Moves(was=3, removed=1, ended=1)
    assert numbers(shift) == {"a": {"enrollments": {"was": 3, "removed": 1, "ended": 1}}}


def test_what_the_scope_leaves_out_is_descoped_even_when_it_was_over(between: Between) -> None:
    old = [seat("past", "c", endDate=YESTERDAY), seat("open", "c"), seat("other", "c")]
    left_out = {"enrollments": np.array([True, True, False])}

    delta = between({"enrollments": old}, {"enrollments": []})
    shift = count_moves(delta, DAY, left_out)

    assert shift.entities["enrollments"] == Moves(was=3, removed=1, descoped=2)
    assert numbers(shift) == {"a": {"enrollments": {"was": 3, "removed": 1, "descoped": 2}}}


@pytest.mark.parametrize(
    ("before", "after", "became"),
    [
        ({}, {"endDate": str(DAY)}, {"deactivated": 1}),
        ({"endDate": TOMORROW}, {"endDate": YESTERDAY}, {"deactivated": 1}),
        ({}, {"beginDate": TOMORROW}, {"deactivated": 1}),
        ({"endDate": str(DAY)}, {}, {"reactivated": 1}),
        # Over on that day either way, or never.
        ({"endDate": str(DAY)}, {"endDate": YESTERDAY}, {}),
        ({}, {"beginDate": YESTERDAY}, {}),
        # As good as over: an end that is soon, and sooner than it was.
        ({}, {"endDate": TOMORROW}, {"deactivated": 1}),
        ({"endDate": "2027-02-15"}, {"endDate": IN_30_DAYS}, {"deactivated": 1}),
        ({}, {"endDate": "2027-02-15"}, {}),
        ({"endDate": TOMORROW}, {"endDate": IN_30_DAYS}, {}),
        ({"beginDate": TOMORROW}, {"beginDate": TOMORROW, "endDate": "2027-01-17"}, {}),
        ({"endDate": "June"}, {"endDate": "2027-1-1"}, {}),
    ],
)
@pytest.mark.parametrize("entity", ["enrollments", "roles"])
def test_dates_that_are_moved_deactivate_and_reactivate(
    entity: str, before: Row, after: Row, became: dict[str, int], between: Between
) -> None:
    made = role("r", "u", "student", "a") if entity == "roles" else seat("e", "c")

    shift = count_moves(between({entity: [made | before]}, {entity: [made | after]}), DAY)

    what = "students" if entity == "roles" else "enrollments"
    assert shift.entities[entity].to_json() == {"was": 1, "changed": 1, **became}
    assert numbers(shift) == {"a": {what: {"was": 1, "changed": 1, **became}}}


@pytest.mark.parametrize(
    ("before", "after", "became"),
    [
        (("2026-08-01", "2027-06-01"), ("2026-08-01", str(DAY)), {"deactivated": 1}),
        (("2026-08-01", "2027-06-01"), ("2026-08-01", IN_30_DAYS), {"deactivated": 1}),
        (("2026-08-01", "2027-06-01"), (TOMORROW, "2027-06-01"), {"deactivated": 1}),
        (("2026-08-01", "2027-06-01"), ("2026-08-01", "2027-05-28"), {}),
        (("2026-08-01", YESTERDAY), ("2026-08-01", "2026-12-01"), {}),
        ((TOMORROW, "2027-06-01"), (TOMORROW, IN_30_DAYS), {}),
        ((TOMORROW, "2027-06-01"), (YESTERDAY, "2027-06-01"), {"reactivated": 1}),
    ],
)
def test_a_session_that_runs_is_deactivated_by_another_beginning_or_an_end_that_is_soon(
    before: tuple[str, str], after: tuple[str, str], became: dict[str, int], between: Between
) -> None:
    days: list[Tables] = [
        {"academicSessions": [{"sourcedId": "t", "startDate": start, "endDate": end}]}
        for start, end in (before, after)
    ]

    shift = count_moves(between(*days), DAY)

    assert shift.entities["academicSessions"].to_json() == {"was": 1, "changed": 1, **became}


# ---- what hangs on a session ----

SESSIONS: list[Row] = [
    {"sourcedId": "past", "endDate": YESTERDAY},
    {"sourcedId": "now", "endDate": "2027-06-01"},
    {"sourcedId": "next", "endDate": "2028-06-01"},
]
"""Those that a class may be in."""


def taught(sessions: list[Row], *terms: str | None, school: str = "a") -> Tables:
    """A course of `now`, a class for each list of terms, and of each two enrollments."""
    classes: list[Row] = [
        {"sourcedId": f"c{n}", "termSourcedIds": term, "schoolSourcedId": school,
         "courseSourcedId": "course"}
        for n, term in enumerate(terms)
    ]  # fmt: skip
    return {
        "academicSessions": sessions,
        "courses": [{"sourcedId": "course", "schoolYearSourcedId": "now"}],
        "classes": classes,
        "enrollments": [
            seat(f"e{n}-{who}", f"c{n}", who, school) for n in range(len(terms)) for who in "uv"
        ],
    }


def ending(sourced_id: str, day: str) -> list[Row]:
    """The sessions, one of them with another end."""
    return [row | {"endDate": day} if row["sourcedId"] == sourced_id else row for row in SESSIONS]


def off(shift: Shift) -> dict[str, int]:
    """Of each entity how many are deactivated, if any."""
    return {name: moves.deactivated for name, moves in shift.entities.items() if moves.deactivated}


@pytest.mark.parametrize("end", [YESTERDAY, str(DAY), TOMORROW, IN_30_DAYS])
@pytest.mark.parametrize("term", ["now", "past,now", None])
def test_a_session_that_ends_early_takes_courses_classes_and_enrollments_along(
    end: str, term: str | None, between: Between
) -> None:
    old = taught(SESSIONS, term, "next", "past")

    shift = count_moves(between(old, taught(ending("now", end), term, "next", "past")), DAY)

    assert shift.entities["classes"] == Moves(was=3, deactivated=1)
    assert shift.entities["courses"] == Moves(was=1, deactivated=1)
    assert shift.entities["enrollments"] == Moves(was=6, deactivated=2)
    assert numbers(shift) == {
        "a": {
            "classes": {"was": 3, "deactivated": 1},
            "enrollments": {"was": 6, "deactivated": 2},
        }
    }


@pytest.mark.parametrize("end", ["2027-05-28", "2027-07-01"])
def test_an_end_that_is_far_takes_nothing_along(end: str, between: Between) -> None:
    shift = count_moves(between(taught(SESSIONS, "now"), taught(ending("now", end), "now")), DAY)

    assert off(shift) == {}


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        ("now", "past", True),
        ("now,next", "past", True),
        ("next", "now,past", False),
        ("past", "past,past", False),
        (None, "past", True),
        ("past", None, False),
        ("elsewhere", "past", True),
        ("past", "elsewhere", False),
    ],
)
def test_a_class_that_is_put_into_an_old_term_is_deactivated_with_its_enrollments(
    before: str | None, after: str | None, lost: bool, between: Between
) -> None:
    shift = count_moves(between(taught(SESSIONS, before), taught(SESSIONS, after)), DAY)

    assert off(shift) == ({"classes": 1, "enrollments": 2} if lost else {})
    assert shift.entities["classes"].changed == 1
    assert shift.entities["enrollments"].changed == 0


def test_a_course_of_an_old_year_ends_the_classes_that_have_no_term(between: Between) -> None:
    old, new = taught(SESSIONS, None, "now"), taught(SESSIONS, None, "now")
    new["courses"] = [{"sourcedId": "course", "schoolYearSourcedId": "past"}]

    assert off(count_moves(between(old, new), DAY)) == {
        "courses": 1,
        "classes": 1,
        "enrollments": 2,
    }


def test_enrollments_over_or_to_come_and_new_ones_are_not_deactivated_with_their_class(
    between: Between,
) -> None:
    old, new = taught(SESSIONS, "now"), taught(ending("now", YESTERDAY), "now")
    both = [seat("over", "c0", endDate=YESTERDAY), seat("later", "c0", beginDate=TOMORROW)]
    old["enrollments"] = [*both, seat("e", "c0"), seat("own", "c0"), seat("other", "x")]
    new["enrollments"] = [
        *both,
        seat("e", "c0", primary="true"),
        seat("own", "c0", endDate=YESTERDAY),
        seat("other", "c0"),
        seat("new", "c0"),
    ]

    shift = count_moves(between(old, new), DAY)

    assert shift.entities["enrollments"] == Moves(
        was=5, added=2, changed=2, removed=1, deactivated=2
    )


def test_what_is_at_another_school_as_well_is_deactivated_in_the_district_only(
    between: Between,
) -> None:
    old, new = taught(SESSIONS, "now"), taught(ending("now", YESTERDAY), "now", school="b")

    shift = count_moves(between(old, new), DAY)

    assert off(shift) == {"academicSessions": 1, "courses": 1, "classes": 1, "enrollments": 2}
    assert numbers(shift) == {
        "a": {
            "classes": {"was": 1, "removed": 1},
            "enrollments": {"was": 2, "removed": 2},
        },
        "b": {"classes": {"added": 1}, "enrollments": {"added": 2}},
    }


def test_on_a_day_on_which_no_session_moves_nothing_is_asked_of_all_classes(
    between: Between, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = taught(SESSIONS, "now"), taught(SESSIONS, "now")
    new["academicSessions"] = [row | {"title": "Again"} for row in SESSIONS]
    new["classes"] = [row | {"title": "Again"} for row in new["classes"]]
    monkeypatch.delattr(hanging, "_earlier")

    assert off(count_moves(between(old, new), DAY)) == {}


# ---- enrollments that say something else ----


@pytest.mark.parametrize(
    "cells", [{"classSourcedId": "x"}, {"userSourcedId": "v"}, {"role": "teacher"}]
)
def test_an_enrollment_about_something_else_is_one_removed_and_one_added(
    cells: Row, between: Between
) -> None:
    old, new = seat("e", "c"), seat("e", "c") | cells

    shift = count_moves(between({"enrollments": [old]}, {"enrollments": [new]}), DAY)

    assert shift.entities["enrollments"] == Moves(was=1, added=1, removed=1)
    assert numbers(shift) == {"a": {"enrollments": {"was": 1, "added": 1, "removed": 1}}}


def test_one_that_was_over_is_ended_and_neither_deactivated_nor_reactivated(
    between: Between,
) -> None:
    old = [seat("e", "c", endDate=YESTERDAY), seat("f", "c")]
    new = [seat("e", "x"), seat("f", "x", endDate=YESTERDAY)]

    shift = count_moves(between({"enrollments": old}, {"enrollments": new}), DAY)

    moves = Moves(was=2, added=2, removed=1, ended=1)
    assert shift.entities["enrollments"] == moves
    assert numbers(shift) == {"a": {"enrollments": moves.to_json()}}


# ---- people ----


def test_every_role_of_the_standard_belongs_to_a_kind() -> None:
    assert {word for word, kind in KINDS.items() if kind == "students"} == {"student"}
    assert {word for word, kind in KINDS.items() if kind == "teachers"} == {"teacher"}
    kin = {word for word, kind in KINDS.items() if kind == "relatives"}
    assert kin == {"guardian", "parent", "relative"}
    assert set(KINDS.values()) == set(PEOPLE)


def test_people_are_counted_by_kind_once_in_the_district_and_once_a_school(
    between: Between,
) -> None:
    new = [
        role("1", "u", "student", "a"),
        role("2", "u", "student", "a"),
        role("3", "u", "student", "b"),
        role("4", "v", "teacher", "a"),
        role("5", "v", "parent", "a"),
        role("6", "w", "ext:driver", "d"),
    ]

    shift = count_moves(between({}, {"roles": new}), DAY)

    assert people(shift) == {kind: {"added": 1} for kind in PEOPLE}
    assert numbers(shift) == {
        "a": {kind: {"added": 1} for kind in ("students", "teachers", "relatives")},
        "b": {"students": {"added": 1}},
        "d": {"staff": {"added": 1}},
    }


def test_somebody_stays_until_the_last_role_is_lost(between: Between) -> None:
    old = [
        role("1", "u", "student", "a"),
        role("2", "u", "student", "a"),
        role("3", "v", "student", "a"),
        role("4", "v", "student", "b"),
        role("5", "w", "student", "a"),
    ]

    shift = count_moves(between({"roles": old}, {"roles": [old[0], old[3]]}), DAY)

    assert numbers(shift) == {"a": {"students": {"was": 3, "changed": 1, "removed": 2}}}
    assert people(shift) == {"students": {"was": 3, "changed": 2, "removed": 1}}


def test_a_role_at_another_school_leaves_the_one_and_comes_to_the_other(between: Between) -> None:
    shift = count_moves(
        between(
            {"roles": [role("r", "u", "student", "a")]}, {"roles": [role("r", "u", "student", "b")]}
        ),
        DAY,
    )

    assert numbers(shift) == {
        "a": {"students": {"was": 1, "removed": 1}},
        "b": {"students": {"added": 1}},
    }
    assert people(shift) == {"students": {"was": 1, "changed": 1}}
    assert shift.school_names == {"a": "Evergreen", "b": "Hillside"}


def test_a_student_who_becomes_a_teacher_is_lost_to_the_one_kind(between: Between) -> None:
    delta = between(
        {"roles": [role("r", "u", "student", "a")]}, {"roles": [role("r", "u", "teacher", "a")]}
    )

    assert people(count_moves(delta, DAY)) == {
        "students": {"was": 1, "removed": 1},
        "teachers": {"added": 1},
    }


@pytest.mark.parametrize(
    ("ends", "left_out", "became"),
    [
        ([YESTERDAY, YESTERDAY], [False, False], "ended"),
        ([YESTERDAY, None], [False, False], "removed"),
        ([YESTERDAY, None], [False, True], "descoped"),
        ([None, None], [True, False], "removed"),
    ],
)
def test_of_several_roles_lost_the_worst_fate_counts(
    ends: list[str | None], left_out: list[bool], became: str, between: Between
) -> None:
    old = [role(str(n), "u", "student", "a", endDate=end) for n, end in enumerate(ends)]

    delta = between({"roles": old}, {"roles": []})
    shift = count_moves(delta, DAY, {"roles": np.array(left_out)})

    assert numbers(shift) == {"a": {"students": {"was": 1, became: 1}}}
    assert people(shift) == {"students": {"was": 1, became: 1}}


def test_a_disabled_user_is_deactivated_in_every_role(between: Between) -> None:
    roles = [role("1", "u", "teacher", "a"), role("2", "u", "parent", "b")]
    off = user("u", enabledUser="false")
    one = between({"users": [user("u")], "roles": roles}, {"users": [off], "roles": roles})

    shift = count_moves(one, DAY)

    gone = {"was": 1, "changed": 1, "deactivated": 1}
    assert people(shift) == {"teachers": gone, "relatives": gone}
    assert numbers(shift) == {"a": {"teachers": gone}, "b": {"relatives": gone}}
    assert shift.entities["users"].to_json() == gone


def test_an_enabled_user_is_reactivated(between: Between) -> None:
    roles = [role("1", "u", "student", "a")]
    off = user("u", enabledUser="false")
    delta = between({"users": [off], "roles": roles}, {"users": [user("u")], "roles": roles})

    assert people(count_moves(delta, DAY)) == {
        "students": {"was": 1, "changed": 1, "reactivated": 1}
    }


def test_nobody_is_deactivated_who_has_another_role_in_force(between: Between) -> None:
    old = [role("1", "u", "student", "a"), role("2", "u", "student", "b")]
    new = [{**old[0], "endDate": YESTERDAY}, old[1]]

    shift = count_moves(between({"roles": old}, {"roles": new}), DAY)

    assert people(shift) == {"students": {"was": 1, "changed": 1}}
    assert numbers(shift) == {"a": {"students": {"was": 1, "changed": 1, "deactivated": 1}}}


# ---- schools ----


def test_only_schools_and_kinds_that_moved_are_named(between: Between) -> None:
    staying = [seat("1", "c"), seat("2", "x", school="b")]

    shift = count_moves(
        between({"enrollments": staying}, {"enrollments": [*staying, seat("3", "c")]}), DAY
    )

    assert numbers(shift) == {"a": {"enrollments": {"was": 1, "added": 1}}}
    assert shift.school_names == {"a": "Evergreen"}


@pytest.mark.parametrize("entity", ["classes", "enrollments"])
def test_a_row_at_another_school_is_removed_there_and_changed_in_all(
    entity: str, between: Between
) -> None:
    days: list[Tables] = [
        {entity: [{"sourcedId": "x", "schoolSourcedId": school}]} for school in "ab"
    ]

    shift = count_moves(between(*days), DAY)

    assert numbers(shift) == {
        "a": {entity: {"was": 1, "removed": 1}},
        "b": {entity: {"added": 1}},
    }
    assert shift.entities[entity] == Moves(was=1, changed=1)


def test_a_row_that_was_over_is_ended_where_it_was_when_it_comes_elsewhere(
    between: Between,
) -> None:
    old, new = seat("e", "c", endDate=YESTERDAY), seat("e", "c", school="b")

    shift = count_moves(between({"enrollments": [old]}, {"enrollments": [new]}), DAY)

    assert numbers(shift) == {
        "a": {"enrollments": {"was": 1, "ended": 1}},
        "b": {"enrollments": {"added": 1}},
    }


@pytest.mark.parametrize("most_kept", [-1, 1000])
def test_rows_in_another_order_are_still_compared_with_what_they_were(
    most_kept: int, between: Between, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delta_module, "_MOST_KEPT", most_kept)
    old = [seat("1", "c"), seat("2", "c", school="b"), seat("3", "c", school="d")]
    new = [row | {"primary": "true"} for row in [old[2], old[0], old[1]]]

    shift = count_moves(between({"enrollments": old}, {"enrollments": new}), DAY)

    changed = {"enrollments": {"was": 1, "changed": 1}}
    assert numbers(shift) == {"a": changed, "b": changed, "d": changed}


def test_a_school_that_goes_is_named_with_its_students_and_teachers(tmp_path: Path) -> None:
    roles = [
        role("1", "u", "student", "a"),
        role("2", "u", "student", "a"),
        role("3", "u", "teacher", "a"),
        role("4", "v", "parent", "a"),
        role("5", "v", "student", "b"),
    ]
    empty: Row = {"sourcedId": "c", "name": "Not Open Yet", "type": "school"}
    office: Row = {"sourcedId": "o", "name": "Office", "type": "department"}
    old = written({"orgs": [*ORGS, empty, office], "roles": roles}, tmp_path / "old")
    new = written({"orgs": [ORGS[0], ORGS[2]], "roles": roles[4:]}, tmp_path / "new")

    counts, names = schools_removed(diff(old, new))

    assert counts == {"a": 2, "c": 0}
    assert names == {"a": "Evergreen", "c": "Not Open Yet"}
    without_a = np.array([False, True, False, False, False])
    assert schools_removed(diff(old, new), {"orgs": without_a})[0] == {"c": 0}
    assert schools_removed(diff(None, new)) == ({}, {})
    assert schools_removed(diff(old, old)) == ({}, {})


# ---- classes that are emptied ----

CLASSES: list[Row] = [{"sourcedId": "c"}, {"sourcedId": "x"}]


def emptied(
    between: Between, old: list[Row], new: list[Row], left: list[Row] | None = None
) -> Share:
    """The classes that are emptied when enrollments become others, and all classes stay."""
    old_day: Tables = {"classes": CLASSES, "enrollments": old}
    new_day: Tables = {"classes": CLASSES if left is None else left, "enrollments": new}
    return emptied_classes(between(old_day, new_day), DAY)


def seats(count: int, class_: str = "c", **cells: str | None) -> list[Row]:
    return [seat(f"{class_}{n}", class_, f"u{n}") | cells for n in range(count)]


def test_a_class_is_emptied_by_the_loss_of_more_than_half(between: Between) -> None:
    old = seats(6) + seats(6, "x")

    assert emptied(between, old, old[4:6] + old[9:]) == Share(affected=1, of=2)


def test_a_class_of_four_does_not_count(between: Between) -> None:
    assert emptied(between, seats(4), []) == Share(affected=0, of=0)


def test_a_class_of_five_does(between: Between) -> None:
    assert emptied(between, seats(5), seats(2)) == Share(affected=1, of=1)


def test_a_class_that_goes_itself_is_not_emptied(between: Between) -> None:
    assert emptied(between, seats(6), [], left=CLASSES[1:]) == Share(affected=0, of=1)


def test_students_whose_enrollment_is_over_are_not_lost(between: Between) -> None:
    assert emptied(between, seats(6, endDate=YESTERDAY), []) == Share(affected=0, of=1)


def test_teachers_do_not_fill_a_class(between: Between) -> None:
    assert emptied(between, seats(6, role="teacher"), []) == Share(affected=0, of=0)


def test_teachers_who_go_empty_no_class(between: Between) -> None:
    teachers = [seat(f"t{n}", "c", f"t{n}") | {"role": "teacher"} for n in range(4)]

    assert emptied(between, seats(6) + teachers, seats(6)) == Share(affected=0, of=1)


def test_a_student_who_comes_back_as_a_teacher_is_lost(between: Between) -> None:
    again = [{**row, "sourcedId": f"t{n}", "role": "teacher"} for n, row in enumerate(seats(6))]

    assert emptied(between, seats(6), again) == Share(affected=1, of=1)


def test_who_was_over_and_moves_to_another_class_is_not_lost(between: Between) -> None:
    moved = [{**row, "classSourcedId": "x"} for row in seats(6)]

    assert emptied(between, seats(6, endDate=YESTERDAY), moved) == Share(affected=0, of=1)


@pytest.mark.parametrize("again", [{}, {"sourcedId": "again"}])
def test_students_of_a_section_that_is_closed_are_not_lost_to_it(
    again: Row, between: Between
) -> None:
    moved = [
        row | {"classSourcedId": "x", "sourcedId": f"{again.get('sourcedId', 'c')}{n}"}
        for n, row in enumerate(seats(6))
    ]

    assert emptied(between, seats(6), moved) == Share(affected=0, of=1)


@pytest.mark.parametrize("cells", [{"userSourcedId": "other"}, {"role": "teacher"}])
def test_students_whose_enrollments_name_others_or_other_roles_are_lost(
    cells: Row, between: Between
) -> None:
    others = [row | cells for row in seats(6)]

    assert emptied(between, seats(6), others) == Share(affected=1, of=1)


def test_students_who_come_by_another_enrollment_are_not_lost(between: Between) -> None:
    again = [{**row, "sourcedId": f"again-{n}"} for n, row in enumerate(seats(6))]

    assert emptied(between, seats(6), again) == Share(affected=0, of=1)


def test_students_whom_the_scope_leaves_out_are_not_lost(between: Between) -> None:
    delta = between({"classes": CLASSES, "enrollments": seats(6)}, {"classes": CLASSES})

    assert emptied_classes(delta, DAY).affected == 1
    assert emptied_classes(delta, DAY, {"enrollments": np.ones(6, dtype=bool)}).affected == 0


def test_a_first_sync_empties_no_class(tmp_path: Path) -> None:
    new = written({"classes": CLASSES, "enrollments": seats(6)}, tmp_path)

    assert emptied_classes(diff(None, new), DAY) == Share()


# ---- whatever moves ----

ENDS = (None, None, YESTERDAY, str(DAY), TOMORROW)
WORDS = ("student", "student", "teacher", "parent", "principal", "ext:driver")


def a_day(random: Random) -> Tables:
    """A few rows that refer to each other; which ones there are differs from day to day."""

    def some(prefix: str, count: int) -> list[str]:
        return [f"{prefix}{n}" for n in range(count) if random.random() < 0.7]

    def dates() -> Row:
        return {"beginDate": random.choice(ENDS), "endDate": random.choice(ENDS)}

    users, orgs = [f"u{n}" for n in range(4)], ["a", "b", "d"]
    sessions: list[Row] = [
        {"sourcedId": "t0", "endDate": YESTERDAY},
        {"sourcedId": "t1", "endDate": random.choice(ENDS)},
    ]
    return {
        "orgs": [row for row in ORGS if row["type"] == "district" or random.random() < 0.9],
        "academicSessions": sessions,
        "users": [user(key, enabledUser=random.choice(["true", "true", "false"])) for key in users],
        "classes": [
            {
                "sourcedId": key,
                "schoolSourcedId": random.choice(orgs),
                "termSourcedIds": random.choice([None, "t0", "t1", "t0,t1"]),
            }
            for key in some("c", 5)
        ],
        "roles": [
            role(key, random.choice(users), random.choice(WORDS), random.choice(orgs)) | dates()
            for key in some("r", 9)
        ],
        "enrollments": [
            seat(key, f"c{random.randrange(5)}", random.choice(users), random.choice(orgs))
            | dates()
            for key in some("e", 8)
        ],
    }


def census(tables: Tables, school: str | None) -> dict[str, int]:
    """How many there are, by the plainest means, at a school or in the district."""
    who = {
        (row["userSourcedId"], KINDS.get(str(row["role"]), "staff"))
        for row in tables["roles"]
        if school in (None, row["orgSourcedId"])
    }
    found = {kind: sum(kind == k for _, k in who) for kind in PEOPLE}
    for entity in ("classes", "enrollments"):
        found[entity] = sum(row["schoolSourcedId"] == school for row in tables[entity])
    return found


def now(moves: Moves) -> int:
    return moves.was - moves.removed - moves.ended - moves.descoped + moves.added


def check_balance(seed: int) -> None:
    random = Random(seed)  # noqa: S311  not for secrets
    old, new = a_day(random), a_day(random)
    with tempfile.TemporaryDirectory() as folder:
        rosters = [written(day, Path(folder) / name) for name, day in (("old", old), ("new", new))]
        left_out = {
            entity: np.array([random.random() < 0.3 for _ in range(rows)], dtype=bool)
            for entity, rows in rosters[0].counts.items()
        }
        shift = count_moves(diff(*rosters), DAY, left_out)
    for entity, moves in shift.entities.items():
        assert moves.was == len(old.get(entity, []))
        assert now(moves) == len(new.get(entity, []))
    schools = {str(row["sourcedId"]) for row in [*old["orgs"], *new["orgs"]]}
    for school in schools:
        was, will = census(old, school), census(new, school)
        for what in AT_SCHOOL:
            if (moved := shift.schools.get(school, {}).get(what)) is None:
                assert was[what] == will[what]
            else:
                assert (moved.was, now(moved)) == (was[what], will[what])
                stays = moved.was - moved.removed - moved.ended - moved.descoped
                assert moved.changed <= stays
                assert moved.deactivated + moved.reactivated <= stays
    assert set(shift.schools) == set(shift.school_names) <= schools
    was, will = census(old, None), census(new, None)
    for kind in PEOPLE:
        moves = shift.people.get(kind, Moves())
        assert (moves.was, now(moves)) == (was[kind], will[kind])


@settings(deadline=None, max_examples=examples(8))
@given(seed=st.integers(0, 1 << 32))
def test_what_was_and_what_moved_make_what_is(seed: int) -> None:
    check_balance(seed)


def test_they_do_so_too_where_rows_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delta_module, "_MOST_KEPT", -1)
    for seed in range(8):
        check_balance(seed)
