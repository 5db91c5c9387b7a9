"""Which column a name is taken for."""

import pytest

from roster_pipeline.oneroster.entities import columns
from roster_pipeline.oneroster.header import match_header

_USERS = [column.name for column in columns("users") if column.name != "username"]


@pytest.mark.parametrize("other", ["usernames", "user_namer"])
def test_a_name_right_but_for_its_case_goes_before_one_that_is_only_near(other: str) -> None:
    written = [other, *_USERS, "UserName"]
    header = match_header(written, columns("users"), "users.csv")
    assert header.read_as[-1] == "username"
    assert header.read_as[0] is None


def test_a_column_of_the_length_of_a_file_is_no_near_miss() -> None:
    header = match_header([*_USERS, "username" * 500_000], columns("users"), "users.csv")
    assert header.read_as[-1] is None
