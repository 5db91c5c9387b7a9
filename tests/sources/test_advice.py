"""What is advised when a vendor's server says no."""

import pytest

from roster_pipeline.sources import vendors
from roster_pipeline.sources.advice import advice_for, advised
from roster_pipeline.sources.paging import PullError
from roster_pipeline.transport.errors import AuthenticationRefused, Forbidden, Unreachable

VENDOR = vendors.Vendor(
    title="A vendor",
    advice=vendors.Advice(
        unauthorized="Compare the secret.",
        forbidden="Switch on the right.",
        empty={"*": "Share something.", "users": "Share people."},
        missing="Ask where it is.",
    ),
)


@pytest.mark.parametrize(
    ("error", "collection", "advice"),
    [
        (AuthenticationRefused("no"), None, "Compare the secret."),
        (Forbidden("no"), None, "Switch on the right."),
        (PullError("empty", "none"), "users", "Share people."),
        (PullError("few", "some"), "orgs", "Share something."),
        (PullError("empty", "none"), None, "Share something."),
        (PullError("no_collection", "gone"), "orgs", "Ask where it is."),
        (PullError("repeated", "twice"), "orgs", None),
        (Unreachable("away"), None, None),
    ],
)
def test_each_refusal_has_its_own_advice(
    error: Exception, collection: str | None, advice: str | None
) -> None:
    assert advice_for(VENDOR, error, collection) == advice


def test_an_error_keeps_its_kind_and_gets_the_advice_of_its_collection() -> None:
    with pytest.raises(PullError, match=r"^none\. Share people\.$") as caught, advised(VENDOR):
        raise PullError("empty", "none.", "users")
    assert caught.value.code == "empty"


def test_a_collection_that_is_not_there_leads_to_the_trial_and_then_to_the_vendor() -> None:
    with pytest.raises(PullError) as caught, advised(VENDOR):
        raise PullError("no_collection", "gone.", "orgs")
    assert str(caught.value) == (
        "gone. `roster source test` looks whether it is at another address. Ask where it is."
    )


def test_where_nothing_is_advised_an_error_stays_as_it_is() -> None:
    silent = vendors.Vendor(title="Silent")
    with pytest.raises(Forbidden, match=r"^no$"), advised(silent):
        raise Forbidden("no")
