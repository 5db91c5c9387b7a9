"""Blanks the secrets in a record of the REST API and leaves the rest as it is."""

from functools import cache
from typing import Any, Final

from roster_pipeline.sources.redaction import is_secret
from roster_pipeline.sources.vendors import Secrets

_CREDENTIALS: Final = "credentials"
# Rostering Binding 1.2 lets credentials hold keys of the vendor's own, which may be anything.
_KNOWN_OF_CREDENTIALS: Final = ("type", "username")


def blank_secrets(record: Any, secrets: Secrets) -> bool:
    """Make each secret in a record null, however deep it stands; whether there was any.

    A secret is what stands under a name that says so, and whatever of a profile's credentials is
    neither type nor user name.
    """
    if isinstance(record, list):
        found = [blank_secrets(item, secrets) for item in record]
        return any(found)
    if not isinstance(record, dict):
        return False
    changed = False
    for name, value in record.items():
        if not value and value != 0:
            continue
        if _says_secret(name, secrets):
            record[name] = None
            changed = True
        elif isinstance(value, (dict, list)):
            if name.casefold() == _CREDENTIALS:
                changed |= _blank_credentials(value)
            changed |= blank_secrets(value, secrets)
    return changed


def _blank_credentials(value: Any) -> bool:
    changed = False
    for credential in value if isinstance(value, list) else [value]:
        if not isinstance(credential, dict):
            continue
        for name, held in credential.items():
            if name not in _KNOWN_OF_CREDENTIALS and held is not None:
                credential[name] = None
                changed = True
    return changed


# A roster has few different names, and each stands in every record.
@cache
def _says_secret(name: str, secrets: Secrets) -> bool:
    return is_secret(name, secrets)
