"""The `roster` command: thin. Each command reads its words, calls a room, and shows the answer.

Heavy libraries are imported inside commands, so that `roster --help` answers at once.
"""

from roster_pipeline.cli.app import main

__all__ = ["main"]
