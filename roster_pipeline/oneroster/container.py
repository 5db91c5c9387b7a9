"""The outside of a package: a zip or a folder, and which member is which file of the standard."""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, Protocol

from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.oneroster.findings import FindingGroup, Findings
from roster_pipeline.oneroster.header import nearest
from roster_pipeline.oneroster.reading_rules import RULES
from roster_pipeline.tables.archive import Limits, ZipReader

# What operating systems leave in archives; never data.
_LITTER = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")
_TOP: Final = "."


class Container(Protocol):
    """Something that holds named files."""

    @property
    def names(self) -> tuple[str, ...]:
        """All file names, with `/` between folders."""

    def open(self, name: str) -> BinaryIO:
        """One file, to be read once from the front."""


class FolderContainer:
    """Files in a folder, not deeper than one wrapping folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def names(self) -> tuple[str, ...]:
        """File names relative to the folder, sorted."""
        found = (path for depth in ("*", "*/*") for path in self._folder.glob(depth))
        return tuple(sorted(p.relative_to(self._folder).as_posix() for p in found if p.is_file()))

    def open(self, name: str) -> BinaryIO:
        """Open one file."""
        return (self._folder / name).open("rb")


@contextmanager
def open_container(where: Path | BinaryIO, limits: Limits | None = None) -> Iterator[Container]:
    """Open a zip (path or seekable file) or a folder.

    Raises `ArchiveError` for a zip that cannot be trusted and `FileNotFoundError` where nothing is.
    """
    if isinstance(where, Path) and where.is_dir():
        yield FolderContainer(where)
        return
    file = where.open("rb") if isinstance(where, Path) else where
    try:
        file.seek(0, io.SEEK_SET)
        with ZipReader(file, limits or Limits()) as reader:
            yield reader
    finally:
        if isinstance(where, Path):
            file.close()


def locate(names: tuple[str, ...], known: tuple[str, ...]) -> tuple[dict[str, str], Findings]:
    """Match members to the known file names (without `.csv`).

    One wrapping folder, litter, and a file name in the wrong case are tolerated, each with a
    finding; any other member is named and ignored. Of two members for one file the later is
    ignored and the package stops.
    """
    files = [name for name in names if not name.endswith("/")]
    litter = [name for name in files if is_litter(name)]
    members = [name for name in files if not is_litter(name)]
    folded = {f"{name}.csv".casefold(): name for name in known}
    folder = _folder_of([PurePosixPath(name) for name in members], folded)
    findings = Findings()
    if litter:
        findings.add(RULES["package.litter"].at(litter[0]))
    if folder != _TOP:
        code = "package.nested_folder" if "/" in folder else "package.wrapping_folder"
        findings.add(RULES[code].at("package"))
    located: dict[str, str] = {}
    for member in members:
        path = PurePosixPath(member)
        name = folded.get(path.name.casefold())
        if name is None:
            findings.add(_unknown(member, path.name, known))
        elif path.parent.as_posix() != folder:
            message = f"{name}.csv lies in another folder than the files that are read"
            findings.add(
                RULES["package.nested_folder"].at(member, message=message, entity=_entity(name))
            )
        elif name in located:
            message = f"the package holds {name}.csv twice"
            findings.add(
                RULES["package.duplicate_file"].at(member, message=message, entity=_entity(name))
            )
        else:
            located[name] = member
            if path.name != f"{name}.csv":
                message = f"the name should be spelt {name}.csv"
                findings.add(
                    RULES["package.name_case"].at(member, message=message, entity=_entity(name))
                )
    return located, findings


def _folder_of(paths: list[PurePosixPath], folded: Mapping[str, str]) -> str:
    """The folder whose files are read: the only one with files of the standard, or of several the
    only one with a manifest, else the top."""
    theirs = {path.parent.as_posix() for path in paths if path.name.casefold() in folded}
    if len(theirs) > 1:
        theirs = {p.parent.as_posix() for p in paths if folded.get(p.name.casefold()) == "manifest"}
    return theirs.pop() if len(theirs) == 1 else _TOP


def _unknown(member: str, name: str, known: tuple[str, ...]) -> FindingGroup:
    near = nearest(name.removesuffix(".csv"), known) if name.endswith(".csv") else None
    said = f"; {near}.csv may be meant" if near else ""
    rule = RULES["package.unknown_file"]
    return rule.at(member, message=f"{rule.message}{said}")


def is_litter(name: str) -> bool:
    """Whether an operating system left a file in an archive."""
    last = PurePosixPath(name).name
    return name.startswith(_LITTER[0]) or last in _LITTER or last.startswith("._")


def _entity(name: str) -> str | None:
    return name if name in ENTITIES else None
