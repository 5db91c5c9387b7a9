"""The course map and the sections as steps of the graph, behind an accepted roster."""

import datetime as dt
import warnings
from pathlib import Path

import dagster as dg
import pytest

from roster_pipeline.assets.courses import (
    course_map,
    course_map_key,
    sections,
    sections_key,
    unmapped,
)
from roster_pipeline.automation.partitions import partition_key, partitions
from roster_pipeline.resources import resources
from roster_pipeline.store import CourseDecision, Snapshot
from roster_pipeline.store.ledger import Ledger
from roster_pipeline.store.snapshots import Snapshots
from roster_pipeline.workspace import Workspace
from tests.courses.scene import roster
from tests.small import district

NOON = dt.datetime(2026, 9, 1, 12, tzinfo=dt.UTC)
DAY = NOON.date()
PRODUCT = """\
id: maths
name: Maths Path
sources: [springfield]
courses:
  catalogue: maths.csv
  rules: [{title: algebra, course: alg-1}]
"""


class Scene:
    """Springfield, whose roster is accepted, and a product."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("roster.yaml", "partitions: {start: 2026-08-20}\n")
        for source in ("springfield", "shelbyville"):
            self.write(
                f"sources/{source}.yaml",
                f"id: {source}\nname: A district\ntimezone: America/Chicago\n"
                "transport: {folder: {path: .}}\n",
            )
        self.write("products/maths.yaml", PRODUCT)
        self.write("maths.csv", "id,title\nalg-1,Algebra 1\n")
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

    def accept(self, source: str = "springfield", **change: str) -> Snapshot:
        """Let the source have an accepted roster."""
        files = district()
        files["classes"][0] |= change
        kept = self.snapshots.put(source, roster(files, self.snapshots.stage(source) / "made"))
        with self.ledger() as ledger, ledger.lease(source, lambda: NOON) as lease:
            before = ledger.accepted(source)
            base = before.snapshot.content_hash if before else None
            ledger.record_verdict(source, kept, base, DAY, "pass", (), NOON, lease)
            ledger.accept(source, kept, base, DAY, NOON, lease)
        return kept

    def decide(self, course: str, what: str) -> None:
        """Ada's word."""
        with self.ledger() as ledger:
            made = CourseDecision("maths", "springfield", course, what, "ada", "why", NOON)
            ledger.record_course_decisions([made])

    def run(self, snapshot: Snapshot) -> dg.ExecuteInProcessResult:
        """Both steps, as they follow upon an accepted roster."""
        workspace = self.workspace
        days = partitions(workspace.sources, dt.date(2026, 8, 20), NOON)

        @dg.asset(partitions_def=days)
        def accepted_roster() -> Snapshot:
            return snapshot

        product = workspace.product("maths")
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Specifying a partitions_def", dg.PreviewWarning)
            steps = [
                accepted_roster,
                course_map(product, days),
                unmapped(product, days),
                sections(product, days),
            ]
        return dg.materialize(
            steps,
            partition_key=partition_key(snapshot.source, DAY),
            resources={**resources(workspace), "clock": lambda: NOON},
            raise_on_error=False,
        )


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A new one."""
    return Scene(tmp_path)


def made(result: dg.ExecuteInProcessResult) -> set[dg.AssetKey]:
    return {
        event.asset_key for event in result.get_asset_materialization_events() if event.asset_key
    }


def test_courses_are_mapped_and_sections_listed(scene: Scene) -> None:
    accepted = scene.accept()
    result = scene.run(accepted)
    assert result.success
    table = scene.snapshots.table(accepted, "course-map.maths")
    assert table[["sourcedId", "status"]].to_numpy().tolist() == [
        ["co1", "mapped"],
        ["co2", "unmapped"],
    ]
    found = scene.snapshots.table(accepted, "sections.maths")
    assert found["classSourcedId"].tolist() == ["cl1"]
    assert found["teacherSourcedIds"].tolist() == ["u4"]


def test_what_waits_is_warned_of_and_stops_nothing(scene: Scene) -> None:
    accepted = scene.accept()
    (check,) = scene.run(accepted).get_asset_check_evaluations()
    assert (check.passed, check.severity, check.check_name) == (
        False,
        dg.AssetCheckSeverity.WARN,
        "unmapped",
    )
    with scene.ledger() as ledger:
        last = ledger.last_sync("springfield")
    assert last is not None
    assert last.summary["sentences"] == [
        "1 of 2 courses are none of maths yet; see `roster courses unmapped`."
    ]


def test_a_decision_holds_from_the_next_run_on(scene: Scene) -> None:
    accepted = scene.accept()
    scene.run(accepted)
    scene.decide("co2", "ignore")
    scene.decide("co1", "alg-1")
    result = scene.run(accepted)
    (check,) = result.get_asset_check_evaluations()
    assert check.passed
    table = scene.snapshots.table(accepted, "course-map.maths")
    assert table["how"].tolist() == ["decision", "decision"]


def test_the_same_run_again_leaves_the_same_tables(scene: Scene) -> None:
    accepted = scene.accept()
    folder = Path(scene.workspace.storage_url)
    scene.run(accepted)
    before = {path: path.read_bytes() for path in folder.rglob("*.maths.parquet")}
    scene.run(accepted)
    assert len(before) == 2
    assert {path: path.read_bytes() for path in folder.rglob("*.maths.parquet")} == before


def test_a_source_that_does_not_use_the_product_is_passed_over(scene: Scene) -> None:
    result = scene.run(scene.accept("shelbyville"))
    assert result.success
    assert made(result) == {dg.AssetKey("accepted_roster")}


def test_a_roster_that_is_no_longer_accepted_is_passed_over(scene: Scene) -> None:
    old = scene.accept()
    scene.accept(title="Algebra, renamed")
    assert made(scene.run(old)) == {dg.AssetKey("accepted_roster")}


def test_a_broken_catalogue_fails_with_its_line_and_leaves_the_last_map(scene: Scene) -> None:
    accepted = scene.accept()
    scene.run(accepted)
    before = scene.snapshots.table(accepted, "course-map.maths")
    scene.write("maths.csv", "id,title\nalg-1,Algebra 1\nalg-1,Algebra\n")
    result = scene.run(accepted)
    assert not result.success
    (failed,) = [event for event in result.all_node_events if event.is_step_failure]
    assert failed.step_key == "products__maths__course_map"
    assert failed.step_failure_data.user_failure_data is not None
    assert (failed.step_failure_data.user_failure_data.description or "").startswith(
        "maths.csv:3: `id`: a line above has the same id."
    )
    assert scene.snapshots.table(accepted, "course-map.maths").equals(before)


def test_events_hold_counts_and_no_cells(scene: Scene) -> None:
    result = scene.run(scene.accept())
    assert {course_map_key("maths"), sections_key("maths")} <= made(result)
    said = str(
        [event.step_materialization_data for event in result.get_asset_materialization_events()]
    )
    for cell in ("Algebra", "co1", "cl1", "u4", "alg-1"):
        assert cell not in said
