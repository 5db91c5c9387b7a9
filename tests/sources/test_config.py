from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from roster_pipeline.sources import vendors
from roster_pipeline.sources.config import DateRule, Source
from tests.sources.conftest import source


def test_a_vendors_defaults_hold_where_a_source_does_not_say() -> None:
    assert source().pattern == "*.zip"
    assert source(pattern="SIS_*.zip").pattern == "SIS_*.zip"
    assert source().complete.stable_seconds == 5
    assert source(complete={"marker": "{name}.done"}).complete.stable_seconds is None


def test_every_shipped_profile_has_defaults_that_a_source_may_have() -> None:
    for name in vendors.known():
        assert source(vendor=name).profile == vendors.load(name)


def test_an_unknown_vendor_is_refused_with_the_known_ones() -> None:
    known = ", ".join(vendors.known())
    with pytest.raises(ValidationError, match=f"'powerscool'; the profiles are {known}"):
        source(vendor="powerscool")


@pytest.mark.parametrize(
    ("keys", "cron"),
    [
        ({}, "30 2 * * *"),
        ({"at": "23:05"}, "5 23 * * *"),
        ({"cadence": "weekly", "weekday": "monday"}, "30 2 * * 1"),
        ({"cadence": "weekly", "weekday": "sunday"}, "30 2 * * 0"),
    ],
)
def test_cadence_and_time_say_when_a_source_runs(keys: dict[str, Any], cron: str) -> None:
    assert source(**keys).cron == cron


def test_a_weekly_source_runs_on_its_weekday_only() -> None:
    weekly = source(cadence="weekly", weekday="wednesday")

    assert [d for d in range(24, 31) if weekly.runs_on(date(2026, 8, d))] == [26]
    assert all(source().runs_on(date(2026, 8, d)) for d in range(24, 31))


def test_today_is_the_districts_today() -> None:
    moment = datetime(2026, 8, 26, 11, 30, tzinfo=UTC)

    assert source(timezone="Pacific/Honolulu").date_of(moment) == date(2026, 8, 26)
    assert source(timezone="Pacific/Auckland").date_of(moment) == date(2026, 8, 26)
    assert source(timezone="Pacific/Kiritimati").date_of(moment) == date(2026, 8, 27)


@pytest.mark.parametrize(
    ("pattern", "name", "found"),
    [
        (r"(?P<date>\d{8})", "roster-20260826.zip", date(2026, 8, 26)),
        (r"(?P<date>\d{4}.\d\d.\d\d)", "roster 2026-08-26.zip", date(2026, 8, 26)),
        (r"(?P<month>\d\d)(?P<day>\d\d)(?P<year>\d{4})", "r_08262026.zip", date(2026, 8, 26)),
        (r"(?P<date>\d{8})", "roster-20261350.zip", None),
        (r"(?P<date>\d+)", "roster-7.zip", None),
        (r"(?P<date>\d{8})?x", "x.zip", None),
        (r"(?P<date>\d{8})", "roster.zip", None),
    ],
)
def test_a_name_states_a_date(pattern: str, name: str, found: date | None) -> None:
    assert DateRule(name=pattern).date_in(name) == found


def test_what_is_expected_of_rows_and_of_columns_stands_together() -> None:
    expect = source(expect={"users": [4000, 9000], "fill": {"users.email": 95}}).expect
    assert expect.rows == {"users": (4000, 9000)}
    assert expect.fill == {"users.email": 95}
    assert source().expect.rows == {}


def test_people_and_dates_are_expected_beside_rows() -> None:
    last = {"academicSessions.endDate": 30, "enrollments.endDate": date(2027, 6, 1)}
    expect = source(expect={"students": [100, 200], "users": [1, 300], "last_date": last}).expect

    assert expect.people == {"students": (100, 200)}
    assert expect.rows == {"users": (1, 300)}
    days = {"academicSessions.endDate": 30, "enrollments.endDate": 190}
    assert expect.last_days(date(2026, 11, 23)) == days


@given(st.text(max_size=40))
def test_no_name_makes_a_date_rule_fail(name: str) -> None:
    DateRule(name=r"(?P<date>.*)").date_in(name)
    DateRule(name=r"(?P<year>.)(?P<month>.)?(?P<day>.)?").date_in(name)


def test_roles_override_the_usual_translation_type_by_type() -> None:
    roles = {"administrator": {"school": "principal"}, "aide": {"other": "ext:helper"}}

    assert source(roles=roles).role_map == {
        "administrator": {"school": "principal", "other": "districtAdministrator"},
        "aide": {"other": "ext:helper"},
    }
    assert source().role_map["administrator"]["school"] == "siteAdministrator"


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"id": "Springfield"}, "small letters, digits and single hyphens"),
        ({"id": "a" * 64}, "at most 63"),
        ({"name": " "}, "empty, or has spaces around it"),
        ({"timezone": "America/Chicgo"}, "did you mean America/Chicago?"),
        ({"timezone": "../../etc/passwd"}, "not an IANA timezone"),
        ({"timezone": "America"}, "not an IANA timezone"),
        ({"timezone": "EDT"}, "not an IANA timezone"),
        ({"cadence": "hourly"}, "'daily' or 'weekly'"),
        ({"cadence": "weekly"}, "a weekly source needs a weekday"),
        ({"weekday": "monday"}, "a daily source runs every day"),
        ({"cadence": "weekly", "weekday": "montag"}, "'monday'"),
        ({"at": "2:30"}, '"HH:MM"'),
        ({"at": "24:00"}, '"HH:MM"'),
        ({"date_from": "name"}, "`arrival`, or `name:`"),
        ({"date_from": {"name": "["}}, "not a regular expression"),
        ({"date_from": {"name": r"\d{8}"}}, "needs a group for the date"),
        ({"complete": {}}, "exactly one of"),
        ({"complete": {"quiet_seconds": 5, "marker": "{name}.done"}}, "exactly one of"),
        ({"complete": {"quiet_seconds": -1}}, "greater than or equal to 0"),
        ({"complete": {"marker": "done"}}, "with {name} or {stem}"),
        ({"complete": {"marker": "{name}"}}, "cannot be the drop itself"),
        ({"complete": {"marker": "{date}{name}.done"}}, "with {name} or {stem}"),
        ({"roles": {"janitor": {"other": "aide"}}}, "1.1 has no role janitor"),
        ({"roles": {"aide": {"building": "aide"}}}, "no org has the type building"),
        ({"roles": {"aide": {"school": "boss"}}}, "1.2 has no role boss"),
        ({"scope": {"schools": []}}, "leave `schools` out"),
        ({"scope": {"schools": ["s1", "s1"]}}, "named twice"),
        ({"scope": {"schools": [10]}}, "valid string"),
        ({"expect": {"pupils": [1, 2]}}, "no entity is called pupils"),
        ({"expect": {"user": [1, 2]}}, "no entity is called user; did you mean users?"),
        ({"expect": {"studnts": [1, 2]}}, "did you mean students?"),
        ({"expect": {"students": 4000}}, "valid tuple"),
        ({"expect": {"teachers": [9, 3]}}, "the fewest and the most"),
        ({"expect": {"last_date": {"academicSessions.end": 0}}}, "mean academicSessions.endDate?"),
        ({"expect": {"last_date": {"demographics.birthDate": 0}}}, "is no column of dates"),
        ({"expect": {"last_date": {"roles.endDate": "June"}}}, "say a date as YYYY-MM-DD, or how"),
        ({"expect": {"last_date": {"roles.endDate": 99999}}}, "less than or equal to 3660"),
        ({"expect": {"fill": {"users": 95}}}, "an entity and a column, such as users.email"),
        ({"expect": {"fill": {"user.email": 95}}}, "called user; did you mean users?"),
        ({"expect": {"fill": {"users.mail": 95}}}, "no column mail; did you mean email?"),
        ({"expect": {"fill": {"users.email": 101}}}, "less than or equal to 100"),
        ({"expect": {"users": [2, 1]}}, "the fewest and the most rows"),
        ({"expect": {"users": 4000}}, "valid tuple"),
        ({"strict": "yes"}, "valid boolean"),
        ({"favourite": 1}, "Extra inputs are not permitted"),
    ],
)
def test_what_a_source_may_not_say_is_refused_with_a_sentence(
    keys: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValidationError) as error:
        source(**keys)
    assert sentence in str(error.value)


def test_a_source_cannot_be_changed_after_it_was_read() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        source().at = "03:00"


def test_editors_are_told_what_must_be_given() -> None:
    schema = Source.model_json_schema()

    assert set(schema["required"]) == {"id", "name", "timezone"}
    assert schema["oneOf"] == [{"required": ["transport"]}, {"required": ["rest"]}]
    assert "generic-csv" in schema["properties"]["vendor"]["enum"]
