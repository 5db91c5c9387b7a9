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
    return f"did you mean {near[0]}?" if near else f"{listed} {', '.join(known)}"


def named_columns(name: str) -> "tuple[Column, ...]":
    """The columns that `entity.column` names, one for each version that has it; extension columns,
    `users.metadata.house`, are known to both. Raises ValueError with the nearest that there is."""
    # Stated beside heavy libraries, which only those wait for who name a column.
    from roster_pipeline.oneroster.entities import (
        ENTITIES,
        ENTITIES_1P1,
        Column,
        Kind,
        Required,
        columns,
        columns_1p1,
    )

    entity, dot, column = name.partition(".")
    if not dot or not column:
        raise ValueError(f"{name}: say an entity and a column, such as users.grades")
    if entity not in ENTITIES:
        hint = nearest(entity, ENTITIES, "the entities are")
        raise ValueError(f"no entity is called {entity}; {hint}")
    if column.startswith(METADATA) and column != METADATA:
        return (Column(column, Kind.STRING, Required.NEVER),)
    tables = [columns(entity), columns_1p1(entity) if entity in ENTITIES_1P1 else ()]
    found = tuple(each for table in tables for each in table if each.name == column)
    if not found:
        known = list(dict.fromkeys(each.name for table in tables for each in table))
        raise ValueError(
            f"{entity} has no column {column}; {nearest(column, known, 'its columns are')}"
        )
    return found
