from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from roster_pipeline.oneroster.entities import ENTITIES, names, references
from roster_pipeline.oneroster.roster import Roster, RosterWriter
from roster_pipeline.oneroster.scoping.config import Scope
from roster_pipeline.oneroster.scoping.scope import Scoped, ScopeError, apply_scope, outside
from roster_pipeline.oneroster.versions import items
from roster_pipeline.tables.text import TEXT

Rows = dict[str, list[dict[str, str]]]


def two_schools() -> Rows:
    """A district with an elementary and a high school, and people who belong to both."""
    orgs = {"d": "", "elm": "d", "oak": "d", "oak-art": "oak"}
    people = ["kid-elm", "kid-oak", "mum", "gran", "teacher-elm", "teacher-oak", "both", "visitor"]
    roles = [
        ("kid-elm", "elm"), ("kid-oak", "oak"), ("mum", "oak"), ("gran", "elm"), ("gran", "oak"),
        ("teacher-elm", "elm"), ("teacher-oak", "oak"), ("both", "elm"), ("both", "oak"),
        ("both", "d"), ("visitor", "oak"), ("boss", "d"),
    ]  # fmt: skip
    agents = {"kid-elm": "mum", "mum": "gran"}
    homes = {"both": "oak", "kid-elm": "elm"}
    classes = {"c-elm": ("math", "elm"), "c-oak": ("art", "oak"), "c-lent": ("lent", "elm")}
    enrolled = [
        ("kid-elm", "c-elm"), ("teacher-elm", "c-elm"), ("kid-oak", "c-oak"), ("visitor", "c-lent"),
    ]  # fmt: skip
    return {
        "orgs": [{"sourcedId": o, "name": o, "parentSourcedId": p} for o, p in orgs.items()],
        "academicSessions": [{"sourcedId": "y", "title": "2026"}],
        "courses": [
            {"sourcedId": "math", "orgSourcedId": "d"},
            {"sourcedId": "art", "orgSourcedId": "oak"},
            {"sourcedId": "lent", "orgSourcedId": "oak-art"},
            {"sourcedId": "unused", "orgSourcedId": "oak"},
        ],
        "classes": [
            {"sourcedId": c, "courseSourcedId": k, "schoolSourcedId": s, "termSourcedIds": "y"}
            for c, (k, s) in classes.items()
        ],
        "users": [
            {"sourcedId": p, "agentSourcedIds": agents.get(p, ""),
             "primaryOrgSourcedId": homes.get(p, "")}
            for p in [*people, "boss"]
        ],
        "userProfiles": [{"sourcedId": f"p-{p}", "userSourcedId": p} for p in people],
        "roles": [
            {"sourcedId": f"{p}.{o}", "userSourcedId": p, "orgSourcedId": o} for p, o in roles
        ],
        "demographics": [{"sourcedId": p} for p in ("kid-elm", "kid-oak")],
        "enrollments": [
            {"sourcedId": f"{p}.{c}", "userSourcedId": p, "classSourcedId": c,
             "schoolSourcedId": classes[c][1]}
            for p, c in enrolled
        ],
    }  # fmt: skip


def roster_of(rows: Mapping[str, list[dict[str, str]]], folder: Path) -> Roster:
    writer = RosterWriter(folder)
    for entity in ENTITIES:
        cells = [{name: row.get(name) or None for name in names(entity)} for row in rows[entity]]
        frame = pd.DataFrame(cells, columns=list(names(entity))).astype(TEXT)
        writer.write(entity, frame, file=f"{entity}.csv", lines=np.arange(2, len(frame) + 2))
    return writer.finish()


def scoped(tmp_path: Path, *schools: str, rows: Rows | None = None) -> Scoped:
    roster = roster_of(rows or two_schools(), tmp_path / "all")
    return apply_scope(roster, Scope(schools=schools), tmp_path / "scoped")


def taken(tmp_path: Path, rows: Rows, scope: Mapping[str, Any]) -> Roster:
    """What a scope, as a source's file says it, takes of some rows."""
    roster = roster_of(rows, tmp_path / "all")
    return apply_scope(roster, Scope.model_validate(scope), tmp_path / "scoped").roster


def ids(roster: Roster, entity: str) -> list[str]:
    return list(roster.columns(entity, ["sourcedId"])["sourcedId"])


def test_without_a_scope_the_roster_is_itself(tmp_path: Path) -> None:
    roster = roster_of(two_schools(), tmp_path / "all")

    assert apply_scope(roster, Scope(), tmp_path / "scoped").roster is roster


def test_of_one_school_come_its_classes_and_people_and_what_these_need(tmp_path: Path) -> None:
    roster = scoped(tmp_path, "elm").roster

    assert {entity: ids(roster, entity) for entity in ENTITIES} == {
        # The department owns a course that a class here uses, and lies in the other school.
        "orgs": ["d", "elm", "oak", "oak-art"],
        "academicSessions": ["y"],
        "courses": ["math", "lent"],
        "classes": ["c-elm", "c-lent"],
        "users": ["kid-elm", "mum", "gran", "teacher-elm", "both", "visitor"],
        "userProfiles": ["p-kid-elm", "p-mum", "p-gran", "p-teacher-elm", "p-both", "p-visitor"],
        "roles": [
            "kid-elm.elm", "mum.oak", "gran.elm", "gran.oak", "teacher-elm.elm", "both.elm",
            "both.oak", "both.d", "visitor.oak",
        ],
        "demographics": ["kid-elm"],
        "enrollments": ["kid-elm.c-elm", "teacher-elm.c-elm", "visitor.c-lent"],
    }  # fmt: skip


def test_a_school_comes_with_the_orgs_below_and_above_it(tmp_path: Path) -> None:
    assert ids(scoped(tmp_path, "oak").roster, "orgs") == ["d", "oak", "oak-art"]


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    made = scoped(tmp_path, "oak")

    assert made.left_out["orgs"] == 1
    assert made.left_out["classes"] == 2
    assert made.left_out["academicSessions"] == 0
    assert all(
        made.left_out[entity] + made.roster.counts[entity] == len(rows)
        for entity, rows in two_schools().items()
    )


def test_a_home_school_outside_of_the_scope_is_blanked(tmp_path: Path) -> None:
    rows = two_schools()
    rows["classes"] = [row for row in rows["classes"] if row["sourcedId"] != "c-lent"]
    rows["enrollments"] = [row for row in rows["enrollments"] if "lent" not in row["sourcedId"]]
    users = scoped(tmp_path, "elm", rows=rows).roster.frame("users")
    homes = dict(zip(users["sourcedId"], users["primaryOrgSourcedId"].fillna(""), strict=True))

    assert homes["kid-elm"] == "elm"
    assert homes["both"] == ""


@pytest.mark.parametrize("schools", [("elm",), ("oak",), ("elm", "oak"), ("d",), ("oak-art",)])
def test_nothing_dangles(tmp_path: Path, schools: tuple[str, ...]) -> None:
    dangles_nowhere(scoped(tmp_path, *schools).roster)


def dangles_nowhere(roster: Roster) -> None:
    for entity in ENTITIES:
        frame = roster.frame(entity)
        for column in references(entity):
            assert column.target is not None
            _, pointed_at = items(frame[column.name])
            assert set(pointed_at) <= set(ids(roster, column.target)), (entity, column.name)


def test_where_rows_came_from_stays(tmp_path: Path) -> None:
    [block] = scoped(tmp_path, "oak").roster.blocks("classes", provenance=True)

    assert list(block["_line"]) == [3]


def test_a_school_that_is_not_there_stops_the_sync(tmp_path: Path) -> None:
    with pytest.raises(ScopeError, match="names ash, and the orgs have no such sourcedId"):
        scoped(tmp_path, "elm", "ash")


def test_orgs_that_are_their_own_parents_do_no_harm(tmp_path: Path) -> None:
    rows = two_schools()
    rows["orgs"][0]["parentSourcedId"] = "oak"

    assert "elm" in ids(scoped(tmp_path, "oak", rows=rows).roster, "orgs")


def test_the_same_roster_and_scope_give_the_same_content(tmp_path: Path) -> None:
    first, second = (scoped(tmp_path / name, "elm").roster for name in ("a", "b"))

    assert first.content_hash == second.content_hash


def test_a_brother_at_another_school_does_not_come_along_with_their_mother(tmp_path: Path) -> None:
    rows = two_schools()
    agents = {"kid-elm": "mum", "mum": "kid-elm,kid-oak,gran", "gran": "kid-oak"}
    for user in rows["users"]:
        user["agentSourcedIds"] = agents.get(user["sourcedId"], "")
    for role in rows["roles"]:
        role["role"] = "student" if role["userSourcedId"].startswith("kid") else "guardian"

    roster = scoped(tmp_path, "elm", rows=rows).roster
    users = roster.frame("users").set_index("sourcedId")["agentSourcedIds"]
    assert "kid-oak" not in users.index
    assert users["mum"] == "kid-elm,gran"
    assert pd.isna(users["gran"])
    assert "kid-oak" not in ids(roster, "demographics")


def test_a_mother_who_studies_at_another_school_comes_with_her_child(tmp_path: Path) -> None:
    rows = two_schools()
    for role in rows["roles"]:
        role["role"] = "student" if role["userSourcedId"].startswith("kid") else "parent"
    rows["roles"].append(
        {"sourcedId": "s", "userSourcedId": "mum", "orgSourcedId": "oak", "role": "student"}
    )

    roster = scoped(tmp_path, "elm", rows=rows).roster

    users = roster.frame("users").set_index("sourcedId")["agentSourcedIds"]
    assert "mum" in users.index
    assert users["kid-elm"] == "mum"
    assert "kid-oak" not in users.index
    assert outside(roster, Scope(schools=("elm",))) == {}


def test_a_seat_that_names_the_home_school_of_a_guest_is_taken_with_that_school(
    tmp_path: Path,
) -> None:
    rows = two_schools()
    rows["classes"].pop()
    rows["enrollments"] = [row for row in rows["enrollments"] if row["classSourcedId"] != "c-lent"]
    assert "oak" not in ids(scoped(tmp_path / "without", "elm", rows=rows).roster, "orgs")
    rows["enrollments"].append({
        "sourcedId": "guest", "userSourcedId": "kid-oak", "classSourcedId": "c-elm",
        "schoolSourcedId": "oak", "role": "student",
    })  # fmt: skip

    roster = scoped(tmp_path / "with", "elm", rows=rows).roster

    assert "guest" in ids(roster, "enrollments")
    assert "kid-oak" in ids(roster, "users")
    assert ids(roster, "orgs") == ["d", "elm", "oak"]
    assert ids(roster, "classes") == ["c-elm"]
    dangles_nowhere(roster)
    assert outside(roster, Scope(schools=("elm",))) == {}


# ---- what else a scope may name ----


def two_grades() -> Rows:
    """A school with a class of each of two grades, one that lasts for two terms, and one of both
    grades; a family with a child in each grade."""
    people = {
        "ann": ("11", "student"), "bob": ("12", "student"), "cem": ("12", "student"),
        "mum": ("", "guardian"), "dad": ("", "parent"), "gran": ("", "relative"),
        "tess": ("", "teacher"), "theo": ("", "teacher"), "tara": ("", "teacher"),
        "head": ("", "principal"),
    }  # fmt: skip
    agents = {"ann": "mum", "bob": "mum,dad", "gran": "cem"}
    classes = {
        "c11": ("bio", "fall", "11"), "c12": ("chem", "fall,spring", "12"),
        "mixed": ("choir", "fall-1", ""), "late": ("chem", "spring", "12"),
        "old": ("latin", "past", ""),
    }  # fmt: skip
    enrolled = [
        ("ann", "c11", "student"), ("tess", "c11", "teacher"), ("bob", "c12", "student"),
        ("theo", "c12", "teacher"), ("ann", "mixed", "student"), ("cem", "mixed", "student"),
        ("theo", "mixed", "teacher"), ("cem", "late", "student"), ("tess", "late", "teacher"),
        ("bob", "old", "student"), ("tara", "old", "teacher"),
    ]  # fmt: skip
    sessions = {
        "y26": ("2025-26", "", "2026"), "past": ("Fall", "y26", "2026"),
        "y27": ("2026-27", "", "2027"), "fall": ("Fall", "y27", "2027"),
        "fall-1": ("Quarter 1", "fall", "2027"), "spring": ("Spring", "y27", "2027"),
    }  # fmt: skip
    courses = {
        "bio": "SCI11", "chem": "SCI12", "choir": "MUS00", "latin": "", "spare": "SCI99",
    }  # fmt: skip
    return {
        "orgs": [
            {"sourcedId": "d", "name": "District"},
            {"sourcedId": "s", "name": "High School", "parentSourcedId": "d"},
        ],
        "academicSessions": [
            {"sourcedId": key, "title": title, "parentSourcedId": above, "schoolYear": year}
            for key, (title, above, year) in sessions.items()
        ],
        "courses": [
            {"sourcedId": key, "courseCode": code, "orgSourcedId": "s",
             "schoolYearSourcedId": "y26" if key == "chem" else ""}
            for key, code in courses.items()
        ],
        "classes": [
            {"sourcedId": key, "courseSourcedId": course, "schoolSourcedId": "s",
             "termSourcedIds": terms, "grades": grades}
            for key, (course, terms, grades) in classes.items()
        ],
        "users": [
            {"sourcedId": key, "grades": grade, "agentSourcedIds": agents.get(key, "")}
            for key, (grade, _) in people.items()
        ],
        "userProfiles": [{"sourcedId": f"p-{key}", "userSourcedId": key} for key in people],
        "roles": [
            {"sourcedId": f"{key}.{word}", "userSourcedId": key, "role": word, "orgSourcedId": "s"}
            for key, word in [*((key, word) for key, (_, word) in people.items()),
                              ("tess", "guardian")]
        ],
        "demographics": [{"sourcedId": key} for key in ("ann", "bob", "cem")],
        "enrollments": [
            {"sourcedId": f"{user}.{of}", "userSourcedId": user, "classSourcedId": of,
             "schoolSourcedId": "s", "role": role}
            for user, of, role in enrolled
        ],
    }  # fmt: skip


def test_of_a_grade_come_its_students_their_classes_guardians_and_teachers(
    tmp_path: Path,
) -> None:
    roster = taken(tmp_path, two_grades(), {"grades": ["12"]})

    assert ids(roster, "classes") == ["c12", "mixed", "late", "old"]
    # Their mother has a child in another grade; their grandmother names a child that names nobody.
    assert ids(roster, "users") == [
        "bob", "cem", "mum", "dad", "gran", "tess", "theo", "tara", "head",
    ]  # fmt: skip
    assert ids(roster, "demographics") == ["bob", "cem"]
    assert "ann.mixed" not in ids(roster, "enrollments")
    assert "theo.mixed" in ids(roster, "enrollments")
    assert ids(roster, "courses") == ["chem", "choir", "latin"]
    dangles_nowhere(roster)


def test_a_teacher_and_a_relative_of_another_grade_alone_stay_out(tmp_path: Path) -> None:
    rows = two_grades()
    rows["users"][1]["agentSourcedIds"] = "dad"

    roster = taken(tmp_path, rows, {"grades": ["11"]})

    assert ids(roster, "users") == ["ann", "mum", "tess", "theo", "head"]


def test_of_a_term_come_the_classes_in_it_or_in_a_part_of_it(tmp_path: Path) -> None:
    roster = taken(tmp_path, two_grades(), {"terms": ["fall"]})

    assert ids(roster, "classes") == ["c11", "c12", "mixed"]
    assert ids(roster, "courses") == ["bio", "chem", "choir"]
    # c12 goes on in spring, and chem says that it is a course of the year before.
    assert ids(roster, "academicSessions") == ["y26", "y27", "fall", "fall-1", "spring"]
    assert len(ids(roster, "users")) == len(two_grades()["users"])
    assert {i.partition(".")[2] for i in ids(roster, "enrollments")} == {"c11", "c12", "mixed"}
    assert list(roster.frame("classes")["termSourcedIds"])[1] == "fall,spring"
    dangles_nowhere(roster)


def test_terms_may_be_named_by_title_and_hold_together_with_years(tmp_path: Path) -> None:
    both = taken(tmp_path / "a", two_grades(), {"terms": ["Fall"]})
    assert ids(both, "classes") == ["c11", "c12", "mixed", "old"]

    one = taken(tmp_path / "b", two_grades(), {"terms": ["Fall"], "years": [2026]})
    assert ids(one, "classes") == ["old"]
    assert ids(one, "academicSessions") == ["y26", "past"]


def remark(tmp_path: Path, rows: Rows, scope: Mapping[str, Any]) -> str | None:
    """What is said of what a scope leaves out."""
    roster = roster_of(rows, tmp_path / "all")
    return apply_scope(roster, Scope.model_validate(scope), tmp_path / "scoped").remark


def test_classes_of_a_whole_year_that_a_term_leaves_out_are_spoken_of(tmp_path: Path) -> None:
    rows = two_grades()
    for one in rows["classes"]:
        if one["sourcedId"] in ("c11", "late"):
            one["termSourcedIds"] = "y27"

    said = remark(tmp_path / "a", rows, {"terms": ["fall"]})
    assert said is not None
    assert said.startswith("`scope.terms` leaves out 2 classes, with all who are in them")
    # A class that is left out anyway is none of them.
    said = remark(tmp_path / "b", rows, {"terms": ["fall"], "courses": ["SCI11", "MUS*"]})
    assert said is not None
    assert "leaves out a class, with all who are in it" in said


@pytest.mark.parametrize(
    "scope", [{"terms": ["fall"]}, {"terms": ["y27"]}, {"years": [2027]}, {"grades": ["11"]}]
)
def test_where_no_class_lasts_longer_nothing_is_said(tmp_path: Path, scope: dict[str, Any]) -> None:
    assert remark(tmp_path, two_grades(), scope) is None


def test_of_a_year_come_the_classes_of_its_terms(tmp_path: Path) -> None:
    roster = taken(tmp_path, two_grades(), {"years": [2027]})

    assert ids(roster, "classes") == ["c11", "c12", "mixed", "late"]


def test_people_of_whom_no_role_is_taken_go_with_all_that_is_theirs(tmp_path: Path) -> None:
    roster = taken(tmp_path, two_grades(), {"roles": ["student", "teacher"]})

    assert ids(roster, "users") == ["ann", "bob", "cem", "tess", "theo", "tara"]
    assert "tess.guardian" not in ids(roster, "roles")
    assert "tess.teacher" in ids(roster, "roles")
    assert roster.frame("users")["agentSourcedIds"].isna().all()
    assert len(ids(roster, "classes")) == len(two_grades()["classes"])
    dangles_nowhere(roster)


def test_who_stays_for_another_role_teaches_nobody_any_more(tmp_path: Path) -> None:
    roster = taken(tmp_path, two_grades(), {"roles": ["student", "guardian"]})

    assert ids(roster, "users") == ["ann", "bob", "cem", "mum", "tess"]
    assert not any(i.startswith(("tess", "theo")) for i in ids(roster, "enrollments"))


@pytest.mark.parametrize(
    ("courses", "classes"),
    [
        (["SCI11", "MUS00"], ["c11", "mixed"]),
        (["SCI*"], ["c11", "c12", "late"]),
        ({"exclude": ["SCI*"]}, ["mixed", "old"]),
        ({"include": ["SCI*"], "exclude": ["*12"]}, ["c11"]),
    ],
)
def test_of_courses_come_their_classes(tmp_path: Path, courses: Any, classes: list[str]) -> None:
    roster = taken(tmp_path, two_grades(), {"courses": courses})

    assert ids(roster, "classes") == classes
    dangles_nowhere(roster)


def test_all_that_a_scope_says_has_to_hold_together(tmp_path: Path) -> None:
    scope = {
        "schools": ["s"],
        "grades": ["12"],
        "terms": ["Fall"],
        "years": [2027],
        "roles": ["student", "teacher"],
        "courses": ["SCI*"],
    }
    roster = taken(tmp_path, two_grades(), scope)

    assert ids(roster, "classes") == ["c12"]
    assert ids(roster, "users") == ["bob", "cem", "theo"]
    dangles_nowhere(roster)


@pytest.mark.parametrize(
    "scope",
    [
        {"grades": ["12"]},
        {"grades": ["11"], "roles": ["student", "guardian"]},
        {"terms": ["Fall"]},
        {"years": [2027], "grades": ["12"]},
        {"roles": ["student", "parent"]},
        {"courses": ["SCI*"], "schools": ["s"]},
        {"courses": {"exclude": ["SCI*"]}, "terms": ["fall", "past"]},
    ],
)
def test_what_was_taken_is_wholly_within_the_scope(tmp_path: Path, scope: dict[str, Any]) -> None:
    roster = taken(tmp_path, two_grades(), scope)

    assert outside(roster, Scope.model_validate(scope)) == {}
    dangles_nowhere(roster)


@pytest.mark.parametrize(
    "scope",
    [
        {"grades": ["012"]},
        {"schools": ["0s"]},
        {"terms": ["Autumn"]},
        {"terms": ["spring"], "years": [2026]},
        {"roles": ["student", "ext:tutor"]},
        {"courses": ["SCY*"]},
    ],
)
def test_what_a_scope_names_and_an_older_roster_lacks_puts_nothing_of_it_outside(
    tmp_path: Path, scope: dict[str, Any]
) -> None:
    roster = roster_of(two_grades(), tmp_path)

    assert outside(roster, Scope.model_validate(scope)) == {}


def test_what_a_scope_names_beside_that_still_puts_rows_outside(tmp_path: Path) -> None:
    roster = roster_of(two_grades(), tmp_path)

    alone = outside(roster, Scope.model_validate({"courses": ["SCI11"]}))
    both = outside(roster, Scope.model_validate({"courses": ["SCI11"], "grades": ["012"]}))

    assert int(alone["classes"].sum()) == 4
    assert {entity: list(mask) for entity, mask in both.items()} == {
        entity: list(mask) for entity, mask in alone.items()
    }


@pytest.mark.parametrize(
    ("scope", "sentence"),
    [
        ({"schools": ["High School"]}, "names High School, .* Did you mean s[?]"),
        ({"grades": ["012"]}, "names 012, and no user is in such a grade. Did you mean 12[?]"),
        ({"grades": ["12", "Grade 11"]}, "names Grade 11, .* Did you mean 11[?]"),
        ({"grades": ["01"]}, "names 01, .* There are 11, 12"),
        ({"terms": ["Fal"]}, "no academicSession has such a sourcedId or title. Did you mean Fall"),
        ({"years": [2027, 2028]}, "names 2028, .* Did you mean 2026, 2027[?]"),
        ({"terms": ["spring"], "years": [2026]}, "have no academicSession in common"),
        ({"roles": ["aide"]}, "names aide, and nobody has such a role"),
        ({"roles": ["student", "ext:tutor"]}, "names ext:tutor"),
        ({"courses": ["SCI11", "SCY*"]}, r"names SCY\*, and no course has such a courseCode"),
        ({"grades": ["11"], "terms": ["past"]}, "None of 5 classes has all that `scope.grades`"),
    ],
)
def test_what_a_scope_names_and_is_not_there_stops_the_sync(
    tmp_path: Path, scope: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ScopeError, match=sentence):
        taken(tmp_path, two_grades(), scope)


def test_a_grade_or_role_of_the_standard_may_be_empty_for_a_while(tmp_path: Path) -> None:
    scope = {"grades": ["12", "10"], "roles": ["student", "aide"]}

    assert ids(taken(tmp_path, two_grades(), scope), "users") == ["bob", "cem"]


@pytest.mark.parametrize(
    ("scope", "sentence"),
    [
        ({"grades": []}, "leave `grades` out to take all"),
        ({"terms": ["Fall", "Fall"]}, "a term is named twice"),
        ({"roles": ["pupil"]}, "1.2 has no role pupil; its roles are aide"),
        ({"roles": ["teacher"], "grades": ["12"]}, "`roles` leave all students out"),
        ({"courses": "SCI*"}, r'such as \["SCI\*"\]'),
        ({"courses": {"include": ["*"]}}, "this takes all courses or none"),
        ({"years": ["2027"]}, "valid integer"),
    ],
)
def test_a_scope_that_says_nothing_sensible_is_refused(
    scope: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        Scope.model_validate(scope)
