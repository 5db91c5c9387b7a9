"""What a vendor's server is said to do, in the words of whoever describes servers.

A statement is written from what the vendor and its clients publish, never from our profile: what
both say was then said twice. One YAML file each in `servers/`, named as the profile is.
"""

from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from roster_pipeline.oneroster.rest_json import COLLECTIONS

SERVERS = Path(__file__).parent / "servers"


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Tokens(_Said):
    """OAuth 2: where a token is given out, and to what request."""

    url: str
    secret: Literal["basic", "body"] = "basic"
    """Where the server looks for the client's id and secret."""
    grant: Literal["body", "query"] = "body"
    """Where it looks for `grant_type` and `scope`."""
    scope: bool | str = False
    """Whether it gives no token to a request without the standard's scope of a roster, or without
    this one of its own."""
    expires_in: int | str | None = 3600
    cookie: bool = False
    """Whether it knows a token only together with the cookie that came with it."""


class Signatures(_Said):
    """OAuth 1.0a: every request is signed."""

    method: Literal["HMAC-SHA256", "HMAC-SHA1"] = "HMAC-SHA256"


class Installation(_Said):
    """One way in which the vendor's servers are met."""

    district: dict[str, Any] = Field(default_factory=dict)
    """What our documentation has a district say under `rest`, without its login."""
    credentials: dict[str, Any] = Field(default_factory=dict)
    """What it has a district say of its login, beside id and secret."""
    collections: dict[str, str]
    """Version → where the collections are. The first is what a district has that says nothing."""
    oauth2: Tokens | None = None
    oauth1: Signatures | None = None
    bearer: bool = False
    names: dict[str, str] = Field(default_factory=dict)
    """Collection, or `*` for the rest of them → what its records stand under, where not under its
    name. `students` and `teachers` stand where `users` do."""

    def name_of(self, endpoint: str) -> str:
        """What records stand under in a page of an endpoint."""
        collection = "users" if endpoint in ("students", "teachers") else endpoint
        return self.names.get(collection, self.names.get("*", collection))

    @field_validator("names")
    @classmethod
    def _known_collections(cls, names: dict[str, str]) -> dict[str, str]:
        if unknown := names.keys() - {*COLLECTIONS, "*"}:
            raise ValueError(
                f"no collection is called {', '.join(sorted(unknown))}; there are "
                f"{', '.join(COLLECTIONS)}, and * for all that are not named"
            )
        return names

    @property
    def login(self) -> str:
        """The way to log in."""
        if self.oauth2 is not None:
            return "oauth2"
        return "oauth1" if self.oauth1 is not None else "bearer"

    @model_validator(mode="after")
    def _one_login(self) -> Self:
        if (self.oauth2 is not None) + (self.oauth1 is not None) + self.bearer != 1:
            raise ValueError("say exactly one of oauth2, oauth1 and bearer")
        return self


class Statement(_Said):
    """How a vendor's server behaves. What is not said is as the standard has it, at its worst: no
    headers that the standard does not demand, and fewer records a page than were asked for."""

    installations: tuple[Installation, ...]
    most_asked: int | None = None
    """A `limit` above it is refused."""
    sorts: Literal["yes", "refuses", "fails"] = "yes"
    """What it does when it is asked for an order: 400 or 500 otherwise."""
    totals: bool = False
    """Whether X-Total-Count is sent."""
    links: Literal["none", "next", "only"] = "none"
    """Whether a page names the next one; `only`: and `offset` counts pages, so that there is no
    other way to it."""
    beyond: Literal["empty", "fails"] = "empty"
    """What comes after the last page: one without records, or 500."""
    rounds: bool = False
    """Whether an offset is taken for that of the whole page it lies in."""
    revision: str | None = None
    """A header that changes when the data do."""
    demands: dict[str, str] = Field(default_factory=dict)
    """Parameters without which a request is refused."""
    instead_of_users: bool = False
    """Whether there are `students` and `teachers` and no `users`."""
    people: Literal["once", "once a school"] = "once"
    blanks_in_ids: bool = False
    nulls: bool = False
    """Whether optional properties are null instead of left out."""
    booleans: Literal["text", "real"] = "text"
    dates: Literal["days", "moments"] = "days"
    """Whether dates are said with a time and an offset."""
    more_properties: bool = False
    """Whether records have properties of the vendor's own."""
    tells_changes: bool = True
    """Whether it can be asked what changed, and says what was deleted."""
    side_by_side: int | None = None
    """How many collections the vendor would have pulled at a time."""
    most_at_once: int | None = None
    """More requests at a time it does not want."""
    a_minute: int | None = None
    """More requests a minute it refuses."""


def stated(vendor: str) -> Statement:
    """The statement about a vendor's server."""
    file = SERVERS / f"{vendor}.yaml"
    assert file.is_file(), (
        f"Nothing says how a server of {vendor} behaves, so nothing proves its profile. Write "
        f"tests/conformance/servers/{vendor}.yaml as tests/conformance/README.md says, from what "
        "the vendor publishes and not from the profile."
    )
    return _read(file)


@cache
def _read(file: Path) -> Statement:
    return Statement.model_validate(yaml.safe_load(file.read_text("utf-8")))
