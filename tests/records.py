"""Rosters as the objects of the REST API, and as pulls of them.

said = records_of(frames)                        # {collection: [object, …]}
package = pulled(said, reading=Reading(...))     # the bytes of the pull
"""

import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.pulled import PullWriter, Reading
from roster_pipeline.oneroster.rest_json import COLLECTIONS
from roster_pipeline.oneroster.rest_records import Nested, Speech, texts_of

MODIFIED = "2026-08-22T06:00:00.000Z"
SPEECH = {version: Speech(version, "https://sis.example/or", MODIFIED) for version in Version}

Said = dict[str, list[dict[str, Any]]]


def nested(frames: Mapping[str, pd.DataFrame], entity: str) -> Nested:
    """The rows of an entity in the order of their users."""
    frame, users = frames[entity], pd.Index(frames["users"]["sourcedId"])
    owner = users.get_indexer(pd.Index(frame["userSourcedId"])).astype(np.int64)
    order = np.argsort(owner, kind="stable")
    return Nested(frame.take(order).reset_index(drop=True), owner[order])


def records(
    frames: Mapping[str, pd.DataFrame], entity: str, only: Iterable[str] | None = None
) -> list[dict[str, Any]]:
    """The objects of a collection of 1.2."""
    people = entity == "users"
    texts = texts_of(
        frames[entity],
        entity,
        SPEECH[Version.V1P2],
        roles=nested(frames, "roles") if people else None,
        profiles=nested(frames, "userProfiles") if people else None,
        only=None if only is None else frozenset(only),
    )
    return [json.loads(str(text)) for text in texts.to_pylist()]


def records_of(frames: Mapping[str, pd.DataFrame]) -> Said:
    """The objects of all collections of a whole roster of 1.2."""
    return {entity: records(frames, entity) for entity in COLLECTIONS if entity in frames}


def pulled(
    said: Mapping[str, Iterable[Any]],
    version: Version = Version.V1P2,
    *,
    reading: Reading | None = None,
) -> bytes:
    """A finished pull of these objects."""
    out = io.BytesIO()
    writer = PullWriter(out, version, reading=reading)
    for name, objects in said.items():
        with writer.collection(name) as (write, look):
            for each in objects:
                write([json.dumps(each)])
                look(each)
    writer.finish()
    return out.getvalue()
