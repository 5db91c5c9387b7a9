import pytest

from roster_pipeline.guards.facts import Moves, Share, Shift
from roster_pipeline.guards.judge import judge
from tests.guards.days import at_school, facts, settings


@pytest.mark.parametrize(("removed", "outcome"), [(25, "pass"), (26, "hold")])
def test_more_than_a_quarter_of_a_schools_students_holds(removed: int, outcome: str) -> None:
    day = at_school("s1", students=Moves(was=100, removed=removed))

    assert judge(day, settings()).outcome == outcome


@pytest.mark.parametrize(("removed", "outcome"), [(9, "pass"), (10, "hold")])
def test_a_few_leavers_of_a_small_school_are_let_go(removed: int, outcome: str) -> None:
    day = at_school("s1", teachers=Moves(was=12, removed=removed))

    assert judge(day, settings()).outcome == outcome


@pytest.mark.parametrize("kind", ["students", "teachers"])
@pytest.mark.parametrize(("was", "outcome"), [(4, "pass"), (5, "hold"), (9, "hold")])
def test_nobody_left_at_a_small_school_is_held_whatever_the_floor(
    kind: str, was: int, outcome: str
) -> None:
    day = facts(shift=Shift(schools={"s1": {kind: Moves(was=was, removed=was)}}))

    assert judge(day, settings()).outcome == outcome


def test_a_small_school_that_loses_all_says_so() -> None:
    floor = settings(schools={"removed": {"floor": 20}})
    day = at_school("s1", name="Tiny", students=Moves(was=14, removed=14))
    [reason] = judge(day, floor).reasons
    assert (reason.guard, reason.losses) == ("school", True)
    assert reason.sentence == "Tiny (sourcedId s1): all 14 students would be removed"
    assert reason.numbers == {"students_removed": 14, "students_of": 14}

    last = at_school("s1", name="Tiny", students=Moves(was=14, removed=9, ended=5))
    [reason] = judge(last, floor).reasons
    assert reason.sentence.endswith("the last 9 of 14 students would be removed")


@pytest.mark.parametrize(
    "moves",
    [
        Moves(was=9, ended=9),
        Moves(was=9, ended=5, removed=4),
        Moves(was=9, removed=8),
        Moves(was=9, removed=9, added=9),
    ],
)
def test_a_small_school_may_end_its_year_and_have_other_people(moves: Moves) -> None:
    assert judge(at_school("s1", students=moves), settings()).outcome == "pass"


def test_whoever_lifts_the_limit_for_schools_lifts_it_for_all_of_their_people_too() -> None:
    day = at_school("s1", students=Moves(was=9, removed=9))

    assert judge(day, settings(schools={"removed": {"percent": None}})).outcome == "pass"


def test_all_that_is_too_much_at_a_school_stands_in_one_reason() -> None:
    day = at_school(
        "s1",
        name="Evergreen",
        students=Moves(was=600, removed=300),
        teachers=Moves(was=40, deactivated=20),
        classes=Moves(was=60, removed=5),
    )

    [reason] = judge(day, settings()).reasons
    assert (reason.guard, reason.entity, reason.school) == ("school", None, "s1")
    assert reason.sentence == (
        "Evergreen (sourcedId s1): 300 of 600 students (50 %) would be removed; "
        "the limit is 25 % (150 students), from 10 students up. "
        "20 of 40 teachers (50 %) would be disabled or end early; "
        "the limit is 25 % (10 teachers), from 10 teachers up"
    )
    assert reason.numbers == {
        "students_removed": 300,
        "students_of": 600,
        "teachers_deactivated": 20,
        "teachers_of": 40,
    }


def test_a_school_without_a_name_is_called_by_its_id() -> None:
    [reason] = judge(at_school("s1", students=Moves(was=40, removed=30)), settings()).reasons

    assert reason.sentence.startswith("the school with the sourcedId s1: 30 of 40")


def test_a_school_may_grow_as_it_likes_unless_a_limit_is_set() -> None:
    day = at_school("s1", students=Moves(was=100, added=900, changed=100))

    assert judge(day, settings()).outcome == "pass"
    limits = settings(schools={"additions": {"count": 800}, "changes": {"percent": 90}})
    [reason] = judge(day, limits).reasons
    assert "would be added" in reason.sentence
    assert "would change" in reason.sentence


def test_a_new_school_loses_nothing() -> None:
    day = at_school("s9", students=Moves(added=300))

    assert judge(day, settings(schools={"additions": {"count": 100}})).outcome == "pass"


def shrinking(schools: int) -> Shift:
    return Shift(
        schools={
            f"s{number:02}": {"students": Moves(was=200, removed=100 + number)}
            for number in range(schools)
        }
    )


def test_the_schools_that_lose_most_come_first_and_none_is_dropped_in_silence() -> None:
    reasons = judge(facts(shift=shrinking(33)), settings()).reasons

    assert [reason.school for reason in reasons[:3]] == ["s32", "s31", "s30"]
    assert len(reasons) == 21
    assert reasons[20].school is None
    assert reasons[20].numbers == {"schools": 13}
    assert reasons[20].sentence.startswith("13 more schools: more than the limits")


def test_twenty_schools_need_no_sentence_for_the_rest() -> None:
    assert len(judge(facts(shift=shrinking(20)), settings()).reasons) == 20
    last = judge(facts(shift=shrinking(21)), settings()).reasons[20]
    assert last.sentence.startswith("1 more school: ")


def test_a_school_with_people_that_would_go_is_named() -> None:
    day = facts(shift=Shift(school_names={"s1": "Evergreen"}), schools_removed={"s1": 1420})

    [reason] = judge(day, settings()).reasons
    assert (reason.guard, reason.entity, reason.school) == ("school_removed", "orgs", "s1")
    assert reason.sentence == (
        "Evergreen (sourcedId s1) would be removed, and it has 1,420 students and teachers"
    )


def test_a_school_without_people_may_close() -> None:
    assert judge(facts(schools_removed={"s1": 0}), settings()).outcome == "pass"


def test_beyond_five_schools_that_would_go_the_rest_share_a_sentence() -> None:
    going = {f"s{number}": number for number in range(1, 9)}

    reasons = judge(facts(schools_removed=going), settings()).reasons
    assert [reason.school for reason in reasons] == ["s8", "s7", "s6", "s5", "s4", None]
    assert reasons[5].sentence == ("3 more schools with 6 students and teachers would be removed")


def test_of_a_school_that_goes_as_a_whole_nothing_more_is_said() -> None:
    day = facts(
        shift=Shift(schools={"s1": {"students": Moves(was=400, removed=400)}}),
        schools_removed={"s1": 420},
        past={7: Shift(schools={"s1": {"students": Moves(was=400, removed=90)}})},
    )

    assert [reason.guard for reason in judge(day, settings()).reasons] == ["school_removed"]


def test_one_class_that_loses_most_of_its_students_is_enough() -> None:
    [reason] = judge(facts(emptied_classes=Share(1, 40)), settings()).reasons

    assert (reason.guard, reason.entity) == ("emptied_classes", "classes")
    assert reason.sentence == (
        "classes: 1 of 40 classes (2.5 %) with at least five students would lose more than half "
        "of these at once; the limit is 0.5 % (0 classes)"
    )


def test_a_few_such_classes_of_a_large_district_pass() -> None:
    assert judge(facts(emptied_classes=Share(5, 1000)), settings()).outcome == "pass"
    assert judge(facts(emptied_classes=Share(6, 1000)), settings()).outcome == "hold"
