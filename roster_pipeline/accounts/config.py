"""The YAML under `accounts:` of a product.

accounts:
  identity:
    user_name: email
    claims:
      - {role: student, user_name: "{username}@students.springfield.example"}
  roles: {teacher: teacher, student: learner, administrator: manager, guardian: none}
  fields: [givenName, familyName, email, role]
  suspend: {after_days: 0, limit_percent: 50}
  scim:
    base_url: https://app.example/scim/v2
    auth: {bearer: {token: {env: APP_SCIM_TOKEN}}}
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal, Self

from pydantic import (
    Field,
    StrictBool,
    StrictInt,
    field_validator,
    model_validator,
)

from roster_pipeline.accounts.fields import FIELDS
from roster_pipeline.accounts.patterns import Pattern
from roster_pipeline.fields import Identifier, Part, Text
from roster_pipeline.transport.http_config import HttpConfig

NO_ACCOUNT: Final = "none"
"""The product role of a role that gives no account."""

LATER: Final[Mapping[str, str]] = {
    "accounts.groups": "groups for classes and schools",
    "accounts.delete": "deleting accounts",
    "accounts.aliases": "a person who changed the sourcedId",
}
"""Keys that are planned, by their path in a product's file, and what each will do."""


class Claim(Part):
    """What some people sign in by: those of one source, of one role, or both."""

    source: Identifier | None = None
    role: Text | None = None
    """A role of the table `roles`."""
    user_name: Pattern

    def rank(self, source: str, role: str) -> int | None:
        """How closely this claim fits a person; None where it is not for them."""
        if self.source not in (None, source) or self.role not in (None, role):
            return None
        return 2 * (self.source is not None) + (self.role is not None)


class Identity(Part):
    """By what a person is known at the provider."""

    user_name: Pattern = Field(default="{email}", validate_default=True)
    """What they sign in by: the SSO claim that the provider calls userName."""
    external_id: Pattern = Field(default="{source}:{sourcedId}", validate_default=True)
    """Our id for them at the provider."""
    claims: tuple[Claim, ...] = ()
    """Other userNames, for one source, one role, or one role of one source; the closest counts."""

    @field_validator("claims")
    @classmethod
    def _one_each(cls, claims: tuple[Claim, ...]) -> tuple[Claim, ...]:
        seen: set[tuple[str | None, str | None]] = set()
        for claim in claims:
            whom = (claim.source, claim.role)
            if whom == (None, None):
                raise ValueError("a claim needs a source or a role; for all it is `user_name`")
            if whom in seen:
                raise ValueError("two claims are for the same source and role")
            seen.add(whom)
        return claims

    def pattern(self, source: str, role: str) -> str:
        """The userName of a role in a source."""
        ranked = [(claim.rank(source, role), claim.user_name) for claim in self.claims]
        fitting = [(rank, name) for rank, name in ranked if rank is not None]
        return max(fitting)[1] if fitting else self.user_name


class Suspension(Part):
    """When the account of somebody who left is suspended. None is ever deleted."""

    after_days: Annotated[StrictInt, Field(ge=0, le=3650)] = 0
    """How many days after a person was last entitled to it."""
    disabled_users: StrictBool = True
    """Whether `enabledUser: false` takes the account away, as leaving does."""
    limit_percent: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 50.0
    """More than this share of a source's active accounts is never suspended in one run …"""
    limit_floor: Annotated[StrictInt, Field(ge=0)] = 10
    """… if it is at least this many."""

    def limit_passed_by(self, leaving: int, active: int) -> bool:
        """Whether suspending `leaving` of `active` accounts is too much."""
        return leaving >= max(self.limit_floor, 1) and leaving * 100 > self.limit_percent * active


class Scim(HttpConfig):
    """The SCIM 2.0 service provider; `base_url` is the address in front of `/Users`."""

    concurrency: Annotated[StrictInt, Field(ge=1, le=32)] = 4
    """How many requests may be under way at once; with `per_minute`, one."""

    @property
    def workers(self) -> int:
        """How many requests are under way at once."""
        return 1 if self.per_minute is not None else self.concurrency

    @field_validator("base_url")
    @classmethod
    def _is_the_root(cls, address: str) -> str:
        if address.casefold().endswith("/users"):
            raise ValueError("say the address without /Users at its end")
        return address


class AccountSettings(Part):
    """Who gets an account at a product, what is sent of them, and where to."""

    identity: Identity = Field(default_factory=Identity)
    roles: dict[Text, Text]
    """OneRoster role → the product's role; `none`, and a role left out, gives no account. Of
    several roles of a person the one that stands first here counts."""
    fields: tuple[Text, ...] = ("givenName", "familyName", "role")
    """What is sent of a person beside userName and externalId; nothing else leaves the house."""
    adopt: Literal["unclaimed", "any", "never"] = "unclaimed"
    """Which account with a person's userName is taken over: one without an externalId, any, or
    none. One with the person's externalId is always theirs."""
    suspend: Suspension = Field(default_factory=Suspension)
    scim: Scim

    @field_validator("roles")
    @classmethod
    def _known_roles(cls, roles: dict[str, str]) -> dict[str, str]:
        from roster_pipeline.oneroster.entities import USER_ROLES_1P1, columns, is_word

        role = next(column for column in columns("roles") if column.name == "role")
        words = dict.fromkeys((*role.words, *USER_ROLES_1P1))
        for word in roles:
            if word not in words and not is_word(word, words=role.words, extensible=True):
                raise ValueError(f"no role is called {word}; the roles are {', '.join(words)}")
        if not any(product_role != NO_ACCOUNT for product_role in roles.values()):
            raise ValueError("no role gives an account; say one such as {student: student}")
        return roles

    @field_validator("fields")
    @classmethod
    def _known_fields(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in FIELDS:
                raise ValueError(f"{name} cannot be sent; what can: {', '.join(FIELDS)}")
        if len(set(names)) < len(names):
            raise ValueError("a field is named twice")
        return names

    @model_validator(mode="after")
    def _claims_have_roles(self) -> Self:
        for claim in self.identity.claims:
            if claim.role is not None and self.roles.get(claim.role, NO_ACCOUNT) == NO_ACCOUNT:
                raise ValueError(
                    f"a claim is for the role {claim.role}, which gives no account; add it to"
                    " `roles` or remove the claim"
                )
        return self
