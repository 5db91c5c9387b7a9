"""The YAML under `transport:` of a destination: the ways of `config`, and two that only take files.

    transport:
      s3: {bucket: rosters, prefix: springfield, region: us-east-2,
           access_key_id: {env: S3_KEY_ID}, secret_access_key: {env: S3_SECRET}}

    transport:
      s3: {bucket: rosters, endpoint_url: https://objects.vendor.example, …}

    transport:
      https: {base_url: https://upload.vendor.example/in, auth: {bearer: {token: {env: TOKEN}}},
              read_back: true}

    transport:
      https: {base_url: https://upload.vendor.example, headers: {X-Api-Key: {env: KEY}},
              form: {file: roster, fields: {district: "4711"}}}

Loaded by every command, so libraries are imported only when an outlet is opened.
"""

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    model_validator,
)

from roster_pipeline.transport.config import Secret, Text, TransportConfig, located, open_channel
from roster_pipeline.transport.errors import CredentialsUnusable
from roster_pipeline.transport.http_config import BaseAddress, HttpConfig, Logins, TextOrSecret

if TYPE_CHECKING:
    from roster_pipeline.transport.outlet import Outlet


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )


def _folder(text: str) -> str:
    if ".." in text.split("/"):
        raise ValueError("the prefix may not go up with `..`")
    return text.strip("/")


def _bucket(text: str) -> str:
    if not re.fullmatch("[A-Za-z0-9][A-Za-z0-9._-]{1,62}", text):
        raise ValueError(
            "say the bucket's name alone, as its store has it: 2 to 63 letters, digits, dots, "
            "hyphens and underscores"
        )
    return text


class S3Config(_Part):
    """`s3:`, a bucket of an object store."""

    bucket: Annotated[StrictStr, AfterValidator(_bucket)]
    prefix: Annotated[StrictStr, AfterValidator(_folder)] = ""
    """The folder that `path` is relative to."""
    endpoint_url: BaseAddress | None = None
    """The address of a store that is not Amazon's."""
    region: Text | None = None
    """Amazon's region of the bucket, such as us-east-2."""
    access_key_id: TextOrSecret | None = None
    secret_access_key: Secret | None = None
    session_token: Secret | None = None
    attempts: Annotated[StrictInt, Field(ge=1, le=100)] = 5
    """How often one request is made before it is given up."""
    timeout: Annotated[float, Field(strict=True, gt=0, le=3600)] = 60.0
    """Seconds of silence after which the server counts as gone."""
    ca_file: Text | None = None
    """Certificates to trust instead of the usual ones, in PEM; relative to the workspace."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.access_key_id is None) != (self.secret_access_key is None):
            raise ValueError(
                "give both access_key_id and secret_access_key, or neither where the machine has a "
                "role of its own"
            )
        if self.session_token is not None and self.access_key_id is None:
            raise ValueError("session_token goes with access_key_id, and there is none")
        if self.region is None and self.endpoint_url is None:
            raise ValueError("say the `region` of the bucket, or the `endpoint_url` of its store")
        return self


class FormConfig(_Part):
    """`form:`, a form that is posted, with the package in one of its fields."""

    file: Text = "file"
    """The field that the package is in."""
    fields: Mapping[Text, TextOrSecret] = Field(default_factory=dict)
    """The other fields."""


class HttpsConfig(HttpConfig):
    """`https:`, a server that takes packages by PUT, or as a form by POST."""

    auth: Logins = ()
    """How one proves who one is; nothing where a key in `headers` does."""
    form: FormConfig | None = None
    """Posted to the folder of `path` below `base_url`; without it the package is PUT to `path`."""
    read_back: StrictBool = False
    """Whether the server answers HEAD and GET with what was PUT. Without it, that it took the
    package is the receipt."""
    timeout: Annotated[float, Field(strict=True, gt=0, le=3600)] = 300.0
    """Seconds of silence after which the server counts as gone; one upload may take ten times as
    long."""

    @model_validator(mode="after")
    def _can_be_read_back(self) -> Self:
        if self.form is not None and self.read_back:
            raise ValueError("`read_back` is of what was PUT; leave it out with a `form`")
        return self


class OutletConfig(TransportConfig):
    """`transport:` of a destination, one way out."""

    s3: S3Config | None = None
    https: HttpsConfig | None = None

    @model_validator(mode="after")
    def _is_one_way(self) -> Self:
        ways = [way for way in type(self).model_fields if getattr(self, way) is not None]
        if len(ways) != 1:
            raise ValueError(f"give exactly one of {', '.join(type(self).model_fields)}")
        return self


def open_outlet(
    config: OutletConfig,
    *,
    base: Path,
    environ: Mapping[str, str],
    sleep: Callable[[float], None] = time.sleep,
) -> "Outlet":
    """An outlet, not yet connected. `base` is what relative paths in the YAML are relative to.

    Raises `CredentialsUnusable` if a secret is not where it is said to be, and where the library
    for object stores is not installed.
    """
    if config.s3 is not None:
        return _open_s3(config.s3, base, environ)
    if config.https is not None:
        return _open_https(config.https, base, environ, sleep)
    return open_channel(config, base=base, environ=environ, sleep=sleep)


def _open_s3(given: S3Config, base: Path, environ: Mapping[str, str]) -> "Outlet":
    try:
        from roster_pipeline.transport.s3 import S3, Bucket, Keys
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("boto3", "botocore"):
            raise
        raise CredentialsUnusable(
            "Object stores need a library that is not installed; install roster-pipeline[s3]."
        ) from None

    keys = None
    if given.access_key_id is not None:
        secret = cast(Secret, given.secret_access_key)  # the model's validator leaves both
        token = given.session_token
        keys = Keys(
            _revealed(given.access_key_id, environ, base),
            secret.reveal(environ, base),
            None if token is None else token.reveal(environ, base),
        )
    trusted = None if given.ca_file is None else located(base, given.ca_file)
    if trusted is not None and not trusted.is_file():
        raise CredentialsUnusable(f"There is no file {trusted}, which `ca_file` names.")
    return S3(
        Bucket(given.bucket, given.prefix, given.endpoint_url, given.region),
        keys,
        attempts=given.attempts,
        timeout=given.timeout,
        ca_file=None if trusted is None else str(trusted),
    )


def _open_https(
    given: HttpsConfig, base: Path, environ: Mapping[str, str], sleep: Callable[[float], None]
) -> "Outlet":
    from roster_pipeline.transport.http import open_session
    from roster_pipeline.transport.https_upload import Form, HttpsUpload

    form = None
    if given.form is not None:
        fields: dict[str, Any] = {
            name: _revealed(value, environ, base) for name, value in given.form.fields.items()
        }
        form = Form(given.form.file, fields)
    session = open_session(given, base=base, environ=environ, sleep=sleep)
    return HttpsUpload(session, form=form, reads_back=given.read_back)


def _revealed(value: str | Secret, environ: Mapping[str, str], base: Path) -> str:
    return value if isinstance(value, str) else value.reveal(environ, base)
