"""The command line as a whole: its commands, its global options, and how errors are told."""

import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from roster_pipeline.cli import (
    accounts,
    courses,
    deliveries,
    folder,
    holds,
    inspections,
    packages,
    processing,
    receivers,
    rules,
    sources,
    syncs,
    vendors,
)
from roster_pipeline.cli import demo as demonstration
from roster_pipeline.cli.console import Ends, Refusal, note

_A_DATE = ("does not match the formats '%Y-%m-%d'", "is no date as YYYY-MM-DD")
"""What the library says of an option that is no date, and what we do."""

app = typer.Typer(
    name="roster",
    help="Rosters in, checked, compared, guarded, out.",
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)

app.command("init")(folder.init)
app.command("demo")(demonstration.demo)
app.command("dev")(folder.dev)
app.command("sync")(syncs.sync)
app.command("status")(syncs.status)
app.command("check")(packages.check)
app.command("diff")(packages.diff)
app.command("rules")(rules.rules)
app.command("deliver")(deliveries.deliver)
app.command("deliveries")(deliveries.deliveries)
app.command("holds")(holds.holds)
app.command("show")(holds.show)
app.command("approve")(holds.approve)
app.command("reject")(holds.reject)
app.command("report")(processing.report)
app.add_typer(inspections.app, name="workspace")
app.add_typer(sources.app, name="source")
app.add_typer(vendors.app, name="vendor")
app.add_typer(receivers.app, name="receiver")
app.add_typer(courses.app, name="courses")
app.add_typer(accounts.app, name="accounts")


def _say_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(version("roster-pipeline") + "\n")
        raise typer.Exit


@app.callback()
def whole(
    context: typer.Context,
    workspace: Annotated[
        Path | None,
        typer.Option(
            "--workspace",
            "-w",
            help="The folder with roster.yaml; ROSTER_WORKSPACE or the current folder by default.",
        ),
    ] = None,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_say_version, is_eager=True, help="Say the version."),
    ] = False,
) -> None:
    """Rosters in, checked, compared, guarded, out."""
    context.obj = workspace


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. Errors are one sentence on stderr.

    `ROSTER_DEBUG=1` shows the traceback of an unexpected error (it may hold data from the files).
    """
    try:
        words = _workspace_first(sys.argv[1:] if arguments is None else list(arguments))
        ended = app(words or ["--help"], prog_name="roster", standalone_mode=False)
        return ended if isinstance(ended, int) else Ends.DONE
    except TyperException as error:
        context = getattr(error, "ctx", None)
        command = "roster" if context is None else context.command_path
        said = error.format_message().replace("Value error, ", "").replace(*_A_DATE)
        note(f"roster: {said} See `{command} --help`.")
        return Ends.UNREADABLE
    except (KeyboardInterrupt, typer.Abort):
        note("roster: interrupted; nothing half done was kept.")
        return 130
    except BrokenPipeError:
        # Whoever read our answer has seen enough; Python must not complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Ends.DONE
    except Refusal as refusal:
        note(f"roster: {refusal}")
        return refusal.ends
    except Exception as error:
        if os.environ.get("ROSTER_DEBUG"):
            raise
        from roster_pipeline.resources.errors import sentence

        note(f"roster: {sentence(error)}")
        return Ends.ERROR


def _workspace_first(words: list[str]) -> list[str]:
    """Let `--workspace FOLDER` stand after the command too."""
    for place, word in enumerate(words):
        if word == "--":
            break
        if word.startswith("--workspace="):
            return [word, *words[:place], *words[place + 1 :]]
        if word in ("--workspace", "-w") and place + 1 < len(words):
            return [*words[place : place + 2], *words[:place], *words[place + 2 :]]
    return words
