"""What a package is worth, in one word and in one sentence."""

import json

import pytest

from roster_pipeline.oneroster.findings import FindingGroup, Findings, Severity
from roster_pipeline.reports.packages import Checked, check_json, unreadable, verdict


def checked(severity: Severity | None, **more: object) -> Checked:
    some = [] if severity is None else [FindingGroup.one("x", severity, "wrong", "users.csv")]
    usable = severity is not Severity.STOP
    return Checked("a.zip", "1.2", usable, Findings(some), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("severity", "word", "words"),
    [
        (Severity.STOP, "invalid", "would stop"),
        (Severity.HOLD, "invalid", "would go on without"),
        (Severity.DROP, "invalid", "would go on without"),
        (Severity.WARN, "valid", "would take all"),
        (None, "valid", "would take all"),
    ],
)
def test_the_verdict_says_what_a_sync_would_do(
    severity: Severity | None, word: str, words: str
) -> None:
    this = checked(severity)
    assert json.loads("".join(check_json(this)))["verdict"] == word
    assert words in verdict(this).plain


def test_of_a_required_file_without_rows_nothing_was_taken_and_somebody_is_asked() -> None:
    said = verdict(checked(Severity.WARN, unsent=("enrollments",))).plain
    assert "would take all" not in said
    assert "Nothing was sent of enrollments, whose accepted rows stay." in said
    assert "asks a person" in said


@pytest.mark.parametrize(("gone", "words"), [(1, "1 row goes"), (4148, "4,148 rows go")])
def test_rows_that_go_with_others_are_not_said_to_be_taken(gone: int, words: str) -> None:
    this = checked(Severity.WARN, gone={"classes": 0, "enrollments": gone})
    said = verdict(this).plain
    assert said.startswith("Valid")
    assert "would take all" not in said
    assert f"{words} with others." in said
    assert "would be taken" not in verdict(checked(Severity.WARN, gone={"classes": 0})).plain


def test_a_file_that_may_be_left_out_stops_nobody() -> None:
    said = verdict(checked(Severity.WARN, unsent=("demographics",))).plain
    assert "Nothing was sent of demographics" in said
    assert "asks a person" not in said


def test_a_package_that_cannot_be_opened_is_one_finding_with_its_reason() -> None:
    document = json.loads("".join(check_json(unreadable("a.zip", "truncated", "cut off"))))
    assert (document["verdict"], document["version"]) == ("invalid", None)
    (finding,) = document["findings"]
    assert finding["code"] == "package.truncated"
    assert finding["severity"] == "stop"
    assert finding["fix"]
