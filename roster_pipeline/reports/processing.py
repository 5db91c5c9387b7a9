"""A receiver's processing report for people and programs: what became of a package, row by row.

Only shown to whoever asks for it: receivers quote cells in what they say.
"""

from typing import Any, Final

import pandas as pd
from rich.console import Group, RenderableType
from rich.text import Text

from roster_pipeline.receivers.processing.matching import Outcome
from roster_pipeline.reports.holds import moment, shown
from roster_pipeline.reports.tables import printable, text_table
from roster_pipeline.store import Delivery

_STYLES: Final = {
    Outcome.ACCEPTED: "green",
    Outcome.WITH_ERRORS: "bold yellow",
    Outcome.REJECTED: "bold red",
}
_SHOWN: Final = 50
"""Rows in the text; a document has all."""
_HEADER: Final = ("", "row", "came from", "theirs", "code", "we found", "message")


def report_document(
    delivery: Delivery, name: str, result: Outcome, rows: pd.DataFrame
) -> dict[str, Any]:
    """One report as JSON."""
    return {
        "schema": "roster.report/1",
        "destination": delivery.destination,
        "source": delivery.source,
        "roster": delivery.content_hash,
        "delivered_at": moment(delivery.at),
        "report": name,
        "outcome": str(result),
        "counts": _counts(rows),
        "rows": [
            {str(key): said for key, said in row.items() if isinstance(said, str)}
            for row in rows.to_dict("records")
        ],
    }


def report_text(
    delivery: Delivery, name: str, result: Outcome, rows: pd.DataFrame
) -> RenderableType:
    """One report for a terminal: what it comes to, then the rows that are not simply fine."""
    counts = ", ".join(f"{count:,} {grade}" for grade, count in _counts(rows).items() if count)
    told = rows[rows["grade"] != "fine"]
    parts: list[RenderableType] = [
        Text(f"{result}  {delivery.destination}, {delivery.source}", _STYLES[result]),
        Text(f"Report {printable(name)} on what was delivered {shown(delivery.at)}."),
        Text(f"Rows spoken of: {counts or 'none'}."),
    ]
    if len(told):
        parts += [Text(), text_table(_HEADER, map(_row, told.head(_SHOWN).to_dict("records")))]
    if len(told) > _SHOWN:
        parts.append(Text(f"… and {len(told) - _SHOWN:,} more; --format json has all."))
    return Group(*parts)


def _counts(rows: pd.DataFrame) -> dict[str, int]:
    found = rows["grade"].value_counts()
    return {grade: int(found.get(grade, 0)) for grade in ("error", "warning", "deleted", "fine")}


def _row(row: dict[Any, Any]) -> list[str]:
    said = {key: printable(text) if isinstance(text, str) else "" for key, text in row.items()}

    def place(file: str, line: str) -> str:
        return ":".join(part for part in (said[file], said[line]) if part)

    return [
        said["grade"],
        " ".join(part for part in (said["entity"], said["sourcedId"]) if part) or "–",
        place("our file", "our line") or "–",
        place("their file", "their line") or "–",
        said["code"],
        said["findings"],
        said["message"],
    ]
