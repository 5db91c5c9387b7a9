"""One small district for the whole folder: nothing here writes into it."""

import pytest

from roster_pipeline.simulator.district import Day, District


@pytest.fixture(scope="session")
def district() -> District:
    return District(students=1200, seed=7)


@pytest.fixture(scope="session")
def first_day(district: District) -> Day:
    return district.on(0)


@pytest.fixture(scope="session")
def tenth_day(first_day: Day) -> Day:
    return first_day.later(10)
