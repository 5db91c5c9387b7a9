"""Vendor profiles: how each vendor's exports differ, as data. One YAML file each."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError

from roster_pipeline.fields import Part, Text
from roster_pipeline.sources.mapping.config import CsvMapping
from roster_pipeline.sources.repairs_config import Mending, over
from roster_pipeline.sources.rest_config import Accents

_HERE = files(__name__)


class UnknownVendorError(ValueError):
    """No profile has this name."""


class ProfileError(ValueError):
    """A profile is no sound YAML, or says what no profile can say; its sentence has the first slip.

    `file` and `content` are for whoever can say the places of all of them.
    """

    def __init__(self, name: str, file: str, content: bytes, slip: str) -> None:
        super().__init__(
            f"the profile of the vendor {name} is wrong: {slip}; "
            f"`roster vendor show {name}` says where"
        )
        self.file = file
        self.content = content


class Secrets(Part):
    """What the names of columns that hold secrets look like, in small letters without signs."""

    # The standard knows `password`; the others are what exports have been seen to call it.
    words: Annotated[tuple[Text, ...], Field(min_length=1)] = (
        "password",
        "passphrase",
        "passcode",
        "passwd",
        "paswd",
        "pwd",
    )
    """Found anywhere in a name; the longer ones with one slip in them too."""
    names: tuple[Text, ...] = ("pass", "pw", "psw")
    """The whole of a name."""


class Advice(Part):
    """What to do in this vendor's system, in whole sentences for whoever connects a district."""

    steps: tuple[Text, ...] = ()
    """How access is set up there, in order."""
    notes: tuple[Text, ...] = ()
    """What to know before: versions, hours, what the server leaves out."""
    uncertain: tuple[Text, ...] = ()
    """What is not known for certain, and whom to ask."""
    unauthorized: Text | None = None
    """What to look at when credentials are not taken."""
    forbidden: Text | None = None
    """Which permission to switch on when a request is refused."""
    empty: dict[Text, Text] = Field(default_factory=dict)
    """Collection, or `*` for any → what to switch on when it has no records."""
    missing: Text | None = None
    """What to look at when the collections are not there."""


class Vendor(Part):
    """The accents of one vendor's exports."""

    title: Text
    defaults: Mapping[str, Any] = Field(default_factory=dict)
    """Keys of a source's file, with the value that holds where the source does not say."""
    rest: Accents | None = None
    """How its OneRoster servers differ; None where nothing is known of them."""
    mapping: CsvMapping | None = None
    """How OneRoster is made of its exports; None where they are OneRoster."""
    advice: Advice = Field(default_factory=Advice)
    secrets: Secrets = Field(default_factory=Secrets)
    """Columns and properties with such names are blanked before anything is kept."""

    @property
    def mending(self) -> Mending:
        """How cells are mended where no source says more."""
        return Mending.model_validate(over(self.defaults, {}))


@cache
def known() -> tuple[str, ...]:
    """The names of all profiles, sorted."""
    return tuple(
        sorted(
            file.name.removesuffix(".yaml")
            for file in _HERE.iterdir()
            if file.name.endswith(".yaml")
        )
    )


@cache
def load(name: str) -> Vendor:
    """The profile of this name. Raises `UnknownVendorError` with the known ones in its sentence,
    and `ProfileError`."""
    if name not in known():
        raise UnknownVendorError(
            f"no vendor profile is called {name!r}; the profiles are {', '.join(known())}"
        )
    file = _HERE / f"{name}.yaml"
    content = file.read_bytes()
    try:
        return Vendor.model_validate(yaml.safe_load(content))
    except ValidationError as error:
        raise ProfileError(name, str(file), content, _first_of(error)) from None
    except (yaml.YAMLError, ValueError):  # ValueError: what looks like a date and is none
        raise ProfileError(name, str(file), content, "it is not YAML") from None


def _first_of(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    key = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        return f"no key is called `{key}`"
    said = first["msg"].removeprefix("Value error, ")
    return f"`{key}`: {said}" if key else said
