"""Looks through a whole workspace: what is wrong in its files, and what is not ready yet."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from roster_pipeline.sources.placeholders import NO_FINGERPRINT, PLACEHOLDER
from roster_pipeline.transport.config import FolderConfig, Secret, located
from roster_pipeline.transport.errors import CredentialsUnusable
from roster_pipeline.workspace.dates import LIMIT, first_date
from roster_pipeline.workspace.district import District
from roster_pipeline.workspace.folder import require
from roster_pipeline.workspace.problems import Problem, WorkspaceError
from roster_pipeline.workspace.products import Product, open_catalogue
from roster_pipeline.workspace.reading import (
    ENDINGS,
    ROSTER_YAML,
    Read,
    files_of,
    instead,
    read_folder,
    shown,
)

_FOLDERS: Final = ("sources", "products", "destinations")
_NEAR_FOLDERS: Final = ("source", "product", "destination")
_OF_DAGSTER: Final = ("workspace.yaml", "dagster.yaml")
_NAMED_FILES: Final = ("known_hosts", "ca_file")
"""Keys that name a file of the workspace, wherever they stand."""


@dataclass(frozen=True)
class Inspection:
    """What a workspace has, what is wrong with it, and what is not ready."""

    sources: int
    products: int
    destinations: int
    """Files of each kind, sound or not."""
    errors: tuple[Problem, ...]
    """Of a file with one nothing is used."""
    warnings: tuple[Problem, ...]
    """A sync would fail here, or does not what its file's writer believes."""


def inspect(folder: Path, environ: Mapping[str, str], now: datetime) -> Inspection:
    """Look through the workspace in a folder; `now` is an aware moment. Nothing is changed, and
    no server is asked.

    Raises `WorkspaceError` if the folder is no workspace.
    """
    folder = folder.absolute()
    require(folder)
    read = read_folder(folder)
    look = _Look(folder, environ, read)
    look.at_all()
    look.at_dates(now)
    errors = WorkspaceError((*read.problems, *look.errors)).problems
    sources, products, destinations = (_count(folder / kind) for kind in _FOLDERS)
    warnings = WorkspaceError(look.warnings).problems
    return Inspection(sources, products, destinations, errors, warnings)


class _Look:
    """Goes through the parts of a workspace and notes what it sees."""

    def __init__(self, folder: Path, environ: Mapping[str, str], read: Read) -> None:
        self.errors: list[Problem] = []
        self.warnings: list[Problem] = []
        self._folder = folder
        self._environ = environ
        self._read = read

    def at_all(self) -> None:
        """Look at what stands in the files, and at files that nobody reads."""
        for file in self._read.documents:
            self._placeholders(file)
        read = self._read
        if read.settings is not None:
            self._references(ROSTER_YAML, read.settings)
        for kind, parts in (
            ("source", read.sources),
            ("product", read.products),
            ("destination", read.destinations),
        ):
            for name, part in parts.items():
                file = next(f for f in files_of(kind, name) if f in read.documents)
                self._references(file, part)
                if isinstance(part, Product):
                    self._product(file, part)
        for path in _strays(self._folder):
            self._warn(shown(path.relative_to(self._folder).as_posix()), None, None, _stray(path))

    def at_dates(self, now: datetime) -> None:
        """Whether Dagster can show every source on every date."""
        settings, sources = self._read.settings, len(self._read.sources)
        if settings is None:
            return
        start = settings.partitions.start
        shown = first_date(sources, start, now)
        if shown > start:
            place = self._read.documents[ROSTER_YAML].place(["partitions", "start"])
            message = (
                f"`partitions.start`: Dagster keeps pace with {LIMIT:,} dates of sources, so of "
                f"{sources:,} sources the dates from {shown} on can be synced; what was accepted "
                "stays accepted"
            )
            self._warn(ROSTER_YAML, place.line, place.column, message)

    def _placeholders(self, file: str) -> None:
        for scalar in self._read.documents[file].scalars():
            if PLACEHOLDER in scalar.text:
                said = "a placeholder stands here; fill it in"
            elif scalar.text == NO_FINGERPRINT:
                said = "no host key is pinned yet; `roster source test` shows the server's"
            else:
                continue
            self._warn(file, scalar.line, scalar.column, said)

    def _references(self, file: str, whole: BaseModel) -> None:
        """Secrets that are not where they are said to be, and files that are not there."""
        for part in _parts(whole):
            if isinstance(part, Secret):
                self._secret(file, part)
            elif isinstance(part, FolderConfig) and not self._is_there(part, whole):
                self._at_value(file, "path", part.path, "there is no such folder")
            for key in _NAMED_FILES:
                path = getattr(part, key, None)
                if isinstance(path, str) and not located(self._folder, path).is_file():
                    self._at_value(file, key, path, f"`{key}`: there is no such file")

    def _is_there(self, folder: FolderConfig, whole: BaseModel) -> bool:
        # A destination's is made when something is delivered.
        return not isinstance(whole, District) or located(self._folder, folder.path).is_dir()

    def _secret(self, file: str, secret: Secret) -> None:
        try:
            secret.reveal(self._environ, self._folder)
        except CredentialsUnusable as error:
            key, text = ("env", secret.env) if secret.env else ("file", secret.file)
            self._at_value(file, key, str(text), str(error).rstrip("."))

    def _product(self, file: str, product: Product) -> None:
        """Sources that rules and claims name, and the catalogue."""
        if product.courses is not None:
            try:
                open_catalogue(self._folder, product)
            except WorkspaceError as error:
                self.errors += error.problems
        rules = () if product.courses is None else product.courses.rules
        claims = () if product.accounts is None else product.accounts.identity.claims
        named = {("sources", source) for rule in rules for source in rule.sources}
        named |= {("source", claim.source) for claim in claims if claim.source is not None}
        known = {path.stem for path in (self._folder / "sources").glob("*.y*ml")}
        for key, source in sorted(named):
            if source not in known:
                said = f"no source is called {source!r}; {instead(source, known)}"
                self._at_value(file, None, source, said, under=key)

    def _at_value(
        self, file: str, key: str | None, text: str, message: str, *, under: str = ""
    ) -> None:
        """Warn at each place of a file where a key has this value."""
        places = [s for s in self._read.documents[file].scalars(beside=key) if s.text == text]
        if not places:
            self._warn(file, None, None, f"{under}: {message}" if under else message)
        for place in places:
            self._warn(file, place.line, place.column, message)

    def _warn(self, file: str, line: int | None, column: int | None, message: str) -> None:
        problem = Problem(file, line, column, message)
        if problem not in self.warnings:
            self.warnings.append(problem)


def _parts(value: Any) -> Iterator[BaseModel]:
    """A model and every model within it."""
    if isinstance(value, BaseModel):
        yield value
        for name in type(value).model_fields:
            yield from _parts(getattr(value, name))
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _parts(each)
    elif isinstance(value, tuple | list):
        for each in value:
            yield from _parts(each)


def _count(folder: Path) -> int:
    return len({path.stem for path in _listed(folder) if path.suffix in ENDINGS})


def _strays(folder: Path) -> Iterator[Path]:
    """Files that look as if they belonged to the workspace, and that nobody reads."""
    for name in _FOLDERS:
        for path in _listed(folder / name):
            if os.path.isdir(path):
                yield from (below for below in _listed(path) if _is_yaml(below))
            elif _is_yaml(path) and (path.suffix not in ENDINGS or not os.path.isfile(path)):
                yield path
    for name in _NEAR_FOLDERS:
        yield from (path for path in _listed(folder / name) if _is_yaml(path))
    for path in _listed(folder):
        near = path.name.casefold() in _FOLDERS and (
            path.name not in _FOLDERS or os.path.isfile(path)
        )
        if near or (_is_yaml(path) and path.name not in (ROSTER_YAML, *_OF_DAGSTER)):
            yield path


def _stray(path: Path) -> str:
    if os.path.islink(path) and not os.path.exists(path):
        return "nobody reads this: the link leads nowhere"
    if path.name.casefold() in _FOLDERS:
        what = "make it a folder" if not os.path.isdir(path) else f"call it {path.name.casefold()}"
        return f"nobody reads this: {what}"
    if path.suffix not in ENDINGS:
        return "nobody reads this: write the ending of its name as .yaml"
    return (
        "nobody reads this: districts' files lie in sources/ itself, products' in products/, "
        "receivers' in destinations/"
    )


def _is_yaml(path: Path) -> bool:
    return path.suffix.casefold() in ENDINGS


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:  # one that is none, or that the reading of it has told of
        return []
