"""What each format holds of a district, worked out from the roster that OneRoster gives of it.

A frame has the columns that can be compared; whatever a format cannot say is not among them. Rows
whose sourcedId is made anew by the format are known by what they are about.
"""

from collections.abc import Callable, Mapping
from datetime import date

import pandas as pd

from roster_pipeline.oneroster.entities import ENTITIES, names
from roster_pipeline.oneroster.roster import Roster

Frames = Mapping[str, pd.DataFrame]


def frames(roster: Roster) -> dict[str, pd.DataFrame]:
    """A roster as plain texts, "" for an empty cell."""
    return {
        entity: roster.columns(entity, names(entity)).astype(object).fillna("")
        for entity in ENTITIES
    }


def as_in(wanted: Frames, made: Frames) -> dict[str, pd.DataFrame]:
    """The columns and entities of a roster that are wanted."""
    return {entity: made[entity][list(frame.columns)] for entity, frame in wanted.items()}


def oneroster_1p0(full: Frames, on: date) -> Frames:
    """Lost: who is disabled, middle names, periods, codes of subjects, dates of enrollments."""
    lost = {
        "users": ["enabledUser", "userIds", "middleName"],
        "courses": ["subjectCodes"],
        "classes": ["subjectCodes", "periods"],
        "enrollments": ["beginDate", "endDate"],
        "userProfiles": list(names("userProfiles")),
    }
    return {entity: frame.drop(columns=lost.get(entity, [])) for entity, frame in full.items()}


def microsoft_sds(full: Frames, on: date) -> Frames:
    """Lost: who is disabled, middle names, numbers of people and orgs, kinds of class, rooms,
    periods, races, dates of enrollments, and of sessions what they are part of; a district's
    administrators seem a school's."""
    roles = full["roles"]
    roles = roles.assign(role=roles["role"].replace("districtAdministrator", "siteAdministrator"))
    kept = {
        "orgs": "sourcedId name type parentSourcedId",
        "academicSessions": "sourcedId title type startDate endDate schoolYear",
        "courses": "sourcedId schoolYearSourcedId title courseCode grades orgSourcedId subjects",
        "classes": "sourcedId title courseSourcedId schoolSourcedId termSourcedIds",
        "users": "sourcedId username givenName familyName email sms phone agentSourcedIds grades",
        "roles": "userSourcedId roleType role beginDate endDate orgSourcedId",
        "demographics": "sourcedId birthDate sex countryOfBirthCode stateOfBirthAbbreviation "
        "cityOfBirth",
        "enrollments": "classSourcedId schoolSourcedId userSourcedId role",
    }
    changed = {**full, "roles": roles}
    return {entity: changed[entity][columns.split()] for entity, columns in kept.items()}


def five_files(full: Frames, on: date) -> Frames:
    """Lost: everybody but students and teachers, courses without a class, kinds of class, rooms,
    codes of subjects, races, who is disabled, dates of enrollments."""
    ids = _ids(full)
    roles = _of_school(full["roles"])
    users = _people(full, roles)
    classes, courses = full["classes"], full["courses"]
    taught = courses[courses["sourcedId"].isin(classes["courseSourcedId"])]
    traits = full["demographics"]
    return {
        "orgs": _orgs(full["orgs"], ids, "identifier"),
        "courses": _course(taught, ids)[["sourcedId", "title", "courseCode", "subjects"]],
        "classes": classes.assign(
            sourcedId="section-" + classes["sourcedId"],
            courseSourcedId=classes["courseSourcedId"].map(ids["courses"]),
            schoolSourcedId=classes["schoolSourcedId"].map(ids["orgs"]),
        )[
            [
                *("sourcedId", "title", "grades", "courseSourcedId", "classCode"),
                *("schoolSourcedId", "subjects", "periods"),
            ]
        ],
        "users": users.assign(sourcedId=users["sourcedId"].map(ids["users"]))[
            [
                *("sourcedId", "username", "givenName", "familyName", "middleName"),
                *("identifier", "email", "grades"),
            ]
        ],
        "roles": _renamed(roles, ids)[["userSourcedId", "roleType", "role", "orgSourcedId"]],
        "demographics": _traits(traits, ids)[
            ["sourcedId", "birthDate", "sex", "hispanicOrLatinoEthnicity"]
        ],
        "enrollments": _renamed(
            full["enrollments"].assign(
                classSourcedId="section-" + full["enrollments"]["classSourcedId"]
            ),
            ids,
        )[["classSourcedId", "schoolSourcedId", "userSourcedId", "role", "primary"]],
    }


def student_per_row(full: Frames, on: date) -> Frames:
    """Lost, beside what five files lose: usernames, second teachers, classes of another term, and
    teachers who have none but those; sessions but the year."""
    ids = _ids(full)
    day = on.isoformat()
    enrollments = full["enrollments"]
    student = enrollments["role"] == "student"
    now = (enrollments["beginDate"] <= day) & (day < enrollments["endDate"])
    seen = set(enrollments["classSourcedId"][student & now])
    leading = (enrollments["role"] == "teacher") & (enrollments["primary"] == "true")
    enrollments = enrollments[
        (student & now) | (leading & enrollments["classSourcedId"].isin(seen))
    ]
    classes = full["classes"][full["classes"]["sourcedId"].isin(seen)]
    courses = full["courses"]
    courses = courses[courses["sourcedId"].isin(classes["courseSourcedId"])]
    year = full["academicSessions"].set_index("type")["title"]["schoolYear"]
    class_ids = dict(
        zip(
            classes["sourcedId"],
            "class-" + classes["schoolSourcedId"] + f"-{year}-" + classes["classCode"],
            strict=True,
        )
    )
    teaches = enrollments[enrollments["role"] == "teacher"]
    roles = full["roles"]
    at = set(zip(teaches["userSourcedId"], teaches["schoolSourcedId"], strict=True))
    pairs = zip(roles["userSourcedId"], roles["orgSourcedId"], strict=True)
    taught = pd.Series([pair in at for pair in pairs], roles.index)
    roles = roles[(roles["role"] == "student") | ((roles["role"] == "teacher") & taught)]
    users = _people(full, roles)
    return {
        "orgs": _orgs(full["orgs"], ids),
        "courses": _course(courses, ids)[["sourcedId", "title", "courseCode"]],
        "classes": classes.assign(
            sourcedId=classes["sourcedId"].map(class_ids),
            courseSourcedId=classes["courseSourcedId"].map(ids["courses"]),
            schoolSourcedId=classes["schoolSourcedId"].map(ids["orgs"]),
        )[["sourcedId", "title", "courseSourcedId", "classCode", "schoolSourcedId"]],
        "users": users.assign(sourcedId=users["sourcedId"].map(ids["users"]))[
            ["sourcedId", "givenName", "familyName", "email", "grades"]
        ],
        "roles": _renamed(roles, ids)[["userSourcedId", "role", "orgSourcedId"]],
        "demographics": _traits(full["demographics"], ids)[["sourcedId", "birthDate", "sex"]],
        "enrollments": _renamed(
            enrollments.assign(classSourcedId=enrollments["classSourcedId"].map(class_ids)), ids
        )[["classSourcedId", "schoolSourcedId", "userSourcedId", "role", "primary"]],
    }


HELD: Mapping[str, Callable[[Frames, date], Frames]] = {
    "five-files": five_files,
    "microsoft-sds-2.1": microsoft_sds,
    "oneroster-1.0": oneroster_1p0,
    "student-per-row": student_per_row,
}


def _ids(full: Frames) -> dict[str, dict[str, str]]:
    """sourcedId in OneRoster → what the mapping makes of the format's own, by entity."""
    orgs, courses, roles = full["orgs"], full["courses"], full["roles"]
    return {
        "orgs": {
            key: "district" if kind == "district" else f"school-{key}"
            for key, kind in zip(orgs["sourcedId"], orgs["type"], strict=True)
        },
        "courses": {
            key: f"course-{code}"
            for key, code in zip(courses["sourcedId"], courses["courseCode"], strict=True)
        },
        "users": {
            key: f"{role}-{key}"
            for key, role in zip(roles["userSourcedId"], roles["role"], strict=True)
            if role in ("student", "teacher")
        },
    }


def _of_school(roles: pd.DataFrame) -> pd.DataFrame:
    return roles[roles["role"].isin(["student", "teacher"])]


def _people(full: Frames, roles: pd.DataFrame) -> pd.DataFrame:
    return full["users"][full["users"]["sourcedId"].isin(roles["userSourcedId"])]


def _renamed(rows: pd.DataFrame, ids: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    columns = {"userSourcedId": "users", "orgSourcedId": "orgs", "schoolSourcedId": "orgs"}
    there = {name: entity for name, entity in columns.items() if name in rows.columns}
    return rows.assign(**{name: rows[name].map(ids[entity]) for name, entity in there.items()})


def _orgs(orgs: pd.DataFrame, ids: Mapping[str, Mapping[str, str]], *more: str) -> pd.DataFrame:
    """The schools; what the district is called is not in the files."""
    district = orgs["type"] == "district"
    changed = orgs.assign(
        sourcedId=orgs["sourcedId"].map(ids["orgs"]),
        parentSourcedId=orgs["parentSourcedId"].map(ids["orgs"]).fillna(""),
        name=orgs["name"].mask(district, "District"),
        identifier=orgs["identifier"].mask(district, ""),
    )
    return changed[["sourcedId", "name", "type", "parentSourcedId", *more]]


def _course(courses: pd.DataFrame, ids: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    return courses.assign(sourcedId=courses["sourcedId"].map(ids["courses"]))


def _traits(traits: pd.DataFrame, ids: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    return traits.assign(
        sourcedId=traits["sourcedId"].map(ids["users"]),
        sex=traits["sex"].replace("unspecified", ""),
    )
