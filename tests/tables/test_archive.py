import io
import shutil
import stat
import struct
import subprocess
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roster_pipeline.tables import zip_write
from roster_pipeline.tables.archive import ArchiveError, Limits, ZipReader, ZipWriter
from roster_pipeline.tables.zip_directory import (
    CENTRAL,
    CENTRAL_MARK,
    END,
    END64,
    END_MARK,
    LOCAL,
    LOCAL_MARK,
    LOCATOR64,
    LOCATOR64_MARK,
)

MEGABYTE = 1 << 20
CSV = b"sourcedId,name\n" + b"".join(b"%d,somebody %d\n" % (n, n * 7) for n in range(20_000))


class Pipe(io.RawIOBase):
    """Something to write to that cannot seek."""

    def __init__(self) -> None:
        super().__init__()
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: "bytes | memoryview", /) -> int:  # type: ignore[override]  # narrower
        self.data += data
        return len(data)


def zipped(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def reader(data: bytes, limits: Limits | None = None) -> ZipReader:
    return ZipReader(io.BytesIO(data), limits)


def everything(data: bytes, limits: Limits | None = None) -> dict[str, bytes]:
    with reader(data, limits) as archive:
        return {name: archive.open(name).read() for name in archive.names}


def refusal(data: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(ArchiveError) as caught:
        everything(data, limits)
    return caught.value.code


def ours(members: Mapping[str, bytes], out: "io.BytesIO | Pipe | None" = None) -> bytes:
    out = out if out is not None else io.BytesIO()
    with ZipWriter(out) as archive:  # type: ignore[arg-type]  # a raw file is enough
        for name, data in members.items():
            with archive.open(name) as member:
                member.write(data)
    return bytes(out.data) if isinstance(out, Pipe) else out.getvalue()


# -- reading ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_members_are_read_in_the_archives_order(method: int) -> None:
    members = {"users.csv": CSV, "empty.csv": b"", "a/b.csv": b"x"}
    data = zipped(members, method)
    assert everything(data) == members
    assert reader(data).names == tuple(members)
    assert reader(data).size("users.csv") == len(CSV)


def test_members_are_read_piece_by_piece_and_line_by_line() -> None:
    archive = reader(zipped({"users.csv": CSV}))
    with archive.open("users.csv") as member:
        pieces = list(iter(lambda: member.read(1000), b""))
    assert b"".join(pieces) == CSV
    with archive.open("users.csv") as member:
        assert list(member) == CSV.splitlines(keepends=True)


def test_members_may_be_read_at_the_same_time() -> None:
    archive = reader(zipped({"a": CSV, "b": CSV[::-1]}))
    one, other = archive.open("a"), archive.open("b")
    found = [(one.read(5000), other.read(5000)) for _ in range(len(CSV) // 5000 + 1)]
    assert b"".join(a for a, _ in found) == CSV
    assert b"".join(b for _, b in found) == CSV[::-1]


def test_folders_are_no_members() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.mkdir("export")
        archive.writestr("export/users.csv", CSV)
    assert reader(out.getvalue()).names == ("export/users.csv",)


def test_a_member_that_is_not_there_is_a_key_error() -> None:
    for ask in (ZipReader.open, ZipReader.raw, ZipReader.size):
        with pytest.raises(KeyError):
            ask(reader(zipped({"a": b""})), "b")


def test_archives_with_data_descriptors_are_read() -> None:
    out = Pipe()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("users.csv", CSV)
    assert everything(bytes(out.data)) == {"users.csv": CSV}


def test_archives_with_zip64_fields_are_read() -> None:
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("users.csv", "w", force_zip64=True) as member,
    ):
        member.write(CSV)
    assert everything(out.getvalue()) == {"users.csv": CSV}


@pytest.mark.parametrize("place", [0, 1 << 30, 1 << 63, (1 << 64) - 1])
def test_a_zip64_record_said_to_be_where_none_can_be_is_refused(place: int) -> None:
    record = END64.pack(b"no mark", *[0] * 9)
    end = END.pack(END_MARK, 0, 0, 0, 1, 1, 0, 0)
    for before in (b"", record):
        assert refusal(before + LOCATOR64.pack(LOCATOR64_MARK, 0, place, 1) + end) == "not_a_zip"


def test_a_comment_and_what_stands_before_an_archive_do_no_harm() -> None:
    out = io.BytesIO(b"#!/bin/sh\n")
    out.seek(0, io.SEEK_END)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("users.csv", CSV)
        archive.comment = b"PK\x05\x06 is not the end"
    assert everything(out.getvalue()) == {"users.csv": CSV}


def test_names_that_are_not_ascii_are_read() -> None:
    assert reader(zipped({"Schüler/学生.csv": b""})).names == ("Schüler/学生.csv",)


# -- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"sourcedId,name\n1,x\n", b"\x1f\x8b\x08" + bytes(40)])
def test_what_is_not_a_zip_is_refused(data: bytes) -> None:
    assert refusal(data) == "not_a_zip"


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.9, 0.99])
def test_a_zip_that_is_cut_off_is_called_truncated(share: float) -> None:
    data = zipped({"users.csv": CSV, "orgs.csv": CSV})
    assert refusal(data[: int(len(data) * share)]) == "truncated"


def test_a_zip_cut_anywhere_is_refused() -> None:
    data = zipped({"users.csv": CSV[:300], "orgs.csv": b"x"})
    for length in range(len(data)):
        assert refusal(data[:length]) in {"truncated", "not_a_zip"}


@given(st.binary(max_size=200), st.integers(0, 10**6))
def test_any_damage_is_an_archive_error_or_does_no_harm(damage: bytes, place: int) -> None:
    members = {"users.csv": CSV[:500], "orgs.csv": CSV[500:900]}
    data = bytearray(zipped(members))
    start = place % len(data)
    data[start : start + len(damage)] = damage
    try:
        found = everything(bytes(data))
    except ArchiveError:
        return
    assert set(found.values()) <= set(members.values())


def central(data: bytes, place: int, value: bytes) -> bytes:
    """The archive with some bytes of its first directory entry changed."""
    start = data.index(CENTRAL_MARK) + place
    return data[:start] + value + data[start + len(value) :]


def test_encrypted_members_are_refused() -> None:
    assert refusal(central(zipped({"a": b"x"}), 8, b"\x01\x00")) == "encrypted"


@pytest.mark.parametrize("method", [9, 12, 14, 93])
def test_methods_that_we_do_not_inflate_are_refused(method: int) -> None:
    data = central(zipped({"a": b"x"}), 10, method.to_bytes(2, "little"))
    assert refusal(data) == "unsupported_compression"


@pytest.mark.parametrize(
    "name",
    [
        "../users.csv",
        "a/../../users.csv",
        "/etc/users.csv",
        "a\\users.csv",
        "C:users.csv",
        "C:/users.csv",
        "./users.csv",
        "a//users.csv",
        "users\x1b[2J.csv",
    ],
)
def test_names_that_could_leave_the_folder_are_refused(name: str) -> None:
    assert refusal(zipped({name: b"x"})) == "path_traversal"


def test_links_are_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        link = zipfile.ZipInfo("users.csv")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    assert refusal(out.getvalue()) == "path_traversal"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("users.csv", "x")
        archive.writestr("users.csv", "y")
    assert refusal(out.getvalue()) == "duplicate_member"


def test_limits_on_sizes_and_number_hold() -> None:
    data = zipped({"a": bytes(300), "b": bytes(300)})
    assert refusal(data, Limits(member_bytes=299)) == "too_large"
    assert refusal(data, Limits(total_bytes=599)) == "too_large"
    assert refusal(data, Limits(members=1)) == "too_large"
    assert everything(data, Limits(member_bytes=300, total_bytes=600, members=2))


def test_a_bomb_is_refused_before_it_is_inflated() -> None:
    assert refusal(zipped({"a": bytes(2 * MEGABYTE)})) == "bomb"


def test_a_small_file_of_blank_columns_is_no_bomb() -> None:
    assert everything(zipped({"a": b"," * (MEGABYTE - 1)}))


def test_a_bomb_that_lies_about_its_size_is_stopped_where_the_lie_ends() -> None:
    data = zipped({"a": bytes(50 * MEGABYTE)})
    lying = central(data, 24, (1000).to_bytes(4, "little"))
    assert refusal(lying) == "bomb"


def test_members_that_share_their_bytes_are_refused() -> None:
    data = zipped({"a": CSV, "b": CSV})
    second = data.index(CENTRAL_MARK, data.index(CENTRAL_MARK) + 1)
    offset = second + CENTRAL.size - 4
    assert refusal(data[:offset] + bytes(4) + data[offset + 4 :]) == "bomb"


def test_a_damaged_byte_is_found_by_the_checksum() -> None:
    data = zipped({"a": CSV}, zipfile.ZIP_STORED)
    start = LOCAL.size + 1 + 5000
    assert refusal(data[:start] + b"\xff" + data[start + 1 :]) == "bad_crc"


def test_a_damaged_checksum_is_found_when_the_member_is_read_to_its_end() -> None:
    data = central(zipped({"a": CSV}), 16, bytes(4))
    member = reader(data).open("a")
    assert member.read(1000) == CSV[:1000]
    with pytest.raises(ArchiveError, match="checksum"):
        member.read()


def test_errors_are_sentences_for_people() -> None:
    for data in (b"", zipped({"a": CSV})[:200], zipped({"../a": b""})):
        with pytest.raises(ArchiveError) as caught:
            everything(data)
        assert str(caught.value).endswith(".")


# -- writing ------------------------------------------------------------------------------------

MEMBERS = {"users.csv": CSV, "empty.csv": b"", "a/Schüler.csv": b"x", "big.csv": CSV * 6}


@given(st.dictionaries(st.sampled_from(["a", "b/c", "é"]), st.binary(max_size=5000)))
def test_what_is_written_is_read_back(members: dict[str, bytes]) -> None:
    data = ours(members)
    assert everything(data) == members
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == members


def by_unzip(data: bytes, folder: Path) -> str:
    path = folder / "archive.zip"
    path.write_bytes(data)
    program = shutil.which("unzip")
    if program is None:
        pytest.skip("there is no unzip here")
    return subprocess.run(
        [program, "-t", str(path)], check=True, capture_output=True, text=True
    ).stdout


def test_unzip_finds_nothing_wrong(tmp_path: Path) -> None:
    assert "No errors detected" in by_unzip(ours(MEMBERS), tmp_path)


def test_a_reader_that_only_goes_forwards_finds_the_sizes() -> None:
    """Without data descriptors even a reader that never sees the directory can unpack."""
    data, place, found = ours(MEMBERS), 0, {}
    while data.startswith(LOCAL_MARK, place):
        _, _, flags, _, _, _, _, compressed, _, name, extra = LOCAL.unpack_from(data, place)
        assert not flags & 0x8
        start = place + LOCAL.size + name + extra
        place = start + compressed
        key = data[start - extra - name : start - extra].decode()
        found[key] = zlib.decompress(data[start:place], -15)
    assert found == MEMBERS


def test_the_bytes_do_not_depend_on_clock_cut_or_seeking(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = ours(MEMBERS)
    assert ours(MEMBERS, Pipe()) == expected
    out = io.BytesIO()
    with ZipWriter(out) as archive:
        for name, data in MEMBERS.items():
            with archive.open(name) as member:
                for start in range(0, len(data), 77_777):
                    member.write(memoryview(data)[start : start + 77_777])
    assert out.getvalue() == expected


def test_an_archive_may_begin_inside_a_file() -> None:
    out = io.BytesIO(b"before")
    out.seek(0, io.SEEK_END)
    assert everything(ours(MEMBERS, out)) == MEMBERS


@pytest.mark.parametrize("make", [io.BytesIO, Pipe])
def test_sizes_beyond_32_bits_become_zip64(
    make: "Callable[[], io.BytesIO | Pipe]", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zip_write, "_TOO_WIDE", 10_000)
    data = ours(MEMBERS, make())
    assert struct.pack("<L", 0xFFFFFFFF) in data
    assert everything(data) == MEMBERS
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
    assert "No errors detected" in by_unzip(data, tmp_path)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_members_are_copied_without_being_inflated(method: int) -> None:
    source = reader(zipped({"users.csv": CSV, "orgs.csv": b"x"}, method))
    out = io.BytesIO()
    with ZipWriter(out) as archive:
        archive.copy(source, "users.csv")
        with archive.open("orgs.csv") as member:
            member.write(b"y")
    copied = reader(out.getvalue())
    assert everything(out.getvalue()) == {"users.csv": CSV, "orgs.csv": b"y"}
    before, after = source.raw("users.csv"), copied.raw("users.csv")
    assert b"".join(before.data) == b"".join(after.data)
    assert before[1:] == after[1:]
    assert after.size == len(CSV)


def test_names_are_checked_on_the_way_out_too() -> None:
    archive = ZipWriter(io.BytesIO())
    with pytest.raises(ArchiveError, match="leave its folder"), archive.open("../a"):
        pass
    with archive.open("a"):
        pass
    with pytest.raises(ArchiveError, match="already holds"), archive.open("a"):
        pass


@pytest.mark.parametrize("make", [io.BytesIO, Pipe])
def test_an_archive_with_an_unfinished_member_is_never_completed(
    make: "Callable[[], io.BytesIO | Pipe]",
) -> None:
    def failing() -> None:
        with archive, archive.open("a") as member:
            member.write(CSV)
            raise OSError("disk full")

    out = make()
    archive = ZipWriter(out)  # type: ignore[arg-type]  # a raw file is enough
    with archive.open("first") as member:
        member.write(CSV)
    with pytest.raises(OSError, match="disk full"):
        failing()
    assert refusal(bytes(out.data) if isinstance(out, Pipe) else out.getvalue()) == "truncated"
    with pytest.raises(ValueError, match="not finished"):
        archive.close()


def test_members_are_written_one_at_a_time() -> None:
    archive = ZipWriter(io.BytesIO())
    with archive.open("a"), pytest.raises(ValueError, match="another member"), archive.open("b"):
        pass
