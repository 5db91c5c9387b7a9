"""What is said when a request cannot be answered, in the words of each version.

1.2: Rostering Binding, `imsx_StatusInfo`; 1.1: REST specification, `statusInfoSet`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final
from uuid import uuid4

from roster_pipeline.oneroster.manifest import Version


@dataclass(frozen=True, slots=True)
class _Words:
    status: int
    v1p2: str
    v1p1: str
    status_1p1: int | None = None


class Problem(Enum):
    """Why a request was refused."""

    FILTER = _Words(400, "invalid_filter_field", "invalid_filter_field")
    SELECTION = _Words(400, "invalid_selection_field", "invalid_selection_field")
    SORT = _Words(400, "invalid_selection_field", "invalid_sort_field")
    LIMIT = _Words(422, "invaliddata", "invalid_limit_field", 400)
    OFFSET = _Words(422, "invaliddata", "invalid_offset_field", 400)
    UNAUTHORISED = _Words(401, "unauthorisedrequest", "unauthorized")
    FORBIDDEN = _Words(403, "forbidden", "forbidden")
    UNKNOWN = _Words(404, "unknownobject", "unknown object")
    INTERNAL = _Words(500, "internal_server_error", "server_busy")


class RefusedError(Exception):
    """A request that is answered with a problem; the message goes to the client."""

    def __init__(self, problem: Problem, message: str) -> None:
        super().__init__(message)
        self.problem = problem


def status_of(problem: Problem, version: Version) -> int:
    """The HTTP status of a problem."""
    words = problem.value
    return (version is Version.V1P1 and words.status_1p1) or words.status


def body_of(problem: Problem, message: str, version: Version) -> Mapping[str, Any]:
    """The JSON body of a problem."""
    words = problem.value
    common = {
        "imsx_codeMajor": "failure",
        "imsx_severity": "error",
        "imsx_description": message,
    }
    if version is Version.V1P1:
        entry = {
            **common,
            "imsx_messageRefIdentifier": str(uuid4()),
            "imsx_codeMinor": words.v1p1,
        }
        return {"statusInfoSet": [entry]}
    field = {
        "imsx_codeMinorFieldName": "TargetEndSystem",
        "imsx_codeMinorFieldValue": words.v1p2,
    }
    return {**common, "imsx_CodeMinor": {"imsx_codeMinorField": [field]}}


NOT_FOUND: Final = "There is no such address here, or no such record."
