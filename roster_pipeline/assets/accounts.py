"""What a product's provider should have of a source's people, and what it has."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import dagster as dg

from roster_pipeline.accounts.config import AccountSettings
from roster_pipeline.accounts.plan import Kind, Plan
from roster_pipeline.accounts.push import Pushed, push
from roster_pipeline.accounts.survey import require_same_provider, survey
from roster_pipeline.accounts.target import Target
from roster_pipeline.assets.products import product_group, product_key
from roster_pipeline.assets.steps import step
from roster_pipeline.reports.accounts import (
    counts_sentence,
    reasons_markdown,
    without_markdown,
    without_sentences,
)
from roster_pipeline.reports.bars import bar_svg
from roster_pipeline.resources.providers import Providers
from roster_pipeline.resources.sync_run import SyncRun
from roster_pipeline.store import Accepted, Account, Delivery, Outcome, Snapshot
from roster_pipeline.store.snapshots import Snapshots
from roster_pipeline.workspace import Product


@dataclass(frozen=True)
class PlannedAccounts:
    """A handle on a plan: of which roster, and in numbers. The push makes its own, of the same
    roster and of what the provider and the ledger have then."""

    roster: Snapshot
    counts: dict[str, int]
    """Accounts by what is to be done with them."""


@dataclass(frozen=True)
class ProvisionedAccounts:
    """What was done with a product's accounts, in numbers."""

    counts: dict[str, int]
    """Accounts by what was done with them."""
    without: int
    """Accounts that are not as they should be."""


def accounts_plan_key(product: str) -> dg.AssetKey:
    """The asset of a product's plan."""
    return product_key(product, "accounts_plan")


def provisioned_key(product: str) -> dg.AssetKey:
    """The asset of a product's accounts."""
    return product_key(product, "provisioned")


def accounts_plan(
    product: Product, partitions: dg.PartitionsDefinition[str]
) -> dg.AssetsDefinition:
    """The asset that plans the accounts of a product with `accounts:`, for every source."""

    @dg.asset(
        key=accounts_plan_key(product.id),
        description=f"What has to be done so that {product.id} has the accounts that it should.",
        partitions_def=partitions,
        group_name=product_group(product.id),
        output_required=False,
    )
    def accounts_plan(
        sync_run: dg.ResourceParam[SyncRun],
        snapshots: dg.ResourceParam[Snapshots],
        providers: dg.ResourceParam[Providers],
        accepted_roster: Snapshot,
    ) -> Iterator[dg.MaterializeResult[PlannedAccounts]]:
        with step(sync_run, f"Planning accounts of {product.id}"):
            settings, accepted = product.accounts, _current(product, sync_run, accepted_roster)
            if settings is None or accepted is None:
                return
            with providers.open(settings) as target:
                plan = _planned(product, settings, accepted, sync_run, snapshots, target)
            counts = plan.counts()
            yield dg.MaterializeResult(
                value=PlannedAccounts(accepted_roster, counts),
                metadata={
                    **counts,
                    "bar": dg.MetadataValue.md(bar_svg(counts, title="accounts")),
                    "why": dg.MetadataValue.md(reasons_markdown(plan)),
                },
            )

    return accounts_plan


def provisioned(product: Product, partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """The asset that brings the accounts of a product with `accounts:` to what they should be."""

    @dg.asset(
        key=provisioned_key(product.id),
        description=f"The accounts of the source's people at {product.id}, as they should be.",
        ins={"planned": dg.AssetIn(accounts_plan_key(product.id))},
        partitions_def=partitions,
        group_name=product_group(product.id),
        kinds={"scim"},
        output_required=False,
    )
    def provisioned(
        sync_run: dg.ResourceParam[SyncRun],
        snapshots: dg.ResourceParam[Snapshots],
        providers: dg.ResourceParam[Providers],
        planned: PlannedAccounts,
    ) -> Iterator[dg.MaterializeResult[ProvisionedAccounts]]:
        with step(sync_run, f"Provisioning accounts of {product.id}"):
            settings, accepted = product.accounts, _current(product, sync_run, planned.roster)
            if settings is None or accepted is None:
                return
            with providers.open(settings) as target:
                plan = _planned(product, settings, accepted, sync_run, snapshots, target)
                pushed = _pushed(product, settings, plan, accepted, sync_run, target)
            day = _day(sync_run, accepted)
            _confirm(product, settings, pushed, accepted.snapshot, day, sync_run)
            yield dg.MaterializeResult(
                value=ProvisionedAccounts(dict(pushed.counts), pushed.without),
                metadata={
                    **pushed.counts,
                    "bar": dg.MetadataValue.md(bar_svg(pushed.counts, title="accounts")),
                    "not as they should be": dg.MetadataValue.md(
                        without_markdown(pushed.blocked, pushed.declined)
                    ),
                },
            )

    return provisioned


def blocked(product: Product, partitions: dg.PartitionsDefinition[str]) -> dg.AssetChecksDefinition:
    """The check of a product's plan."""

    @dg.asset_check(
        asset=accounts_plan_key(product.id),
        name="blocked",
        description="Nobody is blocked; `roster accounts plan` lists who is, and why.",
        partitions_def=partitions,
    )
    def blocked(planned: PlannedAccounts) -> dg.AssetCheckResult:
        return _warning(planned.counts[Kind.BLOCKED])

    return blocked


def complete(
    product: Product, partitions: dg.PartitionsDefinition[str]
) -> dg.AssetChecksDefinition:
    """The check of a product's accounts."""

    @dg.asset_check(
        asset=provisioned_key(product.id),
        name="complete",
        description="Every account is as it should be.",
        partitions_def=partitions,
    )
    def complete(done: ProvisionedAccounts) -> dg.AssetCheckResult:
        return _warning(done.without)

    return complete


def _warning(accounts: int) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=accounts == 0,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"accounts": accounts},
    )


def _current(product: Product, run: SyncRun, roster: Snapshot) -> Accepted | None:
    """What is accepted, if the product takes the source and that is still this roster."""
    return run.accepted(roster) if product.takes(run.source.id) else None


def _day(run: SyncRun, accepted: Accepted) -> date:
    """The day whose accounts a run brings about: today, whatever date the run is of. Roles begin
    and end by the clock."""
    return max(run.source.date_of(run.now()), accepted.confirmed)


def _planned(
    product: Product,
    settings: AccountSettings,
    accepted: Accepted,
    run: SyncRun,
    snapshots: Snapshots,
    target: Target,
) -> Plan:
    source, ledger = run.source.id, run.ledger
    last = ledger.delivery(product.accounts_receiver, source)
    require_same_provider(settings, last.path if last else None)
    return survey(
        snapshots.open(accepted.snapshot),
        lambda: ledger.accounts(product.id),
        target,
        settings=settings,
        source=source,
        day=_day(run, accepted),
    )


def _pushed(
    product: Product,
    settings: AccountSettings,
    plan: Plan,
    accepted: Accepted,
    run: SyncRun,
    target: Target,
) -> Pushed:
    def remember(these: Sequence[Account], *, forget: Sequence[Account] = ()) -> None:
        run.ledger.record_accounts(these, run.lease, forget=forget)

    run.ledger.check(run.lease)
    pushed = push(
        plan,
        target,
        remember,
        product=product.id,
        source=run.source.id,
        day=_day(run, accepted),
        now=run.now,
        workers=settings.scim.workers,
    )
    did_something = any(pushed.counts[kind] for kind in pushed.counts if kind != Kind.KEEP)
    sentences = without_sentences(product.id, pushed.blocked, pushed.declined)
    if did_something:
        sentences.insert(0, counts_sentence(product.id, pushed.counts))
    run.ends(Outcome.DONE if did_something else Outcome.NOTHING_NEW, *sentences)
    return pushed


def _confirm(
    product: Product,
    settings: AccountSettings,
    pushed: Pushed,
    roster: Snapshot,
    day: date,
    run: SyncRun,
) -> None:
    """Remember that the accounts are those of this roster: a later day need not see to it."""
    this = Delivery(
        product.accounts_receiver,
        run.source.id,
        roster.content_hash,
        roster.content_hash,
        settings.scim.base_url,
        0,
        {"accounts": dict(pushed.counts), "day": str(day)},
        run.now(),
    )
    run.ledger.record_delivery(this, run.lease)
    run.delivered.add(product.accounts_receiver)
