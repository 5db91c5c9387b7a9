"""Packages that nobody sends by accident, and what judging them costs.

python -m tests.quality.hostile FOLDER NAME…    makes and judges each; prints a JSON line each
"""

import io
import json
import struct
import sys
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final

from fuzz.targets import zipped
from roster_pipeline.oneroster.package import open_package
from roster_pipeline.quality.candidate import build_candidate
from roster_pipeline.tables.archive import ArchiveError
from roster_pipeline.tables.zip_directory import CENTRAL, CENTRAL_MARK
from tests.quality.breaking import TODAY
from tests.small import Row, district, packed

MB: Final = 1 << 20
LARGE: Final = 100 * MB

Make = Callable[[], bytes]


def members(version: str = "1.2") -> dict[str, bytes]:
    """The files of the small district."""
    with zipfile.ZipFile(io.BytesIO(packed(district(version), version=version))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _with(
    name: str, content: bytes, version: str = "1.2", method: int = zipfile.ZIP_STORED
) -> bytes:
    """The small district with another member. Stored, as a deflated one would be a bomb."""
    return zipped((members(version) | {name: content}).items(), method)


def _header(file: str, version: str = "1.2") -> bytes:
    return members(version)[file].splitlines(keepends=True)[0]


def _small() -> bytes:
    return zipped(members().items(), zipfile.ZIP_DEFLATED)


def _cell(column: str, text: str, file: str = "users", version: str = "1.2") -> bytes:
    files: dict[str, list[Row]] = district(version)
    files[file][0][column] = text
    with zipfile.ZipFile(io.BytesIO(packed(files, version=version))) as archive:
        return zipped((name, archive.read(name)) for name in archive.namelist())


def _says(size: int) -> bytes:
    """A zip whose directory says another size of its first member."""
    data = bytearray(_small())
    struct.pack_into("<L", data, data.index(CENTRAL_MARK) + 24, size)
    return bytes(data)


def _flagged(offset: int, value: int) -> bytes:
    data = bytearray(_small())
    struct.pack_into("<H", data, data.index(CENTRAL_MARK) + offset, value)
    return bytes(data)


def _overlapping() -> bytes:
    """Every member is said to lie where the first one does."""
    data = bytearray(_small())
    place = data.index(CENTRAL_MARK)
    while data.startswith(CENTRAL_MARK, place):
        struct.pack_into("<L", data, place + 42, 0)
        lengths = struct.unpack_from("<3H", data, place + 28)
        place += CENTRAL.size + sum(lengths)
    return bytes(data)


def _noise(size: int) -> bytes:
    return Random(7).randbytes(size)  # noqa: S311  nobody guesses it


def _columns(count: int, name: str, rows: int = 3) -> bytes:
    """users.csv with many more columns."""
    lines = members()["users.csv"].decode().splitlines()
    more = [",".join([""] + [name.format(n) for n in range(count)])]
    more += ["," * count] * (len(lines) - 1)
    return _with("users.csv", "\n".join(map(str.__add__, lines, more)).encode())


def _rows_wrong(rows: int) -> bytes:
    """No cell of any row is right."""
    header = _header("enrollments.csv")
    cells = header.count(b",") + 1
    row = b",".join([b"!"] * cells) + b"\n"
    return _with("enrollments.csv", header + row * rows)


def _copies(rows: int, differing: bool) -> bytes:
    """One sourcedId in every row."""
    names = (f"name {n}" if differing else "name" for n in range(rows))
    lines = (f"s1,,,{name},school,,d1\n" for name in names)
    return _with("orgs.csv", _header("orgs.csv") + b"d1,,,D,district,,\n" + "".join(lines).encode())


def _chain(rows: int, loop: bool) -> bytes:
    """Every org is the parent of the next one, and of the first, if in a loop."""
    first = f"o{rows - 1}" if loop else ""
    lines = [f"o0,,,First,district,,{first}\n"]
    lines += [f"o{n},,,Next,school,,o{n - 1}\n" for n in range(1, rows)]
    content = members()["orgs.csv"] + "".join(lines).encode()
    return _with("orgs.csv", content)


def _misspelt_many(rows: int) -> bytes:
    header = _header("academicSessions.csv")
    lines = (f"s{n},,,T,nothing{n},2026-13-{n},x,nobody{n},y\n" for n in range(rows))
    return _with("academicSessions.csv", header + "".join(lines).encode())


def _colliding(rows: int) -> bytes:
    """Many users who are one person."""
    width = _header("users.csv").count(b",")
    names = _header("users.csv").decode().strip().split(",")
    filled = {"enabledUser": "true", "username": "same", "givenName": "A", "familyName": "B",
              "email": "a@example.org", "identifier": "1", "userMasterIdentifier": "2"}  # fmt: skip
    rest = ",".join(filled.get(name, "") for name in names[1:])
    assert rest.count(",") == width - 1
    lines = "".join(f"p{n},{rest}\n" for n in range(rows)).encode()
    return _with("users.csv", members()["users.csv"] + lines)


SMALL: Final[Mapping[str, Make]] = {
    "nothing": lambda: b"",
    "noise": lambda: _noise(MB),
    "noise that begins as a zip": lambda: b"PK\x03\x04" + _noise(MB),
    "half a zip": lambda: _small()[: len(_small()) // 2],
    "a zip without its end": lambda: _small()[:-22],
    "an empty zip": lambda: zipped([]),
    "an absolute path": lambda: _with("/etc/users.csv", b""),
    "a path upwards": lambda: _with("../users.csv", b""),
    "a path on a drive": lambda: _with("C:\\users.csv", b""),
    "a name with a line break": lambda: _with("a\nb.csv", b""),
    "a name of 60,000 letters": lambda: _with("x" * 60_000, b""),
    "two members of one name": lambda: zipped([*members().items(), ("users.csv", b"x")]),
    "two spellings of one name": lambda: _with("USERS.CSV", b"x"),
    "10,000 members": lambda: zipped([(f"{n}.csv", b"") for n in range(10_000)]),
    "999 unknown members": lambda: zipped([(f"{n}/users.csv", b"") for n in range(999)]),
    "4 GiB declared": lambda: _says(0xFFFFFFFE),
    "2 MB declared": lambda: _says(2 * MB),
    "nothing declared": lambda: _says(0),
    "an encrypted member": lambda: _flagged(8, 1),
    "an unknown method": lambda: _flagged(10, 99),
    "a method that is not the member's": lambda: _flagged(10, 0),
    "members that overlap": _overlapping,
    "a bomb": lambda: _with("users.csv", bytes(64 * MB), method=zipfile.ZIP_DEFLATED),
    "a zip in a zip": lambda: _with("users.csv", _small()),
    "no content in any member": lambda: zipped((name, b"") for name in members()),
    "10,000 unknown columns": lambda: _columns(10_000, "column{}"),
    "10,000 metadata columns": lambda: _columns(10_000, "metadata.m{}"),
    "10,000 columns nearly right": lambda: _columns(10_000, "givenNam{}"),
    "a header of 1 MB in one name": lambda: _with("users.csv", b"x" * MB),
    "a header of 1 MB of commas": lambda: _with("users.csv", b"," * MB + b"\n"),
    "a header of 1 MB of quotes": lambda: _with("users.csv", b'"' * MB + b"\n"),
    "a header of 1 MB of line breaks in quotes": lambda: _with("users.csv", b'"' + b"\n" * MB),
    "a manifest of 1 MB on one line": lambda: _with("manifest.csv", b"propertyName," + b"x" * MB),
    "a manifest of 1 MB of properties": lambda: _with(
        "manifest.csv", b"propertyName,value\n" + b"file.user,bulk\n" * 70_000
    ),
    "a manifest of properties nearly right": lambda: _with(
        "manifest.csv",
        b"propertyName,value\n" + b"".join(b"file.users%d,bulk\n" % n for n in range(999)),
    ),
    "a manifest of noise": lambda: _with("manifest.csv", _noise(MB)),
    "zero bytes": lambda: _with("users.csv", _header("users.csv") + bytes(MB)),
    "300,000 empty lines": lambda: _with("users.csv", _header("users.csv") + b"\n" * 300_000),
    "300,000 empty lines before the header": lambda: _with("users.csv", b"\n" * 300_000),
    "1 MB of carriage returns": lambda: _with("users.csv", _header("users.csv") + b"\r" * MB),
    "1 MB of quotes": lambda: _with("users.csv", _header("users.csv") + b'"' * MB),
    "1 MB of commas": lambda: _with("users.csv", _header("users.csv") + b"," * MB),
    "a list of 3 MB of one": lambda: _cell("agentSourcedIds", "u2," * MB + "u2"),
    "a list of 3 MB of blanks": lambda: _cell("agentSourcedIds", " , " * MB),
    "3 MB of userIds": lambda: _cell("userIds", ",".join(["{a:b}"] * (MB // 2))),
    "3 MB of userIds not closed": lambda: _cell("userIds", "{a:b" * (3 * MB // 4)),
    "an email of 3 MB": lambda: _cell("email", "@" * (3 * MB)),
    "a date of 3 MB": lambda: _cell("startDate", "2" * (3 * MB), file="academicSessions"),
    "a word of 3 MB": lambda: _cell("type", "s" * (3 * MB), file="orgs"),
    "a sourcedId of 3 MB": lambda: _cell("sourcedId", "u" * (3 * MB)),
    "100,000 orgs, each the parent of the next": lambda: _chain(100_000, loop=False),
    "100,000 orgs in a loop": lambda: _chain(100_000, loop=True),
    "100,000 users who are one": lambda: _colliding(100_000),
    "100,000 rows with one sourcedId": lambda: _copies(100_000, differing=True),
    "100,000 copies of a row": lambda: _copies(100_000, differing=False),
    "100,000 sessions with every cell wrong": lambda: _misspelt_many(100_000),
}  # fmt: skip
"""Judged in a few seconds each at most."""

BIG: Final[Mapping[str, Make]] = {
    "1 MB of opened quotes": lambda: _with("users.csv", _header("users.csv") + b'"a\n' * (MB // 3)),
    "1 MB of opened and closed quotes": lambda: _with(
        "users.csv", _header("users.csv") + b'u1,"a\n"b",c\n' * (MB // 13)
    ),
    "a list of 10 MB": lambda: _cell("agentSourcedIds", "nobody," * (10 * MB // 7) + "u1"),
    "a list of 10 MB of orgs": lambda: _cell(
        "orgSourcedIds", "s1," * (10 * MB // 3) + "s1", version="1.1"
    ),
    "a list of 10 MB of terms": lambda: _cell(
        "termSourcedIds", "t1," * (10 * MB // 3) + "t1", file="classes"
    ),
    "a list of 10 MB of grades": lambda: _cell("grades", "09," * (10 * MB // 3) + "09"),
    "10 MB of subject codes": lambda: _cell("subjectCodes", "1," * (5 * MB), file="courses"),
    "a cell of 100 MB": lambda: _cell("givenName", "x" * LARGE),
    "a quoted cell of 100 MB": lambda: _cell("givenName", '"' + "x" * LARGE),
    "a cell of 100 MB of line breaks": lambda: _cell("givenName", "a\n" * (LARGE // 2)),
    "a last line of 100 MB": lambda: _with("users.csv", _header("users.csv") + b"x" * LARGE),
    "a file of one line of 100 MB": lambda: _with("users.csv", b"x" * LARGE),
    "100 MB of commas": lambda: _with("users.csv", _header("users.csv") + b"," * LARGE),
    "100 MB of quotes": lambda: _with("users.csv", _header("users.csv") + b'"' * LARGE),
    "100 MB of empty lines": lambda: _with("users.csv", _header("users.csv") + b"\n" * LARGE),
    "100 MB of lines with a quote": lambda: _with(
        "users.csv", _header("users.csv") + b'u1,"a\n' * (LARGE // 6)
    ),
    "cells of 15 MB": lambda: _with(
        "users.csv", _header("users.csv") + (b"x" * (15 * MB) + b"\n") * 6
    ),
    "700,000 rows with every cell wrong": lambda: _rows_wrong(700_000),
    "a million rows of one sourcedId": lambda: _copies(1_000_000, differing=True),
    "500,000 orgs in a loop": lambda: _chain(500_000, loop=True),
    "a million users who are one": lambda: _colliding(1_000_000),
    "70,000 metadata columns": lambda: _columns(70_000, "metadata.m{}"),
}
"""Of a hundred megabytes, or with millions of findings."""

INPUTS: Final[Mapping[str, Make]] = {**SMALL, **BIG}


def written(name: str, folder: Path) -> Path:
    """The package as a file."""
    path = folder / f"{list(INPUTS).index(name)}.zip"
    if not path.exists():
        path.write_bytes(INPUTS[name]())
    return path


def _judge(path: Path) -> dict[str, int] | str:
    try:
        with TemporaryDirectory() as folder, open_package(path) as opened:
            made = build_candidate(opened, None, Path(folder) / "made", today=TODAY)
            return made.findings.counts()
    except ArchiveError as error:
        return error.code


def _peak_mb() -> float:
    """The peak of this process, of its own: `ru_maxrss` begins with its parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main(folder: Path, names: list[str]) -> None:
    """Judge packages that are there; a line of JSON for each."""
    for name in names:
        path = written(name, folder)
        start, cpu = time.perf_counter(), time.process_time()
        outcome = _judge(path)
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        peak = _peak_mb()
        found = {"name": name, "outcome": outcome, "seconds": seconds, "cpu": cpu, "peak_mb": peak}
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
