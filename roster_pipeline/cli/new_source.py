"""The file of a new source: what has to be known for it, and the file as text."""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

from roster_pipeline.cli.workspaces import filled, schema_line
from roster_pipeline.fields import Identifier
from roster_pipeline.sources.placeholders import NO_FINGERPRINT, PLACEHOLDER
from roster_pipeline.sources.rest_config import APP, Accents, LoginKind
from roster_pipeline.sources.vendors import Vendor

Given = Mapping[str, str]
"""Key of the file → what is to stand there, as text."""

_ADDRESS: Final = f"https://{PLACEHOLDER}.example"
# Control characters, and what a shell hands on of bytes that are no UTF-8.
_UNREADABLE: Final = frozenset({"Cc", "Cs"})
_MAY_BE_EMPTY: Final = ("private_key", "files")
_STANDS_AS: Final = {"folder_path": "path"}
_KEYS: Final[Mapping[LoginKind, tuple[str | None, str]]] = {
    "oauth2": ("client_id", "client_secret"),
    "oauth1": ("consumer_key", "consumer_secret"),
    "bearer": (None, "token"),
}


@dataclass(frozen=True)
class Question:
    """Something that has to be known."""

    key: str
    """In the file; with hyphens the option."""
    text: str
    """What a person is asked."""
    otherwise: str | None
    """What stands there until somebody fills it in; None if the file cannot be without it."""

    @property
    def option(self) -> str:
        """How it is said on the command line."""
        return option_of(self.key)


def option_of(key: str) -> str:
    """How a key is said on the command line."""
    return f"--{key.replace('_', '-')}"


def questions() -> Iterator[Question]:
    """What has to be known of every source."""
    yield Question("name", "What people call the district", None)
    yield Question("timezone", "The district's timezone, such as America/Chicago", None)


def rest_questions(rest: Accents, given: Given, login: LoginKind) -> Iterator[Question]:
    """What has to be known of a server of a vendor. Each is put after `given` has the answer to
    the one before."""
    # Who logs in otherwise than usual does it elsewhere: at a district's own server.
    if rest.host is None or login != rest.login[0]:
        yield Question("base_url", "The server's address, such as https://HOST", _ADDRESS)
    if _has_app(rest, given, login):
        yield Question("app", "What the vendor calls this application or district", PLACEHOLDER)
    if login != "bearer":
        yield Question("client_id", "The client id (consumer key, application key)", PLACEHOLDER)
    if login == "oauth2" and not (rest.token_path or rest.token_url):
        yield Question("token_url", "Where tokens are given out", f"{_ADDRESS}/token")


def name_of(source: str) -> str:
    """What a district may be called, from its id."""
    return " ".join(word.capitalize() for word in source.split("-"))


def variable_of(source: str, login: LoginKind | None) -> str:
    """The environment variable for a source's secret; without a login, for an SFTP password."""
    stem = source.upper().replace("-", "_")
    ending = "SFTP_PASSWORD" if login is None else "TOKEN" if login == "bearer" else "SECRET"
    # No shell sets a variable whose name begins with a digit.
    return f"ROSTER_{stem}_{ending}" if stem[0].isdigit() else f"{stem}_{ending}"


def rest_file(
    source: str,
    vendor_name: str,
    vendor: Vendor,
    given: Given,
    login: LoginKind,
    demographics: bool,
) -> str:
    """The YAML of a source that is pulled from a server."""
    address = _address_lines(vendor.rest or Accents(), given)
    secret = variable_of(source, login)
    return filled(
        "new_rest_source.yaml",
        schema_line=schema_line("source", "../"),
        id=source,
        quoted_id=scalar(source),
        title=vendor.title,
        vendor=vendor_name,
        name=scalar(given["name"]),
        timezone=scalar(given["timezone"]),
        address="\n".join(f"  {line}" for line in address) or "  # The vendor's address is known.",
        login="\n".join(f"    {line}" for line in _login_lines(given, login, secret)),
        demographics="true" if demographics else "false",
    )


def unfilled(given: Given) -> list[str]:
    """The keys that somebody still has to fill in."""
    return [key for key, text in given.items() if PLACEHOLDER in text or text == NO_FINGERPRINT]


def wrong_id(source: str) -> str | None:
    """What is wrong with an id; None if nothing is."""
    try:
        TypeAdapter(Identifier).validate_python(source)
    except ValidationError as error:
        return error.errors()[0]["msg"].removeprefix("Value error, ")
    return None


def wrong_answer(key: str, text: str) -> str | None:
    """What is wrong with what is said for one key, whatever else the file says; None if nothing."""
    from roster_pipeline.workspace.located_yaml import read
    from roster_pipeline.workspace.problems import explain

    if any(unicodedata.category(sign) in _UNREADABLE for sign in text):
        return "it has signs that cannot be read; write it as UTF-8 text in one line"
    if key == "app" and wrong_answer("base_url", f"{_ADDRESS}/{text}"):
        return "it is a part of addresses, so no space and no sign such as ? or # may be in it"
    if not text and key in _MAY_BE_EMPTY:
        return None
    model, value = _model_of(key), _value_of(key, text)
    stands = _STANDS_AS.get(key, key)
    document = read(yaml.safe_dump({stands: value}).encode())
    try:
        model.model_validate(document.data)
    except ValidationError as error:
        about = (f"`{stands}`: ", f"`{stands}.file`: ", f"`{stands}.names`: ")
        for problem in explain(error, document, "", model):
            for start in about:
                if problem.message.startswith(start):
                    return problem.message.removeprefix(start)
    return None


def _value_of(key: str, text: str) -> Any:
    """What is written for a key, as it stands in the file."""
    if key == "private_key":
        return {"file": text}
    if key == "files":
        return names_in(text)
    return int(text) if key == "port" else text


def _model_of(key: str) -> type[BaseModel]:
    """The part of a source's file in which a key stands. What else that part needs is not there,
    which is nothing wrong with the key."""
    from roster_pipeline.sources.rest_config import Rest
    from roster_pipeline.transport.config import FolderConfig, SftpConfig
    from roster_pipeline.transport.http_config import OAuth2
    from roster_pipeline.workspace import District

    if key == "folder_path":
        return FolderConfig
    models: tuple[type[BaseModel], ...] = (Rest, OAuth2, SftpConfig)
    return next((model for model in models if key in model.model_fields), District)


def names_in(text: str) -> list[str]:
    """The names of loose files that are said in one text, with commas between them."""
    return [name.strip() for name in text.split(",")]


def wrong_in(text: str, file: str) -> list[str]:
    """What is wrong with a file's text, in sentences."""
    from roster_pipeline.workspace import District
    from roster_pipeline.workspace.located_yaml import read
    from roster_pipeline.workspace.problems import explain

    document = read(text.encode())
    try:
        District.model_validate(document.data)
    except ValidationError as error:
        return [problem.message for problem in explain(error, document, file, District)]
    return []


def wrong_beside(folder: Path) -> list[str]:
    """What else is wrong in a workspace, in sentences with their files."""
    from roster_pipeline.workspace import Workspace, WorkspaceError

    try:
        Workspace.load(folder)
    except WorkspaceError as error:
        return [str(problem) for problem in error.problems]
    return []


def there_already(folder: Path, source: str) -> Path | None:
    """The file that a source has already."""
    files = (folder / "sources" / f"{source}{ending}" for ending in (".yaml", ".yml"))
    return next((file for file in files if file.exists()), None)


def _has_app(rest: Accents, given: Given, login: LoginKind) -> bool:
    """Whether addresses that are not given have the application's name in them."""
    path = "" if _has_path(given) else rest.path_of(given.get("version", rest.version))
    of_oauth2 = login == "oauth2" and "token_url" not in given
    tokens = (rest.token_path or "", rest.token_url or "") if of_oauth2 else ()
    return any(APP in text for text in (path, *tokens))


def _has_path(given: Given) -> bool:
    """Whether an address is given whole."""
    try:
        return bool(urlsplit(given.get("base_url", "")).path.strip("/"))
    except ValueError:  # no address at all, which is said elsewhere
        return False


def _address_lines(rest: Accents, given: Given) -> Iterator[str]:
    version = given.get("version", rest.version)
    if "version" in given:
        yield f'version: "{version}"'
    if "base_url" in given:
        if not _has_path(given):
            yield "# The host is enough where the collections are as usual for the vendor, at"
            yield f"# {rest.path_of(version)}"
            yield "# Write the whole address where they are elsewhere."
        yield f"base_url: {scalar(given['base_url'])}"
    if "app" in given:
        yield "# What the vendor calls this application or district: a part of its addresses."
        yield f"app: {scalar(given['app'])}"


def _login_lines(given: Given, login: LoginKind, variable: str) -> Iterator[str]:
    yield f"{login}:"
    key, secret = _KEYS[login]
    if key is not None:
        yield f"  {key}: {scalar(given['client_id'])}"
    yield "  # The variable that holds the secret; never the secret itself."
    yield f"  {secret}: {{env: {variable}}}"
    if login == "oauth2" and "token_url" in given:
        yield f"  token_url: {scalar(given['token_url'])}"


def scalar(text: str) -> str:
    """A text as YAML reads it back."""
    written: Any = yaml.safe_dump(text, allow_unicode=True, width=10_000)
    return str(written).removesuffix("\n").removesuffix("\n...")
