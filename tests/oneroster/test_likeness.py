"""What tells rows apart beside their sourcedIds."""

from roster_pipeline.oneroster.entities import ENTITIES, names
from roster_pipeline.oneroster.likeness import WAYS, telling
from tests.oneroster.strategies import frame_of


def test_every_way_is_made_of_cells_that_the_standard_knows() -> None:
    for entity, ways in WAYS.items():
        assert entity in ENTITIES
        assert all(ways)
        assert {name for way in ways for name in way} <= {*names(entity)} - {"sourcedId"}


def test_the_same_username_is_the_same_way_under_any_sourced_id() -> None:
    rows = [
        {"sourcedId": "a", "username": "ada", "email": "ada@one.example"},
        {"sourcedId": "b", "username": "ada", "email": "ada@two.example"},
    ]
    username, email, *_ = telling("users", frame_of("users", rows))
    assert username[0][0] == username[0][1]
    assert email[0][0] != email[0][1]


def test_a_way_holds_only_for_rows_with_all_its_cells() -> None:
    rows = [
        {"sourcedId": "a", "courseCode": "MA1", "orgSourcedId": "d"},
        {"sourcedId": "b", "courseCode": "MA1"},
        {"sourcedId": "c", "title": "Algebra", "orgSourcedId": "d"},
    ]
    by_code, by_title = telling("courses", frame_of("courses", rows))
    assert list(by_code[1]) == [True, False, False]
    assert list(by_title[1]) == [False, False, True]


def test_columns_that_are_not_there_tell_nothing() -> None:
    frame = frame_of("users", [{"sourcedId": "a"}])[["sourcedId"]]
    assert not any(holds.any() for _, holds in telling("users", frame))


def test_nothing_but_the_user_tells_demographics_apart() -> None:
    assert telling("demographics", frame_of("demographics", [{"sourcedId": "a"}])) == ()
