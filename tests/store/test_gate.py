"""The gate: what may become the accepted roster."""

import datetime as dt

import pytest

from roster_pipeline.store import HoldStatus, NotDecidable, Refused
from roster_pipeline.store.records import Verdict
from tests.store.scene import DAY1, DAY2, DAY3, DAY4, REASON, START, Scene, snapshot


def test_a_roster_that_the_guards_pass_is_accepted(scene: Scene) -> None:
    first = scene.sync("a", None, DAY1)
    second = scene.sync("b", "a", DAY2)
    assert (first.sequence, second.sequence) == (1, 2)
    assert second.snapshot == snapshot("b")
    assert second.base_hash == snapshot("a").content_hash
    assert (second.date, second.at, second.hold_name) == (DAY2, START, None)
    assert scene.ledger.accepted("springfield") == second


def test_a_roster_that_no_guard_judged_is_refused(scene: Scene) -> None:
    with pytest.raises(Refused, match="no guard has judged this roster") as refused:
        scene.accept("a", None, DAY1)
    assert refused.value.hold_name is None
    assert scene.ledger.accepted("springfield") is None


def test_a_verdict_on_another_base_does_not_count(scene: Scene) -> None:
    scene.sync("a", None, DAY1)
    scene.judge("c", "a", DAY2, "pass")
    scene.sync("b", "a", DAY2)
    with pytest.raises(Refused, match="no guard has judged"):
        scene.accept("c", "b", DAY2)


def test_a_held_roster_is_refused_with_the_holds_name_and_what_to_do(scene: Scene) -> None:
    hold = scene.hold("a", None, DAY1)
    with pytest.raises(Refused) as refused:
        scene.accept("a", None, DAY1)
    assert refused.value.hold_name == hold.name
    assert f'roster approve {hold.name} --why "..."' in str(refused.value)
    assert hold.name == f"springfield-2026-08-24-{snapshot('a').content_hash[:6]}"


def test_a_hold_shows_what_the_guards_said(scene: Scene) -> None:
    scene.sync("a", None, DAY1)
    hold = scene.hold("b", "a", DAY2)
    assert scene.ledger.hold(hold.name) == hold
    assert hold.reasons == (REASON,)
    assert hold.status is HoldStatus.OPEN
    assert (hold.candidate, hold.base_hash) == (snapshot("b"), snapshot("a").content_hash)
    assert (hold.date, hold.opened_at, hold.decided_at) == (DAY2, START, None)


def test_an_approved_roster_passes_and_its_hold_is_done(scene: Scene) -> None:
    hold = scene.hold("a", None, DAY1)
    scene.approve(hold)
    scene.clock.forward(60)
    accepted = scene.accept("a", None, DAY1)
    assert accepted.hold_name == hold.name
    done = scene.ledger.hold(hold.name)
    assert done.status is HoldStatus.ACCEPTED
    assert (done.decided_by, done.why, done.decided_at) == ("ada", "the school closed", START)
    assert done.closed_at == START + dt.timedelta(seconds=60)


def test_after_approval_the_same_verdict_counts_as_approved(scene: Scene) -> None:
    hold = scene.hold("a", None, DAY1)
    assert scene.hold("a", None, DAY1) == hold
    scene.approve(hold)
    assert scene.hold("a", None, DAY1).status is HoldStatus.APPROVED
    assert scene.accept("a", None, DAY1).sequence == 1
    assert len(scene.ledger.holds()) == 1


def test_a_rejected_roster_is_reported_and_not_held_again(scene: Scene) -> None:
    scene.sync("a", None, DAY1)
    hold = scene.reject(scene.hold("b", "a", DAY2))
    for date in (DAY2, DAY3):
        assert scene.hold("b", "a", date) == hold
        with pytest.raises(Refused, match="was rejected as hold") as refused:
            scene.accept("b", "a", date)
        assert refused.value.hold_name == hold.name
    assert len(scene.ledger.holds("springfield")) == 1


def test_guards_that_pass_do_not_overrule_a_rejection(scene: Scene) -> None:
    hold = scene.reject(scene.hold("a", None, DAY1))
    assert scene.judge("a", None, DAY1, "pass") == hold
    with pytest.raises(Refused, match="was rejected"):
        scene.accept("a", None, DAY1)


def test_a_roster_compared_with_what_is_no_longer_accepted_is_refused(scene: Scene) -> None:
    scene.sync("a", None, DAY1)
    scene.judge("c", "a", DAY2, "pass")
    scene.sync("b", "a", DAY2)
    with pytest.raises(Refused, match=r"is accepted now\. Run the sync of 2026-08-25 again"):
        scene.accept("c", "a", DAY2)
    with pytest.raises(Refused, match="compared with no roster"):
        scene.judge("c", None, DAY2, "hold")
    assert scene.ledger.holds() == []


def test_an_older_roster_never_replaces_a_newer_one(scene: Scene) -> None:
    scene.sync("a", None, DAY2)
    with pytest.raises(Refused, match="is of 2026-08-24, but the accepted one is of 2026-08-25"):
        scene.judge("old", "a", DAY1, "pass")
    with pytest.raises(Refused, match="older roster never replaces"):
        scene.accept("old", "a", DAY1)


def test_an_older_roster_does_not_slip_in_behind_a_day_without_changes(scene: Scene) -> None:
    scene.sync("a", None, DAY1)
    same = scene.sync("a", "a", DAY3)
    assert (same.sequence, same.date, same.confirmed) == (1, DAY1, DAY3)
    with pytest.raises(Refused, match="the accepted one is of 2026-08-26"):
        scene.judge("old", "a", DAY2, "pass")


def test_what_is_accepted_already_is_accepted_again_without_change(scene: Scene) -> None:
    first = scene.sync("a", None, DAY1)
    scene.clock.forward(3600)
    assert scene.accept("a", None, DAY1) == first
    assert scene.sync("a", "a", DAY1) == first
    with pytest.raises(Refused, match="older"):
        scene.accept("a", "a", DAY1 - dt.timedelta(days=1))


def test_a_newer_candidate_supersedes_a_hold(scene: Scene) -> None:
    scene.sync("a", None, DAY1)
    hold = scene.hold("b", "a", DAY2)
    scene.judge("c", "a", DAY3, "pass")
    assert scene.ledger.hold(hold.name).status is HoldStatus.SUPERSEDED
    with pytest.raises(Refused, match=r"superseded \(a newer roster came for 2026-08-26\)"):
        scene.accept("b", "a", DAY2)
    with pytest.raises(NotDecidable, match="nothing left to decide"):
        scene.approve(hold)


def test_replaying_an_older_day_leaves_a_newer_hold_open(scene: Scene) -> None:
    scene.sync("a", None, DAY1)
    hold = scene.hold("b", "a", DAY3)
    scene.judge("c", "a", DAY2, "hold")
    assert scene.ledger.hold(hold.name).status is HoldStatus.OPEN


def test_the_accepted_roster_coming_again_supersedes_a_hold(scene: Scene) -> None:
    scene.sync("a", None, DAY1)
    hold = scene.hold("half", "a", DAY2)
    scene.sync("a", "a", DAY3)
    assert scene.ledger.hold(hold.name).status is HoldStatus.SUPERSEDED


def test_a_new_base_supersedes_holds_even_approved_ones(scene: Scene) -> None:
    scene.sync("a", None, DAY1)
    hold = scene.approve(scene.hold("b", "a", DAY2))
    scene.sync("c", "a", DAY3)
    after = scene.ledger.hold(hold.name)
    assert after.status is HoldStatus.SUPERSEDED
    assert after.closed_because == "another roster was accepted for 2026-08-26"


def test_an_approved_hold_outlives_a_newer_candidate_that_is_held(scene: Scene) -> None:
    scene.sync("a", None, DAY1)
    scene.approve(scene.hold("b", "a", DAY2))
    later = scene.hold("c", "a", DAY3)
    assert scene.accept("b", "a", DAY2).snapshot == snapshot("b")
    assert scene.ledger.hold(later.name).status is HoldStatus.SUPERSEDED


def test_a_superseded_candidate_that_comes_again_is_held_under_a_new_name(scene: Scene) -> None:
    scene.sync("a", None, DAY1)
    first = scene.hold("b", "a", DAY2)
    scene.hold("c", "a", DAY2)
    again = scene.hold("b", "a", DAY2)
    assert again.name == f"{first.name}-2"
    assert [hold.name for hold in scene.ledger.holds(status="open")] == [again.name]


def test_guards_asked_again_after_a_change_of_limits_close_the_hold(scene: Scene) -> None:
    hold = scene.hold("a", None, DAY1)
    assert scene.judge("a", None, DAY1, "pass") is None
    assert scene.ledger.hold(hold.name).status is HoldStatus.SUPERSEDED
    assert scene.accept("a", None, DAY1).hold_name is None


def test_an_approval_is_good_for_one_acceptance(scene: Scene) -> None:
    scene.sync("a", None, DAY1)
    scene.approve(scene.hold("half", "a", DAY2))
    scene.accept("half", "a", DAY2)
    scene.sync("a", "half", DAY3)
    again = scene.hold("half", "a", DAY4)
    assert again.status is HoldStatus.OPEN
    with pytest.raises(Refused, match=f"hold {again.name} waits"):
        scene.accept("half", "a", DAY4)


def test_sources_do_not_touch_each_other(scene: Scene) -> None:
    hold = scene.hold("a", None, DAY1)
    other = snapshot("a", "shelbyville")
    with scene.ledger.lease("shelbyville", scene.clock) as lease:
        scene.ledger.record_verdict("shelbyville", other, None, DAY2, "pass", [], START, lease)
        scene.ledger.accept("shelbyville", other, None, DAY2, START, lease)
    assert scene.ledger.hold(hold.name).status is HoldStatus.OPEN
    assert scene.ledger.accepted("springfield") is None
    assert scene.ledger.holds("shelbyville") == []


def test_a_dry_evaluation_says_what_the_gate_would_and_writes_nothing(scene: Scene) -> None:
    def ask(content: str, verdict: Verdict | None = None) -> str | None:
        refusal = scene.ledger.may_accept(
            "springfield", snapshot(content), snapshot("a").content_hash, DAY2, verdict
        )
        return None if refusal is None else refusal.reason

    scene.sync("a", None, DAY1)
    assert ask("b", "pass") is None
    assert "would hold" in (ask("b", "hold") or "")
    assert "no guard" in (ask("b") or "")
    assert ask("a") is None
    assert scene.ledger.holds() == []
    hold = scene.hold("b", "a", DAY2)
    assert hold.name in (ask("b", "hold") or "")
    assert ask("b", "pass") is None
    assert scene.ledger.hold(hold.name).status is HoldStatus.OPEN
    scene.approve(hold)
    assert ask("b", "hold") is None


@pytest.mark.parametrize("decide", ["approve", "reject"])
def test_a_decision_needs_who_and_why_and_an_open_hold(scene: Scene, decide: str) -> None:
    hold = scene.hold("a", None, DAY1)
    make = getattr(scene.ledger, decide)
    for who, why in (("", "a reason"), ("ada", " ")):
        with pytest.raises(NotDecidable, match="needs who made it and why"):
            make(hold.name, who, why, START)
    make(hold.name, "ada", "a reason", START)
    with pytest.raises(NotDecidable, match=r"was \w+ed by ada on 2026-08-26 09:30 UTC"):
        make(hold.name, "bob", "another reason", START)
    with pytest.raises(NotDecidable, match=r"no hold named 'springfeld'\. None waits now"):
        make("springfeld", "ada", "a reason", START)


def test_an_unknown_hold_is_answered_with_those_that_wait(scene: Scene) -> None:
    hold = scene.hold("a", None, DAY1)
    with pytest.raises(NotDecidable, match=f"These wait: {hold.name}"):
        scene.ledger.hold("springfield-2026-08-24")
