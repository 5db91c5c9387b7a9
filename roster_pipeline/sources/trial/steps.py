"""The steps of a trial: each is taken after the others went well, and says how it went."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from roster_pipeline.sources.landing import LandingError
from roster_pipeline.transport.errors import Forbidden, TransportError

T = TypeVar("T")


class Kind(StrEnum):
    """What a step tries."""

    SETTINGS = "settings"
    NAME = "name"
    CONNECTION = "connection"
    TLS = "tls"
    PORT = "port"
    HOST_KEY = "host key"
    LOGIN = "login"
    COLLECTION = "collection"
    PAGE = "page"
    FOLDER = "folder"
    DROP = "newest drop"
    PACKAGE = "package"
    EXPECTATIONS = "expectations"


class Went(StrEnum):
    """How a step went."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Step:
    """One step and how it went."""

    kind: Kind
    about: str
    """A host, a collection or a folder; empty where the kind says it all."""
    went: Went
    sentence: str
    advice: str | None = None
    """What to do in the vendor's system."""


class Wrong(Exception):  # noqa: N818 - it is what a step found, not a fault of the program
    """A step found something wrong. Its text is a sentence for people."""

    def __init__(self, sentence: str, advice: str | None = None, *, of_all: bool = False) -> None:
        super().__init__(sentence)
        self.advice = advice
        self.of_all = of_all
        """Whether it is as wrong for the steps that follow."""


Advise = Callable[[Exception], str | None]
_FAILURES: Final = (Wrong, TransportError, LandingError)


class Trial:
    """Takes steps and remembers how they went. `on_step` is told what is tried next."""

    def __init__(self, on_step: Callable[[str], None], advise: Advise) -> None:
        self.steps: list[Step] = []
        self._on_step = on_step
        self._advise = advise
        self.stopped = False
        """Whether a step failed without which the next ones make no sense."""

    def take(
        self, kind: Kind, about: str, do: Callable[[], tuple[str, T]], *, stops: bool = True
    ) -> T | None:
        """What a step gives besides its sentence; None where it failed or was not taken.

        With `stops`, no other step is taken after it failed.
        """
        if self.stopped:
            self.skip(kind, about, "not tried, as a step before it failed")
            return None
        self._on_step(f"{kind} {about}".rstrip())
        try:
            sentence, value = do()
        except _FAILURES as error:
            advice = error.advice if isinstance(error, Wrong) else self._advise(error)
            self.steps.append(Step(kind, about, Went.FAILED, str(error), advice))
            self.stopped = stops or not _is_about_one(error)
            return None
        self.steps.append(Step(kind, about, Went.OK, sentence))
        return value

    def tell(self, what: str) -> None:
        """Say what is being tried now."""
        self._on_step(what)

    def skip(self, kind: Kind, about: str, sentence: str) -> None:
        """Say of a step why it was not taken."""
        self.steps.append(Step(kind, about, Went.SKIPPED, sentence))

    @property
    def failed(self) -> bool:
        """Whether any step failed."""
        return any(step.went is Went.FAILED for step in self.steps)


def _is_about_one(error: Exception) -> bool:
    """Whether an error is about one thing that was asked for, so that others may be well."""
    if isinstance(error, Wrong):
        return not error.of_all
    return isinstance(error, LandingError | Forbidden)
