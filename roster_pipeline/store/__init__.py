"""What the pipeline remembers: rosters and packages as files, and a ledger of decisions in SQL.

`ledger.Ledger` holds what was landed, judged, held, accepted and delivered, and the leases;
`snapshots.Snapshots` and `landing.Landing` keep the bytes. The values they speak of and the errors
they raise are offered here and need no heavy library.
"""

from roster_pipeline.store.errors import (
    LeaseHeld,
    LeaseLost,
    LedgerUnavailable,
    NoLedger,
    NotDecidable,
    NotStored,
    Refused,
    StoreError,
)
from roster_pipeline.store.records import (
    IGNORE,
    WITHDRAWN,
    Accepted,
    Account,
    AccountState,
    CourseDecision,
    Delivery,
    Hold,
    HoldStatus,
    Landed,
    Origin,
    Outcome,
    Snapshot,
    Sync,
)

__all__ = [
    "IGNORE",
    "WITHDRAWN",
    "Accepted",
    "Account",
    "AccountState",
    "CourseDecision",
    "Delivery",
    "Hold",
    "HoldStatus",
    "Landed",
    "LeaseHeld",
    "LeaseLost",
    "LedgerUnavailable",
    "NoLedger",
    "NotDecidable",
    "NotStored",
    "Origin",
    "Outcome",
    "Refused",
    "Snapshot",
    "StoreError",
    "Sync",
]
