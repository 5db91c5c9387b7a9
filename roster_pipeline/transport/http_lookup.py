"""ClassLink's list of applications: a token for each district that shares its roster.

The districts' tokens change; the key that the list is asked with does not.
"""

from datetime import datetime
from typing import Any, Final, cast
from urllib.parse import unquote

import requests

from roster_pipeline.transport.errors import AuthenticationRefused, TransportError
from roster_pipeline.transport.http_config import Bearer
from roster_pipeline.transport.http_login import (
    Clock,
    CredentialRefused,
    FetchedLogin,
    json_object,
    sound_token,
)
from roster_pipeline.transport.http_status import said
from roster_pipeline.transport.http_wire import Wire

# ClassLink's developer pages, "Obtaining a List of Applications": {"applications": [{"bearer": …,
# "oneroster_application_id": "MoYPlyQWmG0%3D", …}]}. Their example has an object for the list.
_LIST: Final = "applications"
_ID: Final = "oneroster_application_id"
_BEARER: Final = "bearer"


class LookedUpLogin(FetchedLogin):
    """A token that stands in a list, looked up when it is needed and when it is refused."""

    names = "`token`, `from` and `application`"

    def __init__(self, config: Bearer, key: str, wire: Wire, clock: Clock) -> None:
        super().__init__(wire, clock)
        self._url = cast(str, config.looked_up)  # without it there is nothing to look up
        self._application = unquote(cast(str, config.application))
        self._key = key

    def fetched(self) -> tuple[str, datetime | None]:
        place = self._url.partition("?")[0]
        response = self.answer(
            requests.Request(
                "GET", self._url, headers={"Accept": "application/json"}, auth=self._with_key
            ),
            place,
        )
        status = response.status_code
        if status in (requests.codes.unauthorized, requests.codes.forbidden):
            raise CredentialRefused(f"{place} does not take `token` ({said(status)}). Check it.")
        listed = json_object(response).get(_LIST)
        if status != requests.codes.ok or not isinstance(listed, list | dict):
            raise TransportError(f"{place} gives no list of applications. Check `from`.")
        return self._token_in([listed] if isinstance(listed, dict) else listed, place), None

    def _token_in(self, listed: list[Any], place: str) -> str:
        entries = [entry for entry in listed if isinstance(entry, dict)]
        # Some write the id as it stands in addresses, some not.
        ours = [entry for entry in entries if unquote(str(entry.get(_ID))) == self._application]
        token = ours[0].get(_BEARER) if ours else None
        if not isinstance(token, str) or not token:
            raise AuthenticationRefused(
                f"{place} lists no token for `application`. Check the id, and ask the district "
                "whether it shares its roster with you."
            )
        return sound_token(token)

    def _with_key(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request
