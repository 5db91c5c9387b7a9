"""The files of a new workspace, and the state that is created once before anything runs."""

import json
import os
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from roster_pipeline.workspace import Workspace


class Storage(StrEnum):
    """Where the ledger and Dagster keep their tables."""

    SQLITE = "sqlite"
    POSTGRES = "postgres"


_LEDGERS: Final = {
    Storage.SQLITE: "sqlite:///ledger.sqlite",
    Storage.POSTGRES: "{env: ROSTER_POSTGRES_URL}",
}
_SCHEMAS: Final = ".schemas"


def filled(name: str, /, **values: str) -> str:
    """One of the templates with its places filled."""
    text = files("roster_pipeline.cli").joinpath("templates", name).read_text(encoding="utf-8")
    return Template(text).substitute(values)


def schema_line(kind: str, up: str = "") -> str:
    """The first line of a YAML file: where its JSON Schema lies, `up` being the way to the top."""
    from roster_pipeline.workspace import schema_line as line

    return line(kind, f"{up}{_SCHEMAS}")


def roster_yaml(start: date, storage: Storage) -> str:
    """A roster.yaml for a workspace whose first date is `start`."""
    return filled(
        "roster.yaml",
        schema_line=schema_line("roster"),
        ledger=_LEDGERS[storage],
        start=str(start),
    )


def examples() -> dict[str, str]:
    """An example of each kind of file, schemas for editors, and a .gitignore."""
    source = filled("source.yaml", schema_line=schema_line("source", "../"))
    product = filled("product.yaml", schema_line=schema_line("product", "../"))
    destination = filled("destination.yaml", schema_line=schema_line("destination", "../"))
    return {
        "sources/springfield.yaml.example": source,
        "products/maths-path.yaml.example": product,
        "catalogues/maths-path.csv.example": filled("catalogue.csv"),
        "destinations/learning-app.yaml.example": destination,
        ".gitignore": filled("gitignore"),
        **schemas(),
    }


def schemas() -> dict[str, str]:
    """The JSON Schema of each kind of file."""
    from roster_pipeline.workspace import json_schemas

    return {
        f"{_SCHEMAS}/{kind}.json": json.dumps(schema, indent=2) + "\n"
        for kind, schema in json_schemas().items()
    }


def refresh_schemas(folder: Path) -> None:
    """Bring a workspace's schemas to what this version of roster knows; editors read them."""
    for name, text in schemas().items():
        file = folder / name
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            write(file, text)


def write_missing(folder: Path, contents: Mapping[str, str]) -> list[str]:
    """Write the files that are not there yet, each whole or not at all; returns their names."""
    made = []
    for name, text in contents.items():
        file = folder / name
        if not file.exists():
            write(file, text)
            made.append(name)
    return made


def write(file: Path, text: str) -> None:
    """Write a file whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}-{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(file)


def make_state(workspace: "Workspace", storage: Storage) -> None:
    """Create the ledger's and Dagster's tables once, in this process."""
    from roster_pipeline.automation.home import make_home
    from roster_pipeline.store.ledger import Ledger

    Ledger.open(workspace.ledger_url(os.environ)).close()
    make_home(workspace.folder, storage.value)
