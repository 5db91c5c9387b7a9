"""Columns as the user's YAML names them: `users.grades`, of OneRoster 1.1 or 1.2."""

from collections.abc import Collection
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from roster_pipeline.oneroster.entities import Column

METADATA: Final = "metadata."


def nearest(name: str, known: Collection[str], listed: str) -> str:
    """What somebody may have meant who wrote `name`; else all that is `known`, after `listed`."""
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"{listed} {', '.join(known) or 'none'}"


def named_columns(name: str, version: str | None = None) -> "tuple[Column, ...]":
    """The columns that `entity.column` names, one for each version that has it, or those of one
    version; extension columns, `users.metadata.house`, are known to both. Raises ValueError with
    the nearest that there is."""
    # Stated beside heavy libraries, which only those wait for who name a column.
    from roster_pipeline.oneroster.entities import ENTITIES, Column, Kind, Required

    entity, dot, column = name.partition(".")
    if not dot or not column:
        raise ValueError(f"{name}: say an entity and a column, such as users.grades")
    if entity not in ENTITIES:
        hint = nearest(entity, ENTITIES, "the entities are")
        raise ValueError(f"no entity is called {entity}; {hint}")
    tables = _tables(entity)
    here = [table for of, table in tables.items() if version in (None, of)]
    if column.startswith(METADATA) and column != METADATA and any(here):
        return (Column(column, Kind.STRING, Required.NEVER),)
    found = tuple(each for table in here for each in table if each.name == column)
    if found:
        return found
    known = list(dict.fromkeys(each.name for table in tables.values() for each in table))
    if column in known or not any(here):
        raise ValueError(f"OneRoster {version} has no {name}")
    raise ValueError(
        f"{entity} has no column {column}; {nearest(column, known, 'its columns are')}"
    )


def _tables(entity: str) -> "dict[str, tuple[Column, ...]]":
    """The columns of an entity by version; none where the version has no such file."""
    from roster_pipeline.oneroster.entities import ENTITIES_1P1, columns, columns_1p1

    return {
        "1.2": columns(entity),
        "1.1": columns_1p1(entity) if entity in ENTITIES_1P1 else (),
    }
