"""The command as its users have it: words in, exit code and both outputs out."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from roster_pipeline.cli import main
from roster_pipeline.store import Hold
from roster_pipeline.store.ledger import Ledger
from tests.small import Row, district, packed

SOURCE = """\
id: springfield
name: Springfield Public Schools
timezone: America/Chicago
transport: {folder: {path: ./drops}}
complete: {quiet_seconds: 0}
"""
DESTINATION = """\
id: learning-app
transport: {folder: {path: ./learning-app}}
path: rosters/{source}.zip
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    def document(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)


Roster = Callable[..., Ended]


@pytest.fixture
def roster(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Roster:
    """Run the command in this process."""
    monkeypatch.delenv("ROSTER_WORKSPACE", raising=False)
    monkeypatch.delenv("ROSTER_DEBUG", raising=False)

    def run(*words: str | Path) -> Ended:
        capsys.readouterr()
        code = main([str(word) for word in words])
        return Ended(code, *capsys.readouterr())

    return run


@pytest.fixture
def pack(tmp_path: Path) -> Callable[..., Path]:
    """Write a small package; `change` spoils its rows first."""

    def _pack(name: str, change: Callable[[dict[str, list[Row]]], object] = lambda _: None) -> Path:
        files = district()
        change(files)
        path = tmp_path / name
        path.write_bytes(packed(files))
        return path

    return _pack


@pytest.fixture(scope="session")
def new_workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with one source that drops into a folder, and one destination."""
    folder = tmp_path_factory.mktemp("new") / "workspace"
    assert main(["init", str(folder)]) == 0
    (folder / "sources" / "springfield.yaml").write_text(SOURCE)
    (folder / "destinations" / "learning-app.yaml").write_text(DESTINATION)
    (folder / "drops").mkdir()
    return folder


@pytest.fixture(scope="session")
def held_once(tmp_path_factory: pytest.TempPathFactory, new_workspace: Path) -> Path:
    """That workspace after a first sync, whose roster is held."""
    folder = shutil.copytree(new_workspace, tmp_path_factory.mktemp("held") / "workspace")
    (folder / "drops" / "roster.zip").write_bytes(packed(district()))
    assert main(["sync", "springfield", "-w", str(folder)]) == 3
    return folder


@pytest.fixture
def first_hold(workspace: Path, held_once: Path) -> Hold:
    """Let the workspace be a copy of it; its hold."""
    shutil.copytree(held_once, workspace, dirs_exist_ok=True)
    with Ledger.open(f"sqlite:///{workspace}/ledger.sqlite") as ledger:
        (hold,) = ledger.holds()
    return hold


@pytest.fixture
def workspace(tmp_path: Path, new_workspace: Path) -> Path:
    """A copy of that workspace."""
    return shutil.copytree(new_workspace, tmp_path / "workspace")
