"""An object store that speaks S3, as a `Channel`: Amazon's, and others' by their endpoint.

A file is an object; folders are what stands before the last slash of its key. An upload shows when
it is complete and never before, for an object appears whole.
"""

import logging
import posixpath
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

import boto3
from boto3.s3.transfer import TransferConfig
from botocore import exceptions
from botocore.config import Config

from roster_pipeline.crashpoints import reached
from roster_pipeline.transport.channel import (
    BLOCK,
    Channel,
    RemoteFile,
    RemoteFiles,
    changed_sentence,
    free_names,
    in_order,
    joined,
    mark_half_sent,
    matching,
    require_unchanged,
    size_sentence,
    taken_sentence,
    write_fully,
)
from roster_pipeline.transport.errors import Changed, Interrupted, NotFound, TransportError
from roster_pipeline.transport.s3_errors import FAILURES, explained

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# What they remark holds whole requests; who wants it sets the level before.
for _library in ("boto3", "botocore", "s3transfer"):
    if not logging.getLogger(_library).level:
        logging.getLogger(_library).setLevel(logging.ERROR)

CONNECT_TIMEOUT: Final = 15.0
"""Seconds until a server must have taken the connection."""
PART: Final = 16 << 20
"""Bytes of one part of an upload: S3 takes 10,000 of them, and 5 MiB are the least."""


@dataclass(frozen=True)
class Keys:
    """What proves who one is. Without any, the machine's own role is used, as it is in a cloud."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None

    def __repr__(self) -> str:
        return "Keys(…)"


@dataclass(frozen=True)
class Bucket:
    """Where objects are kept."""

    name: str
    prefix: str = ""
    """What every key begins with; as a folder, without a slash at its end."""
    endpoint_url: str | None = None
    """The address of a store that is not Amazon's."""
    region: str | None = None

    def __str__(self) -> str:
        at = f" at {self.endpoint_url}" if self.endpoint_url else ""
        return f"the bucket {self.name}{at}"


class S3(Channel):
    """Objects of one bucket below a prefix; paths are relative to it, a slash before them or not.

    `attempts` is how often one request is made, `timeout` how many seconds the server may be
    silent.
    """

    def __init__(
        self,
        bucket: Bucket,
        keys: Keys | None,
        *,
        attempts: int = 5,
        timeout: float = 60.0,
        ca_file: str | None = None,
    ) -> None:
        self._bucket = bucket
        self._timeout = timeout
        with self._explained(f"open {bucket}"):
            self._client = _client(bucket, keys, attempts, timeout, ca_file)

    def __repr__(self) -> str:
        return f"S3({self._bucket.name}/{self._bucket.prefix})"

    def list(self, folder: str, pattern: str) -> RemoteFiles:
        """See `Channel.list`; a folder without objects has none."""
        prefix = self._key("" if folder in (".", "/") else folder)
        prefix = f"{prefix}/" if prefix else ""
        found: dict[str, RemoteFile] = {}
        with self._explained(f"list {self._shown(folder)}"):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket.name, Prefix=prefix, Delimiter="/"
            )
            for page in pages:
                for each in page.get("Contents", ()):
                    name = each["Key"].removeprefix(prefix)
                    if name:
                        path = joined(folder, name)
                        found[name] = RemoteFile(path, each["Size"], _whole(each["LastModified"]))
        return in_order([found[name] for name in matching(found, pattern, folder)])

    def stat(self, path: str) -> RemoteFile | None:
        """See `Channel.stat`."""
        try:
            with self._explained(f"look up {self._shown(path)}"):
                head = self._client.head_object(Bucket=self._bucket.name, Key=self._key(path))
        except NotFound:
            return None
        return RemoteFile(path, head["ContentLength"], _whole(head["LastModified"]))

    def download(
        self,
        file: RemoteFile,
        into: BinaryIO,
        *,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """See `Channel.download`."""
        for block in self._blocks(file.path, file):
            write_fully(into, block)
            if progress is not None:
                progress(len(block))

    def read(self, path: str) -> Iterator[bytes]:
        """See `Channel.read`; raises NotFound."""
        return self._blocks(path, None)

    def upload(self, path: str, content: BinaryIO, size: int) -> None:
        """See `Channel.upload`. Parts that a killed upload to the same path left, which cost money
        and show nowhere, are removed where that is permitted."""
        key = self._key(path)
        with self._explained(f"write {self._shown(path)}"):
            self._forget_parts(key)
            self._client.upload_fileobj(
                cast("Any", _Counted(content, size, path)),
                self._bucket.name,
                key,
                Config=TransferConfig(
                    multipart_threshold=PART, multipart_chunksize=PART, use_threads=False
                ),
            )
        reached("upload.after-rename")

    def move(self, old: str, new: str, *, expected: RemoteFile | None = None) -> str:
        """See `Channel.move`; an object is copied, and then the old one removed."""
        now = self.stat(old)
        if now is None:
            raise NotFound(f"There is no object {self._shown(old)} to be moved.")
        require_unchanged(expected, now, str(self._bucket))
        for name in free_names(new):
            if self.stat(name) is None:
                with self._explained(f"move {self._shown(old)} to {self._shown(name)}"):
                    self._client.copy(
                        {"Bucket": self._bucket.name, "Key": self._key(old)},
                        self._bucket.name,
                        self._key(name),
                    )
                    self._client.delete_object(Bucket=self._bucket.name, Key=self._key(old))
                return name
        raise TransportError(taken_sentence(new, str(self._bucket)))

    def remove(self, path: str, *, expected: RemoteFile | None = None) -> None:
        """See `Channel.remove`."""
        if (now := self.stat(path)) is None:
            return
        require_unchanged(expected, now, str(self._bucket))
        with self._explained(f"remove {self._shown(path)}"):
            self._client.delete_object(Bucket=self._bucket.name, Key=self._key(path))

    def close(self) -> None:
        """See `Channel.close`."""
        self._client.close()

    def _key(self, path: str) -> str:
        return posixpath.join(self._bucket.prefix, path.strip("/")).strip("/")

    def _shown(self, path: str) -> str:
        return f"s3://{self._bucket.name}/{self._key(path)}"

    @property
    def _server(self) -> str:
        return self._bucket.endpoint_url or f"Amazon's store in {self._bucket.region}"

    def _forget_parts(self, key: str) -> None:
        with suppress(exceptions.ClientError):  # many a key may write, and not list uploads
            pages = self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self._bucket.name, Prefix=key
            )
            for page in pages:
                for begun in page.get("Uploads", ()):
                    if begun["Key"] == key:
                        self._client.abort_multipart_upload(
                            Bucket=self._bucket.name, Key=key, UploadId=begun["UploadId"]
                        )

    def _blocks(self, path: str, expected: RemoteFile | None) -> Iterator[bytes]:
        """The blocks of one version of an object; where the connection breaks, the rest is asked
        for anew as long as each attempt brings something."""
        key, done, tag = self._key(path), 0, ""
        size = 1
        while done < size:
            before = done
            try:
                with self._explained(f"read {self._shown(path)}"):
                    asked: dict[str, Any] = {"Range": f"bytes={done}-"} if done else {}
                    if tag:
                        asked["IfMatch"] = tag
                    answer = self._client.get_object(Bucket=self._bucket.name, Key=key, **asked)
                    tag = answer["ETag"]
                    size = done + answer["ContentLength"]
                    now = RemoteFile(path, size, _whole(answer["LastModified"]))
                    if expected not in (None, now):
                        raise Changed(changed_sentence(expected, now, str(self._bucket)))
                    expected = now
                    for block in answer["Body"].iter_chunks(BLOCK):
                        done += len(block)
                        yield block
                if not size:
                    return
            except Interrupted as error:
                if done == before or isinstance(error, Changed):
                    raise

    @contextmanager
    def _explained(self, task: str) -> Iterator[None]:
        try:
            yield
        except FAILURES as error:
            raise explained(error, task, self._bucket.name, self._server, self._timeout) from None


class _Counted:
    """Reads content that has to be as long as announced; an upload of other content is given up."""

    def __init__(self, content: BinaryIO, size: int, path: str) -> None:
        self._content = content
        self._size = size
        self._path = path
        self._read = 0

    def read(self, amount: int = -1) -> bytes:
        block = self._content.read(amount)
        before, self._read = self._read, self._read + len(block)
        if self._read > self._size:
            raise TransportError(size_sentence(self._path, "more", self._size))
        if not block and amount and self._read < self._size:
            raise TransportError(size_sentence(self._path, f"{self._read:,}", self._size))
        mark_half_sent(before, self._read, self._size)
        return block


def _client(
    bucket: Bucket, keys: Keys | None, attempts: int, timeout: float, ca_file: str | None
) -> "S3Client":
    """A client that asks no other server, and sends what stores that are not Amazon's take."""
    return boto3.session.Session().client(
        "s3",
        region_name=bucket.region or ("us-east-1" if bucket.endpoint_url else None),
        endpoint_url=bucket.endpoint_url,
        verify=ca_file,
        aws_access_key_id=None if keys is None else keys.access_key_id,
        aws_secret_access_key=None if keys is None else keys.secret_access_key,
        aws_session_token=None if keys is None else keys.session_token,
        config=Config(
            connect_timeout=min(CONNECT_TIMEOUT, timeout),
            read_timeout=timeout,
            retries={"total_max_attempts": attempts, "mode": "standard"},
            s3={"addressing_style": "path" if bucket.endpoint_url else "auto"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            user_agent_extra="roster-pipeline",
        ),
    )


def _whole(moment: datetime) -> datetime:
    """To the second, as the header of one object has it; lists say more."""
    return moment.astimezone(UTC).replace(microsecond=0)
