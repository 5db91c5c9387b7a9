"""OneRoster 1.0: seven files, no manifest; headers as exports of that version have them."""

from collections.abc import Mapping
from datetime import date
from typing import Final

import pandas as pd

from roster_pipeline.simulator.formats.sheets import Sheets, sheet

HEADERS: Final[Mapping[str, str]] = {
    "orgs": "sourcedId,status,dateLastModified,name,type,identifier,metadata.classification,"
    "metadata.gender,metadata.boarding,parentSourcedId",
    "academicSessions": "sourcedId,status,dateLastModified,title,type,startDate,endDate,"
    "parentSourcedId",
    "courses": "sourcedId,status,dateLastModified,schoolYearId,metadata.duration,title,courseCode,"
    "grade,orgSourcedId,subjects",
    "classes": "sourcedId,status,dateLastModified,title,grade,courseSourcedId,classCode,classType,"
    "location,schoolSourcedId,termSourcedId,subjects",
    "users": "sourcedId,status,dateLastModified,orgSourcedIds,role,username,userId,givenName,"
    "familyName,identifier,email,sms,phone,agents,grade,password",
    "enrollments": "sourcedId,classSourcedId,schoolSourcedId,userSourcedId,role,status,"
    "dateLastModified,primary",
    "demographics": "userSourcedId,status,dateLastModified,birthdate,sex,"
    "americanIndianOrAlaskaNative,asian,blackOrAfricanAmerican,"
    "nativeHawaiianOrOtherPacificIslander,white,demographicRaceTwoOrMoreRaces,"
    "hispanicOrLatinoEthnicity,countryOfBirthCode,stateOfBirthAbbreviation,cityOfBirth,"
    "publicSchoolResidenceStatus",
}
_LATER_NAMES: Final[Mapping[str, str]] = {
    "schoolYearId": "schoolYearSourcedId",
    "grade": "grades",
    "termSourcedId": "termSourcedIds",
    "agents": "agentSourcedIds",
    "birthdate": "birthDate",
}
"""What 1.1 calls a column of 1.0."""
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "type": {"district": "local"},
    "sex": {"female": "Female", "male": "Male"},
}


def oneroster_1p0(sheets: Sheets, on: date) -> Mapping[str, pd.DataFrame]:
    """The files of a day, out of those of OneRoster 1.1."""
    return {
        f"{entity}.csv": _file(sheets[entity], header.split(","), on)
        for entity, header in HEADERS.items()
    }


def _file(rows: pd.DataFrame, header: list[str], on: date) -> pd.DataFrame:
    return sheet({name: _cells(rows, name, header, on) for name in header}, rows.index)


def _cells(rows: pd.DataFrame, name: str, header: list[str], on: date) -> "pd.Series[str] | str":
    stated = {
        "status": "active",
        "dateLastModified": f"{on.isoformat()}T02:00:00.000Z",
        "metadata.boarding": "false",
    }
    if name in stated:
        return stated[name]
    if name == "userSourcedId" and name == header[0]:
        return rows["sourcedId"]
    if name == "userId":
        return rows["identifier"]
    cells = rows.get(_LATER_NAMES.get(name, name))
    if cells is None:
        return ""
    return cells.replace(dict(_WORDS[name])) if name in _WORDS else cells
