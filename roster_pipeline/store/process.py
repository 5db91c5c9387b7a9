"""Who a process is, so that another one can tell whether it still lives."""

import os
import socket
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Process:
    """One process of one boot of one machine."""

    host: str
    boot: str
    """The kernel's boot id and the namespace of pids (two containers may share a kernel and a host
    name, and each has its own pid 7); empty where the system tells neither."""
    pid: int
    started: str
    """Start time in clock ticks since boot, which tells a pid's next owner apart; empty where the
    system does not tell."""

    @classmethod
    def current(cls) -> "Process":
        """The process that asks."""
        pid = os.getpid()
        _state, started = _stat(pid) or ("", "")
        return cls(socket.gethostname(), _boot(), pid, started)

    def alive(self) -> bool | None:
        """Whether it still runs; None where that cannot be told from here."""
        if (self.host, self.boot) != (socket.gethostname(), _boot()):
            return None
        if (stat := _stat(self.pid)) is not None and self.started:
            state, started = stat
            return started == self.started and state not in "ZX"
        return None if _exists(self.pid) else False


@cache
def _boot() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _stat(pid: int) -> tuple[str, str] | None:
    """State letter and start time of a process (proc(5), fields 3 and 22 of stat)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The command's name stands in parentheses and may hold any character.
    fields = text.rpartition(")")[2].split()
    return fields[0], fields[19]


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
