"""Keeps data out of log records, whoever logs them, before any handler sees them.

A filter on a parent logger would miss what child loggers and Dagster's `context.log` hand straight
to their handlers; the factory that makes every record does not.
"""

import logging
import re
import traceback
from typing import Any, Final

_EMAIL: Final = re.compile(r"[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+\.[^\s@<>\"'(),;:]+")
_URL_PASSWORD: Final = re.compile(r"(://[^\s:/@]*):[^\s/@]*@")


def redact(text: str) -> str:
    """A text without e-mail addresses and without passwords in URLs."""
    return _EMAIL.sub("[e-mail]", _URL_PASSWORD.sub(r"\1:[password]@", text))


def redact_logs() -> None:
    """Make every log record of this process redacted; doing it again changes nothing.

    Of an exception only its kind and the lines of code that it passed are kept: its text may
    repeat what stood in a file.
    """
    if not isinstance(logging.getLogRecordFactory(), _Redacting):
        logging.setLogRecordFactory(_Redacting())


class _Redacting:
    def __init__(self) -> None:
        self._make = logging.getLogRecordFactory()

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record = self._make(*args, **kwargs)
        try:
            text = record.getMessage()
        except (TypeError, ValueError, KeyError):
            text = str(record.msg)
        record.msg, record.args = redact(text), ()
        if record.exc_info and record.exc_info[0] is not None:
            kind, _, trace = record.exc_info
            lines = "".join(traceback.format_tb(trace))
            record.exc_text = f"{lines}{kind.__name__}: [its text is withheld]"
            record.exc_info = None
        return record
