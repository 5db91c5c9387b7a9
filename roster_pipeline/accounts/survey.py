"""The plan of one source for one product, made from its roster, the ledger and the provider."""

from collections.abc import Callable, Sequence
from datetime import date

from roster_pipeline.accounts.config import AccountSettings
from roster_pipeline.accounts.desired import desired
from roster_pipeline.accounts.plan import Plan, plan, to_look_for
from roster_pipeline.accounts.target import Target
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.store import Account


class MovedError(Exception):
    """The accounts that are ours are at another provider than the one to be asked."""


def require_same_provider(settings: AccountSettings, last: str | None) -> None:
    """Raise `MovedError` unless the accounts were last seen to at the settings' address (`last`),
    or never."""
    now = settings.scim.base_url
    if last not in (None, now):
        raise MovedError(
            f"The accounts that are known were made at {last}, and `base_url` under `scim` is now"
            f" {now}, where their ids may be other people's. Nothing was sent. Put the old address"
            " back, or give the product another `id`: then accounts that are at the new address"
            " are found by their externalId, and the others made."
        )


def survey(
    roster: Roster,
    known: Callable[[], Sequence[Account]],
    target: Target,
    *,
    settings: AccountSettings,
    source: str,
    day: date,
) -> Plan:
    """What has to be done for the people of a source's accepted roster; nothing is written.

    `known` reads the ledger's accounts of the product, of all its sources. The provider is asked
    only for people whose account is not known for certain. Raises `TransportError`.
    """
    people = desired(roster, settings, source, day)
    wanted = to_look_for(people, known(), source)
    found = target.find(wanted) if wanted else ()
    # Read again: what another source made meanwhile was found, and is its own.
    return plan(people, known(), found, settings=settings, source=source, day=day)
