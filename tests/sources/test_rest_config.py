"""What a district's file says of its server, and what its vendor's profile says before."""

from typing import Any

import pytest
from pydantic import ValidationError

from roster_pipeline.sources import vendors
from roster_pipeline.sources.config import Source
from roster_pipeline.sources.rest_config import Rest
from tests.sources.conftest import rest_source, source

SECRET = {"env": "SECRET"}
OAUTH2 = {"client_id": "us", "client_secret": SECRET}
CORE = "https://purl.imsglobal.org/spec/or/v1p{}/scope/roster-core.readonly"
DEMOGRAPHICS = "https://purl.imsglobal.org/spec/or/v1p{}/scope/roster-demographics.readonly"


def district(vendor: str | None = None, **rest: Any) -> Source:
    """A district of a vendor with these keys under `rest`."""
    data: dict[str, Any] = {"id": "x", "name": "X", "timezone": "America/Chicago", "rest": rest}
    return Source.model_validate(data | ({} if vendor is None else {"vendor": vendor}))


def server(vendor: str | None = None, **rest: Any) -> Rest:
    """What its `rest` comes to."""
    made = district(vendor, **rest).rest
    assert made is not None
    return made


def complaint(**keys: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        district(**keys)
    return str(refused.value)


@pytest.mark.parametrize("version", ["1.1", "1.2", 1.1, 1.2])
def test_the_version_says_which_profile_path_and_scope(version: Any) -> None:
    token_url = "https://sis.example/token"
    made = district(
        version=version,
        base_url="https://sis.example/",
        auth={"oauth2": {**OAUTH2, "token_url": token_url}},
    )
    number = str(version)
    assert made.vendor == f"generic-rest-{number}"
    assert made.rest is not None
    assert made.rest.version == number
    assert (
        made.rest.base_url
        == {
            "1.1": "https://sis.example/ims/oneroster/v1p1",
            "1.2": "https://sis.example/ims/oneroster/rostering/v1p2",
        }[number]
    )
    assert made.rest.auth[0].oauth2 is not None
    assert made.rest.auth[0].oauth2.scopes == (CORE.format(number[-1]),)


def test_the_scope_of_demographics_is_asked_for_where_they_are_wanted() -> None:
    auth = {"oauth2": {**OAUTH2, "token_url": "https://sis.example/token"}}
    made = server(base_url="https://sis.example", auth=auth, demographics=True)

    assert made.auth[0].oauth2 is not None
    assert made.auth[0].oauth2.scopes == (CORE.format(2), DEMOGRAPHICS.format(2))
    assert made.collections[-1] == "demographics"


def test_whatever_a_district_says_goes_before_its_vendor() -> None:
    made = server(
        "powerschool",
        base_url="https://ps.example/ws/v1p1/ims/oneroster/v1p1",
        limit=50,
        auth={
            "oauth2": {
                **OAUTH2,
                "in": "body",
                "scopes": ["a"],
                "token_url": "https://accounts.powerschool.com/as/token.oauth2",
            }
        },
    )
    assert made.base_url == "https://ps.example/ws/v1p1/ims/oneroster/v1p1"
    assert made.limit == 50
    assert made.auth[0].oauth2 is not None
    assert made.auth[0].oauth2.token_url == "https://accounts.powerschool.com/as/token.oauth2"
    assert (made.auth[0].oauth2.sent_in, made.auth[0].oauth2.scopes) == ("body", ("a",))


def test_a_powerschool_needs_its_host_only() -> None:
    made = server("powerschool", base_url="https://ps.example:8443", auth={"oauth2": OAUTH2})

    assert made.base_url == "https://ps.example:8443/ims/oneroster/v1p1"
    assert made.auth[0].oauth2 is not None
    assert made.auth[0].oauth2.token_url == "https://ps.example:8443/oauth/access_token"
    assert made.auth[0].oauth2.sent_in == "basic"


def test_an_infinite_campus_needs_its_host_and_app() -> None:
    made = server(
        "infinite-campus", base_url="https://ic.example", app="us", auth={"oauth2": OAUTH2}
    )

    base = "https://ic.example/campus/api/oneroster/v1p2/us/ims/oneroster/rostering/v1p2"
    assert made.base_url == base
    assert made.auth[0].oauth2 is not None
    assert made.auth[0].oauth2.token_url == "https://ic.example/campus/oauth2/token?appName=us"
    said = complaint(
        vendor="infinite-campus", base_url="https://ic.example", auth={"oauth2": OAUTH2}
    )
    assert "`app` is missing" in said


def test_a_classlink_district_needs_its_app_and_token() -> None:
    made = server("classlink", app="a%2Fb", auth={"bearer": {"token": SECRET}})

    assert made.base_url == "https://oneroster-proxy.classlink.io/a%2Fb/ims/oneroster/v1p1"
    assert made.version == "1.1"
    assert made.steady == ("x-perm-rev",)


def test_every_profile_of_a_server_makes_a_source() -> None:
    for name in vendors.known():
        if vendors.load(name).rest is not None:
            made = district(
                name,
                base_url="https://sis.example",
                app="us",
                auth={"oauth2": {**OAUTH2, "token_url": "https://sis.example/t"}},
            )
            assert made.vendor == name


def test_a_vendor_that_also_drops_files_may_have_drops() -> None:
    assert source(vendor="powerschool").transport is not None


def test_a_source_has_drops_or_a_server() -> None:
    rest = {"base_url": "https://sis.example", "auth": {"bearer": {"token": SECRET}}}
    with pytest.raises(ValidationError, match="exactly one of `transport`"):
        source(rest=rest)
    with pytest.raises(ValidationError, match="exactly one of `transport`"):
        source(transport=None)
    with pytest.raises(ValidationError, match="`folder`, `complete`: these are about drops"):
        source(rest=rest, transport=None, folder="x", complete={"quiet_seconds": 1})


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"vendor": "generic-csv"}, "the profile generic-csv knows no servers"),
        ({"vendor": "none"}, "no vendor profile is called 'none'"),
        ({"version": "2.0"}, "1.1"),
        ({"version": ["1.2"]}, "1.1"),
        ({"limit": 0}, "greater than or equal to 1"),
        ({"paging": "cursor"}, "'rows', 'next' or 'total'"),
        ({"wrappers": {"org": ["x"]}}, "no collection is called org; there are orgs"),
        ({"base_url": 7}, "base_url"),
        ({"base_url": "sis.example"}, "not an address"),
        ({"auth": "basic"}, "auth"),
        ({"auth": {"oauth2": "us"}}, "oauth2"),
        ({"auth": {"oauth2": OAUTH2}}, "token_url"),
        ({"app": 7}, "app"),
        ({"extra": 1}, "extra"),
    ],
)
def test_what_a_server_cannot_be_is_refused_and_never_breaks(
    keys: dict[str, Any], sentence: str
) -> None:
    given = {"base_url": "https://sis.example", "auth": {"bearer": {"token": SECRET}}, **keys}
    assert sentence in complaint(**given)


def test_an_address_is_missing_where_the_vendor_has_none() -> None:
    assert "base_url" in complaint(auth={"bearer": {"token": SECRET}})


def test_how_a_server_is_asked_is_a_setting() -> None:
    made = rest_source(
        "https://sis.example/v", timeout=5.0, attempts=2, per_minute=100, ca_file="ca.pem"
    ).rest
    assert made is not None
    assert (made.timeout, made.attempts, made.per_minute, made.ca_file) == (5.0, 2, 100, "ca.pem")


def test_editors_are_told_of_every_key_of_a_server() -> None:
    schema = Source.model_json_schema()["$defs"]["Rest"]

    assert set(schema["required"]) == {"auth"}
    assert {"base_url", "app", "paging", "wrappers", "demographics"} <= set(schema["properties"])


def test_more_at_once_than_a_vendor_allows_is_refused() -> None:
    keys = {"base_url": "https://sis.example", "app": "x", "auth": {"oauth2": OAUTH2}}

    assert server("infinite-campus", at_once=5, **keys).at_once == 5
    with pytest.raises(ValidationError, match=r"more than this vendor allows; say 5 or fewer"):
        server("infinite-campus", at_once=6, **keys)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"changes": False}, "do not tell reliably what changed; leave `delta` out"),
        ({"parameters": {"filter": "status='active'"}}, "leave `parameters.filter` out"),
    ],
)
def test_changes_are_not_asked_for_where_no_server_can_tell_them(
    keys: dict[str, object], said: str
) -> None:
    assert rest_source("https://sis.example", delta={}).rest
    with pytest.raises(ValidationError, match=said):
        rest_source("https://sis.example", delta={}, **keys)
