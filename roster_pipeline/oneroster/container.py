"""The outside of a package: a zip or a folder, and which member is which file of the standard."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.oneroster.findings import Findings
from roster_pipeline.oneroster.reading_rules import RULES
from roster_pipeline.tables.archive import Limits, ZipReader

# What operating systems leave in archives; never data.
_LITTER = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")


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

    One wrapping folder, litter, and a file name in the wrong case are tolerated with a warning;
    any other member is named and ignored. Of two members for one file the later is ignored and
    the package stops.
    """
    findings = Findings()
    members = [n for n in names if not n.endswith("/") and not _is_litter(n)]
    folded = {f"{name}.csv".casefold(): name for name in known}
    paths = [PurePosixPath(name) for name in members]
    folders = {path.parent.as_posix() for path in paths if path.name.casefold() in folded}
    if len(folders) == 1 and "." not in folders:
        findings.add(RULES["package.wrapping_folder"].at("package"))
        wrapper = folders.pop()
    else:
        wrapper = "."
    located: dict[str, str] = {}
    for member in members:
        path = PurePosixPath(member)
        name = folded.get(path.name.casefold()) if path.parent.as_posix() == wrapper else None
        if name is None:
            findings.add(RULES["package.unknown_file"].at(member))
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


def _is_litter(name: str) -> bool:
    last = PurePosixPath(name).name
    return name.startswith(_LITTER[0]) or last in _LITTER or last.startswith("._")


def _entity(name: str) -> str | None:
    return name if name in ENTITIES else None
