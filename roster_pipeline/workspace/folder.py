"""Finds and loads the user's folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from roster_pipeline.guards.calendar import Window, loosened
from roster_pipeline.guards.settings import GuardSettings
from roster_pipeline.receivers.config import Destination
from roster_pipeline.transport.errors import CredentialsUnusable
from roster_pipeline.workspace.district import District
from roster_pipeline.workspace.problems import Problem, WorkspaceError
from roster_pipeline.workspace.products import Product
from roster_pipeline.workspace.reading import KINDS, ROSTER_YAML, M, files_of, instead, read_folder
from roster_pipeline.workspace.settings import Settings, check_database
from roster_pipeline.workspace.severities import policy

if TYPE_CHECKING:
    from roster_pipeline.oneroster.rules import Policy

VARIABLE: Final = "ROSTER_WORKSPACE"


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

    left_out: tuple[Problem, ...] = ()
    """What is wrong with the files that were passed over."""

    @classmethod
    def load(cls, folder: Path, *, leave_out: bool = False) -> Self:
        """Read every file of a workspace.

        Raises `WorkspaceError` with everything that is wrong in any of them. With `leave_out`, a
        source, product or destination of whose file anything is wrong is passed over instead, so
        that one district's slip is not every district's.
        """
        folder = folder.absolute()
        require(folder)
        read = read_folder(folder)
        settings = read.settings
        if settings is None or (read.problems and not leave_out) or read.of(ROSTER_YAML):
            raise WorkspaceError(read.problems)
        return cls(
            folder,
            settings,
            read.sound("source", read.sources),
            read.sound("product", read.products),
            read.sound("destination", read.destinations),
            read.problems,
        )

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
        """The source of this id. Raises `WorkspaceError` that names the ones there are, or says
        what is wrong with its file."""
        return self._called(name, self.sources, "source")

    def product(self, name: str) -> Product:
        """The product of this id. Raises `WorkspaceError` that names the ones there are."""
        return self._called(name, self.products, "product")

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

    def _called(self, name: str, parts: Mapping[str, M], kind: str) -> M:
        if name in parts:
            return parts[name]
        if own := [problem for problem in self.left_out if problem.file in files_of(kind, name)]:
            raise WorkspaceError(own)
        message = f"no {kind} is called {name!r}; {instead(name, parts)}"
        raise WorkspaceError([Problem(f"{kind}s", None, None, message)])


def require(folder: Path) -> None:
    """Raise `WorkspaceError` unless a folder is a workspace."""
    try:
        if (folder / ROSTER_YAML).is_file():
            return
        names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    except OSError as error:
        sentence = f"{folder} cannot be looked into: {error.strerror}"
        raise WorkspaceError([Problem(ROSTER_YAML, None, None, sentence)]) from None
    near = [name for name in names if name.casefold() in (ROSTER_YAML, "roster.yml")]
    rename = f"call {near[0]} {ROSTER_YAML}, or " if near and near[0] != ROSTER_YAML else ""
    sentence = (
        f"there is none in {folder}; {rename}make a workspace with `roster init`, or name one "
        f"with --workspace or {VARIABLE}"
    )
    raise WorkspaceError([Problem(ROSTER_YAML, None, None, sentence)])


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
    return {name: _closed(kind.model.model_json_schema()) for name, kind in KINDS.items()}


def schema_line(kind: str, schemas: str) -> str:
    """The first line of a YAML file that tells editors its schema, which lies in `schemas`."""
    return f"# yaml-language-server: $schema={schemas}/{kind}.json"


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
