"""The records of a page of JSON, each as the server wrote it, but for its secrets.

A page is parsed once, record by record: a record is kept as the text that it came as, and only one
that has names of secrets is written anew. Where all pages are alike, the names are looked at on the
first ones only (see `json_likeness`).
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from roster_pipeline.sources.json_likeness import Likeness, Likes
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
_ID: Final = "sourcedId"
_SAMPLE: Final = 100
"""So many records of a page say what others are like."""
_SPACES: Final = frozenset(" \t\n\r")


@dataclass(frozen=True)
class Records:
    """Some records of a collection."""

    lines: list[str]
    """Each as JSON, without secrets and line breaks."""
    ids: list[str | None]
    """The sourcedId of each; None for what has none."""
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
        return Records(self.lines[count:], self.ids[count:], rewritten, self.failed)

    def at(self, places: Sequence[int]) -> "Records":
        """Those at these places."""
        changed = {*self.rewritten}
        rewritten = [new for new, place in enumerate(places) if place in changed]
        return Records(
            [self.lines[place] for place in places],
            [self.ids[place] for place in places],
            rewritten,
            self.failed,
        )


class PageReader:
    """Reads the pages of a collection, whose records are in all lists under `names`, as some
    servers keep students and teachers apart, or are the page itself if it is a list.

    `looked_at` are the names under which `look` is shown what each record has, without its secrets;
    an object or list under one of them may be opaque, and says only that there is something.
    """

    def __init__(
        self,
        names: Sequence[str],
        blanker: Blanker,
        look: Callable[[Mapping[str, Any]], None],
        looked_at: Sequence[str] = (),
    ) -> None:
        self._names = names
        self._blanker = blanker
        self._look = look
        self._looked_at = looked_at
        self._likeness = Likeness(blanker.is_harmless)

    def read(self, body: bytes) -> Records | None:
        """The records of a page; None for JSON of any other shape.

        Raises `ValueError` or `RecursionError` for what is no JSON.
        """
        likes = self._likeness.read(body, self._names)
        taking = _Taking(self._blanker, self._see)
        if likes is not None:
            return self._taken(likes, taking)
        text = body.decode(json.detect_encoding(body), "surrogatepass").removeprefix("\ufeff")
        page = _Page(text, taking)
        found = page.records(self._names)
        page.require_end()
        self._learn(taking)
        return found

    def _taken(self, likes: Likes, taking: "_Taking") -> Records:
        lines, ids = likes.lines, [_id(held) for held in likes.column(_ID)]
        if self._looked_at:
            columns = [likes.column(name) for name in self._looked_at]
            for record, *held in zip(likes.records, *columns, strict=True):
                if record is not None:
                    self._look(dict(zip(self._looked_at, held, strict=True)))
        odd = likes.odd
        for place in odd:
            taking.take(lines[place], 0)
        for place, line, sourced_id in zip(odd, taking.lines, taking.ids, strict=True):
            lines[place], ids[place] = line, sourced_id
        self._learn(taking)
        failed = any(_fails(name, held) for name, held in likes.around.items())
        return Records(lines, ids, [odd[place] for place in taking.rewritten], failed)

    def _see(self, record: Mapping[str, Any]) -> None:
        if self._looked_at:
            self._look(record)

    def _learn(self, taking: "_Taking") -> None:
        if self._likeness.learning:
            self._likeness.learn(taking.harmless)


class _Taking:
    """Takes record after record out of a text."""

    def __init__(self, blanker: Blanker, look: Callable[[Mapping[str, Any]], None]) -> None:
        self._blanker = blanker
        self._look = look
        self.decoder: Final = json.JSONDecoder(object_hook=blanker.blank)
        self._scan = self.decoder.scan_once  # type: ignore[attr-defined]  # not in its stubs
        self.lines: list[str] = []
        self.ids: list[str | None] = []
        self.rewritten: list[int] = []
        self.harmless: list[Any] = []
        """Some that have no name of a secret."""

    def take(self, text: str, start: int) -> int:
        """Take the record that begins there: the place after it."""
        blanker = self._blanker
        before, met = blanker.count, blanker.met
        end: int
        try:
            value, end = self._scan(text, start)
        except StopIteration:
            raise ValueError("no value") from None
        line = text[start:end]
        if blanker.count > before:
            self.rewritten.append(len(self.lines))
        # Of a name that stands there twice JSON knows the last only, and the text has both.
        if blanker.met > met or "\n" in line:
            line = json_line(value)
        self.lines.append(line)
        held = value if isinstance(value, dict) else {}
        self.ids.append(_id(held.get(_ID)))
        self._look(held)
        # Objects that are kept cost the garbage collector more than reading them does.
        if blanker.met == met and len(self.harmless) < _SAMPLE:
            self.harmless.append(value)
        return end


class _Page:
    def __init__(self, text: str, taking: _Taking) -> None:
        self._text = text
        self._taking = taking
        self._at = 0

    def records(self, names: Sequence[str]) -> Records | None:
        """What the lists under these names hold, or one under no name that is the whole page."""
        taking = self._taking
        opening = self._next()
        if opening == "[":
            self._list()
            return Records(taking.lines, taking.ids, taking.rewritten)
        if opening != "{":
            self._value()
            return None
        found = failed = False
        for _ in self._items("}"):
            name = self._value()
            self._expect(":")
            if self._next() == "[" and isinstance(name, str) and name in names:
                self._list()
                found = True
            else:
                failed = _fails(name, self._value()) or failed
        return Records(taking.lines, taking.ids, taking.rewritten, failed) if found else None

    def require_end(self) -> None:
        """Raise `ValueError` if anything follows."""
        if self._next():
            raise ValueError("more than one value")

    def _list(self) -> None:
        for _ in self._items("]"):
            self._at = self._taking.take(self._text, self._at)

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
        value, self._at = self._taking.decoder.raw_decode(self._text, self._at)
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


def _id(said: Any) -> str | None:
    """What stands under sourcedId, as text; some servers send numbers."""
    return str(said) if isinstance(said, str | int | float) else None


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
