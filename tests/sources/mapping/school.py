"""A district that sends four files of its own, and the mapping that makes OneRoster of them."""

import csv
import io
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.quality.candidate import Candidate, build_candidate
from roster_pipeline.sources.mapping.config import CsvMapping
from roster_pipeline.sources.mapping.package import MappedPackage
from roster_pipeline.sources.opening import open_mapped

MAPPING = """\
version: "1.2"
lookups:
  grades: {K: KG, "1": "01"}
files:
  schools: {name: schools.csv}
  students: {name: "students*.csv", ignore: [Locker]}
  teachers: {name: teachers.csv}
  sections: {name: sections.csv}
tables:
  orgs:
    - rows_of: schools
      first: true
      columns: {sourcedId: district, name: Springfield, type: district}
    - rows_of: schools
      columns:
        sourcedId: "{School ID}"
        name: "{School Name}"
        type: school
        parentSourcedId: district
  academicSessions:
    - rows_of: schools
      first: true
      columns:
        sourcedId: year
        title: 2026-27
        type: schoolYear
        startDate: "2026-08-20"
        endDate: "2027-06-12"
        schoolYear: "2027"
    - rows_of: sections
      first: true
      columns:
        sourcedId: {value: "{Term}", id: true}
        title: "{Term}"
        type: term
        startDate: {value: "{Start}", date: M/D/YYYY}
        endDate: {value: "{End}", date: M/D/YYYY}
        parentSourcedId: year
        schoolYear: "2027"
  courses:
    - rows_of: sections
      first: true
      columns: {sourcedId: "course-{Course}", title: "{Title}", orgSourcedId: district}
  classes:
    - rows_of: sections
      columns:
        sourcedId: "{Section}"
        title: "{Title} ({Section})"
        courseSourcedId: "course-{Course}"
        classType: scheduled
        schoolSourcedId: "{School}"
        termSourcedIds: {value: "{Term}", id: true}
  users:
    - rows_of: students
      columns: &student
        sourcedId: "student-{ID}"
        enabledUser: "true"
        username: "{Email}"
        email: "{Email}"
        givenName: {value: "{Name}", split: {at: ",", part: 2}}
        familyName: {value: "{Name}", split: {at: ",", part: 1}}
        grades: {value: "{Grade}", lookup: grades}
    - rows_of: teachers
      columns:
        sourcedId: "teacher-{ID}"
        enabledUser: "true"
        username: "{Email}"
        email: "{Email}"
        givenName: "{First}"
        familyName: "{Last}"
  roles:
    - rows_of: students
      columns:
        sourcedId: "role-{ID}"
        userSourcedId: "student-{ID}"
        roleType: primary
        role: student
        orgSourcedId: "{School}"
    - rows_of: teachers
      columns:
        sourcedId: "role-t-{ID}"
        userSourcedId: "teacher-{ID}"
        roleType: primary
        role: teacher
        orgSourcedId: "{School}"
  enrollments:
    - rows_of: students
      join: {section: {file: sections, by: "{period}", key: "{Section}"}}
      each: [{period: Period 1}, {period: Period 2}]
      filled: [period]
      columns:
        sourcedId: "{ID}-{section.Section}"
        classSourcedId: "{section.Section}"
        schoolSourcedId: "{section.School}"
        userSourcedId: "student-{ID}"
        role: student
    - rows_of: sections
      only: {Kind: [Taught]}
      columns:
        sourcedId: "t{Teacher}-{Section}"
        classSourcedId: "{Section}"
        schoolSourcedId: "{School}"
        userSourcedId: "teacher-{Teacher}"
        role: teacher
"""

Table = list[dict[str, str]]

SCHOOLS: Table = [
    {"School ID": "s1", "School Name": "Evergreen"},
    {"School ID": "s2", "School Name": "Lake"},
]
STUDENTS: Table = [
    {"ID": "1", "Email": "a@example.org", "Name": "Null, Ada", "Grade": "K", "School": "s1",
     "Locker": "9", "Period 1": "sec1", "Period 2": "sec2"},
    {"ID": "2", "Email": "b@example.org", "Name": "Müller, Zoë", "Grade": "1", "School": "s1",
     "Locker": "", "Period 1": "sec1", "Period 2": ""},
]  # fmt: skip
TEACHERS: Table = [
    {"ID": "1", "Email": "g@example.org", "First": "Grace", "Last": "Hopper", "School": "s1"}
]
SECTIONS: Table = [
    {"Section": "sec1", "Course": "c1", "Title": "Algebra", "School": "s1", "Term": "Fall A",
     "Start": "8/20/2026", "End": "1/15/2027", "Teacher": "1", "Kind": "taught"},
    {"Section": "sec2", "Course": "c1", "Title": "Algebra", "School": "s1", "Term": "Fall A",
     "Start": "8/20/2026", "End": "1/15/2027", "Teacher": "1", "Kind": "Taught"},
]  # fmt: skip


def files() -> dict[str, Table]:
    """The rows of each file, to be changed by a test."""
    tables = {
        "schools.csv": SCHOOLS,
        "students_2026.csv": STUDENTS,
        "teachers.csv": TEACHERS,
        "sections.csv": SECTIONS,
    }
    return {name: [dict(row) for row in rows] for name, rows in tables.items()}


def said() -> dict[str, Any]:
    """The mapping as YAML has it, to be changed by a test."""
    data: dict[str, Any] = yaml.safe_load(MAPPING)
    return data


def table_bytes(rows: Table) -> bytes:
    """Rows as CSV, with the columns of the first."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def zipped(tables: Mapping[str, Table | bytes]) -> io.BytesIO:
    """Files as a zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, rows in tables.items():
            archive.writestr(name, rows if isinstance(rows, bytes) else table_bytes(rows))
    return io.BytesIO(out.getvalue())


@contextmanager
def opened(
    tables: Mapping[str, Table | bytes], mapping: Mapping[str, Any] | None = None
) -> Iterator[MappedPackage]:
    """Files, read by a mapping."""
    made = CsvMapping.model_validate(said() if mapping is None else mapping)
    with open_mapped(zipped(tables), made) as package:
        assert isinstance(package, MappedPackage)
        yield package


def judged(
    tables: Mapping[str, Table | bytes],
    into: Path,
    *,
    mapping: Mapping[str, Any] | None = None,
    base: Roster | None = None,
    block_bytes: int = 32 << 20,
) -> Candidate:
    """Files, read by a mapping and judged."""
    with opened(tables, mapping) as package:
        return build_candidate(package, base or Roster.empty(), into, block_bytes=block_bytes)


def roster_of(candidate: Candidate) -> Roster:
    """The roster of a candidate that was not stopped."""
    assert candidate.roster is not None, [str(finding) for finding in candidate.findings]
    return candidate.roster
