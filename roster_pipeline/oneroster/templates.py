"""Templates: text with the names of columns in braces, such as `student-{Student ID}`."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

_PIECE: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[^{}]+|[{}]")


@dataclass(frozen=True, slots=True)
class Name:
    """Something in a template that stands for cells."""

    said: str


@cache
def parsed(template: str) -> tuple[str | Name, ...]:
    """The text and the names of a template in their order; adjoining pieces of text are one.

    Raises ValueError, with a sentence, for a brace that is not closed or names nothing.
    """
    pieces: list[str | Name] = []
    for found in _PIECE.finditer(template):
        text = found.group()
        if found.group(1) is not None:
            if not found.group(1).strip():
                raise ValueError("{} names no column; write its name between the braces")
            pieces.append(Name(found.group(1).strip()))
            continue
        if text in ("{", "}"):
            raise ValueError(
                "a brace stands alone; `{Column}` is a cell, and {{ or }} is a brace as it is"
            )
        text = {"{{": "{", "}}": "}"}.get(text, text)
        if pieces and isinstance(pieces[-1], str):
            pieces[-1] += text
        else:
            pieces.append(text)
    return tuple(pieces)


def names_in(template: str) -> tuple[str, ...]:
    """What a template names, each once, in its order."""
    return tuple(dict.fromkeys(piece.said for piece in parsed(template) if isinstance(piece, Name)))
