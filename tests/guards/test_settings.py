from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from roster_pipeline.guards.facts import PEOPLE
from roster_pipeline.guards.settings import GuardSettings, Limit
from roster_pipeline.oneroster.entities import ENTITIES
from tests.guards.any_day import any_settings
from tests.guards.days import settings


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.floats(0, 100), st.integers(0, 50))
def test_more_rows_affected_never_pass_a_limit_that_fewer_do_not(
    total: int, removed: int, percent: float, floor: int
) -> None:
    limit = Limit(percent=percent, floor=floor)

    if limit.passed_by(removed, total):
        assert limit.passed_by(removed + 1, total)
    assert not limit.passed_by(0, total)


def test_a_sources_limits_overlay_those_of_the_workspace_key_by_key() -> None:
    general = settings(
        removed={"percent": 8, "floor": 3}, entities={"users": {"removed": {"count": 9}}}
    )
    own = settings(removed={"percent": 15}, entities={"orgs": {"removed": {"floor": 1}}})

    both = general.overlaid_by(own)

    assert (both.removed.percent, both.removed.floor) == (15, 3)
    assert both.of("users").removed.count == 9
    assert both.of("orgs").removed.floor == 1
    assert general.overlaid_by(settings()) == general


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"removed": {"percent": 101}}, "less than or equal to 100"),
        ({"removed": {"percent": float("nan")}}, "finite number"),
        ({"removed": {"floor": -1}}, "greater than or equal to 0"),
        ({"entities": {"pupils": {}}}, "no entity is called pupils"),
        ({"aditions": {"percent": 5}}, "Extra inputs"),
        ({"people": {"pupils": {}}}, "no kind of people is called pupils"),
        ({"people": {"students": {"orphaned": {}}}}, "Extra inputs"),
        ({"removed": {"count": 1.5}}, "valid integer"),
        ({"overlap": 101}, "less than or equal to 100"),
        ({"cumulative": {"in_8_days": {}}}, "Extra inputs"),
        ({"policy": "never"}, "'hold' or 'additions_only'"),
    ],
)
def test_limits_that_make_no_sense_are_refused(keys: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        settings(**keys)


@pytest.mark.parametrize(
    ("name", "percent", "floor"),
    [
        ("removed", 10, 5),
        ("additions", 75, 25),
        ("changes", 75, 25),
        ("deactivated", 10, 5),
        ("descoped", 10, 5),
        ("held_back", 20, 5),
        ("orphaned", 1, 5),
        ("emptied_classes", 0.5, 1),
        ("rekeyed", 5, 5),
        ("role_flips", 1, 5),
        ("moved_school", 5, 25),
        ("sign_in", 5, 10),
        ("schools.removed", 25, 10),
        ("schools.additions", None, 5),
        ("schools.changes", None, 5),
        ("schools.deactivated", 25, 10),
        ("schools.descoped", None, 5),
        ("cumulative.in_7_days", 20, 5),
        ("cumulative.in_30_days", 30, 5),
        ("cumulative.at_school_in_7_days", 40, 15),
        ("cumulative.at_school_in_30_days", 50, 20),
    ],
)
def test_a_limit_of_which_only_a_part_is_said_keeps_the_other_defaults_of_its_kind(
    name: str, percent: float | None, floor: int
) -> None:
    assert _limit(settings(), name) == (percent, floor, None)
    assert _limit(settings(**_keys(name, {"percent": 33})), name) == (33, floor, None)
    assert _limit(settings(**_keys(name, {"floor": 77})), name) == (percent, 77, None)
    assert _limit(settings(**_keys(name, {"count": 8})), name) == (percent, floor, 8)


@given(any_settings(), any_settings())
def test_overlaid_settings_have_every_key_that_is_said_above_and_else_those_below(
    below: GuardSettings, above: GuardSettings
) -> None:
    both = _said(below.overlaid_by(above))

    assert both == {**_said(below), **_said(above)}


def test_a_limit_that_is_lifted_stays_lifted_when_overlaid() -> None:
    lifted = settings(additions={"percent": 50}).overlaid_by(settings(additions={"percent": None}))

    assert lifted.additions.percent is None
    assert not lifted.additions.passed_by(10_000, 1)
    assert lifted.of("users").additions.percent is None
    assert lifted.overlaid_by(settings(additions={"floor": 3})).additions.percent is None


def test_limits_of_an_entity_or_kind_stand_over_general_ones_key_by_key() -> None:
    both = settings(
        removed={"percent": 3, "floor": 2},
        entities={"users": {"removed": {"percent": 4}, "orphaned": {"count": 1}}},
        people={"students": {"removed": {"count": 9}}},
    )

    assert _limit(both.of("users"), "removed") == (4, 2, None)
    assert _limit(both.of("users"), "orphaned") == (1, 5, 1)
    assert _limit(both.of("orgs"), "removed") == (3, 2, None)
    assert _limit(both.of_people("students"), "removed") == (3, 2, 9)
    assert _limit(both.of_people("teachers"), "removed") == (3, 2, None)
    assert _limit(both.of_people("students"), "additions") == (75, 25, None)


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        ({}, "10 % (120 rows), from 5 rows up"),
        ({"floor": 1}, "10 % (120 rows)"),
        ({"count": 2000}, "10 % (120 rows), from 5 rows up, or 2,000 rows in any case"),
        ({"percent": None, "count": 0}, "0 rows in any case"),
        ({"percent": None}, "none"),
    ],
)
def test_a_limit_can_be_said_in_words(limit: dict[str, Any], sentence: str) -> None:
    assert Limit.model_validate(limit).sentence(1200) == sentence
    assert Limit.model_validate(limit).sentence(1200, "people") == sentence.replace(
        "rows", "people"
    )


def test_editors_learn_every_key_from_the_schema() -> None:
    schema = GuardSettings.model_json_schema()

    assert set(schema["properties"]) == set(GuardSettings.model_fields)
    assert schema["additionalProperties"] is False
    cumulative = schema["$defs"]["Cumulative"]["properties"]
    assert set(cumulative) == {
        "in_7_days",
        "in_30_days",
        "at_school_in_7_days",
        "at_school_in_30_days",
    }


def test_every_entity_and_kind_of_people_has_limits() -> None:
    every = settings(
        entities={entity: {"removed": {"percent": 1}} for entity in ENTITIES},
        people={kind: {"removed": {"percent": 2}} for kind in PEOPLE},
    )

    assert {every.of(entity).removed.percent for entity in ENTITIES} == {1}
    assert {every.of_people(kind).removed.percent for kind in PEOPLE} == {2}


def _keys(name: str, limit: dict[str, Any]) -> dict[str, Any]:
    first, _, rest = name.partition(".")
    return {first: _keys(rest, limit) if rest else limit}


def _limit(of: Any, name: str) -> tuple[float | None, int, int | None]:
    for part in name.split("."):
        of = getattr(of, part)
    return of.percent, of.floor, of.count


def _said(limits: GuardSettings) -> dict[str, Any]:
    """Each value that is said, by the path of its keys."""
    return dict(_leaves("", limits.model_dump(exclude_unset=True)))


def _leaves(path: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [leaf for key, of in value.items() for leaf in _leaves(f"{path}.{key}", of)]
    return [(path, value)]


def test_classes_and_enrollments_of_the_next_term_may_stand_beside_those_of_the_last() -> None:
    usual = settings()
    assert (usual.of("classes").additions.percent, usual.of("users").additions.percent) == (150, 75)
    assert usual.of("enrollments").additions.floor == usual.of("users").additions.floor

    said = settings(additions={"percent": 40}, entities={"classes": {"additions": {"floor": 9}}})
    assert said.of("enrollments").additions.percent == 40
    assert said.of("classes").additions.model_dump() == {"percent": 40, "floor": 9, "count": None}


def test_no_term_may_end_before_its_time_unless_somebody_says_so() -> None:
    assert _limit(settings().of("academicSessions"), "deactivated") == (0, 1, None)
    assert _limit(settings().of("classes"), "deactivated") == (10, 5, None)
    said = settings(entities={"academicSessions": {"deactivated": {"percent": 40}}})
    assert _limit(said.of("academicSessions"), "deactivated") == (40, 1, None)


@pytest.mark.parametrize(
    ("limit", "twice"),
    [
        ({}, (20, 5, None)),
        ({"percent": 75, "floor": 25, "count": 40}, (150, 25, 80)),
        ({"percent": None}, (None, 5, None)),
    ],
)
def test_a_limit_may_be_taken_twice(limit: dict[str, Any], twice: tuple[Any, ...]) -> None:
    doubled = Limit.model_validate(limit).times(2)

    assert (doubled.percent, doubled.floor, doubled.count) == twice
