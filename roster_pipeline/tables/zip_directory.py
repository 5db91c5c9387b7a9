"""What a ZIP archive says it holds, read without trusting a number in it.

Layouts, signatures and flags: APPNOTE.TXT 6.3.10, sections 4.3 to 4.5.
"""

import re
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

LOCAL: Final = struct.Struct("<4s5H3L2H")
CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
END: Final = struct.Struct("<4s4H2LH")
END64: Final = struct.Struct("<4sQ2H2L4Q")
LOCATOR64: Final = struct.Struct("<4sLQL")
LOCAL_MARK: Final = b"PK\x03\x04"
CENTRAL_MARK: Final = b"PK\x01\x02"
END_MARK: Final = b"PK\x05\x06"
END64_MARK: Final = b"PK\x06\x06"
LOCATOR64_MARK: Final = b"PK\x06\x07"
ZIP64_FIELD: Final = 1
FULL16: Final = 0xFFFF
FULL32: Final = 0xFFFFFFFF
UTF8_NAME: Final = 0x0800
STORED: Final = 0
DEFLATED: Final = 8

ENCRYPTED: Final = 0x0001
_SEALED: Final = 0x2040  # strongly encrypted; directory masked
_DESCRIPTOR: Final = 0x0008
# Of a member encrypted by AES the method says just that, and this field the rest.
_AES_METHOD: Final = 99
_AES_FIELD: Final = 0x9901
_AES: Final = struct.Struct("<H2sBH")
_METHODS: Final = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "xz", 98: "PPMd"}
# Below this size a high ratio is no attack: blank columns deflate 1000 to 1.
HARMLESS: Final = 1 << 20
_DIRECTORY_LIMIT: Final = 16 << 20
_PLAIN_KINDS: Final = (0, stat.S_IFREG, stat.S_IFDIR)
_DRIVE: Final = re.compile(r"[A-Za-z]:")


class ArchiveError(Exception):
    """An archive that must not be used. `code` is one of "not_a_zip", "truncated", "encrypted",
    "wrong_password", "path_traversal", "too_large", "bomb", "bad_crc", "duplicate_member",
    "unsupported_compression"."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Limits:
    """What an archive may hold before it is taken for an attack."""

    member_bytes: int = 20 << 30
    total_bytes: int = 64 << 30
    ratio: int = 200
    """Inflated to deflated size of a member, looked at from 1 MiB on."""
    members: int = 1000


@dataclass(frozen=True, slots=True)
class Aes:
    """How a member is encrypted by AES."""

    version: int
    """1 (AE-1) or 2 (AE-2, which states no CRC)."""
    strength: int
    """1 to 3: keys of 128, 192 or 256 bits."""

    @property
    def key_bytes(self) -> int:
        """Length of the key."""
        return 8 + 8 * self.strength


@dataclass(frozen=True, slots=True)
class Entry:
    """What the directory says of one member."""

    name: str
    flags: int
    method: int
    crc: int
    compressed: int
    size: int
    offset: int
    """Of the local header, from the start of the file."""
    mode: int
    """Unix file mode, 0 if not known."""
    aes: Aes | None = None
    check: int = 0
    """The byte by which ZipCrypto knows a right password."""

    @property
    def is_encrypted(self) -> bool:
        """Whether a password opens it."""
        return bool(self.flags & ENCRYPTED)

    @property
    def overhead(self) -> int:
        """How many of the `compressed` bytes the encryption adds: salt, verifier and signature of
        AES; the header of ZipCrypto."""
        if self.aes is not None:
            return self.aes.key_bytes // 2 + 12
        return 12 if self.is_encrypted else 0

    @property
    def has_crc(self) -> bool:
        """Whether `crc` says anything."""
        return self.aes is None or self.aes.version == 1

    @property
    def is_folder(self) -> bool:
        """Whether this names a folder rather than a file."""
        return self.name.endswith("/")


def read_directory(file: BinaryIO, limits: Limits, *, locked: bool = False) -> list[Entry]:
    """The directory's entries in its order, all checked; with `locked`, encrypted ones may be
    among them. Raises ArchiveError."""
    start, size, count, shift = _find_directory(file)
    if count > limits.members or size > _DIRECTORY_LIMIT:
        raise ArchiveError(
            "too_large", f"the archive lists {count} files; at most {limits.members} are taken."
        )
    file.seek(start)
    data = file.read(size)
    if len(data) < size:
        raise _damaged()
    entries = list(_entries(data, shift))
    if len(entries) != count:
        raise _damaged()
    for entry in entries:
        _check(entry, limits, locked=locked)
    _check_together(entries, start, limits)
    return entries


def check_name(name: str) -> None:
    """Raise ArchiveError unless the name stays in the folder that an archive is unpacked into."""
    parts = name.removesuffix("/").split("/")
    if (
        "\\" in name
        or _DRIVE.match(name)
        or any(part in {"", ".", ".."} for part in parts)
        or not name.isprintable()
    ):
        raise ArchiveError(
            "path_traversal",
            f"the archive holds a file named {name!r}, which could leave its folder. "
            "It must hold plain names only.",
        )


def _find_directory(file: BinaryIO) -> tuple[int, int, int, int]:
    """Start and size of the directory, number of entries, and how far offsets are shifted by
    whatever stands before the archive."""
    length = file.seek(0, 2)
    tail_start = max(0, length - END.size - FULL16 - LOCATOR64.size)
    file.seek(tail_start)
    tail = file.read()
    end = tail.rfind(END_MARK)
    while end >= 0 and end + END.size > len(tail):
        end = tail.rfind(END_MARK, 0, end)
    if end < 0:
        raise _no_directory(file)
    _, disk, first_disk, _, count, size, offset, _ = END.unpack_from(tail, end)
    if disk not in {0, FULL16} or first_disk not in {0, FULL16}:
        raise ArchiveError("not_a_zip", "the archive is one of several volumes. Send it whole.")
    directory_end = tail_start + end
    locator = end - LOCATOR64.size
    if locator >= 0 and tail.startswith(LOCATOR64_MARK, locator):
        _, _, place, _ = LOCATOR64.unpack_from(tail, locator)
        # What stands before the archive shifts this offset too; the record itself does not move.
        last_place = tail_start + locator - END64.size
        for candidate in (place, last_place):
            if not 0 <= candidate <= last_place:
                continue
            file.seek(candidate)
            record = file.read(END64.size)
            if len(record) == END64.size and record.startswith(END64_MARK):
                *_, count, size, offset = END64.unpack(record)
                directory_end = candidate
                break
        else:
            raise _damaged()
    start = directory_end - size
    if start < 0 or start < offset:
        raise _damaged()
    return start, size, count, start - offset


def _no_directory(file: BinaryIO) -> ArchiveError:
    file.seek(0)
    head = file.read(len(LOCAL_MARK))
    if head and LOCAL_MARK.startswith(head):
        return ArchiveError(
            "truncated",
            "the archive is cut off: it begins as a ZIP and its directory, which stands last, is "
            "missing. Send it again.",
        )
    if not head:
        return ArchiveError("not_a_zip", "the file is empty, not a ZIP archive.")
    return ArchiveError("not_a_zip", "the file is not a ZIP archive.")


def _damaged() -> ArchiveError:
    return ArchiveError(
        "not_a_zip", "the archive's directory is damaged and cannot be read. Send it again."
    )


def _entries(data: bytes, shift: int) -> Iterator[Entry]:
    place = 0
    while place < len(data):
        if place + CENTRAL.size > len(data) or not data.startswith(CENTRAL_MARK, place):
            raise _damaged()
        (_, _, _, flags, method, clock, _, crc, compressed, size, *lengths) = CENTRAL.unpack_from(
            data, place
        )
        name_length, extra_length, comment_length, _, _, attributes, offset = lengths
        place += CENTRAL.size
        name = data[place : place + name_length]
        extra = data[place + name_length : place + name_length + extra_length]
        place += name_length + extra_length + comment_length
        size, compressed, offset = _wide(extra, size, compressed, offset)
        method, aes = _aes(extra, flags, method)
        yield Entry(
            name=name.decode("utf-8" if flags & UTF8_NAME else "cp437", errors="replace"),
            flags=flags,
            method=method,
            crc=crc,
            compressed=compressed,
            size=size,
            offset=offset + shift,
            mode=attributes >> 16,
            aes=aes,
            check=(clock >> 8) if flags & _DESCRIPTOR else crc >> 24,
        )


def _wide(extra: bytes, *narrow: int) -> list[int]:
    """Sizes and offset, those that are all ones taken from the ZIP64 field."""
    field = _field(extra, ZIP64_FIELD) if FULL32 in narrow else None
    if field is None:
        return list(narrow)
    wide = iter(struct.unpack_from(f"<{len(field) // 8}Q", field))
    return [next(wide, value) if value == FULL32 else value for value in narrow]


def _aes(extra: bytes, flags: int, method: int) -> tuple[int, Aes | None]:
    """The method below AES, and how that is used; as they are where it is not."""
    field = _field(extra, _AES_FIELD) if method == _AES_METHOD and flags & ENCRYPTED else None
    if field is None or len(field) < _AES.size:
        return method, None
    version, _, strength, below = _AES.unpack_from(field)
    if version not in {1, 2} or strength not in {1, 2, 3}:
        return method, None
    return below, Aes(version, strength)


def _field(extra: bytes, wanted: int) -> bytes | None:
    """An extra field's content, filled up to the length that it states; None if there is none."""
    place = 0
    while place + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, place)
        place += 4
        if kind == wanted:
            return extra[place : place + length].ljust(length)
        place += length
    return None


def _check(entry: Entry, limits: Limits, *, locked: bool) -> None:
    check_name(entry.name)
    if stat.S_IFMT(entry.mode) not in _PLAIN_KINDS:
        raise ArchiveError(
            "path_traversal",
            f"{entry.name} is a link or a device, not a file. The archive must hold files only.",
        )
    if entry.flags & _SEALED or (entry.is_encrypted and not locked):
        raise ArchiveError(
            "encrypted",
            f"{entry.name} is encrypted. Send the archive without a password"
            + (", or with AES." if locked else ", or write where that is kept as `encryption`."),
        )
    if entry.method not in {STORED, DEFLATED}:
        method = _METHODS.get(entry.method, f"method {entry.method}")
        raise ArchiveError(
            "unsupported_compression",
            f"{entry.name} is compressed with {method}. Make the archive with plain Deflate.",
        )
    if entry.size > limits.member_bytes:
        raise ArchiveError(
            "too_large",
            f"{entry.name} has {entry.size} bytes; at most {limits.member_bytes} are taken.",
        )
    if entry.size >= HARMLESS and entry.size > limits.ratio * entry.compressed:
        raise ArchiveError(
            "bomb",
            f"{entry.name} would grow to {entry.size} bytes from {entry.compressed}, more than "
            f"{limits.ratio} times. That is no roster.",
        )
    stored = entry.size if entry.method == STORED else 0
    if entry.compressed < entry.overhead + stored or (
        entry.method == STORED and entry.compressed > entry.overhead + stored
    ):
        raise _damaged()


def _check_together(entries: list[Entry], directory: int, limits: Limits) -> None:
    seen = set()
    for entry in entries:
        if entry.name in seen:
            raise ArchiveError("duplicate_member", f"the archive holds {entry.name} twice.")
        seen.add(entry.name)
    total = sum(entry.size for entry in entries)
    if total > limits.total_bytes:
        raise ArchiveError(
            "too_large", f"the archive holds {total} bytes; at most {limits.total_bytes} are taken."
        )
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.offset):
        if entry.offset < end:
            raise ArchiveError(
                "bomb", f"{entry.name} overlaps another file in the archive. That is no roster."
            )
        end = entry.offset + LOCAL.size + entry.compressed
    if end > directory:
        raise _damaged()
