"""What a district's file may say under `rest:`, and what a vendor's profile says of it before.

rest:
  base_url: https://sis.springfield.example/ims/oneroster/rostering/v1p2
  auth:
    oauth2: {client_id: roster, client_secret: {env: SPRINGFIELD_SECRET},
             token_url: https://sis.springfield.example/token}
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from roster_pipeline.fields import Part, Text
from roster_pipeline.transport.http_config import Address, HttpConfig

ANY: Final = "*"
"""Stands for every collection."""

APP: Final = "{app}"
"""Stands in a vendor's addresses for what the vendor calls this application or district."""

# OneRoster 1.1 and 1.2: where the collections lie below the host; the scopes of an OAuth 2 token.
_PATHS: Final = {"1.1": "/ims/oneroster/v1p1", "1.2": "/ims/oneroster/rostering/v1p2"}
_SCOPES: Final = {
    version: f"https://purl.imsglobal.org/spec/or/{part}/scope/"
    for version, part in (("1.1", "v1p1"), ("1.2", "v1p2"))
}
_CORE: Final = "roster-core.readonly"
_DEMOGRAPHICS: Final = "roster-demographics.readonly"


def _as_text(value: Any) -> Any:
    """YAML takes an unquoted 1.2 for a number."""
    return str(value) if isinstance(value, float) else value


LoginKind = Literal["oauth2", "oauth1", "bearer"]
Version = Annotated[Literal["1.1", "1.2"], BeforeValidator(_as_text)]


class Habits(Part):
    """How a server pages and what it calls things. A vendor's profile may say any of it, and a
    district's file otherwise."""

    version: Version = "1.2"
    limit: Annotated[StrictInt, Field(ge=1)] = 1000
    """Records to ask for at a time. A server may send fewer."""
    paging: Literal["rows", "next", "total"] = "rows"
    """How the next page is found and the last one known. `rows`: ask on after the records received
    until a page is empty, whatever the server says. `next`: follow its links, and where there is
    none do the same. `total`: stop at its X-Total-Count, for a server that fails beyond the end."""
    sort: StrictBool = True
    """Ask for records in the order of their sourcedIds, so that pages do not shift. A server that
    refuses that is asked without."""
    wrappers: dict[Text, tuple[Text, ...]] = Field(default_factory=dict)
    """Collection, or `*` for any → other names under which its records may stand in a page. The
    endpoints that a collection is `made_of` have the names of that collection."""
    parameters: dict[Text, StrictStr] = Field(default_factory=dict)
    """More parameters for every request, such as a filter."""
    steady: tuple[Text, ...] = ()
    """Headers that stay as they are while the server's data do."""
    made_of: dict[Text, Annotated[tuple[Text, ...], Field(min_length=1)]] = Field(
        default_factory=dict
    )
    """Collection → the endpoints that hold it together, where the server has none for the whole:
    `users: [students, teachers]`."""
    merge: dict[Text, Literal["union"]] = Field(default_factory=dict)
    """Collection → how records with one sourcedId that differ become one. `union`: lists are put
    together, of other properties the first filled one stays. Without it the rows are held."""
    blanks_in_ids: Literal["keep", "underscore"] = "keep"
    """What becomes of blanks within sourcedIds, in records and in references to them."""
    at_once: Annotated[StrictInt, Field(ge=1, le=16)] = 1
    """How many collections are pulled side by side."""
    changes: StrictBool = True
    """Whether the server can tell what changed since a moment: it filters by dateLastModified and
    sends what was deleted as `tobedeleted`. A `delta` needs it."""

    @field_validator("wrappers", "made_of", "merge")
    @classmethod
    def _known_collections(cls, said: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        from roster_pipeline.oneroster.rest_json import COLLECTIONS

        known = (*COLLECTIONS, ANY) if info.field_name == "wrappers" else COLLECTIONS
        if unknown := [name for name in said if name not in known]:
            raise ValueError(
                f"no collection is called {', '.join(unknown)}; there are {', '.join(known)}"
            )
        return said

    def names_of(self, collection: str, endpoint: str) -> tuple[str, ...]:
        """What a collection's records may stand under in a page of an endpoint, likeliest first."""
        others = (*self.wrappers.get(collection, ()), *self.wrappers.get(ANY, ()))
        return tuple(dict.fromkeys((collection, endpoint, *others)))


class Accents(Habits):
    """`rest:` in a vendor's profile."""

    host: Text | None = None
    """The one host of all of the vendor's districts."""
    paths: dict[Text, Text] = Field(default_factory=dict)
    """Version → where the collections lie below the host, if not where the standard has them."""
    other_paths: dict[Text, tuple[Text, ...]] = Field(default_factory=dict)
    """Version → where some of the vendor's installations have them. `roster source test` looks
    there when they are not where they should be."""
    token_path: Text | None = None
    """Where tokens are given out below the host."""
    token_url: Address | None = None
    """Where tokens are given out, where that is on another host."""
    sent_in: Literal["basic", "body", "query"] = "basic"
    scopes: dict[Text, tuple[Text, ...]] = Field(default_factory=dict)
    """Version → the scopes to ask for, if not the standard's."""
    login: Annotated[tuple[LoginKind, ...], Field(min_length=1)] = ("oauth2",)
    """The ways to log in that the vendor's servers know, the usual one first."""
    signature: Literal["HMAC-SHA256", "HMAC-SHA1"] | None = None
    """How `oauth1` signs, if not as usual."""
    most_at_once: Annotated[StrictInt, Field(ge=1)] | None = None
    """More requests at a time the vendor forbids."""
    per_minute: Annotated[StrictInt, Field(ge=1)] | None = None
    """More requests a minute the vendor refuses."""

    def path_of(self, version: str) -> str:
        """Where the collections of a version lie below the host."""
        return self.paths.get(version, _PATHS.get(version, ""))

    def elsewhere(self, version: str, base_url: str, app: str | None) -> Iterator[tuple[str, str]]:
        """Other addresses on the same host at which the collections may be, each after its version:
        those of the version asked for first, and of each the vendor's before the standard's."""
        host = base_url.removesuffix(_beyond_the_host(base_url))
        for one in dict.fromkeys((version, *_PATHS)):
            for path in (self.path_of(one), *self.other_paths.get(one, ()), _PATHS[one]):
                url = host + path.replace(APP, app or APP)
                if url != base_url and APP not in url:
                    yield one, url

    def complete(self, rest: Mapping[str, Any]) -> dict[str, Any]:
        """What a district's file says under `rest`, and what it need not say for this vendor.

        Whatever is no sound value stays as it is, for the model to refuse.
        """
        of_rest = {*Habits.model_fields, "per_minute"}
        said = self.model_dump(include=self.model_fields_set & of_rest)
        full = {"version": self.version, **said, **rest}
        full["version"] = version = _as_text(full["version"])
        app = _text_in(full, "app") or APP
        url = _text_in(full, "base_url") or (self.host if "base_url" not in full else None)
        if url is not None:
            if not _beyond_the_host(url):
                url = url.rstrip("/") + self.path_of(str(version))
            full["base_url"] = url.replace(APP, app)
        auth = full.get("auth")
        if isinstance(auth, list):
            full["auth"] = [self._logged_in(each, full, url, app) for each in auth]
        elif auth is not None:
            full["auth"] = self._logged_in(auth, full, url, app)
        return full

    def _logged_in(self, auth: Any, rest: Mapping[str, Any], url: str | None, app: str) -> Any:
        """A login with what this vendor makes of it; `url` is where the collections lie."""
        if not isinstance(auth, Mapping):
            return auth
        oauth2, oauth1 = auth.get("oauth2"), auth.get("oauth1")
        if isinstance(oauth2, Mapping):
            defaults: dict[str, Any] = {"in": self.sent_in, "scopes": self._scopes(rest)}
            if self.token_url is not None:
                defaults["token_url"] = self.token_url.replace(APP, app)
            elif url is not None and self.token_path is not None:
                host = url.removesuffix(_beyond_the_host(url))
                defaults["token_url"] = (host + self.token_path).replace(APP, app)
            return {**auth, "oauth2": {**defaults, **oauth2}}
        if isinstance(oauth1, Mapping) and self.signature is not None:
            return {**auth, "oauth1": {"signature": self.signature, **oauth1}}
        return auth

    def _scopes(self, rest: Mapping[str, Any]) -> tuple[str, ...]:
        version = str(rest["version"])
        return self.scopes.get(version) or _scopes(version, rest)


def _text_in(rest: Mapping[str, Any], key: str) -> str | None:
    value = rest.get(key)
    return value if isinstance(value, str) else None


def _beyond_the_host(url: str) -> str:
    """What of an address follows the host, slashes at its end left out."""
    return "".join(url.rstrip("/").partition("://")[2].partition("/")[1:])


def _scopes(version: str, rest: Mapping[str, Any]) -> tuple[str, ...]:
    if version not in _SCOPES:
        return ()
    wanted = (_CORE, _DEMOGRAPHICS) if rest.get("demographics") is True else (_CORE,)
    return tuple(_SCOPES[version] + scope for scope in wanted)


def _as_editors_see_it(schema: dict[str, Any]) -> None:
    """A vendor's profile may know the address."""
    schema["required"].remove("base_url")


class Delta(Part):
    """`delta:`, asking the server for changes only; what comes is completed into a whole roster."""

    overlap_hours: Annotated[StrictInt, Field(ge=0, le=24 * 31)] = 24
    """How far before the newest change that is known the next question begins; an hour at least,
    whatever is said here."""
    full_every_days: Annotated[StrictInt, Field(ge=1, le=31)] = 7
    """After so many days everything is asked for again."""


class Rest(Habits, HttpConfig):
    """`rest:`, a OneRoster server that the roster is pulled from."""

    model_config = ConfigDict(json_schema_extra=_as_editors_see_it)

    app: Text | None = None
    """What the vendor calls this application or district, where that is part of its addresses."""
    demographics: StrictBool = False
    """Whether to ask for demographics, too; they have a scope of their own."""
    delta: Delta | None = None
    """Asking for changes only, between two times of asking for everything; not done by default."""

    @field_validator("delta")
    @classmethod
    def _can_tell_changes(cls, delta: Delta | None, info: ValidationInfo) -> Delta | None:
        if delta is not None and info.data.get("changes") is False:
            raise ValueError(
                "this vendor's servers do not tell reliably what changed; leave `delta` out"
            )
        if delta is not None and "filter" in info.data.get("parameters", {}):
            raise ValueError("this asks with a filter of its own; leave `parameters.filter` out")
        return delta

    @model_validator(mode="after")
    def _knows_the_app(self) -> Self:
        token_urls = [login.oauth2.token_url for login in self.auth if login.oauth2 is not None]
        if any(APP in url for url in (self.base_url, *token_urls)):
            raise ValueError("`app` is missing: the vendor's addresses have it in them")
        return self

    @property
    def collections(self) -> tuple[str, ...]:
        """The collections to pull, in order."""
        from roster_pipeline.oneroster.rest_json import COLLECTIONS

        return tuple(name for name in COLLECTIONS if self.demographics or name != "demographics")
