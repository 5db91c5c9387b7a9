"""A district by REST, from its server to the delivery, and what its sensors say."""

import dataclasses
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from roster_pipeline import cli
from roster_pipeline.build import build_defs
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.simulator.rest_server import Accents, RestServer
from roster_pipeline.store import Outcome
from tests.automation.test_sensors import requests, skipped, tick
from tests.automation.town import SOURCE, Town
from tests.small import unpacked

SECRET = "planted-rest-s3cret"
REST_VARIABLE = "ROSTER_TEST_REST_SECRET"
PULL = f"pull_{SOURCE}"


class RestTown(Town):
    """The town, whose district has a OneRoster server instead of drops."""

    rest: RestServer
    export: Path

    def publish(self, day: int) -> None:
        """Let the server have the roster of a day."""
        made = self.export.with_suffix(".new")
        self.district.write_package(made, day=day)
        made.replace(self.export)

    def write_rest(self, version: str = "1.2", **rest: Any) -> None:
        """Write the district's file."""
        oauth2 = (
            f"{{client_id: us, client_secret: {{env: {REST_VARIABLE}}}, "
            f"token_url: '{rest.pop('token_url', self.rest.token_url)}'}}"
        )
        lines = "".join(f"  {key}: {value}\n" for key, value in rest.items())
        self.write(
            f"sources/{SOURCE}.yaml",
            f"id: {SOURCE}\nname: Springfield\ntimezone: America/Chicago\nrest:\n"
            f"  base_url: {self.rest.base_url(Version(version))}\n  version: '{version}'\n"
            f"  attempts: 2\n  auth: {{oauth2: {oauth2}}}\n{lines}",
        )


@pytest.fixture
def school(town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RestTown]:
    """The town with a server of the first day, whose pages are clamped and have no headers."""
    monkeypatch.setenv(REST_VARIABLE, SECRET)
    made = RestTown(town.folder, town.server, town.district, town.now)
    made.export = tmp_path / "export.zip"
    made.publish(0)
    accents = Accents(clamp=25, no_headers=True)
    with RestServer(made.export, accents, clients={"us": SECRET}) as server:
        made.rest = server
        made.write_rest()
        yield made


def accepted_counts(town: Town) -> dict[str, int]:
    with town.ledger() as ledger:
        accepted = ledger.accepted(SOURCE)
    assert accepted is not None
    return dict(accepted.snapshot.counts)


@pytest.mark.parametrize("version", ["1.2", "1.1"])
def test_a_roster_is_pulled_from_a_server(school: RestTown, version: str) -> None:
    school.write_rest(version)
    held = school.sync()
    assert held.outcome is Outcome.HELD, held.sentences
    assert school.approve(held.hold).outcome is Outcome.DONE

    sent, delivered = unpacked(school.export), unpacked(school.delivered)
    for entity in ("orgs", "academicSessions", "courses", "classes", "enrollments", "users"):
        before, after = ({row["sourcedId"] for row in rows[entity]} for rows in (sent, delivered))
        # 1.1 has no counselors, so its servers cannot tell of them.
        counselors = {r["userSourcedId"] for r in sent["roles"] if r["role"] == "counselor"}
        gone = counselors if (version, entity) == ("1.1", "users") else set()
        assert after == before - gone
    assert accepted_counts(school)["enrollments"] == len(sent["enrollments"])


@pytest.mark.soak
def test_the_same_roster_again_changes_nothing_and_the_next_day_does(school: RestTown) -> None:
    school.approve(school.sync().hold)
    before = school.delivered.read_bytes()
    assert school.sync().outcome is Outcome.NOTHING_NEW
    assert school.delivered.read_bytes() == before

    school.pass_days(1)
    school.publish(8)
    assert school.sync().outcome is Outcome.DONE
    assert school.delivered.read_bytes() != before


def test_a_server_is_never_asked_for_another_date_than_today(school: RestTown) -> None:
    yesterday, tomorrow = (school.today + timedelta(days=n) for n in (-1, 1))
    for day in (yesterday, tomorrow):
        result = school.sync(day)
        assert result.outcome is Outcome.NOTHING_NEW
        assert f"{SOURCE}: nothing was landed for {day}" in result.sentences[0]
    assert not school.rest.requests


@pytest.mark.soak
def test_an_old_date_is_replayed_from_what_was_landed_then(school: RestTown) -> None:
    first = school.today
    hold = school.sync().hold
    school.pass_days(1)
    school.publish(8)
    school.rest.requests.clear()

    assert school.sync(first).hold == hold
    assert not school.rest.requests


@pytest.mark.soak
def test_a_dry_run_pulls_and_keeps_nothing(school: RestTown) -> None:
    result = school.sync(dry_run=True)
    assert result.outcome is Outcome.HELD
    assert school.rest.requests
    with school.ledger() as ledger:
        assert ledger.landed(SOURCE, school.today) is None


@pytest.mark.soak
def test_a_secret_that_was_exchanged_before_its_time_costs_no_night(
    school: RestTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLD_SECRET", "planted-old-s3cret")
    file = school.folder / f"sources/{SOURCE}.yaml"
    head, _, login = file.read_text().partition("  auth: ")
    old = login.strip().replace(REST_VARIABLE, "OLD_SECRET").replace("client_secret", "secret")
    file.write_text(f"{head}  auth:\n    - {old}\n    - {login}")

    held = school.sync()
    assert held.outcome is Outcome.HELD
    (notice,) = held.sync.summary["notices"]
    assert notice.startswith("The second credential is in use, not the first.")

    file.write_text(f"{head}  auth: {old}\n")
    failed = school.sync()
    assert failed.outcome is Outcome.FAILED
    assert "does not take `client_id` and `client_secret`" in " ".join(failed.sentences)


BAD: list[tuple[dict[str, Any], Outcome, str, str]] = [
    ({"empty": "enrollments"}, Outcome.STOPPED, "pulling enrollments", "has no records"),
    ({"missing": "classes"}, Outcome.STOPPED, "pulling classes", "is not there (404"),
    ({"html": "orgs"}, Outcome.STOPPED, "pulling orgs", "a web page instead of JSON"),
    ({"repeated": "users"}, Outcome.STOPPED, "pulling users", "sends the same page again"),
    ({"wrapper": "things"}, Outcome.STOPPED, "pulling orgs", "answers without `orgs`"),
    ({"cut_every": 1}, Outcome.FAILED, "pulling orgs", "cut the connection"),
    ({"busy_every": 1, "retry_after": "0"}, Outcome.FAILED, "pulling orgs", "429 Too Many"),
    ({"revoke_every": 1}, Outcome.FAILED, "pulling orgs", "does not take the credentials (401"),
]


@pytest.mark.soak
def test_a_pull_that_fails_leaves_everything_as_it_was(school: RestTown) -> None:
    school.approve(school.sync().hold)
    delivered, counts = school.delivered.read_bytes(), accepted_counts(school)
    school.pass_days(1)
    school.publish(8)
    sound = dataclasses.asdict(school.rest.accents)

    for accents, outcome, step, said in BAD:
        for name, value in {**sound, **accents}.items():
            setattr(school.rest.accents, name, value)
        result = school.sync()

        assert result.outcome is outcome, accents
        (sentence,) = result.sentences
        assert sentence.startswith(f"{SOURCE}: {step}: http://127.0.0.1:")
        assert said in sentence
        assert school.delivered.read_bytes() == delivered
        assert accepted_counts(school) == counts
        with school.ledger() as ledger:
            assert ledger.landed(SOURCE, school.today) is None


@pytest.mark.soak
def test_a_refused_scope_and_a_link_elsewhere_name_source_and_step(
    school: RestTown, tmp_path: Path
) -> None:
    accents = Accents(forbidden="roster-demographics.readonly", next_host=True, clamp=25)
    with RestServer(school.export, accents, clients={"us": SECRET}) as server:
        school.rest = server
        school.write_rest(paging="next")
        (sentence,) = school.sync().sentences
        assert f"{SOURCE}: pulling" in sentence
        assert "points to another host" in sentence

        school.write_rest(demographics="true")
        (sentence,) = school.sync().sentences
        assert f"{SOURCE}: pulling" in sentence
        assert "scopes" in sentence or "the scope that it needs" in sentence


def test_a_wrong_secret_and_a_wrong_token_address_are_said(
    school: RestTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    school.write_rest(token_url=school.rest.url + "/nowhere")
    (sentence,) = school.sync().sentences
    assert "/nowhere gives no token: it answers with status 404" in sentence

    school.write_rest()
    monkeypatch.setenv(REST_VARIABLE, "wrong")
    result = school.sync()
    assert result.outcome is Outcome.FAILED
    assert "does not take `client_id` and `client_secret`" in result.sentences[0]

    monkeypatch.delenv(REST_VARIABLE)
    assert f"The environment variable {REST_VARIABLE} is not set" in school.sync().sentences[0]


def test_nothing_of_a_run_shows_a_secret(school: RestTown) -> None:
    school.approve(school.sync(instance="persistent").hold, instance="persistent")
    for file in school.folder.rglob("*"):
        if file.is_file():
            assert SECRET.encode() not in file.read_bytes(), file


# ---- sensors -------------------------------------------------------------------------------


def test_a_server_has_no_drop_sensor_and_a_folder_no_pull_sensor(
    school: RestTown, town: Town
) -> None:
    def sensors() -> set[str]:
        return {s.name for s in build_defs(school.workspace, school.clock).sensors or ()}

    assert PULL in sensors()
    assert f"drop_{SOURCE}" not in sensors()
    town.write_source()
    assert f"drop_{SOURCE}" in sensors()
    assert PULL not in sensors()


def test_a_pull_that_failed_is_tried_again_with_growing_pauses(school: RestTown) -> None:
    # Half an hour after the pull is due: late in a day there are few attempts left.
    zone = school.workspace.source(SOURCE).zone
    school.now = datetime.combine(school.today, time(3), zone).astimezone(UTC)
    assert "No pull" in skipped(tick(school, PULL))
    school.rest.accents.cut_every = 1
    assert school.sync().outcome is Outcome.FAILED

    keys = []
    for _ in range(2 * 24 * 60 // 5):
        if not isinstance(said := tick(school, PULL), dg.SensorResult):
            break
        (request,) = requests(said)
        keys.append(request.run_key)
        assert request.partition_key == f"{school.today}|{SOURCE}"
        school.now += timedelta(minutes=60)
    *hours, _ = Counter(keys).values()  # the day ends before the last attempt's pause does
    assert 2 <= len(hours) <= 8
    assert hours == sorted(hours)
    assert hours[0] < hours[-1]
    assert "No pull" in skipped(tick(school, PULL))  # it is another day, with a schedule of its own


def test_a_pull_that_failed_is_tried_again_whatever_was_backfilled_since(school: RestTown) -> None:
    school.rest.accents.cut_every = 1
    assert school.sync().outcome is Outcome.FAILED
    school.sync(school.today - timedelta(days=1))
    assert requests(tick(school, PULL))


@pytest.mark.soak
def test_a_pull_that_was_stopped_or_went_well_is_not_tried_again(school: RestTown) -> None:
    school.rest.accents.empty = "users"
    assert school.sync().outcome is Outcome.STOPPED
    assert "No pull" in skipped(tick(school, PULL))

    school.rest.accents.empty = None
    assert school.sync().outcome is Outcome.HELD
    assert "No pull" in skipped(tick(school, PULL))

    # What a receiver did not take is no reason to pull again.
    with school.ledger() as ledger:
        late = {"undelivered": ["lms"]}
        ledger.record_sync(SOURCE, school.today, Outcome.FAILED, late, school.now)
        assert "No pull" in skipped(tick(school, PULL))
        ledger.record_sync(SOURCE, school.today, Outcome.FAILED, {}, school.now)
        assert requests(tick(school, PULL))


@pytest.mark.soak
def test_what_was_landed_can_be_checked_from_the_command_line(
    school: RestTown, capsys: pytest.CaptureFixture[str]
) -> None:
    school.sync()
    (landed,) = (school.folder / "store" / "landed" / SOURCE).glob("*.zip")

    capsys.readouterr()
    assert cli.main(["check", str(landed), "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["version"] == "1.2"
    assert document["counts"]["rows"]["enrollments"] == len(unpacked(school.export)["enrollments"])
