"""What receivers accept: one YAML file each, read as data."""

from functools import cache
from importlib import resources
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict


class Profile(BaseModel):
    """One receiver's format."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    version: Literal["1.1", "1.2"]
    """The version of the OneRoster CSV binding that the package follows."""
    mode: Literal["bulk"]
    """Bulk: the whole roster each time."""


@cache
def names() -> tuple[str, ...]:
    """The profiles that are shipped, in alphabetical order."""
    files = resources.files(__name__).iterdir()
    return tuple(sorted(f.name.removesuffix(".yaml") for f in files if f.name.endswith(".yaml")))


@cache
def load(name: str) -> Profile:
    """One shipped profile by its name; `KeyError` where there is none."""
    if name not in names():
        raise KeyError(name)
    text = resources.files(__name__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    return Profile.model_validate(yaml.safe_load(text))
