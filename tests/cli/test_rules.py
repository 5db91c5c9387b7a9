"""`roster rules` explains what packages are judged by."""

from roster_pipeline.quality.rules import RULES
from roster_pipeline.reports.rules import rules_markdown
from tests.cli.conftest import Roster


def test_all_rules_are_listed(roster: Roster) -> None:
    ended = roster("rules")
    assert ended.code == 0
    assert {line.split()[0] for line in ended.out.splitlines()[2:]} == set(RULES)


def test_one_rule_is_explained(roster: Roster) -> None:
    ended = roster("rules", "key.duplicate")
    rule = RULES["key.duplicate"]
    for words in (
        "Why:",
        "To mend it:",
        "Severity: hold; strict: stop",
        f"Source: standard: {rule.source}",
    ):
        assert words in ended.out
    assert rule.why in ended.out


def test_the_beginning_of_codes_names_all_of_them(roster: Roster) -> None:
    document = roster("rules", "key", "--format", "json").document()
    assert document["schema"] == "roster.rules/1"
    assert {rule["code"] for rule in document["rules"]} == {c for c in RULES if c[:4] == "key."}


def test_markdown_is_what_the_document_is_made_of(roster: Roster) -> None:
    assert roster("rules", "--format", "markdown").out == rules_markdown()


def test_a_code_that_is_none_is_told_with_the_nearest(roster: Roster) -> None:
    ended = roster("rules", "key.duplicat")
    assert ended.code == 2
    assert ended.err == "roster: There is no rule called key.duplicat. Is it key.duplicate?\n"
