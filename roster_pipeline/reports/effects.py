"""What findings do to the data, in words."""

from collections.abc import Mapping
from typing import Final

from roster_pipeline.oneroster.findings import Severity

EFFECTS: Final[Mapping[Severity, str]] = {
    Severity.STOP: "stops the package",
    Severity.HOLD: "holds rows back",
    Severity.DROP: "blanks cells",
    Severity.WARN: "changes nothing",
}
"""What each severity does to the data, in words."""

OTHER_EFFECTS: Final[Mapping[tuple[str, Severity], str]] = {
    ("reference.removed", Severity.WARN): "removes rows that refer to rows gone",
}
"""The codes that do something else at a severity than it says."""


def effect(code: str, severity: Severity) -> str:
    """What findings of a code and severity do to the data, in words."""
    return OTHER_EFFECTS.get((code, severity), EFFECTS[severity])


def is_harmless(code: str, severity: Severity) -> bool:
    """Whether findings of a code and severity change nothing."""
    return severity is Severity.WARN and (code, severity) not in OTHER_EFFECTS
