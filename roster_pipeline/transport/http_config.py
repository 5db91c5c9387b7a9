"""The YAML of an address that is asked by HTTP, and of how one proves there who one is.

    base_url: https://sis.district.example/ims/oneroster/rostering/v1p2
    auth:
      oauth2: {client_id: abc, client_secret: {env: SIS_SECRET},
               token_url: https://sis.district.example/token}

    auth: {oauth1: {consumer_key: abc, consumer_secret: {env: SIS_SECRET}}}
    auth: {bearer: {token: {env: SCIM_TOKEN}}}

While a secret is exchanged for another, both are named, and the one that is taken is used:

    auth:
      - oauth1: {consumer_key: abc, consumer_secret: {env: OLD_SECRET}}
        expires: 2027-06-30
      - oauth1: {consumer_key: abc, consumer_secret: {env: NEW_SECRET}}

Loaded by every command, so nothing that speaks HTTP is imported here.
"""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StrictInt,
    StrictStr,
    Tag,
    model_validator,
)

from roster_pipeline.fields import Day, Part, Text
from roster_pipeline.transport.config import Secret

_KINDS: Final = ("oauth2", "oauth1", "bearer")
_MOST_LOGINS: Final = 2

# RFC 9110, section 5.1: a header's name is a token. These are ours to write, or the wire's.
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OUR_HEADERS: Final = (
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "transfer-encoding",
)


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


def _called(*names: str) -> Any:
    """A field with the names that districts and vendors know it by, ours first."""
    return Field(validation_alias=AliasChoices(*names))


def _as_editors_see_it(schema: dict[str, Any], model: type["Credential"]) -> None:
    """Each of the names is a key, and exactly one of them is given."""
    for names in model.names():
        schema["required"].remove(names[0])
        schema["properties"] |= dict.fromkeys(names[1:], schema["properties"][names[0]])
        one_of = {"oneOf": [{"required": [name]} for name in names]}
        schema.setdefault("allOf", []).append(one_of)


class Credential(Part):
    """What proves who one is. Its parts go by several names, of which one each is given."""

    model_config = ConfigDict(json_schema_extra=_as_editors_see_it)

    @classmethod
    def names(cls) -> list[list[str]]:
        """The names of each part that has several, ours first."""
        aliases = [field.validation_alias for field in cls.model_fields.values()]
        return [list(map(str, a.choices)) for a in aliases if isinstance(a, AliasChoices)]

    @model_validator(mode="before")
    @classmethod
    def _is_named_once(cls, value: Any) -> Any:
        for names in cls.names() if isinstance(value, Mapping) else ():
            if len(given := [name for name in names if name in value]) > 1:
                said = " and ".join(f"`{name}`" for name in given)
                raise ValueError(f"{said} are names for one thing; leave one")
        return value


class OAuth2(Credential):
    """`oauth2:`, client credentials (RFC 6749, section 4.4)."""

    # `in` is the word of the YAML, and Python's own.
    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    client_id: TextOrSecret = _called(
        "client_id", "client_key", "consumer_key", "application_id", "key"
    )
    client_secret: Secret = _called(
        "client_secret", "consumer_secret", "application_secret", "secret"
    )
    token_url: Address
    """Where tokens are given out. Every installation has its own."""
    scopes: tuple[Text, ...] = ()
    """What the token is to be good for. A server that refuses OneRoster's scopes is asked for
    fewer of them."""
    sent_in: Literal["basic", "body", "query"] = Field(default="basic", alias="in")
    """Where the token request says it all: id and secret by HTTP Basic and the rest in the body;
    all in the body; or id and secret by HTTP Basic and the rest in the address."""


class OAuth1(Credential):
    """`oauth1:`, every request signed with a consumer's key and secret (OAuth 1.0a, two-legged)."""

    consumer_key: TextOrSecret = _called(
        "consumer_key", "client_id", "client_key", "application_id", "key"
    )
    consumer_secret: Secret = _called(
        "consumer_secret", "client_secret", "application_secret", "secret"
    )
    signature: Literal["HMAC-SHA256", "HMAC-SHA1"] = "HMAC-SHA256"


class Bearer(Credential):
    """`bearer:`, a token that somebody else renews: it is read again when it is refused."""

    # `from` is the word of the YAML, and Python's own.
    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    token: Secret = _called("token", "access_token", "key")
    looked_up: Address | None = Field(default=None, alias="from")
    """ClassLink's list of applications, which holds a token for each: `token` is for the list."""
    application: Text | None = None
    """Whose token of the list it is, by `oneroster_application_id`."""

    @model_validator(mode="after")
    def _says_whose(self) -> Self:
        if (self.looked_up is None) != (self.application is None):
            raise ValueError("`from` and `application` go together: a list, and whose token of it")
        return self


class HttpAuth(Part):
    """`auth:`, one way to prove who one is."""

    oauth2: OAuth2 | None = None
    oauth1: OAuth1 | None = None
    bearer: Bearer | None = None
    expires: Day | None = None
    """The last day on which the credentials are good, as their giver said."""

    @model_validator(mode="before")
    @classmethod
    def _is_one_way(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            given = [kind for kind in _KINDS if value.get(kind) is not None]
            if len(given) != 1:
                raise ValueError(f"give exactly one of {', '.join(_KINDS)}")
        return value


def _one_or_two(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        return [value]
    if not 1 <= len(value) <= _MOST_LOGINS:
        raise ValueError("give one login, or a list of two: the second is for when the first ends")
    return value


Logins = Annotated[
    tuple[HttpAuth, ...],
    BeforeValidator(
        _one_or_two,
        json_schema_input_type=HttpAuth
        | Annotated[list[HttpAuth], Field(min_length=1, max_length=_MOST_LOGINS)],
    ),
]
"""One login, or a list of two that are tried in turn."""


def _header_name(name: str) -> str:
    if not _HEADER_NAME.fullmatch(name):
        raise ValueError("this is not the name of a header, such as X-Api-Key")
    if name.casefold() in _OUR_HEADERS:
        raise ValueError(f"{name} is written for you; say how to log in under `auth`")
    return name


def _each_once(headers: Mapping[str, Any]) -> Mapping[str, Any]:
    if len({name.casefold() for name in headers}) < len(headers):
        raise ValueError("a header is given twice; capitals do not count")
    return headers


HeaderName = Annotated[StrictStr, AfterValidator(_header_name)]


class HttpConfig(Part):
    """An address and how it is asked."""

    base_url: BaseAddress
    auth: Logins
    headers: Annotated[dict[HeaderName, TextOrSecret], AfterValidator(_each_once)] = Field(
        default_factory=dict
    )
    """More headers for every request to the address's host, such as a key that a gateway wants."""
    timeout: Annotated[float, Field(strict=True, gt=0, le=3600)] = 60.0
    """Seconds of silence after which the server counts as gone."""
    attempts: Annotated[StrictInt, Field(ge=1, le=100)] = 5
    """How often one request is made before it is given up."""
    per_minute: Annotated[StrictInt, Field(ge=1)] | None = None
    """The most requests a minute; as fast as the server answers by default."""
    ca_file: Text | None = None
    """Certificates to trust instead of the usual ones, in PEM; relative to the workspace."""
    most_requests: Annotated[StrictInt, Field(ge=1)] | None = None
    """The most requests of one session, those for tokens and repeated ones too. What needs more
    fails."""
