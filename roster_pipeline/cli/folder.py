"""`roster init` makes a workspace; `roster dev` opens the Dagster UI on one."""

import os
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from roster_pipeline.cli.console import Refusal, note, progress
from roster_pipeline.cli.rooms import command_for, folder_of, load
from roster_pipeline.cli.workspaces import Storage

# `dg dev` wants a project's folder, which a workspace is not.
_SUPERSEDED: Final = "ignore:Function `dev_command` is superseded"
# So that drops of the last weeks can be taken or replayed too.
_FIRST_DAYS: Final = timedelta(days=30)


def init(
    folder: Annotated[Path, typer.Argument(help="The folder to make; the current one.")] = Path(),
    storage: Annotated[
        Storage,
        typer.Option(
            "--storage", help="SQLite files, or the PostgreSQL that ROSTER_POSTGRES_URL names."
        ),
    ] = Storage.SQLITE,
) -> None:
    """Make a workspace: roster.yaml, examples of sources, products and destinations, its state.

    What is there already stays as it is, so a workspace fresh from version control is completed.
    """
    from roster_pipeline.cli.workspaces import (
        examples,
        make_state,
        refresh_schemas,
        roster_yaml,
        write_missing,
    )

    start = date.today() - _FIRST_DAYS  # noqa: DTZ011 - the day on the user's calendar
    files = {"roster.yaml": roster_yaml(start, storage), **examples()}
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = write_missing(folder, files)
    for name in made:
        note(f"made {folder / name}")
    refresh_schemas(folder)
    with progress() as shown:
        shown.add_task("Creating the ledger and Dagster's storage", total=None)
        make_state(load(folder), storage)
    note(
        f"The workspace {folder.resolve()} is ready. Next: "
        f"`{command_for(folder.resolve())} source new ID --vendor VENDOR` writes a district's "
        "file; `roster vendor list` names the vendors."
    )


def dev(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Address of the UI.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the UI.")] = 3000,
) -> None:
    """Open the Dagster UI, with schedules and sensors, on a workspace.

    On a demo's workspace its servers run beside it.
    """
    from roster_pipeline.automation.home import dagster_home, make_home
    from roster_pipeline.cli.loopback import WORLD, serve_until_exit

    workspace = load(folder_of(context))
    if not (dagster_home(workspace.folder) / "dagster.yaml").exists():
        make_home(workspace.folder)
    if (workspace.folder / WORLD).exists():
        serve_until_exit(workspace.folder)
    note(f"Opening {workspace.folder} at http://{host}:{port} (Ctrl-C ends it).")
    _become_dagster(workspace.folder, dagster_home(workspace.folder), host, port)


def _become_dagster(folder: Path, home: Path, host: str, port: int) -> None:
    import signal

    from roster_pipeline.cli.workspaces import filled, write

    # The location has the same name as in the repository's workspace.yaml: Dagster remembers by it
    # which schedules and sensors somebody has turned off.
    write(home / "workspace.yaml", filled("workspace.yaml"))
    environ = {**os.environ, "ROSTER_WORKSPACE": str(folder), "DAGSTER_HOME": str(home)}
    # A shell starts its background jobs deaf to SIGINT, and dagster would stay so.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    words = [sys.executable, "-W", _SUPERSEDED, "-m", "dagster", "dev"]
    words += ["-w", str(home / "workspace.yaml"), "-h", host, "-p", str(port)]
    os.chdir(folder)
    try:
        # Dagster's own command, with our interpreter.
        os.execve(sys.executable, words, environ)  # noqa: S606
    except OSError as error:
        raise Refusal(f"Dagster cannot be started: {error.strerror}.") from error
