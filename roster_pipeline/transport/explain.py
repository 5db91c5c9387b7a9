"""asyncssh's and the system's exceptions, said to people."""

import asyncio
import socket
from dataclasses import dataclass
from typing import Final

import asyncssh

from roster_pipeline.transport.algorithms import OUTDATED, of_the_server
from roster_pipeline.transport.errors import (
    AuthenticationRefused,
    HostKeyMismatch,
    HostUnknown,
    Interrupted,
    NotFound,
    NothingInCommon,
    NotPermitted,
    TransportError,
    Unreachable,
)
from roster_pipeline.transport.login import Login, Password, SftpAddress

# What `_connect` and a lost session may raise; anything else is a fault of ours and shows as one.
FAILURES: Final = (asyncssh.Error, OSError, EOFError, asyncio.IncompleteReadError)

_NO_SUCH_HOST: Final = (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))


@dataclass(frozen=True, slots=True)
class Explainer:
    """Knows whom the exceptions are about."""

    login: Login
    timeout: float

    @property
    def address(self) -> SftpAddress:
        """Where the server is."""
        return self.login.address

    def connecting(self, error: Exception) -> TransportError:
        """Why there is no session."""
        match error:
            case TransportError():
                return error
            case OSError() | UnicodeError():
                return self._reaching(error)
            case _:
                return self._logging_in(error)

    def _reaching(self, error: OSError | UnicodeError) -> TransportError:
        at = self.address
        kind: type[TransportError] = Unreachable
        match error:
            case socket.gaierror(errno=number) if number in _NO_SUCH_HOST:
                kind, text = HostUnknown, f"There is no host {at.host} (for {at}). Check `host`."
            case UnicodeError():
                kind, text = HostUnknown, f"{at.host} cannot be a host's name. Check `host`."
            case socket.gaierror():
                text = (
                    f"The name {at.host} (for {at}) cannot be looked up now. "
                    "Check this machine's network."
                )
            case ConnectionRefusedError():
                text = (
                    f"{at} refuses connections. Check `host` and `port`, and that the server runs."
                )
            case TimeoutError():
                text = (
                    f"{at} did not answer within {self.timeout:g} s. Check `host` and `port`, and "
                    "whether a firewall lets this machine through."
                )
            case _:
                text = f"{at} cannot be reached: {error.strerror or 'the network failed'}."
        return kind(text)

    def _logging_in(self, error: Exception) -> TransportError:
        at = self.address
        kind: type[TransportError] = TransportError
        match error:
            case asyncssh.PermissionDenied():
                return self._refused()
            case asyncssh.DisconnectError(reason=reason) if "authentication failures" in reason:
                return self._refused()
            case asyncssh.HostKeyNotVerifiable(reason=reason):
                kind = HostKeyMismatch
                text = (
                    f"{at} does not prove to be the right server: {printable(reason)}. "
                    "Nothing was sent. Ask the server's owner by another way."
                )
            case asyncssh.KeyExchangeFailed(reason=reason):
                kind = NothingInCommon
                text = self._nothing_agreed(of_the_server(reason))
            case asyncssh.SFTPConnectionLost() | asyncssh.SFTPNoConnection():
                kind, text = Unreachable, f"{at} hung up right after the login."
            case asyncssh.ChannelOpenError() | asyncssh.SFTPError():
                text = (
                    f"{at} lets user {at.username} in but offers no SFTP. "
                    "Ask the server's owner to switch it on for that user."
                )
            case ValueError():
                text = f"{at} cannot be asked from here: {error}."
            case _:
                kind = Unreachable
                text = f"{at} hung up before the login was complete."
        return kind(text)

    def _nothing_agreed(self, offered: tuple[str, ...]) -> str:
        at, offers = self.address, printable(", ".join(offered))
        outdated = OUTDATED.intersection(offered)
        if outdated and not self.login.legacy:
            return (
                f"{at} and this program have no encryption in common: it offers only what is "
                f"outdated ({offers}). Ask the server's owner to update it. Until then, to accept "
                "that what is sent may in time be read by others, write `algorithms: legacy` "
                "beside its `host`."
            )
        if not offered:
            offers = "what cannot be told from here"
        return (
            f"{at} and this program have no encryption in common"
            f"{', not even with `algorithms: legacy`' if self.login.legacy else ''}. It offers "
            f"{offers}. Ask the server's owner to update it."
        )

    def working(self, error: Exception, task: str) -> TransportError:
        """Why a task (an infinitive with its path: "list drops") was not done."""
        at = self.address
        kind: type[TransportError] = TransportError
        match error:
            case TransportError():
                return error
            case TimeoutError():
                kind = Interrupted
                text = f"{at} was silent for {self.timeout:g} s when asked to {task}."
            case asyncssh.SFTPNoSuchFile() | asyncssh.SFTPNoSuchPath():
                kind = NotFound
                text = (
                    f"{at} cannot {task}: user {at.username} sees no such file or folder there. "
                    "Check the path."
                )
            case asyncssh.SFTPPermissionDenied() | asyncssh.SFTPWriteProtect():
                kind = NotPermitted
                text = (
                    f"{at} does not let user {at.username} {task}. "
                    "Check the path, or ask the server's owner for the right."
                )
            case asyncssh.SFTPNoSpaceOnFilesystem() | asyncssh.SFTPQuotaExceeded():
                text = f"{at} has no room left to {task}. Ask the server's owner to make some."
            case asyncssh.SFTPConnectionLost() | asyncssh.SFTPNoConnection():
                kind = Interrupted
                text = f"{at} cut the connection when asked to {task}."
            case asyncssh.SFTPError(reason=reason):
                text = (
                    f"{at} failed to {task}; it says: {printable(reason)}. "
                    "Ask the server's owner what stands in the way."
                )
            case _:
                kind = Interrupted
                text = f"{at} cut the connection when asked to {task}."
        return kind(text)

    def _refused(self) -> AuthenticationRefused:
        at = self.address
        what = "password" if isinstance(self.login.credentials, Password) else "private_key"
        return AuthenticationRefused(
            f"{at} does not take the {what.replace('_', ' ')} of user {at.username}. "
            f"Check `username` and what `{what}` refers to."
        )


def printable(text: str) -> str:
    """What a server says, fit to stand in a sentence."""
    return "".join(c if c.isprintable() else " " for c in text)[:200].strip(" .") or "nothing"
