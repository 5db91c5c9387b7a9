from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from roster_pipeline.oneroster.entities import ENTITIES, names, references
from roster_pipeline.oneroster.roster import Roster, RosterWriter
from roster_pipeline.oneroster.versions import items
from roster_pipeline.sources.config import Scope
from roster_pipeline.sources.scope import Scoped, ScopeError, apply_scope
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
    roster = scoped(tmp_path, *schools).roster

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
