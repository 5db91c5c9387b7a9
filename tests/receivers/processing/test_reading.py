"""Processing reports in the forms that receivers write them in."""

import io
import json
import zipfile
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from roster_pipeline.receivers.processing.config import ReportFormat, Reports
from roster_pipeline.receivers.processing.looking import look
from roster_pipeline.receivers.processing.matching import Outcome, matched, outcome
from roster_pipeline.receivers.processing.reading import Report, ReportUnreadable, read_report
from roster_pipeline.store import Delivery
from roster_pipeline.transport.folder import Folder
from tests.receivers.conftest import Make, Rows

CSV = {
    "csv": {"fields": {"grade": "Type", "file": "File", "sourcedId": "ID", "message": "Text"}},
    "grades": {"ERR": "error", "Warn": "warning", "removed": "deleted"},
    "otherwise": "fine",
}
LINES = (
    "File,Type,ID,Text\r\nusers.csv,ERR,t1,no e-mail\r\nUsers.CSV,warn,s2,\r\n"
    'enrollments.csv,REMOVED,e1,"gone, as asked"\r\n,ok,nobody,\r\n'
)


def read(text: str | bytes, form: dict[str, Any]) -> Report:
    content = text if isinstance(text, bytes) else text.encode()
    return read_report(io.BytesIO(content), ReportFormat.model_validate(form))


def rows(report: Report) -> list[dict[str, str]]:
    return [
        {str(name): cell for name, cell in row.items() if isinstance(cell, str)}
        for row in report.rows.to_dict("records")
    ]


def test_a_csv_report_is_read_by_the_names_of_its_columns() -> None:
    report = read(LINES, CSV)
    assert rows(report)[0] == {
        "grade": "error",
        "file": "users.csv",
        "sourcedId": "t1",
        "message": "no e-mail",
    }
    assert report.counts() == {"error": 1, "warning": 1, "deleted": 1, "fine": 1}
    assert outcome(report) is Outcome.WITH_ERRORS


def test_a_json_report_is_read_by_its_paths() -> None:
    form = {
        "json": {"rows": "result.rows", "fields": {"sourcedId": "record.id", "line": "at"}},
        "otherwise": "warning",
    }
    document = {"result": {"rows": [{"record": {"id": 17}, "at": 4}, {"record": None, "at": [1]}]}}
    report = read(json.dumps(document), form)
    assert rows(report) == [
        {"grade": "warning", "sourcedId": "17", "line": "4"},
        {"grade": "warning"},
    ]
    assert outcome(report) is Outcome.ACCEPTED


def test_lines_of_text_are_read_by_the_first_pattern_that_fits() -> None:
    form = {
        "text": {
            "lines": [
                r"^(?P<grade>ERROR|WARNING) (?P<file>\w+\.csv):(?P<line>\d+)",
                r"^(?P<grade>ERROR)",
            ]
        },
        "rejected": r"(?m)^Import aborted",
    }
    report = read(
        "Imported at noon\nERROR users.csv:7 bad\nERROR whatever\nWARNING x.csv:1\n", form
    )
    assert [row["grade"] for row in rows(report)] == ["error", "error", "warning"]
    assert rows(report)[0]["line"] == "7"
    assert outcome(report) is Outcome.WITH_ERRORS
    assert outcome(read("Import aborted: no manifest", form)) is Outcome.REJECTED


def test_a_report_in_a_zip_is_found_by_its_name() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("errors-17.csv", LINES)
        archive.writestr("readme.txt", "")
    assert len(read(packed.getvalue(), {**CSV, "inside": "errors-*.csv"}).rows) == 4
    with pytest.raises(ReportUnreadable, match="2 files in the report's zip match"):
        read(packed.getvalue(), {**CSV, "inside": "*"})
    with pytest.raises(ReportUnreadable, match="zip cannot be used"):
        read(LINES, {**CSV, "inside": "*"})


@pytest.mark.parametrize(
    ("text", "form", "sentence"),
    [
        ("File,ID\nx,y\n", CSV, "has no column Type"),
        ("", CSV, "first line, in which there are 0 names"),
        (b"\xff\xfe\x00", CSV, "not in utf-8-sig"),
        ("{", {"json": {"rows": "a", "fields": {"line": "b"}}}, "no JSON"),
        ("[]", {"json": {"rows": "a", "fields": {"line": "b"}}}, "no list at a"),
    ],
)
def test_a_report_that_is_not_as_it_should_be_is_one_sentence(
    text: str | bytes, form: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ReportUnreadable, match=sentence):
        read(text, form)


@given(st.binary(max_size=200))
def test_no_report_gives_a_traceback(content: bytes) -> None:
    forms: list[dict[str, Any]] = [
        CSV,
        {"json": {"rows": "a", "fields": {"line": "b"}}},
        {"text": {"lines": [r"(?P<code>\w+)"]}, "encoding": "latin-1"},
        {**CSV, "inside": "*"},
    ]
    for form in forms:
        with suppress(ReportUnreadable):
            read(content, form)


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({}, "exactly one of csv, json and text"),
        ({"text": {"lines": ["("]}}, "no regular expression"),
        ({"text": {"lines": ["x"]}}, "no named group"),
        ({"text": {"lines": ["(?P<who>x)"]}}, "no field is called who"),
        ({"csv": {"fields": {}}}, "name at least one of"),
        ({**CSV, "encoding": "utf-9"}, "no encoding is called utf-9"),
    ],
)
def test_a_format_that_cannot_be_meant_is_refused(form: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        ReportFormat.model_validate(form)


def test_a_report_without_its_header_is_not_quoted() -> None:
    with pytest.raises(ReportUnreadable) as error:
        read("ERR,users.csv,t1,Ada Lovelace has no e-mail\r\n", CSV)
    assert "Ada" not in str(error.value)
    assert "there are 4 names" in str(error.value)


def test_rows_are_found_again_with_where_they_came_from(make: Make) -> None:
    def known(rows: Rows) -> None:
        rows["users"][0]["sourcedId"], rows["enrollments"][0]["sourcedId"] = "t1", "e1"

    roster = make(known)
    findings = pd.DataFrame(
        {
            "code": ["b", "a", "c"],
            "entity": ["users", "users", "users"],
            "sourcedId": ["t1", "t1", "else"],
        }
    )
    report = read(LINES + "orgs.csv,ERR,t1,\r\n,ERR,t1,\r\n", CSV)

    found = matched(report, roster, findings).to_dict("records")

    first = roster.take("users", roster.find("users", pd.Series(["t1"])), provenance=True)
    assert found[0]["our file"] == first["_file"][0]
    assert found[0]["our line"] == str(first["_line"][0])
    assert found[0]["findings"] == "a, b"
    assert [row["entity"] for row in found[2:]] == [
        "enrollments",
        *[found[3]["entity"]],
        "orgs",
        "users",
    ]
    assert [isinstance(row["our file"], str) for row in found] == [
        *(True, False, True, False, False, True)
    ]


def test_a_report_is_about_what_was_brought_not_about_a_later_day_with_nothing_new(
    tmp_path: Path,
) -> None:
    reports = Reports.model_validate({"read": CSV, "pattern": "{source}-{package}.csv"})
    (tmp_path / "springfield-x1.csv").write_text(LINES)
    (tmp_path / "springfield-x2.csv").write_text("File,Type,ID,Text\n")
    there = datetime.fromtimestamp((tmp_path / "springfield-x1.csv").stat().st_mtime, UTC)
    receipt = {"brought": (there - timedelta(hours=1)).isoformat()}
    later = there + timedelta(days=3)
    this = Delivery("lms", "springfield", "c", "p", "in/x1.zip", 1, receipt, later)
    answer = look(Folder(tmp_path), reports, this, later)
    assert (answer.outcome, answer.report) == (Outcome.WITH_ERRORS, "springfield-x1.csv")
    assert answer.refused is not None
    assert answer.refused["sourcedId"].tolist() == ["t1"]
    assert "t1" not in repr(answer)
    new = replace(this, receipt={})
    assert look(Folder(tmp_path), reports, new, later).outcome is Outcome.WAITING
