"""Tries the place where a district's drops arrive: an SFTP server, or a folder."""

from collections.abc import Callable
from datetime import datetime
from typing import Final, cast

from roster_pipeline.sources.config import Source
from roster_pipeline.sources.drops import Search, search
from roster_pipeline.sources.placeholders import NO_FINGERPRINT, placeholders_in_sftp
from roster_pipeline.sources.trial.steps import Kind, Step, Trial, Wrong
from roster_pipeline.transport import Channel
from roster_pipeline.transport.config import SftpConfig, TransportConfig
from roster_pipeline.transport.errors import (
    CredentialsUnusable,
    HostKeyMismatch,
    NotPermitted,
    TransportError,
)
from roster_pipeline.transport.reach import Place, connected, host_key, look_up

# Of a host key in a file of known hosts, and of whatever keeps it from being looked at.
_OF_THE_HOST_KEY: Final = "known_hosts"


def try_drops(
    source: Source,
    transport: TransportConfig,
    open_channel: Callable[[], Channel],
    now: datetime,
    *,
    on_step: Callable[[str], None] = lambda _: None,
) -> tuple[Step, ...]:
    """Try the way to a source's drops, of which `transport` tells; `now` is an aware moment.

    Nothing is downloaded. After a failure the steps that follow are skipped.
    """
    trial = Trial(on_step, lambda _: None)
    opened = trial.take(Kind.SETTINGS, "", lambda: _settings(transport, open_channel))
    # Without a channel the trial has stopped, and takes none of these steps.
    channel = cast(Channel, opened)
    try:
        if transport.sftp is not None:
            _log_in(trial, transport.sftp, channel)
        found = trial.take(Kind.FOLDER, source.folder, lambda: _listed(source, channel, now))
        trial.take(Kind.DROP, "", lambda: _newest(source, cast(Search, found)))
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
    place = Place(sftp.host, sftp.port)
    trial.take(Kind.NAME, place.host, lambda: (f"is {', '.join(look_up(place))}", True))
    trial.take(Kind.PORT, str(place), lambda: _open_port(place, sftp.timeout))
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
    """The host key, if it is the one to trust. Whatever else fails goes into `refusals`."""
    try:
        channel.stat(".")
    except HostKeyMismatch:
        if sftp.fingerprint != NO_FINGERPRINT:
            raise
        shown = host_key(place, timeout=sftp.timeout) or "a key that cannot be looked at"
        raise Wrong(
            f"{place} shows {shown}, and the file says none yet. Nothing was sent. If the server's "
            "owner confirms that by another way, write it as `fingerprint`."
        ) from None
    except NotPermitted:
        pass  # who is told so is logged in
    except CredentialsUnusable as error:
        if _OF_THE_HOST_KEY in str(error):
            raise
        refusals.append(error)
    except TransportError as error:
        refusals.append(error)
    if refusals and isinstance(refusals[0], CredentialsUnusable):
        return "not looked at, as the login has nothing to show", True
    if sftp.fingerprint is not None:
        return f"{sftp.fingerprint}, the pinned one", True
    return f"{host_key(place, timeout=sftp.timeout) or 'it'} is in {sftp.known_hosts}", True


def _taken(sftp: SftpConfig, refusals: list[TransportError]) -> tuple[str, bool]:
    if refusals:
        raise refusals[0]
    what = "password" if sftp.password is not None else "private key"
    return f"the {what} is taken", True


def _listed(source: Source, channel: Channel, now: datetime) -> tuple[str, Search]:
    found = search(channel, source, source.date_of(now), now)
    count = (found.found is not None) + len(found.waiting) + len(found.others)
    if not count:
        raise Wrong(
            f"No file there is called like `pattern` ({source.pattern}). Check `folder` and "
            "`pattern`, or ask the district when it sends its first export."
        )
    return f"{count:,} {'file' if count == 1 else 'files'} like {source.pattern}", found


def _newest(source: Source, found: Search) -> tuple[str, bool]:
    drop = found.found
    if drop is None:
        return found.sentence(), True
    at = drop.modified.astimezone(source.zone)
    return f"{drop.path}, {drop.size:,} bytes, of {at:%Y-%m-%d %H:%M} there", True
