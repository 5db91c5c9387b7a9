"""Finds and loads the user's folder."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeVar

from pydantic import BaseModel, Field, ValidationError

from roster_pipeline.accounts import config as accounts
from roster_pipeline.guards.calendar import Calendar, Window, loosened
from roster_pipeline.guards.settings import ByEntity, GuardSettings
from roster_pipeline.receivers import config as receivers
from roster_pipeline.receivers.config import Destination
from roster_pipeline.sources import config as sources
from roster_pipeline.sources.config import Source
from roster_pipeline.transport.config import TransportConfig
from roster_pipeline.transport.errors import CredentialsUnusable
from roster_pipeline.workspace import settings as settings_of
from roster_pipeline.workspace.located_yaml import Document, YamlError, read
from roster_pipeline.workspace.problems import Problem, WorkspaceError, explain, planned_keys
from roster_pipeline.workspace.products import Product
from roster_pipeline.workspace.settings import HeldRows, Settings, check_database
from roster_pipeline.workspace.severities import Severities, policy

if TYPE_CHECKING:
    from roster_pipeline.oneroster.rules import Policy

ROSTER_YAML: Final = "roster.yaml"
VARIABLE: Final = "ROSTER_WORKSPACE"
_ENDINGS: Final = (".yaml", ".yml")
_TABLES: Final = ("tables", "database and schema")


class District(Source):
    """A source with the limits that hold for it."""

    severities: Severities = Field(default_factory=dict)
    """Rule code → stop, hold, drop or warn; what is not said here is as roster.yaml says."""
    held_rows: HeldRows | None = None
    """When held rows become urgent; as roster.yaml says by default."""
    guards: GuardSettings = Field(default_factory=GuardSettings)
    """Limits that differ from those of roster.yaml."""
    calendar: Calendar = Calendar()
    """The district's own windows, beside those of roster.yaml."""
    header_only: ByEntity[Literal["hold", "keep"]] = Field(default_factory=dict)
    """What a file with a header and no rows means, by entity: `hold`, that there are none if a
    person says so; `keep`, nothing. Files that a package must have are held, others kept."""

    @property
    def believed_empty(self) -> frozenset[str]:
        """The entities of which a file without rows is put before a person."""
        from roster_pipeline.oneroster.entities import ENTITIES, REQUIRED_1P2

        usual = {entity: "hold" if entity in REQUIRED_1P2 else "keep" for entity in ENTITIES}
        meant = {**usual, **self.header_only}
        return frozenset(entity for entity, what in meant.items() if what == "hold")


M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class _Kind:
    """One kind of file of a workspace."""

    model: type[BaseModel]
    later: Mapping[str, str]


_KINDS: Final[Mapping[str, _Kind]] = {
    "roster": _Kind(Settings, settings_of.LATER),
    "source": _Kind(District, sources.LATER),
    "product": _Kind(Product, accounts.LATER),
    "destination": _Kind(Destination, receivers.LATER),
}


@dataclass(frozen=True)
class Workspace:
    """The user's folder, read and checked."""

    folder: Path
    """Absolute."""
    settings: Settings
    sources: Mapping[str, District]
    """By id, sorted."""
    products: Mapping[str, Product]
    """By id, sorted."""
    destinations: Mapping[str, Destination]
    """By id, sorted."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read every file of a workspace.

        Raises `WorkspaceError` with everything that is wrong in any of them.
        """
        folder = folder.absolute()
        if not (folder / ROSTER_YAML).is_file():
            raise WorkspaceError(
                [
                    Problem(
                        ROSTER_YAML,
                        None,
                        None,
                        f"there is none in {folder}; make a workspace with `roster init`, "
                        f"or name one with --workspace or {VARIABLE}",
                    )
                ]
            )
        reader = _Reader(folder)
        settings = reader.file(folder / ROSTER_YAML, "roster", Settings)
        districts = reader.all_in("sources", "source", District)
        products = reader.all_in("products", "product", Product)
        destinations = reader.all_in("destinations", "destination", Destination)
        reader.check_sources("product", products)
        reader.check_sources("destination", destinations)
        reader.check_paths(destinations, districts)
        reader.check_providers(products)
        if reader.problems or settings is None:
            raise WorkspaceError(reader.problems)
        return cls(folder, settings, districts, products, destinations)

    @property
    def storage_url(self) -> str:
        """Where rosters and landed packages are kept: an absolute path, or a URL as given."""
        storage = self.settings.storage
        return storage if "://" in storage else str((self.folder / storage).resolve())

    def ledger_url(self, environ: Mapping[str, str]) -> str:
        """The ledger's database address; a relative SQLite path is made absolute.

        Raises `WorkspaceError` if it is a reference that leads nowhere or to no such address.
        """
        ledger = self.settings.ledger
        try:
            url = ledger if isinstance(ledger, str) else ledger.reveal(environ, self.folder)
            check_database(url)
        except (ValueError, CredentialsUnusable) as error:
            raise WorkspaceError([Problem(ROSTER_YAML, None, None, f"`ledger`: {error}")]) from None
        path = url.removeprefix("sqlite:///")
        if path == url or path.startswith("/"):
            return url
        return f"sqlite:///{self.folder / path}"

    def source(self, name: str) -> District:
        """The source of this id. Raises `WorkspaceError` that names the ones there are."""
        return _called(name, self.sources, "source")

    def product(self, name: str) -> Product:
        """The product of this id. Raises `WorkspaceError` that names the ones there are."""
        return _called(name, self.products, "product")

    def guards_for(self, source: str, *days: date) -> GuardSettings:
        """The limits that hold for a source on some days of its calendar: see `windows_of`."""
        usual = self.settings.guards.overlaid_by(self.source(source).guards)
        return loosened(usual, self.windows_of(source, *days))

    def windows_of(self, source: str, *days: date) -> tuple[Window, ...]:
        """The windows that hold, as `Calendar.on` says: those of roster.yaml, then the source's
        own."""
        return self.settings.calendar.joined(self.source(source).calendar).on(*days)

    def policy_for(self, source: str, *, strict: bool = False) -> "Policy":
        """How grave findings are for a source; `strict` insists on the standard in any case."""
        own = self.source(source)
        to_the_letter = strict or (self.settings.strict if own.strict is None else own.strict)
        return policy({**self.settings.severities, **own.severities}, strict=to_the_letter)

    def escalate_after(self, source: str) -> int:
        """For how many days a row of a source may be held before it needs a person."""
        return (self.source(source).held_rows or self.settings.held_rows).escalate_after

    def products_of(self, source: str) -> tuple[Product, ...]:
        """Every product that a source uses, by id."""
        return tuple(p for p in self.products.values() if p.takes(source))

    def destinations_of(self, source: str) -> tuple[Destination, ...]:
        """Every destination that gets the roster of a source, by id."""
        return tuple(d for d in self.destinations.values() if d.takes(source))

    def receivers_of(self, source: str) -> tuple[str, ...]:
        """Whatever is to have what is accepted of a source, as the ledger's deliveries call it."""
        products = (p for p in self.products_of(source) if p.accounts is not None)
        return (
            *(destination.id for destination in self.destinations_of(source)),
            *(product.accounts_receiver for product in products),
        )


def locate(environ: Mapping[str, str], current: Path) -> Path:
    """The folder of the workspace: ROSTER_WORKSPACE, else the current folder.

    At the root of this repository, which is no workspace itself, it is the demo's.
    """
    if named := environ.get(VARIABLE):
        return (current / Path(named).expanduser()).absolute()
    demo = current / "examples" / "demo"
    if not (current / ROSTER_YAML).exists() and (demo / ROSTER_YAML).exists():
        return demo.absolute()
    return current.absolute()


def json_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of each kind of file: roster, source, product, destination."""
    return {name: _closed(kind.model.model_json_schema()) for name, kind in _KINDS.items()}


def schema_line(kind: str, schemas: str) -> str:
    """The first line of a YAML file that tells editors its schema, which lies in `schemas`."""
    return f"# yaml-language-server: $schema={schemas}/{kind}.json"


def _called(name: str, parts: Mapping[str, M], kind: str) -> M:
    if name not in parts:
        known = ", ".join(parts) or "none yet"
        message = f"no {kind} is called {name!r}; there are: {known}"
        raise WorkspaceError([Problem(f"{kind}s", None, None, message)])
    return parts[name]


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _yaml_files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if path.suffix in _ENDINGS and not path.name.startswith(".") and path.is_file():
                yield path


class _Reader:
    """Reads the files of a folder and collects what is wrong with them."""

    def __init__(self, folder: Path) -> None:
        self.problems: list[Problem] = []
        self._folder = folder
        self._documents: dict[str, tuple[Path, Document]] = {}

    def problem(
        self, path: Path, line: int | None, message: str, column: int | None = None
    ) -> None:
        """Note one thing that is wrong."""
        file = path.relative_to(self._folder).as_posix()
        self.problems.append(Problem(file, line, column, message))

    def file(self, path: Path, kind: str, model: type[M]) -> M | None:
        """One file as its model, or None with its problems noted."""
        try:
            document = read(path.read_bytes())
        except YamlError as error:
            self.problem(path, error.line, str(error), error.column)
            return None
        except OSError as error:
            self.problem(path, None, f"it cannot be read: {error.strerror}")
            return None
        self._documents[f"{kind}/{path.stem}"] = (path, document)
        name = path.relative_to(self._folder).as_posix()
        data, planned = planned_keys(document, name, _KINDS[kind].later)
        self.problems += planned
        try:
            return model.model_validate(data)
        except ValidationError as error:
            self.problems += explain(error, document, name, model)
            return None

    def all_in(self, folder: str, kind: str, model: type[M]) -> dict[str, M]:
        """Every file of a folder as its model, by id. An id is the file's name, so it is unique."""
        found: dict[str, M] = {}
        for path in _yaml_files(self._folder / folder):
            if f"{kind}/{path.stem}" in self._documents:
                self.problem(path, None, f"there are two files for {path.stem}; remove one")
                continue
            part = self.file(path, kind, model)
            if part is None:
                continue
            if getattr(part, "id") != path.stem:  # noqa: B009  (every model here but Settings has one)
                self._at(kind, path.stem, "id", f"`id` must be {path.stem}, as the file is called")
            found[path.stem] = part
        return found

    def check_sources(self, kind: str, parts: Mapping[str, Product | Destination]) -> None:
        """Sources that do not exist."""
        stems = {path.stem for path in _yaml_files(self._folder / "sources")}
        known = ", ".join(sorted(stems)) or "none yet"
        for name, part in parts.items():
            listed = () if part.sources == "all" else part.sources
            for unknown in sorted(set(listed) - stems):
                self._at(
                    kind,
                    name,
                    "sources",
                    f"`sources`: no source is called {unknown!r}; there are: {known}",
                )

    def check_paths(
        self, destinations: Mapping[str, Destination], districts: Mapping[str, District]
    ) -> None:
        """Two packages for one path."""
        taken: dict[tuple[str, str], str] = {}
        for name, destination in destinations.items():
            for target in self._targets(destination, tuple(districts)):
                other = taken.setdefault(target, name)
                if other != name:
                    key, what = ("path", "path") if destination.tables is None else _TABLES
                    self._at(
                        "destination",
                        name,
                        key,
                        f"`{key}`: destination {other} writes to the same {what}; "
                        "one would overwrite the other",
                    )
                    break

    def check_providers(self, products: Mapping[str, Product]) -> None:
        """Two products with the accounts of one provider: each would undo what the other did."""
        taken: dict[str, str] = {}
        for name, product in products.items():
            if product.accounts is None:
                continue
            other = taken.setdefault(product.accounts.scim.base_url, name)
            if other != name:
                self._at(
                    "product",
                    name,
                    "accounts",
                    f"`accounts.scim.base_url`: product {other} keeps its accounts there too",
                )

    def _targets(
        self, destination: Destination, districts: tuple[str, ...]
    ) -> Iterator[tuple[str, str]]:
        if destination.tables is not None:
            yield str(destination.tables.url), destination.tables.schema_name
            return
        place = _address(destination.transport, self._folder)
        listed = districts if destination.sources == "all" else destination.sources
        for source in (*listed, "{source}") if destination.sources == "all" else listed:
            yield place, PurePosixPath(destination.path_for(source)).as_posix()

    def _at(self, kind: str, stem: str, key: str, message: str) -> None:
        path, document = self._documents[f"{kind}/{stem}"]
        place = document.place([key])
        self.problem(path, place.line, message, place.column)


def _address(transport: TransportConfig | None, base: Path) -> str:
    """Says which place a transport leads to, so that two can be compared."""
    if transport is not None and transport.folder is not None:
        return str((base / transport.folder.path).resolve())
    sftp = None if transport is None else transport.sftp
    return "" if sftp is None else f"{sftp.username}@{sftp.host.lower()}:{sftp.port}"
