"""How somebody writes dates, such as `M/D/YYYY`, and the days that are written so."""

import re
from datetime import date
from typing import Final

_PARTS: Final = {
    "YYYY": r"(?P<year>[0-9]{4})",
    "MMM": r"(?P<name>[A-Za-z]{3})",
    "MM": r"(?P<month>[0-9]{2})",
    "M": r"(?P<month>[0-9]{1,2})",
    "DD": r"(?P<day>[0-9]{2})",
    "D": r"(?P<day>[0-9]{1,2})",
}
_LETTERS: Final = re.compile(r"Y+|M+|D+|[^YMD]")
_MONTHS: Final = (
    *("jan", "feb", "mar", "apr", "may", "jun"),
    *("jul", "aug", "sep", "oct", "nov", "dec"),
)
# A day that a database or a spreadsheet wrote as a moment.
_MIDNIGHT: Final = r"(?:[ T]0?0:00(?::00(?:\.0+)?)?| 12:00(?::00)? ?[Aa][Mm])?"


class DateForm:
    """One way to write a date. Raises ValueError, with a sentence, for what is none.

    M and D stand for one or two digits, MM and DD for two, MMM for the English short name of a
    month, YYYY for the year.
    """

    def __init__(self, written: str) -> None:
        self.written = written
        parts = _LETTERS.findall(written.upper())
        self.order = "".join(part[0] for part in parts if part[0] in "YMD")
        """The letters in their order, each once."""
        if "YY" in parts:
            raise ValueError(f"{written}: two digits do not say the century; say YYYY")
        signs = [part for part in parts if part not in _PARTS]
        if sorted(self.order) != ["D", "M", "Y"] or any(sign.isalnum() for sign in signs):
            raise ValueError(
                f"{written} is no way to write a date; say M, D and YYYY with what stands between"
                " them, such as M/D/YYYY, DD.MM.YYYY, YYYYMMDD or D-MMM-YYYY"
            )
        if len(signs) < 2 and {"M", "D"} & set(parts):
            raise ValueError(f"{written}: where nothing stands between, say MM and DD")
        self._pattern = re.compile(
            "".join(_PARTS.get(part) or re.escape(part) for part in parts) + _MIDNIGHT
        )
        self.between = tuple(signs)
        """What stands between them."""

    def day(self, text: str) -> str | None:
        """The day that a text is in this form, as `YYYY-MM-DD`; None where it is none. A midnight
        behind it is passed over."""
        found = self._pattern.fullmatch(text)
        if found is None:
            return None
        parts = found.groupdict()
        try:
            name = parts.get("name")
            month = _MONTHS.index(name.lower()) + 1 if name else int(parts["month"])
            return date(int(parts["year"]), month, int(parts["day"])).isoformat()
        except ValueError:
            return None


def contradict(one: DateForm, other: DateForm) -> bool:
    """Whether there is a text that is one day in one form and another day in the other."""
    if one.between != other.between or one.order == other.order:
        return False
    if any("MMM" in form.written.upper() for form in (one, other)):
        return False
    return not one.between or one.order.index("Y") == other.order.index("Y")
