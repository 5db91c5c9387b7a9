"""Rules on files, cells, rows, keys and references."""

from collections.abc import Callable
from typing import Final

from tests.quality.breaking import Breaks, Files, row_of

_NOW: Final = "2026-09-01T00:00:00.000Z"


def _residence(files: Files) -> None:
    files["demographics"] = [{"sourcedId": "u1", "publicSchoolResidenceStatus": "1652"}]


def _set(name: str, key: str, /, **cells: str) -> Callable[[Files], None]:
    """Other cells in one row."""
    return lambda files: row_of(files, name, key).update(cells)


def _add(name: str, /, **cells: str) -> Callable[[Files], None]:
    """One more row."""
    return lambda files: files.setdefault(name, []).append(cells)


def _all(*changes: Callable[[Files], None]) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        for each in changes:
            each(files)

    return change


def _without(*names: str) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        for name in names:
            del files[name]

    return change


def _only(name: str, key: str, /, **cells: str) -> Callable[[Files], None]:
    """A delta of one row."""

    def change(files: Files) -> None:
        row = row_of(files, name, key) | cells
        files.clear()
        files[name] = [row]

    return change


def _nothing(_: Files) -> None:
    return


def _empty_file(files: Files) -> None:
    files["enrollments"] = []


def _no_rows_of_u2(files: Files) -> None:
    """u2 is gone, but not what refers to her."""
    files["users"].remove(row_of(files, "users", "u2"))


def _twice(name: str, key: str, /, **cells: str) -> Callable[[Files], None]:
    """A copy of one row, with other cells."""
    return lambda files: files[name].append(row_of(files, name, key) | cells)


_EXTRA_USER: Final = _add(
    "users", sourcedId="u9", enabledUser="true", username="u9", givenName="", familyName="Nine",
    email="u9@example.org",
)  # fmt: skip
_EXTRA_ROLE: Final = _add(
    "roles", sourcedId="r-u9", userSourcedId="u9", roleType="primary", role="student",
    orgSourcedId="s1",
)  # fmt: skip

_FILES: Final = (
    Breaks("package.no_file", _without("enrollments"), file="enrollments.csv"),
    Breaks("package.absent_file", _without("enrollments"), base=_nothing, file="enrollments.csv"),
    Breaks("package.header_only", _empty_file, base=_nothing, file="enrollments.csv"),
)

_CELLS: Final = (
    Breaks(
        "cell.required", _set("users", "u5", givenName=""), base=_nothing,
        file="users.csv", line=6, column="givenName",
    ),
    Breaks(
        "cell.sourcedId", _set("enrollments", "e2", sourcedId="e 2"),
        base=_set("enrollments", "e2", sourcedId="e0"), beside=("key.unidentified",),
        line=3, column="sourcedId",
    ),
    Breaks(
        "cell.reference", _set("users", "u1", agentSourcedIds="u4;u5"),
        line=2, column="agentSourcedIds",
    ),
    Breaks(
        "cell.vocabulary", _set("classes", "cl1", classType="elective"), base=_nothing,
        line=2, column="classType",
    ),
    Breaks(
        "cell.vocabulary", _set("orgs", "d1", type="ext:trust"), version="1.1", base=_nothing,
        line=2, column="type", why="ext: in 1.1",
    ),
    Breaks(
        "cell.vocabulary", _add("demographics", sourcedId="u1", sex="other"), version="1.1",
        line=2, column="sex", why="a word of 1.2 in 1.1",
    ),
    Breaks(
        "cell.vocabulary", _set("roles", "r-u1", roleType="ext:third"), base=_nothing,
        line=2, column="roleType", why="ext: where the column allows none",
    ),
    Breaks(
        "cell.boolean", _set("users", "u1", enabledUser="maybe"), base=_nothing,
        line=2, column="enabledUser",
    ),
    Breaks(
        "cell.boolean", _set("enrollments", "e1", primary="perhaps"), line=2, column="primary",
        why="a flag",
    ),
    Breaks(
        "cell.date", _set("academicSessions", "t1", endDate="2027-02-31"), base=_nothing,
        line=3, column="endDate", why="no such day",
    ),
    Breaks(
        "cell.dateTime",
        _only("users", "u1", status="active", dateLastModified="2026-02-31T06:30:00.000Z"),
        modes={"users": "delta"}, base=_nothing, line=2, column="dateLastModified",
        why="no such day",
    ),
    Breaks(
        "cell.dateTime",
        _only("users", "u1", status="active", dateLastModified="2026-09-01T06:30:00+02:00"),
        modes={"users": "delta"}, base=_nothing, line=2, column="dateLastModified",
        why="not in UTC",
    ),
    Breaks(
        "cell.year", _set("academicSessions", "t1", schoolYear="26/27"), base=_nothing,
        line=3, column="schoolYear",
    ),
    Breaks("cell.userIds", _set("users", "u1", userIds="SIS:7"), line=2, column="userIds"),
    Breaks(
        "cell.list", _set("users", "u1", agentSourcedIds="u4,,u5"), line=2,
        column="agentSourcedIds",
    ),
    Breaks(
        "cell.list", _set("classes", "cl1", periods=",1"), line=2, column="periods",
        why="of strings",
    ),
    Breaks(
        "cell.list", _set("users", "u1", userIds="{SIS:1},"), line=2, column="userIds",
        why="of userIds",
    ),
    Breaks("cell.comma", _set("users", "u1", userIds="{LDAP:a,b}"), line=2, column="userIds"),
    Breaks("cell.grade_spelling", _set("users", "u1", grades="9th"), line=2, column="grades"),
    Breaks(
        "cell.residence", _residence, version="1.1", line=2, column="publicSchoolResidenceStatus"
    ),
    Breaks(
        "cell.grade", _set("courses", "co1", grades="09,Y7"), version="1.1", line=2,
        column="grades", why="in 1.1",
    ),
    Breaks(
        "cell.bulk_status", _set("classes", "cl1", status="active"), line=2, column="status"
    ),
    Breaks(
        "cell.bulk_status", _set("classes", "cl2", dateLastModified=_NOW), line=3,
        column="dateLastModified", why="dateLastModified",
    ),
    Breaks(
        "cell.delta_status", _only("users", "u1", dateLastModified=_NOW),
        modes={"users": "delta"}, base=_nothing, line=2, column="status",
    ),
    Breaks(
        "cell.delta_status", _only("users", "u1", status="active"), modes={"users": "delta"},
        base=_nothing, line=2, column="dateLastModified", why="dateLastModified",
    ),
    Breaks(
        "excel.scientific", _set("users", "u1", identifier="1.23E+11"), line=2,
        column="identifier",
    ),
    Breaks(
        "excel.scientific", _add("orgs", sourcedId="1.23E+11", name="Birch", type="school"),
        line=4, column="sourcedId", why="a sourcedId",
    ),
    Breaks(
        "excel.scientific", _add("orgs", sourcedId="1.23E11", name="Birch", type="school"),
        line=4, column="sourcedId", why="a sourcedId of allowed letters",
    ),
    Breaks(
        "excel.scientific", _set("users", "u1", agentSourcedIds="u4,1.23E+11"), line=2,
        column="agentSourcedIds", why="a reference",
    ),
    Breaks(
        "excel.scientific", _set("users", "u1", agentSourcedIds="u4,1.23E11"), line=2,
        column="agentSourcedIds", why="a reference of allowed letters",
    ),
    *(
        Breaks(
            "excel.date", _set("academicSessions", "t1", endDate=text), base=_nothing, line=3,
            column="endDate", why=text,
        )
        for text in ("1/15/2027", "15.01.27", "15-Jan-27", "2027/1/15", "46402")
    ),
)  # fmt: skip

_ROWS: Final = (
    Breaks(
        "row.end_before_start",
        _set("academicSessions", "t1", endDate="2026-08-19"), base=_nothing,
        line=3, column="endDate",
    ),
    Breaks(
        "row.end_before_start",
        _set("enrollments", "e1", beginDate="2026-09-02", endDate="2026-09-01"), base=_nothing,
        line=2, column="endDate", why="an enrollment",
    ),
    Breaks(
        "row.end_before_start",
        _set("roles", "r-u1", beginDate="2026-09-02", endDate="2026-09-01"), base=_nothing,
        line=2, column="endDate", why="a role",
    ),
    Breaks(
        "row.unequal_lists",
        _set("courses", "co1", subjects="Algebra,Advanced", subjectCodes="02052"),
        line=2, column="subjectCodes",
    ),
    Breaks(
        "row.one_list_empty", _set("classes", "cl1", subjects="Algebra"), line=2,
        column="subjectCodes",
    ),
)  # fmt: skip

_KEYS: Final = (
    Breaks(
        "key.duplicate", _twice("orgs", "d1", name="Other"), base=_nothing, count=2,
        file="orgs.csv", line=2, column="sourcedId",
    ),
    Breaks("key.repeated", _twice("orgs", "d1"), file="orgs.csv", line=4, column="sourcedId"),
    Breaks(
        "key.primary_roles", _twice("roles", "r-u1", sourcedId="r-u1b", role="aide"),
        file="roles.csv", line=7, column="roleType",
    ),
    Breaks(
        "key.unidentified", _set("enrollments", "e2", sourcedId="e 2"),
        base=_set("enrollments", "e2", sourcedId="e0"), beside=("cell.sourcedId",),
        file="enrollments.csv",
    ),
)  # fmt: skip

_REFERENCES: Final = (
    Breaks(
        "reference.waiting",
        _all(_EXTRA_USER, _EXTRA_ROLE), beside=("cell.required",),
        file="roles.csv", line=7, column="userSourcedId",
    ),
    Breaks(
        "reference.removed",
        _no_rows_of_u2, base=_nothing, count=2, file="roles.csv", line=3, column="userSourcedId",
    ),
    Breaks(
        "reference.unknown",
        _set("enrollments", "e1", userSourcedId="u-typo"), base=_nothing,
        file="enrollments.csv", line=2, column="userSourcedId",
    ),
    Breaks(
        "reference.unknown",
        _set("users", "u1", agentSourcedIds="u4,nobody"), line=2, column="agentSourcedIds",
        why="a dangling agent",
    ),
    Breaks(
        "reference.unknown", _add("demographics", sourcedId="u7"), line=2, column="sourcedId",
        why="demographics of nobody",
    ),
    Breaks(
        "reference.kind",
        _only("classes", "cl1", schoolSourcedId="d1", status="active", dateLastModified=_NOW),
        modes={"classes": "delta"}, base=_nothing,
        file="classes.csv", line=2, column="schoolSourcedId", why="a district as school",
    ),
    Breaks(
        "reference.kind", _set("classes", "cl1", termSourcedIds="y1,t1"), line=2,
        column="termSourcedIds", why="a school year as term",
    ),
    Breaks(
        "reference.kind", _set("courses", "co1", schoolYearSourcedId="t1"), line=2,
        column="schoolYearSourcedId", why="a term as school year",
    ),
    Breaks(
        "excel.leading_zeros",
        _all(
            _add("orgs", sourcedId="0077", name="Birch", type="school", parentSourcedId="d1"),
            _set("users", "u1", primaryOrgSourcedId="77"),
        ),
        file="users.csv", line=2, column="primaryOrgSourcedId",
    ),
    Breaks("reference.loop", _set("orgs", "d1", parentSourcedId="d1"), line=2),
    Breaks(
        "reference.loop", _set("academicSessions", "y1", parentSourcedId="t1"), count=2, line=2,
        why="of two sessions",
    ),
    Breaks(
        "reference.parent_kind",
        _add("orgs", sourcedId="s2", name="Birch", type="school", parentSourcedId="s1"),
        file="orgs.csv", line=4, column="parentSourcedId",
    ),
    Breaks(
        "reference.parent_kind",
        _add(
            "academicSessions", sourcedId="y2", title="2026-27", type="schoolYear",
            startDate="2026-08-20", endDate="2027-01-15", schoolYear="2027", parentSourcedId="t1",
        ),
        file="academicSessions.csv", line=4, column="parentSourcedId", why="a school year",
    ),
    Breaks(
        "reference.unjudged", _only("enrollments", "e1", status="active", dateLastModified=_NOW),
        modes={"enrollments": "delta"}, file="enrollments.csv",
    ),
)  # fmt: skip


CASES: Final = (*_FILES, *_CELLS, *_ROWS, *_KEYS, *_REFERENCES)
