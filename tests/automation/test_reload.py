"""A workspace's files change while Dagster runs: what a reload of the location makes of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster_graphql.test.utils import execute_dagster_graphql

from roster_pipeline.build import build_defs
from roster_pipeline.workspace import Workspace, WorkspaceError

REPOSITORY = Path(__file__).parents[2]
LOCATION = "roster_pipeline"
SOURCE = """\
id: {id}
name: A district
timezone: America/Chicago
transport: {{folder: {{path: .}}}}
"""
RELOAD = """
mutation($location: String!) {
  reloadRepositoryLocation(repositoryLocationName: $location) { __typename }
}
"""
SEEN = """
query {
  workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError {
    __typename
    ... on PythonError { causes { message } }
    ... on RepositoryLocation { repositories { schedules { name } sensors { name } } }
  } } } }
}
"""
SOURCES = """
query {
  assetNodeOrError(assetKey: {path: ["landed_package"]}) {
    ... on AssetNode { partitionKeysByDimension { name partitionKeys } }
  }
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with one source."""
    (tmp_path / "sources").mkdir()
    (tmp_path / "roster.yaml").write_text("partitions: {start: 2026-11-01}\n")
    (tmp_path / "sources/springfield.yaml").write_text(SOURCE.format(id="springfield"))
    return tmp_path


class Running:
    """What the webserver has of a workspace: the location, in a process of its own."""

    def __init__(self, context: WorkspaceProcessContext) -> None:
        self._context = context

    def reload(self) -> None:
        """As the button of the UI does it."""
        self._ask(RELOAD, location=LOCATION)

    def location(self) -> dict[str, Any]:
        """What is loaded, or why nothing is."""
        (entry,) = self._ask(SEEN)["workspaceOrError"]["locationEntries"]
        found: dict[str, Any] = entry["locationOrLoadError"]
        return found

    def names(self) -> set[str]:
        """The schedules and sensors."""
        (repository,) = self.location()["repositories"]
        return {each["name"] for each in (*repository["schedules"], *repository["sensors"])}

    def sources(self) -> list[str]:
        """The sources that can be synced."""
        dimensions = self._ask(SOURCES)["assetNodeOrError"]["partitionKeysByDimension"]
        (keys,) = (d["partitionKeys"] for d in dimensions if d["name"] == "source")
        return sorted(keys)

    def _ask(self, query: str, **variables: str) -> dict[str, Any]:
        request = self._context.create_request_context()
        done = execute_dagster_graphql(request, query, variables)
        return dict(done.data)


@pytest.fixture
def running(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """Dagster on the workspace."""
    monkeypatch.setenv("ROSTER_WORKSPACE", str(folder))
    (folder / ".dagster").mkdir()
    target = WorkspaceFileTarget([str(REPOSITORY / "workspace.yaml")])
    with (
        dg.DagsterInstance.local_temp(str(folder / ".dagster")) as instance,
        WorkspaceProcessContext(instance, target) as context,
    ):
        yield Running(context)


@pytest.mark.timeout(300)
@pytest.mark.soak
def test_a_new_source_is_there_after_a_reload_and_a_broken_file_takes_nobody_down(
    folder: Path, running: Running
) -> None:
    assert running.sources() == ["springfield"]

    (folder / "sources/shelby.yaml").write_text(SOURCE.format(id="shelby"))
    (folder / "sources/broken.yaml").write_text("id: broken\n\tname: x\n")
    assert running.sources() == ["springfield"], "not before a reload"
    running.reload()
    assert running.sources() == ["shelby", "springfield"]
    assert {"schedule_shelby", "drop_shelby", "drop_springfield"} <= running.names()
    assert not any("broken" in name for name in running.names())

    (folder / "roster.yaml").write_text("partitions: {start: 2026-11-01}\nledgr: x\n")
    running.reload()
    said = running.location()
    assert said["__typename"] == "PythonError"
    assert "roster.yaml:2:1: no key is called `ledgr`" in str(said["causes"])


def _said(made: dg.Definitions) -> str | None:
    """What the sensor of the workspace's files says now."""
    answer = made.resolve_sensor_def("workspace_files")()
    assert isinstance(answer, dg.SkipReason)
    return answer.skip_message


@pytest.mark.soak
def test_a_file_that_was_left_out_fails_a_sensor_that_says_what_to_do(folder: Path) -> None:
    (folder / "sources/broken.yaml").write_text("id: broken\n\tname: x\n")
    made = build_defs(Workspace.load(folder, leave_out=True))

    with pytest.raises(Exception, match=r"sources/broken\.yaml:2:1: this is not YAML") as failed:
        _said(made)
    assert "Mend them. Reload the code location" in str(failed.value)
    (folder / "sources/broken.yaml").unlink()
    with pytest.raises(Exception, match="These files are left out") as failed:
        _said(made)
    assert "Mend them" not in str(failed.value), "somebody has, and only has to reload"


@pytest.mark.soak
def test_a_sensor_tells_of_files_that_have_changed_since_they_were_loaded(folder: Path) -> None:
    made = build_defs(Workspace.load(folder))
    assert _said(made) == "Every file of the workspace is used as it is."
    (folder / "sources/shelby.yaml").write_text(SOURCE.format(id="shelby"))
    assert "Changed since the files were loaded: sources/shelby.yaml." in str(_said(made))


@pytest.mark.soak
def test_only_a_broken_roster_yaml_keeps_everything_from_loading(folder: Path) -> None:
    (folder / "destinations").mkdir()
    for name in ("first", "second"):
        (folder / f"destinations/{name}.yaml").write_text(
            f"id: {name}\ntransport: {{folder: {{path: ./out}}}}\npath: '{{source}}.zip'\n"
        )
    (folder / "destinations/third.yaml").write_text(
        "id: third\ntransport: {folder: {path: ./out}}\npath: 'third/{source}.zip'\n"
    )
    (folder / "sources/broken.yaml").write_text(SOURCE.format(id="broken") + "foldr: x\n")

    workspace = Workspace.load(folder, leave_out=True)

    assert list(workspace.sources) == ["springfield"]
    assert list(workspace.destinations) == ["third"], "of two for one path, neither is right"
    with pytest.raises(WorkspaceError, match=r"broken\.yaml:5:1: no key is called `foldr`"):
        workspace.source("broken")
    (folder / "roster.yaml").write_text("partitions: {start: 2026-11-01}\nledgr: x\n")
    with pytest.raises(WorkspaceError, match="ledgr"):
        Workspace.load(folder, leave_out=True)
