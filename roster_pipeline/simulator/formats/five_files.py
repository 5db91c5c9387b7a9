"""Five files: schools, students, teachers, sections, enrollments."""

from collections.abc import Mapping
from datetime import date

import pandas as pd

from roster_pipeline.simulator.formats.sheets import Sheets, beside, last_day, sheet, us_date

_TEACHERS = 10
"""How many a section has room for."""


def five_files(sheets: Sheets, on: date) -> Mapping[str, pd.DataFrame]:
    """The files of a day. Raises ValueError for a class with more teachers than there is room."""
    return {
        "schools.csv": _schools(sheets),
        "students.csv": _students(sheets),
        "teachers.csv": _teachers(sheets),
        "sections.csv": _sections(sheets),
        "enrollments.csv": _enrollments(sheets),
    }


def _schools(sheets: Sheets) -> pd.DataFrame:
    schools = sheets.having("orgs", "type", "school")
    return sheet(
        {
            "School_id": schools["sourcedId"],
            "School_name": schools["name"],
            "School_number": schools["identifier"].str.slice(-5),
            "State_id": schools["identifier"],
            "Low_grade": "",
            "High_grade": "",
            "Principal": "",
        },
        schools.index,
    )


def _people(sheets: Sheets, role: str) -> pd.DataFrame:
    """A row for each school at which somebody has a role, with the cells of users."""
    roles = sheets.having("roles", "role", role)
    people = sheets["users"].set_index("sourcedId").reindex(pd.Index(roles["userSourcedId"]))
    return people.reset_index(names="sourcedId").assign(school=roles["orgSourcedId"])


def _students(sheets: Sheets) -> pd.DataFrame:
    people = _people(sheets, "student")
    traits = sheets["demographics"]
    sex, born, hispanic = (
        beside(people["sourcedId"], traits, column)
        for column in ("sex", "birthDate", "hispanicOrLatinoEthnicity")
    )
    return sheet(
        {
            "School_id": people["school"],
            "Student_id": people["sourcedId"],
            "Student_number": people["identifier"],
            "State_id": "",
            "Last_name": people["familyName"],
            "Middle_name": people["middleName"],
            "First_name": people["givenName"],
            "Grade": people["grades"],
            "Gender": sex.replace(
                {"female": "F", "male": "M", "other": "X", "unspecified": ""},
            ),
            "DOB": us_date(born),
            "Race": "",
            "Hispanic_Latino": hispanic.replace({"true": "Y", "false": "N"}),
            "Student_email": people["email"],
            "Username": people["username"],
            "Password": people["password"],
        },
        people.index,
    )


def _teachers(sheets: Sheets) -> pd.DataFrame:
    people = _people(sheets, "teacher")
    return sheet(
        {
            "School_id": people["school"],
            "Teacher_id": people["sourcedId"],
            "Teacher_number": people["identifier"],
            "State_teacher_id": "",
            "Teacher_email": people["email"],
            "First_name": people["givenName"],
            "Middle_name": people["middleName"],
            "Last_name": people["familyName"],
            "Title": "",
            "Username": people["username"],
        },
        people.index,
    )


def _sections(sheets: Sheets) -> pd.DataFrame:
    classes, sessions = sheets["classes"], sheets["academicSessions"]
    term = _term(classes["termSourcedIds"], sessions)
    course = classes["courseSourcedId"]
    return sheet(
        {
            "School_id": classes["schoolSourcedId"],
            "Section_id": classes["sourcedId"],
            **_teaching(sheets),
            "Name": classes["title"],
            "Section_number": classes["classCode"],
            "Grade": classes["grades"],
            "Course_name": beside(course, sheets["courses"], "title"),
            "Course_number": beside(course, sheets["courses"], "courseCode"),
            "Period": classes["periods"],
            "Subject": classes["subjects"],
            "Term_name": beside(term, sessions, "title"),
            "Term_start": us_date(beside(term, sessions, "startDate")),
            "Term_end": last_day(beside(term, sessions, "endDate")),
        },
        classes.index,
    )


def _term(terms: "pd.Series[str]", sessions: pd.DataFrame) -> "pd.Series[str]":
    """The one session of each class: of several, the one that they are parts of."""
    first = terms.str.replace(",.*", "", regex=True)
    several = terms.str.contains(",", regex=False).fillna(False)
    return first.mask(several, beside(first, sessions, "parentSourcedId"))


def _teaching(sheets: Sheets) -> dict[str, "pd.Series[str]"]:
    """The teachers' columns of each class, the primary one first."""
    teaching = sheets.having("enrollments", "role", "teacher")
    # "true" comes after "false".
    teaching = teaching.sort_values("primary", ascending=False, kind="stable")
    place = teaching.groupby("classSourcedId").cumcount()
    if len(place) and place.max() >= _TEACHERS:
        raise ValueError(f"a class has more than {_TEACHERS} teachers, which the files cannot hold")
    keys = sheets["classes"]["sourcedId"]
    return {
        "Teacher_id" if number == 0 else f"Teacher_{number + 1}_id": beside(
            keys, teaching[place == number], "userSourcedId", by="classSourcedId"
        )
        for number in range(_TEACHERS)
    }


def _enrollments(sheets: Sheets) -> pd.DataFrame:
    held = sheets.having("enrollments", "role", "student")
    return sheet(
        {
            "School_id": held["schoolSourcedId"],
            "Section_id": held["classSourcedId"],
            "Student_id": held["userSourcedId"],
        },
        held.index,
    )
