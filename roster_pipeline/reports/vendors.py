"""What is known of vendors, for people and programs."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from roster_pipeline.reports.mappings import file_lines, makes_sentence, mapping_document
from roster_pipeline.reports.tables import text_table
from roster_pipeline.sources.rest_config import ANY, Accents, Habits
from roster_pipeline.sources.vendors import Vendor

LOGINS: Final[Mapping[str, str]] = {
    "oauth2": "OAuth 2 client credentials",
    "oauth1": "OAuth 1.0a, signed requests",
    "bearer": "a bearer token that the vendor hands out",
}
_SENT_IN: Final = {
    "basic": "by HTTP Basic",
    "body": "in the body of the request for a token",
    "query": "by HTTP Basic, and the rest of the request for a token in its address",
}
_PAGING: Final = {
    "rows": "pages are asked for until one is empty",
    "next": "the server's links to the next page are followed",
    "total": "pages are asked for until there are as many records as the server says",
}


def vendors_document(vendors: Mapping[str, Vendor]) -> dict[str, Any]:
    """All profiles as JSON."""
    return {
        "schema": "roster.vendors/1",
        "vendors": [
            {
                "vendor": name,
                "title": vendor.title,
                "comes_by": _comes_by(vendor),
                "mapped": vendor.mapping is not None,
                "versions": list(versions(vendor)),
                "login": list(vendor.rest.login) if vendor.rest else [],
            }
            for name, vendor in vendors.items()
        ],
    }


def vendor_document(name: str, vendor: Vendor) -> dict[str, Any]:
    """One profile as JSON."""
    rest = vendor.rest
    return {
        "schema": "roster.vendor/1",
        "vendor": name,
        "title": vendor.title,
        "comes_by": _comes_by(vendor),
        "mapping": None if vendor.mapping is None else mapping_document(vendor.mapping),
        "addresses": [] if rest is None else _addresses(rest),
        "login": [] if rest is None else list(rest.login),
        "rest": {} if rest is None else _said(rest),
        "otherwise": [] if rest is None else list(otherwise(rest)),
        "advice": vendor.advice.model_dump(mode="json"),
    }


def vendors_text(vendors: Mapping[str, Vendor]) -> RenderableType:
    """All profiles for a terminal."""
    rows = [
        (name, vendor.title, how_it_comes(vendor), _logins(vendor))
        for name, vendor in vendors.items()
    ]
    return text_table(("vendor", "title", "comes by", "logs in by"), rows)


def vendor_text(name: str, vendor: Vendor) -> RenderableType:
    """One profile for a terminal."""
    advice = vendor.advice
    parts: list[RenderableType] = [Text(f"{vendor.title} ({name})", style="bold")]
    if vendor.mapping is not None:
        parts.append(Text("Comes as files of its own, by SFTP or from a folder."))
        parts.append(Text(makes_sentence(vendor.mapping)))
        parts += _listed("Files, and the columns that are taken:", file_lines(vendor.mapping))
    elif vendor.rest is None:
        parts.append(Text("Comes as files: OneRoster CSV, by SFTP or from a folder."))
    else:
        parts += _listed("Addresses:", address_lines(vendor.rest))
        parts += _listed("Logs in by:", login_lines(vendor.rest))
        parts += _listed("Otherwise than the standard, or than usual:", otherwise(vendor.rest))
    parts += _numbered("To set up access:", advice.steps)
    parts += _listed("To know before:", advice.notes)
    parts += _listed("Not certain:", advice.uncertain)
    refusals = (f"{seen}: {what}" for seen, what in refused(vendor))
    parts += _listed("When something is refused:", refusals)
    return Group(*parts)


def otherwise(rest: Accents) -> Iterator[str]:
    """What the vendor's servers do otherwise than the standard's, or than most, in sentences."""
    said = rest.model_fields_set
    if "limit" in said:
        yield f"Pages of {rest.limit:,} records are asked for."
    if "paging" in said:
        yield f"Paging: {_PAGING[rest.paging]}."
    yield from _of_records(rest)
    if not rest.sort:
        yield "Records are not asked for in order."
    if rest.at_once > 1:
        yield f"{rest.at_once} collections are pulled side by side."
    if rest.most_at_once is not None:
        yield f"More than {rest.most_at_once} requests at a time are forbidden."
    if rest.per_minute is not None:
        yield f"More than {rest.per_minute:,} requests a minute are refused."
    if not rest.changes:
        yield "The server cannot tell what changed since a moment: no `delta`."


def _of_records(rest: Accents) -> Iterator[str]:
    for collection, names in rest.wrappers.items():
        what = "Records of any collection" if collection == ANY else collection
        yield f"{what} may stand in a page under {_or(names)}."
    for key, value in rest.parameters.items():
        yield f"Every request has the parameter {key}={value}."
    for header in rest.steady:
        yield f"The header {header} must not change during a pull."
    for collection, endpoints in rest.made_of.items():
        yield f"{collection} are put together from {', '.join(endpoints)}."
    for collection in rest.merge:
        yield f"{collection}: records with one sourcedId that differ are put together."
    if rest.blanks_in_ids == "underscore":
        yield "Blanks within sourcedIds become underscores."


def _comes_by(vendor: Vendor) -> str:
    return "files" if vendor.rest is None else "REST"


def how_it_comes(vendor: Vendor) -> str:
    """How a vendor's rosters come, for a table."""
    what = "files of its own" if vendor.mapping is not None else _comes_by(vendor)
    return ", ".join((what, *versions(vendor)))


def _logins(vendor: Vendor) -> str:
    return ", ".join(vendor.rest.login) if vendor.rest else "SFTP, folder"


def versions(vendor: Vendor) -> Iterator[str]:
    """The versions that a profile speaks of, the one that it asks for first."""
    rest = vendor.rest
    if rest is not None:
        yield from dict.fromkeys((rest.version, *rest.paths, *rest.other_paths))


def _addresses(rest: Accents) -> list[dict[str, Any]]:
    host = rest.host or "https://HOST"
    return [
        {
            "version": version,
            "base_url": host + rest.path_of(version),
            "others": [host + path for path in rest.other_paths.get(version, ())],
            "token_url": rest.token_url or (rest.token_path and host + rest.token_path),
        }
        for version in dict.fromkeys((rest.version, *rest.paths, *rest.other_paths))
    ]


def address_lines(rest: Accents) -> Iterator[str]:
    """Where the collections are, and where tokens are given out."""
    for address in _addresses(rest):
        yield f"OneRoster {address['version']}: {address['base_url']}"
        for other in address["others"]:
            yield f"  of some installations: {other}"
    if "oauth2" in rest.login:
        token = _addresses(rest)[0]["token_url"]
        yield f"tokens: {token}" if token else "tokens: `token_url` is to be given"


def login_lines(rest: Accents) -> Iterator[str]:
    """How one logs in, and with which scopes."""
    for kind in rest.login:
        if kind == "oauth2":
            yield f"`oauth2`, {LOGINS[kind]}; id and secret go {_SENT_IN[rest.sent_in]}"
        elif kind == "oauth1":
            yield f"`oauth1`, {LOGINS[kind]}" + (f" by {rest.signature}" if rest.signature else "")
        else:
            yield f"`{kind}`, {LOGINS[kind]}"
    for version, scopes in rest.scopes.items():
        yield f"scopes of {version}: {' '.join(scopes)}"


def refused(vendor: Vendor) -> Iterator[tuple[str, str]]:
    """What a server may refuse, and what to do about it in the vendor's system."""
    advice = vendor.advice
    if advice.unauthorized:
        yield "Credentials not taken (401)", advice.unauthorized
    if advice.forbidden:
        yield "Forbidden (403)", advice.forbidden
    for collection, what in advice.empty.items():
        yield f"No records{'' if collection == ANY else f' of {collection}'}", what
    if advice.missing:
        yield "Not there (404)", advice.missing


def _said(rest: Accents) -> dict[str, Any]:
    """The habits that the profile states, as a source's file may state them."""
    habits = {*Habits.model_fields, "per_minute"} & rest.model_fields_set
    return rest.model_dump(mode="json", include=habits)


def _or(names: Iterable[str]) -> str:
    return " or ".join(f"`{name}`" for name in names)


def _listed(title: str, lines: Iterable[str]) -> list[RenderableType]:
    return _titled(title, [f"  {line}" for line in lines])


def _numbered(title: str, lines: Iterable[str]) -> list[RenderableType]:
    return _titled(title, [f"  {number}. {line}" for number, line in enumerate(lines, 1)])


def _titled(title: str, lines: list[str]) -> list[RenderableType]:
    return [Text(), Text(title, style="bold"), *map(Text, lines)] if lines else []
