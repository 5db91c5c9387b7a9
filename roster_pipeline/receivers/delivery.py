"""Bringing a package to its receiver, and making sure that it lies there whole."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from roster_pipeline.receivers.rendering import Rendered
from roster_pipeline.transport.outlet import Outlet

_AHEAD: Final = 16
"""So many names after the last one that is taken are looked at."""


class DeliveryError(Exception):
    """A package that does not lie at the receiver as it was sent; the message is for people."""


class NameTakenError(DeliveryError):
    """A package whose name another one has at the receiver that nobody knows of."""

    def __init__(self, path: str, number: int) -> None:
        super().__init__(
            f"A package that this program does not know of lies at {path}. Check that nothing else "
            "writes there, then sync again."
        )
        self.number = number
        """The highest number that was found taken."""


@dataclass(frozen=True)
class Receipt:
    """Proof that a package lies at the receiver, byte for byte as it was sent; where nothing can be
    read back there, only that its server took it."""

    path: str
    size: int
    sha256: str
    sent: bool
    """False where the very package lay there already, so that nothing had to be sent."""
    read_back: bool = True
    """Whether it was looked at where it lies."""


def deliver(
    channel: Outlet,
    path: str,
    package: Rendered,
    *,
    first: Callable[[], None] = lambda: None,
    anyway: bool = False,
) -> Receipt:
    """Put a package at a path of the receiver and read it back, if that can be done. `first` is
    called right before anything is uploaded: from then on it may have arrived.

    A package that lies there already is not sent again, so that a delivery that was cut before its
    receipt was written ends where it would have ended; `anyway` it is. Raises `DeliveryError` where
    what is read back differs, and `TransportError` as the channel does.
    """
    if not channel.reads_back:
        first()
        _upload(channel, path, package)
        return Receipt(path, package.size, package.sha256, sent=True, read_back=False)
    sent = anyway or not _lies_there(channel, path, package)
    if sent:
        first()
        _upload(channel, path, package)
        if not _lies_there(channel, path, package):
            raise DeliveryError(
                f"What lies at {path} after the upload is not what was sent. Check that nothing "
                "else writes there, then sync again."
            )
    return Receipt(path, package.size, package.sha256, sent)


def require_free(
    channel: Outlet, path_of: Callable[[int], str], number: int, package: Rendered
) -> None:
    """Raise `NameTakenError` if something else than the package lies where it shall go. Where
    nothing can be looked at, nothing is known.

    Where a path has the number in it, those after it are looked at then, too: what lies there would
    be read after the package, and is older.
    """
    path = path_of(number)
    if not channel.reads_back:
        return
    if channel.stat(path) is None or _lies_there(channel, path, package):
        return
    taken = looked_at = number
    while looked_at < taken + _AHEAD and path_of(looked_at + 1) != path:
        looked_at += 1
        if channel.stat(path_of(looked_at)) is not None:
            taken = looked_at
    raise NameTakenError(path, taken)


def _upload(channel: Outlet, path: str, package: Rendered) -> None:
    with package.file.open("rb") as content:
        channel.upload(path, content, package.size)


def _lies_there(channel: Outlet, path: str, package: Rendered) -> bool:
    there = channel.stat(path)
    if there is None or there.size != package.size:
        return False
    digest = hashlib.sha256()
    for chunk in channel.read(path):
        digest.update(chunk)
    return digest.hexdigest() == package.sha256
