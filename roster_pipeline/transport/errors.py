"""What can go wrong between here and there, sorted by what a caller does about it.

The text of each is one sentence or two for people: what happened, where (host and port, or the
folder), what to do next. None holds a secret.
"""

# ruff: noqa: N818 - named for what happened: `except Interrupted` reads well

from typing import ClassVar


class TransportError(Exception):
    """Bytes could not be brought in or out."""

    transient: ClassVar[bool] = False
    """Whether trying again later may help without anybody changing anything: a sensor skips its
    tick on a transient error and fails on any other."""


class Unreachable(TransportError):
    """The server did not answer, or hung up before the login was complete."""

    transient = True


class HostUnknown(Unreachable):
    """No such host name; waiting does not help."""

    transient = False


class HostKeyMismatch(TransportError):
    """The server showed a host key that nobody told us to trust; nothing was sent to it.

    `shown` is that key (its type and fingerprint) where it could be looked at; `role` is as in
    `SftpAddress`.
    """

    def __init__(self, text: str, shown: str | None = None, role: str = "") -> None:
        super().__init__(text)
        self.shown = shown
        self.role = role


class NothingInCommon(TransportError):
    """The server and we know no algorithms in common; it has proved nothing yet."""


class AuthenticationRefused(TransportError):
    """The server did not take the password or the key."""


class Forbidden(AuthenticationRefused):
    """The server knows who asks, and does not let them do this."""


class CredentialsUnusable(TransportError):
    """A secret, key or known_hosts file that is configured cannot be used as it is."""


class NotFound(TransportError):
    """There is no such file or folder."""


class NotPermitted(TransportError):
    """The user may not do this there."""


class Interrupted(TransportError):
    """The connection was lost, or stood still too long, with work under way."""

    transient = True


class Busy(TransportError):
    """The server says that it cannot answer now."""

    transient = True


class Stopped(TransportError):
    """Whoever asked needs no answer any more; what ended it says why."""


class Changed(Interrupted):
    """The file is no longer the one that was listed; list again and take what is there then."""
