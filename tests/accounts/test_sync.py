"""What happens to accounts from day to day, at a real SCIM server."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from roster_pipeline.accounts.plan import Remote, Wanted
from roster_pipeline.accounts.survey import survey
from roster_pipeline.accounts.target import Rehearsed
from roster_pipeline.store import AccountState, Origin
from tests.accounts.world import (
    DAY1,
    DAY2,
    DAY3,
    NOW,
    World,
    changed,
    person,
    role,
    school,
    settings,
)

BY_NAME: dict[str, Any] = {"identity": {"user_name": "username"}}
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def test_a_first_sync_makes_an_account_for_everybody_with_a_role_that_gives_one(
    world: World,
) -> None:
    files = school("ada", "ben")
    files["users"].append(person("mum"))
    files["roles"].append(role("mum", "guardian"))
    pushed = world.sync(files)
    assert pushed.counts["create"] == 2
    assert pushed.without == 0
    assert list(world.users) == ["ada@example.org", "ben@example.org"]
    ada = world.users["ada@example.org"]
    assert ada["externalId"] == "springfield:ada"
    assert ada["name"] == {"givenName": "Ada", "familyName": "Doe"}
    assert ada["userType"] == "learner"
    assert ada["active"] is True
    account = world.accounts["ada"]
    assert (account.state, account.origin) == (AccountState.ACTIVE, Origin.CREATED)
    assert account.remote_id == ada["id"]


def test_the_same_day_again_asks_the_provider_nothing(world: World) -> None:
    world.sync(school("ada", "ben"))
    asked = world.server.requests.copy()
    pushed = world.sync(school("ada", "ben"))
    assert pushed.counts == {
        "update": 0, "reactivate": 0, "suspend": 0, "adopt": 0, "create": 0, "no-op": 2,
    }  # fmt: skip
    assert world.server.requests == asked


def test_a_changed_person_is_updated_and_nobody_else_is_touched(world: World) -> None:
    files = school("ada", "ben")
    world.sync(files)
    writes = world.server.writes
    new_name = changed(files, where=lambda row: row["sourcedId"] == "ada", familyName="Lovelace")
    assert world.sync(new_name, DAY2).counts["update"] == 1
    assert world.server.writes == writes + 1
    assert world.users["ada@example.org"]["name"]["familyName"] == "Lovelace"
    new_mail = changed(new_name, where=lambda row: row["sourcedId"] == "ada", email="al@e.example")
    world.sync(new_mail, DAY3)
    assert list(world.users) == ["al@e.example", "ben@example.org"]


def test_a_field_that_became_empty_is_emptied_at_the_provider(world: World) -> None:
    files = changed(school("ada"), where=lambda _: True, middleName="King")
    by_name: dict[str, Any] = {**BY_NAME, "fields": ["givenName", "middleName", "email"]}
    world.sync(files, **by_name)
    assert world.users["ada"]["name"]["middleName"] == "King"
    world.sync(changed(files, where=lambda _: True, middleName="", email=""), DAY2, **by_name)
    assert "middleName" not in world.users["ada"]["name"]
    assert not world.users["ada"].get("emails")


def test_who_leaves_is_suspended_and_who_comes_back_has_the_same_account(world: World) -> None:
    world.sync(school("ada", "ben"))
    before = world.accounts["ada"].remote_id
    assert world.sync(school("ben"), DAY2).counts["suspend"] == 1
    assert not world.users["ada@example.org"]["active"]
    assert world.accounts["ada"].state is AccountState.SUSPENDED
    writes = world.server.writes
    assert world.sync(school("ben"), DAY2).counts["no-op"] == 2
    assert world.server.writes == writes
    assert world.sync(school("ada", "ben"), DAY3).counts["reactivate"] == 1
    assert world.users["ada@example.org"]["active"]
    assert world.accounts["ada"].remote_id == before


@pytest.mark.parametrize("kept", [True, False])
def test_a_disabled_user_is_suspended_unless_the_product_says_otherwise(
    world: World, kept: bool
) -> None:
    files = school("ada", "ben")
    rule: dict[str, Any] = {"suspend": {"disabled_users": not kept}}
    world.sync(files, **rule)
    off = changed(files, where=lambda row: row["sourcedId"] == "ada", enabledUser="false")
    world.sync(off, DAY2, **rule)
    assert world.users["ada@example.org"]["active"] is kept


def test_a_leaver_may_keep_the_account_for_some_days(world: World) -> None:
    rule: dict[str, Any] = {"suspend": {"after_days": 1}}
    world.sync(school("ada", "ben"), DAY1, **rule)
    assert world.sync(school("ben"), DAY2, **rule).counts["suspend"] == 0
    waiting = world.accounts["ada"]
    assert waiting.missing_since == DAY2
    assert world.sync(school("ada", "ben"), DAY2, **rule).counts["no-op"] == 2
    assert world.accounts["ada"].missing_since is None
    world.sync(school("ben"), DAY2, **rule)
    assert world.sync(school("ben"), DAY3, **rule).counts["suspend"] == 1


def test_a_role_that_ended_takes_the_account_on_that_day_without_a_new_file(world: World) -> None:
    files = school("ada", "ben")
    files["roles"][0]["endDate"] = str(DAY2)
    world.sync(files, DAY1)
    assert world.sync(files, DAY2).counts["suspend"] == 1


def test_more_leavers_than_the_limit_wait_while_newcomers_do_not(world: World) -> None:
    world.sync(school(*"abcdefghijklmnop"))
    writes = world.server.writes
    pushed = world.sync(school("a", "new"), DAY2)
    assert pushed.blocked == {"too_many": 15}
    assert pushed.counts["create"] == 1
    assert world.server.writes == writes + 1
    assert (
        world.sync(school("a", "new"), DAY2, suspend={"limit_percent": 100}).counts["suspend"] == 15
    )


def test_an_account_that_is_there_is_adopted_and_never_doubled(world: World) -> None:
    there = world.server.add(
        user_name="ADA@example.org", title="Captain", name={"givenName": "A"}, active=False
    )
    pushed = world.sync(school("ada", "ben"))
    assert (pushed.counts["adopt"], pushed.counts["create"]) == (1, 1)
    assert len(world.users) == 2
    ada = world.users["ada@example.org"]
    assert (ada["id"], ada["externalId"]) == (there, "springfield:ada")
    assert ada["title"] == "Captain"
    assert ada["active"] is True
    assert world.accounts["ada"].origin is Origin.ADOPTED
    assert world.sync(school("ada", "ben")).counts["no-op"] == 2


def test_an_account_that_is_there_and_right_is_adopted_without_a_write(world: World) -> None:
    world.sync(school("ada"))
    with world.ledger.lease("springfield", lambda: NOW) as lease:
        world.ledger.record_accounts([], lease, forget=[world.accounts["ada"]])
    writes = world.server.writes
    assert world.sync(school("ada")).counts["adopt"] == 1
    assert world.server.writes == writes


def test_an_account_that_is_not_ours_is_never_touched(world: World) -> None:
    world.server.add(user_name="admin@example.org", external_id="17", active=True)
    before = world.users["admin@example.org"]
    world.sync(school("ada"))
    world.sync(school("ben", "cyd"), DAY2)
    assert world.users["admin@example.org"] == before


@pytest.mark.parametrize(
    ("rule", "reason"),
    [("unclaimed", "taken_there"), ("never", "not_adopted"), ("any", None)],
)
def test_an_account_of_another_persons_id_is_taken_over_only_where_that_is_said(
    world: World, rule: str, reason: str | None
) -> None:
    world.server.add(user_name="ada@example.org", external_id="another:1", active=True)
    pushed = world.sync(school("ada", "ben"), adopt=rule)
    assert pushed.counts["create"] == 1
    assert pushed.blocked == ({reason: 1} if reason else {})
    taken = world.users["ada@example.org"]["externalId"]
    assert taken == ("another:1" if reason else "springfield:ada")


@pytest.mark.parametrize("others", [0, 60])
@pytest.mark.parametrize(
    ("hers", "theirs"),
    [("straße@x.org", "strasse@x.org"), ("ada²@x.org", "ada2@x.org"), ("ſam@x.org", "sam@x.org")],
)
def test_an_account_whose_user_name_is_only_like_hers_is_somebody_elses(
    world: World, hers: str, theirs: str, others: int
) -> None:
    world.server.add(user_name=theirs, active=True)
    files = school("ada", *(f"p{n:03}" for n in range(others)))
    pushed = world.sync(changed(files, where=lambda r: r["sourcedId"] == "ada", email=hers))
    assert (pushed.counts["adopt"], pushed.counts["create"]) == (0, others + 1)
    assert "externalId" not in world.users[theirs]


@pytest.mark.parametrize("state", [AccountState.PENDING, AccountState.GONE])
def test_an_external_id_of_another_district_is_never_given_to_a_second_person(
    world: World, state: AccountState
) -> None:
    by_id: dict[str, Any] = {"identity": {"external_id": "sourcedId"}}
    world.sync(school("ada"), **by_id)
    unknown = replace(world.accounts["ada"], remote_id=None, state=state)
    with world.ledger.lease("springfield", lambda: NOW) as lease:
        world.ledger.record_accounts([unknown], lease)
    other = World(world.folder / "other", world.ledger, world.server, source="shelbyville")
    files = changed(school("ada"), where=lambda _: True, email="other@example.org")
    assert other.sync(files, **by_id).blocked == {"id_taken_here": 1}
    assert world.sync(school("ada"), **by_id).counts["adopt"] == 1


def test_an_account_that_another_district_makes_meanwhile_is_theirs(world: World) -> None:
    other = World(world.folder / "other", world.ledger, world.server, source="shelbyville")
    chosen = settings(world.server, adopt="any")

    class Slow(Rehearsed):
        def find(self, wanted: Sequence[Wanted]) -> list[Remote]:
            other.sync(school("ada"))
            return super().find(wanted)

    roster = world.roster(school("ada"))
    with world.target(chosen) as target:
        known = partial(world.ledger.accounts, "reader")
        made = survey(roster, known, Slow(target), settings=chosen, source="springfield", day=DAY1)
    assert made.reasons() == {("blocked", "taken_here"): 1}


def test_two_accounts_that_could_be_hers_stop_for_a_person_to_look(world: World) -> None:
    world.server.add(user_name="ada@example.org", active=True)
    world.server.add(user_name="a.doe@example.org", external_id="springfield:ada", active=True)
    writes = world.server.writes
    assert world.sync(school("ada")).blocked == {"two_there": 1}
    assert world.server.writes == writes


def test_two_people_with_one_user_name_are_both_left_alone(world: World) -> None:
    files = school("ada", "ben", "cyd")
    same = changed(files, where=lambda row: row["sourcedId"] == "ben", email="ADA@example.org")
    pushed = world.sync(same)
    assert pushed.blocked == {"same_user_name": 2}
    assert list(world.users) == ["cyd@example.org"]


def test_two_people_with_one_e_mail_are_both_left_alone_and_keep_what_they_have(
    world: World,
) -> None:
    files = school("ada", "ben", "cyd")
    world.sync(files, **BY_NAME)
    before = world.users
    same = changed(files, where=lambda row: row["sourcedId"] == "ben", email="ada@example.org")
    pushed = world.sync(same, DAY2, **BY_NAME)
    assert pushed.blocked == {"same_email": 2}
    assert world.users == before


def test_the_user_name_of_somebody_who_left_is_not_given_to_somebody_else(world: World) -> None:
    world.sync(school("ada", "ben"))
    world.sync(school("ben"), DAY2)
    reused = changed(
        school("ben", "ada2"), where=lambda row: row["sourcedId"] == "ada2", email="ada@example.org"
    )
    assert world.sync(reused, DAY3).blocked == {"taken_here": 1}
    assert world.users["ada@example.org"]["active"] is False


def test_two_districts_do_not_get_into_each_others_way(world: World) -> None:
    world.sync(school("ada", "ben"))
    other = World(world.folder / "other", world.ledger, world.server, source="shelbyville")
    mine = changed(school("ada", "ben"), where=lambda row: row["sourcedId"] == "ada", email="x@y.z")
    pushed = other.sync(mine)
    assert pushed.counts["create"] == 1
    assert pushed.blocked == {"taken_here": 1}
    assert world.sync(school("ada", "ben"), DAY2).counts["no-op"] == 2
    assert other.sync(school(), DAY2).counts["suspend"] == 1
    assert world.users["ada@example.org"]["active"] is True


def test_a_claim_may_differ_by_role(world: World) -> None:
    files = school("ada", "grace")
    files["roles"][1] = role("grace", "teacher")
    identity = {
        "claims": [
            {"role": "student", "user_name": "{username}@students.example"},
            {"source": "elsewhere", "user_name": "identifier"},
        ]
    }
    world.sync(files, identity=identity)
    assert list(world.users) == ["ada@students.example", "grace@example.org"]


def test_a_person_without_what_the_user_name_is_made_of_is_reported(world: World) -> None:
    files = changed(school("ada", "ben"), where=lambda row: row["sourcedId"] == "ada", email="")
    assert world.sync(files).blocked == {"no_user_name": 1}
    assert list(world.users) == ["ben@example.org"]


def test_only_the_fields_that_are_allowed_leave_the_house(world: World) -> None:
    files = changed(
        school("ada"), where=lambda _: True, phone="555-0100", sms="555-0101", identifier="4711"
    )
    world.sync(files, fields=["givenName"], **BY_NAME)
    (ada,) = world.server.users
    assert set(ada) == {"schemas", "id", "externalId", "userName", "name", "active"}
    assert ada["name"] == {"givenName": "Ada"}
    every = ["displayName", "identifier", "school", "role", "preferredGivenName"]
    world.sync(files, DAY2, fields=every, **BY_NAME)
    (ada,) = world.server.users
    assert ada["displayName"] == "Ada Doe"
    assert ada[ENTERPRISE] == {"employeeNumber": "4711", "organization": "Evergreen"}


def test_an_account_removed_by_hand_is_reported_and_made_again(world: World) -> None:
    files = school("ada", "ben")
    world.sync(files)
    world.server.remove(str(world.accounts["ada"].remote_id))
    renamed = changed(files, where=lambda row: row["sourcedId"] == "ada", familyName="Lovelace")
    assert world.sync(renamed, DAY2).declined == {"removed": 1}
    assert world.sync(renamed, DAY3).counts["create"] == 1
    assert world.users["ada@example.org"]["name"]["familyName"] == "Lovelace"


def test_an_account_removed_by_hand_need_not_be_suspended(world: World) -> None:
    world.sync(school("ada", "ben"))
    world.server.remove(str(world.accounts["ada"].remote_id))
    pushed = world.sync(school("ben"), DAY2)
    assert (pushed.without, pushed.counts["suspend"]) == (0, 1)
    assert world.accounts["ada"].state is AccountState.GONE
    assert world.sync(school("ben"), DAY3).counts["no-op"] == 2
