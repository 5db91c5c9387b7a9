"""One wide row for each student, with up to eight classes beside it."""

from collections.abc import Mapping
from datetime import date
from typing import Final

import pandas as pd

from roster_pipeline.simulator.formats.sheets import Sheets, beside, last_day, sheet, us_date

CLASSES: Final = 8
"""How many a row has room for."""


def student_per_row(sheets: Sheets, on: date) -> Mapping[str, pd.DataFrame]:
    """The file of a day. Raises ValueError for a student with more classes than there is room."""
    roles = sheets.having("roles", "role", "student")
    key = roles["userSourcedId"]
    traits = sheets["demographics"]
    years = sheets.having("academicSessions", "type", "schoolYear")
    person = {name: beside(key, sheets["users"], name) for name in _PERSON.values()}
    rows = {
        "School ID": roles["orgSourcedId"],
        "School Name": beside(roles["orgSourcedId"], sheets["orgs"], "name"),
        "School Year": years["title"][0],
        "First Day": us_date(years["startDate"])[0],
        "Last Day": last_day(years["endDate"])[0],
        "Student ID": key,
        **{column: person[name] for column, name in _PERSON.items()},
        "Birth Date": us_date(beside(key, traits, "birthDate")),
        "Gender": beside(key, traits, "sex").replace(
            {"female": "F", "male": "M", "other": "X", "unspecified": ""}
        ),
        **_classes(key, sheets, _school_day(on, years.iloc[0]).isoformat()),
    }
    return {"students.csv": sheet(rows, roles.index)}


_PERSON: Final = {
    "Last Name": "familyName",
    "First Name": "givenName",
    "Middle Name": "middleName",
    "Grade": "grades",
    "Email": "email",
}


def _school_day(on: date, year: "pd.Series[str]") -> date:
    """The day of the school year that is nearest to a date."""
    first, end = (date.fromisoformat(year[name]) for name in ("startDate", "endDate"))
    return max(first, min(on, date.fromordinal(end.toordinal() - 1)))


def _classes(students: "pd.Series[str]", sheets: Sheets, day: str) -> dict[str, "pd.Series[str]"]:
    """The columns of the classes that each student is in on a day, in the order of periods."""
    taken = sheets.having("enrollments", "role", "student")
    taken = taken[(taken["beginDate"] <= day) & (day < taken["endDate"])]
    classes = sheets["classes"].set_index("sourcedId").reindex(pd.Index(taken["classSourcedId"]))
    classes = classes.reset_index(names="class").assign(student=taken["userSourcedId"].array)
    classes = classes.sort_values(["periods", "classCode"], na_position="first", kind="stable")
    place = classes.groupby("student").cumcount()
    if len(place) and place.max() >= CLASSES:
        raise ValueError(f"a student has more than {CLASSES} classes, which a row cannot hold")
    return {
        name: cells
        for number in range(CLASSES)
        for name, cells in _class(students, classes[place == number], sheets, number + 1).items()
    }


def _class(
    students: "pd.Series[str]", classes: pd.DataFrame, sheets: Sheets, number: int
) -> dict[str, "pd.Series[str]"]:
    """The columns of one class of each student."""
    course, of_class, code = (
        beside(students, classes, column, by="student")
        for column in ("courseSourcedId", "class", "classCode")
    )
    enrollments = sheets["enrollments"]
    leading = enrollments[(enrollments["role"] == "teacher") & (enrollments["primary"] == "true")]
    teacher = beside(of_class, leading, "userSourcedId", by="classSourcedId")
    users = sheets["users"]
    family, given = (beside(teacher, users, name) for name in ("familyName", "givenName"))
    cells = {
        "Code": beside(course, sheets["courses"], "courseCode"),
        "Title": beside(course, sheets["courses"], "title"),
        "Section": code.str.replace(".*-", "", regex=True),
        "Teacher ID": teacher,
        "Teacher Name": family + ", " + given,
        "Teacher Email": beside(teacher, users, "email"),
    }
    return {f"Course {number} {name}": column for name, column in cells.items()}
