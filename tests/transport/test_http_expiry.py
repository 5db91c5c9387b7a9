"""When credentials end, by the dates that are noted."""

from datetime import date, timedelta

import pytest

from roster_pipeline.transport.http_config import HttpAuth
from roster_pipeline.transport.http_expiry import WARNING_DAYS, expiry

TODAY = date(2026, 11, 23)


def login(days: int | None) -> HttpAuth:
    """A login that ends so many days from now."""
    ends = None if days is None else TODAY + timedelta(days=days)
    return HttpAuth.model_validate({"bearer": {"token": {"env": "TOKEN"}}, "expires": ends})


@pytest.mark.parametrize(
    ("days", "state", "sentence"),
    [
        (WARNING_DAYS + 1, "fine", "The credentials end on 2026-12-24."),
        (WARNING_DAYS, "soon", "The credentials end in 30 days, on 2026-12-23. Ask for new ones"),
        (1, "soon", "The credentials end tomorrow, on 2026-11-24."),
        (0, "soon", "The credentials end today, on 2026-11-23."),
        (-1, "over", "The credentials ended on 2026-11-22. Put new ones under `auth`"),
    ],
)
def test_the_end_is_told_thirty_days_before_and_after_it(
    days: int, state: str, sentence: str
) -> None:
    ends = expiry([login(days)], TODAY)
    assert ends is not None
    assert (ends.days, ends.state) == (days, state)
    assert ends.sentence().startswith(sentence)


@pytest.mark.parametrize(
    ("pair", "state", "sentence"),
    [
        (
            (10, None),
            "soon",
            "The first of two credentials ends in 10 days, on 2026-12-03; the second says nothing "
            "of its end. See with `roster source test` that the second is taken, then take the "
            "first out of `auth`.",
        ),
        (
            (-5, None),
            "soon",
            "The first of two credentials ended on 2026-11-18; the second says nothing of its end. "
            "See with",
        ),
        (
            (None, 0),
            "soon",
            "The first of two credentials says nothing of its end; the second ends today, on "
            "2026-11-23. See with `roster source test` that the first is taken, then take the "
            "second out",
        ),
        (
            (-5, 90),
            "soon",
            "The first of two credentials ended on 2026-11-18; the second ends on 2027-02-21. See",
        ),
        (
            (20, 1),
            "soon",
            "The first of two credentials ends in 20 days, on 2026-12-13; the second ends "
            "tomorrow, on 2026-11-24. Ask for new ones and put them in the place of the second.",
        ),
        (
            (-5, -1),
            "over",
            "The first of two credentials ended on 2026-11-18; the second ended on 2026-11-22. Put",
        ),
        (
            (90, 400),
            "fine",
            "The first of two credentials ends on 2027-02-21; the second ends on 2027-12-28.",
        ),
    ],
)
def test_of_two_credentials_each_end_is_told(
    pair: tuple[int | None, int | None], state: str, sentence: str
) -> None:
    ends = expiry([login(days) for days in pair], TODAY)
    assert ends is not None
    assert ends.state == state
    assert ends.sentence().startswith(sentence)


def test_the_day_to_tell_of_is_the_first_unless_all_are_past() -> None:
    for pair, days in (((10, None), 10), ((90, -5), -5), ((-9, -2), -2)):
        ends = expiry([login(each) for each in pair], TODAY)
        assert ends is not None
        assert ends.days == days


def test_credentials_without_a_date_do_not_end() -> None:
    assert expiry([login(None)], TODAY) is None
    assert expiry([login(None), login(None)], TODAY) is None
