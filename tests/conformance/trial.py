"""A district of a vendor, as our documentation has it, tried against the vendor's server."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from roster_pipeline.oneroster.findings import Severity
from roster_pipeline.oneroster.package import open_package
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.quality.candidate import build_candidate
from roster_pipeline.sources.config import Source
from roster_pipeline.sources.pull import pull
from roster_pipeline.sources.rest_config import Rest
from roster_pipeline.transport.http import open_session
from tests.conformance.server import CLIENT, SECRET, Fault, Loopback, VendorServer
from tests.conformance.statement import Installation, Statement, stated
from tests.conformance.town import COLUMNS, Cells, town

_TOKEN_FILE = "token"
_FIRST = datetime(2026, 9, 1, 7, 30, tzinfo=UTC)
"""When a server is first asked."""


@dataclass(frozen=True)
class Case:
    """One way in which a district of a vendor is connected."""

    vendor: str
    number: int
    version: str

    def __str__(self) -> str:
        return f"{self.vendor}-{self.number}-{self.version}"

    @property
    def statement(self) -> Statement:
        return stated(self.vendor)

    @property
    def at(self) -> Installation:
        return self.statement.installations[self.number]


def cases(vendor: str) -> Iterator[Case]:
    """Each installation, in each version that it speaks."""
    for number, at in enumerate(stated(vendor).installations):
        for version in at.collections:
            yield Case(vendor, number, version)


# ---- the district's file ----


def district(case: Case, **more: Any) -> Source:
    """The source of a district that says as little as it may, with more keys under `rest`."""
    usual = next(iter(case.at.collections))
    version = {} if case.version == usual else {"version": case.version}
    rest = {**case.at.district, **version, "auth": {case.at.login: _login(case.at)}, **more}
    return Source.model_validate(
        {
            "id": "springfield",
            "name": "Springfield",
            "vendor": case.vendor,
            "timezone": "America/Chicago",
            "rest": rest,
        }
    )


def _login(at: Installation) -> dict[str, Any]:
    secret = {"env": "SECRET"}
    if at.oauth2 is not None:
        return {"client_id": CLIENT, "client_secret": secret, **at.credentials}
    if at.oauth1 is not None:
        return {"consumer_key": CLIENT, "consumer_secret": secret, **at.credentials}
    return {"token": {"file": _TOKEN_FILE}}


def connected(case: Case, **more: Any) -> Source:
    """The source of a district whose file has the server's address, as it is or as one of those
    that its vendor's profile knows beside it."""
    source = district(case, **more)
    rest = rest_of(source)
    there = case.at.collections[case.version]
    assert rest.version == case.version
    if rest.base_url == there:
        return source
    accents = source.profile.rest
    assert accents is not None
    elsewhere = list(accents.elsewhere(rest.version, rest.base_url, rest.app))
    assert (case.version, there) in elsewhere, (
        f"{there} is neither {rest.base_url} nor one of the profile's other paths"
    )
    return district(case, **more, base_url=there)


def rest_of(source: Source) -> Rest:
    """What a source says of its server."""
    assert source.rest is not None
    return source.rest


def token_url(rest: Rest) -> str | None:
    """Where tokens are asked for."""
    (auth, *_) = rest.auth
    return None if auth.oauth2 is None else auth.oauth2.token_url


def _on(url: str, address: str) -> str:
    """An address with another host, at this port of our own."""
    parts = urlsplit(address)
    return url + parts.path + (f"?{parts.query}" if parts.query else "")


def at_loopback(rest: Rest, url: str) -> Rest:
    """The same settings for a server that has another host, and nothing else that is another."""
    logins = tuple(
        auth
        if auth.oauth2 is None
        else auth.model_copy(
            update={
                "oauth2": auth.oauth2.model_copy(
                    update={"token_url": _on(url, auth.oauth2.token_url)}
                )
            }
        )
        for auth in rest.auth
    )
    # How fast is asked is judged by what is set; the tests cannot wait for it.
    moved = {"base_url": _on(url, rest.base_url), "auth": logins, "per_minute": None}
    return rest.model_copy(update=moved)


# ---- a pull ----


@dataclass(frozen=True)
class Got:
    """What a pull came to."""

    server: VendorServer
    rows: dict[str, set[Cells]]
    grave: list[str]
    """The codes of findings that stop a roster or hold its rows."""
    waited: list[float]
    """For how many seconds the server was left alone, each time."""


def pulled(
    case: Case,
    loopback: Loopback,
    *,
    fault: Fault | None = None,
    takes: float = 0.0,
    **more: Any,
) -> Got:
    """Pull from the vendor's server and judge what came. Raises what a pull raises."""
    with visited(case, loopback, fault=fault, takes=takes) as visit:
        landed, _ = visit.landed(connected(case, **more))
        return visit.got(landed)


@dataclass(frozen=True)
class Visit:
    """A vendor's server and a district's folder, for one pull or for several."""

    server: VendorServer
    url: str
    here: Path
    waited: list[float]

    def landed(self, source: Source, last: bytes | None = None, days: int = 0) -> tuple[bytes, str]:
        """What is kept of a pull some days after the first, and whether it is "full" or "changes".
        `last` is what was kept of the one before."""
        rest = at_loopback(rest_of(source), self.url)
        session = open_session(
            rest, base=self.here, environ={"SECRET": SECRET}, sleep=self.waited.append
        )
        pulling = pull(
            session,
            rest,
            source=source.id,
            secrets=source.profile.secrets,
            scratch=self.here,
            timezone=source.timezone,
            last=None if last is None else io.BytesIO(last),
            now=_FIRST + timedelta(days=days),
        )
        with session, pulling as landed:
            return landed.file.read(), landed.how

    def got(self, landed: bytes) -> Got:
        """What it came to."""
        return Got(self.server, *_judged(landed), self.waited)


@contextmanager
def visited(
    case: Case, loopback: Loopback, *, fault: Fault | None = None, takes: float = 0.0
) -> Iterator[Visit]:
    """A visit to a new server."""
    with TemporaryDirectory() as folder:
        here = Path(folder)
        token = here / _TOKEN_FILE
        token.write_text(SECRET)
        server = VendorServer(
            case.statement,
            case.at,
            case.version,
            town(),
            fault=fault,
            revoked=token.write_text,
            takes=takes,
        )
        loopback.behind(server)
        yield Visit(server, loopback.url, here, [])


@cache
def _judged(landed: bytes) -> tuple[dict[str, set[Cells]], list[str]]:
    """Rows and grave findings of a landed file. Equal records give equal bytes, however they were
    sent, and judging them takes longest."""
    with TemporaryDirectory() as folder, open_package(io.BytesIO(landed)) as package:
        made = build_candidate(package, None, Path(folder))
        rows = _rows(made.roster or Roster.empty())
    grave = (Severity.STOP, Severity.HOLD)
    return rows, [group.code for group in made.findings.groups if group.severity in grave]


def _rows(roster: Roster) -> dict[str, set[Cells]]:
    return {
        entity: {
            cells
            for block in roster.blocks(entity, columns)
            for cells in block[list(columns)].fillna("").itertuples(index=False, name=None)
        }
        for entity, columns in COLUMNS.items()
    }


def expected(server: VendorServer) -> dict[str, set[Cells]]:
    """The rows that a server has, as the standard's tables would have them."""
    rows = server.town.rows()
    if not server.statement.blanks_in_ids:
        return rows
    # Blanks in sourcedIds, which the standard does not know, become what it knows.
    return {
        entity: {
            tuple(
                cell.replace("-", "_")
                if column.endswith(("sourcedId", "SourcedId", "Ids"))
                else cell
                for column, cell in zip(COLUMNS[entity], cells, strict=True)
            )
            for cells in of_entity
        }
        for entity, of_entity in rows.items()
    }
