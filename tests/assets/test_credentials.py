"""The check of the date that is noted as the end of credentials."""

import datetime as dt
import warnings
from pathlib import Path

import dagster as dg
import pytest

from roster_pipeline.assets.credentials import source_credentials
from roster_pipeline.automation.partitions import partition_key, partitions
from roster_pipeline.resources import resources
from roster_pipeline.workspace import Workspace

DAY = dt.date(2026, 8, 26)
NOON = dt.datetime(2026, 8, 26, 17, tzinfo=dt.UTC)
_SOURCE = """\
id: springfield
name: Springfield
timezone: America/Chicago
rest:
  base_url: https://sis.example
  auth: {{bearer: {{token: {{env: PLANTED}}}}{expires}}}
"""


def evaluation(folder: Path, expires: str) -> dg.AssetCheckEvaluation:
    """The check of a source whose credentials have this end, run for a day."""
    (folder / "sources").mkdir()
    (folder / "roster.yaml").write_text("partitions: {start: 2026-08-01}\n")
    (folder / "sources/springfield.yaml").write_text(_SOURCE.format(expires=expires))
    workspace = Workspace.load(folder)
    days = partitions(workspace.sources, dt.date(2026, 8, 20), NOON)

    @dg.asset(partitions_def=days)
    def landed_package() -> None:
        """Something came."""

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Specifying a partitions_def", dg.PreviewWarning)
        steps = [landed_package, source_credentials(days)]
    result = dg.materialize(
        steps,
        partition_key=partition_key("springfield", DAY),
        resources={**resources(workspace), "clock": lambda: NOON},
    )
    assert result.success
    (made,) = result.get_asset_check_evaluations()
    return made


@pytest.mark.parametrize(
    ("expires", "passed", "severity", "said"),
    [
        ("", True, None, "No date is noted as their end."),
        (", expires: 2027-06-30", True, None, "The credentials end on 2027-06-30."),
        (", expires: 2026-09-01", False, "WARN", "The credentials end in 6 days, on 2026-09-01."),
        (", expires: 2026-08-25", False, "ERROR", "The credentials ended on 2026-08-25."),
    ],
)
def test_it_warns_before_the_end_errs_after_it_and_stops_nothing(
    tmp_path: Path, expires: str, passed: bool, severity: str | None, said: str
) -> None:
    made = evaluation(tmp_path, expires)
    assert made.passed is passed
    assert severity in (None, made.severity.value)
    assert (made.description or "").startswith(said)
    assert "PLANTED" not in str(made)
