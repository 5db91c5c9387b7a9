"""The table of rules of reading is complete, and says what it should."""

import re
from pathlib import Path

import pytest

from roster_pipeline.oneroster.findings import Severity
from roster_pipeline.oneroster.reading_rules import READING, RULES
from roster_pipeline.oneroster.rules import LENIENT, STRICT, Policy
from roster_pipeline.oneroster.text_faults import unreadable
from roster_pipeline.tables import csv_patient
from roster_pipeline.tables.archive import ArchiveError
from roster_pipeline.tables.csv_blocks import CsvError

# What is encrypted is opened as it lands, and refused there; no finding comes of it.
_TABLES = "".join(
    path.read_text(encoding="utf-8")
    for path in Path(csv_patient.__file__).parent.glob("*.py")
    if path.name != "zip_decrypt.py"
)


def _raised(error: str) -> list[str]:
    return sorted(set(re.findall(rf'{error}\(\s*"(\w+)"', _TABLES)))


@pytest.mark.parametrize("code", _raised("ArchiveError"))
def test_whatever_is_wrong_with_an_archive_has_a_rule(code: str) -> None:
    group = unreadable(ArchiveError(code, "said"), "package")
    assert (group.code, group.severity) == (f"package.{code}", Severity.STOP)


@pytest.mark.parametrize("code", _raised("CsvError"))
def test_whatever_keeps_a_file_from_being_read_has_a_rule(code: str) -> None:
    group = unreadable(CsvError(code, "said", 7), "users.csv", "users")
    assert group.code in RULES
    assert (group.severity, group.lines.tolist()) == (Severity.STOP, [7])


def test_the_codes_were_found() -> None:
    assert {"not_a_zip", "bomb", "bad_crc"} <= set(_raised("ArchiveError"))
    assert {"no_header", "line_too_long"} <= set(_raised("CsvError"))


def test_each_code_stands_there_once() -> None:
    assert len(RULES) == len(READING)


def test_litter_is_said_only_to_those_who_want_to_hear_it() -> None:
    litter = RULES["package.litter"]
    assert not LENIENT.says(litter)
    assert STRICT.says(litter)
    assert Policy(severities={litter.code: Severity.WARN}).says(litter)
