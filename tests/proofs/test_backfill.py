"""A back-dated sync over a newer accepted date computes and reports, and touches nobody."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from roster_pipeline.assets.accounts import provisioned_key
from roster_pipeline.assets.checks import CANDIDATE, FINDINGS
from roster_pipeline.assets.deliveries import delivery_key
from roster_pipeline.automation.home import open_home
from roster_pipeline.automation.run import SyncResult
from roster_pipeline.cli.syncs import ENDS
from roster_pipeline.simulator.district import District
from roster_pipeline.simulator.scim_server import ScimServer
from roster_pipeline.store import Accepted, Outcome
from roster_pipeline.store.snapshots import Snapshots
from tests.automation.town import SOURCE, Town
from tests.proofs.towns import town_at

TOKEN = "a-token-of-the-proof"
PRODUCT = """\
id: reader
name: Reader
sources: [springfield]
accounts:
  identity: {{user_name: "{{username}}@{{source}}.example.org"}}
  roles: {{teacher: teacher, student: learner}}
  fields: [givenName, familyName, role]
  scim:
    base_url: "{url}"
    auth: {{bearer: {{token: {{env: READER_TOKEN}}}}}}
    attempts: 1
"""


@dataclass
class Past:
    """A district with accounts, two days after the date that is synced again."""

    town: Town
    provider: ScimServer
    old: date
    """The first date, of which nothing was landed; its drop lies there."""

    def outside(self) -> dict[str, Any]:
        """All that anybody else has: files with their times, and accounts."""
        root = self.town.server.root
        files = {
            str(path.relative_to(root)): (path.read_bytes(), path.stat().st_mtime_ns)
            for path in root.rglob("*")
            if path.is_file()
        }
        return {**files, "accounts": self.provider.users}

    def accepted(self) -> Accepted:
        """What is accepted."""
        with self.town.ledger() as ledger:
            found = ledger.accepted(SOURCE)
        assert found is not None
        return found

    def sync_the_old_date(self) -> SyncResult:
        """The back-dated sync, with everything that must hold of it."""
        accepted, before = self.accepted(), self.outside()
        writes, sent = self.provider.writes, self.town.server.taken
        result = self.town.sync(self.old, instance="persistent")
        assert (result.outcome, ENDS[result.outcome]) == (Outcome.NOTHING_NEW, 0), result
        assert f"A roster of {accepted.confirmed} is accepted already" in result.sentences[0]
        assert (self.provider.writes, self.town.server.taken) == (writes, sent)
        assert self.outside() == before
        assert self.accepted() == accepted
        return result


@pytest.fixture
def past(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Past]:
    """Today's roster is accepted, delivered and provisioned; that of two days ago came late."""
    monkeypatch.setenv("READER_TOKEN", TOKEN)
    with ScimServer(TOKEN) as provider, town_at(tmp_path, District(students=60)) as town:
        town.write_source("date_from: {name: '-(?P<date>[0-9]{8})[.]zip$'}\n")
        town.write("products/reader.yaml", PRODUCT.format(url=provider.url))
        town.pass_days(-2)
        old = town.today
        town.pass_days(2)
        drop(town, 0)
        assert town.approve(town.sync().hold).outcome is Outcome.DONE
        town.pass_days(1)
        yield Past(town, provider, old)


def drop(town: Town, day: int, of: date | None = None) -> Path:
    """Put the district's export of a day there, named after today or another date."""
    return town.drop(day, f"export-{of or town.today:%Y%m%d}.zip")


def test_it_lands_judges_and_reports_and_neither_provisions_nor_delivers(past: Past) -> None:
    # Other people than those accepted: whoever took this for new would have plenty to do.
    past.town.district = District(students=60, seed=99)
    drop(past.town, 0, past.old)
    past.sync_the_old_date()
    with past.town.ledger() as ledger:
        landed = ledger.landed(SOURCE, past.old)
        last = ledger.last_sync(SOURCE)
        assert ledger.holds(SOURCE)[1:] == []
    assert landed is not None
    assert last is not None
    assert (last.date, last.outcome) == (past.old, Outcome.NOTHING_NEW)
    made = made_by_the_last_run(past.town)
    assert {CANDIDATE.to_user_string(), FINDINGS.to_user_string()} <= made
    assert not {delivery_key("lms").to_user_string(), "accepted_roster"} & made
    assert provisioned_key("reader").to_user_string() not in made


@pytest.mark.soak
def test_what_it_read_and_found_is_kept(past: Past) -> None:
    past.town.district = District(students=60, seed=99)
    drop(past.town, 0, past.old)
    store = past.town.folder / "store"
    before = set(store.rglob("*.parquet"))
    past.sync_the_old_date()
    new = {path.relative_to(store).parts[0] for path in set(store.rglob("*.parquet")) - before}
    assert {"snapshots", "held"} <= new
    known = Snapshots(past.town.workspace.storage_url)
    (found,) = set(store.glob("snapshots/*/*.findings.parquet")) - before
    assert known.findings(SOURCE, found.name.partition(".")[0]) is not None


@pytest.mark.soak
def test_nor_does_it_where_the_destination_and_the_accounts_are_behind(past: Past) -> None:
    town = past.town
    drop(town, 8)
    town.server.faults.quota, past.provider.faults.broken_after = 100, 0
    assert town.sync().outcome is Outcome.FAILED
    town.server.faults.quota = past.provider.faults.broken_after = None
    drop(town, 0, past.old)
    past.sync_the_old_date()

    # Both were behind indeed: the next run of today sees to them.
    writes, delivered = past.provider.writes, town.delivered.read_bytes()
    assert town.sync().outcome is Outcome.DONE
    assert past.provider.writes > writes
    assert town.delivered.read_bytes() != delivered


def made_by_the_last_run(town: Town) -> set[str]:
    """The assets that were materialised."""
    with open_home(town.folder) as instance:
        (run,) = instance.get_runs(limit=1)
        events = [e.dagster_event for e in instance.all_logs(run.run_id) if e.dagster_event]
    return {
        e.asset_key.to_user_string() for e in events if e.is_step_materialization and e.asset_key
    }
