"""Loose files become one zip, the same for the same files."""

import gzip
from datetime import UTC, datetime, timedelta

import pytest

from roster_pipeline.sources import vendors
from roster_pipeline.sources.drops import Drop, search
from roster_pipeline.sources.landing import LandingError, land
from roster_pipeline.transport.folder import Folder
from tests.sources.conftest import NOW, Put, source
from tests.sources.test_landing import ORGS, SECRETS, USERS, members

WHEN = datetime(2026, 8, 26, 6, 0, tzinfo=UTC)
DATED = {"name": r"_(?P<date>[0-9]{8})\."}


def drop_of(server: Folder, **keys: object) -> Drop:
    district = source(**{"files": ["*.csv", "*.csv.gz"], **keys})
    found = search(server, district, district.date_of(NOW), NOW).found
    assert found is not None
    return found


def landed(server: Folder, **keys: object) -> tuple[bytes, dict[str, int], str]:
    drop = drop_of(server, **keys)
    with land(server, drop, source="springfield", secrets=SECRETS) as kept:
        return kept.file.read(), dict(kept.blanked), kept.original_hash


def test_loose_files_are_kept_as_one_zip_without_passwords(server: Folder, put: Put) -> None:
    put("orgs.csv", WHEN, ORGS)
    put("users.csv", WHEN, USERS)

    kept, blanked, _ = landed(server)

    assert members(kept) == {"orgs.csv": ORGS, "users.csv": USERS.replace(b"hunter2", b"")}
    assert blanked == {"users.csv": 1}


def test_the_same_files_are_the_same_package_whatever_their_dates_and_packing(
    server: Folder, put: Put
) -> None:
    put("orgs.csv", WHEN, ORGS)
    put("users.csv", WHEN, USERS)
    plain = landed(server)
    put("users.csv", WHEN - timedelta(hours=1), USERS)
    assert landed(server) == plain

    put("orgs_20260826.csv", WHEN, ORGS)
    put("users_20260826.csv.gz", WHEN, gzip.compress(USERS))
    assert landed(server, date_from=DATED) == plain


def test_another_name_or_content_is_another_original(server: Folder, put: Put) -> None:
    put("orgs.csv", WHEN, ORGS)
    put("users.csv", WHEN, USERS)
    first = landed(server)[2]
    put("users.csv", WHEN, USERS + b"u3,,Cay\r\n")
    second = landed(server)[2]
    put("people.csv", WHEN, USERS + b"u3,,Cay\r\n")
    (server._root / "users.csv").unlink()

    assert len({first, second, landed(server)[2]}) == 3


def test_a_damaged_file_is_named(server: Folder, put: Put) -> None:
    put("orgs.csv", WHEN, ORGS)
    put("users.csv.gz", WHEN, gzip.compress(USERS)[:20])

    with pytest.raises(LandingError, match=r"^springfield: users\.csv\.gz: .* is cut off") as error:
        landed(server)
    assert error.value.code == "truncated"


def test_an_unreadable_table_names_the_files_and_its_line(server: Folder, put: Put) -> None:
    put("users.csv", WHEN, USERS + b"u3,\x00,x\r\n")

    with pytest.raises(LandingError, match=r"springfield: \*\.csv, .*: users\.csv: Line 4: "):
        landed(server)


def test_progress_counts_all_of_them(server: Folder, put: Put) -> None:
    put("orgs.csv", WHEN, ORGS)
    put("users.csv", WHEN, USERS)
    arrived: list[int] = []

    with land(
        server,
        drop_of(server),
        source="springfield",
        secrets=vendors.load("generic-csv").secrets,
        progress=arrived.append,
    ):
        assert sum(arrived) == len(ORGS) + len(USERS)
