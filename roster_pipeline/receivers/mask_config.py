"""What a destination's file says of cells that its receiver shall not see.

mask:
  drop: [demographics, users.phone, users.metadata.house]
  hash: [users.sourcedId, users.identifier]
  blank: [orgs.identifier]
mask_key: {env: ROSTER_MASK_KEY}
"""

from collections.abc import Iterator
from typing import Final, Self

from pydantic import field_validator, model_validator

from roster_pipeline.fields import Part, Text
from roster_pipeline.oneroster.named_columns import named_columns, nearest

EXTENSIONS: Final = "metadata"
"""Stands, as a column, for all that an entity has besides those of the standard."""


class Mask(Part):
    """Columns by the names that OneRoster 1.2 has for them, such as users.phone, in one list each.

    An extension column is found whichever of its letters are capitals; users.metadata is all of
    them, those of tomorrow too. Cells that stay say what they said: a sourcedId that was made of a
    name, or an id that stands in a second column too, has to be named itself.
    """

    drop: tuple[Text, ...] = ()
    """Columns that do not go out, or entities of which no row does. A column of the standard stays
    where a format asks for it, and has no cells."""
    hash: tuple[Text, ...] = ()
    """Columns of which a keyed hash goes out: 32 hexadecimal digits, the same for the same text
    wherever it stands. With a sourcedId, all that refers to it is hashed."""
    blank: tuple[Text, ...] = ()
    """Columns that go out without cells."""

    @field_validator("drop")
    @classmethod
    def _may_go(cls, named: tuple[str, ...]) -> tuple[str, ...]:
        _require(_why_not_dropped(name) for name in named)
        return named

    @field_validator("hash")
    @classmethod
    def _may_be_hashed(cls, named: tuple[str, ...]) -> tuple[str, ...]:
        _require(_why_not_hashed(name) for name in named)
        return named

    @field_validator("blank")
    @classmethod
    def _may_be_empty(cls, named: tuple[str, ...]) -> tuple[str, ...]:
        _require(_why_not_empty(name) for name in named)
        return named

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        named = [*self.drop, *self.hash, *self.blank]
        if not named:
            raise ValueError("this masks nothing; leave `mask` out")
        for name in named:
            if named.count(name) > 1 or any(name.startswith(f"{other}.") for other in named):
                raise ValueError(f"{name} is masked twice; leave one")
        return self

    @property
    def entities(self) -> tuple[str, ...]:
        """The entities of which no row goes out."""
        return tuple(name for name in self.drop if "." not in name)


def _require(reasons: Iterator[str | None]) -> None:
    if reason := next((reason for reason in reasons if reason), None):
        raise ValueError(reason)


def _why_not_dropped(name: str) -> str | None:
    # Stated beside heavy libraries, which only those wait for who mask something.
    from roster_pipeline.oneroster.entities import ENTITIES, Required, references

    if "." in name:
        return _why_not_empty(name)
    if name not in ENTITIES:
        hint = nearest(name, ENTITIES, "the entities are")
        return f"no entity is called {name}; {hint}"
    for entity in ENTITIES:
        for column in references(entity):
            if column.target == name and column.required is Required.ALWAYS:
                return f"{name} cannot be dropped: {entity}.{column.name} has to refer to one"
    return None


def _why_not_empty(name: str) -> str | None:
    from roster_pipeline.oneroster.entities import ENTITIES, Required

    if name in {f"{entity}.{EXTENSIONS}" for entity in ENTITIES}:
        return None
    (column,) = named_columns(name, "1.2")
    if column.name == "sourcedId":
        return f"{name} cannot go: a row is known by it; to send another one, say it under `hash`"
    if column.required is Required.ALWAYS:
        return f"{name} cannot go: OneRoster requires it; a text can be hashed instead"
    if column.required is Required.DELTA:
        return f"{name} cannot go: packages of changes need it"
    return None


def _why_not_hashed(name: str) -> str | None:
    from roster_pipeline.oneroster.entities import Kind

    if name.endswith(f".{EXTENSIONS}"):
        return f"{name} is many columns: say which, such as {name}.house; or drop or blank it"
    (column,) = named_columns(name, "1.2")
    if column.target is not None:
        return (
            f"{name} refers to {column.target}: say {column.target}.sourcedId, and all that refers "
            "to it is hashed too"
        )
    if column.kind not in (Kind.GUID, Kind.STRING):
        return f"{name} holds more than plain text, and a hash does not fit there; drop or blank it"
    return None
