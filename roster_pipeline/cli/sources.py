"""`roster source`: a new source's file, and whether a source works."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, cast

import typer

from roster_pipeline.cli.console import (
    Ends,
    Format,
    FormatOption,
    Refusal,
    answer,
    end,
    note,
    progress,
)
from roster_pipeline.cli.rooms import command_for, folder_of, opened
from roster_pipeline.cli.vendors import profile_of
from roster_pipeline.sources.rest_config import LoginKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from roster_pipeline.cli.new_source import Question
    from roster_pipeline.sources.trial import Step
    from roster_pipeline.sources.vendors import Vendor
    from roster_pipeline.transport.config import TransportConfig
    from roster_pipeline.workspace import District

_SAID: Final = 5
"""How many problems of other files are listed."""

app = typer.Typer(
    help="A new district's file, and whether a district's server works.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("new")
def new(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="ID", help="What to call the source.")],
    vendor: Annotated[
        str, typer.Option("--vendor", help="As `roster vendor list` names it.")
    ] = "generic-rest-1.2",
    name: Annotated[str | None, typer.Option(help="What people call the district.")] = None,
    timezone: Annotated[
        str | None,
        typer.Option(
            help="The district's own, such as America/Chicago. Off a terminal it has to be said."
        ),
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(help="The server: https://HOST, or with the whole path.")
    ] = None,
    version: Annotated[
        Literal["1.1", "1.2"] | None,
        typer.Option(help="OneRoster 1.1 or 1.2, if not as usual for the vendor."),
    ] = None,
    application: Annotated[
        str | None, typer.Option("--app", help="What the vendor calls this application.")
    ] = None,
    login: Annotated[
        LoginKind | None, typer.Option(help="How to log in, if not as usual for the vendor.")
    ] = None,
    client_id: Annotated[
        str | None, typer.Option(help="The client id or consumer key. No secret belongs here.")
    ] = None,
    token_url: Annotated[str | None, typer.Option(help="Where tokens are given out.")] = None,
    demographics: Annotated[
        bool, typer.Option("--demographics", help="Ask for birth dates and the like, too.")
    ] = False,
    host: Annotated[str | None, typer.Option(help="For files: the SFTP server's name.")] = None,
    username: Annotated[str | None, typer.Option(help="For files: the user there.")] = None,
    fingerprint: Annotated[
        str | None, typer.Option(help="For files: of the server's host key, SHA256:….")
    ] = None,
    folder: Annotated[str, typer.Option(help="For files: where they lie there.")] = ".",
) -> None:
    """Write the file of a new source, with comments, for one vendor; it never overwrites one.

    On a terminal it asks for what is not said; elsewhere a placeholder stands there, which it
    names. Only --timezone has none: it has to be said there. Secrets are not asked for: it says
    which variable to set.
    """
    from roster_pipeline.cli.new_source import name_of, questions, unfilled, wrong_beside

    at = folder_of(context)
    _require_free(at, source)
    profile = profile_of(vendor)
    way: LoginKind = login or (profile.rest.login[0] if profile.rest else "oauth2")
    said = {
        "version": version,
        "name": name,
        "timezone": timezone,
        "base_url": base_url,
        "app": application,
        "client_id": client_id,
        "token_url": token_url,
        "host": host,
        "username": username,
        "fingerprint": fingerprint,
        "folder": folder,
    }
    given = {key: text for key, text in said.items() if text is not None}
    _require_sound(given)
    _complete(given, questions(profile, given, way), {"name": name_of(source)})
    text = _text(source, vendor, profile, given, way, demographics)
    _write(at, source, text)
    _say_what_next(command_for(at), source, profile, way, unfilled(given))
    _say_what_is_wrong(wrong_beside(at))


def _require_free(folder: Path, source: str) -> None:
    """Raise Refusal unless a source of this id can be made in a workspace."""
    from roster_pipeline.cli.new_source import there_already, wrong_id
    from roster_pipeline.workspace.folder import ROSTER_YAML

    if wrong := wrong_id(source):
        raise Refusal(f"{source}: {wrong}.", Ends.UNREADABLE)
    if not (folder / ROSTER_YAML).is_file():
        raise Refusal(
            f"There is no workspace in {folder}; make one with `roster init`, or name one with "
            "--workspace.",
            Ends.UNREADABLE,
        )
    if there := there_already(folder, source):
        raise Refusal(f"There is {there} already. Choose another id, or change that file.")


def _require_sound(given: "Mapping[str, str]") -> None:
    """Raise Refusal with each option whose value cannot stand in the file."""
    from roster_pipeline.cli.new_source import option_of, wrong_answer

    if wrong := {key: why for key, text in given.items() if (why := wrong_answer(key, text))}:
        said = " ".join(f"{option_of(key)}: {_ended(why)}" for key, why in wrong.items())
        raise Refusal(f"Nothing was written. {said}", Ends.UNREADABLE)


def _complete(
    given: dict[str, str], questions: "Iterable[Question]", usual: "Mapping[str, str]"
) -> None:
    """Add what a person says, or what stands in the file until somebody does.

    Raises Refusal where there is nobody to ask and the file cannot be without.
    """
    missing = []
    for question in questions:
        if question.key in given:
            continue
        default = usual.get(question.key) or question.otherwise
        if sys.stdin.isatty():
            given[question.key] = _ask(question, default)
        elif default is None:
            missing.append(question.option)
        else:
            given[question.key] = default
    if missing:
        raise Refusal(f"Say {', '.join(missing)} too: no file can be without.", Ends.UNREADABLE)


def _ask(question: "Question", default: str | None) -> str:
    """What a person says, asked again until it can stand in the file."""
    from roster_pipeline.cli.new_source import wrong_answer

    while True:
        given = str(typer.prompt(question.text, default=default, err=True)).strip()
        wrong = wrong_answer(question.key, given)
        if wrong is None:
            return given
        note(_ended(wrong[:1].upper() + wrong[1:]))


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith("?") else f"{sentence}."


def _text(
    source: str,
    vendor: str,
    profile: "Vendor",
    given: "Mapping[str, str]",
    login: LoginKind,
    demographics: bool,
) -> str:
    """The file, which loads without an error. Raises Refusal."""
    from roster_pipeline.cli.new_source import drops_file, rest_file, wrong_in

    if profile.rest is None:
        text = drops_file(source, vendor, profile, given)
    else:
        text = rest_file(source, vendor, profile, given, login, demographics)
    if wrong := wrong_in(text, f"sources/{source}.yaml"):
        raise Refusal(f"Nothing was written. {' '.join(map(_ended, wrong))}", Ends.UNREADABLE)
    return text


def _write(folder: Path, source: str, text: str) -> None:
    file = folder / "sources" / f"{source}.yaml"
    try:
        file.parent.mkdir(exist_ok=True)
    except FileExistsError:
        raise Refusal(
            f"{file.parent} should be a folder, and is none. Move it away, or make one there.",
            Ends.UNREADABLE,
        ) from None
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        raise Refusal(f"There is {file} already. Choose another id.") from None


def _say_what_is_wrong(wrong: "Sequence[str]") -> None:
    """Of files that stood there before: the new one loads."""
    if not wrong:
        return
    note("No command can use the workspace before this is mended:")
    for sentence in wrong[:_SAID]:
        note(_ended(sentence))
    if len(wrong) > _SAID:
        note(f"… and {len(wrong) - _SAID:,} more.")


def _say_what_next(
    command: str, source: str, profile: "Vendor", login: LoginKind, unfilled: "Sequence[str]"
) -> None:
    from roster_pipeline.cli.new_source import variable_of

    note(f"made sources/{source}.yaml")
    if unfilled:
        keys = ", ".join(f"`{key}`" for key in unfilled)
        note(f"Fill in there what is not known yet: {keys}.")
    what = "password" if profile.rest is None else "token" if login == "bearer" else "secret"
    note(
        f"Set the environment variable {variable_of(source, profile, login)} to the {what} "
        f"wherever roster runs. Then run `{command} source test {source}`."
    )


@app.command("test")
def try_(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="The id of a source.")],
    form: FormatOption = Format.TEXT,
) -> None:
    """Try a source step by step: name, encryption, login, each collection or folder, expectations.

    Says which step failed and what to switch on. Changes nothing, keeps nothing. Exits 0 if it
    works, 1 if not, 2 if the workspace cannot be read.
    """
    from roster_pipeline.reports.trials import trial_document, trial_text
    from roster_pipeline.sources.trial import Went

    with opened(context) as rooms:
        rooms.require_source(source)
        district = rooms.workspace.sources[source]
        with progress() as shown:
            task = shown.add_task(f"Trying {source}", total=None)
            steps = _tried(
                rooms.workspace.folder,
                district,
                lambda what: shown.update(task, description=f"Trying {source}: {what}"),
            )
    answer(trial_text(district, steps), trial_document(district, steps), form)
    failed = any(step.went is Went.FAILED for step in steps)
    end(Ends.ERROR if failed else Ends.DONE)


def _tried(
    folder: Path, district: "District", on_step: "Callable[[str], None]"
) -> "tuple[Step, ...]":
    from roster_pipeline.resources.channels import Channels
    from roster_pipeline.sources.trial import try_drops, try_server

    channels, now = Channels(folder, os.environ), datetime.now(UTC)
    if district.rest is not None:
        return try_server(
            district,
            district.rest,
            channels.server,
            base=folder,
            today=district.date_of(now),
            on_step=on_step,
        )
    transport = cast("TransportConfig", district.transport)  # it has this or rest
    return try_drops(district, transport, lambda: channels.source(district), now, on_step=on_step)
