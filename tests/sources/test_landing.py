import io
import os
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from roster_pipeline.sources import vendors
from roster_pipeline.sources.landing import LandingError, land
from roster_pipeline.transport.channel import RemoteFile
from roster_pipeline.transport.folder import Folder
from tests.sources.conftest import Put

SECRETS = vendors.load("generic-csv").secrets
WHEN = datetime(2026, 8, 26, 6, 0, tzinfo=UTC)
ORGS = b"sourcedId,name\r\nd1,Springfield\r\n"
USERS = b"sourcedId,password,givenName\r\nu1,hunter2,Ann\r\nu2,,Ben\r\n"
PROFILES = b"sourcedId,username,password\r\np1,ann,swordfish\r\n"


def packed(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_csv", ".csv"), content)
    return buffer.getvalue()


def landed(server: Folder, put: Put, package: bytes) -> tuple[bytes, dict[str, int], str]:
    put("roster.zip", WHEN, package)
    [file] = server.list(".", "*.zip")
    with land(server, file, source="springfield", secrets=SECRETS) as kept:
        return kept.file.read(), dict(kept.blanked), kept.original_hash


def members(package: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_passwords_of_users_and_profiles_are_blanked_and_nothing_else_is(
    server: Folder, put: Put
) -> None:
    package = packed(orgs_csv=ORGS, users_csv=USERS, userProfiles_csv=PROFILES)

    kept, blanked, _ = landed(server, put, package)

    assert members(kept) == {
        "orgs.csv": ORGS,
        "users.csv": USERS.replace(b"hunter2", b""),
        "userProfiles.csv": PROFILES.replace(b"swordfish", b""),
    }
    assert blanked == {"users.csv": 1, "userProfiles.csv": 1}


def test_a_package_without_passwords_is_kept_byte_for_byte(server: Folder, put: Put) -> None:
    package = packed(orgs_csv=ORGS, users_csv=USERS.replace(b"hunter2", b""))

    assert landed(server, put, package)[:2] == (package, {})


def test_the_hash_is_that_of_the_original(server: Folder, put: Put) -> None:
    import hashlib

    package = packed(users_csv=USERS)

    assert landed(server, put, package)[2] == hashlib.sha256(package).hexdigest()


def test_the_same_original_gives_the_same_bytes(server: Folder, put: Put) -> None:
    package = packed(orgs_csv=ORGS, users_csv=USERS)

    assert landed(server, put, package) == landed(server, put, package)


@pytest.mark.parametrize(
    "name", ["USERS.CSV", "export__users_csv", "a__b__Users_csv", "staff_csv", "users.txt"]
)
def test_a_renamed_or_wrapped_file_is_blanked_too(server: Folder, put: Put, name: str) -> None:
    kept, _, _ = landed(server, put, packed(**{name: USERS}))

    assert b"hunter2" not in b"".join(members(kept).values())


def test_an_empty_member_and_one_that_is_no_table_are_copied(server: Folder, put: Put) -> None:
    others = {"userProfiles_csv": b"", "photo.jpg": b"\xff\xd8\x00\x00", "._users_csv": b"\x00\x05"}

    kept, _, _ = landed(server, put, packed(users_csv=USERS, **others))

    assert members(kept)["photo.jpg"] == others["photo.jpg"]
    assert members(kept)["userProfiles.csv"] == b""


def test_a_header_that_cannot_be_read_is_not_kept(server: Folder, put: Put) -> None:
    package = packed(orgs_csv=ORGS, users_csv=USERS.decode().encode("utf-16"))

    with pytest.raises(
        LandingError, match=r"springfield: roster\.zip: users\.csv: Line 1: .*UTF-16"
    ) as e:
        landed(server, put, package)
    assert e.value.code == "unreadable_encoding"


def test_rows_that_cannot_be_read_name_their_line(server: Folder, put: Put) -> None:
    with pytest.raises(LandingError, match=r"users\.csv: Line 4: "):
        landed(server, put, packed(users_csv=USERS + b"u3,\x00,x\r\n"))


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda p: p[: len(p) * 9 // 10], "truncated"),
        (lambda _: b"<html>not today</html>", "not_a_zip"),
        (lambda p: p.replace(b"users.csv", b"../rs.csv"), "path_traversal"),
    ],
)
def test_a_damaged_archive_is_not_kept(
    server: Folder, put: Put, damage: "type[bytes]", code: str
) -> None:
    with pytest.raises(LandingError, match=r"^springfield: roster\.zip: ") as error:
        landed(server, put, damage(packed(orgs_csv=ORGS, users_csv=USERS)))
    assert error.value.code == code


def test_a_member_with_wrong_content_is_not_kept(server: Folder, put: Put) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("users.csv", USERS)

    with pytest.raises(LandingError, match="checksum") as error:
        landed(server, put, buffer.getvalue().replace(b"Ben", b"Bex"))
    assert error.value.code == "bad_crc"


def test_progress_counts_what_arrived(server: Folder, put: Put) -> None:
    package = packed(users_csv=os.urandom(300_000).hex().encode())
    put("roster.zip", WHEN, package)
    arrived: list[int] = []

    with land(
        server,
        server.list(".", "*.zip")[0],
        source="springfield",
        secrets=SECRETS,
        progress=arrived.append,
    ):
        assert sum(arrived) == len(package)


KILLED = """
import sys
from pathlib import Path
from roster_pipeline.sources import vendors
from roster_pipeline.sources.landing import land
from roster_pipeline.transport.channel import RemoteFile
from roster_pipeline.transport.folder import Folder
server = Folder(Path(sys.argv[1]))
[file] = server.list(".", "*.zip")
secrets = vendors.load("generic-csv").secrets
with land(server, file, source="springfield", secrets=secrets, scratch=Path(sys.argv[2])):
    print("landed")
"""


def test_a_kill_in_the_middle_of_a_download_leaves_nothing(
    server: Folder, put: Put, tmp_path: Path
) -> None:
    put("roster.zip", WHEN, packed(users_csv=USERS))
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), str(scratch)],
        env={**os.environ, "ROSTER_CRASH_AT": "landing.half"},
        capture_output=True,
        check=False,
    )

    assert killed.returncode == -9
    assert b"landed" not in killed.stdout
    assert not any(scratch.iterdir())


def test_where_the_file_system_has_no_nameless_files_a_hidden_one_does(
    server: Folder, put: Put, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real = os.open

    def refusing(path: str, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(95, "Operation not supported")
        return real(path, flags, mode)

    monkeypatch.setattr(os, "open", refusing)

    assert b"hunter2" not in b"".join(
        members(landed(server, put, packed(users_csv=USERS))[0]).values()
    )


def test_what_a_mapping_reads_as_a_table_holds_no_secrets_whatever_its_ending(
    server: Folder, put: Put
) -> None:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("out/People.DAT", USERS)
        archive.writestr("other.dat", USERS)
    put("roster.zip", WHEN, package.getvalue())
    (file,) = server.list(".", "*.zip")

    with land(server, file, source="springfield", secrets=SECRETS, tables=["people*.dat"]) as kept:
        assert members(kept.file.read()) == {
            "out/People.DAT": USERS.replace(b"hunter2", b""),
            "other.dat": USERS,
        }


def test_a_drop_larger_than_any_roster_is_not_downloaded(server: Folder, put: Put) -> None:
    put("roster.zip", WHEN, packed(orgs_csv=ORGS))
    (file,) = server.list(".", "*.zip")
    huge = RemoteFile(file.path, 65 << 30, file.modified)

    with (
        pytest.raises(LandingError, match=r"^springfield: roster.zip: it has more than 64 GiB"),
        land(server, huge, source="springfield", secrets=SECRETS),
    ):
        pass
