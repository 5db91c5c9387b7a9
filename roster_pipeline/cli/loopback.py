"""The demo's servers, those of the districts, the receiver and the product, in one process.

They serve folders of the demo's workspace on the ports that its YAML names, and end when the
process that started them does, however it ends: they wait for the end of their standard input.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

from roster_pipeline.cli.console import Refusal

WORLD: Final = "world"
"""The folder of a demo's workspace that stands for everything outside of it."""
_SERVERS: Final = "servers.json"
_READY: Final = b"ready\n"
EXPORT: Final = "export.zip"
"""What a REST server serves, in its folder: its system's roster as a OneRoster zip."""
PAGE: Final = 100
"""The most records that the REST server gives at once, whatever it is asked for."""
_ACCOUNTS: Final = "accounts.jsonl"
Kind = Literal["sftp", "rest", "scim"]


@dataclass(frozen=True)
class Server:
    """One make-believe server. Its folder is `world/<name>`."""

    name: str
    kind: Kind
    port: int
    user: str
    secret: str
    """The file with the password, secret or token, relative to the workspace."""

    def root(self, workspace: Path) -> Path:
        """What it serves."""
        return workspace / WORLD / self.name

    def keys(self, workspace: Path) -> Path:
        """Where its host key is kept, outside of what it serves."""
        return workspace / WORLD / f".{self.name}-host-key"


def remember(workspace: Path, servers: list[Server]) -> None:
    """Write down which servers a demo's workspace has."""
    text = json.dumps([asdict(server) for server in servers], indent=2) + "\n"
    (workspace / WORLD / _SERVERS).write_text(text, encoding="utf-8")


def remembered(workspace: Path) -> list[Server]:
    """The servers of a demo's workspace."""
    text = (workspace / WORLD / _SERVERS).read_text(encoding="utf-8")
    return [Server(**fields) for fields in json.loads(text)]


@contextmanager
def served(workspace: Path) -> Iterator[None]:
    """All servers, until the block ends."""
    process, pipe = _start(workspace)
    try:
        yield
    finally:
        os.close(pipe)
        process.wait(timeout=30)


def serve_until_exit(workspace: Path) -> None:
    """All servers, until this process ends, also if it becomes another program by then."""
    _process, pipe = _start(workspace)
    os.set_inheritable(pipe, True)


def _start(workspace: Path) -> tuple["subprocess.Popen[bytes]", int]:
    ours, theirs = os.pipe()
    process = subprocess.Popen(  # noqa: S603 - this very module
        [sys.executable, "-c", f"from {__name__} import main; main()", str(workspace)],
        stdin=ours,
        stdout=subprocess.PIPE,
        # Ctrl-C is for whoever started them; they follow.
        start_new_session=True,
    )
    os.close(ours)
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    if process.stdout.readline() != _READY:
        os.close(theirs)
        process.wait(timeout=30)
        ports = ", ".join(str(server.port) for server in remembered(workspace))
        raise Refusal(
            f"The demo's servers could not be started on the ports {ports}; "
            "if a demo or `roster dev` runs already, end it first."
        )
    return process, theirs


def main() -> None:
    """Serve the workspace named on the command line until standard input ends."""
    workspace = Path(sys.argv[1])
    with ExitStack() as stack:
        for server in remembered(workspace):
            secret = (workspace / server.secret).read_text(encoding="utf-8").strip()
            try:
                stack.enter_context(_SERVED[server.kind](workspace, server, secret))
            except OSError as error:
                sys.exit(f"roster: port {server.port}: {error.strerror}")
        sys.stdout.buffer.write(_READY)
        sys.stdout.flush()
        sys.stdin.buffer.read()


def _sftp(workspace: Path, server: Server, secret: str) -> AbstractContextManager[object]:
    from roster_pipeline.simulator.sftp_server import SftpServer

    return SftpServer(
        server.root(workspace),
        passwords={server.user: secret},
        host_key_folder=server.keys(workspace),
        port=server.port,
    )


def _rest(workspace: Path, server: Server, secret: str) -> AbstractContextManager[object]:
    from roster_pipeline.simulator.rest_server import Accents, RestServer

    return RestServer(
        server.root(workspace) / EXPORT,
        Accents(clamp=PAGE, no_headers=True, no_next=True),
        clients={server.user: secret},
        port=server.port,
    )


def _scim(workspace: Path, server: Server, secret: str) -> AbstractContextManager[object]:
    from roster_pipeline.simulator.scim_server import ScimServer

    return ScimServer(secret, port=server.port, state=server.root(workspace) / _ACCOUNTS)


_SERVED: Final[dict[Kind, Callable[[Path, Server, str], AbstractContextManager[object]]]] = {
    "sftp": _sftp,
    "rest": _rest,
    "scim": _scim,
}
