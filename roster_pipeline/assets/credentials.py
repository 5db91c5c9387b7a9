"""Checks that credentials do not end unnoticed, where somebody noted when they do.

None of them blocks: the date is somebody's note, and the server knows better.
"""

from collections.abc import Iterable, Iterator
from datetime import date

import dagster as dg

from roster_pipeline.assets.accounts import accounts_plan_key
from roster_pipeline.resources.sync_run import SyncRun
from roster_pipeline.transport.http_config import HttpConfig
from roster_pipeline.transport.http_expiry import WARNING_DAYS, expiry
from roster_pipeline.workspace import District, Product

LANDED = dg.AssetKey("landed_package")
NAME = "credentials"
_DESCRIPTION = f"By their `expires`, the credentials are good for more than {WARNING_DAYS} days."


def credentials(
    partitions: dg.PartitionsDefinition[str],
    sources: Iterable[District],
    products: Iterable[Product],
) -> Iterator[dg.AssetChecksDefinition]:
    """The checks of all servers whose credentials have a date: one for sources, and one for each
    product."""
    if any(_is_dated(source.rest) for source in sources):
        yield source_credentials(partitions)
    for product in products:
        if _is_dated(_provider(product)):
            yield product_credentials(product, partitions)


def source_credentials(partitions: dg.PartitionsDefinition[str]) -> dg.AssetChecksDefinition:
    """The check of what a source's server is asked with."""

    @dg.asset_check(asset=LANDED, name=NAME, description=_DESCRIPTION, partitions_def=partitions)
    def judged(sync_run: dg.ResourceParam[SyncRun]) -> dg.AssetCheckResult:
        return _judged(sync_run.source.rest, sync_run.days[1])

    return judged


def product_credentials(
    product: Product, partitions: dg.PartitionsDefinition[str]
) -> dg.AssetChecksDefinition:
    """The check of what a product's provider of accounts is asked with."""

    @dg.asset_check(
        asset=accounts_plan_key(product.id),
        name=NAME,
        description=_DESCRIPTION,
        partitions_def=partitions,
    )
    def judged(sync_run: dg.ResourceParam[SyncRun]) -> dg.AssetCheckResult:
        return _judged(_provider(product), sync_run.days[1])

    return judged


def _provider(product: Product) -> HttpConfig | None:
    return None if product.accounts is None else product.accounts.scim


def _is_dated(server: HttpConfig | None) -> bool:
    return server is not None and any(login.expires is not None for login in server.auth)


def _judged(server: HttpConfig | None, today: date) -> dg.AssetCheckResult:
    ends = None if server is None else expiry(server.auth, today)
    if ends is None:
        return dg.AssetCheckResult(passed=True, description="No date is noted as their end.")
    return dg.AssetCheckResult(
        passed=ends.state == "fine",
        severity=(
            dg.AssetCheckSeverity.ERROR if ends.state == "over" else dg.AssetCheckSeverity.WARN
        ),
        description=ends.sentence(),
        metadata={"expires": str(ends.on), "days left": ends.days},
    )
