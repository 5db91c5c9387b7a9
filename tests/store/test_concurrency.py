"""Many processes on one ledger lose nothing."""

import sqlalchemy as sa

from roster_pipeline.store.ledger import Ledger
from tests.store import children

WORKERS = range(4)


def test_no_transaction_of_many_processes_is_lost(ledger_url: str) -> None:
    Ledger.open(ledger_url).close()
    workers = range(6)
    calls = [(children.record_syncs, ledger_url, f"source{worker}", 100) for worker in workers]
    assert children.run(*calls) == [0] * len(workers)
    by_source = sa.text("SELECT source, count(*) FROM syncs GROUP BY source ORDER BY source")
    with sa.create_engine(ledger_url).connect() as connection:
        counted = [(row[0], row[1]) for row in connection.execute(by_source)]
    assert counted == [(f"source{worker}", 100) for worker in workers]


def test_each_of_many_processes_accepts_its_own_source(ledger_url: str) -> None:
    Ledger.open(ledger_url).close()
    calls = [(children.accept_a_chain, ledger_url, f"source{worker}", 15) for worker in WORKERS]
    assert children.run(*calls) == [0] * len(WORKERS)
    with Ledger.open(ledger_url) as ledger:
        found = [ledger.accepted(f"source{worker}") for worker in WORKERS]
    assert [accepted.sequence for accepted in found if accepted] == [15] * len(WORKERS)


def test_processes_that_fight_over_a_source_take_turns(ledger_url: str) -> None:
    Ledger.open(ledger_url).close()
    calls = [(children.fight_for_springfield, ledger_url, f"w{worker}", 5) for worker in WORKERS]
    assert children.run(*calls) == [0] * len(WORKERS)
    with Ledger.open(ledger_url) as ledger:
        accepted = ledger.accepted("springfield")
    assert accepted is not None
    assert accepted.sequence == 5 * len(WORKERS)
