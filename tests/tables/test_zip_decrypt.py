"""Encrypted zips, made by others: pyzipper for AES, the format's own description for ZipCrypto."""

import io
import zipfile
import zlib

import numpy as np
import pytest
import pyzipper

from roster_pipeline.tables.archive import ArchiveError, ZipReader
from roster_pipeline.tables.zip_decrypt import _ZipCrypto

PASSWORD = "correct horse"
CONTENT = b"sourcedId,name\r\n" + b"".join(b"o%d,School %d\r\n" % (n, n * n) for n in range(60_000))
"""More than two of the blocks that are decrypted at a time."""


def aes(content: bytes, *, version: int = 2, bits: int = 256, stored: bool = False) -> bytes:
    buffer = io.BytesIO()
    method = pyzipper.ZIP_STORED if stored else pyzipper.ZIP_DEFLATED
    with pyzipper.AESZipFile(buffer, "w", compression=method) as archive:
        archive.setpassword(PASSWORD.encode())
        archive.setencryption(pyzipper.WZ_AES, nbits=bits, force_wz_aes_version=version)
        archive.writestr("orgs.csv", content)
    return buffer.getvalue()


def zip_crypto(content: bytes) -> bytes:
    """A zip as Info-ZIP encrypts it, made of a plain one by patching it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("orgs.csv", content)
        (info,) = archive.infolist()
        start = archive.start_dir
    plain = buffer.getvalue()
    head = info.header_offset + 30 + len("orgs.csv")
    salt = np.random.default_rng(7).bytes(11) + bytes([info.CRC >> 24])
    secret = _encrypted(salt + plain[head : head + info.compress_size])
    local = bytearray(plain[:head])
    local[6] |= 1
    local[18:22] = len(secret).to_bytes(4, "little")
    central = bytearray(plain[start:])
    central[8] |= 1
    central[20:24] = len(secret).to_bytes(4, "little")
    end = central.rindex(b"PK\x05\x06")
    central[end + 16 : end + 20] = (head + len(secret)).to_bytes(4, "little")
    return bytes(local) + secret + bytes(central)


def _encrypted(plain: bytes) -> bytes:
    """The cipher the other way round: its keys move by the plain bytes, which are known here."""
    out = bytearray()
    machine = _ZipCrypto(PASSWORD.encode())
    for byte in plain:
        probe = _ZipCrypto(PASSWORD.encode())
        probe._keys = machine._keys
        mask = probe.decrypt(b"\0")[0]
        out.append(byte ^ mask)
        machine.decrypt(bytes([byte ^ mask]))
    return bytes(out)


def read(package: bytes, password: str | None = PASSWORD) -> bytes:
    reader = ZipReader(io.BytesIO(package), password=password)
    with reader.open("orgs.csv") as member:
        return member.read()


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("bits", [128, 192, 256])
@pytest.mark.parametrize("version", [1, 2])
def test_a_zip_encrypted_with_aes_is_read(version: int, bits: int, stored: bool) -> None:
    assert read(aes(CONTENT, version=version, bits=bits, stored=stored)) == CONTENT


def test_a_zip_encrypted_the_old_way_is_read() -> None:
    package = zip_crypto(CONTENT[:5000])
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        assert archive.read("orgs.csv", PASSWORD.encode()) == CONTENT[:5000]

    assert read(package) == CONTENT[:5000]


@pytest.mark.parametrize("package", [aes(CONTENT[:5000]), zip_crypto(CONTENT[:5000])])
def test_a_wrong_password_is_named_before_anything_is_read(package: bytes) -> None:
    with pytest.raises(ArchiveError, match=r"orgs\.csv is encrypted, and the password") as error:
        read(package, "wrong")
    assert error.value.code == "wrong_password"


def test_an_encrypted_zip_without_a_password_says_where_to_write_one() -> None:
    with pytest.raises(ArchiveError, match="write where that is kept as `encryption`") as error:
        read(aes(CONTENT), None)
    assert error.value.code == "encrypted"


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("stored", [False, True])
def test_a_changed_byte_is_found_by_the_signature(version: int, stored: bool) -> None:
    content = np.random.default_rng(3).bytes(400_000)
    package = bytearray(aes(content, version=version, stored=stored))
    package[200_000] ^= 1

    with pytest.raises(ArchiveError) as error:
        read(bytes(package))
    assert error.value.code == "bad_crc"


def test_a_signature_that_was_changed_alone_is_found() -> None:
    package = bytearray(aes(CONTENT))
    end = package.index(b"PK\x01\x02")
    package[end - 1] ^= 1

    with pytest.raises(ArchiveError, match="signature"):
        read(bytes(package))


def test_plain_members_are_read_beside_encrypted_ones() -> None:
    buffer = io.BytesIO()
    with pyzipper.AESZipFile(buffer, "w", compression=pyzipper.ZIP_DEFLATED) as archive:
        archive.writestr("plain.csv", b"a\r\n")
        archive.setpassword(PASSWORD.encode())
        archive.setencryption(pyzipper.WZ_AES)
        archive.writestr("orgs.csv", CONTENT)

    reader = ZipReader(buffer, password=PASSWORD)

    assert [reader.is_encrypted(name) for name in reader.names] == [False, True]
    assert reader.open("plain.csv").read() == b"a\r\n"
    assert zlib.crc32(reader.open("orgs.csv").read()) == zlib.crc32(CONTENT)
