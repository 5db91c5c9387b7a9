"""Tries a OneRoster server: its name, its certificate, the login, each collection."""

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final, cast
from urllib.parse import urlsplit

from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.package import required_files
from roster_pipeline.sources.advice import NOT_HERE, advice_for, when_empty
from roster_pipeline.sources.config import Source
from roster_pipeline.sources.paging import PullError
from roster_pipeline.sources.placeholders import placeholders_in_rest
from roster_pipeline.sources.rest_config import Rest
from roster_pipeline.sources.trial.first_page import FirstPage, first_page, is_there, wrong_shape
from roster_pipeline.sources.trial.steps import Kind, Step, Trial, Wrong
from roster_pipeline.transport.config import located
from roster_pipeline.transport.errors import AuthenticationRefused, Forbidden, TransportError
from roster_pipeline.transport.http import HttpSession
from roster_pipeline.transport.http_expiry import expiry
from roster_pipeline.transport.reach import (
    Place,
    goes_by_proxy,
    look_up,
    shake_hands,
    trusted_by,
)

_ATTEMPTS: Final = 2
_PATIENCE: Final = 15.0


def try_server(
    source: Source,
    rest: Rest,
    open_session: Callable[[Rest], HttpSession],
    *,
    base: Path,
    today: date,
    on_step: Callable[[str], None] = lambda _: None,
) -> tuple[Step, ...]:
    """Try the server that a source is pulled from, of which `rest` tells.

    All collections are asked for even if one is refused, so that one trial names every permission
    that is missing; after any other failure the steps that follow are skipped. `base` is what
    relative paths in the YAML are relative to, `today` the date in the district.
    """
    trial = Trial(on_step, lambda error: advice_for(source.profile, error))
    asking = rest.model_copy(update={"attempts": min(rest.attempts, _ATTEMPTS)})
    session = trial.take(Kind.SETTINGS, "", lambda: _settings(source, asking, open_session, today))
    ca_file = None if rest.ca_file is None else located(base, rest.ca_file)
    for url in _addresses(rest):
        _reach(trial, url, ca_file, min(rest.timeout, _PATIENCE))
    try:
        # Without a session the trial has stopped, and takes none of these steps.
        _Asking(trial, source, asking, cast(HttpSession, session)).all()
    finally:
        if session is not None:
            session.close()
    return tuple(trial.steps)


def _settings(
    source: Source, rest: Rest, open_session: Callable[[Rest], HttpSession], today: date
) -> tuple[str, HttpSession]:
    if unfilled := placeholders_in_rest(rest):
        raise Wrong(f"Fill in {', '.join(f'`{key}`' for key in unfilled)} in the source's file.")
    session = open_session(rest)
    # Somebody sits and waits: they are told what the server asks for instead.
    session.longest_wait = _PATIENCE
    ends = expiry(rest.auth, today)
    missing = session.remarks
    said = (
        f"{source.profile.title}, OneRoster {rest.version} at {rest.base_url}; "
        + ("not every secret is where it is" if missing else "the secrets are where they are")
        + " said to be.",
        *missing,
        *([ends.sentence()] if ends else []),
    )
    return " ".join(said).rstrip("."), session


def _addresses(rest: Rest) -> list[str]:
    """One address on each server that is asked: the collections' and where tokens are given out."""
    urls = [rest.base_url, *(login.oauth2.token_url for login in rest.auth if login.oauth2)]
    return list({urlsplit(url).netloc: url for url in reversed(urls)}.values())[::-1]


def _reach(trial: Trial, url: str, ca_file: Path | None, timeout: float) -> None:
    place = Place.of(url)
    connecting = Kind.TLS if place.encrypted else Kind.CONNECTION
    if goes_by_proxy(url):
        for kind in (Kind.NAME, connecting):
            trial.skip(kind, str(place), "the proxy in front of this machine does that")
        return
    trial.take(Kind.NAME, place.host, lambda: (f"is {', '.join(look_up(place))}", True))
    trusted = trusted_by(url, ca_file)
    trial.take(connecting, str(place), lambda: (shake_hands(place, trusted, timeout=timeout), True))


class _Asking:
    """The steps for which one must be logged in."""

    def __init__(self, trial: Trial, source: Source, rest: Rest, session: HttpSession) -> None:
        self._trial = trial
        self._source = source
        self._rest = rest
        self._session = session
        self._version = Version(rest.version)
        self._pages: dict[str, FirstPage] = {}

    def all(self) -> None:
        """Take them in order."""
        self._trial.take(Kind.LOGIN, "", self._log_in)
        for collection in self._rest.collections:
            asking = partial(self._collection, collection)
            self._trial.take(Kind.COLLECTION, collection, asking, stops=False)
        self._trial.stopped = self._trial.failed
        self._trial.take(Kind.PAGE, "", self._shapes)
        if self._source.expect.rows or self._trial.stopped:
            self._trial.take(Kind.EXPECTATIONS, "", self._expectations)
        else:
            self._trial.skip(Kind.EXPECTATIONS, "", "the source's file has no `expect:`")

    def _log_in(self) -> tuple[str, bool]:
        known = self._session.remarks
        self._session.log_in()
        first = self._rest.auth[0]
        if first.oauth2 is not None:
            place = first.oauth2.token_url.partition("?")[0]
            return " ".join((f"{place} gives a token", *self._remarks(known))), True
        try:
            # Whether a signature or a fixed token is taken shows with the first request only.
            self._first_page(self._rest.collections[0])
        except AuthenticationRefused as error:
            if not isinstance(error, Forbidden):
                raise
        except PullError:
            pass
        what = "signatures are" if first.oauth1 is not None else "the token is"
        return " ".join((f"{what} taken", *self._remarks(known))), True

    def _remarks(self, known: Sequence[str]) -> tuple[str, ...]:
        """What is new to people of the login."""
        remarks = [remark for remark in self._session.remarks if remark not in known]
        return (f"({' '.join(remarks)})",) if remarks else ()

    def _collection(self, collection: str) -> tuple[str, bool]:
        try:
            page = self._first_page(collection)
        except PullError as error:
            if error.code not in NOT_HERE or self._pages:
                raise
            raise self._not_here(error) from None
        self._pages[collection] = page
        if not page.records:
            return self._none(collection), True
        if page.total is None:
            return "answers; it does not say how many there are", True
        return f"answers; it has {page.total:,}", True

    def _first_page(self, collection: str) -> FirstPage:
        return first_page(self._session, self._rest, self._source.profile.secrets, collection)

    def _none(self, collection: str) -> str:
        """What to say of a collection without records. Raises `Wrong` where it needs some."""
        advice = when_empty(self._source.profile, collection)
        if collection in required_files(self._version):
            raise Wrong(
                f"{self._session.place(collection)} has no records, and no roster is without "
                f"{collection}. A login without rights looks like that.",
                advice,
            )
        return f"answers; it has none. {advice or ''}".rstrip()

    def _not_here(self, error: PullError) -> Wrong:
        """What is wrong where the first collection is not at its address, nor any before it."""
        if found := self._found_elsewhere():
            return Wrong(f"{error} {found}", of_all=True)
        return Wrong(str(error), advice_for(self._source.profile, error))

    def _found_elsewhere(self) -> str | None:
        """Where the collections are, if they are at an address that the vendor is known to use."""
        profile, rest = self._source.profile.rest, self._rest
        others = () if profile is None else profile.elsewhere(rest.version, rest.base_url, rest.app)
        for version, url in dict.fromkeys(others):
            self._trial.tell(f"looking at {url}")
            try:
                found = is_there(self._session, rest, url)
            except TransportError:
                continue
            if found:
                said = "" if version == rest.version else f' and `version: "{version}"`'
                return f"The collections are at {url}: write `base_url: {url}`{said}."
        return None

    def _shapes(self) -> tuple[str, bool]:
        wrong = [wrong_shape(page, self._version) for page in self._pages.values()]
        if found := [sentence for sentence in wrong if sentence]:
            raise Wrong(" ".join(found))
        shown = sum(len(page.records) for page in self._pages.values())
        return f"{shown} records have the shape of OneRoster {self._rest.version}", True

    def _expectations(self) -> tuple[str, bool]:
        """Compare what the server says with what is expected. Of a scope it knows nothing, so that
        more than expected may be right where there is one."""
        scoped = self._source.scope != type(self._source.scope)()
        wrong, counted = [], []
        for entity, (fewest, most) in self._source.expect.rows.items():
            page = self._pages.get(entity)
            if page is None or page.total is None:
                continue
            counted.append(entity)
            if page.total < fewest or (page.total > most and not scoped):
                wrong.append(
                    f"{entity}: the server has {page.total:,}, and {fewest:,} to {most:,} are "
                    "expected."
                )
        if wrong:
            raise Wrong(" ".join(wrong))
        if not counted:
            return "the server does not say how many there are; a sync counts them", True
        return f"{', '.join(counted)}: as many as expected", True
