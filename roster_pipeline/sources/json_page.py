"""The records of a page of JSON, each as the server wrote it, but for its secrets.

A page is parsed once, record by record: a record is kept as the text that it came as, and only one
that has names of secrets is written anew.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from roster_pipeline.sources.json_redaction import Blanker

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_SPACES: Final = frozenset(" \t\n\r")


@dataclass(frozen=True)
class Records:
    """Some records of a collection."""

    lines: list[str]
    """Each as JSON, without secrets and line breaks."""
    blanked: int
    """How many are not as they came."""


def records_in(
    body: bytes, names: Sequence[str], blanker: Blanker, look: Callable[[Any], None]
) -> Records | None:
    """The records of a page: those under the first of `names` that it has as a list, or the page
    itself if it is one; None for JSON of any other shape.

    Each is given to `look` and forgotten: a page of objects at a time costs the garbage collector
    more than reading them does. Raises `ValueError` or `RecursionError` for what is no JSON.
    """
    text = body.decode(json.detect_encoding(body), "surrogatepass").removeprefix("\ufeff")
    page = _Page(text, blanker, look)
    found = page.lists(names)
    page.require_end()
    return next((found[name] for name in ("", *names) if name in found), None)


class _Page:
    def __init__(self, text: str, blanker: Blanker, look: Callable[[Any], None]) -> None:
        self._text = text
        self._one_line = "\n" not in text
        self._blanker = blanker
        self._look = look
        self._decoder = json.JSONDecoder(object_hook=blanker.blank)
        self._at = 0

    def lists(self, names: Sequence[str]) -> dict[str, Records]:
        """The lists under these names, or one under no name that is the whole page."""
        opening = self._next()
        if opening == "[":
            return {"": self._list()}
        found: dict[str, Records] = {}
        if opening != "{":
            self._value()
            return found
        for _ in self._items("}"):
            name = self._value()
            self._expect(":")
            if self._next() == "[" and isinstance(name, str) and name in names:
                found[name] = self._list()
            else:
                self._value()
        return found

    def require_end(self) -> None:
        """Raise `ValueError` if anything follows."""
        if self._next():
            raise ValueError("more than one value")

    def _list(self) -> Records:
        lines, blanked = [], 0
        text, blanker = self._text, self._blanker
        scan = self._decoder.scan_once  # type: ignore[attr-defined]  # not in its stubs
        for _ in self._items("]"):
            start, before, met = self._at, blanker.count, blanker.met
            try:
                value, self._at = scan(text, start)
            except StopIteration:
                raise ValueError("no value") from None
            line = text[start : self._at]
            blanked += blanker.count > before
            # Of a name that stands there twice JSON knows the last only, and the text has both.
            if blanker.met > met or (not self._one_line and "\n" in line):
                line = json_line(value)
            lines.append(line)
            self._look(value)
        return Records(lines, blanked)

    def _items(self, closing: str) -> Iterator[None]:
        """Stop before each item of the list or object that opens here, and after its end."""
        self._at += 1
        if self._next() == closing:
            self._at += 1
            return
        while True:
            self._next()
            yield
            sign = self._next()
            if sign not in (",", closing):
                raise ValueError("neither a comma nor an end")
            self._at += 1
            if sign == closing:
                return

    def _value(self) -> Any:
        value, self._at = self._decoder.raw_decode(self._text, self._at)
        return value

    def _expect(self, sign: str) -> None:
        if self._next() != sign:
            raise ValueError(f"no {sign}")
        self._at += 1

    def _next(self) -> str:
        """The next sign that is no space; empty at the end."""
        sign = self._text[self._at : self._at + 1]
        if sign not in _SPACES:
            return sign
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._text[self._at : self._at + 1]


def json_line(value: Any) -> str:
    """A value as JSON on one line."""
    return _ENCODER.encode(value)
