"""The plan of one source for one product, made from its roster, the ledger and the provider."""

from collections.abc import Sequence
from datetime import date

from roster_pipeline.accounts.config import AccountSettings
from roster_pipeline.accounts.desired import desired
from roster_pipeline.accounts.plan import Plan, plan, to_look_for
from roster_pipeline.accounts.target import Target
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.store import Account


def survey(
    roster: Roster,
    known: Sequence[Account],
    target: Target,
    *,
    settings: AccountSettings,
    source: str,
    day: date,
) -> Plan:
    """What has to be done for the people of a source's accepted roster; nothing is written.

    `known` are the ledger's accounts of the product, of all its sources. The provider is asked
    only for people whose account is not known for certain. Raises `TransportError`.
    """
    people = desired(roster, settings, source, day)
    wanted = to_look_for(people, known, source)
    found = target.find(wanted) if wanted else ()
    return plan(people, known, found, settings=settings, source=source, day=day)
