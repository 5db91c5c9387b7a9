"""A receiver's answer to a delivery, and how the check of that delivery tells it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import dagster as dg

from roster_pipeline.receivers.config import Destination
from roster_pipeline.receivers.processing.looking import Answer, look, mark
from roster_pipeline.receivers.processing.matching import Outcome
from roster_pipeline.resources.channels import Channels
from roster_pipeline.store import Delivery

PROCESSED: Final = "processed"
"""The check's name."""

_FINE: Final = (Outcome.ACCEPTED, Outcome.WAITING)


def answer_of(destination: Destination, had: Delivery, channels: Channels, now: datetime) -> Answer:
    """What a receiver says of a delivery. Raises `TransportError`."""
    assert destination.reports is not None  # noqa: S101 - others have no such check
    with channels.reports(destination) as channel:
        return look(channel, destination.reports, had, now)


def news_of(
    destination: Destination, had: Delivery, channels: Channels, now: datetime, known: str | None
) -> tuple[Answer, str | None] | None:
    """What a receiver says of a delivery, and the mark of its report; None where that is the one
    that is known already, which is not fetched again. Raises `TransportError`."""
    assert destination.reports is not None  # noqa: S101 - others have no such check
    with channels.reports(destination) as channel:
        there = mark(channel, destination.reports, had)
        if there is not None and there == known:
            return None
        return look(channel, destination.reports, had, now), there


def is_fine(answer: Answer) -> bool:
    """Whether all was taken, as far as is known."""
    return answer.outcome in _FINE


def severity(answer: Answer) -> dg.AssetCheckSeverity:
    """How grave it is that not all was taken."""
    if answer.outcome is Outcome.REJECTED:
        return dg.AssetCheckSeverity.ERROR
    return dg.AssetCheckSeverity.WARN


def facts(answer: Answer) -> Mapping[str, str | int]:
    """What is to be plotted and shown of an answer; no cells."""
    counts = {f"rows: {grade}": count for grade, count in answer.counts.items()}
    return {"outcome": str(answer.outcome), "report": answer.report or "none", **counts}
