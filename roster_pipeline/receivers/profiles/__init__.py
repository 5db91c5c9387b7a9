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


class OneRosterFormat(_Part):
    """A OneRoster CSV package."""

    version: Literal["1.1", "1.2"]
    """Of the OneRoster CSV binding that the package follows."""


class Profile(_Part):
    """One receiver's format."""

    title: str
    archive: Archive = Archive()
    modes: tuple[Mode, ...] = ("bulk",)
    """What the receiver takes: the whole roster each time, changes only."""
    oneroster: OneRosterFormat | None = None
    ask: tuple[str, ...] = ()
    """What to ask the receiver for, or about, before the first delivery; sentences."""
    variants: Mapping[str, Mapping[str, Any]] = {}
    """By name what another reading of the receiver's pages says otherwise: keys of this file."""

    @model_validator(mode="after")
    def _has_a_format(self) -> Self:
        if self.oneroster is None:
            raise ValueError("say `oneroster`")
        return self


@cache
def names() -> tuple[str, ...]:
    """The profiles that are shipped, in alphabetical order."""
    files = resources.files(__name__).iterdir()
    return tuple(sorted(f.name.removesuffix(".yaml") for f in files if f.name.endswith(".yaml")))


@cache
def load(name: str, variant: str | None = None) -> Profile:
    """One shipped profile by its name, with one of its variants; `KeyError` where there is none."""
    if name not in names():
        raise KeyError(name)
    text = resources.files(__name__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    profile = Profile.model_validate(yaml.safe_load(text))
    if variant is None:
        return profile
    said = profile.model_dump(exclude={"variants"}, exclude_unset=True)
    return Profile.model_validate(_laid_over(said, profile.variants[variant]))


def _laid_over(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    laid = dict(under)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(laid.get(key), Mapping)
        laid[key] = _laid_over(laid[key], value) if both else value
    return laid
