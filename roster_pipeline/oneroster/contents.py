"""Which files a package holds, against which its manifest declares and which need one another."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Final

from roster_pipeline.oneroster.container import Container, is_litter
from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.oneroster.findings import FindingGroup, Severity
from roster_pipeline.oneroster.manifest import FILE, FILES, Mode, Version
from roster_pipeline.oneroster.reading_rules import RULES
from roster_pipeline.tables.archive import ArchiveError
from roster_pipeline.tables.csv_blocks import CsvBlocks, CsvError

_CLASSES: Final = "academicSessions courses orgs"
_LINE_ITEMS: Final = f"classes categories {_CLASSES}"
_RESULTS: Final = f"lineItems users roles {_LINE_ITEMS}"

# What must travel along with a bulk file (CSV Binding 1.2, table A1). Of 1.1's own table no text
# could be read; it is this one without the files that 1.2 added.
_NEEDS: Final[Mapping[str, str]] = {
    "courses": "orgs",
    "classes": _CLASSES,
    "users": "orgs roles",
    "roles": "users orgs",
    "userProfiles": "users orgs",
    "demographics": "users orgs roles",
    "enrollments": f"classes users roles {_CLASSES}",
    "classResources": f"classes resources {_CLASSES}",
    "courseResources": "courses resources orgs",
    "userResources": "users resources",
    "lineItems": _LINE_ITEMS,
    "results": _RESULTS,
    "scoreScales": f"classes {_CLASSES}",
    "lineItemScoreScales": f"lineItems scoreScales {_LINE_ITEMS}",
    "lineItemLearningObjectiveIds": f"lineItems {_LINE_ITEMS}",
    "resultScoreScales": f"results scoreScales {_RESULTS}",
    "resultLearningObjectiveIds": f"results {_RESULTS}",
}
_FILES_1P0: Final = frozenset(
    ("academicSessions", "classes", "courses", "demographics", "enrollments", "orgs", "users")
)


def no_manifest(members: Collection[str]) -> FindingGroup:
    """There is no manifest.csv. `members` are the names of the files, without `.csv`."""
    if not members or not _FILES_1P0.issuperset(members):
        return RULES["manifest.missing"].at(FILE)
    return RULES["manifest.missing"].at(
        FILE,
        message="there is no manifest.csv, and the files look like those of OneRoster 1.1 or 1.0",
        fix="send manifest.csv with them",
    )


def is_1p0(container: Container) -> bool:
    """Whether files are those of OneRoster 1.0: there is no manifest, and academicSessions do not
    have the schoolYear that 1.1 brought."""
    names = container.names
    members = {path.stem.casefold(): path for path in map(PurePosixPath, names) if _is_csv(path)}
    theirs = {name.casefold() for name in _FILES_1P0}
    core = {"orgs", "academicsessions", "users", "enrollments"}
    if not core <= members.keys() <= theirs:
        return False
    try:
        with container.open(members["academicsessions"].as_posix()) as stream:
            header = CsvBlocks(stream).header
    except (CsvError, ArchiveError):
        return False
    folded = [name.strip().casefold() for name in header]
    return "sourcedid" in folded and "schoolyear" not in folded


def _is_csv(path: PurePosixPath) -> bool:
    return path.suffix.casefold() == ".csv" and not is_litter(path.as_posix())


def against_manifest(
    members: Mapping[str, str],
    version: Version,
    declared: Mapping[str, Mode],
    required: Collection[str],
) -> Iterator[FindingGroup]:
    """Where the package and its manifest differ. `members` is file name (without `.csv`) to the
    member's own; `required` the files without which it is no roster."""
    for name, member in members.items():
        if name == "manifest":
            continue
        if name not in FILES[version]:
            message = f"OneRoster {version} has no such file; it was not read"
            yield RULES["package.unknown_file"].at(member, message=message)
        elif declared.get(name, Mode.ABSENT) is Mode.ABSENT:
            what = "was read" if name in ENTITIES else "is no rostering file"
            message = f"file.{name} is not declared, yet {name}.csv is there; it {what}"
            yield RULES["manifest.present_but_absent"].at(FILE, message=message)
    for name, mode in declared.items():
        if mode is not Mode.ABSENT and name not in members:
            yield RULES["package.missing_file"].at(
                FILE,
                severity=Severity.STOP if name in required else None,
                message=f"the manifest declares {name}.csv, and it is not in the package",
            )


def unmet_needs(
    members: Collection[str],
    version: Version,
    declared: Mapping[str, Mode],
    required: Collection[str],
) -> Iterator[FindingGroup]:
    """Files that bulk files need and that are not there, each once.

    One that is declared, or that each bulk package needs, has a finding already.
    """
    modes = {name: declared.get(name, Mode.BULK) for name in members if name in FILES[version]}
    all_bulk = all(modes[name] is not Mode.DELTA for name in modes if name in ENTITIES)
    needed_by: dict[str, list[str]] = {}
    for name, mode in modes.items():
        if mode is Mode.DELTA:
            continue
        for companion in dict.fromkeys(_NEEDS.get(name, "").split()):
            if companion in FILES[version] and companion not in members:
                needed_by.setdefault(companion, []).append(f"{name}.csv")
    for companion, needing in needed_by.items():
        said = declared.get(companion, Mode.ABSENT) is not Mode.ABSENT
        if not said and not (companion in required and all_bulk):
            yield RULES["package.dependency"].at(
                f"{companion}.csv",
                message=f"the file is not in the package, and {', '.join(needing)} cannot do "
                "without it",
                entity=companion if companion in ENTITIES else None,
            )
