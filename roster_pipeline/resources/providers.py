"""The providers of products' accounts, opened on demand."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from roster_pipeline.accounts.config import AccountSettings
from roster_pipeline.accounts.target import Rehearsed, Target


class Providers:
    """Opens the accounts that a product's settings name.

    `base` is what relative paths in the workspace's files are relative to, `environ` where secrets
    that are `{env: NAME}` are found.
    """

    def __init__(self, base: Path, environ: Mapping[str, str]) -> None:
        self._base = base
        self._environ = environ

    @contextmanager
    def open(self, settings: AccountSettings) -> Iterator[Target]:
        """The accounts at the provider; nothing is asked yet."""
        from roster_pipeline.accounts.scim import open_target

        with open_target(settings, base=self._base, environ=self._environ) as target:
            yield target


class RehearsedProviders(Providers):
    """For a dry run: everything is read and nothing changed."""

    @contextmanager
    def open(self, settings: AccountSettings) -> Iterator[Target]:
        with super().open(settings) as target:
            yield Rehearsed(target)
