"""The YAML under `transport:` and references to secrets.

    transport:
      sftp: {host: sftp.district.example, username: roster, password: {env: SFTP_PASSWORD},
             known_hosts: known_hosts}

    transport:
      folder: {path: ./drops}

Loaded by every command, so asyncssh is imported only when a channel is opened.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Self, cast

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, model_validator

from roster_pipeline.transport.channel import Channel
from roster_pipeline.transport.errors import CredentialsUnusable
from roster_pipeline.transport.folder import Folder
from roster_pipeline.transport.login import (
    Credentials,
    Fingerprint,
    HostKey,
    KnownHosts,
    Password,
    PrivateKey,
    SftpAddress,
)

Text = Annotated[StrictStr, Field(min_length=1)]


class _Model(BaseModel):
    # Somebody will write a password where a reference belongs: no error may show what was written.
    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )


class Secret(_Model):
    """Where a secret is kept: `{env: NAME}` or `{file: path}`; never the secret itself."""

    env: Text | None = None
    file: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _is_a_reference(cls, value: Any) -> Any:
        if isinstance(value, Mapping | Secret):
            return value
        raise ValueError(
            "write where the secret is kept, {env: NAME} or {file: path}, never the secret itself"
        )

    @model_validator(mode="after")
    def _has_one_place(self) -> Self:
        _exactly_one(self, "env", "file")
        return self

    def __str__(self) -> str:
        return f"{{env: {self.env}}}" if self.env else f"{{file: {self.file}}}"

    def reveal(self, environ: Mapping[str, str], base: Path) -> str:
        """The secret, without a last line end; `base` is what a relative file is relative to.

        Raises CredentialsUnusable, which names the reference only.
        """
        if self.env is not None:
            secret = environ.get(self.env, "")
            missing = f"The environment variable {self.env} is not set or empty; set it"
        else:
            secret, missing = _read(located(base, str(self.file)))
        if not secret:
            raise CredentialsUnusable(f"{missing} to the secret that {self} refers to.")
        return secret


class SftpConfig(_Model):
    """`sftp:`, a login on an SFTP server."""

    host: Text
    port: Annotated[StrictInt, Field(ge=1, le=65535)] = 22
    username: Text
    password: Secret | None = None
    private_key: Secret | None = None
    passphrase: Secret | None = None
    """Unlocks `private_key`."""
    known_hosts: Text | None = None
    """A file in OpenSSH's format, with a line for the host."""
    fingerprint: Annotated[StrictStr, Field(pattern=r"^SHA256:[A-Za-z0-9+/]{43}$")] | None = None
    """Of the server's host key, as `ssh-keygen -l` shows it."""
    attempts: Annotated[StrictInt, Field(ge=1, le=100)] = 5
    """How many connections one transfer may use up."""
    timeout: Annotated[float, Field(strict=True, gt=0, le=3600)] = 30.0
    """Seconds of silence after which the server counts as gone."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        _exactly_one(self, "password", "private_key")
        _exactly_one(self, "known_hosts", "fingerprint")
        if self.passphrase is not None and self.private_key is None:
            raise ValueError("passphrase unlocks private_key, and there is none")
        return self


class FolderConfig(_Model):
    """`folder:`, a folder of this machine."""

    path: Text


class TransportConfig(_Model):
    """`transport:`, one way in or out."""

    sftp: SftpConfig | None = None
    folder: FolderConfig | None = None

    @model_validator(mode="after")
    def _is_one_way(self) -> Self:
        _exactly_one(self, "sftp", "folder")
        return self


def open_channel(
    config: TransportConfig,
    *,
    base: Path,
    environ: Mapping[str, str],
    sleep: Callable[[float], None] = time.sleep,
) -> Channel:
    """A channel, not yet connected. `base` is what relative paths in the YAML are relative to.

    Raises CredentialsUnusable if a secret is not where it is said to be.
    """
    if config.folder is not None:
        return Folder(located(base, config.folder.path))
    from roster_pipeline.transport.sftp import Sftp

    sftp = cast(SftpConfig, config.sftp)  # the models' validators leave exactly one
    return Sftp(
        SftpAddress(sftp.host, sftp.port, sftp.username),
        _credentials(sftp, environ, base),
        _host_key(sftp, base),
        attempts=sftp.attempts,
        timeout=sftp.timeout,
        sleep=sleep,
    )


def _credentials(sftp: SftpConfig, environ: Mapping[str, str], base: Path) -> Credentials:
    if sftp.password is not None:
        return Password(sftp.password.reveal(environ, base))
    key = cast(Secret, sftp.private_key)
    passphrase = None if sftp.passphrase is None else sftp.passphrase.reveal(environ, base)
    return PrivateKey(key.reveal(environ, base), passphrase)


def _host_key(sftp: SftpConfig, base: Path) -> HostKey:
    if sftp.fingerprint is not None:
        return Fingerprint(sftp.fingerprint)
    return KnownHosts(located(base, str(sftp.known_hosts)))


def located(base: Path, path: str) -> Path:
    """A path as the YAML names it; `base` is what a relative one is relative to."""
    return base / Path(path).expanduser()


def _read(file: Path) -> tuple[str, str]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        return "", f"The file {file} cannot be read ({error.strerror}); make it hold, readably,"
    except ValueError:
        return "", f"The file {file} is not text; make it hold"
    return text.removesuffix("\n").removesuffix("\r"), f"The file {file} is empty; make it hold"


def _exactly_one(model: BaseModel, one: str, other: str) -> None:
    if (getattr(model, one) is None) == (getattr(model, other) is None):
        raise ValueError(f"give exactly one of {one} and {other}")
