"""A process that has imported everything, and forks one for each command.

Each command is a process of its own: it can be killed, and leaves behind what a killed one leaves.
Only the seconds of importing are saved. One line of JSON on standard input is one command; one line
of JSON on standard output says how it ended.
"""

import json
import os
import resource
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    """The exit code, or minus the signal that killed it."""
    out: str
    err: str

    def document(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)


class Commands:
    """Runs `roster` and `dagster` in processes that start at once."""

    def __init__(self, folder: Path) -> None:
        self._outputs = [folder / name for name in ("stdout", "stderr")]
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self,
        program: str,
        *words: str | Path,
        environ: Mapping[str, str] | None = None,
        kill_after: float | None = None,
        most_bytes: int | None = None,
    ) -> Ended:
        """Run one command to its end; `environ` is added to this process's own.

        It is killed once it has run for `kill_after` seconds. It can make no file longer than
        `most_bytes`, as on a disk with so much room.
        """
        order = {
            "words": [program, *(str(word) for word in words)],
            "environ": {**os.environ, **(environ or {})},
            "outputs": [str(path) for path in self._outputs],
            "kill_after": kill_after,
            "most_bytes": most_bytes,
        }
        asked, told = self._process.stdin, self._process.stdout
        assert asked is not None
        assert told is not None
        asked.write(json.dumps(order) + "\n")
        asked.flush()
        code = int(told.readline())
        out, err = (path.read_text(encoding="utf-8") for path in self._outputs)
        return Ended(code, out, err)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate(timeout=60)


def _serve() -> int:
    import asyncssh  # noqa: F401
    import dagster_postgres  # noqa: F401
    import pandera.pandas  # noqa: F401
    from dagster._cli import main as dagster

    import roster_pipeline.automation.run
    import roster_pipeline.build
    import roster_pipeline.cli.workspaces
    import roster_pipeline.reports.holds
    import roster_pipeline.reports.syncs  # noqa: F401
    from roster_pipeline.cli import main

    programs: dict[str, Callable[[], Any]] = {"roster": main, "dagster": dagster}
    # A child would wait for ever for threads that only its parent had.
    assert not [name for name in _threads() if name.startswith("polars-") and name[7:].isdigit()]
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(order)
            return int(programs[order["words"][0]]() or 0)
        sys.stdout.write(f"{_end_of(child, order['kill_after'])}\n")
        sys.stdout.flush()
    return 0


def _end_of(child: int, kill_after: float | None) -> int:
    """How a child ended, by itself or killed."""
    if kill_after is not None:
        watched = os.pidfd_open(child)
        ended, _, _ = select.select([watched], [], [], kill_after)
        if not ended:
            signal.pidfd_send_signal(watched, signal.SIGKILL)
        os.close(watched)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _threads() -> list[str]:
    tasks = Path("/proc/self/task")
    return [(task / "comm").read_text().strip() for task in tasks.iterdir()]


def _become(order: dict[str, Any]) -> None:
    """Take the place of a process that was started for this command."""
    sys.argv = order["words"]
    os.environ.clear()
    os.environ.update(order["environ"])
    tempfile.tempdir = None
    for descriptor, path in enumerate([os.devnull, *order["outputs"]]):
        opened = os.open(path, os.O_RDWR | os.O_CREAT | (os.O_TRUNC if descriptor else 0), 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    if order["most_bytes"] is not None:
        # Python ignores the signal that comes with it, so that a write fails as on a full disk.
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["most_bytes"],) * 2)


if __name__ == "__main__":
    sys.exit(_serve())
