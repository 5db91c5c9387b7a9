"""Files over SFTP on loopback: ours against the `sftp` command, from and to the same server.

    python -m benchmarks.sftp_transfer                 200 MB, three runs of each
    python -m benchmarks.sftp_transfer --mb 2 --runs 1

The server is OpenSSH's own (Debian: openssh-server), run by an ordinary user, the folder it serves
a temporary one. Each transfer is a process of its own that logs in by key and moves one file, and
puts and gets of both take turns. Timed is the transfer alone, without the start of a process and
the login: ours by its own clock, the command's by what it takes longer than for one byte. The bytes
are random, as those of a zip are, and neither side compresses.

Ours has what it uploads on the server's disk before the name appears, so the command is asked for
that too (`put -f`). What it takes without is told beside it: on loopback the difference is one
disk's.

Memory is the peak of our whole process, imports included, for a tenth of the size and for all.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from roster_pipeline.simulator.openssh import OpenSsh, openssh
from roster_pipeline.transport.channel import BLOCK

MB: Final = 1_000_000
ENOUGH: Final = 0.8
"""Of the command's speed."""
FLAT_MB: Final = 16
"""What ten times the size may add to our peak."""


def ours(at: dict[str, str], way: str, path: Path, name: str) -> None:
    """In a process of its own: move one file and print seconds and the peak in MB."""
    from roster_pipeline.transport.login import Fingerprint, PrivateKey, SftpAddress
    from roster_pipeline.transport.sftp import Sftp

    address = SftpAddress(at["host"], int(at["port"]), at["username"])
    key = PrivateKey(Path(at["key_file"]).read_text(encoding="ascii"))
    with Sftp(address, key, Fingerprint(at["fingerprint"])) as channel:
        file = channel.stat(name)
        started = time.perf_counter()
        if way == "put":
            with path.open("rb") as content:
                channel.upload(name, content, path.stat().st_size)
        else:
            assert file is not None
            with path.open("wb") as into:
                channel.download(file, into)
        seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "peak_mb": _peak_mb()}))


def _peak_mb() -> float:
    with Path("/proc/self/status").open(encoding="ascii") as status:
        kib = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    return kib * 1024 / MB


class Bench:
    """A server, files of both sides, and what was measured."""

    def __init__(self, server: OpenSsh, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self._known_hosts = folder / "known_hosts"
        self._known_hosts.write_text(server.known_hosts_line + "\n", encoding="ascii")
        self._byte = self.file("byte", 1)
        self._command("put", self._byte, "byte")

    def file(self, name: str, size: int) -> Path:
        """A local file of so many random bytes."""
        path = self._folder / name
        with path.open("wb") as out:
            for start in range(0, size, BLOCK):
                out.write(os.urandom(min(BLOCK, size - start)))
        return path

    def by_ours(self, way: str, path: Path, name: str) -> tuple[float, float]:
        """Seconds and the peak in MB."""
        at = {
            "host": self._server.host,
            "port": str(self._server.port),
            "username": self._server.username,
            "key_file": str(self._server.key_file),
            "fingerprint": self._server.fingerprint,
        }
        words = [sys.executable, "-m", "benchmarks.sftp_transfer", "--one", json.dumps(at)]
        words += [way, str(path), name]
        done = subprocess.run(words, check=True, capture_output=True, text=True)
        found = json.loads(done.stdout)
        return found["seconds"], found["peak_mb"]

    def by_command(self, way: str, path: Path, name: str, *, flags: str = "") -> float:
        """Seconds of the `sftp` command, less those that it takes for one byte."""
        without = min(self._command(way, self._byte, "byte") for _ in range(2))
        return max(self._command(way, path, name, flags) - without, 1e-6)

    def _command(self, way: str, path: Path, name: str, flags: str = "") -> float:
        words = ["sftp", "-q", "-F", "none", "-b", "-", "-P", str(self._server.port)]
        for option in (
            f"IdentityFile={self._server.key_file}",
            f"UserKnownHostsFile={self._known_hosts}",
            "IdentitiesOnly=yes",
            "StrictHostKeyChecking=yes",
        ):
            words += ["-o", option]
        line = f"put {flags} {path} {name}\n" if way == "put" else f"get {name} {path}\n"
        started = time.perf_counter()
        subprocess.run(
            [*words, f"{self._server.username}@{self._server.host}"],
            input=line,
            check=True,
            capture_output=True,
            text=True,
        )
        return time.perf_counter() - started


def measure(bench: Bench, way: str, size: int, runs: int) -> float:
    """The ratio of our speed to the command's, told; each run in the other order."""
    local = bench.file("local", size)
    bench.by_command("put", local, "there")
    back = local.with_name("back")
    path = local if way == "put" else back
    ways: list[tuple[str, Callable[[], float]]] = [
        ("ours", lambda: bench.by_ours(way, path, "ours" if way == "put" else "there")[0]),
    ]
    if way == "put":
        ways += [
            ("sftp", lambda: bench.by_command(way, path, "theirs", flags="-f")),
            ("sftp without -f", lambda: bench.by_command(way, path, "theirs")),
        ]
    else:
        ways += [("sftp", lambda: bench.by_command(way, path, "there"))]
    seconds: dict[str, list[float]] = {name: [] for name, _ in ways}
    for run in range(runs):
        for name, move in ways if run % 2 == 0 else reversed(ways):
            seconds[name].append(move())
            if way == "get":
                assert back.stat().st_size == size
    speed = {name: size / MB / statistics.median(each) for name, each in seconds.items()}
    ratio = speed["ours"] / speed["sftp"]
    told = ", ".join(
        f"{name} {speed[name]:,.0f} MB/s ({', '.join(f'{s:.2f}' for s in each)} s)"
        for name, each in seconds.items()
    )
    print(f"{way}: {told}: ratio {ratio:.2f}, want at least {ENOUGH}")
    return ratio


def memory(bench: Bench, size: int) -> float:
    """What the whole size adds to our peak, in MB, at the worse of put and get; told."""
    added = []
    for way in ("put", "get"):
        peaks = []
        for part in (size // 10, size):
            local = bench.file("local", part)
            bench.by_command("put", local, "there")
            peaks.append(bench.by_ours(way, local, "ours" if way == "put" else "there")[1])
        added.append(peaks[1] - peaks[0])
        sizes = f"{size / 10 / MB:,.1f} and {size / MB:,.0f} MB"
        print(f"{way}: our peak for {sizes}: {peaks[0]:,.0f} and {peaks[1]:,.0f} MB")
    return max(added)


def main() -> int:
    """Measure; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--mb", type=int, default=200, help="size of the file")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        at, way, path, name = given.one
        ours(json.loads(at), way, Path(path), name)
        return 0
    with openssh() as server, TemporaryDirectory() as made:
        bench = Bench(server, Path(made))
        ratios = [measure(bench, way, given.mb * MB, given.runs) for way in ("put", "get")]
        added = memory(bench, given.mb * MB)
    return int(min(ratios) < ENOUGH or added > FLAT_MB)


if __name__ == "__main__":
    sys.exit(main())
