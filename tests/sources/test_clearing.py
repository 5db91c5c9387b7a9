"""What is moved away or removed on the server, and above all what is not."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from roster_pipeline.sources.clearing import Cleared, Waits, clear, share_a_folder
from roster_pipeline.sources.config import Source
from roster_pipeline.store import Landed
from roster_pipeline.transport.channel import RemoteFile
from roster_pipeline.transport.errors import NotPermitted
from roster_pipeline.transport.folder import Folder
from tests.sources.conftest import Put, source

WHEN = datetime(2026, 8, 26, 6, 0, tzinfo=UTC)


def read(*files: RemoteFile) -> Landed:
    """What was landed of these files."""
    return Landed(
        source="springfield",
        date=date(2026, 8, 26),
        original_hash="0" * 64,
        stored_hash="0" * 64,
        remote_path=files[0].path,
        modified=max(file.modified for file in files),
        size=1,
        url="file:///nowhere",
        files=files,
    )


def there(server: Folder) -> list[str]:
    """Every file on the server."""
    root = server._root
    return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())


def cleared(server: Folder, drops: list[Landed], **keys: Any) -> Cleared:
    return clear(server, source(**{"folder": "out", **keys}), drops)


@pytest.fixture
def drop(server: Folder, put: Put) -> Landed:
    put("out/export.zip", WHEN)
    put("out/other.zip", WHEN)
    return read(*server.list("out", "export.zip"))


@pytest.mark.parametrize(
    ("archive", "place"),
    [
        ("processed", "out/processed/export.zip"),
        ("done/{date}/roster", "out/done/2026-08-26/roster/export.zip"),
    ],
)
def test_a_drop_is_moved_to_the_archive(
    server: Folder, drop: Landed, archive: str, place: str
) -> None:
    assert cleared(server, [drop], archive=archive) == Cleared(1)
    assert there(server) == sorted([place, "out/other.zip"])
    assert cleared(server, [drop], archive=archive) == Cleared(0)


def test_an_absolute_archive_is_not_below_the_folder(server: Folder, drop: Landed) -> None:
    cleared(server, [drop], archive=str(server._root / "processed"))

    assert there(server) == ["out/other.zip", "processed/export.zip"]


def test_drops_of_one_name_do_not_replace_each_other(
    server: Folder, drop: Landed, put: Put
) -> None:
    cleared(server, [drop], archive="processed")
    put("out/export.zip", WHEN + timedelta(days=1), b"PK of the next day")
    again = read(*server.list("out", "export.zip"))

    assert cleared(server, [drop, again], archive="processed") == Cleared(1)
    assert there(server)[1:] == ["out/processed/export-2.zip", "out/processed/export.zip"]


def test_a_drop_is_removed_only_where_the_source_says_so(server: Folder, drop: Landed) -> None:
    assert cleared(server, [drop], delete=True) == Cleared(1)
    assert there(server) == ["out/other.zip"]


@pytest.mark.parametrize("how", [{"delete": True}, {"archive": "processed"}])
def test_what_another_source_of_the_folder_has_yet_to_accept_stays(
    server: Folder, drop: Landed, how: dict[str, Any]
) -> None:
    mine: Source = source(folder="out", **how)
    (file,) = drop.files
    theirs = (file.path, file.size, file.modified)

    waiting = clear(server, mine, [drop], others={"shelby": Waits(source(pattern="*"), {})})
    assert waiting.files == 0
    assert waiting.trouble is not None
    assert waiting.trouble.endswith("stay there until shelby has accepted them, too.")
    assert there(server) == ["out/export.zip", "out/other.zip"]

    for other in (Waits(source(pattern="*"), {theirs}), Waits(source(pattern="x*"), {})):
        assert not other.for_(file)
    done = clear(server, mine, [drop], others={"shelby": Waits(source(pattern="*"), {theirs})})
    assert done == Cleared(1)


def test_sources_share_a_folder_of_one_login_however_it_is_written() -> None:
    def sftp(**keys: str) -> dict[str, Any]:
        said = {"host": "h.example", "username": "u", "password": {"env": "P"}, **keys}
        return {"sftp": {**said, "fingerprint": f"SHA256:{'B' * 43}"}}

    mine: Source = source(folder="/out", transport=sftp())
    assert share_a_folder(mine, source(folder="/out/", transport=sftp(host="H.EXAMPLE")))
    assert not share_a_folder(mine, source(folder="/in", transport=sftp()))
    assert not share_a_folder(mine, source(folder="/out", transport=sftp(username="v")))
    assert not share_a_folder(mine, source(folder="/out"))


@pytest.mark.parametrize("how", [{"delete": True}, {"archive": "processed"}])
def test_another_file_under_the_same_name_stays(
    server: Folder, drop: Landed, put: Put, how: dict[str, Any]
) -> None:
    put("out/export.zip", WHEN + timedelta(seconds=1))
    assert cleared(server, [drop], **how) == Cleared(0)
    put("out/export.zip", WHEN, b"PK and more")
    assert cleared(server, [drop], **how) == Cleared(0)
    assert there(server) == ["out/export.zip", "out/other.zip"]


@pytest.mark.parametrize("how", [{"delete": True}, {"archive": "processed"}])
def test_a_file_that_is_replaced_while_it_is_cleared_stays(
    drop: Landed, put: Put, server: Folder, how: dict[str, Any]
) -> None:
    def the_next_drop_comes() -> None:
        put("out/export.zip", WHEN + timedelta(minutes=1), b"PK of the next day")

    district: Source = source(folder="out", **how)
    done = clear(server, district, [drop], check=the_next_drop_comes)

    assert done.files == 0
    assert "is not the file any more that was read" in str(done.trouble)
    assert there(server) == ["out/export.zip", "out/other.zip"]


def test_a_marker_goes_with_its_drop(server: Folder, drop: Landed, put: Put) -> None:
    put("out/export.zip.done", WHEN)
    put("out/other.zip.done", WHEN)

    cleared(server, [drop], archive="processed", complete={"marker": "{name}.done"})

    assert there(server) == [
        "out/other.zip",
        "out/other.zip.done",
        "out/processed/export.zip",
        "out/processed/export.zip.done",
    ]


def test_loose_files_go_one_by_one_and_those_that_came_anew_stay(server: Folder, put: Put) -> None:
    for name in ("orgs.csv", "users.csv", "done.flag"):
        put(f"out/{name}", WHEN)
    drop = read(*server.list("out", "*.csv"))
    put("out/users.csv", WHEN + timedelta(minutes=1))
    keys: dict[str, Any] = {"files": ["*.csv"], "complete": {"marker": "done.flag"}}

    assert cleared(server, [drop], archive="processed", **keys) == Cleared(1)
    assert there(server) == ["out/done.flag", "out/processed/orgs.csv", "out/users.csv"]


def test_a_server_that_lets_nothing_be_moved_is_told_of_and_fails_nothing(
    server: Folder, drop: Landed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise NotPermitted("Cannot move out/export.zip: not permitted.")

    monkeypatch.setattr(server, "move", refuse)

    done = cleared(server, [drop], archive="processed")

    assert done.files == 0
    assert done.trouble == (
        "springfield: the roster is accepted, but its drop could not be moved away: Cannot move "
        "out/export.zip: not permitted. It will be tried again with the next sync. Ask for the "
        "right to do so, or take `archive` out."
    )
    assert there(server) == ["out/export.zip", "out/other.zip"]
