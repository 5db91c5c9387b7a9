"""A district small enough to read: one district, one school, two classes, five people."""

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from roster_pipeline.oneroster.manifest import Mode, Version, manifest_rows
from roster_pipeline.oneroster.package import tables

Row = dict[str, str]

_ORGS = [
    {"sourcedId": "d1", "name": "Springfield", "type": "district"},
    {"sourcedId": "s1", "name": "Evergreen", "type": "school", "parentSourcedId": "d1"},
]
_SESSIONS = [
    {"sourcedId": "y1", "title": "2026-27", "type": "schoolYear", "startDate": "2026-08-20",
     "endDate": "2027-06-12", "schoolYear": "2027"},
    {"sourcedId": "t1", "title": "Fall", "type": "term", "startDate": "2026-08-20",
     "endDate": "2027-01-15", "parentSourcedId": "y1", "schoolYear": "2027"},
]  # fmt: skip
_COURSES = [
    {"sourcedId": "co1", "schoolYearSourcedId": "y1", "title": "Algebra", "orgSourcedId": "d1"},
    {"sourcedId": "co2", "schoolYearSourcedId": "y1", "title": "Art", "orgSourcedId": "d1"},
]
_CLASSES = [
    {"sourcedId": f"cl{n}", "title": title, "courseSourcedId": f"co{n}", "classType": "scheduled",
     "schoolSourcedId": "s1", "termSourcedIds": "t1"}
    for n, title in ((1, "Algebra 1"), (2, "Art 1"))
]  # fmt: skip
_PEOPLE = [
    ("u1", "student", "Ada", "Null"),
    ("u2", "student", "NA", "O'Neill"),
    ("u3", "student", "Zoë", "García Márquez"),
    ("u4", "teacher", "Grace", "Hopper"),
    ("u5", "administrator", "Alan", "Turing"),
]
_USERS = [
    {"sourcedId": key, "enabledUser": "true", "username": key, "givenName": given,
     "familyName": family, "email": f"{key}@example.org"}
    for key, _, given, family in _PEOPLE
]  # fmt: skip
_ENROLLMENTS = [
    {"sourcedId": f"e{n}", "classSourcedId": class_id, "schoolSourcedId": "s1",
     "userSourcedId": user, "role": role}
    for n, (class_id, user, role) in enumerate(
        [("cl1", "u1", "student"), ("cl1", "u2", "student"), ("cl2", "u3", "student"),
         ("cl1", "u4", "teacher"), ("cl2", "u4", "teacher")], start=1,
    )
]  # fmt: skip


def district(version: str = "1.2") -> dict[str, list[Row]]:
    """The rows of each file, to be changed by a test before they are packed."""
    files = {
        "orgs": _ORGS,
        "academicSessions": _SESSIONS,
        "courses": _COURSES,
        "classes": _CLASSES,
        "users": _USERS,
        "enrollments": _ENROLLMENTS,
    }
    copied = {name: [dict(row) for row in rows] for name, rows in files.items()}
    if version == "1.1":
        for row, (_, role, _, _) in zip(copied["users"], _PEOPLE, strict=True):
            row |= {"role": role, "orgSourcedIds": "s1"}
    else:
        words = {"administrator": "siteAdministrator"}
        copied["roles"] = [
            {"sourcedId": f"r-{key}", "userSourcedId": key, "roleType": "primary",
             "role": words.get(role, role), "orgSourcedId": "s1"}
            for key, role, _, _ in _PEOPLE
        ]  # fmt: skip
    return copied


def packed(
    files: Mapping[str, list[Row]],
    *,
    version: str = "1.2",
    modes: Mapping[str, str] | None = None,
    extra: Mapping[str, bytes] | None = None,
) -> bytes:
    """The rows as a package. `modes` overrides bulk per file; `extra` replaces or adds members."""
    said = {name: Mode((modes or {}).get(name, "bulk")) for name in files}
    members = {
        "manifest.csv": _csv(["propertyName", "value"], manifest_rows(Version(version), said))
    }
    for name, rows in files.items():
        header = [column.name for column in tables(Version(version))[name]]
        header += sorted({key for row in rows for key in row} - set(header))
        members[f"{name}.csv"] = _csv(header, ([row.get(c, "") for c in header] for row in rows))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**members, **(extra or {})}.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()


def unpacked(package: bytes | Path) -> dict[str, list[Row]]:
    """The rows of each member of a zip."""
    with zipfile.ZipFile(io.BytesIO(package) if isinstance(package, bytes) else package) as archive:
        return {
            name.removesuffix(".csv"): list(
                csv.DictReader(io.StringIO(archive.read(name).decode("utf-8"), newline=""))
            )
            for name in archive.namelist()
        }


def _csv(header: Iterable[str], rows: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header, *rows])
    return text.getvalue().encode()
