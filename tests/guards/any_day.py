"""Random days for property tests of the guards: numbers that fit together."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from roster_pipeline.guards.facts import AT_SCHOOL, PEOPLE, Facts, Moves, Share, Shift
from roster_pipeline.guards.settings import GuardSettings
from roster_pipeline.oneroster.entities import ENTITIES

SCHOOLS = tuple(f"s{number}" for number in range(1, 5))


@st.composite
def any_moves(draw: st.DrawFn) -> Moves:
    """No more goes or changes than there was, and nothing is deactivated that has not changed."""
    left = was = draw(st.integers(0, 500))
    parts = {}
    for part in ("removed", "ended", "descoped", "changed"):
        parts[part] = draw(st.integers(0, left))
        left -= parts[part]
    deactivated = draw(st.integers(0, parts["changed"]))
    return Moves(was=was, added=draw(st.integers(0, 500)), deactivated=deactivated, **parts)


@st.composite
def any_share(draw: st.DrawFn) -> Share:
    """Rarely anything at all, as on most days."""
    of = draw(st.integers(0, 500))
    return Share(draw(st.just(0) | st.integers(0, of)), of)


def _some(keys: tuple[str, ...], values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(st.sampled_from(keys), values, max_size=3)


any_shift = st.builds(
    Shift,
    entities=_some(ENTITIES, any_moves()),
    people=_some(PEOPLE, any_moves()),
    schools=_some(SCHOOLS, _some(AT_SCHOOL, any_moves())),
    shares=_some(("role_flips", "moved_school", "sign_in.username", "sign_in.email"), any_share()),
)


@st.composite
def any_facts(draw: st.DrawFn) -> Facts:
    """A day after the first, with no word on what is expected."""
    shift = draw(any_shift)
    base = {entity: moves.was for entity, moves in shift.entities.items()}
    return Facts(
        counts={entity: _now(moves) for entity, moves in shift.entities.items()},
        base=base,
        shift=shift,
        past=draw(st.fixed_dictionaries({}, optional={7: any_shift, 30: any_shift})),
        held=draw(_some(ENTITIES, st.integers(0, 30))),
        orphaned=draw(_some(ENTITIES, st.integers(0, 30))),
        schools_removed=draw(_some(SCHOOLS, st.integers(0, 50))),
        emptied_classes=draw(any_share()),
        rekeyed=draw(_some(ENTITIES, any_share())),
        clashes=draw(st.sampled_from((0, 0, 1))),
        closed_until=draw(st.none() | st.just(dt.date(2026, 12, 24))),
        withheld=draw(_some(ENTITIES, st.integers(1, 50))),
    )


def _now(moves: Moves) -> int:
    return moves.was + moves.added - moves.removed - moves.ended - moves.descoped


_percents = st.none() | st.integers(0, 100)
_limits = st.fixed_dictionaries(
    {},
    optional={
        "percent": _percents,
        "floor": st.integers(0, 40),
        "count": st.none() | st.integers(0, 100),
    },
)
_moves = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("removed", "additions", "changes", "deactivated", "descoped"), _limits),
)


@st.composite
def any_settings(draw: st.DrawFn) -> GuardSettings:
    """Some limits of some kinds said, the others left as they are."""
    keys: Mapping[str, Any] = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "entities": _some(ENTITIES, _moves),
                "people": _some(PEOPLE, _moves),
                "schools": _moves,
                "rekeyed": _limits,
                "overlap": st.integers(0, 100),
                "cumulative": st.fixed_dictionaries(
                    {}, optional={"in_7_days": _limits, "at_school_in_30_days": _limits}
                ),
            },
        )
    )
    return GuardSettings.model_validate({**draw(_moves), **keys})
