"""For each rule a smallest package that breaks it and only it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from roster_pipeline.oneroster.rules import LENIENT, Policy
from roster_pipeline.sources.mapping.config import CsvMapping
from tests.small import Row, district, packed

Files = dict[str, list[Row]]

TODAY: Final = date(2026, 10, 1)
"""A day within the small district's only term."""


def row_of(files: Files, name: str, key: str) -> Row:
    """The row of a file that has a sourcedId."""
    return next(row for row in files[name] if row["sourcedId"] == key)


def _nothing(_: Files) -> None:
    return


@dataclass(frozen=True)
class Breaks:
    """The small district with one thing wrong in it."""

    code: str
    change: Callable[[Files], None] = _nothing
    """What is done to the rows of the files before they are packed."""
    version: str = "1.2"
    modes: Mapping[str, str] = field(default_factory=dict)
    """Other than bulk, by file."""
    members: Callable[[Files], Mapping[str, bytes]] | None = None
    """Members to put in the place of, or beside, the packed ones, made of the changed rows."""
    repack: Callable[[bytes], bytes] | None = None
    """What is done to the finished zip."""
    base: Callable[[Files], None] | None = None
    """The accepted roster that it is judged against: the small district, changed by this."""
    mapping: Callable[[Files], CsvMapping] | None = None
    """What makes OneRoster of it, for the rows of a district; None where it is OneRoster."""
    policy: Policy = LENIENT
    file: str | None = None
    """Where the finding must point, as far as it is said."""
    line: int | None = None
    column: str | None = None
    count: int = 1
    """How many findings there are; all have the code."""
    also: tuple[str, ...] = ()
    """Codes of findings that follow from it, each naming a cause."""
    beside: tuple[str, ...] = ()
    """Codes of findings without which there is no such finding."""
    why: str = ""
    """Tells two cases of one rule apart."""

    def __str__(self) -> str:
        return f"{self.code} {self.why}".strip()

    def package(self) -> bytes:
        """The package."""
        files = district(self.version)
        self.change(files)
        members = None if self.members is None else self.members(files)
        made = packed(files, version=self.version, modes=self.modes, extra=members)
        return made if self.repack is None else self.repack(made)

    def made_by(self) -> CsvMapping | None:
        """The mapping by which it is read."""
        return None if self.mapping is None else self.mapping(district(self.version))

    def accepted(self) -> bytes | None:
        """The package that was accepted before."""
        if self.base is None:
            return None
        files = district(self.version)
        self.base(files)
        return packed(files, version=self.version)
