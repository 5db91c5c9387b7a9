"""Rules over the whole roster."""

from typing import Final

from tests.quality.breaking import Breaks, Files, row_of


def _person(files: Files, key: str, role: str, **cells: str) -> None:
    """One more person at the school."""
    files["users"].append(
        {"sourcedId": key, "enabledUser": "true", "username": key, "givenName": f"Given {key}",
         "familyName": f"Family {key}", "email": f"{key}@example.org"} | cells
    )  # fmt: skip
    files["roles"].append(
        {"sourcedId": f"r-{key}", "userSourcedId": key, "roleType": "primary", "role": role,
         "orgSourcedId": "s1"}
    )  # fmt: skip


def _enroll(files: Files, key: str, cls: str, user: str, role: str, **cells: str) -> None:
    files["enrollments"].append(
        {"sourcedId": key, "classSourcedId": cls, "schoolSourcedId": "s1", "userSourcedId": user,
         "role": role} | cells
    )  # fmt: skip


def _second_school(files: Files) -> None:
    files["orgs"].append(
        {"sourcedId": "s2", "name": "Birch", "type": "school", "parentSourcedId": "d1"}
    )


def _same_person(files: Files) -> None:
    row_of(files, "users", "u3").update(givenName="ada", familyName="NULL")
    files["demographics"] = [{"sourcedId": key, "birthDate": "2012-03-04"} for key in ("u1", "u3")]


def _same_master(files: Files) -> None:
    for key in ("u1", "u4"):
        row_of(files, "users", key)["userMasterIdentifier"] = "m-1"


def _same_identifier(files: Files) -> None:
    for key in ("u1", "u2"):
        row_of(files, "users", key)["identifier"] = "00123"


def _same_username(files: Files) -> None:
    row_of(files, "users", "u3")["username"] = "U1"


def _same_email(files: Files) -> None:
    row_of(files, "users", "u3")["email"] = "U4@Example.org"


def _twice_enrolled(files: Files) -> None:
    _enroll(files, "e6", "cl1", "u1", "student", beginDate="2026-09-01")


def _nothing_to_sign_on_with(files: Files) -> None:
    row_of(files, "users", "u2")["email"] = ""


def _early_term(files: Files) -> None:
    row_of(files, "academicSessions", "t1")["startDate"] = "2026-08-01"


def _late_term(files: Files) -> None:
    row_of(files, "academicSessions", "t1")["endDate"] = "2027-06-30"


def _term_of_summer(files: Files) -> None:
    row_of(files, "academicSessions", "t1").update(startDate="2027-07-01", endDate="2027-08-01")


def _all_after_the_term(files: Files) -> None:
    row_of(files, "enrollments", "e1")["beginDate"] = "2027-02-01"


def _wrong_year(files: Files) -> None:
    row_of(files, "academicSessions", "y1")["schoolYear"] = "2026"


def _year_of_its_own(files: Files) -> None:
    row_of(files, "academicSessions", "t1")["schoolYear"] = "2026"


def _year_without_parent(files: Files) -> None:
    row_of(files, "academicSessions", "t1").update(schoolYear="2025", parentSourcedId="")


def _last_year(files: Files) -> None:
    row_of(files, "academicSessions", "y1").update(
        startDate="2025-08-20", endDate="2026-06-12", schoolYear="2026"
    )
    row_of(files, "academicSessions", "t1").update(
        startDate="2025-08-20", endDate="2026-01-15", schoolYear="2026"
    )


def _next_year(files: Files) -> None:
    for key in ("y1", "t1"):
        row_of(files, "academicSessions", key)["startDate"] = "2026-10-02"


def _before_the_term(files: Files) -> None:
    row_of(files, "enrollments", "e1")["beginDate"] = "2026-08-19"


def _after_the_term(files: Files) -> None:
    row_of(files, "enrollments", "e1").update(beginDate="2026-09-01", endDate="2027-01-16")


def _two_primary_teachers(files: Files) -> None:
    row_of(files, "enrollments", "e4")["primary"] = "true"
    _enroll(files, "e6", "cl1", "u5", "teacher", primary="true", beginDate="2026-09-10")


def _no_teacher(files: Files) -> None:
    files["enrollments"] = [row for row in files["enrollments"] if row["sourcedId"] != "e5"]


def _no_teacher_any_more(files: Files) -> None:
    row_of(files, "enrollments", "e5")["endDate"] = "2026-10-01"


def _no_student(files: Files) -> None:
    row_of(files, "enrollments", "e3")["classSourcedId"] = "cl1"


def _no_enrollment(files: Files) -> None:
    _person(files, "u6", "student")


def _no_role(files: Files) -> None:
    files["roles"] = [row for row in files["roles"] if row["userSourcedId"] != "u5"]


def _no_primary_role(files: Files) -> None:
    row_of(files, "roles", "r-u5")["roleType"] = "secondary"


def _elsewhere_at_home(files: Files) -> None:
    row_of(files, "users", "u5")["primaryOrgSourcedId"] = "d1"


def _another_persons_profile(files: Files) -> None:
    files["userProfiles"] = [
        {"sourcedId": "p1", "userSourcedId": "u1", "profileType": "reading", "vendorId": "v",
         "credentialType": "username", "username": "reader"}
    ]  # fmt: skip
    row_of(files, "roles", "r-u2")["userProfileSourcedId"] = "p1"


def _teaching_student(files: Files) -> None:
    _enroll(files, "e6", "cl2", "u1", "teacher")


def _learning_teacher(files: Files) -> None:
    _enroll(files, "e6", "cl2", "u5", "student")


def _disabled(files: Files) -> None:
    row_of(files, "users", "u1")["enabledUser"] = "false"


def _enrolled_elsewhere(files: Files) -> None:
    _second_school(files)
    row_of(files, "enrollments", "e1")["schoolSourcedId"] = "s2"


def _course_of_another_school(files: Files) -> None:
    _second_school(files)
    row_of(files, "courses", "co1")["orgSourcedId"] = "s2"


CASES: Final[tuple[Breaks, ...]] = (
    Breaks("key.same_person", _same_person, file="users.csv", line=2, count=2),
    Breaks(
        "key.same_person",
        _same_master,
        column="userMasterIdentifier",
        line=2,
        count=2,
        why="by userMasterIdentifier",
    ),
    Breaks("key.identifier", _same_identifier, column="identifier", line=2, count=2),
    Breaks("key.username", _same_username, column="username", line=2, count=2),
    Breaks("key.email", _same_email, column="email", line=4, count=2),
    Breaks("key.enrollment", _twice_enrolled, file="enrollments.csv", line=2, count=2),
    Breaks("key.sso_identifier", _nothing_to_sign_on_with, file="users.csv", line=3),
    Breaks("session.outside_parent", _early_term, line=3, column="startDate"),
    Breaks("session.outside_parent", _late_term, line=3, column="endDate", why="after its end"),
    Breaks(
        "session.outside_parent", _term_of_summer, line=3, column="startDate", why="all after it"
    ),
    Breaks("session.school_year", _wrong_year, line=2, column="schoolYear"),
    Breaks("session.school_year", _year_of_its_own, line=3, why="unlike its parent"),
    Breaks("session.school_year", _year_without_parent, line=3, why="of no parent"),
    Breaks("session.all_past", _last_year, file="academicSessions.csv"),
    Breaks("session.all_future", _next_year, file="academicSessions.csv"),
    Breaks("enrollment.outside_terms", _before_the_term, line=2, column="beginDate"),
    Breaks("enrollment.outside_terms", _after_the_term, line=2, column="endDate", why="after them"),
    Breaks(
        "enrollment.outside_terms",
        _all_after_the_term,
        line=2,
        column="beginDate",
        why="all after them",
    ),
    Breaks("class.primary_teachers", _two_primary_teachers, line=5, column="primary", count=2),
    Breaks("class.without_teacher", _no_teacher, file="classes.csv", line=3),
    Breaks("class.without_teacher", _no_teacher_any_more, line=3, why="any more"),
    Breaks("class.without_student", _no_student, file="classes.csv", line=3),
    Breaks("user.without_enrollment", _no_enrollment, file="users.csv", line=7),
    Breaks("user.without_role", _no_role, file="users.csv", line=6),
    Breaks("user.without_primary", _no_primary_role, file="roles.csv", line=6, column="roleType"),
    Breaks("user.primary_org", _elsewhere_at_home, line=6, column="primaryOrgSourcedId"),
    Breaks("role.profile", _another_persons_profile, file="roles.csv", line=3),
    Breaks("enrollment.role", _teaching_student, file="enrollments.csv", line=7, column="role"),
    Breaks("enrollment.role", _learning_teacher, line=7, why="a student's"),
    Breaks("user.disabled", _disabled, file="users.csv", line=2, column="enabledUser"),
    Breaks("enrollment.school", _enrolled_elsewhere, line=2, column="schoolSourcedId"),
    Breaks("class.course", _course_of_another_school, file="classes.csv", line=2),
)
