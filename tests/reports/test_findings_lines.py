"""Findings one by one, for programs and for spreadsheets."""

import csv
import io
import json

import numpy as np
import pyarrow as pa

from roster_pipeline.oneroster.findings import FindingGroup, Findings, Severity
from roster_pipeline.reports.findings_lines import COLUMNS, csv_lines, json_lines

SOME = FindingGroup(
    "reference.waiting",
    Severity.HOLD,
    'waits for "it", now',
    "users.csv",
    "x",
    "",
    np.array([2, 3], dtype=np.int64),
    "users",
    pa.array(["u1", None], pa.large_string()),
    pa.array([None, "orgs/s1"], pa.large_string()),
)
FILE = FindingGroup.one("manifest.missing", Severity.STOP, "=no manifest", "+.csv")
FINDINGS = Findings([SOME, FILE])


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_every_finding_is_an_object_that_says_what_the_finding_says() -> None:
    found = [json.loads(line) for line in json_lines(FINDINGS)]
    assert [tuple(one) for one in found] == [
        ("code", "severity", "entity", "file", "line", "column", "sourcedId", "cause", "message",
         "fix")
    ] * 3  # fmt: skip
    for one, finding in zip(found, FINDINGS, strict=True):
        assert one == {
            "code": finding.code,
            "severity": finding.severity,
            "entity": finding.entity,
            "file": finding.file,
            "line": finding.line,
            "column": finding.column,
            "sourcedId": finding.sourced_id,
            "cause": finding.cause,
            "message": finding.message,
            "fix": finding.fix,
        }


def test_cells_stand_beside_their_findings_where_they_are_given() -> None:
    values = [["é", None], None]
    found = [json.loads(line)["value"] for line in json_lines(FINDINGS, values)]
    assert found == ["é", None, None]
    text = "".join(csv_lines(FINDINGS, values))
    assert [row["value"] for row in rows(text)] == ["é", "", ""]


def test_the_csv_has_a_line_for_each_finding_and_ends_lines_as_rfc_4180_does() -> None:
    text = "".join(csv_lines(FINDINGS))
    assert text.split("\r\n")[0] == ",".join(COLUMNS)
    assert text.count("\r\n") == text.count("\n") == 4
    assert rows(text)[1]["cause"] == "orgs/s1"
    assert rows(text)[0]["message"] == 'waits for "it", now'


def test_no_cell_of_the_csv_is_a_formula() -> None:
    odd = FindingGroup.one("x", Severity.WARN, "m", "a.csv", line=1, column="@SUM(A1)")
    (row,) = rows("".join(csv_lines(Findings([odd]), [["-1+cmd|'/c calc'!A1"]])))
    assert (row["column"], row["value"]) == ("'@SUM(A1)", "'-1+cmd|'/c calc'!A1")
    assert (rows("".join(csv_lines(FINDINGS)))[2]["file"]) == "'+.csv"


def test_of_many_lines_none_is_lost() -> None:
    count = 20_000
    ids = [f"u{n}" for n in range(count)]
    many = FindingGroup(
        "x",
        Severity.WARN,
        "m",
        "users.csv",
        lines=np.arange(2, count + 2, dtype=np.int64),
        sourced_ids=pa.array(ids, pa.large_string()),
    )
    values = [[f"v{n}" for n in range(count)]]
    found = rows("".join(csv_lines(Findings([many]), values)))
    assert [(row["sourcedId"], row["value"]) for row in found] == [
        (f"u{n}", f"v{n}") for n in range(count)
    ]
    assert sum(1 for _ in json_lines(Findings([many]))) == count
