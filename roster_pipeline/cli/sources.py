"""`roster source`: a new source's file, and whether a source works."""

import sys
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from roster_pipeline.cli import expectations, trials
from roster_pipeline.cli.console import Ends, Refusal, note
from roster_pipeline.cli.rooms import command_for, folder_of
from roster_pipeline.cli.vendors import profile_of
from roster_pipeline.cli.workspaces import refresh_schemas
from roster_pipeline.sources.rest_config import LoginKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from roster_pipeline.cli.new_source import Question
    from roster_pipeline.sources.vendors import Vendor

_SAID: Final = 5
"""How many problems of other files are listed."""
_OF_SFTP: Final = ("host", "port", "username", "private_key", "fingerprint")
_OF_FILES: Final = (*_OF_SFTP, "folder", "folder_path", "pattern", "files")
_WHOSE: Final = (
    "Its vendor, as `roster vendor list` has it; generic-csv for OneRoster files, or files of its "
    "own"
)
_OF_REST: Final = ("base_url", "version", "app", "client_id", "token_url")

app = typer.Typer(
    help="A new district's file, whether it works, and what to expect of it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("new")
def new(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="ID", help="What to call the source.")],
    vendor: Annotated[
        str | None,
        typer.Option(
            "--vendor",
            help="As `roster vendor list` names it. generic-rest-1.2, or generic-csv for files.",
        ),
    ] = None,
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
    port: Annotated[int | None, typer.Option(help="For files: its port, if not 22.")] = None,
    username: Annotated[str | None, typer.Option(help="For files: the user there.")] = None,
    private_key: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="For files: the private key, instead of a password."),
    ] = None,
    fingerprint: Annotated[
        str | None, typer.Option(help="For files: of the server's host key, SHA256:….")
    ] = None,
    folder: Annotated[
        str | None, typer.Option(help="For files: where they lie there; a dot by default.")
    ] = None,
    folder_path: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="For files: a folder of this machine, without SFTP."),
    ] = None,
    pattern: Annotated[
        str | None, typer.Option(help='For files: how zips are called; "*.zip" by default.')
    ] = None,
    files: Annotated[
        list[str] | None,
        typer.Option(help='For loose files: how they are called, such as "*.csv". Repeatable.'),
    ] = None,
) -> None:
    """Write the file of a new source, with comments, for one vendor; it never overwrites one.

    On a terminal it asks for what is not said; elsewhere a placeholder stands there, which it
    names. Only --timezone has none: it has to be said there. Secrets are not asked for: it says
    which variable to set.
    """
    from roster_pipeline.cli.new_source import name_of, unfilled, wrong_beside

    at = folder_of(context)
    _require_free(at, source)
    said = {
        "version": version,
        "name": name,
        "timezone": timezone,
        "base_url": base_url,
        "app": application,
        "client_id": client_id,
        "token_url": token_url,
        "host": host,
        "port": None if port is None else str(port),
        "username": username,
        "private_key": private_key,
        "fingerprint": fingerprint,
        "folder": folder,
        "folder_path": folder_path,
        "pattern": pattern,
        "files": ",".join(files) if files else None,
    }
    given = {key: text for key, text in said.items() if text is not None}
    _require_apart(given)
    by_files = not given.keys().isdisjoint(_OF_FILES)
    vendor = vendor or _vendor(given, by_files=by_files)
    profile = profile_of(vendor)
    way: LoginKind | None = None
    if profile.rest is not None and not by_files:
        way = login or profile.rest.login[0]
    _require_sound(given)
    _complete(given, _questions(profile, given, way), {"name": name_of(source)})
    text = _text(source, vendor, profile, given, way, demographics)
    _write(at, source, text)
    refresh_schemas(at)
    _say_what_next(command_for(at), source, at, way, given, unfilled(given))
    _say_what_is_wrong(wrong_beside(at))


def _vendor(given: "Mapping[str, str]", *, by_files: bool) -> str:
    """The vendor of whom nothing is said: a terminal is asked where no option tells how the roster
    comes."""
    from roster_pipeline.sources import vendors

    usual = "generic-csv" if by_files else "generic-rest-1.2"
    if not sys.stdin.isatty() or not given.keys().isdisjoint((*_OF_FILES, *_OF_REST)):
        return usual
    while True:
        said = str(typer.prompt(_WHOSE, default=usual, err=True)).strip()
        if said in vendors.known():
            return said
        near = get_close_matches(said, vendors.known(), n=1)
        hint = f"; did you mean {near[0]}?" if near else "; `roster vendor list` has them."
        note(f"There is no such profile{hint}")


def _questions(
    profile: "Vendor", given: "Mapping[str, str]", login: LoginKind | None
) -> "Iterator[Question]":
    """What has to be known, in the order of the file. Without a login it comes as files."""
    from roster_pipeline.cli.new_drops import drops_questions
    from roster_pipeline.cli.new_source import questions, rest_questions

    yield from questions()
    if profile.rest is None or login is None:
        yield from drops_questions(profile, given)
    else:
        yield from rest_questions(profile.rest, given, login)


def _require_apart(given: "Mapping[str, str]") -> None:
    """Raise Refusal where two options say two ways."""
    from roster_pipeline.cli.new_source import option_of

    pairs = [("pattern", "files")]
    pairs += [("folder_path", key) for key in _OF_SFTP]
    pairs += [(one, other) for one in _OF_REST for other in _OF_FILES]
    for one, other in pairs:
        if one in given and other in given:
            options = f"{option_of(one)} and {option_of(other)}"
            raise Refusal(f"Nothing was written. {options}: say one of the two.", Ends.UNREADABLE)


def _require_free(folder: Path, source: str) -> None:
    """Raise Refusal unless a source of this id can be made in a workspace."""
    from roster_pipeline.cli.new_source import there_already, wrong_id
    from roster_pipeline.workspace.reading import ROSTER_YAML

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
    login: LoginKind | None,
    demographics: bool,
) -> str:
    """The file, which loads without an error. Raises Refusal."""
    from roster_pipeline.cli.new_drops import drops_file
    from roster_pipeline.cli.new_source import rest_file, wrong_in

    if login is None:
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
    note("Beside it, this is to be mended; what has an error is not used:")
    for sentence in wrong[:_SAID]:
        note(_ended(sentence))
    if len(wrong) > _SAID:
        note(f"… and {len(wrong) - _SAID:,} more.")


def _say_what_next(
    command: str,
    source: str,
    folder: Path,
    login: LoginKind | None,
    given: "Mapping[str, str]",
    unfilled: "Sequence[str]",
) -> None:
    note(f"made sources/{source}.yaml")
    if unfilled:
        keys = ", ".join(f"`{key}`" for key in unfilled)
        note(f"Fill in there what is not known yet: {keys}.")
    first = _what_first(source, folder, login, given)
    test = f"`{command} source test {source}`"
    note(f"{first} Then run {test}." if first else f"Next: {test}.")


def _what_first(
    source: str, folder: Path, login: LoginKind | None, given: "Mapping[str, str]"
) -> str:
    """What is to be done about the secret, or the folder; nothing where all is there."""
    from roster_pipeline.cli.new_source import variable_of

    if drops := given.get("folder_path"):
        there = (folder / Path(drops).expanduser()).is_dir()
        return "" if there else f"Make the folder {drops}, which is not there yet."
    if key := given.get("private_key"):
        there = (folder / Path(key).expanduser()).is_file()
        return "" if there else f"Put the private key into {key}, which is not there yet."
    what = "password" if login is None else "token" if login == "bearer" else "secret"
    variable = variable_of(source, login)
    return f"Set the environment variable {variable} to the {what} wherever roster runs."


app.command("test")(trials.try_)
app.command("suggest-expectations")(expectations.suggest_expectations)
