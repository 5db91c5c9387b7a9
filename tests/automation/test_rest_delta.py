"""A district whose server is asked for changes only."""

from roster_pipeline.store import Outcome
from tests.automation.test_rest import RestTown, accepted_counts, school
from tests.small import unpacked

__all__ = ["school"]


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
