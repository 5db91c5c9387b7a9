"""What a manifest says where its lines are in doubt."""

import io

import pytest

from roster_pipeline.oneroster.findings import Severity
from roster_pipeline.oneroster.manifest import Manifest, Mode, Version, manifest_rows, read_manifest


def read(*more: str) -> Manifest:
    rows = ["propertyName,value"]
    rows += [",".join(row) for row in manifest_rows(Version.V1P2, {"userProfiles": Mode.DELTA})]
    return read_manifest(io.BytesIO("\r\n".join([*rows, *more]).encode()))


@pytest.mark.parametrize("extra", ["file.userRoles,bulk", "file.userProfile,bulk", "FILE.users,x"])
def test_a_near_miss_does_not_overrule_what_is_spelt_right(extra: str) -> None:
    manifest = read(extra)
    assert manifest.modes["userProfiles"] is Mode.DELTA
    assert manifest.modes["users"] is Mode.ABSENT
    assert manifest.findings.counts() == {"manifest.unknown_property": 1}


def test_a_file_that_is_said_to_be_bulk_and_delta_stops() -> None:
    assert read("file.userProfiles,delta").findings.worst() is None
    findings = read("file.userProfiles,bulk").findings
    assert findings.counts() == {"manifest.contradiction": 1}
    assert findings.worst() is Severity.STOP


def test_a_manifest_without_end_stops() -> None:
    findings = read(*["file.x,bulk"] * 2000).findings
    assert findings.counts() == {"manifest.unreadable": 1}
