"""Physical lines of a CSV stream: where they end and what characters their bytes are."""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np


class CsvError(Exception):
    """A CSV file that cannot be read at all. The message names no file and no cell."""

    def __init__(self, code: str, message: str, line: int | None = None) -> None:
        super().__init__(message if line is None else f"Line {line}: {message}")
        self.code = code
        self.line = line


_FEED, _RETURN = b"\n\r"
_CHUNK: Final = 1 << 18
_LINE_END: Final = re.compile(rb"\r\n|\n|\r")


def last_end(data: bytes) -> int:
    """The offset after the last line end in `data`, or 0 if there is none.

    A carriage return as the very last byte is not counted: a line feed may follow.
    """
    feed = data.rfind(b"\n") + 1
    carriage = data.rfind(b"\r", feed, len(data) - 1) + 1
    return carriage or feed


def next_end(data: bytes, start: int) -> int:
    """The offset after the first line end at or after `start`, or the length of `data`."""
    found = _LINE_END.search(data, start)
    return found.end() if found else len(data)


def body_end(data: bytes, end: int) -> int:
    """The offset of the line end of the line that goes up to `end`; `end` if it has none."""
    if data.endswith(b"\r\n", 0, end):
        return end - 2
    return end - 1 if data.endswith((b"\n", b"\r"), 0, end) else end


def split_lines(data: bytes) -> list[bytes]:
    """The lines, each with its end. Lines end in LF, CRLF or CR, in quotes or not."""
    return data.splitlines(keepends=True)


@dataclass(frozen=True, slots=True)
class LineEnds:
    """How many of each line end some bytes hold."""

    feeds: int
    """LF alone."""
    both: int
    """CRLF."""
    returns: int
    """CR alone."""
    open: int
    """1 if the last line has no end."""

    @classmethod
    def of(cls, data: bytes) -> "LineEnds":
        """Count them, some that fit the processor's cache at a time: bytes.count takes four times
        as long on short lines, and so do arrays as long as a block."""
        text = np.frombuffer(data, dtype=np.uint8)
        feeds = returns = both = 0
        has_returns = b"\r" in data
        for start in range(0, len(text), _CHUNK):
            piece = text[start : start + _CHUNK + 1]
            feed = piece == _FEED
            feeds += int(np.count_nonzero(feed[:_CHUNK]))
            if has_returns:
                carriage = piece[:_CHUNK] == _RETURN
                returns += int(np.count_nonzero(carriage))
                both += int(np.count_nonzero(carriage[: len(feed) - 1] & feed[1:]))
        unended = bool(data) and not data.endswith((b"\n", b"\r"))
        return cls(feeds - both, both, returns - both, int(unended))

    @property
    def lines(self) -> int:
        """How many lines; one without an end counts."""
        return self.feeds + self.both + self.returns + self.open

    @property
    def kinds(self) -> set[str]:
        """Which of LF, CRLF and CR there are."""
        found = {"\n": self.feeds, "\r\n": self.both, "\r": self.returns}
        return {end for end, count in found.items() if count}


def decode_line(line: bytes, number: int) -> tuple[str, bool]:
    """The text of a line, and whether it had to be read as cp1252.

    By rule, not by guess: UTF-8 if it is valid UTF-8, else cp1252. Deciding line by line makes
    the text independent of where blocks are cut, and one stray byte spoils no other name.
    """
    try:
        return line.decode(), False
    except UnicodeDecodeError:
        pass
    try:
        return line.decode("cp1252"), True
    except UnicodeDecodeError:
        raise CsvError(
            "unreadable_encoding",
            "this is neither UTF-8 nor Windows-1252 text. Export the file again as UTF-8.",
            number,
        ) from None


def refuse_nul(data: bytes, first_line: int) -> None:
    """Raise CsvError if there is a NUL, which no text has and no database takes."""
    place = data.find(b"\0")
    if place >= 0:
        raise CsvError(
            "unreadable_encoding",
            "there is a zero byte in the text, as in UTF-16 or a damaged file. "
            "Export the file again as UTF-8.",
            first_line + max(0, LineEnds.of(data[: place + 1]).lines - 1),
        )
