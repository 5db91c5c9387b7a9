"""Landed packages: by the bytes that are kept, on a disk and in an object store."""

import hashlib
import io
from pathlib import Path
from typing import BinaryIO

import fsspec
import pytest

from roster_pipeline.store import Landed, NotStored
from roster_pipeline.store.landing import Landing
from tests.store.scene import DAY1, START

CONTENT = b"PK\x03\x04" + bytes(range(256)) * 9000


def put(landing: Landing, file: Path | BinaryIO) -> Landed:
    return landing.put(
        "springfield",
        file,
        date=DAY1,
        original_hash="0" * 64,
        remote_path="/out/springfield.zip",
        modified=START,
    )


def test_a_package_is_kept_under_the_hash_of_what_is_kept(url: str) -> None:
    landed = put(Landing(url), io.BytesIO(CONTENT))
    stored_hash = hashlib.sha256(CONTENT).hexdigest()
    assert (landed.stored_hash, landed.size) == (stored_hash, len(CONTENT))
    assert landed.url == f"{url}/landed/springfield/{stored_hash}.zip"
    with Landing(url).open(landed) as package:
        package.seek(4)
        assert package.read(3) == b"\x00\x01\x02"
        package.seek(0)
        assert package.read() == CONTENT


def test_a_path_and_a_stream_read_to_its_end_are_the_same_package(url: str, tmp_path: Path) -> None:
    file = tmp_path / "package.zip"
    file.write_bytes(CONTENT)
    stream = io.BytesIO(CONTENT)
    stream.read()
    landing = Landing(url)
    assert put(landing, file) == put(landing, stream)
    fs, root = fsspec.core.url_to_fs(url)
    assert len(fs.find(root)) == 1


def test_a_package_on_a_disk_has_a_path_and_one_elsewhere_has_none(tmp_path: Path) -> None:
    path = Landing(tmp_path).path(put(Landing(tmp_path), io.BytesIO(CONTENT)))
    assert path is not None
    assert path.read_bytes() == CONTENT
    objects = Landing(f"memory://{tmp_path}")
    assert objects.path(put(objects, io.BytesIO(CONTENT))) is None


def test_a_package_that_is_gone_is_said_to_be_missing(url: str) -> None:
    landing = Landing(url)
    landed = put(landing, io.BytesIO(CONTENT))
    fs, root = fsspec.core.url_to_fs(url)
    fs.rm(root, recursive=True)
    with pytest.raises(NotStored, match=r"package landed for 2026-08-24 .* is not at"):
        landing.open(landed)
