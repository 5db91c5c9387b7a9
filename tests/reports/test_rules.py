"""docs/rules.md says what the rules say."""

import re
from pathlib import Path

from roster_pipeline.quality.rules import RULES
from roster_pipeline.reports.effects import OTHER_EFFECTS
from roster_pipeline.reports.rules import rules_document, rules_markdown

DOCS = Path(__file__).parents[2] / "docs" / "rules.md"


def test_the_document_is_as_the_rules_are() -> None:
    assert DOCS.read_text(encoding="utf-8") == rules_markdown(), "run `make docs`"


def test_every_rule_has_a_section_and_every_link_leads_to_one() -> None:
    text = rules_markdown()
    headings = re.findall(r"^### `(.+)`$", text, re.MULTILINE)
    assert sorted(headings) == sorted(RULES)
    anchors = {heading.lower().replace(".", "") for heading in headings}
    assert len(anchors) == len(headings)
    assert set(re.findall(r"\]\(#(.+?)\)", text)) == anchors


def test_the_severities_name_the_codes_that_do_something_else_at_them() -> None:
    text = rules_markdown()
    assert "|warn|changes nothing|" in text
    assert "|warn, `reference.removed`|removes rows that refer to rows gone|" in text
    assert {code for code, _ in OTHER_EFFECTS} <= set(RULES)


def test_every_rule_says_what_why_how_to_mend_and_where_it_is_from() -> None:
    for rule in rules_document(RULES.values())["rules"]:
        for part in ("message", "why", "fix", "source"):
            assert rule[part].strip(), f"{rule['code']} has no {part}"
