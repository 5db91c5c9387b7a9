"""The plan and the provisioning of accounts as steps of the graph, behind an accepted roster."""

import datetime as dt
import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from roster_pipeline.assets.accounts import (
    accounts_plan,
    accounts_plan_key,
    blocked,
    complete,
    provisioned,
    provisioned_key,
)
from roster_pipeline.automation.partitions import partition_key, partitions
from roster_pipeline.oneroster.package import open_package
from roster_pipeline.quality.candidate import build_candidate
from roster_pipeline.resources import resources
from roster_pipeline.resources.providers import Providers, RehearsedProviders
from roster_pipeline.resources.sync_run import SyncRun
from roster_pipeline.simulator.scim_server import ScimServer
from roster_pipeline.store import Outcome, Snapshot, Sync
from roster_pipeline.store.ledger import Ledger
from roster_pipeline.store.snapshots import Snapshots
from roster_pipeline.workspace import Workspace
from tests.small import Row, district, packed

NOON = dt.datetime(2026, 9, 1, 12, tzinfo=dt.UTC)
DAY = NOON.date()
TOKEN = "s3cret-token"
PRODUCT = """\
id: reader
name: Reader
sources: [springfield]
accounts:
  roles: {{teacher: teacher, student: learner}}
  fields: [givenName, familyName, email, role]
  scim:
    base_url: {url}
    auth: {{bearer: {{token: {{env: READER_TOKEN}}}}}}
    attempts: 1
"""


class Scene:
    """Springfield, whose roster is accepted, and a product with a provider."""

    def __init__(self, folder: Path, server: ScimServer) -> None:
        self.folder = folder
        self.server = server
        self.write("roster.yaml", "partitions: {start: 2026-08-20}\n")
        for source in ("springfield", "shelbyville"):
            self.write(
                f"sources/{source}.yaml",
                f"id: {source}\nname: A district\ntimezone: America/Chicago\n"
                "transport: {folder: {path: .}}\n",
            )
        self.write("products/reader.yaml", PRODUCT.format(url=server.url))
        self.snapshots = Snapshots(self.workspace.storage_url)

    @property
    def workspace(self) -> Workspace:
        """As its files are now."""
        return Workspace.load(self.folder)

    def write(self, name: str, text: str) -> None:
        """Write one of its files."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def ledger(self) -> Ledger:
        """Its ledger."""
        return Ledger.open(self.workspace.ledger_url({}))

    def accept(self, files: dict[str, list[Row]], source: str = "springfield") -> Snapshot:
        """Let the source have an accepted roster."""
        staged = self.snapshots.stage(source) / "made"
        with open_package(io.BytesIO(packed(files))) as package:
            made = build_candidate(package, None, staged)
        assert made.roster is not None
        kept = self.snapshots.put(source, made.roster)
        with self.ledger() as ledger, ledger.lease(source, lambda: NOON) as lease:
            before = ledger.accepted(source)
            base = before.snapshot.content_hash if before else None
            ledger.record_verdict(source, kept, base, DAY, "pass", (), NOON, lease)
            ledger.accept(source, kept, base, DAY, NOON, lease)
        return kept

    def run(self, snapshot: Snapshot, **others: Any) -> dg.ExecuteInProcessResult:
        """Both steps, as they follow upon an accepted roster."""
        workspace = self.workspace
        days = partitions(workspace.sources, dt.date(2026, 8, 20), NOON)

        @dg.asset(partitions_def=days)
        def accepted_roster() -> Snapshot:
            return snapshot

        @dg.asset(partitions_def=days, deps=[provisioned_key("reader")])
        def the_end(sync_run: dg.ResourceParam[SyncRun]) -> None:
            sync_run.complete = True

        product = workspace.product("reader")
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Specifying a partitions_def", dg.PreviewWarning)
            steps = [
                accepted_roster,
                accounts_plan(product, days),
                blocked(product, days),
                provisioned(product, days),
                complete(product, days),
                the_end,
            ]
        environ = {"READER_TOKEN": TOKEN}
        return dg.materialize(
            steps,
            partition_key=partition_key(snapshot.source, DAY),
            resources={
                **resources(workspace),
                "clock": lambda: NOON,
                "providers": Providers(self.folder, environ),
                **others,
            },
            raise_on_error=False,
        )

    @property
    def last(self) -> Sync:
        """How the last run ended."""
        with self.ledger() as ledger:
            last = ledger.last_sync("springfield")
        assert last is not None
        return last


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A new one."""
    with ScimServer(TOKEN) as server:
        yield Scene(tmp_path, server)


def made(result: dg.ExecuteInProcessResult) -> set[dg.AssetKey]:
    return {
        event.asset_key for event in result.get_asset_materialization_events() if event.asset_key
    }


def failure(result: dg.ExecuteInProcessResult) -> tuple[str, str]:
    """Which step failed, and what it said."""
    (failed,) = [event for event in result.all_node_events if event.is_step_failure]
    data = failed.step_failure_data.user_failure_data
    assert data is not None
    return str(failed.step_key), str(data.description)


def test_people_with_a_role_that_gives_an_account_have_one(scene: Scene) -> None:
    result = scene.run(scene.accept(district()))
    assert result.success
    assert {accounts_plan_key("reader"), provisioned_key("reader")} <= made(result)
    assert [user["userName"] for user in scene.server.users] == [
        f"u{n}@example.org" for n in (1, 2, 3, 4)
    ]
    assert all(check.passed for check in result.get_asset_check_evaluations())
    assert scene.last.outcome is Outcome.DONE
    assert "Accounts of reader: 4 created." in scene.last.summary["sentences"]


def test_the_same_run_again_writes_nothing(scene: Scene) -> None:
    accepted = scene.accept(district())
    scene.run(accepted)
    writes = scene.server.writes
    assert scene.run(accepted).success
    assert scene.server.writes == writes
    assert scene.last.outcome is Outcome.NOTHING_NEW


def test_who_is_blocked_is_warned_of_and_stops_nobody_else(scene: Scene) -> None:
    files = district()
    files["users"][1]["email"] = files["users"][0]["email"]
    result = scene.run(scene.accept(files))
    assert result.success
    checks = {check.check_name: check for check in result.get_asset_check_evaluations()}
    assert {name: check.passed for name, check in checks.items()} == {
        "blocked": False,
        "complete": False,
    }
    assert {check.severity for check in checks.values()} == {dg.AssetCheckSeverity.WARN}
    assert len(scene.server.users) == 2
    assert any("2 two people of this roster" in said for said in scene.last.summary["sentences"])


def test_a_provider_that_is_down_half_way_fails_the_step_and_is_resumed(scene: Scene) -> None:
    accepted = scene.accept(district())
    scene.server.faults.unavailable_after = 2
    step, said = failure(scene.run(accepted))
    assert step == "products__reader__provisioned"
    assert "503 Service Unavailable" in said
    assert "of 4 accounts were gone through" in said
    assert scene.last.outcome is Outcome.FAILED
    scene.server.faults.unavailable_after = None
    assert scene.run(accepted).success
    assert len(scene.server.users) == 4


def test_a_source_that_does_not_use_the_product_is_passed_over(scene: Scene) -> None:
    result = scene.run(scene.accept(district(), "shelbyville"))
    assert result.success
    assert made(result) == {dg.AssetKey("accepted_roster")}
    assert not scene.server.requests


def test_a_roster_that_is_no_longer_accepted_is_passed_over(scene: Scene) -> None:
    old = scene.accept(district())
    files = district()
    files["users"][0]["familyName"] = "Lovelace"
    scene.accept(files)
    assert made(scene.run(old)) == {dg.AssetKey("accepted_roster")}
    assert not scene.server.requests


def test_another_provider_is_not_sent_the_ids_of_the_one_before(scene: Scene) -> None:
    accepted = scene.accept(district())
    assert scene.run(accepted).success
    files = district()
    files["users"][0]["familyName"] = "Lovelace"
    with ScimServer(TOKEN) as other:
        scene.write("products/reader.yaml", PRODUCT.format(url=other.url))
        step, said = failure(scene.run(scene.accept(files)))
        assert step == "products__reader__accounts_plan"
        assert f"made at {scene.server.url}" in said
        assert "give the product another `id`" in said
        assert not other.requests


def test_a_rehearsal_asks_the_provider_and_changes_nothing(scene: Scene) -> None:
    rehearsed = RehearsedProviders(scene.folder, {"READER_TOKEN": TOKEN})
    result = scene.run(scene.accept(district()), providers=rehearsed)
    assert result.success
    assert scene.server.requests["GET"] > 0
    assert scene.server.writes == 0


def test_events_hold_counts_and_no_cells(scene: Scene) -> None:
    files = district()
    files["users"][1]["email"] = files["users"][0]["email"]
    result = scene.run(scene.accept(files))
    said = str([event.event_specific_data for event in result.all_events])
    for cell in ("example.org", "u1", "Hopper", "Null", TOKEN):
        assert cell not in said
