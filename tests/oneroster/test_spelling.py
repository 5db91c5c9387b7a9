"""Blanks around cells, and dates with times."""

import io

import pytest

from roster_pipeline.oneroster.package import open_package
from roster_pipeline.oneroster.spelling import day_as_written, day_in, moment_of
from tests.small import district, packed


def given_names(first: str, second: str) -> list[str]:
    files = district()
    files["users"][0]["givenName"], files["users"][1]["givenName"] = first, second
    with open_package(io.BytesIO(packed(files))) as package:
        (block,) = package.blocks("users")
    return list(block.frame["givenName"][:2])


@pytest.mark.parametrize("blank", [" ", "\t", "\n", "\v", "\f", "\u00a0", "\u3000", "\x85"])
def test_what_becomes_of_a_cell_does_not_depend_on_the_others(blank: str) -> None:
    alone, _ = given_names(f"{blank}Ada{blank}", "NA")
    beside, other = given_names(f"{blank}Ada{blank}", " NA")
    assert alone == beside == ("Ada" if blank.isascii() else f"{blank}Ada{blank}")
    assert other == "NA"


@pytest.mark.parametrize(
    ("written", "there"),
    [
        ("2022-03-15T01:30:00.0000000+00:00", "2022-03-14"),
        ("2022-03-15T05:00:00Z", "2022-03-15"),
        ("2022-03-15 23:30:00-0800", "2022-03-16"),
        # Midnight means a day, whatever offset a server puts behind it.
        ("2022-03-15T00:00:00.000Z", "2022-03-15"),
        ("2022-03-15T00:00:00.0000000+09:00", "2022-03-15"),
        # Nobody says where.
        ("2022-03-15T01:30:00", "2022-03-15"),
        # PostgreSQL, Ruby, and what ISO 8601 allows beside.
        ("2022-03-15 04:30:00+00", "2022-03-14"),
        ("2022-03-15T04:30:00.5 +00:00", "2022-03-14"),
        ("2022-03-15 04:30:00 -0000", "2022-03-14"),
        ("2022-03-15t04:30:00z", "2022-03-14"),
        ("2022-03-15T04:30:00,5Z", "2022-03-14"),
        ("2022-03-15T00:00:00,000+00", "2022-03-15"),
        # Not a moment: the day is judged.
        ("2022-13-45T01:30:00Z", "2022-13-45"),
        ("2022-03-15T99:99:00Z", "2022-03-15"),
        ("0001-01-01T01:00:00Z", "0001-01-01"),
        ("2022-03-15", "2022-03-15"),
        ("15.3.2022", "15.3.2022"),
    ],
)
def test_a_moment_is_the_day_that_it_is_in_the_district(written: str, there: str) -> None:
    assert day_in("America/Chicago")(written) == there


MOMENTS = [
    "2022-03-15T01:30:00.0000000+00:00",
    "2022-03-15T05:00:00+00",
    "2022-03-15 05:00:00 +00:00",
    "2022-03-15t05:00:00z",
    "2022-03-15T05:00:00,5Z",
]
NO_DATES = ["2022-03-15T05:00:00+", "2022-03-15T05:00:00  Z", "2022-03-15Z", "2022-03-15T05:00Z\n"]


def test_without_a_timezone_a_moment_is_the_day_as_written() -> None:
    assert {day_as_written(text) for text in MOMENTS} == {"2022-03-15"}
    assert [day_as_written(text) for text in NO_DATES] == NO_DATES


@pytest.mark.parametrize("written", MOMENTS)
def test_a_moment_in_a_csv_file_is_its_day(written: str) -> None:
    files = district()
    files["enrollments"][0]["beginDate"] = written
    with open_package(io.BytesIO(packed(files))) as package:
        (block,) = package.blocks("enrollments")
    assert block.frame["beginDate"][0] == "2022-03-15"
    assert [(f.code, f.column) for f in block.findings] == [("cell.spelling", "beginDate")]


def test_a_moment_without_an_offset_is_one_of_utc() -> None:
    assert {str(moment_of(text)) for text in ("2022-03-15 05:00:00", "2022-03-15t05:00:00,0z")} == {
        "2022-03-15 05:00:00+00:00"
    }
    assert moment_of("2022-03-15T25:00:00Z") is moment_of("soon") is None
