"""The YAML of an address and of a login by HTTP."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from roster_pipeline.transport.http_config import HttpAuth, HttpConfig

SECRET = {"env": "SECRET"}
OAUTH2 = {"client_id": "us", "client_secret": SECRET, "token_url": "https://sis.example/token"}


def config(base_url: str, **auth: Any) -> HttpConfig:
    given = {"base_url": base_url, "auth": auth or {"bearer": {"token": SECRET}}}
    return HttpConfig.model_validate(given)


def complaint(base_url: str = "https://sis.example", **auth: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        config(base_url, **auth)
    return str(refused.value)


def test_an_address_loses_the_slash_at_its_end() -> None:
    assert config("https://sis.example/v1p2/").base_url == "https://sis.example/v1p2"


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000"])
def test_this_machine_may_be_asked_without_encryption(host: str) -> None:
    assert config(f"http://{host}/x").base_url == f"http://{host}/x"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://sis.example", "https:// is needed"),
        ("sis.example/v1p2", "not an address"),
        ("ftp://sis.example", "not an address"),
        ("https://", "not an address"),
        ("https://sis.example:x", "not an address"),
        ("https://sis .example", "not an address"),
        ("https://us:pw@sis.example", "holds no user, password"),
        ("https://sis.example/v1p2?a=1", "leave out `\\?`"),
    ],
)
def test_an_address_that_cannot_work_is_refused(url: str, sentence: str) -> None:
    said = complaint(url)
    assert sentence.replace("\\", "") in said
    assert "pw" not in said.replace("password", "")


def test_exactly_one_way_to_log_in_is_given() -> None:
    assert "exactly one of oauth2, oauth1, bearer" in complaint(
        oauth2=OAUTH2, bearer={"token": SECRET}
    )
    with pytest.raises(ValidationError, match="exactly one"):
        HttpAuth.model_validate({})


def test_how_the_token_request_is_sent_is_a_setting() -> None:
    assert HttpAuth.model_validate({"oauth2": OAUTH2}).oauth2.sent_in == "basic"  # type: ignore[union-attr]
    given = HttpAuth.model_validate({"oauth2": {**OAUTH2, "in": "body"}})
    assert given.oauth2 is not None
    assert given.oauth2.sent_in == "body"
    assert "in" in complaint(oauth2={**OAUTH2, "in": "header"})


def test_a_secret_written_where_a_reference_belongs_is_refused_and_not_repeated() -> None:
    said = complaint(oauth2={**OAUTH2, "client_secret": "planted-s3cret"})
    assert "write where the secret is kept" in said
    assert "planted" not in said


def test_an_id_may_be_text_or_a_reference() -> None:
    for given in ("us", {"env": "ID"}):
        assert config("https://sis.example", oauth2={**OAUTH2, "client_id": given})


def test_one_login_or_two_are_given_and_become_a_list() -> None:
    token = {"bearer": {"token": SECRET}}
    for given in (token, [token], [token, {"oauth2": OAUTH2}]):
        made = HttpConfig.model_validate({"base_url": "https://sis.example", "auth": given})
        assert len(made.auth) == (len(given) if isinstance(given, list) else 1)
    for wrong in ([], [token] * 3):
        with pytest.raises(ValidationError, match="give one login, or a list of two"):
            HttpConfig.model_validate({"base_url": "https://sis.example", "auth": wrong})


IDS = ("client_id", "client_key", "consumer_key", "application_id", "key")
SECRETS = ("client_secret", "consumer_secret", "application_secret", "secret")


@pytest.mark.parametrize("name", IDS)
@pytest.mark.parametrize("secret", SECRETS)
def test_id_and_secret_go_by_the_names_that_districts_know(name: str, secret: str) -> None:
    both = {name: "us", secret: SECRET}
    token_url = OAUTH2["token_url"]
    made = config("https://sis.example", oauth2={**both, "token_url": token_url}).auth[0].oauth2
    signed = config("https://sis.example", oauth1=both).auth[0].oauth1
    assert made is not None
    assert signed is not None
    assert made.client_id == signed.consumer_key == "us"
    assert made.client_secret.env == signed.consumer_secret.env == "SECRET"


@pytest.mark.parametrize("name", ["token", "access_token", "key"])
def test_a_token_goes_by_several_names(name: str) -> None:
    made = config("https://sis.example", bearer={name: SECRET}).auth[0].bearer
    assert made is not None
    assert made.token.env == "SECRET"


def test_two_names_for_one_thing_are_refused() -> None:
    said = complaint(oauth2={**OAUTH2, "consumer_secret": SECRET})
    assert "`client_secret` and `consumer_secret` are names for one thing; leave one" in said
    assert "`token` and `key` are names" in complaint(bearer={"token": SECRET, "key": SECRET})


def test_a_list_of_tokens_and_whose_of_them_go_together() -> None:
    listed = {"token": SECRET, "from": "https://proxy.example/applications"}
    made = config("https://sis.example", bearer={**listed, "application": "a%3D"}).auth[0].bearer
    assert made is not None
    assert made.looked_up == "https://proxy.example/applications"
    for half in (listed, {"token": SECRET, "application": "a%3D"}):
        assert "`from` and `application` go together" in complaint(bearer=half)


def test_the_day_on_which_credentials_end_is_a_date() -> None:
    for given in (date(2027, 6, 30), "2027-06-30"):
        made = HttpAuth.model_validate({"bearer": {"token": SECRET}, "expires": given})
        assert made.expires == date(2027, 6, 30)
    with pytest.raises(ValidationError, match="expires"):
        HttpAuth.model_validate({"bearer": {"token": SECRET}, "expires": 20270630})


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("X Key", "not the name of a header"),
        ("", "not the name of a header"),
        ("Authorization", "say how to log in under `auth`"),
        ("host", "is written for you"),
    ],
)
def test_a_header_that_is_none_or_ours_is_refused(name: str, sentence: str) -> None:
    given = {"base_url": "https://sis.example", "auth": {"bearer": {"token": SECRET}}}
    with pytest.raises(ValidationError, match=sentence):
        HttpConfig.model_validate({**given, "headers": {name: "x"}})
    with pytest.raises(ValidationError, match="given twice"):
        HttpConfig.model_validate({**given, "headers": {"X-Key": "x", "x-key": SECRET}})


def test_editors_know_every_name_and_that_one_of_them_is_given() -> None:
    schema = HttpConfig.model_json_schema()
    bearer = schema["$defs"]["Bearer"]
    names = ["token", "access_token", "key"]
    assert {*names, "from", "application"} == set(bearer["properties"])
    assert bearer["required"] == []
    assert bearer["allOf"] == [{"oneOf": [{"required": [name]} for name in names]}]

    oauth2 = schema["$defs"]["OAuth2"]
    assert {*IDS, *SECRETS, "token_url", "scopes", "in"} == set(oauth2["properties"])
    assert oauth2["required"] == ["token_url"]


def test_editors_take_one_login_or_a_list_of_two() -> None:
    one, several = HttpConfig.model_json_schema()["properties"]["auth"]["anyOf"]
    assert one == several["items"] == {"$ref": "#/$defs/HttpAuth"}
    assert (several["type"], several["minItems"], several["maxItems"]) == ("array", 1, 2)
