"""The YAML of an address and of a login by HTTP."""

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
