"""The files of gradebook and resources: their headers, stated once. Their rows are not read.

Source: the tables of CSV Binding 1.2; 1.1 differs where `_TABLES_1P1` says so.
"""

from collections.abc import Mapping
from typing import Final

from roster_pipeline.oneroster.entities import Column, Kind, Required
from roster_pipeline.oneroster.manifest import FILES, Version

# A column that must be filled has a star.
_TABLES_1P2: Final[Mapping[str, str]] = {
    "categories": "title* weight",
    "classResources": "title classSourcedId* resourceSourcedId*",
    "courseResources": "title courseSourcedId* resourceSourcedId*",
    "lineItemLearningObjectiveIds": "lineItemSourcedId* source* learningObjectiveId*",
    "lineItems": "title* description assignDate* dueDate* classSourcedId* categorySourcedId* "
    "academicSessionSourcedId* resultValueMin resultValueMax schoolSourcedId*",
    "lineItemScoreScales": "title lineItemSourcedId* scoreScaleSourcedId*",
    "resources": "vendorResourceId* title roles importance vendorId applicationId",
    "resultLearningObjectiveIds": "resultSourcedId* source* learningObjectiveId* score textScore",
    "results": "lineItemSourcedId* studentSourcedId* scoreStatus* score scoreDate* comment "
    "textScore classSourcedId inProgress incomplete late missing",
    "resultScoreScales": "title resultSourcedId* scoreScaleSourcedId*",
    "scoreScales": "title* type* orgSourcedId* courseSourcedId* classSourcedId* scoreScaleValue*",
    "userResources": "userSourcedId* orgSourcedId classSourcedId resourceSourcedId*",
}
_TABLES_1P1: Final[Mapping[str, str]] = {
    "categories": "title*",
    "lineItems": "title* description assignDate* dueDate* classSourcedId* categorySourcedId* "
    "gradingPeriodSourcedId* resultValueMin* resultValueMax*",
    "results": "lineItemSourcedId* studentSourcedId* scoreStatus* score* scoreDate* comment",
}
_BASE: Final = (
    Column("sourcedId", Kind.GUID, Required.ALWAYS),
    Column("status", Kind.WORD, Required.DELTA),
    Column("dateLastModified", Kind.DATETIME, Required.DELTA),
)


def _columns(table: str) -> tuple[Column, ...]:
    return _BASE + tuple(
        Column(
            name.rstrip("*"),
            Kind.STRING,
            Required.ALWAYS if name.endswith("*") else Required.NEVER,
        )
        for name in table.split()
    )


def _of(version: Version, tables: Mapping[str, str]) -> dict[str, tuple[Column, ...]]:
    return {name: _columns(tables[name]) for name in FILES[version] if name in tables}


OTHER_FILES: Final[Mapping[Version, Mapping[str, tuple[Column, ...]]]] = {
    Version.V1P1: _of(Version.V1P1, {**_TABLES_1P2, **_TABLES_1P1}),
    Version.V1P2: _of(Version.V1P2, _TABLES_1P2),
}
"""The columns in order of each file that is no rostering file; of their kinds only the base's
are told."""
