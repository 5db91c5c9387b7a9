"""A district's year, removals that wait, and days on which only the clock moves."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from roster_pipeline.automation.undelivered import undelivered
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.reports.syncs import sync_text
from roster_pipeline.simulator.scim_server import ScimServer
from roster_pipeline.store import HoldStatus, Outcome
from roster_pipeline.store.snapshots import Snapshots
from tests.automation.town import SOURCE, Lives, Town
from tests.small import Row, district, packed

Files = dict[str, list[Row]]
STUDENTS = 40
SOME = {f"x{number}" for number in range(6, STUDENTS // 2)}


def files_of(change: Callable[[Files], None] = lambda _: None) -> Files:
    """The small district with enough students that a few may leave."""
    files = district()
    for number in range(STUDENTS):
        key = f"x{number}"
        files["users"].append(
            {"sourcedId": key, "enabledUser": "true", "username": key, "givenName": f"Given {key}",
             "familyName": f"Family {key}", "email": f"{key}@example.org"}
        )  # fmt: skip
        files["roles"].append(
            {"sourcedId": f"r-{key}", "userSourcedId": key, "roleType": "primary",
             "role": "student", "orgSourcedId": "s1"}
        )  # fmt: skip
    change(files)
    return files


def without(*keys: str, of: str = "users") -> Callable[[Files], None]:
    """Some people gone, and their roles."""

    def change(files: Files) -> None:
        files["users"] = [row for row in files["users"] if row["sourcedId"] not in keys]
        files["roles"] = [row for row in files["roles"] if row["userSourcedId"] not in keys]

    return change


def half_gone(files: Files) -> None:
    """Half of the students are no longer sent, and another one has come."""
    without(*(f"x{number}" for number in range(STUDENTS // 2)))(files)
    newcomer = {"sourcedId": "new", "enabledUser": "true", "username": "new", "givenName": "N",
                "familyName": "W"}  # fmt: skip
    files["users"].append(newcomer)
    role = {"sourcedId": "r-new", "userSourcedId": "new", "roleType": "primary", "role": "student",
            "orgSourcedId": "s1"}  # fmt: skip
    files["roles"].append(role)


def send(town: Town, files: Files) -> None:
    path = town.drops / "export.zip"
    path.write_bytes(packed(files))
    town.arrived(path)


@pytest.fixture
def small(town: Town, lives: Lives) -> Town:
    """The town of a few people, accepted yesterday; some days may pass before it is today."""
    return lives.live(town, first_sync)


def first_sync(town: Town) -> None:
    town.pass_days(-3)
    send(town, files_of())
    assert town.approve(town.sync().hold).outcome is Outcome.DONE
    town.pass_days(1)


def accepted(town: Town) -> Roster:
    with town.ledger() as ledger:
        now = ledger.accepted(SOURCE)
    assert now is not None
    return Snapshots(town.workspace.storage_url).open(now.snapshot)


def people(town: Town) -> set[str]:
    return set(accepted(town).frame("users")["sourcedId"])


def window(town: Town, kind: str, more: str = "") -> str:
    first, last = town.today, town.today + timedelta(days=1)
    return (
        f"calendar: {{windows: [{{name: Break, kind: {kind}, from: {first}, to: {last}{more}}}]}}\n"
    )


def test_in_a_blackout_nothing_flows_and_the_day_after_everything(small: Town) -> None:
    before = small.delivered.read_bytes()
    small.write_source(window(small, "blackout"))
    send(small, files_of(without("x1")))

    result = small.sync()
    assert result.outcome is Outcome.NOTHING_NEW
    until = small.today + timedelta(days=1)
    assert result.sentences == (
        f"Break: nothing flows through {until}, and the roster accepted last stands.",
    )
    assert "x1" in people(small)
    assert small.delivered.read_bytes() == before

    small.pass_days(2)
    send(small, files_of(without("x1")))
    assert small.sync().outcome is Outcome.DONE
    assert "x1" not in people(small)
    assert small.delivered.read_bytes() != before


@pytest.mark.soak
def test_what_is_approved_in_a_blackout_goes_on_after_it(small: Town) -> None:
    send(small, files_of(half_gone))
    held = small.sync()
    small.write_source(window(small, "blackout"))

    waits = small.approve(held.hold)
    assert waits.outcome is Outcome.NOTHING_NEW
    assert "nothing flows through" in waits.sentences[1]
    assert "x1" in people(small)

    small.pass_days(2)
    send(small, files_of(half_gone))
    assert small.sync().outcome is Outcome.DONE
    assert "x1" not in people(small)


@pytest.mark.soak
def test_a_file_dated_before_a_blackout_does_not_slip_through_it(small: Town) -> None:
    dated = "date_from: {name: '-(?P<date>[0-9]{8})[.]zip$'}\n"
    small.pass_days(1)
    small.write_source(dated, window(small, "blackout"))
    yesterday = small.today - timedelta(days=1)
    path = small.drops / f"export-{yesterday:%Y%m%d}.zip"
    path.write_bytes(packed(files_of(without("x1"))))
    small.arrived(path)
    (small.drops / "export.zip").unlink()

    result = small.sync(yesterday)
    assert result.outcome is Outcome.NOTHING_NEW
    assert "nothing flows" in result.sentences[0]
    assert "x1" in people(small)


@pytest.mark.soak
def test_what_is_not_delivered_waits_out_a_blackout(small: Town) -> None:
    small.write_destination("library")
    (small.server.root / "library").mkdir()
    with small.ledger() as ledger:
        assert undelivered(small.workspace, ledger, SOURCE, small.now) is not None
        small.write_source(window(small, "blackout"))
        assert undelivered(small.workspace, ledger, SOURCE, small.now) is None


@pytest.mark.soak
def test_a_window_of_additions_keeps_who_is_gone_and_takes_who_is_new(small: Town) -> None:
    small.write_source(window(small, "additions_only"))
    send(small, files_of(half_gone))

    result = small.sync()
    assert result.outcome is Outcome.DONE
    assert {"x1", "new"} <= people(small)
    assert any("nothing is removed through" in said for said in result.sentences)
    with small.ledger() as ledger:
        assert not ledger.holds(SOURCE, HoldStatus.OPEN)
    again = small.sync()
    assert again.outcome is Outcome.NOTHING_NEW

    small.pass_days(2)
    send(small, files_of(half_gone))
    assert small.sync().outcome is Outcome.HELD


@pytest.mark.soak
def test_in_a_rollover_more_may_change(small: Town) -> None:
    gone = without(*(f"x{number}" for number in range(8)))
    send(small, files_of(gone))
    assert small.sync().outcome is Outcome.HELD

    small.write_source(window(small, "rollover"))
    result = small.sync()
    assert result.outcome is Outcome.DONE
    with small.ledger() as ledger:
        [_, now] = ledger.accepted_since(SOURCE, small.today - timedelta(days=7))
    assert now.windows == ("rollover",)


@pytest.mark.soak
def test_under_additions_only_removals_wait_for_a_person_and_the_rest_flows(small: Town) -> None:
    small.write_source("guards: {policy: additions_only}\n")
    send(small, files_of(half_gone))

    held = small.sync()
    assert held.outcome is Outcome.HELD
    assert held.hold is not None
    assert {"x1", "new"} <= people(small)
    kept = small.delivered.read_bytes()
    with small.ledger() as ledger:
        [hold] = ledger.holds(SOURCE, HoldStatus.OPEN)
    assert hold.name == held.hold
    assert "removed" in {reason["guard"] for reason in hold.reasons}

    again = small.sync()
    assert (again.outcome, again.hold) == (Outcome.HELD, held.hold)
    with small.ledger() as ledger:
        assert [one.name for one in ledger.holds(SOURCE)][1:] == [held.hold]

    done = small.approve(held.hold)
    assert done.outcome is Outcome.DONE
    assert people(small).isdisjoint({"x1"})
    assert "new" in people(small)
    assert small.delivered.read_bytes() != kept


@pytest.mark.soak
def test_under_additions_only_newcomers_do_not_thin_out_who_is_gone(small: Town) -> None:
    def some_gone_and_one_new(files: Files) -> None:
        half_gone(files)
        files["users"] += [row for row in files_of()["users"] if row["sourcedId"] in SOME]
        files["roles"] += [row for row in files_of()["roles"] if row["userSourcedId"] in SOME]

    # 6 of 45 are 13.3 %, and of 46 13.0 %.
    limits = "removed: {percent: 100}, entities: {users: {removed: {percent: 13.2}}}"
    small.write_source(f"guards: {{policy: additions_only, {limits}}}\n")
    send(small, files_of(some_gone_and_one_new))
    first = small.sync()
    assert first.outcome is Outcome.HELD
    assert {"x1", "new"} <= people(small)

    small.pass_days(1)
    send(small, files_of(some_gone_and_one_new))
    held = small.sync()
    assert (held.outcome, held.hold) == (Outcome.HELD, first.hold)
    assert "x1" in people(small)


@pytest.mark.soak
def test_under_additions_only_a_rejection_keeps_everybody(small: Town) -> None:
    small.write_source("guards: {policy: additions_only}\n")
    send(small, files_of(half_gone))
    held = small.sync()
    assert held.hold is not None
    with small.ledger() as ledger:
        ledger.reject(held.hold, "principal", "an export that was cut", small.now)

    assert small.sync().outcome is Outcome.DONE
    assert {"x1", "new"} <= people(small)

    small.pass_days(1)
    send(small, files_of(without("x1")))
    assert small.sync().outcome is Outcome.DONE
    assert {"x2", "new"} - people(small) == {"new"}


@pytest.mark.soak
def test_under_additions_only_a_district_under_new_ids_waits_as_a_whole(small: Town) -> None:
    def rekeyed(files: Files) -> None:
        for row in files["users"]:
            row["sourcedId"] = "n-" + row["sourcedId"]
        for entity in ("roles", "enrollments", "userProfiles", "demographics"):
            for row in files.get(entity, []):
                name = "userSourcedId" if "userSourcedId" in row else "sourcedId"
                row[name] = "n-" + row[name]

    small.write_source("guards: {policy: additions_only}\n")
    before = people(small)
    send(small, files_of(rekeyed))

    held = small.sync()
    assert held.outcome is Outcome.HELD
    assert people(small) == before
    with small.ledger() as ledger:
        [hold] = ledger.holds(SOURCE, HoldStatus.OPEN)
    assert "rekeyed" in [reason["guard"] for reason in hold.reasons]


@pytest.mark.soak
def test_a_narrower_scope_is_told_apart_from_removals(small: Town) -> None:
    def second_school(files: Files) -> None:
        files["orgs"].append(
            {"sourcedId": "s9", "name": "North", "type": "school", "parentSourcedId": "d1"}
        )
        for row in files["roles"]:
            if row["userSourcedId"] in {f"x{number}" for number in range(4)}:
                row["orgSourcedId"] = "s9"

    send(small, files_of(second_school))
    first = small.sync()
    if first.hold is not None:
        small.approve(first.hold)
    small.pass_days(1)
    send(small, files_of(second_school))
    small.write_source("scope: {schools: [s1]}\n")

    result = small.sync()
    with small.ledger() as ledger:
        now = ledger.accepted(SOURCE)
    assert now is not None
    assert result.outcome is Outcome.DONE
    assert now.shift["entities"]["users"] == {"was": 45, "descoped": 4}
    (said,) = (sentence for sentence in result.sentences if sentence.startswith("Accepted: "))
    assert said.endswith(" 0 removed, 9 left out by the scope (1 orgs, 4 users, 4 roles).")
    assert result.sync.summary["left_out"]["users"] == 4
    assert result.sync.summary["left_out"]["academicSessions"] == 0
    console = Console(width=200, file=StringIO())
    console.print(sync_text(result.sync, None, "roster"))
    assert isinstance(console.file, StringIO)
    said = console.file.getvalue()
    assert "Left out by `scope`: 1 orgs, 4 users, 4 roles.\n" in said


@pytest.mark.soak
def test_a_term_that_leaves_out_classes_of_the_whole_year_is_told_of(small: Town) -> None:
    def also_a_year(files: Files) -> None:
        one = {**files["classes"][0], "sourcedId": "all-year", "termSourcedIds": "y1"}
        files["classes"].append(one)

    send(small, files_of(also_a_year))
    small.write_source("scope: {terms: [Fall]}\n")

    notices = small.sync().sync.summary["notices"]

    assert any(f"{SOURCE}: `scope.terms` leaves out a class" in notice for notice in notices)


PRODUCT = """\
id: reader
name: Reader
accounts:
  roles: {{student: learner}}
  scim: {{base_url: {url}, auth: {{bearer: {{token: {{env: READER_TOKEN}}}}}}, attempts: 1}}
"""


@pytest.mark.soak
def test_a_role_that_ends_takes_its_account_along_on_a_day_without_a_file(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = town.today + timedelta(days=1)

    def ends(files: Files) -> None:
        role = next(row for row in files["roles"] if row["userSourcedId"] == "x1")
        role["endDate"] = str(last)

    monkeypatch.setenv("READER_TOKEN", "s3cret-token")
    with ScimServer("s3cret-token") as server:
        town.write("products/reader.yaml", PRODUCT.format(url=server.url))
        send(town, files_of(ends))
        assert town.approve(town.sync().hold).outcome is Outcome.DONE
        assert _active(server) == {True: STUDENTS + 3}
        town.pass_days(1)
        assert town.sync().outcome is Outcome.DONE
        assert _active(server) == {True: STUDENTS + 2, False: 1}
        assert town.sync().outcome is Outcome.NOTHING_NEW


def _active(server: ScimServer) -> Counter[bool]:
    return Counter(bool(user["active"]) for user in server.users)


@pytest.mark.soak
def test_a_file_without_rows_is_put_before_a_person_and_believed_when_approved(
    small: Town,
) -> None:
    def summer(files: Files) -> None:
        files["enrollments"] = []

    send(small, files_of(summer))
    held = small.sync()
    assert held.outcome is Outcome.HELD
    assert len(accepted(small).frame("enrollments")) > 0
    with small.ledger() as ledger:
        [hold] = ledger.holds(SOURCE, HoldStatus.OPEN)
    assert [reason["guard"] for reason in hold.reasons] == ["header_only"]

    assert small.approve(held.hold).outcome is Outcome.DONE
    assert len(accepted(small).frame("enrollments")) == 0
    small.pass_days(1)
    send(small, files_of(summer))
    assert small.sync().outcome in (Outcome.DONE, Outcome.NOTHING_NEW)


@pytest.mark.soak
def test_a_file_without_rows_may_be_told_to_mean_nothing(small: Town) -> None:
    def summer(files: Files) -> None:
        files["enrollments"] = []

    small.write_source("header_only: {enrollments: keep}\n")
    send(small, files_of(summer))
    assert small.sync().outcome in (Outcome.DONE, Outcome.NOTHING_NEW)
    assert len(accepted(small).frame("enrollments")) > 0


@pytest.mark.soak
def test_what_is_held_has_its_difference_kept_for_good(small: Town, tmp_path: Path) -> None:
    send(small, files_of(half_gone))
    held = small.sync()
    folder = Path(small.workspace.storage_url) / "differences" / SOURCE
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert len(kept) == 2
    assert small.sync().hold == held.hold
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == kept


@pytest.mark.soak
def test_an_old_file_is_known_again(small: Town) -> None:
    send(small, files_of(without("x1")))
    assert small.sync().outcome is Outcome.DONE
    small.pass_days(1)
    send(small, files_of())

    held = small.sync()
    assert held.outcome is Outcome.HELD
    with small.ledger() as ledger:
        [hold] = ledger.holds(SOURCE, HoldStatus.OPEN)
    assert [reason["guard"] for reason in hold.reasons] == ["again"]
