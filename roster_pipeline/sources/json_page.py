"""The records of a page of JSON, each as the server wrote it, but for its secrets.

A page is parsed once, record by record: a record is kept as the text that it came as, and only one
that has names of secrets is written anew.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from roster_pipeline.sources.json_redaction import Blanker

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_STATUS: Final = ("imsx_StatusInfo", "statusInfoSet", "imsx_statusInfo")
_SAYS: Final = ("imsx_codeMajor", "imsx_codeMinor")
_FAILED: Final = (
    "failure",
    "unsupported",
    "server_busy",
    "internal_server_error",
    "forbidden",
    "unauthorisedrequest",
)
_SPACES: Final = frozenset(" \t\n\r")


@dataclass(frozen=True)
class Records:
    """Some records of a collection."""

    lines: list[str]
    """Each as JSON, without secrets and line breaks."""
    rewritten: list[int] = field(default_factory=list)
    """Which are not as they came, in their order."""
    failed: bool = False
    """Whether the server says on the same page that it failed."""

    @property
    def blanked(self) -> int:
        """How many are not as they came."""
        return len(self.rewritten)

    def after(self, count: int) -> "Records":
        """All but so many at the beginning."""
        rewritten = [place - count for place in self.rewritten if place >= count]
        return Records(self.lines[count:], rewritten, self.failed)

    def at(self, places: Sequence[int]) -> "Records":
        """Those at these places."""
        changed = {*self.rewritten}
        rewritten = [new for new, place in enumerate(places) if place in changed]
        return Records([self.lines[place] for place in places], rewritten, self.failed)


def records_in(
    body: bytes, names: Sequence[str], blanker: Blanker, look: Callable[[Any], None]
) -> Records | None:
    """The records of a page: those of all lists under `names`, as some servers keep students and
    teachers apart, or the page itself if it is a list; None for JSON of any other shape.

    Each is given to `look` and forgotten: a page of objects at a time costs the garbage collector
    more than reading them does. Raises `ValueError` or `RecursionError` for what is no JSON.
    """
    text = body.decode(json.detect_encoding(body), "surrogatepass").removeprefix("\ufeff")
    page = _Page(text, blanker, look)
    found = page.records(names)
    page.require_end()
    return found


class _Page:
    def __init__(self, text: str, blanker: Blanker, look: Callable[[Any], None]) -> None:
        self._text = text
        self._one_line = "\n" not in text
        self._blanker = blanker
        self._look = look
        self._decoder = json.JSONDecoder(object_hook=blanker.blank)
        self._at = 0

    def records(self, names: Sequence[str]) -> Records | None:
        """What the lists under these names hold, or one under no name that is the whole page."""
        lines: list[str] = []
        rewritten: list[int] = []
        opening = self._next()
        if opening == "[":
            self._list(lines, rewritten)
            return Records(lines, rewritten)
        if opening != "{":
            self._value()
            return None
        found = failed = False
        for _ in self._items("}"):
            name = self._value()
            self._expect(":")
            if self._next() == "[" and isinstance(name, str) and name in names:
                self._list(lines, rewritten)
                found = True
            else:
                failed = _fails(name, self._value()) or failed
        return Records(lines, rewritten, failed) if found else None

    def require_end(self) -> None:
        """Raise `ValueError` if anything follows."""
        if self._next():
            raise ValueError("more than one value")

    def _list(self, lines: list[str], rewritten: list[int]) -> None:
        text, blanker = self._text, self._blanker
        scan = self._decoder.scan_once  # type: ignore[attr-defined]  # not in its stubs
        for _ in self._items("]"):
            start, before, met = self._at, blanker.count, blanker.met
            try:
                value, self._at = scan(text, start)
            except StopIteration:
                raise ValueError("no value") from None
            line = text[start : self._at]
            if blanker.count > before:
                rewritten.append(len(lines))
            # Of a name that stands there twice JSON knows the last only, and the text has both.
            if blanker.met > met or (not self._one_line and "\n" in line):
                line = json_line(value)
            lines.append(line)
            self._look(value)

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


def _fails(name: Any, value: Any) -> bool:
    """Whether this says of a whole page that the server failed: the standard's word for it, flat,
    in an `imsx_StatusInfo` or in a list of them."""
    if isinstance(value, list):
        return any(_fails(name, each) for each in value)
    if name in _STATUS and isinstance(value, dict):
        return any(_fails(inner, held) for inner, held in value.items())
    return name in _SAYS and isinstance(value, str) and value.strip().lower() in _FAILED


def json_line(value: Any) -> str:
    """A value as JSON on one line."""
    return _ENCODER.encode(value)
