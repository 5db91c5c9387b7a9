"""Rows that come again under another sourcedId."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from roster_pipeline.guards.facts import Share
from roster_pipeline.guards.rekeyed import count_rekeyed
from roster_pipeline.oneroster import delta as delta_module
from roster_pipeline.oneroster import roster as roster_module
from roster_pipeline.oneroster.delta import diff
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.simulator.district import Day, District
from tests.guards.exports import exported, read, spoilt
from tests.oneroster.strategies import Frames, frame_of, stored

Rows = Iterable[Mapping[str, str]]
NAME = {"givenName": "Ada", "familyName": "Null"}


@pytest.fixture(scope="module")
def day() -> Day:
    return District(students=300, seed=7).on(0)


@pytest.fixture(scope="module", params=["1.1", "1.2"])
def package(day: Day, request: pytest.FixtureRequest) -> bytes:
    return exported(day, request.param)


def affected(old: Roster, new: Roster) -> dict[str, int]:
    """How many rows of each entity come again, 0 left out."""
    shares = count_rekeyed(diff(old, new))
    assert {entity: share.of for entity, share in shares.items()} == {
        entity: old.counts[entity] for entity in shares
    }
    return {entity: share.affected for entity, share in shares.items() if share.affected}


def counted(folder: Path, old: Mapping[str, Rows], new: Mapping[str, Rows]) -> dict[str, int]:
    before, after = (
        stored({entity: frame_of(entity, rows) for entity, rows in side.items()}, folder / name)
        for name, side in (("old", old), ("new", new))
    )
    return affected(before, after)


def people(prefix: str, cells: Mapping[str, str], count: int = 6) -> list[dict[str, str]]:
    """Users with sourcedIds of their own. What `cells` say may name the number of each."""
    return [
        {"sourcedId": f"{prefix}{n}"} | {name: cell.format(n=n) for name, cell in cells.items()}
        for n in range(count)
    ]


def test_a_change_of_system_is_seen_in_all_that_it_changes(package: bytes, tmp_path: Path) -> None:
    old = read(package, tmp_path / "old")
    new = read(spoilt("all-ids-changed", package), tmp_path / "new")
    assert affected(old, new) == {
        entity: rows
        for entity, rows in old.counts.items()
        if rows >= 5 and entity != "demographics"  # which have their user's sourcedId
    }
    assert old.counts["enrollments"] > old.counts["users"] > 300


@pytest.mark.parametrize(
    "accident", ["another-district", "half-of-users", "all-emails-changed", "teachers-as-students"]
)
def test_no_other_accident_is_taken_for_one(accident: str, package: bytes, tmp_path: Path) -> None:
    old = read(package, tmp_path / "old")
    assert affected(old, read(spoilt(accident, package), tmp_path / "new")) == {}


def test_normal_days_are_not_taken_for_one(day: Day, package: bytes, tmp_path: Path) -> None:
    old = read(exported(day, "1.2"), tmp_path / "old")
    assert affected(old, read(exported(day.later(15), "1.2"), tmp_path / "new")) == {}


@pytest.mark.parametrize("way", ["username", "email", "userMasterIdentifier", "identifier"])
def test_people_are_known_again_by_any_way_of_likeness(way: str, tmp_path: Path) -> None:
    old, new = people("a", NAME | {way: "x{n}"}), people("b", NAME | {way: "X{n}"})
    assert counted(tmp_path, {"users": old}, {"users": new}) == {"users": 6}


def test_the_same_number_under_another_name_is_somebody_else(tmp_path: Path) -> None:
    stay = people("s", NAME, 20)
    old = people("a", {"identifier": "{n}", "givenName": "Ada", "familyName": "Null"})
    new = people("b", {"identifier": "{n}", "givenName": "Alan", "familyName": "Null"})
    assert counted(tmp_path, {"users": stay + old}, {"users": stay + new}) == {}


def test_each_row_has_one_like_at_most(tmp_path: Path) -> None:
    stay, shared = people("s", NAME, 20), NAME | {"email": "family@home.example"}
    old, new = people("a", shared, 8), people("b", shared, 5)
    assert counted(tmp_path, {"users": stay + old}, {"users": stay + new}) == {"users": 5}


def test_a_row_that_is_like_two_in_two_ways_is_the_like_of_one(tmp_path: Path) -> None:
    stay = people("s", NAME, 20)
    old = people("a", NAME | {"username": "{n}"}) + people("c", NAME | {"email": "{n}"})
    new = people("b", NAME | {"username": "{n}", "email": "{n}"})
    assert counted(tmp_path, {"users": stay + old}, {"users": stay + new}) == {"users": 6}


def test_empty_cells_make_nobody_alike(tmp_path: Path) -> None:
    stay, old, new = people("s", NAME, 20), people("a", NAME), people("b", NAME)
    assert counted(tmp_path, {"users": stay + old}, {"users": stay + new}) == {}


@pytest.mark.parametrize(("rows", "found"), [(4, {}), (5, {"users": 5})])
def test_of_fewer_than_five_rows_none_is_counted(
    rows: int, found: dict[str, int], tmp_path: Path
) -> None:
    old, new = (people(prefix, {"username": "{n}"}, rows) for prefix in "ab")
    assert counted(tmp_path, {"users": old}, {"users": new}) == found


@pytest.mark.parametrize(("alike", "found"), [(0, {}), (2, {"courses": 6})])
def test_the_courses_of_another_district_are_not_these_though_their_codes_are(
    alike: int, found: dict[str, int], tmp_path: Path
) -> None:
    """Two of its people are alike, or none: with two it may still be the same district."""
    old, new = (
        {
            "courses": [
                {"sourcedId": f"{side}{n}", "courseCode": f"{n}", "orgSourcedId": "d"}
                for n in range(6)
            ],
            "users": people(side, {"username": side + "{n}"}, 12)
            + people(side * 2, {"username": "{n}"}, alike),
        }
        for side in ("a", "b")
    )
    found = found | ({"users": alike} if alike else {})
    assert counted(tmp_path, old, new) == found


def sections(prefix: str, course: str = "c", term: str = "t") -> Frames:
    """One school, the sessions of a year, and six classes of a course."""
    classes = [
        {"sourcedId": f"{prefix}{n}", "classCode": f"k{n}", "title": "Art", "schoolSourcedId": "s",
         "courseSourcedId": course, "termSourcedIds": f"{term}1,{term}2"}
        for n in range(6)
    ]  # fmt: skip
    terms = [
        {"sourcedId": f"{term}{n}", "title": f"T{n}", "type": "term", "startDate": f"20{n}0-01-01"}
        for n in (1, 2)
    ]
    school = [{"sourcedId": "s", "name": "S", "type": "school"}]
    return {
        "orgs": frame_of("orgs", school),
        "academicSessions": frame_of("academicSessions", terms),
        "classes": frame_of("classes", classes),
    }


def test_classes_of_the_same_terms_come_again(tmp_path: Path) -> None:
    old, new = stored(sections("a"), tmp_path / "a"), stored(sections("b"), tmp_path / "b")
    assert affected(old, new) == {"classes": 6}


def test_classes_of_the_next_term_are_others_though_their_codes_are_the_same(
    tmp_path: Path,
) -> None:
    next_term = sections("b", term="n")
    dates = next_term["academicSessions"]["startDate"].str.replace("-01-", "-02-")
    next_term["academicSessions"] = next_term["academicSessions"].assign(startDate=dates)
    old, new = stored(sections("a"), tmp_path / "a"), stored(next_term, tmp_path / "b")
    assert affected(old, new) == {}


def test_terms_that_come_again_are_followed_whatever_their_order(tmp_path: Path) -> None:
    again = sections("b", term="n")
    turned = again["classes"].assign(
        termSourcedIds=again["classes"]["termSourcedIds"].str.replace("n1,n2", "n2,n1")
    )
    old = stored(sections("a"), tmp_path / "a")
    assert affected(old, stored(again | {"classes": turned}, tmp_path / "b")) == {"classes": 6}


def test_courses_of_the_next_year_are_others_though_their_codes_are_the_same(
    tmp_path: Path,
) -> None:
    old, new = (
        {
            "courses": [
                {"sourcedId": f"{year}{n}", "courseCode": f"{n}", "orgSourcedId": "d",
                 "schoolYearSourcedId": year}
                for n in range(6)
            ]
        }
        for year in ("y1", "y2")
    )  # fmt: skip
    assert counted(tmp_path, old, new) == {}


def test_enrollments_made_anew_for_the_same_people_in_the_same_classes_are_counted(
    tmp_path: Path,
) -> None:
    old, new = (
        [
            {"sourcedId": f"{prefix}{n}", "classSourcedId": "c", "userSourcedId": f"u{n}",
             "role": "student"}
            for n in range(6)
        ]
        for prefix in "ab"
    )  # fmt: skip
    assert counted(tmp_path, {"enrollments": old}, {"enrollments": new}) == {"enrollments": 6}
    new[0]["role"] = "teacher"
    (tmp_path / "two").mkdir()
    again = counted(tmp_path / "two", {"enrollments": old}, {"enrollments": new})
    assert again == {"enrollments": 5}


@pytest.mark.soak
def test_many_rows_in_small_parts_are_counted_alike(
    day: Day, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = exported(day, "1.2")
    spoilt_one = spoilt("all-ids-changed", package)
    found = affected(read(package, tmp_path / "1"), read(spoilt_one, tmp_path / "2"))
    monkeypatch.setattr(roster_module, "_FEWEST_ROWS", 50)
    monkeypatch.setattr(roster_module, "_MOST_ROWS", 100)
    monkeypatch.setattr(delta_module, "_MOST_KEPT", 1)
    old, new = read(package, tmp_path / "3"), read(spoilt_one, tmp_path / "4")
    assert len(old.tables["enrollments"].parts) > 10
    assert affected(old, new) == found


def test_with_nothing_accepted_before_nothing_comes_again(tmp_path: Path) -> None:
    new = stored({"users": frame_of("users", people("a", {"username": "{n}"}))}, tmp_path)
    assert set(count_rekeyed(diff(None, new)).values()) == {Share(0, 0)}
