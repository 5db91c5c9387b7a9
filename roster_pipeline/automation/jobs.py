"""The things to do: everything, what an approval lets go on, or deliveries alone."""

from typing import Final

import dagster as dg

from roster_pipeline.resources.sync_run import DELIVER

SYNC: Final = "sync"
RESUME: Final = "resume"

# Named here and not imported: assets and automation do not know each other's modules.
_GATE: Final = dg.AssetSelection.assets("accepted_roster")
_GUARD: Final = dg.AssetSelection.checks(dg.AssetCheckKey(dg.AssetKey("changes"), "guard"))


# From the drop to the deliveries.
sync = dg.define_asset_job(
    SYNC,
    dg.AssetSelection.all(),
    description="Land, read, compare, guard, accept and deliver one source on one date.",
    executor_def=dg.in_process_executor,
)

# From the guard's check to the deliveries, with the candidate that was held.
resume = dg.define_asset_job(
    RESUME,
    _GUARD | _GATE | _GATE.downstream(),
    description="Go on with a roster that was held, now that a person has approved it.",
    executor_def=dg.in_process_executor,
)

# What is accepted, once more or at last; `automation.delivering` chooses the destination.
deliver = dg.define_asset_job(
    DELIVER,
    dg.AssetSelection.groups("deliveries"),
    description="Bring what is accepted of one source to its destinations.",
    executor_def=dg.in_process_executor,
)


def delivery_key(destination: str) -> dg.AssetKey:
    """The asset of one destination."""
    return dg.AssetKey(["deliveries", destination])


def delivery_op(destination: str) -> str:
    """How the configuration of a run calls it."""
    return delivery_key(destination).to_python_identifier()
