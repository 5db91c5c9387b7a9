"""Members of a ZIP archive that a password opens, decrypted as they are read.

AES: the WinZip specification AE-1 and AE-2. ZipCrypto: APPNOTE.TXT 6.3.10, section 6.1.
"""

import hashlib
import hmac
from collections.abc import Iterator
from typing import Final

import numpy as np

from roster_pipeline.tables.zip_directory import ArchiveError, Entry

# A multiple of what AES takes at once.
_BLOCK: Final = 256 << 10
_ROUNDS: Final = 1000
_VERIFIER: Final = 2
_MAC: Final = 10
_HEADER: Final = 12  # of ZipCrypto
_KEYS: Final = (0x12345678, 0x23456789, 0x34567890)
_FULL: Final = 0xFFFFFFFF


def decrypted(entry: Entry, data: Iterator[bytes], password: str) -> Iterator[bytes]:
    """A member's bytes as they were before encryption, still deflated.

    `data` is the member as it lies in the archive. ZipCrypto takes a second for two megabytes; AES
    is as fast as a disk. Raises ArchiveError: `wrong_password` at once, `bad_crc` at the end where
    what AES has signed was changed.
    """
    key = password.encode()
    return _aes(entry, _Taking(data), key) if entry.aes else _zip_crypto(entry, _Taking(data), key)


class _Taking:
    """Pieces of bytes, taken in other sizes."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._have = bytearray()

    def take(self, size: int) -> bytes:
        """So many bytes, or what is left of them."""
        while len(self._have) < size and (piece := next(self._pieces, b"")):
            self._have += piece
        taken = bytes(self._have[:size])
        del self._have[:size]
        return taken


def _aes(entry: Entry, data: _Taking, password: bytes) -> Iterator[bytes]:
    # Nothing but the ZIP format chooses SHA-1 and counters here.
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import ECB

    size = entry.aes.key_bytes if entry.aes else 0
    salt, verifier = data.take(size // 2), data.take(_VERIFIER)
    keys = hashlib.pbkdf2_hmac("sha1", password, salt, _ROUNDS, 2 * size + _VERIFIER)
    if keys[-_VERIFIER:] != verifier:
        raise _wrong_password(entry)
    mac = hmac.new(keys[size : 2 * size], digestmod="sha1")
    # Counter mode as WinZip counts, low byte first, which the library's own does not.
    encryptor = Cipher(AES(keys[:size]), ECB()).encryptor()  # noqa: S305
    left, counter = entry.compressed - entry.overhead, 1
    while left > 0:
        block = data.take(min(_BLOCK, left))
        left -= len(block)
        count = -(-len(block) // 16)
        counters = np.zeros((count, 2), dtype="<u8")
        counters[:, 0] = np.arange(counter, counter + count, dtype="<u8")
        counter += count
        stream = np.frombuffer(encryptor.update(counters.tobytes()), dtype="u1")
        mac.update(block)
        yield (np.frombuffer(block, dtype="u1") ^ stream[: len(block)]).tobytes()
    if not hmac.compare_digest(mac.digest()[:_MAC], data.take(_MAC)):
        raise ArchiveError(
            "bad_crc", f"{entry.name} is damaged: its signature is wrong. Send it again."
        )


def _zip_crypto(entry: Entry, data: _Taking, password: bytes) -> Iterator[bytes]:
    machine = _ZipCrypto(password)
    header = machine.decrypt(data.take(_HEADER))
    if header[-1:] != bytes([entry.check]):
        raise _wrong_password(entry)
    while block := data.take(_BLOCK):
        yield machine.decrypt(block)


class _ZipCrypto:
    """The cipher's three keys, moved on by every byte."""

    def __init__(self, password: bytes) -> None:
        self._keys = _KEYS
        for byte in password:
            self._keys = _moved(*self._keys, byte)

    def decrypt(self, block: bytes) -> bytes:
        """The next bytes. Written out, as a call for each byte would take thrice as long."""
        out, table = bytearray(block), _CRC
        one, two, three = self._keys
        for place, byte in enumerate(block):
            mixed = three | 2
            plain = byte ^ ((mixed * (mixed ^ 1)) >> 8) & 0xFF
            out[place] = plain
            one = (one >> 8) ^ table[(one ^ plain) & 0xFF]
            two = ((two + (one & 0xFF)) * 134775813 + 1) & _FULL
            three = (three >> 8) ^ table[(three ^ (two >> 24)) & 0xFF]
        self._keys = one, two, three
        return bytes(out)


def _moved(one: int, two: int, three: int, byte: int) -> tuple[int, int, int]:
    one = (one >> 8) ^ _CRC[(one ^ byte) & 0xFF]
    two = ((two + (one & 0xFF)) * 134775813 + 1) & _FULL
    return one, two, (three >> 8) ^ _CRC[(three ^ (two >> 24)) & 0xFF]


def _crc_of(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ (0xEDB88320 if byte & 1 else 0)
    return byte


_CRC: Final = tuple(_crc_of(byte) for byte in range(256))


def _wrong_password(entry: Entry) -> ArchiveError:
    return ArchiveError(
        "wrong_password",
        f"{entry.name} is encrypted, and the password in `encryption` does not open it. Ask the "
        "district for the one in use.",
    )
