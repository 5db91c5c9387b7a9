"""Guards that know an accident by its name: a roster that is not what it seems to be.

No window loosens them, and none is about rows that go: keeping these would not help.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from roster_pipeline.guards.facts import NO_MOVES, STUDENTS, Facts, Share
from roster_pipeline.guards.reasons import Excess, Reason, exceeded
from roster_pipeline.guards.settings import GuardSettings, Limit
from roster_pipeline.oneroster.entities import ENTITIES

_FEWEST: Final = 20
"""With fewer users than these, a share of those who are still there says little."""


@dataclass(frozen=True)
class Mixed:
    """People who stay, and to whom something happens that is no work of a day."""

    key: str
    """As in `Shift.shares`."""
    code: str
    """Of the guard over one day."""
    what: str
    """An entity or a kind of people."""
    called: str
    """What the sentence is about."""
    share: Share
    limit: Limit
    """Of one day."""
    fate: str
    noun: str

    def exceeds(self, share: Share, limit: Limit, when: str = "") -> Iterator[Excess]:
        """Whether it happens to too many."""
        yield from exceeded(
            self.what,
            self.code,
            share.affected,
            share.of,
            limit,
            f"{self.fate}{when}",
            noun=self.noun,
        )


def mixed(facts: Facts, settings: GuardSettings) -> Iterator[Mixed]:
    """All that is measured by those who stay, on one day as over several."""
    yield Mixed(
        "role_flips",
        "role_flips",
        "users",
        "users",
        facts.role_flips,
        settings.role_flips,
        "who stay would turn from students into teachers or staff, or back, or into administrators",
        "people",
    )
    for column in sorted(facts.sign_in):
        yield Mixed(
            f"sign_in.{column}",
            "sign_in",
            "users",
            f"users.{column}",
            facts.sign_in[column],
            settings.sign_in,
            "who stay would get another value or none",
            "users",
        )
    yield Mixed(
        "moved_school",
        "moved_school",
        STUDENTS,
        STUDENTS,
        facts.moved_school,
        settings.moved_school,
        "who stay would be at another school",
        STUDENTS,
    )


def again(facts: Facts, _: GuardSettings) -> Iterator[Reason]:
    """An old file delivered once more would take back every day since."""
    if facts.again is not None:
        yield Reason(
            "again",
            None,
            f"this is word for word the roster accepted for {facts.again}, which has been "
            "replaced since; approve it only to go back to that day on purpose",
        )


def other_district(facts: Facts, settings: GuardSettings) -> Iterator[Reason]:
    """Hardly anybody is known. Where they come again under other ids, `rekeyed` says so."""
    for entity in ("orgs", "users"):
        if not _is_of_another_district(entity, facts, settings):
            continue
        known, of = _known(entity, facts)
        # Cut, not rounded: 49.96 % must not read as the 50 % that it is not.
        percent = int(1000 * known / of) / 10
        yield Reason(
            "other_district",
            entity,
            f"{entity}: {known:,} of {of:,} rows ({percent:g} %) are still there, fewer than "
            f"{settings.overlap:g} %, and most of those sent are new; "
            "this looks like another district's file",
            {"known": known, "of": of, "percent": percent, "min_percent": settings.overlap},
        )


def rekeyed(facts: Facts, settings: GuardSettings) -> Iterator[Reason]:
    """The same people and classes under other ids: every account would be made anew."""
    fate = "would go while others like them come under another sourcedId"
    for entity in ENTITIES:
        share = facts.rekeyed.get(entity, Share())
        if _is_of_another_district(entity, facts, settings):
            continue
        for excess in exceeded(entity, "rekeyed", share.affected, share.of, settings.rekeyed, fate):
            yield excess.reason("rekeyed")


def role_flips(facts: Facts, settings: GuardSettings) -> Iterator[Reason]:
    """Students with a teacher's rights are the worst of all mix-ups."""
    yield from _of_one_day("role_flips", facts, settings)


def sign_in(facts: Facts, settings: GuardSettings) -> Iterator[Reason]:
    """Who gets another username or address is locked out, or meets an account of somebody else;
    who gets another name or number has somebody else's account."""
    yield from _of_one_day("sign_in", facts, settings)


def moved_school(facts: Facts, settings: GuardSettings) -> Iterator[Reason]:
    """Schools exchanged by a broken lookup."""
    yield from _of_one_day("moved_school", facts, settings)


def _of_one_day(code: str, facts: Facts, settings: GuardSettings) -> Iterator[Reason]:
    for of in mixed(facts, settings):
        if of.code == code:
            yield from (found.reason(code, of.called) for found in of.exceeds(of.share, of.limit))


def _is_of_another_district(entity: str, facts: Facts, settings: GuardSettings) -> bool:
    """Whether too few rows accepted before are still there, among too many that are not known.

    A file cut short has lost rows too, yet it knows nearly all that it has.
    """
    if facts.base is None or facts.base.get("users", 0) < _FEWEST:
        return False
    if entity not in ("orgs", "users"):
        return False
    known, of = _known(entity, facts)
    sent = facts.counts.get(entity, 0)
    if not sent or known * 100 >= settings.overlap * min(of, sent):
        return False
    return not any(_mostly_rekeyed(kind, facts, settings) for kind in (entity, "users"))


def _known(entity: str, facts: Facts) -> tuple[int, int]:
    """How many accepted rows are still there, of those that the scope has not left out."""
    moves = facts.shift.entities.get(entity, NO_MOVES)
    of = (facts.base or {}).get(entity, 0) - moves.descoped
    return of - moves.removed - moves.ended, of


def _mostly_rekeyed(entity: str, facts: Facts, settings: GuardSettings) -> bool:
    share = facts.rekeyed.get(entity, Share())
    removed = facts.shift.entities.get(entity, NO_MOVES).removed
    return settings.rekeyed.passed_by(share.affected, share.of) and share.affected * 2 > removed
