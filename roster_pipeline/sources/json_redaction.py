"""Blanks the secrets in the objects of the REST API and leaves the rest as it is."""

from typing import Any, Final

from roster_pipeline.sources.redaction import is_secret
from roster_pipeline.sources.vendors import Secrets

_CREDENTIALS: Final = "credentials"
# Rostering Binding 1.2 lets credentials hold keys of the vendor's own, which may be anything.
_KNOWN_OF_CREDENTIALS: Final = ("type", "username")


class Blanker:
    """Makes each secret null: what stands under a name that says so, and whatever of a profile's
    credentials is neither type nor user name."""

    def __init__(self, secrets: Secrets) -> None:
        self.count = 0
        """How many values were made null so far."""
        self.met = 0
        """How many objects had a name that says secret, whatever stood under it."""
        self._secrets = secrets
        # A roster has few kinds of objects, each by the thousand: of each kind the names are
        # looked at once.
        self._suspects: dict[tuple[str, ...], tuple[str, ...]] = {}

    def blank(self, found: dict[str, Any]) -> dict[str, Any]:
        """The same object without its secrets; the objects within it have lost theirs already."""
        names = tuple(found)
        suspects = self._suspects.get(names)
        if suspects is None:
            suspects = tuple(name for name in names if self._is_suspect(name))
            self._suspects[names] = suspects
        if not suspects:
            return found
        self.met += 1
        for name in suspects:
            if name.casefold() == _CREDENTIALS and isinstance(found[name], dict | list):
                self._blank_credentials(found[name])
            else:
                self._clear(found, name)
        return found

    def is_harmless(self, name: str) -> bool:
        """Whether a name is none of a secret."""
        return not self._is_suspect(name)

    def _is_suspect(self, name: str) -> bool:
        return name.casefold() == _CREDENTIALS or is_secret(name, self._secrets)

    def _blank_credentials(self, held: dict[str, Any] | list[Any]) -> None:
        credentials = held if isinstance(held, list) else [held]
        for place, credential in enumerate(credentials):
            if not isinstance(credential, dict):
                self._clear(credentials, place)
                continue
            for name, value in credential.items():
                if name not in _KNOWN_OF_CREDENTIALS or isinstance(value, dict | list):
                    self._clear(credential, name)

    def _clear(self, holder: Any, place: str | int) -> None:
        if holder[place] not in (None, "", [], {}):
            holder[place] = None
            self.count += 1
