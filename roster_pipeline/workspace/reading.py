"""Reads the files of a workspace and collects what is wrong with them."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from roster_pipeline.accounts import config as accounts
from roster_pipeline.fields import Identifier
from roster_pipeline.receivers import config as receivers
from roster_pipeline.receivers.config import Destination
from roster_pipeline.sources import config as sources
from roster_pipeline.workspace import settings as settings_of
from roster_pipeline.workspace.district import District
from roster_pipeline.workspace.located_yaml import Document, parse
from roster_pipeline.workspace.places import clashes
from roster_pipeline.workspace.problems import Problem, WorkspaceError, explain, planned_keys
from roster_pipeline.workspace.products import Product
from roster_pipeline.workspace.settings import Settings

ROSTER_YAML: Final = "roster.yaml"
ENDINGS: Final = (".yaml", ".yml")
_LISTED: Final = 20
_ID: Final = TypeAdapter[str](Identifier)

M = TypeVar("M", bound=BaseModel)
Stamp = tuple[int, int]
"""When a file was written, in nanoseconds, and its bytes."""


@dataclass(frozen=True)
class Kind:
    """One kind of file of a workspace."""

    model: type[BaseModel]
    later: Mapping[str, str]


KINDS: Final[Mapping[str, Kind]] = {
    "roster": Kind(Settings, settings_of.LATER),
    "source": Kind(District, sources.LATER),
    "product": Kind(Product, accounts.LATER),
    "destination": Kind(Destination, receivers.LATER),
}


@dataclass(frozen=True)
class Read:
    """What the files of a folder say, and what is wrong with them."""

    settings: Settings | None
    sources: Mapping[str, District]
    products: Mapping[str, Product]
    destinations: Mapping[str, Destination]
    documents: Mapping[str, Document]
    """By the name of the file, relative to the folder."""
    problems: tuple[Problem, ...]
    clashing: frozenset[str]
    """The files that another one's problem is about: which of the two is right is not known."""

    def of(self, *files: str) -> tuple[Problem, ...]:
        """What is wrong with some files."""
        return tuple(problem for problem in self.problems if problem.file in files)

    def sound(self, kind: str, parts: Mapping[str, M]) -> dict[str, M]:
        """The parts of a kind of which nothing is wrong."""
        wrong = {problem.file for problem in self.problems} | self.clashing
        return {
            name: part for name, part in parts.items() if wrong.isdisjoint(files_of(kind, name))
        }


def read_folder(folder: Path) -> Read:
    """Read every file of a workspace, whose folder is absolute and has a roster.yaml."""
    reader = _Reader(folder)
    settings = reader.file(folder / ROSTER_YAML, "roster", Settings)
    districts = reader.all_in("sources", "source", District)
    products = reader.all_in("products", "product", Product)
    destinations = reader.all_in("destinations", "destination", Destination)
    reader.check_sources("product", products)
    reader.check_sources("destination", destinations)
    reader.check_paths(destinations, districts)
    reader.check_providers(products)
    problems = WorkspaceError(reader.problems).problems
    return Read(
        settings,
        districts,
        products,
        destinations,
        reader.documents,
        problems,
        frozenset(reader.clashing),
    )


def stamps(folder: Path) -> dict[Path, Stamp]:
    """What tells whether a workspace's files have changed, by their paths."""
    paths = [folder / ROSTER_YAML]
    for name in ("sources", "products", "destinations"):
        with suppress(OSError):
            paths += _yaml_files(folder / name)
    return {path: _stamp(path) for path in paths}


def _stamp(path: Path) -> Stamp:
    try:
        now = path.stat()
    except OSError:
        return (0, 0)
    return (now.st_mtime_ns, now.st_size)


def files_of(kind: str, name: str) -> tuple[str, ...]:
    """The names that the file of a source, product or destination may have."""
    return tuple(f"{kind}s/{name}{ending}" for ending in ENDINGS)


def instead(name: str, known: Collection[str]) -> str:
    """What to say of a name that nothing has: which ones there are, or of many the likeliest."""
    if len(known) > _LISTED:
        near = get_close_matches(name, known, n=1, cutoff=0.5)
        return f"did you mean {near[0]}?" if near else f"there are {len(known):,} others"
    return f"there are: {', '.join(sorted(known)) or 'none yet'}"


def _yaml_files(folder: Path) -> list[Path]:
    """Raises OSError where the folder may not be looked into."""
    if not folder.is_dir():
        return []
    return [
        path
        for path in sorted(folder.iterdir())
        if path.suffix in ENDINGS and not path.name.startswith(".") and path.is_file()
    ]


class _Reader:
    """Reads the files of a folder and collects what is wrong with them."""

    def __init__(self, folder: Path) -> None:
        self.problems: list[Problem] = []
        self.documents: dict[str, Document] = {}
        self.clashing: set[str] = set()
        self._folder = folder
        self._files: dict[str, Path] = {}

    def problem(
        self, path: Path, line: int | None, message: str, column: int | None = None
    ) -> None:
        """Note one thing that is wrong."""
        self.problems.append(Problem(self._name(path), line, column, message))

    def file(self, path: Path, kind: str, model: type[M]) -> M | None:
        """One file as its model, or None with its problems noted."""
        self._files[f"{kind}/{path.stem}"] = path
        try:
            document, errors = parse(path.read_bytes())
        except OSError as error:
            self.problem(path, None, f"it cannot be read: {error.strerror}")
            return None
        for slip in errors:
            self.problem(path, slip.line, str(slip), slip.column)
        if document is None:
            return None
        name = self._name(path)
        self.documents[name] = document
        data, planned = planned_keys(document, name, KINDS[kind].later)
        self.problems += planned
        try:
            return model.model_validate(data)
        except ValidationError as error:
            self.problems += explain(error, document, name, model)
            return None

    def all_in(self, folder: str, kind: str, model: type[M]) -> dict[str, M]:
        """Every file of a folder as its model, by id. An id is the file's name, so it is unique."""
        found: dict[str, M] = {}
        for path in self._listed(folder):
            if f"{kind}/{path.stem}" in self._files:
                self.problem(path, None, f"there are two files for {path.stem}; remove one")
                continue
            part = self.file(path, kind, model)
            if part is None:
                continue
            name: str = getattr(part, "id")  # noqa: B009  (every model here but Settings has one)
            if not _is_id(path.stem):
                said = f"no id can be what this file is called; call it {name}.yaml, as its `id` is"
                self._at(kind, path.stem, "id", said)
                continue
            if name != path.stem:
                self._at(kind, path.stem, "id", f"`id` must be {path.stem}, as the file is called")
            found[path.stem] = part
        return found

    def _listed(self, folder: str) -> list[Path]:
        try:
            return _yaml_files(self._folder / folder)
        except OSError as error:
            said = f"it cannot be looked into: {error.strerror}"
            self.problems.append(Problem(folder, None, None, said))
            return []

    def check_sources(self, kind: str, parts: Mapping[str, Product | Destination]) -> None:
        """Sources that do not exist."""
        try:
            stems = {path.stem for path in _yaml_files(self._folder / "sources")}
        except OSError:
            return  # of which is told already
        for name, part in parts.items():
            listed = () if part.sources == "all" else part.sources
            for unknown in sorted(set(listed) - stems):
                self._at(
                    kind,
                    name,
                    "sources",
                    f"`sources`: no source is called {unknown!r}; {instead(unknown, stems)}",
                )

    def check_paths(
        self, destinations: Mapping[str, Destination], districts: Mapping[str, District]
    ) -> None:
        """Two packages for one path, or two rosters for one schema."""
        for clash in clashes(destinations, districts, self._folder):
            self._clashes("destination", clash.first)
            said = f"`{clash.key}`: destination {clash.first} {clash.said}"
            self._at("destination", clash.second, clash.key, said)

    def check_providers(self, products: Mapping[str, Product]) -> None:
        """Two products with the accounts of one provider: each would undo what the other did."""
        taken: dict[str, str] = {}
        for name, product in products.items():
            if product.accounts is None:
                continue
            other = taken.setdefault(product.accounts.scim.base_url, name)
            if other != name:
                self._clashes("product", other)
                self._at(
                    "product",
                    name,
                    "accounts",
                    f"`accounts.scim.base_url`: product {other} keeps its accounts there too",
                )

    def _clashes(self, kind: str, stem: str) -> None:
        self.clashing.add(self._name(self._files[f"{kind}/{stem}"]))

    def _at(self, kind: str, stem: str, key: str, message: str) -> None:
        path = self._files[f"{kind}/{stem}"]
        place = self.documents[self._name(path)].place([key])
        self.problem(path, place.line, message, place.column)

    def _name(self, path: Path) -> str:
        return shown(path.relative_to(self._folder).as_posix())


def shown(name: str) -> str:
    """A file's name fit to be printed: it may be of any bytes."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def _is_id(name: str) -> bool:
    try:
        _ID.validate_python(name)
    except ValidationError:
        return False
    return True
