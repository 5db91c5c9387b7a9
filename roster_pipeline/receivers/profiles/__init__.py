"""What receivers accept: one YAML file each, read as data.

A profile is of one of two formats: a OneRoster package (`oneroster`) or files of the receiver's own
(`columns`). What a receiver's pages leave open is a variant: a few keys laid over the profile.
"""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

from roster_pipeline.receivers.columns.config import ColumnsFormat
from roster_pipeline.receivers.in_force_config import Without

Mode = Literal["bulk", "delta"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Archive(_Part):
    """How the files travel."""

    kind: Literal["zip", "files"] = "zip"
    """One zip, or loose files in a folder."""
    name: str | None = None
    """What the zip has to be called, where the receiver insists on it."""
    most_bytes: int | None = None
    """How large the archive may be."""


class People(_Part):
    """Whom a receiver takes, and as what."""

    words: Mapping[str, str] | None = None
    """The receiver's word for each role of 1.2; a role that is not named has none, and who has no
    other leaves. Without `words` it takes every role that its version of the standard has."""
    precedence: tuple[str, ...] = ()
    """In 1.1 one person has one role: of several the one that stands first here; else the primary
    one, at the primary org before others."""
    names: Literal["legal", "preferred"] = "legal"
    """What stands as a person's name; who has no preferred one goes by the legal one."""
    role_column: str | None = None
    """In 1.1 the metadata column of users, without the prefix, that tells a person's role in the
    words of 1.2; what the roster has there is written over."""


class OneRosterFormat(_Part):
    """A OneRoster CSV package, and in what it is otherwise than the standard's whole."""

    version: Literal["1.1", "1.2"]
    """Of the OneRoster CSV binding that the package follows."""
    files: tuple[str, ...] | None = None
    """The entities that are sent, all of the version by default; others are declared absent."""
    manifest: bool = True
    people: People = People()
    without: Without = Without()
    """Which roles and enrollments stay at home by their dates."""
    words: Mapping[str, Mapping[str, str | None]] = {}
    """By `entity.column` the words that the receiver has, and its word for each; null is blank. A
    row with another leaves if the standard demands the column, else the cell is blank."""
    blank: Mapping[str, tuple[str, ...]] = {}
    """By entity the columns that stay empty: what the receiver has no use for stays at home."""
    primary: Literal["everybody", "teachers"] = "everybody"
    """Of whose enrollments `primary` is told."""
    ids: Literal["as_they_are", "prefixed_where_they_clash"] = "as_they_are"
    """Whether a sourcedId that an entity before has as well gets a prefix: `class-` and the like.
    Entities count in the order of the standard, and the first keeps its own."""
    metadata: tuple[str, ...] | None = None
    """The `metadata.` columns that go along, without the prefix; all by default."""
    spelling: Mapping[str, Mapping[str, str]] = {}
    """By entity the header's names where they are not the standard's."""
    resource_ids: bool = False
    """Whether users.csv of 1.2 has `resourceSourcedIds`, as the text of June 2022 demands."""
    newline: Literal["crlf", "lf"] = "crlf"
    byte_order_mark: bool = False


class Check(_Part):
    """One look at what goes out, before it does, in the receiver's own terms."""

    check: Literal[
        "filled",
        "unique",
        "unique_ids",
        "matches",
        "files",
        "at_most",
        "student_in_each_class",
        "inside_sessions",
        "one_primary_teacher",
    ]
    """The strategy, by its name in `receivers.checking`."""
    entity: str | None = None
    entities: tuple[str, ...] = ()
    """Of `files` those that have to have rows; all that are sent by default."""
    columns: tuple[str, ...] = ()
    """What a strategy about cells looks at; of several it is content with any."""
    roles: tuple[str, ...] = ()
    """Of users only those with one of these roles of 1.2."""
    pattern: str | None = None
    most: int | None = None
    says: str
    """What the receiver wants, in a clause: "Apple needs an e-mail for each federated user"."""
    stops: bool = False
    """Whether the receiver would refuse the whole delivery."""


class Profile(_Part):
    """One receiver's format."""

    title: str
    archive: Archive = Archive()
    modes: tuple[Mode, ...] = ("bulk",)
    """What the receiver takes: the whole roster each time, changes only."""
    oneroster: OneRosterFormat | None = None
    columns: ColumnsFormat | Literal["of-the-destination"] | None = None
    """Files of the receiver's own; or they stand in the destination's file, under `columns`."""
    checks: tuple[Check, ...] = ()
    host: str | None = None
    """The receiver's SFTP server, where all its customers have the same."""
    about: str = ""
    """What is worth knowing of the receiver, in a few sentences."""
    ask: tuple[str, ...] = ()
    """What to ask the receiver for, or about, before the first delivery; sentences."""
    variants: Mapping[str, Mapping[str, Any]] = {}
    """By name what another reading of the receiver's pages says otherwise: keys of this file, and
    `title`, which says what the variant is."""

    @model_validator(mode="after")
    def _has_a_format(self) -> Self:
        if (self.oneroster is None) == (self.columns is None):
            raise ValueError("say `oneroster` or `columns`")
        return self


@cache
def names() -> tuple[str, ...]:
    """The profiles that are shipped, in alphabetical order."""
    files = resources.files(__name__).iterdir()
    return tuple(sorted(f.name.removesuffix(".yaml") for f in files if f.name.endswith(".yaml")))


@cache
def load(name: str, variant: str | tuple[str, ...] | None = None) -> Profile:
    """One shipped profile by its name, with one of its variants, or several; `KeyError` where there
    is none. Raises `ValueError`, with a sentence, for variants that contradict one another."""
    if name not in names():
        raise KeyError(name)
    text = resources.files(__name__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    profile = Profile.model_validate(yaml.safe_load(text))
    named = (variant,) if isinstance(variant, str) else variant or ()
    if not named:
        return profile
    over = dict(profile.variants[named[0]])
    for other in named[1:]:
        more = {key: said for key, said in profile.variants[other].items() if key != "title"}
        if (key := _contradiction(over, more)) is not None:
            raise ValueError(
                f"{' and '.join(named)} do not go together: they say different things of {key}"
            )
        over = _together(over, more)
    said = profile.model_dump(exclude={"variants"}, exclude_unset=True)
    return Profile.model_validate(_laid_over(said, over))


def _contradiction(one: Mapping[str, Any], other: Mapping[str, Any]) -> str | None:
    """A key of which two documents say different things."""
    for key in (key for key in other if key in one and other[key] != one[key]):
        if not isinstance(one[key], Mapping) or not isinstance(other[key], Mapping):
            if key != "checks":
                return key
        elif (found := _contradiction(one[key], other[key])) is not None:
            return found
    return None


def _together(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """What two documents say that do not contradict each other."""
    both = {**one, **other}
    for key in (key for key in other if key in one):
        if isinstance(other[key], Mapping):
            both[key] = _together(one[key], other[key])
        elif key == "checks":
            both[key] = [*one[key], *(check for check in other[key] if check not in one[key])]
    return both


def _laid_over(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """One document over another; null takes out what is under it."""
    laid = dict(under)
    for key, value in over.items():
        if value is None:
            laid.pop(key, None)
            continue
        both = isinstance(value, Mapping) and isinstance(laid.get(key), Mapping)
        laid[key] = _laid_over(laid[key], value) if both else value
    return laid
