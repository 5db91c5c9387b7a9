"""What the ledger remembers of accounts."""

import datetime as dt
from dataclasses import replace

import pytest

from roster_pipeline.store import Account, AccountState, LeaseLost, Origin
from tests.store.scene import DAY2, START, Scene


def account(sourced_id: str, source: str = "springfield", product: str = "reader") -> Account:
    """An account that was asked for."""
    return Account(
        product=product,
        source=source,
        sourced_id=sourced_id,
        remote_id=None,
        origin=Origin.CREATED,
        state=AccountState.PENDING,
        external_id=f"{source}:{sourced_id}",
        user_name=f"{sourced_id}@springfield.example",
        content_hash="abc",
        missing_since=None,
        at=START,
    )


def test_accounts_come_back_as_they_were_remembered_by_product_and_source(scene: Scene) -> None:
    these = [account("b"), account("B"), account("a"), account("a", product="writer")]
    scene.ledger.record_accounts(these, scene.lease)
    with scene.ledger.lease("shelbyville", scene.clock) as lease:
        other = account("a", source="shelbyville")
        scene.ledger.record_accounts([other], lease)
    mine = [account("B"), account("a"), account("b")]
    assert scene.ledger.accounts("reader") == [other, *mine]
    assert scene.ledger.accounts("reader", "springfield") == mine
    assert scene.ledger.accounts("nothing") == []


def test_a_newer_word_on_an_account_takes_the_older_ones_place(scene: Scene) -> None:
    first = account("a")
    scene.ledger.record_accounts([first, account("b")], scene.lease)
    then = replace(
        first,
        remote_id="17",
        state=AccountState.SUSPENDED,
        missing_since=DAY2,
        at=START + dt.timedelta(hours=1),
    )
    scene.ledger.record_accounts([then], scene.lease)
    scene.ledger.record_accounts([then], scene.lease)
    scene.ledger.record_accounts([], scene.lease)
    assert scene.ledger.accounts("reader") == [then, account("b")]


def test_a_forgotten_account_is_nobodys(scene: Scene) -> None:
    scene.ledger.record_accounts([account("a"), account("b")], scene.lease)
    scene.ledger.record_accounts([account("c")], scene.lease, forget=[account("a")])
    assert scene.ledger.accounts("reader") == [account("b"), account("c")]


def test_accounts_are_written_under_their_sources_lease_only(scene: Scene) -> None:
    with pytest.raises(ValueError, match="does not cover shelbyville"):
        scene.ledger.record_accounts([account("a", source="shelbyville")], scene.lease)
    with scene.ledger.lease("shelbyville", scene.clock) as lease:
        pass
    with pytest.raises(LeaseLost):
        scene.ledger.record_accounts([account("a", source="shelbyville")], lease)
    assert scene.ledger.accounts("reader") == []


def test_the_text_of_an_account_names_nobody() -> None:
    assert "springfield.example" not in repr(account("a"))
