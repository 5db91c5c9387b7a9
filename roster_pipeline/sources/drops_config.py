"""What a source's file says of drops that are more than a plain zip.

files: ["*.csv"]
files: {names: ["*.csv", "*.csv.gz"], wait_minutes: 120}
encryption: {password: {env: SPRINGFIELD_ZIP_PASSWORD}}
encryption: {pgp: {private_key: {file: keys/roster.asc}, passphrase: {env: ROSTER_PGP_PASSPHRASE}}}
archive: processed/{date}
"""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Final, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictInt,
    field_validator,
    model_validator,
)

from roster_pipeline.fields import Part, Text
from roster_pipeline.transport.config import Secret

DATE: Final = "{date}"


class LooseFiles(Part):
    """Files that make a drop together, without a zip around them."""

    names: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Shell patterns for their names; case counts. `.gz` and, with `encryption: {pgp: …}`, `.pgp`,
    `.gpg` and `.asc` are taken off."""
    wait_minutes: Annotated[StrictInt, Field(ge=0, le=1440)] = 60
    """For how long after the newest file those are waited for that came last time and did not come
    again yet. Then the others are taken without them. With a marker nothing is waited for."""

    @field_validator("names")
    @classmethod
    def _files_of_a_folder(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if "/" in name:
                raise ValueError(f"{name}: a pattern is for names; say the folder as `folder`")
            if name.casefold().endswith(".zip"):
                raise ValueError(f"{name}: a zip is a whole drop; say `pattern` and not `files`")
        return names


def _names(value: Any) -> Any:
    if isinstance(value, str):
        raise ValueError(f'say a list of names or patterns for them, such as ["{value}"]')
    return {"names": value} if isinstance(value, list) else value


Files = Annotated[
    LooseFiles, BeforeValidator(_names, json_schema_input_type=list[Text] | LooseFiles)
]
"""Loose files; a list is short for their `names`."""


class Pgp(Part):
    """Files encrypted with OpenPGP (PGP, GnuPG) for a key of ours."""

    private_key: Secret
    """The key, armored, with its secret part."""
    passphrase: Secret | None = None
    """Unlocks `private_key`."""
    signed_by: Secret | None = None
    """The district's public key, armored. A file that it has not signed is then refused."""


class Encryption(Part):
    """How drops are encrypted. Exactly one of the two."""

    password: Secret | None = None
    """Of zips: AES (as WinZip and 7-Zip make them) or the old ZipCrypto."""
    pgp: Pgp | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.password is None) == (self.pgp is None):
            raise ValueError("give exactly one of `password` (zips) and `pgp`")
        return self


def _a_folder(folder: str) -> str:
    rest = folder.replace(DATE, "")
    if "{" in rest or "}" in rest:
        raise ValueError("only {date} can stand in braces")
    parts = PurePosixPath(folder).parts
    if ".." in parts or not [part for part in parts if part != "/"]:
        raise ValueError("say a folder such as processed or processed/{date}")
    return folder


Archive = Annotated[Text, AfterValidator(_a_folder)]
"""A folder on the server, from `folder` on or absolute; `{date}` is the date of the drop."""


def one_of(data: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """A vendor's defaults without `files` where a source says `pattern`, and the reverse."""
    other = {"pattern": "files", "files": "pattern"}
    dropped = {other[key] for key in other if key in data}
    return {key: value for key, value in defaults.items() if key not in dropped}
