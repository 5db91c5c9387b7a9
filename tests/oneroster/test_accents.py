"""A roster said over REST in any accent, pulled and kept, is the same roster."""

import io
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from roster_pipeline.oneroster.entities import BOOLEANS
from roster_pipeline.oneroster.extra_properties import known_properties
from roster_pipeline.oneroster.findings import Findings
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.package import open_package, tables
from roster_pipeline.oneroster.pulled import Reading
from roster_pipeline.oneroster.rest_json import property_of
from tests.examples import examples
from tests.oneroster.strategies import BLANK, METADATA, Frames, rosters
from tests.records import Said, pulled, records_of

Change = Callable[[Said, Random], Said]

_V1P2 = Version.V1P2
_TRUTHS = {property_of(c) for t in tables(_V1P2).values() for c in t if c.words == BOOLEANS}


def read(package: bytes) -> tuple[dict[str, pd.DataFrame], Findings]:
    """The rows of each entity, and all findings."""
    frames, findings = {}, Findings()
    with open_package(io.BytesIO(package)) as opened:
        findings.extend(opened.findings)
        for entity in opened.modes:
            blocks = list(opened.blocks(entity, findings=findings, block_bytes=2000))
            frames[entity] = pd.concat([block.frame for block in blocks], ignore_index=True)
            findings.extend(group for block in blocks for group in block.findings.groups)
    return frames, findings


def told(frame: pd.DataFrame, entity: str) -> set[str]:
    """The rows by their filled cells. Roles have no sourcedId of their own over REST, and within
    users there is no metadata."""
    unsaid = {"roles": ("sourcedId", *METADATA), "userProfiles": METADATA}.get(entity, ())
    kept = frame.drop(columns=[name for name in (*BLANK, *unsaid) if name in frame.columns])
    rows = kept.astype(object).where(kept.notna(), None).to_dict("records")
    return {str(sorted(f"{name}={cell}" for name, cell in row.items() if cell)) for row in rows}


def in_all(value: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """A value in which every object is changed, those within it first."""
    if isinstance(value, list):
        return [in_all(item, change) for item in value]
    if isinstance(value, Mapping):
        return change({str(name): in_all(held, change) for name, held in value.items()})
    return value


def shuffled_keys(said: Said, dealer: Random) -> Said:
    changed: Said = in_all(said, lambda found: dict(dealer.sample([*found.items()], len(found))))
    return changed


def nulls(said: Said, _: Random) -> Said:
    return {
        name: [dict.fromkeys(known_properties(name, _V1P2)) | record for record in records]
        for name, records in said.items()
    }


def real_booleans(said: Said, _: Random) -> Said:
    return {
        name: [
            {k: v == "true" if k in _TRUTHS and v in BOOLEANS else v for k, v in record.items()}
            for record in records
        ]
        for name, records in said.items()
    }


def only_hrefs(said: Said, dealer: Random) -> Said:
    def bare(found: dict[str, Any]) -> dict[str, Any]:
        if set(found) != {"href", "sourcedId", "type"}:
            return found
        href = found["href"]
        return {"href": dealer.choice([href, href.removeprefix("https://sis.example"), f"{href}/"])}

    changed: Said = in_all(said, bare)
    return changed


def repeated(said: Said, dealer: Random) -> Said:
    return {
        name: dealer.sample(more := [*records, *dealer.choices(records, k=3)], len(more))
        if records
        else []
        for name, records in said.items()
    }


ACCENTS: tuple[Change, ...] = (shuffled_keys, nulls, real_booleans, only_hrefs, repeated)


def without_any(frames: Frames) -> Frames:
    """The entities that have rows: a pull does not say of the others that they are empty."""
    return {name: frame for name, frame in frames.items() if len(frame)}


@settings(max_examples=examples(8), deadline=None)
@given(
    frames=rosters(),
    accents=st.sets(st.sampled_from(ACCENTS)),
    seed=st.integers(0, 1 << 32),
    merging=st.booleans(),
)
def test_a_roster_is_the_same_in_any_accent(
    frames: Frames, accents: set[Change], seed: int, merging: bool
) -> None:
    said = records_of(frames)
    for accent in ACCENTS:
        if accent in accents:
            said = accent(said, Random(seed))  # noqa: S311  not for secrets
    reading = Reading(dict.fromkeys(said, "union") if merging else {}, "underscore", "Asia/Tokyo")
    found, findings = read(pulled(said, reading=reading))
    wanted = without_any(frames)
    assert found.keys() == wanted.keys()
    for entity, frame in wanted.items():
        assert told(found[entity], entity) == told(frame, entity)
        if merging and entity != "roles":
            assert found[entity]["sourcedId"].is_unique
    assert findings.counts() == {}


@settings(max_examples=examples(8), deadline=None)
@given(frames=rosters(), seed=st.integers(0, 1 << 32))
def test_people_sent_once_for_each_role_are_whole_again(frames: Frames, seed: int) -> None:
    said = records_of(frames)
    users = [
        {**user, "roles": [role]} for user in said["users"] for role in user["roles"] or [None]
    ]
    said["users"] = Random(seed).sample(users, len(users))  # noqa: S311
    found, findings = read(pulled(said, reading=Reading({"users": "union"})))
    for entity, frame in without_any(frames).items():
        assert told(found[entity], entity) == told(frame, entity)
    if "users" in found:
        assert found["users"]["sourcedId"].is_unique
    assert findings.counts() == {}
