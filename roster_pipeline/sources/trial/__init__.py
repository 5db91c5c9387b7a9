"""Tries a source, step by step from its host's name to what it sends. It changes nothing, keeps
nothing, and says nothing that stands in a record."""

from roster_pipeline.sources.placeholders import NO_FINGERPRINT, PLACEHOLDER
from roster_pipeline.sources.trial.drops import Seen, try_drops
from roster_pipeline.sources.trial.server import try_server
from roster_pipeline.sources.trial.steps import Kind, Step, Went

__all__ = [
    "NO_FINGERPRINT",
    "PLACEHOLDER",
    "Kind",
    "Seen",
    "Step",
    "Went",
    "try_drops",
    "try_server",
]
