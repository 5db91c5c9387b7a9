"""What a reviewer reads of a held roster: numbers in order, few rows, and nobody's name."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from roster_pipeline.guards.facts import AT_SCHOOL, Facts, Moves, Shift
from roster_pipeline.guards.judge import Verdict, judge
from roster_pipeline.guards.settings import GuardSettings
from roster_pipeline.oneroster.delta import Delta, changed_columns, diff
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.reports.changes import changes_document
from roster_pipeline.reports.difference import counts_of, difference_bytes, difference_document
from roster_pipeline.reports.difference_samples import HIDDEN, MOST
from roster_pipeline.reports.difference_text import difference_text
from tests.oneroster.strategies import Frames, frame_of, stored

Row = dict[str, str | None]
Compare = Callable[[Frames | None, Frames], Delta]

HELD = judge(Facts(counts={}, base=None), GuardSettings())
# What may stand in no report: each in a column where it belongs.
SECRETS = ("Lovelace", "ada.l@example.org", "555-0123", "sesame99", "B-4711", "Analytica")


@pytest.fixture
def compare(tmp_path: Path) -> Compare:
    """What differs between two rosters, each written in small blocks."""

    def _compare(old: Frames | None, new: Frames) -> Delta:
        base = None if old is None else stored(old, tmp_path / "old", block=3)
        return diff(base, stored(new, tmp_path / "new", block=3))

    return _compare


def users(*rows: Row) -> Frames:
    return {"users": frame_of("users", rows, ["metadata.bus"])}


def person(key: str, **cells: str | None) -> Row:
    return {"sourcedId": key, "enabledUser": "true", "grades": "07", **cells}


def facts(**shift: Any) -> Facts:
    return Facts(counts={}, base={}, shift=Shift(**shift))


def read(delta: Delta, of: Facts | None = None, verdict: Verdict = HELD) -> dict[str, Any]:
    """The document as it comes back from the store."""
    made = difference_bytes(difference_document(delta, of or facts(), verdict))
    document: dict[str, Any] = json.loads(made)
    return document


def told(document: dict[str, Any], *, width: int = 10_000) -> str:
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(difference_text(document))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def test_a_difference_counts_what_the_facts_count(compare: Compare) -> None:
    delta = compare(
        users(person("u1"), person("u2"), person("u3")), users(person("u1"), person("u4"))
    )
    moves = Moves(was=3, added=1, removed=1, ended=1)
    document = read(delta, facts(entities={"users": moves}))
    of = document["entities"]["users"]
    assert (of["was"], of["now"], of["unchanged"]) == (3, 2, 1)
    assert (of["added"], of["removed"], of["ended"], of["descoped"]) == (1, 1, 1, 0)
    assert document["totals"]["removed"] == document["totals"]["ended"] == 1
    assert document["reasons"] == HELD.to_json()


def test_its_counts_are_those_of_a_plain_comparison(compare: Compare) -> None:
    delta = compare(
        users(person("u1"), person("u2"), person("u3")), users(person("u1", grades="08"))
    )
    ended = Moves(was=3, changed=1, removed=1, ended=1)
    columns = {entity: changed_columns(delta, entity) for entity in delta.entities}
    expected = changes_document(delta.counts(), columns)
    for of in (facts(), facts(entities={"users": ended})):
        assert changes_document(*counts_of(read(delta, of))) == expected


def test_no_personal_cell_and_no_secret_is_in_it(compare: Compare) -> None:
    personal = {
        "givenName": "Ada",
        "familyName": "Lovelace",
        "username": "ada.l@example.org",
        "email": "ada.l@example.org",
        "phone": "555-0123",
        "sms": "555-0123",
        "password": "sesame99",
        "identifier": "B-4711",
        "userIds": "{LDAP:B-4711}",
        "metadata.bus": "Analytica",
    }
    spoilt = dict.fromkeys(personal, "other") | {"userIds": "{LDAP:B-4711x}"}
    delta = compare(
        users(person("gone", **personal), person("same", **personal)),
        users(person("come", **personal), person("same", **spoilt)),
    )
    document = read(delta)
    samples = document["samples"]["users"]
    assert [samples[kind][0]["sourcedId"] for kind in ("added", "changed", "gone")] == [
        "come", "same", "gone",
    ]  # fmt: skip
    for output in (json.dumps(document), told(document)):
        assert [secret for secret in (*SECRETS, "Ada") if secret in output] == []
        assert "password" not in output
        assert "xxx.x@xxxxxxx.xxx" in output


def test_words_that_their_lengths_would_give_away_are_hidden(compare: Compare) -> None:
    row = {"sourcedId": "u1", "birthDate": "2014-03-09", "sex": "female", "asian": "true"}
    user = person("u1", pronouns="she/her", **{"metadata.bus": "free"})
    document = read(compare(None, {"demographics": frame_of("demographics", [row]), **users(user)}))
    (shown,) = document["samples"]["demographics"]["added"]
    assert shown == {
        "sourcedId": "u1",
        "cells": dict.fromkeys(("birthDate", "sex", "asian"), HIDDEN),
    }
    (shown,) = document["samples"]["users"]["added"]
    assert shown["cells"]["pronouns"] == shown["cells"]["metadata.bus"] == HIDDEN


def test_what_tells_a_reviewer_where_to_look_is_shown(compare: Compare) -> None:
    row = {
        "sourcedId": "cl1", "title": "Algebra 1", "classType": "scheduled",
        "schoolSourcedId": "s1", "termSourcedIds": "t1,t2", "location": "ask ada.l@example.org",
    }  # fmt: skip
    (shown,) = read(compare({"classes": frame_of("classes", [row])}, {}))["samples"]["classes"][
        "gone"
    ]
    assert shown["sourcedId"] == "cl1"
    assert shown["cells"]["title"] == "Algebra 1"
    assert shown["cells"]["termSourcedIds"] == "t1,t2"
    assert shown["cells"]["location"] == "xxx xxx.x@xxxxxxx.xxx"


def test_a_changed_row_shows_what_differs_before_and_after(compare: Compare) -> None:
    delta = compare(
        users(person("u1", grades="07", email=None, familyName="Byron")),
        users(person("u1", grades="08", email="a@b.c", familyName="Ovide")),
    )
    document = read(delta)
    (row,) = document["samples"]["users"]["changed"]
    assert row["before"] == {"familyName": "Xxxxx", "email": None, "grades": "07"}
    assert row["after"] == {"familyName": "Xxxxx", "email": "x@x.x", "grades": "08"}
    text = told(document)
    assert "grades 07 → 08" in text
    assert "email empty → x@x.x" in text
    assert "familyName Xxxxx → another" in text


def test_an_address_behind_the_cut_of_a_long_cell_is_masked_too(compare: Compare) -> None:
    row = {"sourcedId": "o1", "name": f"{'Room ' * 23}Lovelace@example.org", "type": "school"}
    document = read(compare(None, {"orgs": frame_of("orgs", [row])}))
    assert "Lovel" not in json.dumps(document)


def test_samples_are_few_and_spread_over_all_rows(compare: Compare) -> None:
    ids = [f"u{number:03}" for number in range(101)]
    rows = read(compare(users(*map(person, ids)), {}))["samples"]["users"]["gone"]
    assert [row["sourcedId"] for row in rows] == ["u000", "u025", "u050", "u075", "u100"]
    assert len(rows) == MOST


def test_samples_of_many_rows_read_no_entity_whole(
    compare: Compare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("roster_pipeline.oneroster.delta._MOST_KEPT", 10)
    delta = compare(users(*(person(f"u{number:03}") for number in range(300))), {})

    def whole(*_: object, **__: object) -> None:
        raise AssertionError("an entity was read whole")

    for name in ("blocks", "columns", "frame"):
        monkeypatch.setattr(Roster, name, whole)
    assert len(read(delta)["samples"]["users"]["gone"]) == MOST


def test_the_same_facts_in_another_order_give_the_same_bytes(compare: Compare) -> None:
    old, new = users(person("u1"), person("u2")), users(person("u1", grades="09"))
    delta = compare(old, new)
    schools = {
        "s1": {"students": Moves(was=9, removed=2)},
        "s2": {"students": Moves(was=9, added=1)},
    }
    people = {"students": Moves(was=18, removed=2), "teachers": Moves(was=3)}
    names = {"s1": "Evergreen", "s2": "Riverside"}
    made = {
        difference_bytes(
            difference_document(
                delta,
                facts(
                    schools={key: schools[key] for key in order(schools)},
                    people={key: people[key] for key in order(people)},
                    school_names={key: names[key] for key in order(names)},
                ),
                HELD,
            )
        )
        for order in (sorted, lambda keys: sorted(keys, reverse=True))
    }
    assert len(made) == 1


def test_schools_come_by_how_many_people_they_lose(compare: Compare) -> None:
    of = facts(
        schools={
            "few": {"students": Moves(was=100, removed=2)},
            "new": {"students": Moves(added=500)},
            "still": {"students": Moves(was=100)},
            "many": {"students": Moves(was=100, removed=60), "teachers": Moves(was=9, removed=1)},
            "off": {"students": Moves(was=100, deactivated=30)},
            "rooms": {"classes": Moves(was=20, removed=19)},
        },
        school_names={"many": "Evergreen", "few": "Riverside", "mail": "ada.l@example.org"},
    )
    document = read(compare(None, {}), of)
    ids = [school["sourcedId"] for school in document["schools"]]
    assert ids == ["many", "off", "few", "rooms", "new"]
    assert document["schools"][0]["name"] == "Evergreen"
    assert document["schools"][0]["kinds"]["students"] == {"was": 100, "removed": 60}


def test_a_school_that_goes_is_said_to(compare: Compare) -> None:
    delta = compare(users(person("u1")), {})
    of = Facts(
        counts={},
        base={},
        shift=Shift(school_names={"s1": "Evergreen"}),
        schools_removed={"s1": 300},
    )
    document = read(delta, of)
    assert document["schools"] == [
        {"sourcedId": "s1", "name": "Evergreen", "removed": True, "kinds": {}}
    ]
    assert "Evergreen (gone)" in told(document)


def test_only_ten_schools_are_told_of_and_the_rest_are_counted(compare: Compare) -> None:
    schools = {f"s{n:02}": {"students": Moves(was=50, removed=40 - n)} for n in range(13)}
    document = read(compare(users(person("u1")), {}), facts(schools=schools))
    text = told(document)
    assert len(document["schools"]) == 13
    assert "s09" in text
    assert "s10" not in text
    assert "3 more that lose less" in text


def test_the_terminal_has_a_line_for_each_entity_and_kind_of_people(compare: Compare) -> None:
    delta = compare(users(person("u1"), person("u2")), users(person("u1", grades="08")))
    of = facts(
        entities={"users": Moves(was=2, changed=1, removed=1)},
        people={"students": Moves(was=2, ended=1, deactivated=1)},
        schools={"s1": {"students": Moves(was=1200, added=3, removed=1, ended=1)}},
        school_names={"s1": "Evergreen"},
    )
    students = ["students", "−1", "+3", "of", "1,200,", "1", "ended"]
    lines = [line.split() for line in told(read(delta, of)).splitlines()]
    assert ["entity", "was", "added", "changed", "removed"] in lines
    assert ["users", "2", "0", "1", "1"] in lines
    assert ["students", "2", "0", "0", "0", "1", "1"] in lines
    assert lines[lines.index(["Evergreen"]) + 1] == students
    assert ["users:", "grades", "1"] in lines
    assert not any("orgs" in line for line in lines)


def test_a_narrow_terminal_loses_no_number_of_a_school(compare: Compare) -> None:
    moves = Moves(was=12_345, added=11_111, changed=10_101, removed=12_222)
    schools = {"s1": dict.fromkeys(AT_SCHOOL, moves)}
    text = told(read(compare(users(person("u1")), {}), facts(schools=schools)), width=60)
    assert " ".join(text.split()).count("−12,222 +11,111 ~10,101 of 12,345") == len(AT_SCHOOL)


def test_nothing_that_differs_is_said_so(compare: Compare) -> None:
    delta = compare(users(person("u1")), users(person("u1")))
    assert told(read(delta)) == "No row differs from the accepted roster."


def test_a_name_cannot_steer_the_terminal(compare: Compare) -> None:
    of = facts(
        schools={"s1": {"students": Moves(was=9, removed=9)}},
        school_names={"s1": "Ever\x1b[2Jgreen\u202e"},
    )
    text = told(read(compare(users(person("u1")), {}), of))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "Ever\N{REPLACEMENT CHARACTER}[2Jgreen" in text
