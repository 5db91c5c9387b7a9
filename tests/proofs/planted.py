"""A small district with one family whose data can be recognised wherever they turn up."""

import io
import zipfile
from pathlib import Path

from tests.small import Row, district, packed

PASSWORD = "Sw0rdfish-Quagmire-77"
EMAIL = "quillfeather.fam@privacy.example.org"
NAME = "Quillfeather"
KEY = "quagmire.77@keys.example.org"
"""A sourcedId: an e-mail where a key should be."""


def package(day: int) -> bytes:
    """The export of a day. It has findings of many kinds, most of them about the planted family.

    Day 0: a good row and bad ones. Day 1: people change. Day 2: half of the people are gone.
    """
    files = district()
    files["users"] += _family(day)
    files["roles"] += [
        {"sourcedId": f"r-{key}", "userSourcedId": key, "roleType": "primary", "role": "student",
         "orgSourcedId": "s1"}
        for key in ("q1", "q2", "q3")
    ]  # fmt: skip
    files["enrollments"] += [
        {"sourcedId": "eq1", "classSourcedId": "cl1", "schoolSourcedId": "s1",
         "userSourcedId": "q1", "role": "student"},
        # Who has this key is held.
        {"sourcedId": "eq2", "classSourcedId": "cl1", "schoolSourcedId": "s1",
         "userSourcedId": KEY, "role": "student"},
        {"sourcedId": "eq3", "classSourcedId": "cl1", "schoolSourcedId": "s1",
         "userSourcedId": "q1", "role": f"role of {NAME}"},
        # No such key can be, as below.
        {"sourcedId": "eq4", "classSourcedId": "cl1", "schoolSourcedId": "s1",
         "userSourcedId": f"{NAME} {EMAIL}", "role": "student"},
    ]  # fmt: skip
    files["userProfiles"] = [
        {"sourcedId": "p1", "userSourcedId": "q1", "profileType": "LMS", "vendorId": "v",
         "credentialType": "basic", "username": EMAIL, "password": PASSWORD},
        # Nobody has this key.
        {"sourcedId": "p2", "userSourcedId": f"un{KEY}", "profileType": "LMS", "vendorId": "v",
         "credentialType": "basic", "username": EMAIL, "password": PASSWORD},
    ]  # fmt: skip
    if day == 2:
        # Rows that cannot be told apart would stand for those that are gone: none of them today.
        gone = ("u1", "u2", "u3", f"{NAME} {EMAIL}")
        files["users"] = [row for row in files["users"] if row["sourcedId"] not in gone]
        return packed(files)
    return packed(files, extra={"users.csv": _with_ragged_rows(packed(files))})


def write(path: Path, day: int) -> None:
    """Put the export of a day at a path."""
    path.write_bytes(package(day))


def _family(day: int) -> list[Row]:
    common = {
        "enabledUser": "true",
        "familyName": NAME,
        "email": EMAIL,
        "password": PASSWORD,
        "metadata.password": PASSWORD,
    }
    return [
        # Delivered; one cell is dropped.
        {**common, "sourcedId": "q1", "username": EMAIL, "givenName": f"Day {day}",
         "userIds": f"{NAME} {EMAIL}"},
        # Held: no given name.
        {**common, "sourcedId": "q2", "username": "q2", "givenName": ""},
        # Held: neither a yes nor a no.
        {**common, "sourcedId": "q3", "username": "q3", "givenName": "Q", "enabledUser": NAME},
        # Held: no such key can be.
        {**common, "sourcedId": f"{NAME} {EMAIL}", "username": "q4", "givenName": "Q"},
        # Held: two different rows with one key.
        {**common, "sourcedId": KEY, "username": "q5", "givenName": "Q"},
        {**common, "sourcedId": KEY, "username": "q6", "givenName": "R"},
    ]  # fmt: skip


def _with_ragged_rows(plain: bytes) -> bytes:
    """users.csv with a row that has a cell too many, one that has too few, and an open quote."""
    with zipfile.ZipFile(io.BytesIO(plain)) as archive:
        text = archive.read("users.csv").decode()
    header, *rows = text.splitlines()
    good = next(row for row in rows if row.startswith("q1,"))
    ragged = [
        good.replace("q1,", "q7,", 1).replace(f",{NAME},", f",{NAME}, Jr.,", 1),
        good.replace("q1,", "q8,", 1).replace(f",{EMAIL},", ",", 1),
        good.replace("q1,", "q9,", 1).replace(f",{NAME},", f',"{NAME},', 1),
    ]
    assert all(row not in rows and PASSWORD in row for row in ragged)
    return ("\r\n".join([header, *rows[:3], *ragged, *rows[3:]]) + "\r\n").encode()
