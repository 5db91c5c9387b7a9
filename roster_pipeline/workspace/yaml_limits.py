"""What YAML can be that no file of a workspace is: nested without end, or copied into itself.

A loader follows both with its own stack and memory: a few lines end the process, or never end.
"""

from typing import Any, Final

import yaml

DEEPEST: Final = 50
"""Blocks and lists within each other. What a workspace's files may say needs fewer than ten."""

MOST_COPIED: Final = 100_000
"""Values that aliases (`*name`) stand for, all told."""

_TOO_DEEP: Final = f"more than {DEEPEST} blocks or lists are nested here; no key needs that"
_TOO_MANY: Final = (
    "the aliases (`*name`) up to here stand for more values than a workspace can need; write out "
    "what is meant"
)


def excess(loader: Any) -> tuple[str, int, int] | None:
    """What is too much in the text that a loader has before it, which is used up; and the line and
    column, from 1.

    Raises what PyYAML raises of a text that is no YAML.
    """
    sizes: dict[str, int] = {}
    open_: list[tuple[str | None, int]] = []
    read = copied = 0
    while loader.check_event():
        event = loader.get_event()
        if isinstance(event, yaml.CollectionStartEvent):
            if len(open_) >= DEEPEST:
                return _TOO_DEEP, *_place(event)
            open_.append((event.anchor, read + copied))
            read += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_.pop()
            if anchor is not None:
                sizes[anchor] = read + copied - before
        elif isinstance(event, yaml.AliasEvent):
            # One that points back up to what it stands in is a single value, however often.
            copied += sizes.get(str(event.anchor), 1)
            if copied > MOST_COPIED:
                return _TOO_MANY, *_place(event)
        elif isinstance(event, yaml.ScalarEvent):
            read += 1
    return None


def _place(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1
