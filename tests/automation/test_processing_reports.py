"""What a receiver answers, as the check of its delivery."""

import os
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from roster_pipeline.automation.delivering import run_delivery
from roster_pipeline.automation.ticks import TickFailedError
from roster_pipeline.build import build_defs
from tests.automation.test_sensors import tick
from tests.automation.town import SOURCE, Town
from tests.small import unpacked

SENSOR = "report_lms"
REPORTS = """\
reports:
  folder: /reports
  pattern: "{source}-*.txt"
  within_hours: 6
  read:
    text: {lines: ['^(?P<grade>ERROR|OK) (?P<sourcedId>\\S+)']}
    grades: {OK: fine}
    rejected: "(?m)^ABORTED"
"""


def answered(town: Town, text: str) -> Path:
    """The receiver answers, now."""
    folder = town.server.root / "reports"
    folder.mkdir(exist_ok=True)
    report = folder / f"{SOURCE}-{len(list(folder.iterdir()))}.txt"
    report.write_text(text)
    os.utime(report, (town.now.timestamp(), town.now.timestamp()))
    return report


def told(said: dg.SensorResult | dg.SkipReason) -> dg.AssetCheckEvaluation:
    assert isinstance(said, dg.SensorResult)
    (event,) = said.asset_events
    assert isinstance(event, dg.AssetCheckEvaluation)
    return event


def test_what_the_receiver_says_is_told_once_as_a_check_of_the_delivery(town: Town) -> None:
    town.write_destination("lms", REPORTS)
    assert isinstance(tick(town, SENSOR), dg.SkipReason)
    town.drop(0)
    town.approve(town.sync().hold)

    waiting = tick(town, SENSOR)
    event = told(waiting)
    assert (event.passed, event.description) == (True, "There is no report yet.")
    assert event.partition == f"{town.today}|{SOURCE}"
    checks = build_defs(town.workspace, town.clock).resolve_asset_graph().asset_check_keys
    assert event.asset_check_key in checks
    assert isinstance(waiting, dg.SensorResult)
    assert isinstance(tick(town, SENSOR, waiting.cursor), dg.SkipReason)

    town.now += timedelta(hours=7)
    late = told(tick(town, SENSOR, waiting.cursor))
    assert (late.passed, late.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert late.description == "There is no report in time."

    answered(town, "OK u1\nERROR u2 Zaphod\n")
    some = told(tick(town, SENSOR, waiting.cursor))
    assert (some.passed, some.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert some.metadata["rows: error"].value == 1
    assert "Zaphod" not in repr(some)
    # What was read is not fetched again: the same bytes are needed to see that nothing is new.
    known = tick(town, SENSOR, waiting.cursor)
    assert isinstance(known, dg.SensorResult)
    report = town.server.root / "reports" / f"{SOURCE}-0.txt"
    there = report.stat()
    report.write_bytes(b"ABORTED\n".ljust(there.st_size))
    os.utime(report, ns=(there.st_atime_ns, there.st_mtime_ns))
    assert isinstance(tick(town, SENSOR, known.cursor), dg.SkipReason)

    town.now += timedelta(hours=1)
    answered(town, "OK u1\nOK u2\n")
    assert told(tick(town, SENSOR)).passed
    town.now += timedelta(hours=1)
    answered(town, "ABORTED\n")
    assert told(tick(town, SENSOR)).severity is dg.AssetCheckSeverity.ERROR
    town.server.faults.wrong_password = True
    with pytest.raises(TickFailedError, match="password"):
        tick(town, SENSOR)


def test_what_a_receiver_of_changes_rejects_is_sent_again_with_the_same_roster(town: Town) -> None:
    town.write(
        "destinations/lms.yaml",
        f"id: lms\nprofile: oneroster-1.2\nmode: delta\npath: /in/{{source}}-{{number}}.zip\n"
        f"sources: all\n{town.transport()}{REPORTS}",
    )
    town.drop(0)
    town.approve(town.sync().hold)
    answered(town, "ABORTED\n")
    os.utime(town.server.root / "reports" / f"{SOURCE}-0.txt", times=None)

    run_delivery(build_defs, town.workspace, "lms", SOURCE, instance="ephemeral")

    first, second = (town.server.root / "in" / f"{SOURCE}-{n:06}.zip" for n in (1, 2))
    assert unpacked(second) == unpacked(first)
