"""Reports that are cut off, far too large, or written to do harm."""

import csv
import io
import json
import time
import zipfile
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from pydantic import ValidationError

from roster_pipeline.receivers.config import Destination
from roster_pipeline.receivers.processing import reading
from roster_pipeline.receivers.processing.config import ReportFormat
from roster_pipeline.receivers.processing.matching import Outcome, outcome
from roster_pipeline.receivers.processing.reading import ReportUnreadable
from tests.receivers.processing.test_reading import CSV, LINES, read, rows

JSON: dict[str, Any] = {"json": {"rows": "rows", "fields": {"sourcedId": "id"}}}


@pytest.fixture
def usual_cells() -> Iterator[None]:
    """As long as they may be for Python's reader; ours of packages lets them be longer, for all."""
    before = csv.field_size_limit(1 << 17)
    yield
    csv.field_size_limit(before)


def test_no_line_makes_an_expression_take_for_ever() -> None:
    form = {
        "text": {"lines": [r"^(?P<code>(?:a+)+)$", r"(x+x+)+y(?P<line>\d)"]},
        "rejected": r"^(a|aa)+$",
    }
    began = time.monotonic()
    report = read(f"{'a' * 5000}b\n{'x' * 5000}\n\nxxy7\n", form)
    assert time.monotonic() - began < 1
    assert rows(report) == [{"grade": "error", "line": "7"}]


@pytest.mark.parametrize("line", [r"(?=x)(?P<code>x)", r"(?P<code>x)\1"])
def test_an_expression_that_can_take_for_ever_is_refused(line: str) -> None:
    with pytest.raises(ValidationError, match="can take for ever"):
        ReportFormat.model_validate({"text": {"lines": [line]}})


def test_groups_without_a_name_are_no_matter() -> None:
    form = {"text": {"lines": [r"[(](?P<grade>ERR|OK)[)] \((a|b)\) (?P<sourcedId>\S+)"]}}
    assert rows(read("(ERR) (b) u1\n(ERR) (c) u2\n", form)) == [
        {"grade": "error", "sourcedId": "u1"}
    ]


@pytest.mark.parametrize("encoding", ["zlib", "base64", "rot13", "bz2"])
def test_what_is_no_encoding_of_text_is_refused(encoding: str) -> None:
    with pytest.raises(ValidationError, match="no encoding of text"):
        ReportFormat.model_validate({**CSV, "encoding": encoding})


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (f'"{"x" * 200_000}",File\n', CSV),
        ("File,Type,ID,Text\n" + '"' + "x" * 200_000, CSV),
        (json.dumps({"rows": {"id": 1}}), JSON),
        ("[" * 100_000, JSON),
        ('{"rows": [{"id": ' + "9" * 5000 + "}]}", JSON),
    ],
)
def test_what_no_reader_can_take_is_one_sentence(
    text: str, form: dict[str, Any], usual_cells: None
) -> None:
    with pytest.raises(ReportUnreadable) as error:
        read(text, form)
    assert "999" not in str(error.value)
    assert "xxx" not in str(error.value)


def test_half_a_letter_of_json_is_no_traceback() -> None:
    report = read('{"rows": [{"id": "u\\ud800"}, {"id": "u2"}]}', JSON)
    assert [row["sourcedId"] for row in rows(report)] == ["u?", "u2"]


def test_a_report_that_is_not_finished_says_nothing() -> None:
    form = {**CSV, "finished": "(?m)^#end"}
    with pytest.raises(ReportUnreadable, match="still be written"):
        read(LINES, form)
    assert outcome(read(f"{LINES}#end,fine,,\r\n", form)) is Outcome.WITH_ERRORS


def test_a_report_of_zeros_in_a_zip_is_not_inflated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST", 1 << 20)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../errors.csv", b"0" * (8 << 20))
    with pytest.raises(ReportUnreadable):
        read(packed.getvalue(), {**CSV, "inside": "*errors.csv"})


def test_a_report_of_too_many_rows_is_not_taken_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_ROWS", 3)
    for text, form in ((LINES + ",,,\n", CSV), ('{"rows": [{}, {}, {}, {}]}', JSON)):
        with pytest.raises(ReportUnreadable, match="more than 3 rows"):
            read(text, form)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_that_is_packed_otherwise_is_one_sentence(method: int) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        archive.writestr("errors.csv", LINES)
    with pytest.raises(ReportUnreadable, match="zip cannot be used"):
        read(packed.getvalue(), {**CSV, "inside": "errors.csv"})


@pytest.mark.parametrize("cut", [30, 60, -30])
def test_half_a_zip_is_one_sentence(cut: int) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("errors.csv", LINES)
    with pytest.raises(ReportUnreadable, match="zip cannot be used"):
        read(packed.getvalue()[:cut], {**CSV, "inside": "errors.csv"})


@pytest.mark.parametrize(
    ("sources", "said", "fine"),
    [
        ("all", {}, False),
        (["springfield"], {}, True),
        ("all", {"pattern": "{source}-*.csv"}, True),
        ("all", {"folder": "reports/{source}"}, True),
        (["springfield", "ogdenville"], {"pattern": "{package}*"}, True),
        (["springfield", "ogdenville"], {"pattern": "answer*"}, False),
    ],
)
def test_no_report_on_one_source_is_taken_for_anothers(
    sources: Any, said: dict[str, str], fine: bool
) -> None:
    keys = {
        "id": "lms",
        "sources": sources,
        "transport": {"folder": {"path": "out"}},
        "path": "in/{source}.zip",
        "reports": {"read": CSV, **said},
    }
    with nullcontext() if fine else pytest.raises(ValidationError, match="another's"):
        Destination.model_validate(keys)
