"""What is to be done, and was done, with a product's accounts, for people and programs."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from roster_pipeline.accounts.plan import REASONS, Action, Kind, Plan
from roster_pipeline.accounts.push import DECLINED
from roster_pipeline.reports.tables import markdown_table, text_table

_STYLES: Final = {Kind.BLOCKED: "red", Kind.SUSPEND: "yellow", Kind.KEEP: "dim"}
_SENTENCES: Final = {**REASONS, **DECLINED}


def plans_document(source: str, plans: Mapping[str, Plan]) -> dict[str, Any]:
    """Plans by product as JSON: counts, reasons, and each account of which anything is to be
    done or that is blocked."""
    return {
        "schema": "roster.accounts-plan/1",
        "source": source,
        "products": [
            {
                "product": product,
                "counts": plan.counts(),
                "reasons": [
                    {"action": kind, "reason": code, "sentence": REASONS[code], "accounts": count}
                    for (kind, code), count in plan.reasons().items()
                ],
                "accounts": [_account_document(action) for action in plan.actions],
            }
            for product, plan in plans.items()
        ],
    }


def _account_document(action: Action) -> dict[str, Any]:
    person = action.person
    return {
        "action": str(action.kind),
        "reason": action.reason,
        "sourcedId": action.sourced_id,
        "file": person.file if person else None,
        "line": person.line if person else None,
    }


def plans_text(plans: Mapping[str, Plan], *, people: bool) -> RenderableType:
    """Plans by product for a terminal; with `people` every account, else those that are blocked."""
    parts: list[RenderableType] = []
    for product, plan in plans.items():
        if parts:
            parts.append(Text())
        parts += [Text(product, style="bold"), _reasons_table(plan)]
        shown = plan.actions if people else plan.of(Kind.BLOCKED)
        if shown:
            parts += [Text(), _people_table(shown, people=people)]
    return Group(*parts)


def _reasons_table(plan: Plan) -> RenderableType:
    rows = [
        (Text(kind, style=_STYLES.get(Kind(kind), "")), count, REASONS[code])
        for (kind, code), count in plan.reasons().items()
    ]
    return text_table(("action", "accounts", "why"), rows) if rows else Text("Nobody.")


def _people_table(actions: Sequence[Action], *, people: bool) -> RenderableType:
    """Where each person stands in the source's files; ids only where they were asked for."""
    header = ["action", "place", *(["sourcedId"] if people else []), "why"]
    rows = [
        [
            str(action.kind),
            place(action),
            *([action.sourced_id] if people else []),
            REASONS[action.reason],
        ]
        for action in actions
    ]
    return text_table(header, rows)


def place(action: Action) -> str:
    """Where a person stands in the source's files."""
    person = action.person
    return f"{person.file}, line {person.line}" if person else "not in the roster"


def reasons_markdown(plan: Plan) -> str:
    """How many accounts for each action and reason, as a Markdown table."""
    rows = [(kind, count, REASONS[code]) for (kind, code), count in plan.reasons().items()]
    return markdown_table(("action", "accounts", "why"), rows)


def without_markdown(blocked: Mapping[str, int], declined: Mapping[str, int]) -> str:
    """Why accounts are not as they should be, as a Markdown table."""
    rows = [(_SENTENCES[code], count) for code, count in [*blocked.items(), *declined.items()]]
    return markdown_table(("why", "accounts"), rows)


def without_sentences(
    product: str, blocked: Mapping[str, int], declined: Mapping[str, int]
) -> list[str]:
    """Why accounts are not as they should be, one sentence for each reason."""
    return [
        f"Accounts of {product}: for {count:,} {_SENTENCES[code]}."
        for code, count in [*blocked.items(), *declined.items()]
    ]


def counts_sentence(product: str, counts: Mapping[str, int]) -> str:
    """One line: what was done with a product's accounts."""
    said = [f"{count:,} {_PAST[Kind(kind)]}" for kind, count in counts.items() if count]
    return f"Accounts of {product}: {', '.join(said) or 'none'}."


_PAST: Final[Mapping[Kind, str]] = {
    Kind.UPDATE: "updated",
    Kind.REACTIVATE: "reactivated",
    Kind.SUSPEND: "suspended",
    Kind.ADOPT: "adopted",
    Kind.CREATE: "created",
    Kind.KEEP: "as they were",
    Kind.BLOCKED: "blocked",
}
