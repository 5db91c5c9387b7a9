"""A district pulled by REST on loopback.

    python -m benchmarks.rest_pull                   25,000 and 100,000 users
    python -m benchmarks.rest_pull --light           the same from a server that costs nothing
    python -m benchmarks.rest_pull --light --delay 100   and that thinks 100 ms over each page
    python -m benchmarks.rest_pull --users 1000000   from that server, ours only: memory

Three ways are timed in turn, each run in a process of its own, imports apart, against the same
server in another:

- bytes: a `requests.Session`, a token, and for each collection `get(…).content` until a page is
  empty; nothing is looked at or kept;
- bare: what one writes on a first day, the same with `.json()`;
- ours: what a sync runs until the roster is in the landing zone's file: pages checked against
  totals and repetition, secrets blanked, one record a line, hashed and deflated.

All read the same pages. The server is our own provider, or `light_server`. Memory is the peak of
the whole process, imports included; it is flat if four times the users do not raise ours by more
than some bytes each, and a million of them may not take more than 1 GiB.
"""

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.districts import DATA, package

SECRET: Final = "of the benchmark's own server"  # noqa: S105
USERS_PER_STUDENT: Final = 1.4288
"""Of the make-believe district."""
ENROLLMENTS: Final = 1000
"""Kept of it: the measure is of users."""
PAGE: Final = 1000
COLLECTIONS: Final = ("orgs", "academicSessions", "courses", "classes", "users", "enrollments")
MOST_MB: Final = 1024
"""What a million users may take."""
_MANY: Final = 500_000
"""So many users come from the light server, to us only."""
_CONNECTION: Final = "ROSTER_BENCH_SERVER"


def export(users: int) -> Path:
    """A package of about so many users, and few enrollments."""
    path = DATA / f"rest-{users}.zip"
    if path.exists():
        return path
    whole = package(round(users / USERS_PER_STUDENT), 0)
    unfinished = path.with_suffix(".unfinished")
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(unfinished, "w") as new:
        for name in old.namelist():
            with old.open(name) as member:
                content = member.read()
            if name == "enrollments.csv":
                content = b"".join(io.BytesIO(content).readlines()[: ENROLLMENTS + 1])
            new.writestr(name, content, zipfile.ZIP_DEFLATED)
    unfinished.replace(path)
    return path


@contextmanager
def server(users: int, *, light: bool, delay: int = 0) -> Iterator[dict[str, str]]:
    """A server in a process of its own: where it is."""
    words = [sys.executable, "-m"]
    if light:
        words += ["benchmarks.light_server", "--users", str(users), "--delay", str(delay)]
    else:
        words += ["roster_pipeline.simulator.rest_server", "--export", str(export(users))]
    environ = {**os.environ, "ROSTER_REST_SECRET": SECRET}
    running = subprocess.Popen(words, stdout=subprocess.PIPE, env=environ, text=True)
    try:
        assert running.stdout is not None
        place = json.loads(running.stdout.readline())
        base = place.get("base_url") or f"{place['url']}/ims/oneroster/rostering/v1p2"
        yield {"base_url": base, "token_url": place["token_url"]}
    finally:
        running.terminate()
        running.wait()


def only_bytes(base_url: str, token_url: str) -> Callable[[], int]:
    """A loop over `requests` that looks at nothing."""
    return _loop(base_url, token_url, lambda answer: answer.content.count(b'"dateLastModified"'))


def bare(base_url: str, token_url: str) -> Callable[[], int]:
    """A loop over `requests`."""
    return _loop(base_url, token_url, lambda answer: len(next(iter(answer.json().values()))))


def _loop(base_url: str, token_url: str, count_in: Callable[[Any], int]) -> Callable[[], int]:
    import requests

    def work() -> int:
        count = 0
        with requests.Session() as session:
            scope = "https://purl.imsglobal.org/spec/or/v1p2/scope/roster-core.readonly"
            grant = {"grant_type": "client_credentials", "scope": scope}
            answer = session.post(token_url, data=grant, auth=("roster", SECRET), timeout=60)
            session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
            for collection in COLLECTIONS:
                offset = 0
                while rows := count_in(
                    session.get(
                        f"{base_url}/{collection}",
                        params={
                            "sort": "sourcedId",
                            "orderBy": "asc",
                            "limit": str(PAGE),
                            "offset": str(offset),
                        },
                        timeout=60,
                    )
                ):
                    offset += rows
                count += offset
        return count

    return work


def ours(base_url: str, token_url: str) -> Callable[[], int]:
    """A pull, into a file as it is kept."""
    from roster_pipeline.oneroster.package import open_package
    from roster_pipeline.sources.config import Source
    from roster_pipeline.sources.pull import pull
    from roster_pipeline.transport.http import open_http

    oauth2 = {"client_id": "roster", "client_secret": {"env": "S"}, "token_url": token_url}
    rest = {"base_url": base_url, "limit": PAGE, "auth": {"oauth2": oauth2}}
    source = Source.model_validate({"id": "b", "name": "B", "timezone": "UTC", "rest": rest})
    assert source.rest is not None
    settings = source.rest

    def work() -> int:
        session = open_http(settings.base_url, settings.auth, base=DATA, environ={"S": SECRET})
        secrets = source.profile.secrets
        with session, pull(session, settings, source="b", secrets=secrets, scratch=DATA) as made:
            kept = made.file
            with open_package(kept) as opened:
                assert not opened.findings
            with zipfile.ZipFile(kept) as archive:
                said = json.loads(archive.read("pull.json"))
        return sum(said["collections"].values())

    return work


WAYS: Final = {"bytes": only_bytes, "bare": bare, "ours": ours}


def _child(way: str) -> None:
    work = WAYS[way](**json.loads(os.environ[_CONNECTION]))
    start, cpu = time.perf_counter(), time.process_time()
    records = work()
    print(
        json.dumps(
            {
                "records": records,
                "seconds": time.perf_counter() - start,
                "cpu": time.process_time() - cpu,
                "peak_mb": _peak_mb(),
            }
        )
    )


def _peak_mb() -> float:
    # getrusage would tell the peak of whoever started this process, if that was higher.
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _run(way: str, place: dict[str, str]) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.rest_pull", "--child", way],
        stdout=subprocess.PIPE,
        env={**os.environ, _CONNECTION: json.dumps(place)},
        check=True,
        text=True,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _compare(users: int, runs: int, *, light: bool, delay: int) -> None:
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    with server(users, light=light, delay=delay) as place:
        _run("bare", place)  # the server has read the roster once, and keeps what it needs
        for _ in range(runs):
            for way in WAYS:
                found[way].append(_run(way, place))
    assert len({run["records"] for of_way in found.values() for run in of_way}) == 1
    records = int(found["ours"][0]["records"])
    print(
        f"\n{records:,} records, some {users:,} of them users; median of {runs} interleaved, "
        "ratios of the fastest"
    )
    print(
        f"{'':8}{'wall s':>9}{'min–max':>16}{'CPU s':>9}{'peak MB':>9}{'× bytes':>9}{'× bare':>8}"
    )
    # Whatever else the machine does can only slow a run down: the fastest ones are compared.
    floors = [min(run["seconds"] for run in found[way]) for way in ("bytes", "bare")]
    for way, of_way in found.items():
        walls = sorted(run["seconds"] for run in of_way)
        median = {key: statistics.median(run[key] for run in of_way) for key in of_way[0]}
        spread = f"{walls[0]:.2f}–{walls[-1]:.2f}"
        print(
            f"{way:8}{median['seconds']:9.2f}{spread:>16}{median['cpu']:9.2f}"
            f"{median['peak_mb']:9.0f}{walls[0] / floors[0]:9.2f}"
            f"{walls[0] / floors[1]:8.2f}"
        )


def _fits(users: int) -> bool:
    """Whether a pull of so many users stays within what it may take of memory."""
    with server(users, light=True) as place:
        run = _run("ours", place)
    print(
        f"\n{int(run['records']):,} records, {users:,} of them users: {run['seconds']:.0f} s, "
        f"{run['cpu']:.0f} s of CPU, peak {run['peak_mb']:,.0f} MB (at most {MOST_MB:,})"
    )
    return run["peak_mb"] <= MOST_MB


def main() -> None:
    """Run the comparison that the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--users", type=int, nargs="+", default=[25_000, 100_000])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--light", action="store_true", help="ask the server that costs nothing")
    parser.add_argument("--delay", type=int, default=0, help="of the light server, milliseconds")
    parser.add_argument("--child", choices=list(WAYS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        _child(arguments.child)
        return
    for users in arguments.users:
        if users < _MANY:
            _compare(users, arguments.runs, light=arguments.light, delay=arguments.delay)
        elif not _fits(users):
            sys.exit(f"A pull of {users:,} users takes more than {MOST_MB:,} MB.")


if __name__ == "__main__":
    main()
