"""Decisions in a spreadsheet: taken whole or not at all."""

import io
from pathlib import Path

import pytest

from roster_pipeline.courses.decision_files import (
    Assumed,
    Scope,
    read_decisions,
    write_decisions,
)
from roster_pipeline.courses.files import FileError
from roster_pipeline.courses.suggestions import Suggestion
from roster_pipeline.store import IGNORE, WITHDRAWN, CourseDecision
from tests.courses.scene import NOON, catalogue, courses, decision

SCOPE = Scope(
    {"maths": catalogue({"id": "alg-1", "title": "Algebra 1"})},
    {"maths": {"springfield": {"c1", "c2", "c3"}, "shelbyville": None}},
)
ADA = Assumed("maths", "ada", "same book", NOON)


def read(tmp_path: Path, text: str, assumed: Assumed = ADA) -> list[CourseDecision]:
    path = tmp_path / "decisions.csv"
    path.write_text(text, encoding="utf-8")
    return read_decisions(path, SCOPE, assumed)


def refused(tmp_path: Path, text: str, assumed: Assumed = ADA) -> list[str]:
    with pytest.raises(FileError) as error:
        read(tmp_path, text, assumed)
    return str(error.value).splitlines()


def test_what_was_written_is_taken_back(tmp_path: Path) -> None:
    made = [decision("c1", "alg-1"), decision("c2", IGNORE)]
    out = io.BytesIO()
    assert write_decisions(out, made, {}) == 2
    nobody = Assumed(None, "grace", None, NOON)
    assert read(tmp_path, out.getvalue().decode(), nobody) == made


def test_rows_that_say_little_take_the_rest_from_the_command(tmp_path: Path) -> None:
    text = (
        "source,course,decision\nspringfield,c1,alg-1\nspringfield,c2,\nspringfield,c3,withdrawn\n"
    )
    assert read(tmp_path, text) == [decision("c1", "alg-1"), decision("c3", WITHDRAWN)]


def test_what_waits_is_written_with_its_suggestion_and_read_as_nothing(tmp_path: Path) -> None:
    left = courses({"sourcedId": "c1", "title": "Alg, I", "courseCode": "=1+1"})
    likely = {"c1": [Suggestion("c1", "alg-1", "Algebra 1", 95, "")]}
    out = io.BytesIO()
    write_decisions(out, [], {}, [("maths", "springfield", left, likely)])
    text = out.getvalue().decode()
    assert text.splitlines()[1] == 'maths,springfield,c1,"Alg, I",\'=1+1,,,,,alg-1,95'
    assert read(tmp_path, text) == []


def test_decided_courses_are_written_with_their_titles_where_these_are_known() -> None:
    out = io.BytesIO()
    known = courses({"sourcedId": "c1", "title": "Algebra", "courseCode": "MA1"})
    made = [decision("c1", "alg-1"), decision("gone", IGNORE)]
    write_decisions(out, made, {"springfield": known})
    assert [line.split(",")[2:6] for line in out.getvalue().decode().splitlines()[1:]] == [
        ["c1", "Algebra", "MA1", "alg-1"],
        ["gone", "", "", "ignore"],
    ]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (
            "reading,springfield,c1,alg-1,x",
            "column product: no such product maps courses; there are: maths.",
        ),
        (
            "maths,springfield,c1,alg-9,x",
            "column decision: maths.csv has no course of this id, and it is neither ignore nor",
        ),
        (
            "maths,capital-city,c1,alg-1,x",
            "column source: no such source goes to maths; there are: shelbyville, springfield.",
        ),
        (
            "maths,springfield,c9,alg-1,x",
            "column course: springfield has no course of this sourcedId in its accepted roster.",
        ),
        ("maths,springfield,c1,alg-1,", "column why: no reason is given; fill in `why`"),
        ("maths,springfield,c2,alg-1,x", "column course: a line above decides this course"),
        ("maths,springfield,c1,alg-1", "the line has fewer cells than the header."),
    ],
)
def test_one_row_that_is_wrong_refuses_the_whole_file_with_its_line(
    tmp_path: Path, row: str, sentence: str
) -> None:
    text = f"product,source,course,decision,why\nmaths,springfield,c2,alg-1,x\n{row}\n"
    (said,) = refused(tmp_path, text, Assumed(None, "ada", None, NOON))
    place = "decisions.csv, line 3"
    assert said.startswith(f"{place}, {sentence}" if "column" in sentence else f"{place}: ")
    assert sentence in said


def test_everything_that_is_wrong_is_said_in_the_order_of_the_lines(tmp_path: Path) -> None:
    text = "source,course,decision\nspringfield,c9,alg-1\nx,c1,alg-1\nspringfield,c1,alg-9\n"
    lines = [said.partition(", column")[0] for said in refused(tmp_path, text)]
    assert lines == [f"decisions.csv, line {line}" for line in (2, 3, 4)]


def test_a_course_that_a_district_does_not_have_yet_may_be_decided_ahead(tmp_path: Path) -> None:
    text = "source,course,decision\nshelbyville,any,alg-1\n"
    assert [made.course for made in read(tmp_path, text)] == ["any"]


def test_a_file_without_its_columns_says_where_one_comes_from(tmp_path: Path) -> None:
    (said,) = refused(tmp_path, "course,decision\nc1,alg-1\n")
    assert "there is no column `source`" in said
    assert said.endswith("`roster courses export` writes a file with these columns.")
