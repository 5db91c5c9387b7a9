"""Bytes in and out: folders here and on SFTP servers, and HTTP. Knows no rosters.

A `Channel` lists, downloads, uploads and reads back files; `config.open_channel` makes one from
YAML, `sftp.Sftp`, `folder.Folder` and `s3.S3` are the kinds. An `Outlet` only takes files and may
not show them again; `https_upload.HttpsUpload` is one. `http.open_http` makes an `HttpSession`.
Every failure is a `TransportError`.
"""

from roster_pipeline.transport.channel import Channel, RemoteFile
from roster_pipeline.transport.errors import (
    AuthenticationRefused,
    Busy,
    Changed,
    CredentialsUnusable,
    Forbidden,
    HostKeyMismatch,
    Interrupted,
    NotFound,
    NotPermitted,
    TransportError,
    Unreachable,
)

__all__ = [
    "AuthenticationRefused",
    "Busy",
    "Changed",
    "Channel",
    "CredentialsUnusable",
    "Forbidden",
    "HostKeyMismatch",
    "Interrupted",
    "NotFound",
    "NotPermitted",
    "RemoteFile",
    "TransportError",
    "Unreachable",
]
