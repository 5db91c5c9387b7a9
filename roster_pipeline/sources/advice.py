"""What to do in a vendor's system when its server says no."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from roster_pipeline.sources.landing import LandingError
from roster_pipeline.sources.vendors import Vendor
from roster_pipeline.transport.errors import AuthenticationRefused, Forbidden, TransportError

ANY: Final = "*"
"""Stands for any collection."""

NOT_HERE: Final = ("no_collection", "no_list")
"""What `PullError.code` says where the collections may be at another address."""
_TRIAL: Final = "`roster source test` looks whether it is at another address."


def advice_for(vendor: Vendor, error: Exception, collection: str | None = None) -> str | None:
    """What the vendor's profile advises after an error of its server; None where nothing fits.

    `collection` is what was asked for, where it was one.
    """
    advice = vendor.advice
    match error:
        case Forbidden():
            return advice.forbidden
        case AuthenticationRefused():
            return advice.unauthorized
        case LandingError(code="empty" | "few"):
            return when_empty(vendor, collection)
        case LandingError(code=code) if code in NOT_HERE:
            return advice.missing
        case _:
            return None


def when_empty(vendor: Vendor, collection: str | None) -> str | None:
    """What to switch on where a collection has no records."""
    empty = vendor.advice.empty
    return empty.get(collection or ANY, empty.get(ANY))


@contextmanager
def advised(vendor: Vendor) -> Iterator[None]:
    """Add the vendor's advice to errors of its server."""
    try:
        yield
    except (LandingError, TransportError) as error:
        advice = advice_for(vendor, error, getattr(error, "collection", None))
        trial = _TRIAL if getattr(error, "code", None) in NOT_HERE else None
        if said := [sentence for sentence in (trial, advice) if sentence]:
            error.args = (" ".join((str(error), *said)),)
        raise
