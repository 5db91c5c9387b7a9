"""Dry runs on a part of a roster: tried, told, and of no consequence."""

from pathlib import Path

import pytest

from roster_pipeline.simulator.district import District
from roster_pipeline.sources.sample import Sample
from roster_pipeline.store import Outcome
from tests.automation import test_held_rows
from tests.automation.test_calendar import PRODUCT
from tests.automation.test_whole_runs import _bytes_of, first_sync
from tests.automation.town import SOURCE, Lives, Town


@pytest.fixture
def synced(town: Town, lives: Lives) -> Town:
    """The town after its first sync, on the next day."""
    return lives.live(town, first_sync)


def test_a_sample_of_a_first_roster_says_what_it_would_bring_in(town: Town) -> None:
    town.drop(0)
    before = _bytes_of(town)

    result = town.sync(dry_run=True, sample=Sample(students=7))

    assert result.outcome is Outcome.HELD
    assert any("the first roster" in sentence for sentence in result.sentences)
    assert result.taken is not None
    rows, of = result.taken["demographics"]
    assert (rows, of) == (7, 60)
    assert f"{result.taken['users'][0]:,} users" in "".join(result.sentences)
    assert _bytes_of(town) == before


@pytest.mark.soak
def test_a_sample_is_compared_with_the_same_of_what_is_accepted(synced: Town) -> None:
    synced.drop(0)

    result = synced.sync(dry_run=True, sample=Sample(students=7))

    assert result.outcome is Outcome.DONE, result.sentences
    changes = result.sync.summary["changes"]
    assert not any(moved for of in changes.values() for moved in _moved(of))
    assert result.sync.summary["counts"]["demographics"] == 7


def _moved(counts: dict[str, int]) -> list[int]:
    return [counts[kind] for kind in ("added", "changed", "removed")]


def test_a_sample_leads_nowhere(synced: Town) -> None:
    synced.write_source("expect: {users: [50, 1000]}\n")
    synced.drop(8)
    before = _bytes_of(synced)

    result = synced.sync(dry_run=True, sample=Sample(students=20))

    assert result.outcome in (Outcome.DONE, Outcome.HELD)
    # What a source should have is said of all of it.
    assert not any("expected" in sentence for sentence in result.sentences)
    assert result.sync.summary.get("deliveries", {}) == {}
    assert _bytes_of(synced) == before
    assert synced.sync().outcome is Outcome.DONE
    with synced.ledger() as ledger:
        now = ledger.accepted(SOURCE)
    assert now is not None
    assert now.snapshot.counts["demographics"] > 50


@pytest.mark.soak
def test_a_sample_asks_nobody_about_accounts(synced: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READER_TOKEN", "t")
    synced.write("products/reader.yaml", PRODUCT.format(url="http://127.0.0.1:9"))
    synced.drop(0)

    whole = synced.sync(dry_run=True)
    assert whole.outcome is Outcome.FAILED, "nobody asked: the test shows nothing"
    assert synced.sync(dry_run=True, sample=Sample(students=7)).outcome is Outcome.DONE


def test_a_sample_is_for_dry_runs(synced: Town, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a sample is for a dry run"):
        synced.sync(sample=Sample(students=7))
    with pytest.raises(ValueError, match="a sample is for a dry run"):
        synced.sync(sample=Sample(students=7), dry_run=True, out=tmp_path / "out")


@pytest.mark.soak
def test_a_school_is_tried_within_the_scope_of_the_source(town: Town) -> None:
    town.district = District(students=60)
    town.drop(0)
    schools = _schools(town)
    town.write_source(f"scope: {{schools: ['{schools[0]}']}}\n")

    of_one = town.sync(dry_run=True, sample=Sample(schools=(schools[0],)))
    assert of_one.taken is not None
    assert of_one.taken["classes"][0] == of_one.taken["classes"][1]

    of_another = town.sync(dry_run=True, sample=Sample(schools=(schools[1],)))
    assert of_another.outcome is Outcome.STOPPED
    assert "`--school` names" in of_another.sentences[0]
    assert of_another.taken is None


def _schools(town: Town) -> list[str]:
    orgs = town.district.on(0).frame("orgs")
    return list(orgs["sourcedId"][orgs["type"] == "school"])


def test_a_row_held_back_stays_in_a_sample_as_it_was(town: Town, lives: Lives) -> None:
    small = lives.live(town, test_held_rows.first_sync)
    small.pass_days(1)
    test_held_rows.send(small, "u1")

    result = small.sync(dry_run=True, sample=Sample(students=3))

    assert result.taken is not None
    assert result.taken["users"] == (4, 5)
    assert result.sync.summary["held"]["users"] == 1
    assert not any(_moved(result.sync.summary["changes"]["users"]))
