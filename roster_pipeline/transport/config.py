"""The YAML under `transport:` and references to secrets.

    transport:
      sftp: {host: sftp.district.example, username: roster, password: {env: SFTP_PASSWORD},
             known_hosts: known_hosts}

    transport:
      sftp: {…, jump_host: {host: …, username: …, private_key: {file: key}, fingerprint: SHA256:…},
             proxy: {host: proxy.example, port: 1080}, algorithms: legacy}

    transport:
      folder: {path: ./drops}

Loaded by every command, so asyncssh is imported only when a channel is opened.
"""

import re
import time
from collections.abc import Callable, Mapping
from ipaddress import IPv6Address
from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    model_validator,
)

from roster_pipeline.transport.channel import Channel
from roster_pipeline.transport.errors import CredentialsUnusable
from roster_pipeline.transport.folder import Folder
from roster_pipeline.transport.login import (
    Credentials,
    Fingerprint,
    HostKey,
    KnownHosts,
    Login,
    Password,
    PrivateKey,
    Proxy,
    ProxyKind,
    Route,
    SftpAddress,
)

Text = Annotated[StrictStr, Field(min_length=1)]


def _alone(host: str) -> str:
    # An address of IPv6 has colons; whatever else has one names a port or a scheme too.
    if not re.fullmatch(r"[^\s\x00-\x1f/@:\[\]]+", host):
        try:
            IPv6Address(host)
        except ValueError:
            raise ValueError(
                "write the name or the address of the host alone, such as sftp.district.example; "
                "port and username have keys of their own"
            ) from None
    return host


Host = Annotated[Text, AfterValidator(_alone)]


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
            missing = f"The environment variable {self.env} is not set or empty"
            do = f"set it to the secret that {self} refers to"
        else:
            secret, missing = _read(located(base, str(self.file)))
            do = f"put there the secret that {self} refers to, readable for whoever runs this"
        if not secret:
            raise CredentialsUnusable(f"{missing}; {do}.")
        return secret


class _SshLogin(_Model):
    host: Host
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
    algorithms: Literal["modern", "legacy"] = "modern"
    """`legacy` accepts outdated encryption too, of a server that has nothing better."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        _exactly_one(self, "password", "private_key")
        _exactly_one(self, "known_hosts", "fingerprint")
        if self.passphrase is not None and self.private_key is None:
            raise ValueError("passphrase unlocks private_key, and there is none")
        return self


class JumpHostConfig(_SshLogin):
    """`jump_host:`, an SSH server through which another is reached."""


class ProxyConfig(_Model):
    """`proxy:`, what stands between this machine and the internet."""

    kind: ProxyKind = "socks5"
    """How it is asked: SOCKS 5, or CONNECT of HTTP."""
    host: Host
    port: Annotated[StrictInt, Field(ge=1, le=65535)]
    username: Text | None = None
    password: Secret | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("give both username and password, or neither")
        return self


class SftpConfig(_SshLogin):
    """`sftp:`, a login on an SFTP server."""

    jump_host: JumpHostConfig | None = None
    """The SSH server through which this one is reached (`ssh -J`)."""
    proxy: ProxyConfig | None = None
    """Through which the server, or its jump host, is reached."""
    attempts: Annotated[StrictInt, Field(ge=1, le=100)] = 5
    """How many connections one transfer may use up."""
    timeout: Annotated[float, Field(strict=True, gt=0, le=3600)] = 30.0
    """Seconds of silence after which the server counts as gone."""


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
    login = _login(sftp, "", environ, base)
    return Sftp(
        login.address,
        login.credentials,
        login.host_key,
        attempts=sftp.attempts,
        timeout=sftp.timeout,
        sleep=sleep,
        legacy=login.legacy,
        route=_route(sftp, environ, base),
    )


def _login(given: _SshLogin, role: str, environ: Mapping[str, str], base: Path) -> Login:
    return Login(
        SftpAddress(given.host, given.port, given.username, role),
        _credentials(given, environ, base),
        _host_key(given, base),
        given.algorithms == "legacy",
    )


def _route(sftp: SftpConfig, environ: Mapping[str, str], base: Path) -> Route:
    jump_host, proxy = sftp.jump_host, sftp.proxy
    return Route(
        None
        if proxy is None
        else Proxy(
            proxy.kind,
            proxy.host,
            proxy.port,
            proxy.username,
            None if proxy.password is None else proxy.password.reveal(environ, base),
        ),
        None if jump_host is None else _login(jump_host, "the jump host", environ, base),
    )


def _credentials(given: _SshLogin, environ: Mapping[str, str], base: Path) -> Credentials:
    if given.password is not None:
        return Password(given.password.reveal(environ, base))
    key = cast(Secret, given.private_key)
    passphrase = None if given.passphrase is None else given.passphrase.reveal(environ, base)
    return PrivateKey(key.reveal(environ, base), passphrase)


def _host_key(given: _SshLogin, base: Path) -> HostKey:
    if given.fingerprint is not None:
        return Fingerprint(given.fingerprint)
    return KnownHosts(located(base, str(given.known_hosts)))


def located(base: Path, path: str) -> Path:
    """A path as the YAML names it; `base` is what a relative one is relative to."""
    return base / Path(path).expanduser()


def _read(file: Path) -> tuple[str, str]:
    try:
        # A pipe keeps who reads it waiting, and has what it has once; some devices never end.
        if not (file.is_file() or file.is_dir()) and file.exists():
            return "", f"The file {file} is a pipe or a device"
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        return "", f"The file {file} cannot be read ({error.strerror})"
    except ValueError:
        return "", f"The file {file} is not text"
    return text.removesuffix("\n").removesuffix("\r"), f"The file {file} is empty"


def _exactly_one(model: BaseModel, one: str, other: str) -> None:
    if (getattr(model, one) is None) == (getattr(model, other) is None):
        raise ValueError(f"give exactly one of {one} and {other}")
