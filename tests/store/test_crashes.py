"""Killed as by `kill -9` at each place of the store, then run again at once."""

import signal
from pathlib import Path

import pytest

from roster_pipeline.store.ledger import Ledger
from tests.store import children
from tests.store.scene import DAY1

PLACES = (
    "landing.before-rename",
    "landing.after-rename",
    "snapshot.part-written",
    "snapshot.before-rename",
    "snapshot.after-rename",
    "accept.before",
    "accept.after",
    "delivery.before-receipt",
)


def sync(url: str, store: Path, crash_at: str = "") -> int | None:
    (exitcode,) = children.run((children.sync, url, str(store), crash_at))
    return exitcode


def files(store: Path) -> dict[str, bytes]:
    found = (path for path in store.rglob("*") if path.is_file())
    return {str(path.relative_to(store)): path.read_bytes() for path in found}


def remembered(url: str) -> tuple[object, ...]:
    with Ledger.open(url) as ledger:
        landed, accepted = ledger.landed("s", DAY1), ledger.accepted("s")
        assert landed is not None
        assert accepted is not None
        delivered = ledger.deliveries("s")
        return (landed.stored_hash, accepted.sequence, accepted.snapshot.content_hash, delivered)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], object]:
    """The store and the ledger after a run that nobody killed."""
    root = tmp_path_factory.mktemp("undisturbed")
    url = f"sqlite:///{root}/ledger.db"
    assert sync(url, root / "store") == 0
    return files(root / "store"), remembered(url)


@pytest.mark.parametrize("place", PLACES)
def test_a_sync_killed_anywhere_ends_as_one_that_was_not(
    place: str, ledger_url: str, tmp_path: Path, undisturbed: tuple[dict[str, bytes], object]
) -> None:
    store = tmp_path / "store"
    assert sync(ledger_url, store, crash_at=place) == -signal.SIGKILL
    assert sync(ledger_url, store) == 0
    assert (files(store), remembered(ledger_url)) == undisturbed


def test_the_gate_is_shut_before_its_transaction_and_open_after(
    ledger_url: str, tmp_path: Path
) -> None:
    for place, sequence in (("accept.before", None), ("accept.after", 1)):
        assert sync(ledger_url, tmp_path / "store", crash_at=place) == -signal.SIGKILL
        with Ledger.open(ledger_url) as ledger:
            accepted = ledger.accepted("s")
        assert (accepted and accepted.sequence) == sequence
