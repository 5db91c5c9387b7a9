"""What is suggested for a course that nothing has mapped."""

import pytest

from roster_pipeline.courses.suggestions import Suggestion, suggest
from roster_pipeline.courses.titles import words
from tests.courses.scene import catalogue, courses

KNOWN = catalogue(
    {"id": "alg-1", "title": "Algebra 1", "grades": "08,09", "subject_codes": "02052"},
    {"id": "alg-2", "title": "Algebra 2", "grades": "10,11"},
    {"id": "alg-1h", "title": "Algebra 1 Honors", "subject_codes": "02052"},
    {"id": "us", "title": "United States History"},
    {"id": "pe", "title": "Physical Education"},
    {"id": "fr", "title": "Français 1"},
    {"id": "ela", "title": "English Language Arts, Grade 6"},
)


def best(title: str, at_least: int = 70, **cells: str) -> list[Suggestion]:
    row = {"sourcedId": "c1", "title": title, **cells}
    return suggest(courses(row), KNOWN, at_least=at_least)["c1"]


@pytest.mark.parametrize(
    ("title", "course"),
    [
        ("ALGEBRA I", "alg-1"),
        ("Alg 1 - Sem 2", "alg-1"),
        ("Algebra 1 (Period 3)", "alg-1"),
        ("Algerba 1", "alg-1"),
        ("Algebra II", "alg-2"),
        ("Hon Algebra 01", "alg-1h"),
        ("U.S. Hist", "us"),
        ("US HISTORY S1", "us"),
        ("P.E.", "pe"),
        ("Phys. Education", "pe"),
        ("Francais I", "fr"),
        ("ELA 6", "ela"),
        ("Gr 6 Eng Lang Arts", "ela"),
    ],
)
def test_the_likeliest_course_is_suggested_first(title: str, course: str) -> None:
    assert best(title)[0].product_course == course


def test_a_title_that_is_like_none_gets_no_suggestion() -> None:
    assert best("Ceramics") == []
    assert best("") == []


def test_another_number_is_another_course() -> None:
    found = {s.product_course: s for s in best("Algebra 1", at_least=1)}
    assert found["alg-1"].score == 100
    assert found["alg-2"].score < 70
    assert "the numbers differ" in found["alg-2"].reason


def test_only_the_same_words_have_the_full_score() -> None:
    assert best("Álgebra I")[0].score == 100
    assert best("Algebra 1 H")[0].score < 100


def test_a_shared_code_is_a_reason_whatever_the_title() -> None:
    found = best("Matemáticas IX", subjectCodes="02052")
    assert [s.product_course for s in found] == ["alg-1", "alg-1h"]
    assert {s.score for s in found} == {90}
    assert all(s.reason.endswith("a code is the same") for s in found)


def test_grades_that_differ_speak_against_it_and_are_said() -> None:
    (same, *_), (other, *_) = best("Algebra 1", grades="9"), best("Algebra 1", grades="12")
    assert same.reason == "the titles say the same, the grades agree"
    assert (same.score, other.score) == (100, 90)
    assert other.reason == "the titles say the same, the grades differ"


def test_at_most_three_are_suggested_and_equal_ones_in_the_order_of_the_catalogue() -> None:
    twins = catalogue(*({"id": f"t{n}", "title": "Art"} for n in range(5)))
    found = suggest(courses({"sourcedId": "c1", "title": "Art"}), twins, at_least=50)["c1"]
    assert [s.product_course for s in found] == ["t0", "t1", "t2"]


def test_a_course_gets_the_same_suggestions_in_any_company() -> None:
    rows = [{"sourcedId": f"c{n}", "title": f"Alg {n % 3}"} for n in range(600)]
    together = suggest(courses(*rows), KNOWN, at_least=60)
    alone = suggest(courses(rows[599]), KNOWN, at_least=60)
    assert together["c599"] == alone["c599"]


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("Hon. Alg II (Sem 1)", ("honors", "algebra", "2")),
        ("AP U.S. Govt & Politics", ("advanced", "placement", "united", "states", "government",
                                     "politics")),
        ("Period 3", ("period", "3")),
        ("Vocabulary and Poems", ("vocabulary", "poems")),
        ("数学 1", ("shuxue", "1")),
        ("", ()),
    ],
)  # fmt: skip
def test_titles_are_compared_by_their_words(title: str, said: tuple[str, ...]) -> None:
    assert words(title) == said
