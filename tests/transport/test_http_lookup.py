"""A token that stands in ClassLink's list of applications."""

from collections.abc import Callable
from typing import Any

import pytest

from roster_pipeline.transport.errors import AuthenticationRefused, TransportError
from tests.transport.conftest import SECRET, Open, Serve
from tests.transport.scripted import Answer, Asked, json_answer

OURS = {"oneroster_application_id": "MoYPlyQWmG0%3D", "bearer": "one"}
OTHERS = {"oneroster_application_id": "XXXX%3D", "bearer": "other", "tenant_name": "planted"}


def bearer(url: str, application: str = "MoYPlyQWmG0%3D") -> dict[str, Any]:
    listed = f"{url}/applications"
    return {"bearer": {"token": {"env": "SECRET"}, "from": listed, "application": application}}


def proxy(applications: Any, *, takes: str = "one") -> Callable[[Asked], Answer]:
    """A proxy that lists applications to the key, and takes one token."""

    def answer(asked: Asked) -> Answer:
        token = asked.headers["Authorization"].removeprefix("Bearer ")
        if asked.path == "/applications":
            return json_answer({"applications": applications}) if token == SECRET else Answer(401)
        return Answer(200 if token == takes else 401)

    return answer


@pytest.mark.parametrize("application", ["MoYPlyQWmG0%3D", "MoYPlyQWmG0="])
@pytest.mark.parametrize("listed", [[OTHERS, OURS], OURS, [None, {"bearer": "x"}, OURS]])
def test_the_districts_token_is_looked_up_once(
    serve: Serve, open_session: Open, listed: Any, application: str
) -> None:
    server = serve(proxy(listed))
    session = open_session(server.url, bearer(server.url, application))

    for _ in range(2):
        assert session.request("GET", "/orgs").status_code == 200
    assert server.paths() == ["/applications", "/orgs", "/orgs"]


def test_a_refused_token_is_looked_up_anew(serve: Serve, open_session: Open) -> None:
    listed = {**OURS}
    server = serve(proxy([listed], takes="two"))
    session = open_session(server.url, bearer(server.url))
    with pytest.raises(AuthenticationRefused, match="Check `token`, `from` and `application`"):
        session.request("GET", "/orgs")
    server.asked.clear()
    listed["bearer"] = "two"

    assert session.request("GET", "/orgs").status_code == 200
    assert server.paths() == ["/orgs", "/applications", "/orgs"]


@pytest.mark.parametrize(
    ("answer", "kind", "sentence"),
    [
        (Answer(401), AuthenticationRefused, "does not take `token`"),
        (Answer(403), AuthenticationRefused, "does not take `token`"),
        (Answer(404), TransportError, "gives no list of applications"),
        (json_answer({"applications": None}), TransportError, "gives no list of applications"),
        (json_answer({"applications": []}), AuthenticationRefused, "lists no token"),
        (json_answer({"applications": [OTHERS]}), AuthenticationRefused, "lists no token"),
        (
            json_answer({"applications": [{**OURS, "bearer": None}]}),
            AuthenticationRefused,
            "lists no token",
        ),
    ],
)
def test_a_list_without_the_token_says_what_to_check(
    serve: Serve,
    open_session: Open,
    answer: Answer,
    kind: type[TransportError],
    sentence: str,
) -> None:
    server = serve(lambda _: answer)

    with pytest.raises(kind, match=sentence) as error:
        open_session(server.url, bearer(server.url)).request("GET", "/orgs")
    assert "planted" not in str(error.value)
    assert server.paths() == ["/applications"]
