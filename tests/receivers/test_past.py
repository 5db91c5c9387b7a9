"""What is known of what a destination of changes has, told from receipts alone."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.receivers.config import Destination
from roster_pipeline.receivers.past import MOST_ATTEMPTS, Past
from roster_pipeline.receivers.processing.looking import Answer
from roster_pipeline.receivers.processing.matching import Outcome
from roster_pipeline.receivers.processing.word import Word, word
from roster_pipeline.store import Delivery
from roster_pipeline.tables.text import TEXT

MORNING = datetime(2026, 8, 24, 7, tzinfo=UTC)
TODAY = MORNING.date()
NOBODY = pd.DataFrame({"file": [], "sourcedId": []}, dtype=TEXT)


def delivery(number: int, **receipt: Any) -> Delivery:
    said = {"recipe": "r", "mode": "delta", "outgoing": f"roster {number}", "number": number}
    path = f"in/{number:06}.zip"
    return Delivery(
        "desk", "springfield", f"c{number}", f"p{number}", path, 1, said | receipt, MORNING
    )


def past(last: Delivery, *attempts: Delivery, **keys: Any) -> Past:
    said = {
        "id": "desk",
        "profile": "oneroster-1.2",
        "mode": "delta",
        "transport": {"folder": {"path": "."}},
        "path": "in/{source}-{number}.zip",
        **keys,
    }
    return Past(Destination.model_validate(said), "r", last, attempts)


def why(this: Past, today: date = TODAY) -> str | None:
    return this.why_bulk("in/new.zip", today, lambda _: True)


def test_what_it_may_have_grows_until_it_says_that_it_took_a_package() -> None:
    this = replace(past(delivery(2, also=["roster 0", "roster 1"])), word=Word())
    assert this.may_have() == this.also() == ["roster 0", "roster 1", "roster 2"]
    took = replace(this, word=Word(taken=True))
    assert took.may_have() == took.also() == ["roster 2"]
    some = replace(this, word=Word(taken=True, refused={"users": pd.Series(["u1"])}))
    assert (some.may_have(), len(some.also())) == (["roster 2"], 3)
    assert replace(this, word=None).may_have() == ["roster 2"]
    assert this.kept() == took.kept() == this.may_have()


def test_a_receiver_that_never_answers_gets_the_whole_after_some_time() -> None:
    also: list[str] = []
    for number in range(MOST_ATTEMPTS + 5):
        this = replace(past(delivery(number, also=also)), word=Word())
        said = "9 packages in a row were not confirmed" if number >= MOST_ATTEMPTS + 1 else None
        assert why(this) == said
        also = this.also()
    assert len(also) == MOST_ATTEMPTS + 1
    assert why(replace(this, word=Word(taken=True))) is None


def test_a_rejected_package_is_not_had() -> None:
    this = replace(past(delivery(1)), word=Word(rejected=True))
    assert this.has("c1", TODAY) is None
    assert replace(this, word=Word()).has("c1", TODAY) is not None


def test_a_day_of_the_future_does_not_put_off_the_next_whole_roster() -> None:
    this = past(delivery(1, bulk_on="2027-08-24"), bulk_every=7)
    assert why(this) is not None
    assert this.has("c1", TODAY) is None
    assert why(past(delivery(1, bulk_on="2026-08-20"), bulk_every=7)) is None


def test_a_note_of_a_package_that_the_ledger_does_not_know_is_a_doubt() -> None:
    this = replace(past(delivery(1)), noted={"package": "p2", "number": 2, "dated": "2026-08-26"})
    assert this.in_doubt
    assert this.has("c1", TODAY) is None
    assert why(this) == "what it has is not known"
    assert (this.number, this.day(TODAY)) == (2, date(2026, 8, 26))
    assert not replace(this, attempts=(delivery(2),)).in_doubt
    assert replace(this, attempts=(delivery(2, doubt=True),)).tried("c2", TODAY) is None


@pytest.mark.parametrize(
    ("outcome", "minutes", "said"),
    [
        (Outcome.ACCEPTED, 1, Word(taken=True)),
        (Outcome.ACCEPTED, 0, Word()),
        (Outcome.REJECTED, 1, Word(rejected=True)),
        (Outcome.REJECTED, -1, Word()),
        (Outcome.LATE, 1, Word()),
        (Outcome.UNREADABLE, 1, Word()),
    ],
)
def test_an_answer_counts_if_it_is_of_after_the_package(
    outcome: Outcome, minutes: int, said: Word
) -> None:
    moment = MORNING + timedelta(minutes=minutes)
    answer = Answer(outcome, "report.csv", modified=moment, refused=NOBODY)
    assert word(answer, MORNING, Roster.empty) == said


def test_a_refused_row_that_nobody_knows_confirms_nothing() -> None:
    refused = pd.DataFrame({"file": ["users.csv"], "sourcedId": ["u1"]}, dtype=TEXT)
    moment = MORNING + timedelta(minutes=1)
    answer = Answer(Outcome.WITH_ERRORS, "report.csv", modified=moment, refused=refused)
    assert word(answer, MORNING, Roster.empty) == Word()
