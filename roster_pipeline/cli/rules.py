"""`roster rules`: what packages are judged by."""

import sys
from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated

import typer

from roster_pipeline.cli.console import Ends, Format, Refusal, answer


class RulesFormat(StrEnum):
    """How the rules are told."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


def rules(
    code: Annotated[
        str | None,
        typer.Argument(help="A code, or the beginning of codes, such as `key`; all if left out."),
    ] = None,
    form: Annotated[
        RulesFormat,
        typer.Option("--format", help="For a person, for a program, or as docs/rules.md has them."),
    ] = RulesFormat.TEXT,
) -> None:
    """Explain the rules that packages are judged by: what, why, how grave, how to mend."""
    from roster_pipeline.quality.rules import RULES
    from roster_pipeline.reports.rules import rules_document, rules_markdown, rules_text

    wanted = [
        rule
        for rule in RULES.values()
        if code in (None, rule.code) or rule.code.startswith(f"{code}.")
    ]
    if not wanted:
        near = get_close_matches(str(code), RULES, n=1)
        hint = f" Is it {near[0]}?" if near else " `roster rules` lists them."
        raise Refusal(f"There is no rule called {code}.{hint}", Ends.UNREADABLE)
    if form is RulesFormat.MARKDOWN:
        sys.stdout.write(rules_markdown(wanted))
        return
    answer(rules_text(wanted), rules_document(wanted), Format(form))
