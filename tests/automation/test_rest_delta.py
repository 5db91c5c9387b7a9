"""A district whose server is asked for changes only."""

import os
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from roster_pipeline import cli
from roster_pipeline.oneroster.rest_json import utc_text
from roster_pipeline.simulator.district import District
from roster_pipeline.store import Outcome
from tests.automation.test_rest import RestTown, accepted_counts, school
from tests.automation.town import SOURCE
from tests.small import unpacked

__all__ = ["school"]


@pytest.mark.soak
def test_a_day_of_changes_brings_the_whole_roster(school: RestTown) -> None:
    school.rest.accents.no_headers = False
    school.write_rest(delta="{overlap_hours: 0}")
    school.approve(school.sync().hold)

    school.pass_days(1)
    school.rest.requests.clear()
    result = school.sync()

    assert result.outcome is Outcome.NOTHING_NEW
    assert any("filter=dateLastModified" in path for path in school.rest.requests)
    assert not any("changes only" in sentence for sentence in result.sentences)
    assert accepted_counts(school)["enrollments"] == len(unpacked(school.export)["enrollments"])


@pytest.mark.soak
def test_a_server_that_does_not_say_how_many_there_are_is_asked_for_all_and_it_is_said(
    school: RestTown,
) -> None:
    school.write_rest(delta="{overlap_hours: 24}")
    school.approve(school.sync().hold)
    school.pass_days(1)
    school.publish(8)

    result = school.sync()

    assert result.outcome is Outcome.DONE
    assert "does not say how many orgs it has" in str(result)


def since_of(school: RestTown) -> set[str]:
    """From when on changes were asked for."""
    asked = (parse_qs(urlsplit(path).query) for path in school.rest.requests)
    return {
        query["filter"][0].partition(">=")[2].strip("'") for query in asked if "filter" in query
    }


def at(school: RestTown, moment: datetime) -> None:
    """Let the server say of all that it has that it was modified then."""
    os.utime(school.export, (moment.timestamp(), moment.timestamp()))


@pytest.mark.parametrize("rejected", [pytest.param(True, marks=pytest.mark.soak), False])
def test_changes_are_laid_over_what_was_accepted_and_not_over_what_was_held(
    school: RestTown, rejected: bool
) -> None:
    school.rest.accents.no_headers = False
    school.write_rest(delta="{overlap_hours: 1}")
    first = school.now.replace(microsecond=0) - timedelta(hours=1)
    at(school, first)
    school.approve(school.sync().hold)
    good = school.export.read_bytes()

    school.pass_days(1)
    District(students=60, seed=5).write_package(school.export)
    at(school, school.now - timedelta(hours=1))
    held = school.sync()
    assert held.outcome is Outcome.HELD
    if rejected:
        with school.ledger() as ledger:
            ledger.reject(str(held.hold), "principal", "of another district", school.now)

    school.pass_days(1)
    # From a backup: every record says again that it was last modified on the first day.
    school.export.write_bytes(good)
    at(school, first)
    school.rest.requests.clear()
    result = school.sync()

    assert result.outcome is Outcome.NOTHING_NEW, result.sentences
    assert not result.sync.summary["notices"]
    assert since_of(school) == {utc_text(first - timedelta(hours=1))}
    assert accepted_counts(school)["enrollments"] == len(unpacked(school.export)["enrollments"])


@pytest.mark.soak
def test_all_is_asked_for_where_a_person_wants_that(
    school: RestTown, capsys: pytest.CaptureFixture[str]
) -> None:
    school.rest.accents.no_headers = False
    school.write_rest(delta="{overlap_hours: 24}")
    school.approve(school.sync().hold)
    words = ["sync", SOURCE, "-w", str(school.folder)]
    for more, changes in (([], True), (["--full"], False)):
        school.rest.requests.clear()
        assert cli.main([*words, *more]) == 0
        assert school.rest.requests
        assert bool(since_of(school)) is changes
        assert "changes only" not in capsys.readouterr().out
