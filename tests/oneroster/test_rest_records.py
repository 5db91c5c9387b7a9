"""Canonical rows said as REST objects, and read again."""

import json
from collections.abc import Iterable

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from roster_pipeline.oneroster.entities import SECRET
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.package import tables
from roster_pipeline.oneroster.rest_json import COLLECTIONS, collection_of, rows_of
from roster_pipeline.oneroster.rest_records import selectable, texts_of
from roster_pipeline.oneroster.versions import downgrade_users, downgrade_words
from tests.examples import examples
from tests.oneroster.strategies import BLANK, METADATA, Frames, frame_of, rosters
from tests.records import MODIFIED, SPEECH, records


def told(frame: pd.DataFrame, without: Iterable[str] = ()) -> list[list[str]]:
    """The rows by their filled cells, whatever their order."""
    kept = frame.drop(columns=[name for name in (*BLANK, *without) if name in frame.columns])
    rows = kept.astype(object).where(kept.notna(), None).to_dict("records")
    return sorted([f"{name}={cell}" for name, cell in row.items() if cell] for row in rows)


@settings(max_examples=examples(8))
@given(rosters())
def test_what_is_said_over_rest_1_2_is_read_as_it_was(frames: Frames) -> None:
    for entity, frame in frames.items():
        read = rows_of(records(frames, collection_of(entity)), entity, Version.V1P2).frame
        # Roles have no sourcedId of their own over REST; within users there is no metadata.
        derived = ("sourcedId",) if entity == "roles" else ()
        unsaid = METADATA if entity in ("roles", "userProfiles") else ()
        assert told(read, derived) == told(frame, (*derived, *unsaid))
        assert read["sourcedId"].is_unique or entity == "roles"


@settings(max_examples=examples(8))
@given(rosters())
def test_rest_1_1_loses_what_1_1_cannot_say_and_nothing_else(frames: Frames) -> None:
    roles = frames["roles"].assign(_role=None).astype(frames["roles"].dtypes.iloc[0])
    said = frames | {"users": downgrade_users(frames["users"], roles).users}
    for entity in tables(Version.V1P1):
        frame = downgrade_words(said[entity], entity)
        texts = texts_of(frame, entity, SPEECH[Version.V1P1])
        objects = [json.loads(str(text)) for text in texts.to_pylist()]
        read = rows_of(objects, entity, Version.V1P1).frame
        kept = [column.name for column in tables(Version.V1P1)[entity]]
        metadata = [name for name in frame.columns if name.startswith("metadata.")]
        assert told(read) == told(frame[kept + metadata])


@settings(max_examples=examples(8))
@given(rosters(), st.data())
def test_only_the_properties_asked_for_are_said(frames: Frames, data: st.DataObject) -> None:
    for entity in COLLECTIONS:
        names = selectable(entity, Version.V1P2)
        only = data.draw(st.sets(st.sampled_from(names)))
        whole, some = records(frames, entity), records(frames, entity, only)
        assert some == [{k: v for k, v in record.items() if k in only} for record in whole]


def test_an_object_has_the_shape_of_the_standard() -> None:
    row = {
        "sourcedId": "a/b",
        "title": 'Tab\there, "quoted" \\ and a line\u2028',
        "courseSourcedId": "c1",
        "schoolSourcedId": "s1",
        "termSourcedIds": "t1,t2",
        "grades": "09,10",
        "classType": "scheduled",
    }
    (text,) = texts_of(frame_of("classes", [row]), "classes", SPEECH[Version.V1P2]).to_pylist()
    assert json.loads(str(text)) == {
        "sourcedId": "a/b",
        "status": "active",
        "dateLastModified": MODIFIED,
        "title": row["title"],
        "grades": ["09", "10"],
        "classType": "scheduled",
        "course": {
            "href": "https://sis.example/or/courses/c1",
            "sourcedId": "c1",
            "type": "course",
        },
        "school": {"href": "https://sis.example/or/orgs/s1", "sourcedId": "s1", "type": "org"},
        "terms": [
            {
                "href": f"https://sis.example/or/academicSessions/{term}",
                "sourcedId": term,
                "type": "academicSession",
            }
            for term in ("t1", "t2")
        ],
    }


def test_a_slash_in_a_sourced_id_does_not_part_an_address() -> None:
    org = frame_of("orgs", [{"sourcedId": "o", "parentSourcedId": "d/1 ü"}])
    (text,) = texts_of(org, "orgs", SPEECH[Version.V1P2]).to_pylist()
    assert json.loads(str(text))["parent"]["href"] == "https://sis.example/or/orgs/d%2F1%20%C3%BC"


def test_passwords_are_never_said() -> None:
    users = frame_of("users", [{"sourcedId": "u1", "password": "hunter2"}])
    profile = {"sourcedId": "p1", "userSourcedId": "u1", "password": "hunter2"}
    frames = {
        "users": users,
        "roles": frame_of("roles", []),
        "userProfiles": frame_of("userProfiles", [profile]),
    }
    (record,) = records(frames, "users")
    assert "hunter2" not in json.dumps(record)
    assert record["roles"] == []
    assert not set(SECRET) & set(selectable("users", Version.V1P2))
