"""Objects of a bucket as files, against a server that speaks S3 on loopback."""

import io
import os
from collections.abc import Iterator
from datetime import UTC
from typing import TYPE_CHECKING, Any

import pytest
from botocore import exceptions

from roster_pipeline.transport import s3 as module
from roster_pipeline.transport.errors import (
    AuthenticationRefused,
    Busy,
    Changed,
    CredentialsUnusable,
    NotFound,
    NotPermitted,
    TransportError,
    Unreachable,
)
from roster_pipeline.transport.s3 import S3, Bucket, Keys
from tests.object_store import BUCKET, object_store

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

KEYS = Keys("planted-id", "planted-s3cret")
SOME = os.urandom(300_000)


@pytest.fixture(scope="module")
def there() -> Iterator[tuple[str, "S3Client"]]:
    with object_store() as there:
        yield there


@pytest.fixture(scope="module")
def endpoint(there: tuple[str, "S3Client"]) -> str:
    return there[0]


@pytest.fixture(scope="module")
def raw(there: tuple[str, "S3Client"]) -> "S3Client":
    """What somebody else does with the store."""
    return there[1]


@pytest.fixture
def bucket(endpoint: str, raw: "S3Client", request: pytest.FixtureRequest) -> Bucket:
    """Each test has a folder of its own."""
    return Bucket(BUCKET, f"to/{request.node.name}", endpoint)


@pytest.fixture
def store(bucket: Bucket) -> Iterator[S3]:
    with S3(bucket, KEYS, attempts=2, timeout=5.0) as channel:
        yield channel


def content(raw: "S3Client", bucket: Bucket, path: str) -> bytes:
    return raw.get_object(Bucket=bucket.name, Key=f"{bucket.prefix}/{path}")["Body"].read()


def begun(raw: "S3Client", bucket: Bucket) -> list[str]:
    """What is being uploaded in parts."""
    uploads = raw.list_multipart_uploads(Bucket=bucket.name, Prefix=bucket.prefix)
    return [one["Key"] for one in uploads.get("Uploads", [])]


def test_what_is_uploaded_is_one_object_below_the_prefix_and_can_be_read_back(
    store: S3, raw: "S3Client", bucket: Bucket
) -> None:
    assert store.reads_back
    assert store.stat("/in/a.zip") is None
    store.upload("/in/a.zip", io.BytesIO(b"old"), 3)
    store.upload("/in/a.zip", io.BytesIO(SOME), len(SOME))

    assert content(raw, bucket, "in/a.zip") == SOME
    there = store.stat("/in/a.zip")
    assert there is not None
    assert (there.path, there.size, there.modified.tzinfo) == ("/in/a.zip", len(SOME), UTC)
    assert b"".join(store.read("/in/a.zip")) == SOME


def test_a_large_upload_goes_in_parts_and_leaves_none_behind(
    store: S3, raw: "S3Client", bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PART", 5 << 20)
    large = os.urandom(11 << 20)
    key = f"{bucket.prefix}/large.zip"
    raw.create_multipart_upload(Bucket=bucket.name, Key=key)  # what a killed one left
    raw.create_multipart_upload(Bucket=bucket.name, Key=f"{key}.other")

    store.upload("large.zip", io.BytesIO(large), len(large))

    assert content(raw, bucket, "large.zip") == large
    assert raw.head_object(Bucket=bucket.name, Key=key)["ETag"].endswith('-3"')
    assert begun(raw, bucket) == [f"{key}.other"]


def test_content_that_is_not_as_long_as_announced_leaves_what_was_there(
    store: S3, raw: "S3Client", bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PART", 5 << 20)
    store.upload("a.zip", io.BytesIO(b"whole"), 5)

    for size in (100, 11 << 20):
        for found in (size - 1, size + 1):
            with pytest.raises(TransportError, match="Nothing was put in place"):
                store.upload("a.zip", io.BytesIO(bytes(found)), size)

    assert content(raw, bucket, "a.zip") == b"whole"
    assert begun(raw, bucket) == []


def test_a_listing_has_the_matching_objects_of_one_folder(store: S3) -> None:
    for path in ("in/a.zip", "in/b.zip", "in/.c.zip", "in/d.txt", "in/deep/e.zip", "f.zip"):
        store.upload(path, io.BytesIO(b"x"), 1)
    assert sorted(file.path for file in store.list("in", "*.zip")) == ["in/a.zip", "in/b.zip"]
    assert [file.path for file in store.list(".", "*.zip")] == ["f.zip"]
    assert store.list("nowhere", "*") == []
    (listed,) = store.list("in", "a*")
    assert listed == store.stat("in/a.zip")


def test_a_download_is_of_the_object_that_was_listed(store: S3) -> None:
    store.upload("a.zip", io.BytesIO(SOME), len(SOME))
    listed = store.stat("a.zip")
    assert listed is not None
    into, seen = io.BytesIO(), list[int]()
    store.download(listed, into, progress=seen.append)
    assert into.getvalue() == SOME
    assert sum(seen) == len(SOME)

    store.upload("a.zip", io.BytesIO(b"other"), 5)
    with pytest.raises(Changed):
        store.download(listed, io.BytesIO())


def test_a_download_that_breaks_off_goes_on_where_it_broke(
    store: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.upload("a.zip", io.BytesIO(SOME), len(SOME))
    get, asked = store._client.get_object, list[Any]()

    def breaking(**keys: Any) -> Any:
        answer, chunks = get(**keys), None
        chunks = answer["Body"].iter_chunks
        asked.append(keys.get("Range"))

        def some(size: int) -> Iterator[bytes]:
            yield next(chunks(size))
            raise exceptions.ReadTimeoutError(endpoint_url="x")

        if len(asked) < 3:
            monkeypatch.setattr(answer["Body"], "iter_chunks", some)
        return answer

    monkeypatch.setattr(store._client, "get_object", breaking)
    assert b"".join(store.read("a.zip")) == SOME
    assert asked == [None, "bytes=131072-", "bytes=262144-"]


def test_an_object_is_moved_to_a_free_name_and_removed(store: S3) -> None:
    for path in ("a.zip", "done/a.zip"):
        store.upload(path, io.BytesIO(path.encode()), len(path))
    assert store.move("a.zip", "done/a.zip") == "done/a-2.zip"
    assert not store.exists("a.zip")
    assert b"".join(store.read("done/a.zip")) == b"done/a.zip"
    store.remove("done/a.zip")
    store.remove("done/a.zip")
    assert not store.exists("done/a.zip")
    with pytest.raises(NotFound):
        store.move("a.zip", "b.zip")


def test_an_empty_object_is_read(store: S3) -> None:
    store.upload("empty", io.BytesIO(), 0)
    assert b"".join(store.read("empty")) == b""


def test_what_is_wrong_is_said_without_the_secret(bucket: Bucket, store: S3) -> None:
    with pytest.raises(NotFound, match="no such object"):
        list(store.read("missing.zip"))
    nowhere = S3(Bucket("nobodys", "", bucket.endpoint_url), KEYS)
    with pytest.raises(NotFound, match="no bucket nobodys"):
        nowhere.upload("a.zip", io.BytesIO(b"x"), 1)
    closed = S3(Bucket("a-bucket", "", "http://127.0.0.1:9"), KEYS, attempts=1)
    with pytest.raises(Unreachable, match="cannot be reached") as error:
        closed.stat("a.zip")
    assert "planted" not in f"{error.value!r} {closed!r} {KEYS!r}"


def test_a_refusal_is_explained_by_its_name(store: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[str, type[TransportError], str]] = [
        ("SignatureDoesNotMatch", AuthenticationRefused, "secret_access_key"),
        ("AccessDenied", NotPermitted, "s3:PutObject"),
        ("PermanentRedirect", TransportError, "another region"),
        ("SlowDown", Busy, "Run it again later"),
        ("Odd", TransportError, "the server says Odd"),
    ]
    for code, kind, words in said:

        def refuse(code: str = code, **_: Any) -> Any:
            raise exceptions.ClientError({"Error": {"Code": code}}, "HeadObject")

        monkeypatch.setattr(store._client, "head_object", refuse)
        with pytest.raises(TransportError, match=words) as error:
            store.stat("a.zip")
        assert type(error.value) is kind


def test_a_profile_of_the_machine_that_is_not_there_is_said(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "missing")
    with pytest.raises(CredentialsUnusable, match="AWS_PROFILE"):
        S3(bucket, KEYS)


def test_a_machine_without_a_role_is_told_to_say_keys(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(CredentialsUnusable, match="access_key_id"):
        S3(bucket, None).stat("a.zip")
