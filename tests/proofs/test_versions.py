"""Packages of each version and kind go the whole way."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from roster_pipeline.simulator.district import District
from roster_pipeline.store import Outcome
from tests.automation.town import Town
from tests.proofs.towns import town_at
from tests.small import unpacked

DAY = 8
Write = Callable[[District, Path], object]


@pytest.fixture
def towns(tmp_path: Path) -> Iterator[Callable[[str], Town]]:
    """Makes towns whose roster of the first day, in a version, was accepted and delivered."""
    with ExitStack() as stack:

        def make(version: str) -> Town:
            root = tmp_path / f"town-{len(list(tmp_path.iterdir()))}"
            town = stack.enter_context(town_at(root, District(students=60)))
            arrive(town, lambda district, path: district.write_package(path, 0, version))
            assert town.approve(town.sync().hold).outcome is Outcome.DONE
            town.now += timedelta(days=1)
            return town

        yield make


def arrive(town: Town, write: Write) -> None:
    """Put a package on the server."""
    path = town.drops / "export.zip"
    write(town.district, path)
    town.arrived(path)


def delivered_after(town: Town, write: Write) -> bytes:
    """What the destination has when another package went through."""
    before = town.delivered.read_bytes()
    arrive(town, write)
    result = town.sync()
    assert result.outcome is Outcome.DONE, result.sentences
    now = town.delivered.read_bytes()
    assert now != before
    return now


@pytest.mark.soak
def test_a_delta_brings_the_receiver_to_the_same_rows_as_a_bulk(
    towns: Callable[[str], Town],
) -> None:
    bulk = delivered_after(towns("1.2"), lambda d, path: d.write_package(path, DAY))
    delta = delivered_after(towns("1.2"), lambda d, path: d.write_delta(path, 0, DAY))
    assert in_order(delta) == in_order(bulk)


def test_a_1p1_bulk_is_delivered_as_1p2(towns: Callable[[str], Town]) -> None:
    town = towns("1.1")
    delivered = unpacked(delivered_after(town, lambda d, path: d.write_package(path, DAY, "1.1")))
    sent = unpacked(town.drops / "export.zip")
    assert "roles" not in sent
    for entity in ("orgs", "courses", "classes", "enrollments", "demographics"):
        assert ids(delivered[entity]) == ids(sent[entity]), entity
    assert ids(delivered["users"]) == ids(sent["users"])
    assert len(delivered["roles"]) == sum(
        len(user["orgSourcedIds"].split(",")) for user in sent["users"]
    )


def in_order(package: bytes) -> dict[str, list[dict[str, str]]]:
    """The rows of each file in one order: a delta changes no order, a bulk brings its own."""
    return {
        name: sorted(rows, key=lambda row: sorted(row.items()))
        for name, rows in unpacked(package).items()
    }


def ids(rows: list[dict[str, str]]) -> set[str]:
    return {row["sourcedId"] for row in rows}
