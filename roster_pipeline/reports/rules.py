"""The rules in words: docs/rules.md, and what `roster rules` says.

`python -m roster_pipeline.reports.rules` prints docs/rules.md.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from roster_pipeline.oneroster.findings import Severity
from roster_pipeline.oneroster.rules import LENIENT, STRICT, Layer, Rule
from roster_pipeline.quality.rules import RULES
from roster_pipeline.reports.effects import EFFECTS, OTHER_EFFECTS
from roster_pipeline.reports.findings import STYLES
from roster_pipeline.reports.tables import markdown_table, text_table

_TITLES: Final = {
    Layer.PACKAGE: "Package: the archive, the manifest, headers and files as text",
    Layer.CELL: "Cells",
    Layer.ROW: "Rows: several cells of one row",
    Layer.KEY: "Keys: the same row or person twice",
    Layer.REFERENCE: "References",
    Layer.MEANING: "Meaning: rows together",
}
_HEAD: Final = """\
# Rules

Every rule that a package is judged by, and so every `code` of a finding. Made from the rules
themselves by `make docs`; `roster rules CODE` says the same of one.

A rule's severity is what a breach does to the data:

{severities}

**Lenient** is what a source is judged by unless its file or `roster.yaml` says `strict: true`;
**strict** (`--strict`) stops a package that breaks the standard anywhere. A source may choose a
severity of its own for a code. Where a cell is wrong, its place decides between *hold* and *drop*:
a row is held for a cell that it must have, for its `status` and for its dates; any other cell is
blanked.

*Source* names the part of the 1EdTech OneRoster CSV Binding, or of the REST one, that demands a
rule, by its subject, as numbers of sections differ between issues; *practice* means that no text
says so and that packages were seen to go wrong over it. A rule that the standard demands stops a
strict package.
"""


def rules_markdown(rules: Iterable[Rule] = RULES.values()) -> str:
    """docs/rules.md."""
    rules = list(rules)
    effects = [(str(severity), words) for severity, words in EFFECTS.items()]
    effects += [
        (f"{severity}, `{code}`", words) for (code, severity), words in OTHER_EFFECTS.items()
    ]
    severities = markdown_table(("severity", "in words"), effects)
    parts = [_HEAD.format(severities=severities)]
    for layer in Layer:
        if some := [rule for rule in rules if rule.layer is layer]:
            parts.append(f"## {_TITLES[layer]}\n")
            parts.append(_index(some) + "\n")
            parts += [_section(rule) for rule in some]
    return "\n".join(parts)


def _index(rules: Sequence[Rule]) -> str:
    rows = [
        (f"[`{rule.code}`](#{_anchor(rule.code)})", *_severities(rule), _source(rule))
        for rule in rules
    ]
    return markdown_table(("code", "lenient", "strict", "source"), rows)


def _anchor(code: str) -> str:
    """As renderers of Markdown make one of a heading: small letters, without signs but `-` `_`."""
    return "".join(sign for sign in code.lower() if sign.isalnum() or sign in "-_")


def _section(rule: Rule) -> str:
    return "\n".join(
        [
            f"### `{rule.code}`",
            "",
            _sentence(rule.message),
            "",
            *(f"- **{label}**: {words}" for label, words in _facts(rule)),
            "",
        ]
    )


def _facts(rule: Rule) -> Iterator[tuple[str, str]]:
    """What there is to say of a rule beside its message."""
    yield "Why", _sentence(rule.why)
    yield "To mend it", _sentence(rule.fix)
    lenient, strict = _severities(rule)
    yield "Severity", f"{lenient}; strict: {strict}; a source may choose {_choices(rule)}"
    if rule.entities or rule.columns:
        yield "Looks at", _looks_at(rule)
    yield "Source", _source(rule)


def _severities(rule: Rule) -> tuple[str, str]:
    return str(LENIENT.severity(rule)), str(STRICT.severity(rule))


def _choices(rule: Rule) -> str:
    chosen = [severity for severity in Severity if severity in (Severity.STOP, *rule.may_be)]
    return " or ".join(map(str, chosen))


def _looks_at(rule: Rule) -> str:
    entities, columns = ", ".join(rule.entities), ", ".join(rule.columns)
    return f"{columns} of {entities}" if entities and columns else entities or columns


def _source(rule: Rule) -> str:
    return f"standard: {rule.source}" if rule.standard else str(rule.source)


def _sentence(words: str) -> str:
    start = words[:1].upper() if words[1:2].islower() or words[1:2] == " " else words[:1]
    end = "" if words.endswith((".", "?", "!")) else "."
    return f"{start}{words[1:]}{end}"


# ---- the command ----


def rules_document(rules: Iterable[Rule]) -> dict[str, Any]:
    """Rules as JSON."""
    return {
        "schema": "roster.rules/1",
        "rules": [
            {
                "code": rule.code,
                "layer": str(rule.layer),
                "severity": dict(zip(("lenient", "strict"), _severities(rule), strict=True)),
                "may_be": [str(severity) for severity in (Severity.STOP, *rule.may_be)],
                "message": rule.message,
                "why": rule.why,
                "fix": rule.fix,
                "source": str(rule.source),
                "standard": rule.standard,
                "entities": list(rule.entities),
                "columns": list(rule.columns),
            }
            for rule in rules
        ],
    }


def rules_text(rules: Sequence[Rule]) -> RenderableType:
    """A table of rules for a terminal; of one rule, all there is to say of it."""
    if len(rules) == 1:
        return _rule_text(rules[0])
    rows = [
        (rule.code, Text(str(rule.severity), style=STYLES[rule.severity]), rule.message)
        for rule in rules
    ]
    return text_table(("code", "severity", "what is wrong"), rows)


def _rule_text(rule: Rule) -> RenderableType:
    head = Text(rule.code, style=STYLES[rule.severity])
    lines = [Text(f"{label}: {words}") for label, words in _facts(rule)]
    return Group(head, Text(_sentence(rule.message)), Text(), *lines)


if __name__ == "__main__":
    sys.stdout.write(rules_markdown())
