"""What is said of credentials that are refused after their noted end."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from roster_pipeline.transport.errors import AuthenticationRefused, Forbidden
from roster_pipeline.transport.http_config import HttpAuth
from tests.transport.conftest import BEARER, Open, Serve, oauth2
from tests.transport.scripted import Answer, json_answer


@pytest.mark.parametrize("said", ["soon", "2027-02-30", "20270630", "30.06.2027", 20270630, ""])
def test_an_end_that_is_no_date_is_refused_in_words(said: object) -> None:
    with pytest.raises(ValidationError, match=r"expires\n.*say a date as YYYY-MM-DD"):
        HttpAuth.model_validate({"bearer": {"token": {"env": "TOKEN"}}, "expires": said})


def test_a_refusal_says_that_the_credentials_have_ended(serve: Serve, open_session: Open) -> None:
    server = serve(lambda _: Answer(401))
    login = {**BEARER, "expires": "2026-08-30"}

    with pytest.raises(AuthenticationRefused) as error:
        open_session(server.url, login).request("GET", "/orgs")

    assert str(error.value) == (
        f"{server.url}/orgs does not take the credentials (401 Unauthorized). Check `token`. "
        "By `expires`, the credentials ended on 2026-08-30: put new ones under `auth`."
    )


def test_of_two_credentials_that_get_no_token_it_is_said_which_have_ended(
    serve: Serve, open_session: Open
) -> None:
    server = serve(lambda _: json_answer({"error": "invalid_client"}, 401))
    logins = [{**oauth2(server.url), "expires": day} for day in ("2026-06-30", "2026-09-30")]

    with pytest.raises(AuthenticationRefused) as error:
        open_session(server.url, logins).log_in()

    assert str(error.value).endswith(
        " By `expires`, the first credential ended on 2026-06-30: put new ones under `auth`."
    )


@pytest.mark.parametrize("login", [{}, {"expires": "2026-08-31"}, {"expires": "2026-09-01"}])
def test_a_refusal_blames_no_date_that_is_not_over_everywhere(
    serve: Serve, open_session: Open, login: dict[str, str], now: list[datetime]
) -> None:
    now[0] = datetime(2026, 9, 1, 11, tzinfo=UTC)
    server = serve(lambda _: Answer(401))

    with pytest.raises(AuthenticationRefused, match=r"Check `token`\.$"):
        open_session(server.url, {**BEARER, **login}).request("GET", "/orgs")


def test_a_missing_permission_is_not_blamed_on_the_date(serve: Serve, open_session: Open) -> None:
    server = serve(lambda _: Answer(403))

    with pytest.raises(Forbidden, match=r"that it needs\.$"):
        open_session(server.url, {**BEARER, "expires": "2026-01-01"}).request("GET", "/orgs")
