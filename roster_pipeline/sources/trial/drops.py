"""Tries the place where a district's drops arrive: an SFTP server, or a folder, and one drop."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, cast

from roster_pipeline.sources.config import Source
from roster_pipeline.sources.drops import Drop, Search, search
from roster_pipeline.sources.placeholders import NO_FINGERPRINT, placeholders_in_sftp
from roster_pipeline.sources.trial.steps import Kind, Step, Trial, Wrong
from roster_pipeline.transport import Channel
from roster_pipeline.transport.config import SftpConfig, TransportConfig
from roster_pipeline.transport.errors import (
    CredentialsUnusable,
    HostKeyMismatch,
    NothingInCommon,
    NotPermitted,
    TransportError,
    Unreachable,
)
from roster_pipeline.transport.reach import Place, connected, first_place, look_up

if TYPE_CHECKING:
    from roster_pipeline.transport.sftp import Sftp

# Of a host key in a file of known hosts, and of whatever keeps it from being looked at.
_OF_THE_HOST_KEY: Final = "known_hosts"


_NONE_LEFT: Final = (
    "there is none now, and what was read does not stay. If one should be there, look at the "
    "folder and the names"
)


@dataclass(frozen=True)
class Seen:
    """What a package is worth that was read on trial."""

    sentence: str
    """Its rows and findings, for people."""
    rows: Mapping[str, int]
    """Good ones, by entity."""
    usable: bool
    """Whether a sync would take anything of it."""


Tell = Callable[[str], None]
Check = Callable[[Channel, Drop, Tell], Seen]
"""Downloads a drop, judges it and throws it away, telling how far it is. Raises `LandingError` and
`TransportError`."""


def try_drops(
    source: Source,
    transport: TransportConfig,
    open_channel: Callable[[], Channel],
    now: datetime,
    check: Check,
    *,
    on_step: Tell = lambda _: None,
) -> tuple[Step, ...]:
    """Try the way to a source's drops, of which `transport` tells, and `check` the newest one;
    `now` is an aware moment.

    After a failure the steps that follow are skipped.
    """
    trial = Trial(on_step, lambda _: None)
    opened = trial.take(Kind.SETTINGS, "", lambda: _settings(transport, open_channel))
    # Without a channel the trial has stopped, and takes none of these steps.
    channel = cast(Channel, opened)
    try:
        if transport.sftp is not None:
            _log_in(trial, transport.sftp, channel)
        found = trial.take(Kind.FOLDER, source.folder, lambda: _listed(source, channel, now))
        if found is not None and not _drops(found):
            trial.skip(Kind.DROP, "", _NONE_LEFT)
            trial.skip(Kind.PACKAGE, "", "there is no drop to look into")
            return tuple(trial.steps)
        drop = trial.take(Kind.DROP, "", lambda: _newest(source, cast(Search, found)))
        _try_package(trial, source, channel, drop, check)
    finally:
        if opened is not None:
            opened.close()
    return tuple(trial.steps)


def _settings(
    transport: TransportConfig, open_channel: Callable[[], Channel]
) -> tuple[str, Channel]:
    sftp = transport.sftp
    if sftp is None:
        return "drops lie in a folder of this machine", open_channel()
    if unfilled := [f"`{key}`" for key in placeholders_in_sftp(sftp)]:
        raise Wrong(f"Fill in {' and '.join(unfilled)} in the source's file.")
    return f"SFTP as {sftp.username}; the secrets are where they are said to be", open_channel()


def _log_in(trial: Trial, sftp: SftpConfig, channel: Channel) -> None:
    # What lies behind a proxy or a jump host only they can look up and reach.
    first, place = first_place(sftp), Place(sftp.host, sftp.port)
    trial.take(Kind.NAME, first.host, lambda: (f"is {', '.join(look_up(first))}", True))
    trial.take(Kind.PORT, str(first), lambda: _open_port(first, sftp.timeout))
    # One connection shows the key and takes the login: the second step says what it came to.
    refusals: list[TransportError] = []
    trial.take(Kind.HOST_KEY, str(place), lambda: _known(place, sftp, channel, refusals))
    trial.take(Kind.LOGIN, sftp.username, lambda: _taken(sftp, refusals))


def _open_port(place: Place, timeout: float) -> tuple[str, bool]:
    connected(place, timeout).close()
    return "takes connections", True


def _known(
    place: Place, sftp: SftpConfig, channel: Channel, refusals: list[TransportError]
) -> tuple[str, bool]:
    """The host key, if it is the one to trust. What fails after that goes into `refusals`."""
    straight = first_place(sftp) == place
    try:
        channel.stat(".")
    except HostKeyMismatch as error:
        if sftp.fingerprint != NO_FINGERPRINT or error.role:
            raise
        shown = error.shown or "a key that cannot be looked at"
        raise Wrong(
            f"{place} shows {shown}, and the file says none yet. Nothing was sent. If the server's "
            "owner confirms that by another way, write it as `fingerprint`."
        ) from None
    except NotPermitted:
        pass  # who is told so is logged in
    except (Unreachable, NothingInCommon):
        raise  # it may have shown no key yet
    except CredentialsUnusable as error:
        if _OF_THE_HOST_KEY in str(error):
            raise
        refusals.append(error)
    except TransportError as error:
        if not straight:
            raise  # it may be the proxy's or the jump host's
        refusals.append(error)
    if refusals and isinstance(refusals[0], CredentialsUnusable):
        return "not looked at, as the login has nothing to show", True
    if sftp.fingerprint is not None:
        return f"{sftp.fingerprint}, the pinned one", True
    return f"{cast('Sftp', channel).host_key or 'it'} is in {sftp.known_hosts}", True


def _taken(sftp: SftpConfig, refusals: list[TransportError]) -> tuple[str, bool]:
    if refusals:
        raise refusals[0]
    what = "password" if sftp.password is not None else "private key"
    return f"the {what} is taken", True


def _listed(source: Source, channel: Channel, now: datetime) -> tuple[str, Search]:
    found = search(channel, source, source.date_of(now), now)
    drops = _drops(found)
    key, called = "pattern" if source.files is None else "files", ", ".join(source.patterns)
    if not drops and source.keeps_drops:
        raise Wrong(
            f"No file there is called like `{key}` ({called}). Check `folder` and `{key}`, or ask "
            "the district when it sends its first export."
        )
    count = sum(len(drop.files) for drop in drops)
    return f"{count:,} {'file' if count == 1 else 'files'} like {called}", found


def _drops(found: Search) -> list[Drop]:
    """All that were seen."""
    waiting = [wait.drop for wait in found.waiting]
    return [*found.others, *waiting, *([] if found.found is None else [found.found])]


def _newest(source: Source, found: Search) -> tuple[str, Drop | None]:
    """The newest drop, of whatever date; None where it is not complete."""
    if found.found is None and found.waiting:
        return found.sentence(), None
    drop = found.found or max(found.others, key=lambda drop: drop.modified)
    at = drop.modified.astimezone(source.zone)
    said = f"{drop.path}, {drop.size:,} bytes, of {at:%Y-%m-%d %H:%M} there"
    return said if found.found is not None else f"{said}; {found.sentence()}", drop


def _try_package(
    trial: Trial, source: Source, channel: Channel, drop: Drop | None, check: Check
) -> None:
    if drop is None and not trial.stopped:
        trial.skip(Kind.PACKAGE, "", "there is no complete drop to look into")
        return
    seen = trial.take(
        Kind.PACKAGE, "", lambda: _worth(check(channel, cast(Drop, drop), trial.tell))
    )
    if source.expect.rows or trial.stopped:
        trial.take(Kind.EXPECTATIONS, "", lambda: _expected(source, cast(Seen, seen)))
    else:
        trial.skip(Kind.EXPECTATIONS, "", "the source's file has no `expect:`")


def _worth(seen: Seen) -> tuple[str, Seen]:
    if not seen.usable:
        raise Wrong(seen.sentence)
    return seen.sentence, seen


def _expected(source: Source, seen: Seen) -> tuple[str, bool]:
    """Compare the package with what is expected. It is whole, so that of a scope more than
    expected may be right."""
    wrong = []
    for entity, (fewest, most) in source.expect.rows.items():
        rows = seen.rows.get(entity, 0)
        if rows < fewest or (rows > most and source.scope.is_everything):
            wrong.append(
                f"{entity}: the package has {rows:,}, and {fewest:,} to {most:,} are expected."
            )
    if wrong:
        raise Wrong(" ".join(wrong))
    return f"{', '.join(source.expect.rows)}: as many as expected", True
