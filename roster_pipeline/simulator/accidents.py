"""What happens to packages in the field, by name: whole-roster accidents to be held or stopped.

`apply_accident(name, source, target, **options)` spoils a copy; `ACCIDENTS` says what each
imitates. Small departures from the standard that do no harm are in `deviations`, and are part of
`ACCIDENTS`; so is what makes a package unreadable.
"""

import hashlib
import shutil
import uuid
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

import pandas as pd

from roster_pipeline.oneroster.entities import Kind
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.simulator.deviations import DEVIATIONS
from roster_pipeline.simulator.district import District
from roster_pipeline.simulator.leaving_out import (
    mapped,
    people_missing,
    school_missing,
    school_row_missing,
    students_of_a_school_missing,
)
from roster_pipeline.simulator.packages import Target, opened
from roster_pipeline.simulator.rewriting import (
    Accident,
    Planted,
    Source,
    columns_of,
    member,
    parts,
    reading,
    rewrite,
    rows,
    version_of,
)

CUT_OFF: Final = "cut-at-90-percent"
"""The accident that happens to the archive rather than to what is in it."""
_OTHER_SEED: Final = 990_001
_IDS: Final = (Kind.GUID, Kind.REFERENCE, Kind.REFERENCES)


def apply_accident(
    name: str, source: Source, target: Target, **options: Any
) -> tuple[Planted, ...]:
    """Spoil a copy of a package in the named way; `source` and `target` are zips.

    Gives what was planted, for accidents that happen at single places. Raises KeyError for an
    accident that is not in `ACCIDENTS`.
    """
    return ACCIDENTS[name].apply(source, target, **options)


def half_of_file(source: Source, target: Target, *, entity: str = "users") -> tuple[()]:
    """Leave out the second half of a file's rows, rounded up; the other files stay as they are."""
    left = sum(len(part) for part in parts(source, entity)) // 2

    def first_half(frame: pd.DataFrame) -> pd.DataFrame:
        nonlocal left
        kept = frame.iloc[:left]
        left -= len(kept)
        return kept

    rewrite(source, target, {member(entity): rows(first_half)})
    return ()


def header_only(source: Source, target: Target, *, entity: str = "enrollments") -> tuple[()]:
    """Leave a file's header and none of its rows."""
    rewrite(source, target, {member(entity): rows(lambda frame: frame.iloc[:0])})
    return ()


def all_ids_changed(source: Source, target: Target, *, salt: str = "new system") -> tuple[()]:
    """Give every row a new sourcedId and let every reference follow."""

    def new_id(old: str) -> str:
        digest = hashlib.blake2b(f"{salt}/{old}".encode(), digest_size=16).digest()
        return str(uuid.UUID(bytes=digest, version=4))

    def new_ids(cell: str) -> str:
        return ",".join(map(new_id, cell.split(",")))

    tables = columns_of(source)

    def edit(entity: str, frame: pd.DataFrame) -> pd.DataFrame:
        ids = [column.name for column in tables[entity] if column.kind in _IDS]
        return frame.assign(**{name: mapped(frame[name], new_ids) for name in ids})

    rewrite(source, target, {member(e): rows(partial(edit, e)) for e in tables})
    return ()


def all_emails_changed(
    source: Source, target: Target, *, domain: str = "renamed.example.org"
) -> tuple[()]:
    """Move every e-mail address to another domain."""

    def edit(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(email=mapped(frame["email"], lambda a: a.split("@")[0] + "@" + domain))

    rewrite(source, target, {member("users"): rows(edit)})
    return ()


def another_district(
    source: Source, target: Target, *, other: District | None = None, day: int = 0
) -> tuple[()]:
    """Write another district's package, by default one of as many students, in its place."""
    if other is None:
        count = sum(int((part["role"] == "student").sum()) for part in _role_parts(source))
        other = District(students=max(1, count), seed=_OTHER_SEED)
    other.write_package(target, day, version_of(source))
    return ()


def _role_parts(source: Source) -> Iterator[pd.DataFrame]:
    return parts(source, "users" if version_of(source) is Version.V1P1 else "roles")


def teachers_as_students(source: Source, target: Target) -> tuple[()]:
    """Call every teacher a student, in roles and in enrollments."""

    def edit(frame: pd.DataFrame) -> pd.DataFrame:
        teacher = (frame["role"] == "teacher").fillna(False).to_numpy(dtype=bool)
        frame = frame.assign(role=frame["role"].mask(teacher, "student"))
        if "primary" in frame:
            frame = frame.assign(primary=frame["primary"].mask(teacher, "false"))
        return frame

    holder = "users" if version_of(source) is Version.V1P1 else "roles"
    rewrite(source, target, {member(e): rows(edit) for e in (holder, "enrollments")})
    return ()


def old_file_again(source: Source, target: Target, *, older: Source) -> tuple[()]:
    """Send an older package in place of today's."""
    with reading(older) as file, opened(target) as out:
        shutil.copyfileobj(file, out)
    return ()


def cut_off(source: Source, target: Target, *, share: float = 0.9) -> tuple[()]:
    """Keep only the first bytes of the zip, a share of them."""
    with reading(source) as file, opened(target) as out:
        left = int(file.seek(0, 2) * share)
        file.seek(0)
        while left and (data := file.read(min(left, 1 << 20))):
            out.write(data)
            left -= len(data)
    return ()


ACCIDENTS: Final[Mapping[str, Accident]] = {
    "half-of-users": Accident("an export that stopped halfway through users.csv", half_of_file),
    "half-of-file": Accident("an export that stopped halfway through some file", half_of_file),
    "school-missing": Accident("a school that was not ticked in the export", school_missing),
    "school-row-missing": Accident(
        "a school closed in the wrong screen: its row in orgs is gone, and nothing else",
        school_row_missing,
    ),
    "students-of-a-school-missing": Accident(
        "a school whose year was not rolled over: its students are not enrolled anywhere",
        students_of_a_school_missing,
    ),
    "people-missing": Accident("an export that loses some more students each day", people_missing),
    "header-only-enrollments": Accident(
        "an export run before the schedule was opened: enrollments.csv has no rows", header_only
    ),
    "header-only-file": Accident("the same of any file", header_only),
    "all-ids-changed": Accident(
        "a change of system, or of its OneRoster version: everything has a new sourcedId",
        all_ids_changed,
    ),
    "all-emails-changed": Accident(
        "a district that moved to another mail domain overnight", all_emails_changed
    ),
    "another-district": Accident(
        "another district's file uploaded to this one's folder", another_district
    ),
    "teachers-as-students": Accident(
        "a role mapping that was lost: staff are exported as students", teachers_as_students
    ),
    "old-file-again": Accident(
        "a stuck export job that uploads an old file under today's name", old_file_again
    ),
    CUT_OFF: Accident("an upload that broke off", cut_off),
    **DEVIATIONS,
}
