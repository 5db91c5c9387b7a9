"""Whether a candidate may be accepted by itself: a table of guards over counts.

Guards see numbers only, never rows, so that a verdict can be kept, shown and logged.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from roster_pipeline.guards import amounts, at_schools, expectations, identity
from roster_pipeline.guards.cumulative import cumulative
from roster_pipeline.guards.facts import Facts
from roster_pipeline.guards.reasons import Reason
from roster_pipeline.guards.settings import GuardSettings


@dataclass(frozen=True)
class Verdict:
    """What the guards say of a candidate."""

    reasons: tuple[Reason, ...]

    @property
    def outcome(self) -> Literal["pass", "hold"]:
        """`hold` if any guard has a reason."""
        return "hold" if self.reasons else "pass"

    def to_json(self) -> list[dict[str, Any]]:
        """The reasons as plain values, in the order of the guards."""
        return [reason.to_json() for reason in self.reasons]


def judge(facts: Facts, settings: GuardSettings) -> Verdict:
    """Ask every guard. Same facts and settings, same verdict."""
    return Verdict(tuple(reason for guard in GUARDS.values() for reason in guard(facts, settings)))


Guard = Callable[[Facts, GuardSettings], Iterator[Reason]]

ACCIDENTS: Final[Mapping[str, Guard]] = {
    "again": identity.again,
    "other_district": identity.other_district,
    "rekeyed": identity.rekeyed,
    "role_flips": identity.role_flips,
    "sign_in": identity.sign_in,
    "moved_school": identity.moved_school,
}
"""What names an accident. It is looked for in all that would happen, whatever may be kept."""

GUARDS: Final[Mapping[str, Guard]] = {
    "first_sync": expectations.first_sync,
    **ACCIDENTS,
    "school_removed": at_schools.school_removed,
    "header_only": amounts.header_only,
    "vanished": amounts.vanished,
    "removed": amounts.removed,
    "nothing_goes": amounts.nothing_goes,
    "withheld": amounts.withheld,
    "deactivated": amounts.deactivated,
    "descoped": amounts.descoped,
    "orphaned": amounts.orphaned,
    "additions": amounts.additions,
    "changes": amounts.changes,
    "school": at_schools.each_school,
    "emptied_classes": at_schools.emptied_classes,
    "cumulative": cumulative,
    "held_back": amounts.held_back,
    "expected": expectations.expected,
    "fill": expectations.fill,
    "last_date": expectations.last_date,
}
"""Every guard by the code of its reasons, in the order in which reasons are given: what names an
accident explains the numbers that follow."""
