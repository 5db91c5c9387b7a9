"""A workspace after some days, the last of them held: what it wrote, and what it refuses.

A password, an e-mail, a family name and a sourcedId are planted, and looked for in everything there
is.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator

import pytest

from roster_pipeline.store import HoldStatus
from tests.proofs import planted
from tests.proofs.forking import Commands, Ended
from tests.proofs.searching import places_of
from tests.proofs.stage import SOURCE, Stage, staged
from tests.small import unpacked

# Where a person's data belong: the packages that came and went, and the stored rosters.
PROPER = (
    re.compile(r"server/drops/.*\.zip(!\w+\.csv)?"),
    re.compile(r"server/in/springfield\.zip(!\w+\.csv)?"),
    re.compile(r"workspace/store/landed/springfield/\w+\.zip(!\w+\.csv)?"),
    re.compile(r"workspace/store/outgoing/lms/packages/springfield/\w+(!\w+\.csv)?"),
    re.compile(r"workspace/store/snapshots/springfield/\w+/\w+/part-\d+\.parquet"),
)
# A row at fault is found again by its sourcedId: it is in stored findings, in what is kept of held
# rows, and in what a person who asks is told (`show` says 2, `check` 9 and 10).
NAMED = (
    re.compile(r"workspace/store/snapshots/springfield/\w+\.findings\.parquet"),
    re.compile(r"workspace/store/held/springfield/[\d-]+\.parquet"),
    re.compile(r"said-(2|9|10)\.txt"),
)


@pytest.fixture(scope="module")
def lived(commands: Commands, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A workspace after a first sync that was held and approved, a next day, and a hold."""
    with staged(tmp_path_factory.mktemp("held"), commands, last_day=2) as stage:
        # So that half of a small district is held, and a family that is all wrong is not.
        guards = "guards: {removed: {percent: 20, floor: 1}, held_back: {percent: 100, floor: 99}}"
        stage.write_source(guards + "\n")
        said: list[Ended] = []
        for day in range(3):
            planted.write(stage.drop_path(day), day)
        said += [stage.sync(0, "--strict"), stage.sync(0, "--format", "json")]
        assert said[-1].code == 3, said[-1].err + said[-1].out
        hold = said[-1].document()["hold"]["name"]
        said += [
            stage.roster("show", hold),
            stage.roster("show", hold, "--format", "json"),
            stage.roster("approve", hold, "--why", "as expected"),
            stage.sync(1),
            stage.sync(2),
            stage.roster("holds"),
            stage.roster("status", "--format", "json"),
            stage.roster("check", stage.drop_path(1)),
            stage.roster("check", stage.drop_path(1), "--format", "json"),
            stage.roster("diff", stage.drop_path(0), stage.drop_path(2)),
        ]
        assert [ended.code for ended in said] == [1, 3, 0, 0, 0, 0, 3, 0, 0, 1, 1, 0]
        said.append(stage.materialize("accepted_roster", 2))
        for number, ended in enumerate(said):
            (stage.root / f"said-{number}.txt").write_text(ended.out + ended.err)
        yield stage


def places(text: str, stage: Stage) -> set[str]:
    """Where it is found, without the district's own server, where it comes from."""
    return {place for place in places_of(text, stage.root) if not place.startswith("server/drops/")}


def astray(text: str, stage: Stage, proper: Iterable[re.Pattern[str]]) -> set[str]:
    """Where else it is found."""
    return {p for p in places(text, stage) if not any(place.fullmatch(p) for place in proper)}


def test_the_search_finds_what_is_there(lived: Stage) -> None:
    """Otherwise the tests below would prove nothing."""
    assert any("server/drops" in place for place in places_of(planted.PASSWORD, lived.root))
    for text in (planted.EMAIL, planted.NAME):
        found = places_of(text, lived.root)
        for proper in PROPER:
            assert any(proper.fullmatch(place) for place in found), proper
    runs = lived.dagster_runs()
    assert len(runs) == 6
    with lived.ledger() as ledger:
        (*_, hold) = ledger.holds(SOURCE)
    found = places_of(hold.name, lived.root)
    assert "workspace/ledger.sqlite" in found
    assert any(place.startswith("workspace/.dagster/history/runs/") for place in found)
    assert any("/compute_logs/" in place for place in found)
    assert any(place.startswith("said-") for place in found)


def test_the_planted_family_is_in_the_findings_and_in_what_was_delivered(lived: Stage) -> None:
    said = (lived.root / "said-3.txt").read_text()
    for code in ("row.too_many_cells", "row.too_few_cells", "key.duplicate", "reference.unknown"):
        assert code in said
    users = {row["sourcedId"]: row for row in unpacked(lived.delivered)["users"]}
    assert users["q1"]["familyName"] == planted.NAME
    assert users["q1"]["givenName"] == "Day 1"
    assert users["q1"]["password"] == ""


def test_a_password_is_found_nowhere(lived: Stage) -> None:
    assert places(planted.PASSWORD, lived) == set()


@pytest.mark.parametrize("text", [planted.EMAIL, planted.NAME])
def test_a_person_is_found_in_packages_and_rosters_only(lived: Stage, text: str) -> None:
    assert astray(text, lived, PROPER) == set()


def test_a_sourced_id_is_found_in_findings_too_and_in_no_log_and_no_ledger(lived: Stage) -> None:
    found = places(planted.KEY, lived)
    for named in NAMED:
        assert any(named.fullmatch(place) for place in found), named
    assert astray(planted.KEY, lived, (*PROPER, *NAMED)) == set()


def test_materializing_the_accepted_roster_by_hand_is_refused_with_the_hold_s_name(
    lived: Stage,
) -> None:
    said = (lived.root / "said-12.txt").read_text()
    assert lived.dagster_runs()[-1] == ("__ASSET_JOB", "FAILURE")
    with lived.ledger() as ledger:
        (hold,) = ledger.holds(SOURCE, HoldStatus.OPEN)
        assert hold.name in said
        accepted, (_, last) = ledger.accepted(SOURCE), ledger.deliveries(SOURCE)
    assert accepted is not None
    assert (accepted.date, accepted.sequence) == (lived.date_of(1), 2)
    assert accepted.snapshot.content_hash != hold.candidate.content_hash
    assert hashlib.sha256(lived.delivered.read_bytes()).hexdigest() == last.package_hash
