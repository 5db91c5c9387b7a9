"""What a status means for whoever asked, and when a server that is busy may be asked again."""

import math
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

import requests

from roster_pipeline.transport.errors import Busy, TransportError

# Too many requests; a gateway without an answer; no service now; a gateway that waited too long.
BUSY: Final = (429, 502, 503, 504)
# Of these it is certain that the request was not carried out.
_NOT_DONE: Final = (429, 503)


class Again(Exception):  # noqa: N818 - it says what to do
    """An attempt failed in a way that another one may mend."""

    def __init__(
        self, error: TransportError, *, wait: float | None = None, done_perhaps: bool = False
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait = wait
        """Seconds that the server asks to be left alone; None where it does not say."""
        self.done_perhaps = done_perhaps
        """Whether the request may have been carried out all the same."""


def refuse_busy(response: requests.Response, place: str, now: datetime) -> None:
    """Raise `Again` for an answer that says that the server cannot answer now."""
    status = response.status_code
    if status in BUSY:
        error = Busy(f"{place} cannot answer now ({said(status)}).")
        wait = retry_after(response.headers.get("Retry-After"), now)
        raise Again(error, wait=wait, done_perhaps=status not in _NOT_DONE)


def said(status: int) -> str:
    """A status as people know it: `404 Not Found`."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def retry_after(value: str | None, now: datetime) -> float | None:
    """The seconds of a Retry-After header, given as seconds or as a date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    try:
        seconds = float(value)
        return max(0.0, seconds) if math.isfinite(seconds) else None
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(value)
        return max(0.0, (at - now).total_seconds())
    except (TypeError, ValueError):  # no date, or one without a zone
        return None
