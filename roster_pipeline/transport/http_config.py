"""The YAML of an address that is asked by HTTP, and of how one proves there who one is.

    base_url: https://sis.district.example/ims/oneroster/rostering/v1p2
    auth:
      oauth2: {client_id: abc, client_secret: {env: SIS_SECRET},
               token_url: https://sis.district.example/token}

    auth: {oauth1: {consumer_key: abc, consumer_secret: {env: SIS_SECRET}}}
    auth: {bearer: {token: {env: SCIM_TOKEN}}}

Loaded by every command, so nothing that speaks HTTP is imported here.
"""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    ConfigDict,
    Discriminator,
    Field,
    StrictInt,
    StrictStr,
    Tag,
    model_validator,
)

from roster_pipeline.fields import Part, Text
from roster_pipeline.transport.config import Secret

_KINDS: Final = ("oauth2", "oauth1", "bearer")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("this is not an address such as https://sis.example/path") from None
    if parts.scheme not in ("https", "http") or not host or not text.isprintable() or " " in text:
        raise ValueError("this is not an address such as https://sis.example/path")
    if parts.username is not None or parts.fragment:
        raise ValueError("an address holds no user, password or #; say how to log in under `auth`")
    if parts.scheme == "http" and not _is_loopback(host):
        raise ValueError("https:// is needed, or everything would travel readable for all")
    return text


def _base_address(text: str) -> str:
    if urlsplit(text).query:
        raise ValueError("nothing may follow the path: leave out `?` and what comes after it")
    return text.rstrip("/")


Address = Annotated[StrictStr, AfterValidator(_address)]
"""An https:// address; of this machine, http:// too."""

BaseAddress = Annotated[Address, AfterValidator(_base_address)]
"""An address to which paths are added. A slash at its end is left out."""


def _text_or_secret(value: Any) -> str:
    return "reference" if isinstance(value, Mapping | Secret) else "text"


TextOrSecret = Annotated[
    Annotated[Text, Tag("text")] | Annotated[Secret, Tag("reference")],
    Discriminator(_text_or_secret),
]
"""A text, or where it is kept: `{env: NAME}`, `{file: path}`. For ids, which are no secrets."""


class OAuth2(Part):
    """`oauth2:`, client credentials (RFC 6749, section 4.4)."""

    # `in` is the word of the YAML, and Python's own.
    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    client_id: TextOrSecret
    client_secret: Secret
    token_url: Address
    """Where tokens are given out. Every installation has its own."""
    scopes: tuple[Text, ...] = ()
    """What the token is to be good for."""
    sent_in: Literal["basic", "body", "query"] = Field(default="basic", alias="in")
    """Where the token request says it all: id and secret by HTTP Basic and the rest in the body;
    all in the body; or id and secret by HTTP Basic and the rest in the address."""


class OAuth1(Part):
    """`oauth1:`, every request signed with a consumer's key and secret (OAuth 1.0a, two-legged)."""

    consumer_key: TextOrSecret
    consumer_secret: Secret
    signature: Literal["HMAC-SHA256", "HMAC-SHA1"] = "HMAC-SHA256"


class Bearer(Part):
    """`bearer:`, a token that does not change."""

    token: Secret


class HttpAuth(Part):
    """`auth:`, one way to prove who one is."""

    oauth2: OAuth2 | None = None
    oauth1: OAuth1 | None = None
    bearer: Bearer | None = None

    @model_validator(mode="before")
    @classmethod
    def _is_one_way(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            given = [kind for kind in _KINDS if value.get(kind) is not None]
            if len(given) != 1:
                raise ValueError(f"give exactly one of {', '.join(_KINDS)}")
        return value


class HttpConfig(Part):
    """An address and how it is asked."""

    base_url: BaseAddress
    auth: HttpAuth
    timeout: Annotated[float, Field(strict=True, gt=0, le=3600)] = 60.0
    """Seconds of silence after which the server counts as gone."""
    attempts: Annotated[StrictInt, Field(ge=1, le=100)] = 5
    """How often one request is made before it is given up."""
    per_minute: Annotated[StrictInt, Field(ge=1)] | None = None
    """The most requests a minute; as fast as the server answers by default."""
    ca_file: Text | None = None
    """Certificates to trust instead of the usual ones, in PEM; relative to the workspace."""
