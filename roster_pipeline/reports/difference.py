"""What accepting a held candidate would do, as one document for reviewers: numbers and few samples.

It is made once, when the candidate is held, and kept: `store.differences`. The same rosters, facts
and verdict give the same bytes.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, Final

from roster_pipeline.guards.facts import AT_SCHOOL, NO_MOVES, PEOPLE, Facts, Moves
from roster_pipeline.guards.judge import Verdict
from roster_pipeline.oneroster.delta import Delta, changed_columns
from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.reports.difference_samples import samples, shown_name

SCHEMA: Final = "roster.difference/1"
GONE: Final = ("removed", "ended", "descoped")
"""What became of rows that the candidate does not have."""
_LOST: Final = ("removed", "descoped", "deactivated")
_NO_ROSTER: Final = Roster.empty()


def difference_document(delta: Delta, facts: Facts, verdict: Verdict) -> dict[str, Any]:
    """What accepting `delta.new` would do, as JSON (`roster.difference/1`).

    Reads the rows that changed block by block, of all others only the samples. No cell stands in
    it that says who somebody is: see `reports.masking`.
    """
    entities = {entity: _entity(delta, facts, entity) for entity in ENTITIES}
    shown = {entity: samples(delta, entity) for entity in ENTITIES}
    people = facts.shift.people
    return {
        "schema": SCHEMA,
        "reasons": verdict.to_json(),
        "totals": _totals(entities),
        "entities": entities,
        "people": {kind: asdict(people[kind]) for kind in PEOPLE if kind in people},
        "schools": _schools(facts),
        "samples": {entity: some for entity, some in shown.items() if any(some.values())},
    }


def difference_bytes(document: Mapping[str, Any]) -> bytes:
    """The document as it is kept."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def counts_of(
    document: Mapping[str, Any],
) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, int]]]:
    """By entity, the rows added, changed, removed (whatever the cause) and unchanged; and the
    columns changed: what `reports.changes` speaks of."""
    entities = document["entities"]
    counts = {
        entity: {
            "added": of["added"],
            "changed": of["changed"],
            "removed": sum(of[kind] for kind in GONE),
            "unchanged": of["unchanged"],
        }
        for entity, of in entities.items()
    }
    return counts, {entity: of["changed_columns"] for entity, of in entities.items()}


# ---- numbers ----


def _entity(delta: Delta, facts: Facts, entity: str) -> dict[str, Any]:
    of = delta.entities[entity]
    # Facts leave out what did not move.
    plain = Moves(added=len(of.added), changed=len(of.changed), removed=len(of.removed))
    moves = facts.shift.entities.get(entity, plain)
    columns = changed_columns(delta, entity)
    return {
        **asdict(moves),
        "was": (delta.old or _NO_ROSTER).counts[entity],
        "now": delta.new.counts[entity],
        "unchanged": of.unchanged,
        "changed_columns": dict(sorted(columns.items(), key=lambda item: (-item[1], item[0]))),
    }


def _totals(entities: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    kinds = (*asdict(NO_MOVES), "now", "unchanged")
    return {kind: sum(of[kind] for of in entities.values()) for kind in kinds}


def _schools(facts: Facts) -> list[dict[str, Any]]:
    """The schools at which anything moves, those that lose most people first."""
    shift = facts.shift
    found = []
    for school in shift.schools.keys() | facts.schools_removed.keys():
        of = shift.schools.get(school, {})
        kinds = {kind: of[kind].to_json() for kind in AT_SCHOOL if _moved(of.get(kind, NO_MOVES))}
        if kinds or school in facts.schools_removed:
            found.append(
                {
                    "sourcedId": school,
                    "name": shown_name(shift.school_names.get(school)),
                    "removed": school in facts.schools_removed,
                    "kinds": kinds,
                }
            )
    return sorted(found, key=_most_lost_first)


def _moved(moves: Moves) -> bool:
    return replace(moves, was=0) != NO_MOVES


def _most_lost_first(school: Mapping[str, Any]) -> tuple[Any, ...]:
    kinds: Mapping[str, Mapping[str, int]] = school["kinds"]

    def lost(*of: str) -> int:
        return sum(kinds.get(kind, {}).get(how, 0) for kind in of for how in _LOST)

    moved = sum(number for moves in kinds.values() for how, number in moves.items() if how != "was")
    others = lost("classes", "enrollments")
    return -lost(*PEOPLE), -others, -moved, school["name"] or "", school["sourcedId"]
