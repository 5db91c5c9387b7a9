"""The graph: Dagster assets and checks, each of which loads, calls one room, and returns.

Nothing here decides anything about data. `spine` makes all of them for one workspace.
"""

from collections.abc import Collection

import dagster as dg

from roster_pipeline.assets.accepted import accepted_roster
from roster_pipeline.assets.accounts import accounts_plan, blocked, complete, provisioned
from roster_pipeline.assets.candidate import candidate_roster
from roster_pipeline.assets.changes import changes, guard
from roster_pipeline.assets.cleared import cleared_drop
from roster_pipeline.assets.courses import course_map, sections, unmapped
from roster_pipeline.assets.credentials import credentials
from roster_pipeline.assets.deliveries import delivery, fit
from roster_pipeline.assets.landed import landed_package
from roster_pipeline.assets.processed import processed
from roster_pipeline.assets.report import sync_report
from roster_pipeline.receivers.config import Destination
from roster_pipeline.workspace import District, Product


def spine(
    partitions: dg.PartitionsDefinition[str],
    sources: Collection[District],
    destinations: Collection[Destination],
    products: Collection[Product],
) -> tuple[list[dg.AssetsDefinition], list[dg.AssetChecksDefinition]]:
    """Every asset and every check of its own step, in the order in which they run."""
    mapped, provided = (
        [product for product in products if getattr(product, part) is not None]
        for part in ("courses", "accounts")
    )
    assets = [
        landed_package(partitions),
        candidate_roster(partitions),
        changes(partitions),
        accepted_roster(partitions),
        *((cleared_drop(partitions),) if any(not one.keeps_drops for one in sources) else ()),
        *(delivery(destination, partitions) for destination in destinations),
        *(make(one, partitions) for one in mapped for make in (course_map, sections)),
        *(make(one, partitions) for one in provided for make in (accounts_plan, provisioned)),
        sync_report(partitions),
    ]
    checks = [
        guard(partitions),
        *(fit(one, partitions) for one in destinations if one.tables is None),
        *(processed(one, partitions) for one in destinations if one.reports is not None),
        *(unmapped(one, partitions) for one in mapped),
        *(make(one, partitions) for one in provided for make in (blocked, complete)),
        *credentials(partitions, sources, products),
    ]
    return assets, checks
