"""The school year of a date, for files that have terms and no school years."""

import pytest

from roster_pipeline.sources.mapping.values import school_year


@pytest.mark.parametrize(
    ("day", "month", "year"),
    [
        ("2027-06-14", 9, "2027"),
        ("2026-12-18", 9, "2027"),
        ("2027-08-31", 9, "2027"),
        ("2027-09-01", 9, "2028"),
        ("2027-07-01", 7, "2028"),
        ("2027-12-10", 1, "2027"),
        ("2027-01-28", 1, "2027"),
    ],
)
def test_a_day_belongs_to_the_school_year_that_ends_next(day: str, month: int, year: str) -> None:
    assert school_year(day, month) == year


@pytest.mark.parametrize("text", ["6/14/2027", "2027-02-30", "summer", "2027"])
def test_what_is_no_date_stays_to_be_judged(text: str) -> None:
    assert school_year(text, 9) == text
