"""When records were last modified, by the clock of the server that sends them."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final


def moment(text: Any) -> datetime | None:
    """A dateLastModified in UTC; None for one that is no moment or does not say its offset."""
    try:
        found = datetime.fromisoformat(text)
        return None if found.tzinfo is None else found.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


LOOKED_AT: Final = "dateLastModified"
"""The name under which `Newest` has to be shown what a record has."""


class Newest:
    """The latest dateLastModified of records that it is shown."""

    def __init__(self) -> None:
        self._latest: datetime | None = None
        self._unsaid = False
        self._last: Any = None

    @property
    def text(self) -> str | None:
        """It in ISO 8601; None if there was no record, or one that does not say a moment."""
        return None if self._latest is None or self._unsaid else self._latest.isoformat()

    def look(self, record: Mapping[str, Any]) -> None:
        """Look at a record."""
        said = record.get(LOOKED_AT)
        if said is not None and said == self._last:
            return  # many were loaded at one moment
        self._last = said
        found = moment(said)
        if found is None:
            self._unsaid = True
        elif self._latest is None or found > self._latest:
            self._latest = found

    def beside(
        self, look: Callable[[Mapping[str, Any]], None]
    ) -> Callable[[Mapping[str, Any]], None]:
        """Look at each record as well as another does."""

        def both(record: Mapping[str, Any]) -> None:
            look(record)
            self.look(record)

        return both
