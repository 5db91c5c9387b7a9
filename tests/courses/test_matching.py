"""Which course is which: decisions, then codes, then rules, and never likeness."""

import pytest

from roster_pipeline.store import IGNORE
from tests.courses.scene import catalogue, decision, mapped, said

MATHS = catalogue(
    {"id": "alg-1", "title": "Algebra 1", "course_codes": "MA1;MA-01", "subject_codes": "02052"},
    {"id": "alg-2", "title": "Algebra 2", "course_codes": "MA2", "subject_codes": "02056"},
    {"id": "geo", "title": "Geometry", "subject_codes": "02072"},
    {"id": "geo-h", "title": "Geometry Honors", "subject_codes": "02072"},
)
ALGEBRA = {"sourcedId": "c1", "title": "Algebra I", "courseCode": "MA1", "grades": "09"}


def test_a_decision_goes_before_a_code_and_a_code_before_a_rule() -> None:
    rules = [{"title": "algebra", "course": "geo"}]
    rows = [ALGEBRA, {**ALGEBRA, "sourcedId": "c2"}, {"sourcedId": "c3", "title": "Algebra X"}]
    found = mapped(rows, MATHS, decision("c1", "alg-2"), rules=rules)
    assert said(found) == {
        "c1": ("mapped", "alg-2"),
        "c2": ("mapped", "alg-1"),
        "c3": ("mapped", "geo"),
    }
    assert found.courses["how"].tolist() == ["decision", "code", "rule"]
    assert found.courses["reason"].tolist() == [
        "decided by ada: same book",
        "its course code says so",
        "rule 1 of the product",
    ]
    assert found.counts == {"mapped": 3, "ignored": 0, "unmapped": 0}


def test_the_same_title_alone_maps_nothing() -> None:
    found = mapped([{"sourcedId": "c1", "title": "Algebra 1"}], MATHS)
    assert said(found) == {"c1": ("unmapped", None)}
    assert found.courses["reason"].tolist() == ["no decision, code or rule says what it is"]


def test_a_course_that_is_ignored_waits_for_nobody() -> None:
    found = mapped([ALGEBRA], MATHS, decision("c1", IGNORE))
    assert said(found) == {"c1": ("ignored", None)}


@pytest.mark.parametrize("code", ["MA1", "ma1", " MA-01 "])
def test_capitals_and_blanks_of_a_code_do_not_matter(code: str) -> None:
    assert said(mapped([{**ALGEBRA, "courseCode": code}], MATHS))["c1"] == ("mapped", "alg-1")


@pytest.mark.parametrize("code", ["MA10", "MA", "MA-1", "A1"])
def test_only_the_whole_code_counts(code: str) -> None:
    assert said(mapped([{**ALGEBRA, "courseCode": code}], MATHS))["c1"] == ("unmapped", None)


def test_leading_zeros_of_a_code_matter() -> None:
    row = {"sourcedId": "c1", "title": "Algebra", "subjectCodes": "2052"}
    assert said(mapped([row], MATHS))["c1"] == ("unmapped", None)


def test_a_code_of_two_courses_decides_nothing_and_says_so() -> None:
    row = {"sourcedId": "c1", "title": "Geometry", "subjectCodes": "02072"}
    found = mapped([row], MATHS)
    assert said(found) == {"c1": ("unmapped", None)}
    assert found.courses["reason"][0] == "its subject code means 2 courses of the catalogue"


def test_two_codes_of_one_course_that_disagree_decide_nothing() -> None:
    row = {"sourcedId": "c1", "title": "Algebra", "subjectCodes": "02052,02056"}
    assert said(mapped([row], MATHS))["c1"] == ("unmapped", None)


def test_a_rule_may_settle_what_a_code_leaves_open() -> None:
    row = {"sourcedId": "c1", "title": "Geometry (H)", "subjectCodes": "02072"}
    rules = [{"title": r"geometry.*\(h\)", "course": "geo-h"}]
    assert said(mapped([row], MATHS, rules=rules))["c1"] == ("mapped", "geo-h")


def test_codes_decide_in_the_order_that_the_product_says() -> None:
    row = {"sourcedId": "c1", "title": "Algebra", "courseCode": "MA1", "subjectCodes": "02056"}
    assert said(mapped([row], MATHS))["c1"] == ("mapped", "alg-1")
    turned = mapped([row], MATHS, exact=["subject_codes", "course_codes"])
    assert said(turned)["c1"] == ("mapped", "alg-2")
    assert said(mapped([row], MATHS, exact=[]))["c1"] == ("unmapped", None)


def test_a_decision_for_a_course_that_is_gone_waits_again_whatever_the_code_says() -> None:
    found = mapped([ALGEBRA], MATHS, decision("c1", "alg-0"))
    assert said(found) == {"c1": ("unmapped", None)}
    assert found.courses["reason"][0] == ("decided for alg-0, which the catalogue no longer has")


@pytest.mark.parametrize(
    ("rule", "fits"),
    [
        ({"title": "^álgebra"}, True),
        ({"title": "^algebra"}, True),
        ({"title": "^gebra"}, False),
        ({"code": "X.."}, True),
        ({"code": "X."}, False),
        ({"subject": "math"}, True),
        ({"subject": "^ematics"}, False),
        ({"subject_code": "0[0-9]+"}, True),
        ({"subject_code": "0[0-9]"}, False),
        ({"grades": ["9"]}, True),
        ({"grades": ["10"]}, False),
        ({"title": "algebra", "grades": ["10"]}, False),
        ({"title": "algebra", "sources": ["springfield"]}, True),
        ({"title": "algebra", "sources": ["shelbyville"]}, False),
    ],
)
def test_a_rule_fits_where_all_its_conditions_hold(rule: dict[str, object], fits: bool) -> None:
    row = {
        "sourcedId": "c1",
        "title": "Álgebra",
        "courseCode": "x12",
        "grades": "08,09",
        "subjects": "Mathematics",
        "subjectCodes": "09999",
    }
    found = mapped([row], MATHS, rules=[{**rule, "course": "alg-1"}])
    assert said(found)["c1"] == (("mapped", "alg-1") if fits else ("unmapped", None))


def test_the_first_rule_that_fits_holds() -> None:
    rules = [
        {"title": "lunch", "ignore": True},
        {"title": "a", "course": "alg-2"},
        {"title": "algebra", "course": "alg-1"},
    ]
    rows = [{"sourcedId": "c1", "title": "Lunch A"}, {"sourcedId": "c2", "title": "Algebra"}]
    found = mapped(rows, MATHS, rules=rules)
    assert said(found) == {"c1": ("ignored", None), "c2": ("mapped", "alg-2")}
    assert found.courses["reason"][1] == "rule 2 of the product"


def test_a_district_without_courses_has_an_empty_map() -> None:
    assert mapped([], MATHS).counts == {"mapped": 0, "ignored": 0, "unmapped": 0}
