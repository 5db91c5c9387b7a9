"""Which packages were accepted, and what files they were made of."""

from dataclasses import replace

import pytest

from roster_pipeline.store import Landed, Refused
from roster_pipeline.transport.channel import RemoteFile
from tests.store.scene import DAY1, DAY2, START, Scene, snapshot

FILES = (RemoteFile("out/orgs.csv", 12, START), RemoteFile("out/users.csv", 34, START))


def landed(scene: Scene, content: str) -> Landed:
    """A package that came, in the ledger."""
    package = Landed(
        source="springfield",
        date=DAY1,
        original_hash=content,
        stored_hash=content,
        remote_path="out/*.csv",
        modified=START,
        size=46,
        url="file:///store/package.zip",
        files=FILES,
    )
    scene.ledger.record_landed(package, START, scene.lease)
    return package


def accept(scene: Scene, content: str, base: str | None, package: Landed | None) -> None:
    base_hash = None if base is None else snapshot(base).content_hash
    scene.ledger.accept(
        "springfield", snapshot(content), base_hash, DAY1, START, scene.lease, package=package
    )


def test_a_package_keeps_the_files_that_it_was_made_of(scene: Scene) -> None:
    package = landed(scene, "a")

    assert scene.ledger.landed("springfield", DAY1) == package
    assert scene.ledger.last_landed("springfield", DAY1, DAY2) == package


def test_only_what_was_accepted_is_told_of(scene: Scene) -> None:
    package, other = landed(scene, "a"), landed(scene, "b")
    scene.judge("a", None, DAY1, "pass")
    accept(scene, "a", None, package)

    assert scene.ledger.accepted_packages("springfield", DAY1) == [package]
    assert scene.ledger.accepted_packages("springfield", DAY2) == []
    assert scene.ledger.accepted_packages("shelbyville", DAY1) == []
    scene.judge("b", "a", DAY1, "pass")
    accept(scene, "b", "a", None)
    assert other not in scene.ledger.accepted_packages("springfield", DAY1)


def test_what_the_gate_refuses_is_not_accepted(scene: Scene) -> None:
    package = landed(scene, "a")
    scene.judge("a", None, DAY1, "hold")
    with pytest.raises(Refused):
        accept(scene, "a", None, package)

    assert scene.ledger.accepted_packages("springfield", DAY1) == []


def test_what_is_accepted_again_stays_and_what_comes_again_has_to_be(scene: Scene) -> None:
    package = landed(scene, "a")
    scene.judge("a", None, DAY1, "pass")
    for _ in range(2):
        accept(scene, "a", None, package)
        assert scene.ledger.accepted_packages("springfield", DAY1) == [package]
    again = replace(package, files=FILES[:1])
    scene.ledger.record_landed(again, START, scene.lease)
    assert scene.ledger.accepted_packages("springfield", DAY1) == []
    accept(scene, "a", None, again)
    assert scene.ledger.accepted_packages("springfield", DAY1) == [again]
