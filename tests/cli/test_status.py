"""`roster status`: where every source stands."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from roster_pipeline.store import Outcome
from roster_pipeline.store.ledger import Ledger
from tests.cli.conftest import Roster
from tests.store.scene import Clock, Scene

SERVER = """\
id: {name}
name: A district
timezone: Pacific/Honolulu
rest:
  base_url: https://sis.example
  auth:
    - {{bearer: {{token: {{env: PLANTED}}}}, expires: {first}}}
    - {{oauth1: {{client_key: us, secret: {{env: PLANTED}}}}{second}}}
"""


def test_credentials_that_end_soon_or_have_ended_are_told(roster: Roster, workspace: Path) -> None:
    today = datetime.now(UTC).date()
    pairs = {"over": (-30, -5), "soon": (10, None), "exchanged": (-5, 90), "fine": (60, 90)}
    for name, pair in pairs.items():
        first, second = (None if d is None else today + timedelta(days=d) for d in pair)
        said = "" if second is None else f", expires: {second}"
        text = SERVER.format(name=name, first=first, second=said)
        (workspace / f"sources/{name}.yaml").write_text(text)

    document = roster("status", "-w", workspace, "--format", "json").document()
    told = {source["source"]: source["credentials"] for source in document["sources"]}
    assert told.pop("springfield") is None
    assert {name: ends["state"] for name, ends in told.items()} == {
        "over": "over",
        "soon": "soon",
        "exchanged": "soon",
        "fine": "fine",
    }
    assert told["fine"]["expires"] == str(today + timedelta(days=60))
    assert told["fine"]["each"] == [str(today + timedelta(days=days)) for days in (60, 90)]
    assert told["soon"]["each"][1] is None

    said = " ".join(roster("status", "-w", workspace).out.split())
    assert "over: The first of two credentials ended on" in said
    assert "soon: The first of two credentials ends in " in said
    assert "the second says nothing of its end" in said
    assert "exchanged: The first of two credentials ended on" in said
    assert "fine: The" not in said


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.STOPPED])
def test_why_the_last_sync_came_to_nothing_is_told_with_its_notices(
    roster: Roster, workspace: Path, outcome: Outcome
) -> None:
    now = datetime.now(UTC)
    summary = {
        "sentences": ["springfield: pulling orgs: the server is away.", "More is known."],
        "notices": ["The second credential is in use, not the first."],
    }
    with Ledger.open(f"sqlite:///{workspace}/ledger.sqlite") as ledger:
        ledger.record_sync("springfield", now.date(), outcome, summary, now)

    said = " ".join(roster("status", "-w", workspace).out.split())
    assert f"springfield: {outcome}: pulling orgs: the server is away." in said
    assert "springfield: The second credential is in use" in said
    assert "More is known" not in said
    (source,) = roster("status", "-w", workspace, "--format", "json").document()["sources"]
    assert source["last_sync"]["notices"] == summary["notices"]


@pytest.mark.parametrize(
    ("vendor", "keys"),
    [
        ("generic-rest-1.2", ["base_url", "client_id"]),
        ("generic-csv", ["host", "username", "fingerprint"]),
    ],
)
def test_a_file_that_nobody_has_filled_in_is_told(
    roster: Roster, workspace: Path, vendor: str, keys: list[str]
) -> None:
    zone = ("--timezone", "America/Chicago")
    roster("-w", workspace, "source", "new", "shelby", "--vendor", vendor, *zone, "--name", "S")

    said = " ".join(roster("status", "-w", workspace).out.split())
    listed = ", ".join(f"`{key}`" for key in keys)
    assert f"shelby: has placeholders: fill in {listed}." in said
    assert "springfield: has" not in said
    sources = roster("status", "-w", workspace, "--format", "json").document()["sources"]
    told = {source["source"]: source["placeholders"] for source in sources}
    assert told == {"shelby": keys, "springfield": []}


def test_a_file_with_an_error_hides_no_other_source(roster: Roster, workspace: Path) -> None:
    (workspace / "sources/broken.yaml").write_text("id: broken\nname: B\ntimezone: UTC\n")

    ended = roster("status", "-w", workspace, "--format", "json")

    assert ended.code == 2
    document = ended.document()
    assert [source["source"] for source in document["sources"]] == ["springfield"]
    (wrong,) = document["left_out"]
    assert (wrong["file"], wrong["line"]) == ("sources/broken.yaml", 1)
    assert "Files with errors are left out; `roster workspace check` has all:" in ended.err
    assert "sources/broken.yaml:1:1: give exactly one of `transport`" in ended.err


def test_what_waits_for_its_time_is_told_with_it(roster: Roster, workspace: Path) -> None:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    slot = now + timedelta(hours=22)
    when = f"schedule: {{at: '{slot:%H:%M}', timezone: UTC}}\n"
    with (workspace / "destinations/learning-app.yaml").open("a") as file:
        file.write(when)
    clock = Clock(now - timedelta(hours=1))
    with (
        Ledger.open(f"sqlite:///{workspace}/ledger.sqlite") as ledger,
        ledger.lease("springfield", clock) as lease,
    ):
        Scene(ledger, clock, lease).sync("day 1", None, now.date())

    said = roster("status", "-w", workspace).out
    assert "learning-app (waits)" in " ".join(said.split())
    sentence = f"learning-app waits for the time of its `schedule`, {slot:%Y-%m-%d %H:%M} UTC."
    assert sentence in " ".join(said.split())
    (source,) = roster("status", "-w", workspace, "--format", "json").document()["sources"]
    (told,) = source["destinations"]
    assert (told["behind"], told["waits_until"]) == (True, f"{slot:%Y-%m-%dT%H:%M:%SZ}")

    assert sentence in roster("deliveries", "learning-app", "-w", workspace).out
    document = roster("deliveries", "learning-app", "-w", workspace, "--format", "json").document()
    (waits,) = document["waiting"]
    assert waits == {"source": "springfield", "until": told["waits_until"], "why": "schedule"}
