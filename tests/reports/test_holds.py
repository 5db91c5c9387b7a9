"""Holds for a terminal."""

import io
from datetime import UTC, date, datetime

from rich.console import Console, RenderableType

from roster_pipeline.reports.holds import hold_text, holds_text
from roster_pipeline.store import Hold, HoldStatus, Snapshot

HOLD = Hold(
    name="springfield-2026-11-22-ababab",
    source="springfield",
    date=date(2026, 11, 22),
    candidate=Snapshot("springfield", "ab" * 32, {}, ""),
    base_hash="cd" * 32,
    reasons=({"sentence": "Ever\x1b[2Jgreen\u202e would be removed"},),
    status=HoldStatus.OPEN,
    opened_at=datetime(2026, 11, 22, 8, 30, tzinfo=UTC),
    decided_by=None,
    why=None,
    decided_at=None,
    closed_at=None,
    closed_because=None,
)


def told(text: RenderableType) -> str:
    out = io.StringIO()
    Console(file=out, width=1000, color_system=None).print(text)
    return out.getvalue()


def test_the_name_of_a_school_in_a_reason_cannot_steer_the_terminal() -> None:
    for text in (told(hold_text(HOLD, "roster")), told(holds_text([HOLD]))):
        assert "green" in text
        assert "\x1b" not in text
        assert "\u202e" not in text
