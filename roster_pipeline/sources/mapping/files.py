"""Which member of a drop is which file of a mapping, and which of its columns are there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Final

from roster_pipeline.oneroster.container import Container, is_litter
from roster_pipeline.oneroster.findings import FindingGroup, Findings, Severity
from roster_pipeline.oneroster.header import nearest
from roster_pipeline.oneroster.reading_rules import RULES
from roster_pipeline.oneroster.text_faults import unreadable
from roster_pipeline.sources.mapping.config import CsvMapping, SourceFile
from roster_pipeline.sources.mapping.names import names_used
from roster_pipeline.tables.archive import ArchiveError
from roster_pipeline.tables.csv_blocks import CsvBlocks, CsvError

_WILD: Final = frozenset("*?[")


@dataclass(frozen=True)
class Found:
    """One file of a mapping in a drop."""

    member: str | None
    """None where it is not there, or cannot be told from others."""
    findings: tuple[FindingGroup, ...] = ()
    """What is odd about it; with a STOP it is not read."""
    places: Mapping[str, int | None] = field(default_factory=dict)
    """Name of a column, as the mapping has it → where it stands; None for one that may be missing
    and is."""

    @property
    def stopped(self) -> bool:
        """Whether none of its rows may be used."""
        return any(group.severity is Severity.STOP for group in self.findings)


def match_members(names: Sequence[str], mapping: CsvMapping) -> tuple[dict[str, Found], Findings]:
    """Name in the mapping → what of the drop it is; and findings about members that are none.

    A name without wildcards goes before patterns, and of patterns the one that is stated first.
    """
    members = [name for name in names if not name.endswith("/") and not is_litter(name)]
    theirs: dict[str, list[str]] = {key: [] for key in mapping.files}
    findings = Findings()
    for member in members:
        key = _key_of(member, mapping.files)
        if key is None:
            findings.add(
                RULES["package.unknown_file"].at(
                    member,
                    message="the mapping has no such file; it was not read",
                    fix="leave it out of the drop, or name it in `files` of the mapping",
                )
            )
        else:
            theirs[key].append(member)
    found = {key: _found(file, theirs[key]) for key, file in mapping.files.items()}
    return found, findings


def _key_of(member: str, files: Mapping[str, SourceFile]) -> str | None:
    name = PurePosixPath(member).name.casefold()
    fitting = [key for key, file in files.items() if fnmatchcase(name, file.name.casefold())]
    plain = [key for key in fitting if not _WILD & set(files[key].name)]
    return next(iter([*plain, *fitting]), None)


def _found(file: SourceFile, members: Sequence[str]) -> Found:
    if len(members) == 1:
        return Found(members[0])
    if len(members) > 1:
        rule = RULES["package.duplicate_file"]
        message = f"{len(members)} files are called {file.name}, and one is expected"
        return Found(None, (rule.at(members[1], message=message, fix="send one of them"),))
    if not file.required:
        return Found(None)
    rule = RULES["package.missing_file"]
    return Found(
        None,
        (
            rule.at(
                file.name,
                severity=Severity.STOP,
                message="no file of the drop is called so, and the mapping needs it",
                fix="send the file; if it is there by another name, say it in `files` of the "
                "mapping; where it may be missing, say `required: false`",
            ),
        ),
    )


def look_into(container: Container, key: str, found: Found, mapping: CsvMapping) -> Found:
    """A file with what stands in its first line. Columns that nobody knows are told, and keep
    nobody from reading it."""
    member, file = found.member, mapping.files[key]
    if member is None:
        return found
    try:
        with container.open(member) as stream:
            header = CsvBlocks(stream).header
    except (CsvError, ArchiveError) as error:
        return Found(member, (unreadable(error, member),))
    there = {name.strip().casefold(): place for place, name in reversed([*enumerate(header)])}
    places = {name: there.get(name.casefold()) for name in names_used(mapping, key)}
    missing = [
        name for name, place in places.items() if place is None and not _fits(name, file.optional)
    ]
    if places and all(place is None for place in places.values()):
        return Found(member, (_no_header(member),))
    unknown = [
        name
        for place, name in enumerate(header)
        if place not in places.values() and not _fits(name, file.ignore)
    ]
    findings = (*_missing(member, missing, unknown), *_unknown(member, unknown))
    return Found(member, findings, places)


def _no_header(member: str) -> FindingGroup:
    """Told without what stands there: it may be cells of a person's row."""
    return RULES["header.none"].at(
        member,
        line=1,
        message="the first line has none of the columns that the mapping names",
        fix="name the columns in the first line, separated by commas, and see that this is the "
        "mapping for these files",
    )


def _missing(member: str, missing: Sequence[str], unknown: Sequence[str]) -> Iterator[FindingGroup]:
    for name in missing:
        near = nearest(name, unknown)
        yield RULES["header.missing_column"].at(
            member,
            name,
            line=1,
            message="the mapping takes this column, and the file has none of that name"
            + (f"; {near} may be meant" if near else ""),
            fix="export the column, or name it in the mapping as the file does; where it may be "
            "missing, list it in `optional` of the file",
        )


def _unknown(member: str, unknown: Sequence[str]) -> Iterator[FindingGroup]:
    for name in unknown:
        yield RULES["header.unknown_column"].at(
            member,
            name,
            line=1,
            message="the mapping says nothing of this column; it was not read",
            fix="take it in a value, or list it in `ignore` of the file in the mapping",
        )


def _fits(name: str, patterns: Sequence[str]) -> bool:
    folded = name.strip().casefold()
    return any(
        folded == pattern.casefold() or fnmatchcase(folded, pattern.casefold())
        for pattern in patterns
    )
