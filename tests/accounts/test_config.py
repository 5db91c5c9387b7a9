"""What may be said under `accounts:`, and what is said of it when it cannot be."""

from typing import Any

import pytest
from pydantic import ValidationError

from roster_pipeline.accounts.config import AccountSettings
from tests.accounts.world import settings


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"roles": {"pupil": "x"}}, "no role is called pupil"),
        ({"roles": {"parent": "none"}}, "no role gives an account"),
        ({"fields": ["password"]}, "password cannot be sent"),
        ({"fields": ["phone"]}, "phone cannot be sent"),
        ({"fields": ["email", "email"]}, "named twice"),
        ({"identity": {"user_name": "password"}}, "no column 'password'|name at least one column"),
        ({"identity": {"user_name": "{password}"}}, "no column 'password'"),
        ({"identity": {"user_name": "{emial}"}}, "no column 'emial'"),
        ({"identity": {"user_name": "{email"}}, "brace is not closed"),
        ({"identity": {"user_name": "same@for.all"}}, "everybody would be the same"),
        ({"identity": {"external_id": "{source}"}}, "everybody would be the same"),
        ({"identity": {"claims": [{"user_name": "email"}]}}, "a claim needs a source or a role"),
        (
            {"identity": {"claims": [{"role": "student", "user_name": "email"}] * 2}},
            "same source and role",
        ),
        (
            {"identity": {"claims": [{"role": "parent", "user_name": "email"}]}},
            "gives no account",
        ),
        ({"suspend": {"limit_percent": 101}}, "less than or equal to 100"),
        ({"suspend": {"after_days": -1}}, "greater than or equal to 0"),
        ({"adopt": "all"}, "'unclaimed', 'any' or 'never'"),
        ({"scim": {"base_url": "http://app.example/scim"}}, "https:// is needed"),
        ({"scim": {"base_url": "https://app.example/scim/Users"}}, "without /Users"),
        ({"scim": {"concurrency": 0}}, "greater than or equal to 1"),
        ({"scim": {"auth": {"bearer": {"token": "s3cret"}}}}, "never the secret itself"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_sentence(
    said: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence) as refused:
        settings(**said)
    assert "s3cret" not in str(refused.value)


def test_roles_of_both_versions_may_be_said() -> None:
    assert settings(roles={"administrator": "boss", "ext:nurse": "staff", "student": "s"})


def test_every_default_is_the_careful_one() -> None:
    chosen = AccountSettings.model_validate(
        {
            "roles": {"student": "learner"},
            "scim": {
                "base_url": "https://app.example/scim/v2",
                "auth": {"bearer": {"token": {"env": "T"}}},
            },
        }
    )
    assert chosen.identity.user_name == "{email}"
    assert chosen.identity.external_id == "{source}:{sourcedId}"
    assert "email" not in chosen.fields
    assert chosen.adopt == "unclaimed"
    assert (chosen.suspend.after_days, chosen.suspend.limit_percent) == (0, 50)


def test_the_closest_claim_is_the_one_that_counts() -> None:
    identity = settings(
        identity={
            "claims": [
                {"role": "student", "user_name": "{username}"},
                {"source": "north", "user_name": "{identifier}"},
                {"source": "north", "role": "student", "user_name": "{userIds.LDAP}"},
            ]
        }
    ).identity
    assert identity.pattern("south", "teacher") == "{email}"
    assert identity.pattern("south", "student") == "{username}"
    assert identity.pattern("north", "teacher") == "{identifier}"
    assert identity.pattern("north", "student") == "{userIds.LDAP}"


def test_with_a_rate_limit_one_request_is_under_way_at_a_time() -> None:
    assert settings(scim={"per_minute": 60}).scim.workers == 1
    assert settings(scim={"concurrency": 7}).scim.workers == 7
