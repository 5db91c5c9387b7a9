"""What is known of vendors as pages of the documentation: docs/sources/.

`python -m roster_pipeline.reports.vendor_pages docs/sources` writes them.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from roster_pipeline.reports.mappings import makes_sentence
from roster_pipeline.reports.tables import markdown_table
from roster_pipeline.reports.vendors import (
    LOGINS,
    address_lines,
    how_it_comes,
    login_lines,
    otherwise,
    refused,
    versions,
)
from roster_pipeline.sources import vendors
from roster_pipeline.sources.mapping.config import CsvMapping, SourceFile
from roster_pipeline.sources.mapping.names import names_used
from roster_pipeline.sources.rest_config import APP, Accents
from roster_pipeline.sources.vendors import Vendor

BY_HAND: Final = "<!-- By hand from here on; what stands above is written by `make docs`. -->\n"
"""What `make docs` leaves alone follows on this line."""
INDEX: Final = "README.md"
_HEAD: Final = """\
# Where rosters come from

A page for each vendor that a district's file can name: what to do in its system, and here. Made
from the profiles by `make docs`; `roster vendor show VENDOR` says the same of one.

{table}

Another system: [add a vendor](../add-a-vendor.md), or [map its files](../map-other-csv.md). The way
from a new file to an approved first sync: [add a district](../add-a-district.md).
"""
_BY_SFTP: Final = "--host sftp.springfield.example --username roster --folder outgoing"


def vendor_page(name: str, vendor: Vendor) -> str:
    """What a profile says, as Markdown."""
    rest = vendor.rest
    parts = [
        f"# {vendor.title}",
        f"`vendor: {name}`. {_comes(vendor)}",
        *_section("What to do there", _numbered(vendor.advice.steps)),
        *_section("What to do here", _commands(name, vendor)),
        *_section("Good to know", _listed(vendor.advice.notes)),
        *_section("What is read", _files(vendor.mapping)),
        *_section("What is known of its servers", _servers(rest)),
        *_section("When something is refused", _refusals(vendor)),
        *_section("Not certain: ask", _listed(vendor.advice.uncertain)),
    ]
    return "\n\n".join(parts) + "\n"


def index_page(profiles: Mapping[str, Vendor]) -> str:
    """All profiles, with links to their pages."""
    rows = [
        (f"[{vendor.title}]({name}.md)", f"`{name}`", how_it_comes(vendor), _login_names(vendor))
        for name, vendor in profiles.items()
    ]
    table = markdown_table(("system", "`vendor:`", "comes by", "logs in by"), rows)
    return _HEAD.format(table=table)


def pages() -> dict[str, str]:
    """The name of each page → what a profile says on it."""
    profiles = {name: vendors.load(name) for name in vendors.known()}
    written = {f"{name}.md": vendor_page(name, vendor) for name, vendor in profiles.items()}
    return {INDEX: index_page(profiles), **written}


def put_in_place(page: str, before: str) -> str:
    """A page with what was written by hand on the one before."""
    _, marker, by_hand = before.partition(BY_HAND)
    return f"{page}\n{marker}{by_hand}" if marker else page


def write_pages(folder: Path) -> None:
    """Write all pages anew, but for what stands on them by hand."""
    for name, page in pages().items():
        path = folder / name
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        path.write_text(put_in_place(page, before), encoding="utf-8")


def _comes(vendor: Vendor) -> str:
    if vendor.mapping is not None:
        return (
            f"Comes as files of its own, by SFTP or from a folder. {makes_sentence(vendor.mapping)}"
        )
    if vendor.rest is None:
        return "Comes as files: OneRoster CSV, by SFTP or from a folder."
    said = " or ".join(versions(vendor))
    ways = " or ".join(LOGINS[kind] for kind in vendor.rest.login)
    return f"Comes by REST: OneRoster {said}. Logs in by {ways}."


def _login_names(vendor: Vendor) -> str:
    logins = vendor.rest.login if vendor.rest else ()
    return ", ".join(f"`{kind}`" for kind in logins) or "SFTP, or none (a folder)"


def _commands(name: str, vendor: Vendor) -> str:
    new = f"roster source new springfield --vendor {name} --timezone America/Chicago"
    if vendor.rest is not None:
        lines = [f"{new} {' '.join(_options(vendor.rest))}".rstrip()]
        variable = "TOKEN" if vendor.rest.login[0] == "bearer" else "SECRET"
        lines.append(f"export SPRINGFIELD_{variable}='…'          # never in a file")
    else:
        mapped = "" if vendor.mapping is None else f" --vendor {name}"
        lines = [
            f"roster check export.zip{mapped}       # offline: can an export be used?",
            f"{new} {_BY_SFTP}",
            "export SPRINGFIELD_SFTP_PASSWORD='…'     # never in a file",
        ]
    lines += [
        "roster source test springfield           # step by step; says what to mend, and where",
        "roster sync springfield --dry-run        # the whole way, and nothing is kept",
        "roster sync springfield                  # the first roster waits for you to approve it",
    ]
    text = "\n".join(["```sh", *lines, "```"])
    return text if vendor.rest is not None else f"{text}\n\n{_OF_FILES}"


_OF_FILES: Final = """\
`roster source test` shows the server's host key: have the district confirm it by another way, then
write it as `fingerprint`. For loose files instead of a zip say `--files "*.csv"`, for a folder of
this machine `--folder-path ./drops` in the place of host, user and folder. More:
[drops](../drops.md), [SFTP](../sftp.md)."""


def _options(rest: Accents) -> Iterator[str]:
    """What `roster source new` needs to be told of a vendor's server."""
    tokens = (rest.token_path or "", rest.token_url or "") if "oauth2" in rest.login else ()
    if rest.host is None:
        yield "--base-url https://sis.springfield.example"
    if any(APP in text for text in (rest.path_of(rest.version), *tokens)):
        yield "--app 5f3a"
    if rest.login[0] != "bearer":
        yield "--client-id 0f6e"
    if rest.login[0] == "oauth2" and not any(tokens):
        yield "--token-url https://sis.springfield.example/token"


def _files(mapping: CsvMapping | None) -> str:
    if mapping is None:
        return ""
    rows = [
        (
            f"`{file.name}`" + ("" if file.required else ", may be missing"),
            *_columns(mapping, key, file),
            _codes(file.ignore),
        )
        for key, file in mapping.files.items()
    ]
    header = ("file", "columns that it must have", "that may be missing", "known, and not read")
    return markdown_table(header, rows)


def _columns(mapping: CsvMapping, key: str, file: SourceFile) -> tuple[str, str]:
    """The columns that a file must have, and those that it may."""
    needed: list[str] = []
    others: list[str] = []
    for name in names_used(mapping, key):
        may_lack = any(fnmatchcase(name.casefold(), one.casefold()) for one in file.optional)
        (others if may_lack else needed).append(name)
    return _codes(needed), _codes(others)


def _codes(names: Iterable[str]) -> str:
    return ", ".join("all others" if name == "*" else f"`{name}`" for name in names)


def _servers(rest: Accents | None) -> str:
    if rest is None:
        return ""
    lines = (*address_lines(rest), *login_lines(rest), *otherwise(rest))
    return "\n".join(f"- {line.strip()}" for line in lines)


def _refusals(vendor: Vendor) -> str:
    rows = list(refused(vendor))
    return markdown_table(("what you see", "what to do"), rows) if rows else ""


def _section(title: str, text: str) -> Iterator[str]:
    if text:
        yield f"## {title}"
        yield text


def _listed(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _numbered(lines: Iterable[str]) -> str:
    return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1))


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
