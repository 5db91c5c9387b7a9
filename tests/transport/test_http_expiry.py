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


def test_of_two_credentials_the_one_that_ends_last_counts() -> None:
    for pair in ([5, 90], [90, 5]):
        ends = expiry([login(days) for days in pair], TODAY)
        assert ends is not None
        assert ends.days == 90


def test_credentials_without_a_date_do_not_end() -> None:
    assert expiry([login(None)], TODAY) is None
    assert expiry([login(-5), login(None)], TODAY) is None
