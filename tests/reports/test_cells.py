"""Cells are read again, and only their shape is shown of what is personal."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from roster_pipeline.oneroster.entities import ENTITIES, columns
from roster_pipeline.oneroster.findings import FindingGroup, Findings, Severity
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.pulled import PullWriter
from roster_pipeline.reports.cells import read_cells
from roster_pipeline.reports.masking import clipped, is_never_shown, is_personal, masked, shown
from tests.small import Row, district, packed

Files = dict[str, list[Row]]


def texts(*values: str | None) -> pa.LargeStringArray:
    return pa.array(values, pa.large_string())


def package(change: Callable[[Files], object]) -> io.BytesIO:
    files = district()
    change(files)
    return io.BytesIO(packed(files))


def at(entity: str, column: str, line: int) -> FindingGroup:
    return FindingGroup.one("x", Severity.HOLD, "m", f"{entity}.csv", line=line, column=column)


def cell(where: io.BytesIO, finding: FindingGroup, *, masking: bool = True) -> str | None:
    (cells,) = read_cells(where, Version.V1P2, Findings([finding]), masking=masking)
    return None if cells is None else cells[0]


def test_a_cell_is_read_as_it_is_written_in_the_file() -> None:
    where = package(lambda files: files["enrollments"][1].update(beginDate=" 31/08/2026"))
    assert cell(where, at("enrollments", "beginDate", 3)) == " 31/08/2026"


def test_of_what_is_personal_only_the_shape_is_shown_unless_asked_for() -> None:
    where = package(lambda files: files["users"][2].update(email="zoë.García@@example"))
    finding = at("users", "email", 4)
    assert cell(where, finding) == "xxx.Xxxxxx@@xxxxxxx"
    assert cell(where, finding, masking=False) == "zoë.García@@example"


def test_a_password_is_never_shown() -> None:
    where = package(lambda files: files["users"][0].update(password="hunter2"))
    assert cell(where, at("users", "password", 2), masking=False) is None


def test_a_column_is_found_under_the_name_that_the_file_gives_it(tmp_path: Path) -> None:
    header = "sourcedId,status,dateLastModified,Title,type,startDate,endDate,parentSourcedId,year"
    rows = f"{header}\r\nt1,,,Fall,season,2026-08-20,2027-01-15,,2027\r\n"
    (tmp_path / "academicSessions.csv").write_text(rows)
    found = read_cells(
        tmp_path,
        Version.V1P2,
        Findings([at("academicSessions", "title", 2), at("academicSessions", "type", 2)]),
    )
    assert found == [["Fall"], ["season"]]


def test_of_a_pull_the_cell_of_a_record_is_read() -> None:
    out = io.BytesIO()
    writer = PullWriter(out, Version.V1P2)
    with writer.collection("orgs") as (write, _):
        records = [{"sourcedId": f"o{n}", "name": f"School {n}", "type": "scool"} for n in (1, 2)]
        write([json.dumps(record) for record in records])
    writer.finish()
    finding = FindingGroup(
        "x",
        Severity.HOLD,
        "m",
        "orgs.jsonl",
        "type",
        lines=np.array([2], dtype=np.int64),
        entity="orgs",
    )
    assert cell(out, finding) == "scool"


def test_lines_that_are_not_there_and_files_that_are_not_have_no_cell() -> None:
    where = package(lambda files: None)
    assert cell(where, at("users", "email", 999)) is None
    assert cell(where, at("resources", "title", 2)) is None
    assert read_cells(where, None, Findings([at("users", "email", 2)])) == [None]


def test_a_file_that_cannot_be_read_has_no_cells(tmp_path: Path) -> None:
    (tmp_path / "orgs.csv").write_bytes(b"sourcedId,type\r\n\x00\r\n")
    assert read_cells(tmp_path, Version.V1P2, Findings([at("orgs", "type", 2)])) == [None]


def test_a_long_cell_is_cut() -> None:
    assert clipped(texts("a" * 5000, "b" * 120, None)).to_pylist() == [
        "a" * 120 + "…",
        "b" * 120,
        None,
    ]


@pytest.mark.parametrize(
    ("cell", "shape"),
    [
        ("31/12/2010", "99/99/9999"),
        ("O'Neill-Ångström", "X'Xxxxx-Xxxxxxxx"),
        ("山田", "xx"),
        ("(555) 010-4477 ", "(999) 999-9999 "),
        ("e\u0301a", "xxx"),
        (None, None),
    ],
)
def test_a_mask_keeps_the_shape_and_no_letter_and_no_digit(
    cell: str | None, shape: str | None
) -> None:
    assert masked(texts(cell)).to_pylist() == [shape]


def test_the_personal_columns_are_these_and_no_others() -> None:
    personal = {
        entity: {c.name for c in columns(entity) if is_personal(entity, c.name)}
        for entity in ENTITIES
    }
    assert personal["users"] == {
        "username",
        "userIds",
        "givenName",
        "familyName",
        "middleName",
        "identifier",
        "email",
        "sms",
        "phone",
        "password",
        "userMasterIdentifier",
        "preferredGivenName",
        "preferredMiddleName",
        "preferredFamilyName",
        "pronouns",
    }
    bulk = {"sourcedId", "status", "dateLastModified"}
    assert personal["demographics"] == {c.name for c in columns("demographics")} - bulk
    assert {"username", "vendorId", "description"} <= personal["userProfiles"]
    for entity in set(ENTITIES) - {"users", "userProfiles", "demographics"}:
        assert personal[entity] == set()


def test_what_the_standard_does_not_know_is_taken_for_personal() -> None:
    assert is_personal("orgs", "metadata.principal")
    assert is_personal("no_entity", "title")
    assert is_never_shown("metadata.userPassword")


def test_an_id_without_the_form_of_one_and_an_address_elsewhere_are_masked() -> None:
    assert shown(texts("cl-1", "Ada L."), "enrollments", "classSourcedId").to_pylist() == [
        "cl-1",
        "Xxx X.",
    ]
    assert shown(texts("yes", "ada@example.org"), "users", "enabledUser").to_pylist() == [
        "yes",
        "xxx@xxxxxxx.xxx",
    ]
