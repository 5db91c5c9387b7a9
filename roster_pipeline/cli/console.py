"""What every command shares: answers on stdout, everything else on stderr, exit codes, progress."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import Progress


_ENDLESS: Final = 10_000


class Ends(IntEnum):
    """How a command ends, for whoever called it."""

    DONE = 0
    ERROR = 1
    """Something went wrong; for `check`, something is wrong with the package."""
    UNREADABLE = 2
    """What was named cannot be read: the package, the workspace, or the command line itself."""
    HELD = 3
    """A hold waits for somebody's decision."""


class Format(StrEnum):
    """How a command answers: for a person or for a program."""

    TEXT = "text"
    JSON = "json"


FormatOption = Annotated[
    Format, typer.Option("--format", help="For a person, or one JSON document for a program.")
]


class Refusal(Exception):  # noqa: N818 - it is what the command says, not a fault of the program
    """One clear sentence for stderr, and how the command ends."""

    def __init__(self, sentence: str, ends: Ends = Ends.ERROR) -> None:
        super().__init__(sentence)
        self.ends = ends


def answer(text: "RenderableType", document: Mapping[str, Any], form: Format) -> None:
    """Print the answer of a command on stdout, as text or as its JSON document."""
    if form is Format.JSON:
        sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
        return
    from rich.console import Console

    if sys.stdout.isatty():
        Console(highlight=False).print(text)
        return
    # A file or a program gets lines as long as they are, and no padding.
    console = Console(highlight=False, width=_ENDLESS, color_system=None)
    with console.capture() as captured:
        console.print(text)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def note(sentence: str) -> None:
    """Say something beside the answer, on stderr."""
    sys.stderr.write(sentence + "\n")
    sys.stderr.flush()


def end(code: Ends) -> NoReturn:
    """Leave the command with an exit code, having said all there is to say."""
    raise typer.Exit(int(code))


@contextmanager
def progress() -> Iterator["Progress"]:
    """Progress on stderr, and only where somebody sees it: silent unless that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as shown:
        yield shown
