"""What the guards look at: numbers, dates and the names of schools, never a person's cell."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from typing import Any, Final

STUDENTS: Final = "students"
TEACHERS: Final = "teachers"
STAFF: Final = "staff"
RELATIVES: Final = "relatives"
PEOPLE: Final = (STUDENTS, TEACHERS, STAFF, RELATIVES)
"""Kinds of people: who has a role of that kind at a school. Somebody may be of two."""
AT_SCHOOL: Final = (*PEOPLE, "classes", "enrollments")
"""What is counted school by school."""


_SIGN_IN: Final = "sign_in."
SOON: Final = 30
"""Days within which an end that has come forward is as good as one today."""


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    affected: int = 0
    of: int = 0


@dataclass(frozen=True)
class Moves:
    """Rows (or people) of one kind: how many there were, and what would become of them."""

    was: int = 0
    """How many the accepted roster has."""
    added: int = 0
    changed: int = 0
    removed: int = 0
    """Gone, and neither ended nor descoped. An enrollment that says another person, class or role
    is one removed and one added."""
    ended: int = 0
    """Gone after they were over by their own dates, which is no removal."""
    descoped: int = 0
    """Gone because the source's scope leaves them out now."""
    deactivated: int = 0
    """Still there, and disabled, no longer in force, or to end within `SOON` days and before the
    time that was said: among those changed, and courses, classes and enrollments also of which no
    cell is another, but the end of the sessions that they hang on."""
    reactivated: int = 0
    """Among those changed: in force or enabled again."""

    @property
    def now(self) -> int:
        """How many the candidate has."""
        return self.was + self.added - self.removed - self.ended - self.descoped

    def __add__(self, other: "Moves") -> "Moves":
        """Both together; `was` is the first's, so that days add up to what there was at first."""
        sums = {
            part.name: getattr(self, part.name) + getattr(other, part.name)
            for part in fields(self)
            if part.name != "was"
        }
        return Moves(was=self.was, **sums)

    def to_json(self) -> dict[str, int]:
        """The numbers that are not 0."""
        return {name: number for name, number in asdict(self).items() if number}


NO_MOVES: Final = Moves()


@dataclass(frozen=True, kw_only=True)
class Shift:
    """What differs between two rosters, counted. What is left out of a mapping did not move."""

    entities: Mapping[str, Moves] = field(default_factory=dict)
    """By entity."""
    people: Mapping[str, Moves] = field(default_factory=dict)
    """By kind of people (`PEOPLE`), in the whole district; each person once a kind."""
    schools: Mapping[str, Mapping[str, Moves]] = field(default_factory=dict)
    """By sourcedId of a school, then by what is counted there (`AT_SCHOOL`)."""
    shares: Mapping[str, Share] = field(default_factory=dict)
    """What else is added up over days: `role_flips`, `moved_school`, `sign_in.` with a column."""
    school_names: Mapping[str, str] = field(default_factory=dict)
    """What the schools of `schools` and `schools_removed` are called."""

    def to_json(self) -> dict[str, Any]:
        """This shift as plain values, names left out: what the ledger keeps."""
        return {
            "entities": _plain(self.entities),
            "people": _plain(self.people),
            "schools": {school: _plain(of) for school, of in self.schools.items() if _plain(of)},
            "shares": {name: asdict(of) for name, of in self.shares.items() if of.affected},
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Shift":
        """A shift as `to_json` gave it; keys that are not there stand for nothing."""
        return cls(
            entities=_moves(kept.get("entities", {})),
            people=_moves(kept.get("people", {})),
            schools={school: _moves(of) for school, of in kept.get("schools", {}).items()},
            shares={name: Share(**of) for name, of in kept.get("shares", {}).items()},
        )


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the guards judge a candidate by. A mapping is by entity unless it says else; what is
    left out counts as 0."""

    counts: Mapping[str, int]
    """Rows of the candidate, last good rows that stand in for held ones included."""
    base: Mapping[str, int] | None
    """Rows of the accepted roster; None where nothing was ever accepted."""
    shift: Shift = field(default_factory=Shift)
    """What differs from the accepted roster."""
    past: Mapping[int, Shift] = field(default_factory=dict)
    """By number of days: what was accepted in that time without a person's word, today's shift
    left out. `was` is what there was before the first of them."""
    held: Mapping[str, int] = field(default_factory=dict)
    """Rows of the package that quality holds back."""
    orphaned: Mapping[str, int] = field(default_factory=dict)
    """Rows of the package that would go with a row that they refer to and that is gone."""
    read: Mapping[str, int] = field(default_factory=dict)
    """Rows of the package, good or not; an entity left out counts as its `counts`."""
    header_only: tuple[str, ...] = ()
    """Entities whose file has a header and no rows, and which would be empty."""
    expect: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """The fewest and the most rows that the source is expected to have."""
    expect_people: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """By kind of people: the fewest and the most that the source is expected to have."""
    expect_fill: Mapping[str, float] = field(default_factory=dict)
    """By `entity.column`: of how many rows in a hundred the cell is expected to be filled."""
    filled: Mapping[str, int] = field(default_factory=dict)
    """By `entity.column`: how many rows of the candidate have the cell filled."""
    expect_last: Mapping[str, int] = field(default_factory=dict)
    """By `entity.column`: at least how many days after the date of the sync its latest date is
    expected to lie; negative for days before."""
    last: Mapping[str, int] = field(default_factory=dict)
    """By `entity.column`: how many days after the date of the sync the latest date of the
    candidate lies; one left out has no date."""
    schools_removed: Mapping[str, int] = field(default_factory=dict)
    """By sourcedId of a school that would go: how many students and teachers it has."""
    emptied_classes: Share = Share()
    """Classes still sent that would lose more than half of at least five students at once, of all
    classes with at least five. Students whose enrollments ended, or who come into any class that
    day, do not count as lost."""
    rekeyed: Mapping[str, Share] = field(default_factory=dict)
    """Rows that would go while their like (`oneroster.likeness`) comes under another sourcedId, of
    all rows accepted."""
    clashes: int = 0
    """Users who would go while somebody who is added or changed takes their username, e-mail or
    userMasterIdentifier, which is what these did not have before: with the old rows kept, two
    people would sign in by one name."""
    closed_until: date | None = None
    """The last day of a window in which nothing goes, on a day in it."""
    withheld: Mapping[str, int] = field(default_factory=dict)
    """Rows that the accepted roster has because their removal was not let through."""
    again: date | None = None
    """The date of an earlier accepted roster that the candidate is word for word, and that has been
    replaced since."""

    @property
    def role_flips(self) -> Share:
        """Students who would be teachers or staff as well or instead, teachers and staff who would
        be students instead, and people who would be administrators and were something less, of all
        people who stay."""
        return self.shift.shares.get("role_flips", Share())

    @property
    def moved_school(self) -> Share:
        """Students who would be at another school, of all students who stay."""
        return self.shift.shares.get("moved_school", Share())

    @property
    def sign_in(self) -> dict[str, Share]:
        """By column of users that people sign in by (`username`, `email`, `userMasterIdentifier`),
        or that says who they are (`identifier`, `givenName`, `familyName`): who would have another
        value or none in place of one that they have, of all who stay."""
        shares = self.shift.shares.items()
        return {
            key.removeprefix(_SIGN_IN): share for key, share in shares if key.startswith(_SIGN_IN)
        }


def _plain(moves: Mapping[str, Moves]) -> dict[str, dict[str, int]]:
    return {name: of.to_json() for name, of in moves.items() if of.to_json()}


def _moves(kept: Mapping[str, Mapping[str, int]]) -> dict[str, Moves]:
    return {name: Moves(**of) for name, of in kept.items()}
