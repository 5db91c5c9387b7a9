import pytest

from roster_pipeline.sources.config import Expect
from roster_pipeline.sources.suggesting import suggest, watched_columns

USERS = {"users": 1000}


def test_between_the_fewest_and_the_most_there_is_room_on_both_sides() -> None:
    history = [{"users": 1000, "orgs": 12}, {"users": 1210, "orgs": 12}]

    made = suggest(history, [{"students": 900, "teachers": 60}], {})
    assert made["users"] == [800, 1600]
    assert made["orgs"] == [9, 15]
    assert (made["students"], made["teachers"]) == ([720, 1200], [48, 75])


@pytest.mark.parametrize("rows", [1, 2, 7, 99, 100, 101, 1001, 7_123_456])
def test_what_was_there_is_always_expected(rows: int) -> None:
    (least, most) = suggest([{"users": rows}], [], {})["users"]
    assert 1 <= least <= rows <= most
    assert least <= 0.8 * rows or least == 1
    assert most >= 1.25 * rows


def test_what_was_missing_once_is_not_expected() -> None:
    made = suggest([{"users": 10, "demographics": 5}, {"users": 10}], [], {})
    assert set(made) == {"users", "last_date"}


def test_columns_are_expected_to_be_somewhat_less_full_than_they_are() -> None:
    filled = {"users.email": 1000, "users.grades": 855, "users.phone": 499, "orgs.identifier": 0}
    assert suggest([USERS], [], filled)["fill"] == {"users.email": 90, "users.grades": 76}


def test_no_last_date_is_expected_of_sessions_without_dates() -> None:
    assert "last_date" not in suggest([USERS], [], {}, has_sessions=False)


def test_cells_that_every_row_must_have_are_not_watched() -> None:
    watched = watched_columns()
    assert "users.email" in watched
    assert "enrollments.endDate" in watched
    assert not {"users.sourcedId", "users.username", "users.status"} & set(watched)


def test_what_is_suggested_may_stand_in_a_sources_file() -> None:
    made = suggest([USERS], [{"students": 900}], {"users.email": 950})
    assert Expect.model_validate(made).rows == {"users": (800, 1300)}
