"""What the push needs of a provider, whatever it is."""

from collections.abc import Sequence
from typing import Protocol

from roster_pipeline.accounts.fields import Content
from roster_pipeline.accounts.plan import Remote, Wanted


class Declined(Exception):  # noqa: N818 - it is the provider's answer, not a fault
    """The provider does not do what it is asked for one person; `status` is HTTP's."""

    def __init__(self, status: int) -> None:
        super().__init__(f"declined with status {status}")
        self.status = status


class Target(Protocol):
    """The accounts of a product at its provider; may be used by several threads.

    Methods raise `TransportError` where the provider cannot be asked, `Declined` for one person.
    """

    def find(self, wanted: Sequence[Wanted]) -> list[Remote]:
        """Every account with the externalId or the userName of any of these people."""
        ...

    def create(self, content: Content) -> str:
        """Make an active account; comes back with the provider's id of it."""
        ...

    def change(self, remote_id: str, content: Content, *, active: bool | None, clear: bool) -> None:
        """Bring an account to a content; with `clear`, fields without a value are emptied."""
        ...

    def suspend(self, remote_id: str) -> None:
        """Switch an account off."""
        ...


class Rehearsed:
    """A target of which everything is read and nothing changed: for a dry run."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def find(self, wanted: Sequence[Wanted]) -> list[Remote]:
        return self._target.find(wanted)

    def create(self, content: Content) -> str:
        return "not-made"

    def change(self, remote_id: str, content: Content, *, active: bool | None, clear: bool) -> None:
        """Nothing."""

    def suspend(self, remote_id: str) -> None:
        """Nothing."""
