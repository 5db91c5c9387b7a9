"""What Dagster is given: specs, partitions, schedules, files. Nothing runs here."""

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from roster_pipeline.automation.home import dagster_yaml, make_home, open_home
from roster_pipeline.automation.partitions import partitions
from roster_pipeline.build import build_defs
from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.reports.layers import NAMES, layers_of
from roster_pipeline.workspace import Workspace
from roster_pipeline.workspace.dates import LIMIT

REPOSITORY = Path(__file__).parents[2]
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

_TRANSPORT = "transport: {folder: {path: .}}\n"
_PRODUCT = """\
id: {name}
name: A product
sources: all
courses: {{catalogue: catalogue.csv}}
accounts:
  identity: {{user_name: email}}
  roles: {{teacher: teacher}}
  fields: [email, role]
  scim:
    base_url: https://{name}.example/v2
    auth: {{bearer: {{token: {{env: TOKEN}}}}}}
"""


def _workspace(folder: Path, sources: Mapping[str, str]) -> Workspace:
    for name in ("sources", "destinations"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "roster.yaml").write_text("partitions: {start: 2026-08-01}\n", encoding="utf-8")
    for source, lines in sources.items():
        text = f"id: {source}\nname: A district\n{lines}{_TRANSPORT}"
        (folder / f"sources/{source}.yaml").write_text(text, encoding="utf-8")
    for name in ("lms", "sis"):
        text = f"id: {name}\npath: {name}/{{source}}.zip\n{_TRANSPORT}"
        (folder / f"destinations/{name}.yaml").write_text(text, encoding="utf-8")
    return Workspace.load(folder)


@pytest.fixture
def definitions(tmp_path: Path) -> dg.Definitions:
    """Of a workspace with a daily source in Honolulu and a weekly one in Auckland."""
    workspace = _workspace(
        tmp_path,
        {
            "hilo": "timezone: Pacific/Honolulu\n",
            "north-shore": "timezone: Pacific/Auckland\ncadence: weekly\nweekday: sunday\n",
        },
    )
    return build_defs(workspace, {"clock": lambda: NOON})


def test_every_asset_is_where_the_architecture_puts_it(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    seen = {
        key.to_user_string(): (
            graph.get(key).group_name,
            sorted(parent.to_user_string() for parent in graph.get(key).parent_keys),
        )
        for key in graph.get_all_asset_keys()
    }
    candidates = {f"candidate/{entity}": ("candidate", ["landed_package"]) for entity in ENTITIES}
    assert seen == {
        "landed_package": ("source", []),
        **candidates,
        "findings": ("candidate", ["landed_package"]),
        "candidate_roster": ("candidate", sorted(candidates)),
        "changes": ("gate", ["candidate_roster"]),
        "accepted_roster": ("gate", ["changes"]),
        "deliveries/lms": ("deliveries", ["accepted_roster"]),
        "deliveries/sis": ("deliveries", ["accepted_roster"]),
        "sync_report": (
            "report",
            ["accepted_roster", "candidate_roster", "changes", "findings"],
        ),
    }


def test_what_is_done_for_a_product_is_a_group_of_its_own_with_telling_labels(
    tmp_path: Path,
) -> None:
    _workspace(tmp_path, {"hilo": "timezone: Pacific/Honolulu\n"})
    (tmp_path / "products").mkdir()
    for name in ("maths-path", "reader"):
        text = _PRODUCT.format(name=name)
        (tmp_path / f"products/{name}.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "catalogue.csv").write_text("id,title\nalg-1,Algebra I\n", encoding="utf-8")
    workspace = Workspace.load(tmp_path)
    graph = build_defs(workspace, {"clock": lambda: NOON}).resolve_asset_graph()
    labels: dict[str | None, set[str]] = {}
    for key in graph.get_all_asset_keys():
        labels.setdefault(graph.get(key).group_name, set()).add(key.path[-1])
    for group in ("product_maths_path", "product_reader"):
        assert labels[group] == {"course_map", "sections", "accounts_plan", "provisioned"}


def test_everything_is_partitioned_by_date_and_source(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        found = graph.get(key).partitions_def
        assert isinstance(found, dg.MultiPartitionsDefinition), key
        assert found.partition_dimension_names == ["date", "source"]
    for check in graph.asset_check_keys:
        assert graph.get(check).partitions_def is not None, check


def test_the_checks_that_block_are_quality_and_the_guard(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    checks = {check.to_user_string(): graph.get(check).blocking for check in graph.asset_check_keys}
    assert checks == {
        **{
            f"candidate/{entity}:{NAMES[layer]}": False
            for entity in ENTITIES
            for layer in layers_of(entity)
        },
        "findings:package": False,
        "candidate_roster:quality": True,
        "candidate_roster:held_rows": False,
        "changes:guard": True,
        **{f"deliveries/{name}:fit": False for name in ("lms", "sis")},
    }
    assert {"candidate/users:cells", "candidate/users:keys", "candidate/roles:references"} <= set(
        checks
    )


def test_resuming_asks_the_guard_again_and_reads_nothing_anew(definitions: dg.Definitions) -> None:
    job = definitions.resolve_job_def("resume")
    steps = {node.name for node in job.graph.nodes}
    assert steps == {
        "changes_guard",
        "accepted_roster",
        "deliveries__lms",
        "deliveries__lms_fit",
        "deliveries__sis",
        "deliveries__sis_fit",
        "sync_report",
    }


@pytest.mark.parametrize(
    ("name", "local", "key"),
    [
        ("schedule_hilo", "2026-11-20T02:30:00-10:00", "2026-11-20|hilo"),
        ("schedule_north_shore", "2026-11-22T02:30:00+13:00", "2026-11-22|north-shore"),
    ],
)
def test_a_schedule_at_half_past_two_local_time_names_that_day(
    definitions: dg.Definitions, name: str, local: str, key: str
) -> None:
    schedule = definitions.resolve_schedule_def(name)
    at = datetime.fromisoformat(local)
    with dg.build_schedule_context(
        scheduled_execution_time=at.astimezone(UTC),
        repository_def=definitions.get_repository_def(),
    ) as context:
        result = schedule.evaluate_tick(context)
    assert result.run_requests is not None
    (request,) = result.run_requests
    assert request.partition_key == key
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING


def test_schedules_tick_by_each_district_s_own_clock(definitions: dg.Definitions) -> None:
    hilo = definitions.resolve_schedule_def("schedule_hilo")
    shore = definitions.resolve_schedule_def("schedule_north_shore")
    assert (hilo.cron_schedule, hilo.execution_timezone) == ("30 2 * * *", "Pacific/Honolulu")
    assert (shore.cron_schedule, shore.execution_timezone) == ("30 2 * * 0", "Pacific/Auckland")


def test_every_district_s_today_is_a_partition() -> None:
    made = partitions(["a"], date(2026, 8, 1), datetime.now(UTC))
    for zone in ("Pacific/Kiritimati", "Pacific/Auckland", "America/Chicago", "Pacific/Honolulu"):
        from zoneinfo import ZoneInfo

        today = datetime.now(ZoneInfo(zone)).date()
        assert made.has_partition_key(dg.MultiPartitionKey({"date": str(today), "source": "a"}))


def test_of_more_partitions_than_dagster_can_show_the_oldest_dates_are_left_out() -> None:
    names = [f"d{number}" for number in range(500)]
    dates = partitions(names, date(2025, 1, 1), NOON).get_partitions_def_for_dimension("date")
    assert dates.get_partition_keys(NOON)[0] == "2026-05-06"
    assert len(dates.get_partition_keys(NOON)) * len(names) == LIMIT
    dates = partitions(names, date(2026, 6, 1), NOON).get_partitions_def_for_dimension("date")
    assert dates.get_partition_keys(NOON)[0] == "2026-06-01"


def test_a_new_workspace_without_sources_loads(tmp_path: Path) -> None:
    made = build_defs(_workspace(tmp_path, {}))
    dg.Definitions.validate_loadable(made)
    names = [sensor.name for sensor in made.sensors or ()]
    assert names == ["approvals", "undelivered", "lost_runs", "workspace_files"]


def test_loading_the_definitions_makes_no_file_and_no_connection(tmp_path: Path) -> None:
    _workspace(tmp_path, {"hilo": "timezone: Pacific/Honolulu\n"})
    before = sorted(tmp_path.rglob("*"))
    code = (
        "import socket\n"
        "def refuse(*_): raise AssertionError('a connection')\n"
        "socket.socket.connect = refuse\n"
        "from roster_pipeline.definitions import defs\n"
        "print(len(defs.resolve_all_asset_specs()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "ROSTER_WORKSPACE": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["17"]
    assert "Warning" not in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_the_repository_s_dagster_yaml_is_the_one_that_workspaces_get() -> None:
    assert (REPOSITORY / "dagster.yaml").read_text(encoding="utf-8") == dagster_yaml()
    settings = yaml.safe_load(dagster_yaml())
    assert settings["telemetry"] == {"enabled": False}
    assert settings["nux"] == {"enabled": False}


def test_workspace_yaml_and_pyproject_name_the_location_alike() -> None:
    import tomllib

    loaded: dict[str, Any] = yaml.safe_load(
        (REPOSITORY / "workspace.yaml").read_text(encoding="utf-8")
    )
    (entry,) = loaded["load_from"]
    tool = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    named = entry["python_module"]
    assert named["module_name"] == tool["dagster"]["module_name"]
    assert named["location_name"] == tool["dg"]["project"]["code_location_name"]


@pytest.mark.postgres
def test_a_home_on_postgresql_keeps_its_runs_there(
    tmp_path: Path, postgres_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROSTER_POSTGRES_URL", postgres_database)
    home = make_home(tmp_path, "postgres")
    assert postgres_database not in (home / "dagster.yaml").read_text(encoding="utf-8")
    with open_home(tmp_path) as instance:
        assert instance.get_runs_count() == 0
    assert not list(home.rglob("*.db"))


def test_a_home_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    make_home(tmp_path)
    assert (home / "dagster.yaml").read_text(encoding="utf-8") == "telemetry: {enabled: false}\n"


def test_credentials_are_checked_where_a_date_is_noted_as_their_end(tmp_path: Path) -> None:
    token = "{bearer: {token: {env: TOKEN}}}"
    dated = "{bearer: {token: {env: TOKEN}}, expires: 2027-06-30}"
    _workspace(tmp_path, {"hilo": "timezone: Pacific/Honolulu\n"})
    (tmp_path / "sources/rest.yaml").write_text(
        "id: rest\nname: A district\ntimezone: Pacific/Honolulu\n"
        f"rest: {{base_url: 'https://sis.example', auth: {dated}}}\n"
    )
    (tmp_path / "products").mkdir()
    for name, auth in (("maths", dated), ("reader", token)):
        text = _PRODUCT.format(name=name).replace(token, auth)
        (tmp_path / f"products/{name}.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "catalogue.csv").write_text("id,title\nalg-1,Algebra I\n", encoding="utf-8")

    graph = build_defs(Workspace.load(tmp_path), {"clock": lambda: NOON}).resolve_asset_graph()

    found = [key for key in graph.asset_check_keys if key.name == "credentials"]
    assert {key.to_user_string() for key in found} == {
        "landed_package:credentials",
        "products/maths/accounts_plan:credentials",
    }
    assert not any(graph.get(key).blocking for key in found)
