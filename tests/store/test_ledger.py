"""What else the ledger remembers: packages, deliveries, how syncs ended."""

import datetime as dt
from dataclasses import replace

import pytest

from roster_pipeline.store import Delivery, Landed, Outcome
from tests.store.scene import DAY1, DAY2, DAY3, DAY4, START, Scene, snapshot

PACKAGE = Landed(
    source="springfield",
    date=DAY1,
    original_hash="0" * 64,
    stored_hash="1" * 64,
    remote_path="/out/springfield.zip",
    modified=START,
    size=5_000_000_000,
    url="/store/landed/springfield/1.zip",
)


def later(package: Landed, minutes: int, **changes: str) -> Landed:
    moved = replace(package, modified=package.modified + dt.timedelta(minutes=minutes))
    return replace(moved, **changes)  # type: ignore[arg-type]


def test_a_landed_package_is_found_by_its_date(scene: Scene) -> None:
    scene.ledger.record_landed(PACKAGE, START, scene.lease)
    assert scene.ledger.landed("springfield", DAY1) == PACKAGE
    assert scene.ledger.landed("springfield", DAY2) is None
    assert scene.ledger.landed("shelbyville", DAY1) is None


def test_the_last_landed_package_of_some_days_is_that_of_the_newest(scene: Scene) -> None:
    tomorrow = replace(PACKAGE, date=DAY2)
    for package in (tomorrow, PACKAGE):
        scene.ledger.record_landed(package, START, scene.lease)
    last = scene.ledger.last_landed
    assert last("springfield", DAY1, DAY2) == last("springfield", DAY2, DAY2) == tomorrow
    assert last("springfield", DAY1, DAY1) == PACKAGE
    assert last("springfield", DAY1 - dt.timedelta(days=9), DAY1 - dt.timedelta(days=1)) is None
    assert last("springfield", DAY2 + dt.timedelta(days=1), DAY2 + dt.timedelta(days=9)) is None
    assert last("shelbyville", DAY1, DAY2) is None


def test_the_last_accepted_package_is_that_of_a_sync_that_was_accepted_or_approved(
    scene: Scene,
) -> None:
    def came(date: dt.date, number: int, outcome: Outcome, **said: object) -> Landed:
        package = replace(PACKAGE, date=date, stored_hash=f"{number}", original_hash=f"{number}")
        scene.ledger.record_landed(package, START, scene.lease)
        summary = {"package": package.stored_hash, **said}
        scene.ledger.record_sync("springfield", date, outcome, summary, START)
        return package

    def last(until: dt.date = DAY4) -> Landed | None:
        return scene.ledger.last_accepted_package("springfield", DAY1, until)

    first = scene.hold("first", None, DAY1)
    held = came(DAY1, 1, Outcome.HELD, hold=first.name)
    assert last() is None
    scene.approve(first)
    assert last() == held
    scene.accept("first", None, DAY1)
    assert last() == held

    done = came(DAY2, 2, Outcome.FAILED, accepted=1)
    second = scene.hold("second", "first", DAY3)
    came(DAY3, 3, Outcome.HELD, hold=second.name)
    came(DAY3, 4, Outcome.STOPPED)
    scene.reject(second)
    assert last() == done
    assert last(DAY1) == held
    assert scene.ledger.last_accepted_package("shelbyville", DAY1, DAY4) is None


def test_of_two_packages_for_a_date_the_servers_newest_counts(scene: Scene) -> None:
    first, second = PACKAGE, later(PACKAGE, 30, original_hash="2" * 64)
    for package in (second, first):
        scene.ledger.record_landed(package, START, scene.lease)
    assert scene.ledger.landed("springfield", DAY1) == second


def test_an_original_put_back_by_the_source_is_the_newest_again(scene: Scene) -> None:
    again = later(PACKAGE, 60, remote_path="/out/springfield-2.zip")
    for package in (PACKAGE, later(PACKAGE, 30, original_hash="2" * 64), again, again):
        scene.ledger.record_landed(package, START, scene.lease)
    assert scene.ledger.landed("springfield", DAY1) == again


def test_the_same_bytes_on_another_date_land_for_that_date_too(scene: Scene) -> None:
    tomorrow = replace(PACKAGE, date=DAY2)
    for package in (PACKAGE, tomorrow):
        scene.ledger.record_landed(package, START, scene.lease)
    assert scene.ledger.landed("springfield", DAY1) == PACKAGE
    assert scene.ledger.landed("springfield", DAY2) == tomorrow


def deliver(
    scene: Scene,
    package_hash: str,
    minutes: int = 0,
    *,
    roster: str = "a",
    path: str = "/in/springfield.zip",
) -> Delivery:
    at = START + dt.timedelta(minutes=minutes)
    this = Delivery(
        "lms",
        "springfield",
        snapshot(roster).content_hash,
        package_hash,
        path,
        1234,
        {"read_back": package_hash, "rows": {"users": 7}},
        at,
    )
    return scene.ledger.record_delivery(this, scene.lease)


def test_the_last_confirmed_delivery_is_what_the_destination_has(scene: Scene) -> None:
    assert scene.ledger.delivery("lms", "springfield") is None
    first = deliver(scene, "p1")
    assert scene.ledger.delivery("lms", "springfield") == first
    second = deliver(scene, "p2", 1)
    assert scene.ledger.delivery("lms", "springfield") == second
    assert scene.ledger.delivery("sis", "springfield") is None
    assert scene.ledger.deliveries("springfield") == [first, second]


def test_a_package_delivered_twice_has_one_receipt(scene: Scene) -> None:
    first = deliver(scene, "p1")
    assert deliver(scene, "p1", 5) == first
    assert scene.ledger.deliveries("springfield") == [first]


def test_the_same_package_is_a_delivery_of_each_roster_that_makes_it(scene: Scene) -> None:
    deliver(scene, "p1")
    deliver(scene, "p1", 5, roster="b")

    assert snapshot("b").is_with(scene.ledger.delivery("lms", "springfield"))
    assert len(scene.ledger.deliveries("springfield")) == 2


def test_the_same_package_elsewhere_is_another_delivery(scene: Scene) -> None:
    deliver(scene, "p1")
    moved = deliver(scene, "p1", 5, path="/inbox/springfield.zip")

    assert scene.ledger.delivery("lms", "springfield") == moved


def test_a_package_delivered_again_after_another_is_what_the_destination_has(
    scene: Scene,
) -> None:
    deliver(scene, "p1")
    deliver(scene, "p2", 1)
    again = deliver(scene, "p1", 2)
    assert scene.ledger.delivery("lms", "springfield") == again


def test_the_last_sync_of_a_source_says_how_it_ended(scene: Scene) -> None:
    assert scene.ledger.last_sync("springfield") is None
    scene.ledger.record_sync("springfield", DAY1, Outcome.HELD, {"held": 1}, START, "run-1")
    scene.ledger.record_sync("springfield", DAY2, "done", {"users": {"added": 3}}, START)
    scene.ledger.record_sync("shelbyville", DAY2, "failed", {}, START)
    last = scene.ledger.last_sync("springfield")
    assert last is not None
    assert (last.outcome, last.date, last.summary, last.run_id, last.at) == (
        Outcome.DONE,
        DAY2,
        {"users": {"added": 3}},
        None,
        START,
    )
    earlier = scene.ledger.last_sync("springfield", DAY1)
    assert earlier is not None
    assert earlier.outcome is Outcome.HELD
    assert scene.ledger.last_sync("shelbyville", DAY1) is None
    with pytest.raises(ValueError, match="finished"):
        scene.ledger.record_sync("springfield", DAY1, "finished", {}, START)


def test_an_overview_says_of_all_sources_what_is_said_of_each(scene: Scene) -> None:
    ledger = scene.ledger
    scene.sync("one", None, DAY1)
    scene.sync("two", "one", DAY2)
    scene.hold("three", "two", DAY3)
    for content in ("one", "two"):
        hashed = snapshot(content).content_hash
        this = Delivery("lms", "springfield", hashed, "0" * 64, "x.zip", 1, {}, START)
        ledger.record_delivery(this, scene.lease)
    ledger.record_sync("springfield", DAY2, "done", {}, START)
    ledger.record_sync("springfield", DAY3, "held", {}, START)
    ledger.record_sync("shelbyville", DAY2, "failed", {}, START)
    everything, one = ledger.overview(), ledger.overview("springfield")
    assert everything.accepted == {"springfield": ledger.accepted("springfield")}
    assert everything.holds == {"springfield": ledger.holds("springfield", "open")}
    assert everything.deliveries == {("lms", "springfield"): ledger.delivery("lms", "springfield")}
    assert everything.last_syncs == {
        name: ledger.last_sync(name) for name in ("springfield", "shelbyville")
    }
    assert (one.accepted, one.holds) == (everything.accepted, everything.holds)
    assert set(one.last_syncs) == {"springfield"}
    assert ledger.overview("nowhere").last_syncs == {}
