"""A mapping that is wrong is told of with all of its faults, each with line and column."""

import pytest
from pydantic import ValidationError

from roster_pipeline.sources.mapping.config import CsvMapping
from roster_pipeline.workspace.located_yaml import read
from roster_pipeline.workspace.problems import explain
from tests.sources.mapping.school import MAPPING

BROKEN = """\
version: "1.2"
lookups:
  grades: {K: KG}
files:
  students: {name: "in/students.csv"}
  teachers: {name: teachers.csv, optinal: [x]}
tables:
  users:
    - rows_of: student
      columns:
        sourcedId: "{ID"
    - rows_of: teachers
      join: {home: {file: schools, by: "{home.ID}", key: "{ID}"}}
      each: [{word: A, other: B}, {word: C}]
      filled: [hom.Name]
      columns:
        sourcedId: "{ID}"
        enabledUser: true
        username: {value: "{Email}", lookup: grade}
        givenNam: "{First}"
        familyName: {value: "{Name}", split: {at: ",", part: 0}}
        metadata.x: "{homes.Name}"
    - rows_of: teachers
      columns:
        sourcedId: "{ID}"
        givenName: {value: "{Name}", date: MM/DD/YY}
  userz: []
"""


def told(content: str) -> list[tuple[int | None, int | None, str]]:
    document = read(content.encode())
    with pytest.raises(ValidationError) as refused:
        CsvMapping.model_validate(document.data)
    problems = explain(refused.value, document, "x.yaml", CsvMapping)
    return sorted((problem.line, problem.column, problem.message) for problem in problems)


def test_every_fault_is_told_at_once_with_its_place() -> None:
    problems = told(BROKEN)
    expected = [5, 6, 8, 9, 11, 11, 13, 13, 14, 15, 17, 18, 19, 20, 21, 22, 25, 26, 27]
    assert [line for line, _, _ in problems] == expected, problems


@pytest.mark.parametrize(
    ("old", "new", "line_of", "sentence"),
    [
        ("rows_of: teachers\n      columns:\n        sourcedId: \"teacher-",
         "rows_of: techers\n      columns:\n        sourcedId: \"teacher-",
         "techers", "did you mean teachers?"),
        ("lookup: grades", "lookup: grade", "lookup: grade}", "did you mean grades?"),
        ("familyName: \"{Last", "familyNam: \"{Last", "familyNam:", "did you mean familyName?"),
        ("{section.School}", "{sectoin.School}", "sectoin", "did you mean section?"),
        ("file: sections,", "file: section,", "file: section,", "did you mean sections?"),
        ('by: "{period}"', 'by: "{section.X}"', "by:", "yet to be found"),
        ("{period: Period 2}", "{perod: Period 2}", "perod", "says no column for period"),
        ('"{Title} ({Section})"', '"{Title} ({Section)"', "{Section)", "a brace stands alone"),
        ("date: M/D/YYYY}\n        end", "date: M/D/YY}\n        end", "M/D/YY}", "century"),
        ('version: "1.2"', 'version: "1.1"', "roles:", "1.1 has no roles"),
        ("        role: student\n        org", "        org", None, "no value makes role"),
        ("  courses:\n    - rows_of: sections\n      first: true\n      columns: {sourcedId: "
         "\"course-{Course}\", title: \"{Title}\", orgSourcedId: district}\n", "", None,
         "nothing makes courses"),
    ],
)  # fmt: skip
def test_a_fault_is_told_in_a_sentence_where_it_stands(
    old: str, new: str, line_of: str | None, sentence: str
) -> None:
    assert old in MAPPING
    content = MAPPING.replace(old, new, 1)
    problems = [problem for problem in told(content) if sentence in problem[2]]
    assert problems, told(content)
    if line_of is not None:
        lines = content.splitlines()
        at = next(n for n, line in enumerate(lines, 1) if line_of in line)
        assert problems[0][0] in (at, at + 1)


def test_no_sentence_repeats_pydantics_own_words() -> None:
    for _, _, message in told(BROKEN):
        assert "Input should" not in message
        assert "validation error" not in message


def test_the_mapping_of_the_tests_is_sound() -> None:
    CsvMapping.model_validate(read(MAPPING.encode()).data)
