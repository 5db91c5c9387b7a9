"""What a value may name: views, which are rows of a roster, and what stands in and beside them.

A name is a column (`givenName`, `metadata.house`), a list (`teachers`), or one of these in a row
beside it (`school.name`, `user.staffRole.org.name`). Beside a row stands each row that it refers
to: `courseSourcedId` refers to `course`. Lists are written with commas, as OneRoster writes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from roster_pipeline.oneroster.named_columns import METADATA, nearest

VIEWS: Final[Mapping[str, str]] = {
    **{
        entity: entity
        for entity in (
            *("orgs", "academicSessions", "courses", "classes", "users"),
            *("userProfiles", "roles", "demographics", "enrollments"),
        )
    },
    "schools": "orgs",
    "locations": "orgs",
    "students": "users",
    "staff": "users",
    "studentEnrollments": "enrollments",
    "relationships": "relationships",
}
"""View → the entity whose rows it has.

`locations` are schools, and whatever else somebody has a role at, or a course or class belongs to.
`students` and `staff` have such a role and are enabled; a person may be both.
`studentEnrollments` are those of `students` as students. `relationships` are pairs of one of
`students` and an agent of theirs, with `userSourcedId` and `agentSourcedId`."""

LISTS: Final[Mapping[str, tuple[str, ...]]] = {
    "users": ("orgs", "studentOrgs", "staffOrgs"),
    "classes": ("teachers",),
}
"""By entity what is gathered of other rows: the orgs at which somebody has a role, or one of a
student or of staff, their chief role's first; those of `staff` who teach a class, the primary
first."""

ROLES: Final = ("role", "studentRole", "staffRole", "kinRole")
"""Beside a user: the chief one of all roles, or of those of students, of staff, of parents and
guardians. It is the primary role at the primary org, else the first primary one, else the first."""

_RELATIONSHIPS: Final = ("userSourcedId", "agentSourcedId")


@dataclass(frozen=True, slots=True)
class Hop:
    """From a row to one beside it."""

    name: str
    target: str
    """The entity that the other row is of."""
    by: str | None
    """The column that refers to it; None where it does not stand in the row."""


@dataclass(frozen=True, slots=True)
class Path:
    """From a row of a view to a cell."""

    hops: tuple[Hop, ...]
    column: str


@cache
def resolved(view: str, name: str) -> Path:
    """What a name stands for in a view. Raises ValueError with the nearest that there is."""
    entity, rest, hops = VIEWS[view], name, []
    while not rest.startswith(METADATA) and "." in rest:
        said, _, rest = rest.partition(".")
        beside = beside_rows_of(entity)
        if said not in beside:
            hint = nearest(said, beside, "there are")
            raise ValueError(f"{name}: beside {entity} there is no {said}; {hint}")
        hops.append(beside[said])
        entity = beside[said].target
    known = columns_of(entity)
    if rest not in known and not (rest.startswith(METADATA) and rest != METADATA):
        if rest == "password":
            raise ValueError("passwords are never kept, so none can be written")
        raise ValueError(f"{entity} have no {rest}; {nearest(rest, known, 'there are')}")
    return Path(tuple(hops), rest)


@cache
def columns_of(entity: str) -> tuple[str, ...]:
    """The columns and lists of an entity's rows, or of relationships; none that holds a secret."""
    # Stated beside heavy libraries, which only those wait for who name a column.
    from roster_pipeline.oneroster.entities import SECRET, names

    if entity == "relationships":
        return _RELATIONSHIPS
    return (*(name for name in names(entity) if name not in SECRET), *LISTS.get(entity, ()))


@cache
def beside_rows_of(entity: str) -> Mapping[str, Hop]:
    """What stands beside the rows of an entity, by name."""
    from roster_pipeline.oneroster.entities import Kind, references

    if entity == "relationships":
        return {
            name.removesuffix("SourcedId"): Hop(name.removesuffix("SourcedId"), "users", name)
            for name in _RELATIONSHIPS
        }
    found = {
        name: Hop(name, str(column.target), column.name)
        for column in references(entity)
        if column.kind is Kind.REFERENCE
        and (name := column.name.removesuffix("SourcedId")) != column.name
    }
    if entity == "demographics":
        found["user"] = Hop("user", "users", "sourcedId")
    if entity == "users":
        found |= {name: Hop(name, "roles", None) for name in ROLES}
        found["demographics"] = Hop("demographics", "demographics", "sourcedId")
    return found
