import gzip
import io

import pytest

from roster_pipeline.tables.archive import ArchiveError, Limits
from roster_pipeline.tables.gunzip import gunzipped

CONTENT = b"".join(b"u%d,%d\r\n" % (n, n * 7919) for n in range(200_000))


def unpacked(packed: bytes, limits: Limits | None = None) -> bytes:
    return b"".join(gunzipped(io.BytesIO(packed), len(packed), "users.csv.gz", limits))


def test_a_file_of_several_parts_is_unpacked_whole() -> None:
    assert unpacked(gzip.compress(CONTENT[:999]) + gzip.compress(CONTENT[999:])) == CONTENT


@pytest.mark.parametrize(
    ("packed", "code"),
    [
        (gzip.compress(CONTENT)[:-30_000], "truncated"),
        (b"sourcedId,name\r\n", "bad_crc"),
        (gzip.compress(CONTENT)[:500] + b"\xff" * 500 + gzip.compress(CONTENT)[1000:], "bad_crc"),
        (gzip.compress(bytes(64 << 20)), "bomb"),
    ],
)
def test_what_is_no_whole_gzip_file_is_not_taken(packed: bytes, code: str) -> None:
    with pytest.raises(ArchiveError, match=r"users\.csv\.gz") as error:
        unpacked(packed)
    assert error.value.code == code


def test_a_file_may_not_grow_over_the_limit() -> None:
    with pytest.raises(ArchiveError) as error:
        unpacked(gzip.compress(CONTENT), Limits(member_bytes=1 << 20))
    assert error.value.code == "bomb"
