"""What the store refuses, each as a sentence for people."""


class StoreError(Exception):
    """Base of everything below; its text says what is wrong and what to do next."""


class LedgerUnavailable(StoreError):  # noqa: N818
    """The ledger's database cannot be opened, read or written now."""


class NoLedger(LedgerUnavailable):
    """There is no ledger yet, and it was not to be made."""


class Refused(StoreError):  # noqa: N818
    """The gate stays shut: this candidate may not become the accepted roster."""

    def __init__(self, reason: str, hold_name: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hold_name = hold_name
        """The hold that stands in the way, if that is why."""


class NotDecidable(StoreError):  # noqa: N818
    """There is no such hold, or it can no longer be decided; or a decision lacks who or why."""


class LeaseHeld(StoreError):  # noqa: N818
    """Somebody else is at work under this lease."""


class LeaseLost(StoreError):  # noqa: N818
    """The lease was taken over since; whoever had it must not write any more."""


class NotStored(StoreError):  # noqa: N818
    """The ledger knows of a file that the store does not have."""
