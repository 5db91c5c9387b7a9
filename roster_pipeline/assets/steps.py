"""What every asset and check does alike: say what it does, and fail in safe words."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import dagster as dg

from roster_pipeline.oneroster.scoping.scope import ScopeError
from roster_pipeline.resources.errors import is_transient, place, sentence
from roster_pipeline.resources.sync_run import SyncRun
from roster_pipeline.sources.landing import LandingError
from roster_pipeline.store import LeaseHeld, Outcome
from roster_pipeline.tables.archive import ArchiveError
from roster_pipeline.tables.csv_blocks import CsvError

# The input is at fault, not the way it came or what was done with it.
_UNUSABLE: Final = (LandingError, ScopeError, ArchiveError, CsvError)


@contextmanager
def step(run: SyncRun, what: str, *, of: str | None = None) -> Iterator[None]:
    """One step of a run; `what` it does is told to whoever watches.

    The run's first step takes the source's lease. Any error becomes a `Failure` whose text is
    safe, and the run has failed. Where several steps may fail alike, `of` names the one that this
    is about: an error that does not name it says `what` failed first.
    """
    run.watch.on_step(what)
    try:
        run.take_lease()
        yield
    except dg.Failure:
        raise
    except Exception as error:
        said = sentence(error)
        if of is not None and not re.search(rf"(?<![\w-]){re.escape(of)}(?![\w-])", said):
            said = f"{what}: {said}"
        # Whoever is turned away at the door has no news of the source: the one inside has.
        if not isinstance(error, LeaseHeld):
            run.ends(Outcome.STOPPED if isinstance(error, _UNUSABLE) else Outcome.FAILED, said)
        raise dg.Failure(
            said, metadata={"where": place(error)}, allow_retries=is_transient(error)
        ) from None
