"""Drops encrypted by a password or with PGP are opened before anything is kept of them."""

import io
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pysequoia
import pytest
import pyzipper

from roster_pipeline.resources.channels import Channels
from roster_pipeline.sources.drops import Drop, search
from roster_pipeline.sources.landing import Keys, LandingError, land
from roster_pipeline.sources.pgp import PgpKeys
from roster_pipeline.transport.errors import CredentialsUnusable
from roster_pipeline.transport.folder import Folder
from tests.sources.conftest import NOW, Put, source
from tests.sources.test_landing import ORGS, SECRETS, USERS, members, packed

WHEN = datetime(2026, 8, 26, 6, 0, tzinfo=UTC)
PASSWORD = "correct horse"
CLEAN = {"orgs.csv": ORGS, "users.csv": USERS.replace(b"hunter2", b"")}

OURS = pysequoia.Tsk.generate("roster")
DISTRICTS = pysequoia.Tsk.generate("district")
STRANGERS = pysequoia.Tsk.generate("stranger")


def locked(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with pyzipper.AESZipFile(buffer, "w", compression=pyzipper.ZIP_DEFLATED) as archive:
        archive.setpassword(PASSWORD.encode())
        archive.setencryption(pyzipper.WZ_AES)
        for name, content in files.items():
            archive.writestr(name.replace("_csv", ".csv"), content)
    return buffer.getvalue()


def sealed(content: bytes, *, by: pysequoia.Tsk | None = None, armor: bool = False) -> bytes:
    signer = None if by is None else by.signer()
    to = [OURS.extract_certificate()]
    return pysequoia.encrypt(content, recipients=to, signer=signer, armor=armor)


def pgp(key: pysequoia.Tsk = OURS, *, signer: pysequoia.Tsk | None = None) -> Keys:
    public = None if signer is None else str(signer.extract_certificate())
    return Keys(pgp=PgpKeys(str(key), None, public))


def landed(server: Folder, drop: Drop, keys: Keys) -> dict[str, bytes]:
    with land(server, drop, source="springfield", secrets=SECRETS, keys=keys) as kept:
        return members(kept.file.read())


def the_file(server: Folder, put: Put, content: bytes, name: str = "roster.zip") -> Drop:
    put(name, WHEN, content)
    (file,) = server.list(".", name)
    return Drop.of(file)


def refused(server: Folder, drop: Drop, keys: Keys) -> tuple[str, str]:
    with pytest.raises(LandingError) as error:
        landed(server, drop, keys)
    return error.value.code, str(error.value)


def test_a_zip_with_a_password_is_kept_open_and_without_passwords_of_people(
    server: Folder, put: Put
) -> None:
    drop = the_file(server, put, locked(orgs_csv=ORGS, users_csv=USERS))

    assert landed(server, drop, Keys(password=PASSWORD)) == CLEAN


def test_a_zip_without_any_passwords_of_people_is_kept_open_too(server: Folder, put: Put) -> None:
    drop = the_file(server, put, locked(orgs_csv=ORGS))

    assert landed(server, drop, Keys(password=PASSWORD)) == {"orgs.csv": ORGS}


def test_a_plain_zip_is_taken_where_a_password_is_said(server: Folder, put: Put) -> None:
    drop = the_file(server, put, packed(orgs_csv=ORGS))

    assert landed(server, drop, Keys(password=PASSWORD)) == {"orgs.csv": ORGS}


def test_a_wrong_password_is_a_sentence(server: Folder, put: Put) -> None:
    drop = the_file(server, put, locked(orgs_csv=ORGS, users_csv=USERS))

    code, said = refused(server, drop, Keys(password="wrong"))

    assert code == "wrong_password"
    assert said.startswith("springfield: roster.zip: orgs.csv is encrypted, and the password")
    assert "wrong" not in said.partition("password")[2]


@pytest.mark.parametrize("armor", [False, True])
def test_a_zip_encrypted_with_pgp_is_opened(server: Folder, put: Put, armor: bool) -> None:
    content = sealed(packed(orgs_csv=ORGS, users_csv=USERS), armor=armor)

    assert landed(server, the_file(server, put, content, "roster.zip.pgp"), pgp()) == CLEAN


def test_loose_files_encrypted_with_pgp_are_opened(server: Folder, put: Put) -> None:
    put("orgs.csv.pgp", WHEN, sealed(ORGS))
    put("users.csv.PGP", WHEN, sealed(USERS))
    district = source(files=["*.pgp", "*.PGP"], encryption={"pgp": {"private_key": {"env": "KEY"}}})
    drop = search(server, district, district.date_of(NOW), NOW).found

    assert drop is not None
    assert landed(server, drop, pgp()) == CLEAN


def test_a_signature_is_proved_where_one_is_asked_for(server: Folder, put: Put) -> None:
    content = packed(orgs_csv=ORGS)
    drop = the_file(server, put, sealed(content, by=DISTRICTS))

    assert landed(server, drop, pgp(signer=DISTRICTS)) == {"orgs.csv": ORGS}
    assert landed(server, drop, pgp()) == {"orgs.csv": ORGS}
    for other in (None, STRANGERS):
        code, said = refused(
            server, the_file(server, put, sealed(content, by=other)), pgp(signer=DISTRICTS)
        )
        assert code == "not_signed"
        assert "does not have the signature of the key in `signed_by`" in said


def _damaged(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize(
    ("content", "keys", "code"),
    [
        (sealed(ORGS), pgp(STRANGERS), "wrong_key"),
        (sealed(ORGS), Keys(pgp=PgpKeys("nonsense")), "wrong_key"),
        (sealed(ORGS), Keys(pgp=PgpKeys(str(OURS.extract_certificate()))), "wrong_key"),
        (sealed(ORGS), Keys(pgp=PgpKeys(str(OURS), None, "nonsense")), "wrong_key"),
        (packed(orgs_csv=ORGS), pgp(), "not_encrypted"),
        (_damaged(sealed(packed(orgs_csv=ORGS * 9))), pgp(), "damaged"),
        (sealed(packed(orgs_csv=ORGS * 9))[:-40], pgp(), "damaged"),
        (sealed(ORGS), pgp(), "not_a_zip"),
    ],
)
def test_what_pgp_does_not_open_is_a_sentence(
    server: Folder, put: Put, content: bytes, keys: Keys, code: str
) -> None:
    drop = the_file(server, put, content, "roster.zip.gpg")

    found, said = refused(server, drop, keys)

    assert found == code
    assert said.startswith("springfield: roster.zip.gpg: ")
    assert "\n" not in said
    assert "/dev/" not in said


@pytest.mark.skipif(shutil.which("gpg") is None, reason="GnuPG is not on this machine")
def test_what_grows_without_end_when_it_is_opened_is_ended_in_time(
    server: Folder, put: Put, tmp_path: Path
) -> None:
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    (home / "public.asc").write_text(str(OURS.extract_certificate()))
    always = ["gpg", "--homedir", str(home), "--batch", "--trust-model", "always"]
    to = ["--compress-algo", "zlib", "-f", str(home / "public.asc"), "-e"]
    packed_well = subprocess.run(
        [*always, *to], check=True, capture_output=True, input=bytes(64 << 20)
    ).stdout
    drop = the_file(server, put, packed_well, "roster.zip.gpg")

    code, said = refused(server, drop, pgp())

    assert code == "bomb"
    assert said.endswith(f"bytes from {len(packed_well)}. That is no roster.")


WITHOUT = """
import io, sys
sys.modules["pysequoia"] = None
from roster_pipeline.sources.pgp import PgpError, PgpKeys, decrypt
try:
    decrypt(io.BytesIO(), io.BytesIO(), PgpKeys("key"))
except PgpError as error:
    print(error.code, error)
"""


def test_without_the_extra_the_sentence_says_what_to_install() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True
    )

    assert done.stdout.startswith("no_pgp files encrypted with PGP need an extra")
    assert "roster-pipeline[pgp]" in done.stdout


@pytest.mark.skipif(shutil.which("gpg") is None, reason="GnuPG is not on this machine")
def test_what_gnupg_encrypts_for_a_key_with_a_passphrase_is_opened(
    server: Folder, put: Put, tmp_path: Path
) -> None:
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    (home / "roster.zip").write_bytes(packed(orgs_csv=ORGS, users_csv=USERS))

    def gpg(*words: str) -> bytes:
        always = ["gpg", "--homedir", str(home), "--batch", "--yes", "--pinentry-mode", "loopback"]
        said = [*always, "--passphrase", PASSWORD, *words]
        return subprocess.run(said, check=True, capture_output=True).stdout

    gpg("--quick-generate-key", "roster@pipeline.example", "default", "default", "never")
    private = gpg("--export-secret-keys", "--armor", "roster@pipeline.example").decode()
    gpg("--trust-model", "always", "-r", "roster@pipeline.example", "-e", str(home / "roster.zip"))
    drop = the_file(server, put, (home / "roster.zip.gpg").read_bytes(), "roster.zip.gpg")
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)

    assert landed(server, drop, Keys(pgp=PgpKeys(private, PASSWORD))) == CLEAN
    for wrong in (None, "wrong"):
        code, said = refused(server, drop, Keys(pgp=PgpKeys(private, wrong)))
        assert code == "wrong_key"
        assert "its `passphrase` is wrong or missing" in said


@pytest.mark.parametrize(
    ("encryption", "keys"),
    [
        (None, Keys()),
        ({"password": {"env": "PASSWORD"}}, Keys(password=PASSWORD)),
        (
            {
                "pgp": {
                    "private_key": {"file": "keys/ours.asc"},
                    "passphrase": {"env": "PASSWORD"},
                    "signed_by": {"file": "keys/ours.asc"},
                }
            },
            Keys(pgp=PgpKeys("a key", PASSWORD, "a key")),
        ),
    ],
)
def test_keys_come_from_where_the_source_says(
    tmp_path: Path, encryption: Mapping[str, Any] | None, keys: Keys
) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "ours.asc").write_text("a key\n")
    district = source(encryption=encryption)

    assert Channels(tmp_path, {"PASSWORD": PASSWORD}).keys(district) == keys
    assert PASSWORD not in repr(keys)
    if encryption is not None:
        with pytest.raises(CredentialsUnusable, match="PASSWORD is not set"):
            Channels(tmp_path, {}).keys(district)
