"""What the files of a format are made of that begins and ends, and which dates of it they tell."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from roster_pipeline.oneroster.templates import names_in
from roster_pipeline.receivers.columns.config import ColumnsFormat, File
from roster_pipeline.receivers.columns.names import LISTS, VIEWS, Path, resolved

_OF_VIEWS: Final = {
    "locations": {"roles"},
    "students": {"roles"},
    "staff": {"roles"},
    "studentEnrollments": {"roles", "enrollments"},
    "relationships": {"roles"},
}
"""By view what decides which rows it has, beside its entity."""
_OF_LISTS: Final = {"users": {"roles"}, "classes": {"roles", "enrollments"}}
"""By entity what its lists are gathered of."""


@dataclass(frozen=True)
class Dated:
    """What of roles and enrollments goes out in some form."""

    entities: frozenset[str]
    """Those of which anything does."""
    dates: frozenset[str]
    """Those of their dates that do, as `entity.column`."""


def dated(format_: ColumnsFormat) -> Dated:
    """What the files of a format have of roles and enrollments."""
    entities: set[str] = set()
    dates: set[str] = set()
    for file in format_.files.values():
        entities |= {VIEWS[file.rows]} | _OF_VIEWS.get(file.rows, set())
        for path in paths_of(file):
            hops = [hop.target for hop in path.hops]
            of = hops[-1] if hops else VIEWS[file.rows]
            entities.update(hops)
            if path.column in LISTS.get(of, ()):
                entities |= _OF_LISTS[of]
            dates.add(f"{of}.{path.column}")
    return Dated(
        frozenset(entities & {"roles", "enrollments"}),
        frozenset(name for name in dates if name.endswith((".beginDate", ".endDate"))),
    )


def paths_of(file: File) -> Iterator[Path]:
    """What the rows of a file name, in cells and in what chooses them."""
    for value in file.columns.values():
        for name in (*names_in(value.value), *names_in(value.otherwise or "")):
            yield resolved(file.rows, name)
    for name in (*file.only, *file.but, *file.filled):
        yield resolved(file.rows, name)
