"""What tells rows apart beside their sourcedIds: by it a row is known under a wrong one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from roster_pipeline.oneroster.layout import Hashes
from roster_pipeline.oneroster.shape import conform
from roster_pipeline.tables.hashes import row_hashes

Mask = npt.NDArray[np.bool_]

WAYS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "orgs": (("name", "type"),),
    "academicSessions": (("title", "type", "startDate"),),
    "courses": (("courseCode", "orgSourcedId"), ("title", "orgSourcedId")),
    "classes": (("classCode", "schoolSourcedId"), ("title", "courseSourcedId", "schoolSourcedId")),
    "users": (("username",), ("email",), ("userMasterIdentifier",), ("identifier",)),
    "userProfiles": (("userSourcedId", "vendorId"),),
    "roles": (("userSourcedId", "orgSourcedId", "role"),),
    "enrollments": (("classSourcedId", "userSourcedId", "role"),),
}
"""Cells by which a row may be known though its sourcedId, and others, are not what they were; each
way, the surest first, holds for rows that have all its cells filled."""


Telling = tuple[tuple[Hashes, Mask], ...]
"""For each way in which rows of an entity are told apart a hash a row, and whether it holds."""


def telling(entity: str, rows: pd.DataFrame) -> Telling:
    """What tells rows apart beside their sourcedIds; columns that are not there tell nothing."""
    ways = WAYS.get(entity, ())
    return tuple(pair for columns in ways for pair in hashed([rows], columns))


def hashed(frames: Iterable[pd.DataFrame], columns: Sequence[str]) -> Iterator[tuple[Hashes, Mask]]:
    """For the rows of each frame a hash of some cells, and whether all of these are filled."""
    for frame in frames:
        some = conform(frame, columns)
        yield row_hashes(some, columns), some.notna().all(axis=1).to_numpy(dtype=bool)
