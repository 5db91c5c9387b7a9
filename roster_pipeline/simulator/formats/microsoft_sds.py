"""Microsoft School Data Sync, CSV of its format 2.1."""

from collections.abc import Mapping
from datetime import date
from typing import Final

import pandas as pd

from roster_pipeline.simulator.formats.sheets import Sheets, beside, sheet
from roster_pipeline.simulator.zone import KIN, ROLE_WORDS

ROLES: Final[Mapping[str, str]] = {
    "counselor": "advisor",
    "aide": "paraprofessional",
    "siteAdministrator": "administrator",
    "districtAdministrator": "administrator",
    "systemAdministrator": "itAdmin",
}
"""Roles that are called otherwise there."""
_KIN: Final = tuple(ROLE_WORDS[role] for role in KIN)


def microsoft_sds(sheets: Sheets, on: date) -> Mapping[str, pd.DataFrame]:
    """The files of a day."""
    return {
        "orgs.csv": _same(sheets["orgs"], "sourcedId", "name", "type", "parentSourcedId"),
        "users.csv": _users(sheets),
        "roles.csv": _roles(sheets),
        "classes.csv": _classes(sheets["classes"]),
        "enrollments.csv": _same(sheets["enrollments"], "classSourcedId", "userSourcedId", "role"),
        "academicSessions.csv": _same(
            sheets["academicSessions"],
            *("sourcedId", "title", "type", "schoolYear", "startDate", "endDate"),
        ),
        "courses.csv": _courses(sheets["courses"]),
        "demographics.csv": _demographics(sheets["demographics"]),
        "relationships.csv": _relationships(sheets),
    }


def _same(rows: pd.DataFrame, *names: str) -> pd.DataFrame:
    return rows[list(names)]


def _users(sheets: Sheets) -> pd.DataFrame:
    users = sheets["users"]
    names = ("sourcedId", "username", "givenName", "familyName")
    return sheet(
        {
            **{name: users[name] for name in names},
            "password": "",
            "activeDirectoryMatchId": users["email"],
            **{name: users[name] for name in ("email", "phone", "sms")},
        },
        users.index,
    )


def _roles(sheets: Sheets) -> pd.DataFrame:
    roles = sheets["roles"]
    roles = roles[~roles["role"].isin(_KIN)].reset_index(drop=True)
    student = roles["role"].eq("student").fillna(False)
    return sheet(
        {
            "userSourcedId": roles["userSourcedId"],
            "orgSourcedId": roles["orgSourcedId"],
            "role": roles["role"].replace(dict(ROLES)),
            "sessionSourcedId": "",
            "grade": beside(roles["userSourcedId"], sheets["users"], "grades").where(student),
            "isPrimary": roles["roleType"].replace({"primary": "true", "secondary": "false"}),
            "roleStartDate": roles["beginDate"],
            "roleEndDate": roles["endDate"],
        },
        roles.index,
    )


def _classes(classes: pd.DataFrame) -> pd.DataFrame:
    return sheet(
        {
            "sourcedId": classes["sourcedId"],
            "orgSourcedId": classes["schoolSourcedId"],
            "title": classes["title"],
            "sessionSourcedIds": classes["termSourcedIds"],
            "courseSourcedId": classes["courseSourcedId"],
        },
        classes.index,
    )


def _courses(courses: pd.DataFrame) -> pd.DataFrame:
    return sheet(
        {
            "sourcedId": courses["sourcedId"],
            "orgSourcedId": courses["orgSourcedId"],
            "title": courses["title"],
            "code": courses["courseCode"],
            "schoolYearSourcedId": courses["schoolYearSourcedId"],
            "subject": courses["subjects"],
            "grade": courses["grades"],
        },
        courses.index,
    )


def _demographics(rows: pd.DataFrame) -> pd.DataFrame:
    return sheet(
        {
            "userSourcedId": rows["sourcedId"],
            "sex": rows["sex"],
            "birthDate": rows["birthDate"],
            "birthCity": rows["cityOfBirth"],
            "birthState": rows["stateOfBirthAbbreviation"],
            "birthCountry": rows["countryOfBirthCode"],
            "ethnicityCodes": "",
            "raceCodes": rows["white"].replace({"true": "white", "false": ""}),
        },
        rows.index,
    )


def _relationships(sheets: Sheets) -> pd.DataFrame:
    """A row for each student and guardian."""
    students = sheets.having("roles", "role", "student")["userSourcedId"]
    users = sheets["users"]
    users = users[users["sourcedId"].isin(students) & users["agentSourcedIds"].notna()]
    pairs = users[["sourcedId"]].assign(kin=users["agentSourcedIds"].str.split(","))
    pairs = pairs.explode("kin", ignore_index=True)
    kin = sheets.having("roles", "role", *_KIN)
    return sheet(
        {
            "userSourcedId": pairs["sourcedId"],
            "relationshipUserSourcedId": pairs["kin"],
            "relationshipRole": beside(pairs["kin"], kin, "role", by="userSourcedId"),
        },
        pairs.index,
    )
