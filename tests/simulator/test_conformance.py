"""What the district writes is what the standard asks for."""

from collections import defaultdict

import pandas as pd
import pytest

from roster_pipeline.oneroster.entities import (
    BULK_BLANK,
    ENTITIES,
    ENTITIES_1P1,
    MODELS,
    Column,
    Kind,
    columns,
    columns_1p1,
    names,
)
from roster_pipeline.simulator.cells import IdStyle
from roster_pipeline.simulator.district import Day, District
from roster_pipeline.tables.text import TEXT

DISTRICTS = [
    District(students=1, seed=1),
    District(students=40, seed=2, ids=IdStyle.NUMBER, guardians=1.0, metadata=True),
    District(students=1200, seed=7, passwords=True),
    District(students=9000, seed=3, ids=IdStyle.PREFIXED, guardians=0.0),
]


@pytest.fixture(scope="module", params=DISTRICTS, ids=lambda d: f"{d.students} students")
def some_day(request: pytest.FixtureRequest) -> Day:
    district: District = request.param
    return district.on(5)


def _items(frame: pd.DataFrame, column: Column) -> list[str]:
    cells = frame[column.name].dropna()
    if column.kind is Kind.REFERENCES:
        cells = cells.str.split(",").explode()
    return [str(cell) for cell in cells]


def _dangling(day: Day, version: str, tables: dict[str, tuple[Column, ...]]) -> list[str]:
    frames = {entity: day.frame(entity, version) for entity in tables}
    types = {
        entity: dict(zip(frame["sourcedId"], frame["type"], strict=True))
        for entity, frame in frames.items()
        if "type" in frame
    }
    ids = {entity: set(frame["sourcedId"]) for entity, frame in frames.items()}
    wrong: list[str] = []
    for entity, of_entity in tables.items():
        for column in of_entity:
            if column.target is None or column.target not in frames:
                continue
            target, allowed = column.target, column.target_types
            wrong.extend(
                f"{entity}.{column.name}"
                for item in _items(frames[entity], column)
                if item not in ids[target] or (allowed and types[target][item] not in allowed)
            )
    return wrong


@pytest.mark.parametrize("entity", ENTITIES)
def test_every_cell_of_1p2_passes_the_model_of_its_entity(some_day: Day, entity: str) -> None:
    frame = some_day.frame(entity)

    MODELS[entity].validate(frame, lazy=True)
    assert tuple(frame.columns[: len(names(entity))]) == names(entity)
    assert all(dtype == TEXT for dtype in frame.dtypes)
    assert not (frame == "").any().any()
    assert frame[list(BULK_BLANK)].isna().all().all()
    assert frame["sourcedId"].is_unique


def test_every_reference_of_1p2_resolves(some_day: Day) -> None:
    assert _dangling(some_day, "1.2", {entity: columns(entity) for entity in ENTITIES}) == []


def test_every_reference_of_1p1_resolves(some_day: Day) -> None:
    tables = {entity: columns_1p1(entity) for entity in ENTITIES_1P1}

    assert _dangling(some_day, "1.1", tables) == []


@pytest.mark.parametrize("entity", ENTITIES_1P1)
def test_every_word_of_1p1_is_in_its_vocabulary(some_day: Day, entity: str) -> None:
    frame = some_day.frame(entity, "1.1")

    assert tuple(frame.columns[: len(columns_1p1(entity))]) == tuple(
        column.name for column in columns_1p1(entity)
    )
    assert frame["sourcedId"].is_unique
    for column in columns_1p1(entity):
        if column.words:
            assert set(frame[column.name].dropna()) <= set(column.words), column.name
        if column.required == "always":
            assert not frame[column.name].isna().any(), column.name


def test_everyone_has_one_primary_role_at_each_of_their_orgs(some_day: Day) -> None:
    users, roles = some_day.frame("users"), some_day.frame("roles")

    primary = roles[roles["roleType"] == "primary"]
    at_org = roles.groupby(["userSourcedId", "orgSourcedId"]).ngroups
    assert not primary.duplicated(["userSourcedId", "orgSourcedId"]).any()
    assert len(primary) == at_org
    assert set(roles["userSourcedId"]) == set(users["sourcedId"])


def test_a_primary_org_is_backed_by_a_role_there(some_day: Day) -> None:
    users, roles = some_day.frame("users"), some_day.frame("roles")

    backed = set(zip(roles["userSourcedId"], roles["orgSourcedId"], strict=True))
    stated = users.dropna(subset=["primaryOrgSourcedId"])
    assert set(zip(stated["sourcedId"], stated["primaryOrgSourcedId"], strict=True)) <= backed


def test_people_are_enrolled_where_they_have_a_role(some_day: Day) -> None:
    roles, enrollments = some_day.frame("roles"), some_day.frame("enrollments")

    held = set(zip(roles["userSourcedId"], roles["role"], roles["orgSourcedId"], strict=True))
    used = zip(
        enrollments["userSourcedId"],
        enrollments["role"],
        enrollments["schoolSourcedId"],
        strict=True,
    )
    assert set(used) <= held


def test_dates_lie_within_the_terms_of_the_class(some_day: Day) -> None:
    sessions = some_day.frame("academicSessions").set_index("sourcedId")
    classes = some_day.frame("classes").set_index("sourcedId")
    enrollments = some_day.frame("enrollments")

    cells = classes.loc[enrollments["classSourcedId"], "termSourcedIds"].astype(object)
    terms = cells.str.split(",")
    starts = sessions.loc[terms.str[0], "startDate"].to_numpy()
    ends = sessions.loc[terms.str[-1], "endDate"].to_numpy()
    assert (starts <= enrollments["beginDate"].to_numpy()).all()
    assert (enrollments["beginDate"].to_numpy() < enrollments["endDate"].to_numpy()).all()
    assert (enrollments["endDate"].to_numpy() <= ends).all()
    year = sessions[sessions["type"] == "schoolYear"].iloc[0]
    assert year["startDate"] <= some_day.district.date_of(5).isoformat() < year["endDate"]


def test_nobody_is_in_two_places_in_one_period(first_day: Day) -> None:
    classes = first_day.frame("classes").set_index("sourcedId")
    enrollments = first_day.frame("enrollments")

    when = classes.loc[enrollments["classSourcedId"], ["periods", "termSourcedIds"]]
    schedule = pd.DataFrame(
        {
            "user": enrollments["userSourcedId"].astype(str),
            "role": enrollments["role"].astype(str),
            "primary": enrollments["primary"].astype(str),
            "period": when["periods"].to_numpy(),
            "term": when["termSourcedIds"].to_numpy(),
        }
    ).dropna()
    schedule["term"] = schedule["term"].astype(object).str.split(",")
    schedule = schedule.explode("term")
    main = schedule[(schedule["role"] == "student") | (schedule["primary"] == "true")]
    assert not main.duplicated(["user", "period", "term"]).any()


def test_agents_are_named_from_both_sides(first_day: Day) -> None:
    users = first_day.frame("users").dropna(subset=["agentSourcedIds"])

    agents: dict[str, set[str]] = defaultdict(set)
    for person, cell in zip(users["sourcedId"], users["agentSourcedIds"], strict=True):
        agents[str(person)] = set(str(cell).split(","))
    assert agents
    assert all(person in agents[other] for person, named in agents.items() for other in named)


def test_usernames_and_addresses_belong_to_one_person_and_to_no_real_domain(
    some_day: Day,
) -> None:
    users = some_day.frame("users")

    assert users["username"].is_unique
    emails = users["email"].dropna()
    assert emails.is_unique
    assert emails.str.contains(r"@(?:[a-z]+[.])*(?:example[.]org|mail[.]invalid)$").all()
    assert users["phone"].dropna().str.match(r"^\+1 [0-9]{3} 555 01[0-9]{2}$").all()
