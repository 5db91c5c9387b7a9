"""What is said of the files of a package as a whole."""

import pytest

from roster_pipeline.oneroster.contents import no_manifest, unmet_needs
from roster_pipeline.oneroster.entities import REQUIRED_1P1, REQUIRED_1P2
from roster_pipeline.oneroster.manifest import FILES, Mode, Version
from roster_pipeline.oneroster.other_files import OTHER_FILES
from roster_pipeline.oneroster.package import tables

BULK, DELTA = Mode.BULK, Mode.DELTA


def missing(version: Version, modes: dict[str, Mode]) -> dict[str, str]:
    required = REQUIRED_1P1 if version is Version.V1P1 else REQUIRED_1P2
    return {
        group.file.removesuffix(".csv"): group.message
        for group in unmet_needs(modes, version, modes, required)
    }


def test_a_companion_is_missed_once_and_all_who_need_it_are_named() -> None:
    all_bulk = dict.fromkeys(REQUIRED_1P2, BULK)
    said = missing(Version.V1P2, {**all_bulk, "classResources": BULK, "userResources": BULK})
    assert list(said) == ["resources"]
    assert "classResources.csv, userResources.csv" in said["resources"]


def test_what_every_bulk_package_needs_is_left_to_its_own_rule() -> None:
    assert missing(Version.V1P2, {"users": BULK, "orgs": BULK}) == {}


def test_beside_a_delta_a_bulk_file_still_needs_its_companions() -> None:
    modes = {"users": BULK, "orgs": BULK, "enrollments": DELTA}
    assert set(missing(Version.V1P2, modes)) == {"roles"}
    assert set(missing(Version.V1P1, modes)) == set()


def test_a_delta_needs_nothing() -> None:
    assert missing(Version.V1P2, {"enrollments": DELTA, "results": DELTA}) == {}


def test_a_result_in_bulk_needs_all_that_it_is_about() -> None:
    modes = {**dict.fromkeys(REQUIRED_1P1, BULK), "results": BULK}
    assert set(missing(Version.V1P1, modes)) == {"lineItems", "categories"}


@pytest.mark.parametrize(
    ("names", "old"), [(("users", "orgs"), True), (("users", "roles"), False), ((), False)]
)
def test_a_package_of_1p0_is_known_by_its_files(names: tuple[str, ...], old: bool) -> None:
    assert ("1.0" in no_manifest(names).message) is old


@pytest.mark.parametrize("version", list(Version))
def test_every_file_of_a_version_has_its_header(version: Version) -> None:
    assert sorted([*tables(version), *OTHER_FILES[version]]) == sorted(FILES[version])


@pytest.mark.parametrize(
    ("version", "file", "header"),
    [
        (Version.V1P1, "categories", "title"),
        (Version.V1P2, "categories", "title,weight"),
        (
            Version.V1P1,
            "results",
            "lineItemSourcedId,studentSourcedId,scoreStatus,score,scoreDate,comment",
        ),
        (Version.V1P2, "scoreScales", "title,type,orgSourcedId,courseSourcedId,classSourcedId,"
         "scoreScaleValue"),
    ],
)  # fmt: skip
def test_a_header_of_gradebook_begins_as_all_do(version: Version, file: str, header: str) -> None:
    names = ",".join(column.name for column in OTHER_FILES[version][file])
    assert names == f"sourcedId,status,dateLastModified,{header}"
