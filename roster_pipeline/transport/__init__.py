"""Bytes in and out: folders here and on SFTP servers. Knows no rosters.

A `Channel` lists, downloads, uploads and reads back files; `config.open_channel` makes one from
YAML, `sftp.Sftp` and `folder.Folder` are the two kinds. Every failure is a `TransportError`.
"""

from roster_pipeline.transport.channel import Channel, RemoteFile
from roster_pipeline.transport.errors import (
    AuthenticationRefused,
    Changed,
    CredentialsUnusable,
    HostKeyMismatch,
    Interrupted,
    NotFound,
    NotPermitted,
    TransportError,
    Unreachable,
)

__all__ = [
    "AuthenticationRefused",
    "Changed",
    "Channel",
    "CredentialsUnusable",
    "HostKeyMismatch",
    "Interrupted",
    "NotFound",
    "NotPermitted",
    "RemoteFile",
    "TransportError",
    "Unreachable",
]
