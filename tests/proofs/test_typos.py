"""A typo is a finding, and never a deletion: 1,052 of them, planted on one day, mended on the next.

The people of the district stay the same over the days, so that whatever is removed or suspended
would be the typos' doing.
"""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pytest

from roster_pipeline.assets.checks import HELD_ROWS, entity_key
from roster_pipeline.automation.home import open_home
from roster_pipeline.automation.run import SyncResult
from roster_pipeline.oneroster.delta import diff
from roster_pipeline.oneroster.package import open_package
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.quality.candidate import Candidate, build_candidate
from roster_pipeline.reports.changes import KINDS, totals
from roster_pipeline.reports.layers import NAMES, layers_of
from roster_pipeline.simulator.district import District
from roster_pipeline.simulator.rewriting import Change, member, rewrite, rows
from roster_pipeline.simulator.scim_server import ScimServer
from roster_pipeline.store import Accepted, AccountState, Outcome
from roster_pipeline.store.snapshots import Snapshots
from tests.automation.town import SOURCE, Town
from tests.proofs.towns import town_at

TYPOS: Final[Mapping[tuple[str, str], tuple[int, str | None]]] = {
    ("users", "enabledUser"): (70, "ture"),
    ("users", "givenName"): (50, None),
    ("users", "familyName"): (30, None),
    ("roles", "orgSourcedId"): (102, "no school"),
    ("enrollments", "userSourcedId"): (400, "nobody"),
    ("enrollments", "role"): (400, "studnet"),
}
"""In how many rows which cell is spoilt, and what then stands there."""
PLANTED: Final = 1052
HELD: Final = {"users": 150, "roles": 102, "enrollments": 800}
TOKEN: Final = "a-token-of-the-proof"
PRODUCT: Final = """\
id: reader
name: Reader
sources: [springfield]
accounts:
  roles: {{teacher: teacher, student: learner}}
  fields: [givenName, familyName, role]
  scim: {{base_url: "{url}", auth: {{bearer: {{token: {{env: READER_TOKEN}}}}}}}}
"""


def plant(package: Path) -> None:
    """Make the typos, each in a row of its own."""

    def spoilt(entity: str) -> Change:
        def edit(frame: pd.DataFrame) -> pd.DataFrame:
            first = 0
            for (of, column), (count, typo) in TYPOS.items():
                if of == entity:
                    cells = frame[column].copy()
                    assert len(cells) >= first + count
                    cells.iloc[first : first + count] = typo
                    frame, first = frame.assign(**{column: cells}), first + count
            return frame

        return rows(edit)

    copy = package.with_suffix(".copy")
    rewrite(package, copy, {member(entity): spoilt(entity) for entity in HELD})
    copy.replace(package)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A district whose roster was accepted the day before yesterday, with an account for all."""
    root = tmp_path_factory.mktemp("typos")
    with (
        ScimServer(TOKEN) as provider,
        pytest.MonkeyPatch.context() as patch,
        town_at(root, District(students=900)) as made,
    ):
        patch.setenv("READER_TOKEN", TOKEN)
        made.write("products/reader.yaml", PRODUCT.format(url=provider.url))
        made.pass_days(-1)
        made.drop(0)
        held = made.sync().hold
        assert made.approve(held).outcome is Outcome.DONE
        yield made


@pytest.fixture(scope="module")
def second(town: Town) -> SyncResult:
    """How the second day ended, with the typos."""
    town.pass_days(1)
    drop = town.drop(0)
    plant(drop)
    town.arrived(drop)
    return town.sync(instance="persistent")


@pytest.fixture(scope="module")
def third(town: Town, second: SyncResult) -> SyncResult:
    """How the third day ended, mended."""
    assert second.outcome is Outcome.DONE
    town.pass_days(1)
    town.drop(0)
    return town.sync(instance="persistent")


def accepted(town: Town) -> Accepted:
    with town.ledger() as ledger:
        found = ledger.accepted(SOURCE)
    assert found is not None
    return found


def findings(town: Town) -> pd.DataFrame:
    """What was found in the package read last."""
    kept = Snapshots(town.workspace.storage_url)
    return kept.findings(SOURCE, accepted(town).snapshot.content_hash)


def accounts(town: Town) -> dict[str, int]:
    """How many accounts there are in each state."""
    with town.ledger() as ledger:
        known = pd.Series([str(account.state) for account in ledger.accounts("reader", SOURCE)])
    return {str(state): int(count) for state, count in known.value_counts().items()}


def held_check(town: Town) -> Any:
    """What the check on held rows said last."""
    with open_home(town.folder) as instance:
        storage = instance.event_log_storage
        (record,) = storage.get_asset_check_execution_history(HELD_ROWS, limit=1)
    assert record.event is not None
    assert record.event.dagster_event is not None
    return record.event.dagster_event.asset_check_evaluation_data


def test_every_typo_is_a_finding_and_nothing_else_is(town: Town, second: SyncResult) -> None:
    found = findings(town)
    assert len(found) == sum(count for count, _ in TYPOS.values()) == PLANTED
    assert set(found["severity"]) == {"hold"}
    assert found["sourcedId"].notna().all()
    assert found["line"].notna().all()
    assert {e: n for e, n in second.sync.summary["held"].items() if n} == HELD


def test_nobody_is_removed_or_suspended(town: Town, second: SyncResult) -> None:
    assert totals(second.sync.summary["changes"]) | {"unchanged": 0} == dict.fromkeys(KINDS, 0)
    assert accounts(town).keys() == {str(AccountState.ACTIVE)}


def test_the_age_of_held_rows_is_shown_on_the_first_day(town: Town, second: SyncResult) -> None:
    day = second.sync.date
    assert second.sync.summary["held_rows"] == {
        "date": str(day), "rows": PLANTED, "since": str(day), "days": 0,
    }  # fmt: skip
    said = held_check(town)
    assert said.description == f"1,052 rows are held, the oldest since {day} (0 days)."
    assert (said.passed, str(said.severity.value)) == (False, "WARN")


@pytest.mark.soak
def test_mended_nothing_is_found_and_nothing_is_held(town: Town, third: SyncResult) -> None:
    assert totals(third.sync.summary["changes"]) | {"unchanged": 0} == dict.fromkeys(KINDS, 0)
    assert len(findings(town)) == 0
    assert third.sync.summary["held_rows"]["rows"] == 0
    assert accounts(town).keys() == {str(AccountState.ACTIVE)}
    assert held_check(town).passed


def test_every_layer_of_every_entity_passes_once_it_is_mended(
    town: Town, third: SyncResult
) -> None:
    places = [(entity, NAMES[layer]) for entity in HELD for layer in layers_of(entity)]
    with open_home(town.folder) as instance:
        storage = instance.event_log_storage
        said = {
            (entity, name): [
                record.status.value
                for record in storage.get_asset_check_execution_history(
                    type(HELD_ROWS)(entity_key(entity), name), limit=2
                )
            ]
            for entity, name in places
        }
    assert {statuses[0] for statuses in said.values()} == {"SUCCEEDED"}
    failed = {place for place, statuses in said.items() if statuses[1] == "FAILED"}
    assert failed == {
        ("users", "cells"),
        ("roles", "cells"),
        ("enrollments", "cells"),
        ("enrollments", "references"),
    }


@pytest.mark.soak
def test_of_an_ordinary_next_day_the_typos_hide_nothing_but_their_own_rows(tmp_path: Path) -> None:
    """Who really left on the day of the typos leaves; nobody else does."""
    district = District(students=900)
    base = _candidate(tmp_path, "base", district, 0).roster
    clean = _candidate(tmp_path, "clean", district, 1, base).roster
    typos = _candidate(tmp_path, "typos", district, 1, base, spoil=True).roster
    assert base is not None
    gone, gone_with_typos = _removed(base, clean), _removed(base, typos)
    assert gone["users"]
    for entity, keys in gone_with_typos.items():
        assert keys <= gone[entity], entity
    assert gone_with_typos["users"] == gone["users"]


def _candidate(
    folder: Path, name: str, district: District, day: int, base: Roster | None = None,
    *, spoil: bool = False,
) -> Candidate:  # fmt: skip
    package = folder / f"{name}.zip"
    district.write_package(package, day)
    if spoil:
        plant(package)
    with package.open("rb") as file, open_package(file) as opened:
        today = date(2026, 10, 1) + timedelta(days=day)
        return build_candidate(opened, base, folder / name, today=today)


def _removed(base: Roster, now: Roster | None) -> dict[str, set[str]]:
    """The sourcedIds that are gone, by entity."""
    assert now is not None
    return {
        entity: set(base.columns(entity, ["sourcedId"])["sourcedId"])
        - set(now.columns(entity, ["sourcedId"])["sourcedId"])
        for entity in diff(base, now).counts()
    }
