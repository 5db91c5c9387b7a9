"""Takes only what one destination asks for of an accepted roster."""

from pathlib import Path

from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.scoping.config import Scope
from roster_pipeline.oneroster.scoping.scope import Scoped, ScopeError, apply_scope


def scoped(roster: Roster, scope: Scope, into: Path, *, destination: str) -> Scoped:
    """Write to the empty folder `into` what of a roster is inside a destination's scope; where that
    is all of it, it comes back itself, and nothing is written.

    Raises `ScopeError`, which names the destination: a receiver that gets half a roster would take
    the other half for removed.
    """
    try:
        return apply_scope(roster, scope, into)
    except ScopeError as error:
        raise ScopeError(f"destinations/{destination}.yaml: {error}") from None
