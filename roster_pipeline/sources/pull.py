"""Pulls a roster from a OneRoster server into one file, whole or not at all."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.package import required_files
from roster_pipeline.oneroster.pulled import PullWriter, member
from roster_pipeline.sources.json_redaction import Blanker
from roster_pipeline.sources.landing import LandedBytes, nameless
from roster_pipeline.sources.paging import Pages, PullError
from roster_pipeline.sources.rest_config import Rest
from roster_pipeline.sources.vendors import Secrets
from roster_pipeline.tables.ahead import ahead
from roster_pipeline.transport.errors import Forbidden, TransportError
from roster_pipeline.transport.http import HttpSession

# Where a user's roles stand in each version, and what to say of a server that has them elsewhere.
_ROLES: Final = {Version.V1P1: "role", Version.V1P2: "roles"}


@contextmanager
def pull(
    session: HttpSession,
    rest: Rest,
    *,
    source: str,
    secrets: Secrets,
    scratch: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> Iterator[LandedBytes]:
    """Ask a server for every collection of a roster, for the time of a `with` block.

    The file (see `oneroster.pulled`) holds no secret, and equal records give equal bytes; the
    original hash is of all pages as they came. Memory holds a page. `source` is for sentences;
    `progress` gets the size of each page; `scratch` is a folder on a disk with room for the pull.

    A collection that a roster needs and that is empty or not there makes the pull incomplete:
    then, as after any other failure, nothing is given. Raises `PullError` and `TransportError`.
    """
    with nameless(scratch) as file:
        pulling = _Pull(session, rest, source, secrets, progress)
        pulling.into(file)
        file.seek(0)
        yield LandedBytes(file, pulling.original.hexdigest(), dict(pulling.blanked))


class _Pull:
    def __init__(
        self,
        session: HttpSession,
        rest: Rest,
        source: str,
        secrets: Secrets,
        progress: Callable[[int], None] | None,
    ) -> None:
        self._session = session
        self._rest = rest
        self._version = Version(rest.version)
        self._source = source
        self._blanker = Blanker(secrets)
        self._steady: dict[str, str] = {}
        self._progress = progress or (lambda _: None)
        self.original = hashlib.sha256()
        self.blanked: Counter[str] = Counter()

    def into(self, file: BinaryIO) -> None:
        """Write the whole pull."""
        writer = PullWriter(file, self._version)
        for collection in self._rest.collections:
            with _named(self._source, collection):
                self._collect(collection, writer)
        writer.finish()

    def _collect(self, collection: str, writer: PullWriter) -> None:
        with writer.collection(collection) as (write, look):
            pages = Pages(self._session, self._rest, collection, self._blanker, self._steady, look)
            # The next page is asked for while this one is written.
            with closing(ahead(iter(pages))) as arriving:
                for page in arriving:
                    self.original.update(page.body)
                    write(page.records.lines)
                    if page.records.blanked:
                        self.blanked[member(collection)] += page.records.blanked
                    self._progress(len(page.body))
        needed = collection in required_files(self._version)
        if needed and not writer.records[collection]:
            raise PullError(
                "incomplete",
                f"{self._session.place(collection)} has no records, and no roster is without "
                f"{collection}. Nothing was taken; ask the server's owner.",
            )
        if collection == "users":
            self._require_roles(writer)

    def _require_roles(self, writer: PullWriter) -> None:
        """That the users are of the version asked for, and came with what they are."""
        ours = _ROLES[self._version]
        if writer.holding[ours]:
            return
        (other,) = (version for version in _ROLES if version is not self._version)
        hint = (
            f'They are of {other}: say `version: "{other}"`.'
            if writer.holding[_ROLES[other]]
            else "Nothing was taken; ask the server's owner."
        )
        raise PullError(
            "incomplete", f"{self._session.place('users')} has users and not one `{ours}`. {hint}"
        )


@contextmanager
def _named(source: str, collection: str) -> Iterator[None]:
    """Say of every failure whose it is, and what was being pulled."""
    step = f"{source}: pulling {collection}"
    try:
        yield
    except PullError as error:
        raise PullError(error.code, f"{step}: {error}") from None
    except Forbidden as error:
        hint = ""
        if collection == "demographics":
            hint = " Or leave them out: `demographics: false`."
        raise Forbidden(f"{step}: {error}{hint}") from None
    except TransportError as error:
        raise type(error)(f"{step}: {error}") from None
