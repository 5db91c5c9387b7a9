"""The file of a new source whose roster comes as files: what has to be known, and the text."""

from collections.abc import Iterator
from typing import Final

from roster_pipeline.cli.new_source import Given, Question, names_in, scalar, variable_of
from roster_pipeline.cli.workspaces import filled, schema_line
from roster_pipeline.sources.placeholders import NO_FINGERPRINT, PLACEHOLDER
from roster_pipeline.sources.vendors import Vendor

_ZIP: Final = "*.zip"


def drops_questions(vendor: Vendor, given: Given) -> Iterator[Question]:
    """What has to be known of the way to a district's files. Each is put after `given` has the
    answer to the one before."""
    if "folder_path" not in given:
        yield Question("host", "The SFTP server's name", f"{PLACEHOLDER}.example")
        yield Question("username", "The user there", PLACEHOLDER)
        yield Question("private_key", "The file of the private key; empty for a password", "")
        yield Question("fingerprint", "The host key's fingerprint (SHA256:…)", NO_FINGERPRINT)
        yield Question("folder", "The folder there; a dot for where the login lands", ".")
    if "pattern" not in given:
        usual = vendor.defaults.get("files") or ()
        names = ",".join(usual if isinstance(usual, list | tuple) else usual.get("names", ()))
        text = "Names of loose files, such as *.csv; empty if they come in one zip"
        yield Question("files", text, names)


def drops_file(source: str, vendor_name: str, vendor: Vendor, given: Given) -> str:
    """The YAML of a source whose drops arrive on an SFTP server, or in a folder of this machine."""
    what = "OneRoster CSV" if vendor.mapping is None else vendor.title
    lines = _folder_lines if "folder_path" in given else _sftp_lines
    return filled(
        "new_drops_source.yaml",
        schema_line=schema_line("source", "../"),
        id=source,
        quoted_id=scalar(source),
        what=f"{what}, {'from a folder' if 'folder_path' in given else 'by SFTP'}",
        vendor=vendor_name,
        name=scalar(given["name"]),
        timezone=scalar(given["timezone"]),
        transport="\n".join(f"  {line}" for line in lines(source, given)),
        drops="\n".join(_drop_lines(given)),
    )


def _folder_lines(_source: str, given: Given) -> Iterator[str]:
    yield "# A folder of this machine; relative to the workspace."
    yield f"folder: {{path: {scalar(given['folder_path'])}}}"


def _sftp_lines(source: str, given: Given) -> Iterator[str]:
    yield "sftp:"
    yield f"  host: {scalar(given['host'])}"
    if "port" in given:
        yield f"  port: {given['port']}"
    yield f"  username: {scalar(given['username'])}"
    variable = variable_of(source, None)
    if key := given.get("private_key"):
        yield "  # The file of the key, relative to the workspace; never the key itself."
        yield f"  private_key: {{file: {scalar(key)}}}"
        phrase = variable.replace("PASSWORD", "PASSPHRASE")
        yield f"  # passphrase: {{env: {phrase}}}   # if the key has one"
    else:
        yield "  # The variable that holds the password; never the password itself."
        yield f"  password: {{env: {variable}}}"
    yield f"  # The server's host key. `roster source test {source}` shows it; have the district"
    yield "  # confirm it by another way before you write it here."
    yield f"  fingerprint: {scalar(given['fingerprint'])}"


def _drop_lines(given: Given) -> Iterator[str]:
    if given.get("folder", ".") != "." or "folder_path" not in given:
        yield "# Where drops lie on the server, and how they are called."
        yield f"folder: {scalar(given.get('folder', '.'))}"
    else:
        yield "# How drops are called."
    if files := given.get("files"):
        yield "# Loose files: those of one day are one drop. `pattern` instead is for a zip."
        yield f"files: [{', '.join(scalar(name) for name in names_in(files))}]"
    else:
        yield f"pattern: {scalar(given.get('pattern', _ZIP))}"
        yield "# Loose files instead of a zip:"
        yield '# files: ["*.csv"]'
