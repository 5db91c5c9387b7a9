"""Decisions on courses: the newest holds, none is lost, none is half applied."""

import dataclasses
import datetime as dt

import pytest
import sqlalchemy as sa

from roster_pipeline.store import IGNORE, WITHDRAWN, CourseDecision, NotDecidable, schema
from roster_pipeline.store.ledger import Ledger
from tests.store.scene import START

ALGEBRA = CourseDecision("maths", "springfield", "co1", "alg-1", "ada", "same book", START)
LUNCH = CourseDecision("maths", "springfield", "co2", IGNORE, "ada", "no maths", START)


def rows(url: str) -> int:
    with sa.create_engine(url).connect() as connection:
        query = sa.select(sa.func.count()).select_from(schema.course_decisions)
        return connection.scalar(query) or 0


def test_decisions_come_back_as_they_were_made(ledger: Ledger) -> None:
    elsewhere = dataclasses.replace(ALGEBRA, source="shelbyville")
    other = dataclasses.replace(ALGEBRA, product="reading")
    assert len(ledger.record_course_decisions([LUNCH, ALGEBRA, elsewhere, other])) == 4
    assert ledger.course_decisions("maths") == [elsewhere, ALGEBRA, LUNCH]
    assert ledger.course_decisions("maths", "springfield") == [ALGEBRA, LUNCH]
    assert ledger.course_decisions("chemistry") == []


def test_a_later_decision_holds_and_the_earlier_one_is_kept(
    ledger: Ledger, ledger_url: str
) -> None:
    later = dataclasses.replace(ALGEBRA, decision="alg-2", at=START + dt.timedelta(days=1))
    ledger.record_course_decisions([ALGEBRA])
    ledger.record_course_decisions([later])
    assert ledger.course_decisions("maths") == [later]
    assert rows(ledger_url) == 2


def test_the_same_decision_again_changes_nothing(ledger: Ledger, ledger_url: str) -> None:
    again = dataclasses.replace(ALGEBRA, at=START + dt.timedelta(days=1))
    ledger.record_course_decisions([ALGEBRA])
    assert ledger.record_course_decisions([again, again]) == []
    assert ledger.course_decisions("maths") == [ALGEBRA]
    assert rows(ledger_url) == 1


def test_a_withdrawn_decision_holds_no_longer_and_may_be_made_anew(ledger: Ledger) -> None:
    withdrawn = dataclasses.replace(ALGEBRA, decision=WITHDRAWN, why="wrong book")
    assert ledger.record_course_decisions([withdrawn]) == []
    ledger.record_course_decisions([ALGEBRA])
    ledger.record_course_decisions([withdrawn])
    assert ledger.course_decisions("maths") == []
    ledger.record_course_decisions([ALGEBRA])
    assert ledger.course_decisions("maths") == [ALGEBRA]


@pytest.mark.parametrize("missing", ["who", "why"])
def test_of_decisions_of_which_one_lacks_a_reason_none_is_made(
    ledger: Ledger, missing: str
) -> None:
    nameless = CourseDecision(**{**dataclasses.asdict(LUNCH), missing: " "})
    with pytest.raises(NotDecidable, match="needs who made it and why"):
        ledger.record_course_decisions([ALGEBRA, nameless])
    assert ledger.course_decisions("maths") == []


def test_a_ledger_of_the_first_version_takes_decisions_too(ledger_url: str) -> None:
    with Ledger.open(ledger_url) as old:
        old.record_sync("springfield", START.date(), "done", {}, START)
    engine = sa.create_engine(ledger_url)
    with engine.begin() as connection:
        schema.course_decisions.drop(connection)
        schema.accounts.drop(connection)
        schema.attempts.drop(connection)
        for column in ("shift", "windows"):
            connection.execute(sa.text(f"ALTER TABLE accepted DROP COLUMN {column}"))
        for column in ("files", "accepted_at"):
            connection.execute(sa.text(f"ALTER TABLE landed DROP COLUMN {column}"))
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
    engine.dispose()
    with Ledger.open(ledger_url) as ledger:
        ledger.record_course_decisions([ALGEBRA])
        assert ledger.course_decisions("maths") == [ALGEBRA]
        assert ledger.last_sync("springfield") is not None
