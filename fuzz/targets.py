"""What is fuzzed: functions of bytes that raise only where a promise is broken."""

import io
import itertools
import re
import warnings
import zipfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from roster_pipeline.oneroster.findings import Severity
from roster_pipeline.oneroster.manifest import read_manifest
from roster_pipeline.oneroster.package import open_package
from roster_pipeline.quality.candidate import build_candidate
from roster_pipeline.tables.archive import ArchiveError, ZipReader
from roster_pipeline.tables.csv_blocks import CsvBlocks, CsvError
from roster_pipeline.tables.text import arrow
from roster_pipeline.tables.zip_directory import END, END64, END64_MARK, LOCATOR64, LOCATOR64_MARK
from tests.small import district, packed

Target = Callable[[bytes], None]

TODAY: Final = date(2026, 10, 1)
_MEMBER: Final = re.compile(rb"^==== (.*)\n", re.MULTILINE)
_READ_AT_MOST: Final = 64 << 20


def zip_reader(data: bytes) -> None:
    """Anything read as a zip: all members, or an ArchiveError. Where Python's zipfile also reads
    a member, it reads the same."""
    with suppress(ArchiveError), ZipReader(io.BytesIO(data)) as reader:
        for name in reader.names:
            if reader.size(name) <= _READ_AT_MOST:
                _same_as_zipfile(data, name, _whole(reader, name))


def _whole(reader: ZipReader, name: str) -> bytes | None:
    with suppress(ArchiveError), reader.open(name) as member:
        return member.read()
    return None


def _same_as_zipfile(data: bytes, name: str, content: bytes | None) -> None:
    if content is None:
        return
    with suppress(Exception), zipfile.ZipFile(io.BytesIO(data)) as archive:
        theirs = archive.read(name)
        if theirs != content:
            raise SystemExit(f"zipfile reads another {name!r}")


def csv_reader(data: bytes) -> None:
    """Anything read as CSV: rows, or a CsvError; and the same ones in blocks of any size."""
    whole, pieces = _read_csv(data, 32 << 20), _read_csv(data, 61)
    # Of several things wrong, the one that is met first depends on how far is read at a time.
    assert (whole is None) == (pieces is None)
    for one, other in zip(whole or (), pieces or (), strict=True):
        assert one == other, (one, other)


def _read_csv(data: bytes, block_bytes: int) -> tuple[object, ...] | None:
    """None if a CsvError was raised; or rows, lines, anomalies and what is known of the text."""
    rows: list[tuple[str | None, ...]] = []
    lines: list[int] = []
    anomalies = []
    try:
        reader = CsvBlocks(io.BytesIO(data), block_bytes=block_bytes)
        raw = [reader.head]
        for block in reader:
            assert len(block.frame) == len(block.lines)
            columns = [arrow(column).to_pylist() for _, column in block.frame.items()]
            rows += zip(*columns, strict=True)
            lines += block.lines.tolist()
            anomalies += [(a.line, a.kind, a.cells, a.values) for a in block.anomalies]
            raw.append(block.raw)
    except CsvError:
        return None
    assert b"".join(raw) == data, "the blocks and the head are not the file"
    return rows, lines, anomalies, reader.encoding, reader.line_endings, reader.header


def manifest(data: bytes) -> None:
    """Anything read as a manifest: what it says, and findings; a STOP where there is no version."""
    found = read_manifest(io.BytesIO(data))
    list(found.findings)
    assert found.version is not None or found.findings.worst() is Severity.STOP


def package(data: bytes) -> None:
    """Anything judged as a zip: findings, or an ArchiveError."""
    with TemporaryDirectory() as folder, suppress(ArchiveError):
        _judge(io.BytesIO(data), Path(folder) / "made")


def members(data: bytes) -> None:
    """Any members, as `as_members` lays them out, judged as a package: findings, no exception but
    ArchiveError; and where nothing stops it, a roster."""
    package(zipped(_members_of(data)))


def _judge(where: io.BytesIO, into: Path) -> None:
    with open_package(where) as opened:
        found = build_candidate(opened, None, into, today=TODAY)
    frame = found.findings.frame()
    assert len(frame) == len(found.findings)
    assert (found.roster is None) == (found.findings.worst() is Severity.STOP)
    for entity, count in (found.roster.counts if found.roster else {}).items():
        assert count == 0 or len(found.roster.frame(entity)) == count  # type: ignore[union-attr]


def as_members(files: Mapping[str, bytes]) -> bytes:
    """Files in one text that a fuzzer can change: `==== name`, then the content."""
    return b"".join(b"==== %s\n%s" % (name.encode(), content) for name, content in files.items())


def _members_of(data: bytes) -> Iterable[tuple[str, bytes]]:
    _, *pieces = _MEMBER.split(data)
    for name, content in zip(pieces[::2], pieces[1::2], strict=True):
        yield name.decode("utf-8", "replace")[:200], content


def zipped(files: Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip of members, also of two with the same name."""
    out = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(out, "w") as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=method)
    return out.getvalue()


TARGETS: Final[Mapping[str, Target]] = {
    "zip_reader": zip_reader,
    "csv_reader": csv_reader,
    "manifest": manifest,
    "members": members,
    "package": package,
}


def seeds(target: str) -> list[bytes]:
    """What a target's inputs look like when nothing is wrong with them, and some odd ones."""
    packages = [packed(district(version), version=version) for version in ("1.1", "1.2")]
    archives = [zipfile.ZipFile(io.BytesIO(package)) for package in packages]
    files = [{name: archive.read(name) for name in archive.namelist()} for archive in archives]
    if target in ("zip_reader", "package"):
        stored, deflated = packages[0], zipped(files[1].items(), zipfile.ZIP_DEFLATED)
        return [stored, deflated, b"before it" + stored, _zip64(deflated)]
    if target == "members":
        return [as_members(some) for some in files]
    if target == "manifest":
        return [some["manifest.csv"] for some in files]
    return [*itertools.chain(*(some.values() for some in files)), *_ODD_CSV]


def _zip64(archive: bytes) -> bytes:
    """The same archive with a ZIP64 directory record (APPNOTE.TXT 4.3.14 and 4.3.15)."""
    end = len(archive) - END.size
    _, _, _, _, count, size, offset, _ = END.unpack_from(archive, end)
    record = END64.pack(END64_MARK, END64.size - 12, 45, 45, 0, 0, count, count, size, offset)
    locator = LOCATOR64.pack(LOCATOR64_MARK, 0, end, 1)
    return archive[:end] + record + locator + archive[end:]


_ODD_CSV: Final = (
    b'a,b\r\n"1,""2""\r\n3",4\r\n',
    b'\xef\xbb\xbf\n\na,"b"\r1,2\r"3\r4",5\r',
    b"a,b\nZo\xeb,1\n\n,\n1,2,3\n",
    b'a,b\n"1,2\n3,4\n5"6,7\n',
)
