"""What every channel does, over SFTP and on a folder alike."""

import io
import logging
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from roster_pipeline.transport import (
    Changed,
    NotFound,
    NotPermitted,
    RemoteFile,
    TransportError,
)
from tests.transport.conftest import Place

SOME = os.urandom(400_000)


def put(file: Path, content: bytes = b"x", seconds: int = 1_790_000_000) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    os.utime(file, (seconds, seconds))
    return file


def fetched(place: Place, file: RemoteFile) -> bytes:
    into = io.BytesIO()
    place.channel.download(file, into)
    return into.getvalue()


def test_a_listing_has_the_matching_files_of_one_folder_oldest_first(place: Place) -> None:
    put(place.root / "drops/b.zip", b"bb", 200)
    put(place.root / "drops/a.zip", b"a", 200)
    put(place.root / "drops/c.zip", b"ccc", 100)
    put(place.root / "drops/readme.txt")
    put(place.root / "drops/D.ZIP")
    put(place.root / "drops/deeper/e.zip")
    (place.root / "drops/folder.zip").mkdir()
    assert place.channel.list("drops", "*.zip") == [
        RemoteFile("drops/c.zip", 3, datetime.fromtimestamp(100, UTC)),
        RemoteFile("drops/a.zip", 1, datetime.fromtimestamp(200, UTC)),
        RemoteFile("drops/b.zip", 2, datetime.fromtimestamp(200, UTC)),
    ]


def test_the_login_folder_is_listed_without_a_leading_dot(place: Place) -> None:
    put(place.root / "a.zip")
    assert [file.path for file in place.channel.list(".", "*")] == ["a.zip"]
    assert [file.path for file in place.channel.list("", "*")] == ["a.zip"]


def test_hidden_files_are_listed_only_when_asked_for(place: Place) -> None:
    put(place.root / ".a.zip.part-0011aabb")
    put(place.root / ".hidden.zip")
    assert place.channel.list(".", "*") == []
    assert [file.path for file in place.channel.list(".", ".*.zip")] == [".hidden.zip"]


def test_a_link_to_a_file_is_listed_as_the_file_and_a_dead_link_is_not(place: Place) -> None:
    put(place.root / "2026/a.zip", b"1234")
    (place.root / "current.zip").symlink_to("2026/a.zip")
    (place.root / "dead.zip").symlink_to("2026/gone.zip")
    listed = place.channel.list(".", "*.zip")
    assert [(file.path, file.size) for file in listed] == [("current.zip", 4)]
    assert fetched(place, listed[0]) == b"1234"


def test_a_name_that_is_not_utf8_does_not_hide_the_others(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    (place.root / os.fsdecode(b"sch\xfcler.zip")).write_bytes(b"1")
    put(place.root / "Schülerin\u00a0Nguyễn.zip", b"22")
    with caplog.at_level(logging.WARNING):
        listed = place.channel.list(".", "*.zip")
    assert [fetched(place, file) for file in listed] == [b"22"]
    assert "1 files in . are passed over" in caplog.text


def test_stat_tells_size_and_time_of_a_file_and_nothing_of_what_is_none(place: Place) -> None:
    put(place.root / "drops/a.zip", b"123", 300)
    assert place.channel.stat("drops/a.zip") == RemoteFile(
        "drops/a.zip", 3, datetime.fromtimestamp(300, UTC)
    )
    assert place.channel.stat("drops") is None
    assert place.channel.stat("drops/b.zip") is None
    assert place.channel.stat("drops/a.zip/inside") is None
    assert place.channel.exists("drops/a.zip")
    assert not place.channel.exists("drops/b.zip")


@pytest.mark.parametrize("size", [0, 1, 128 * 1024, 128 * 1024 + 1, 5_000_000])
def test_what_was_uploaded_is_read_back_and_downloaded(place: Place, size: int) -> None:
    content = os.urandom(size)
    place.channel.upload("out/deep/x.zip", io.BytesIO(content), size)
    assert (place.root / "out/deep/x.zip").read_bytes() == content
    assert b"".join(place.channel.read("out/deep/x.zip")) == content
    (listed,) = place.channel.list("out/deep", "*.zip")
    moved: list[int] = []
    into = io.BytesIO(b"before")
    into.seek(6)
    place.channel.download(listed, into, progress=moved.append)
    assert into.getvalue() == b"before" + content
    assert sum(moved) == size


def test_an_upload_replaces_what_was_there_and_can_be_repeated(place: Place) -> None:
    put(place.root / "x.zip", b"an older and longer file")
    for _ in range(2):
        place.channel.upload("x.zip", io.BytesIO(b"new"), 3)
        assert (place.root / "x.zip").read_bytes() == b"new"
    assert os.listdir(place.root) == ["x.zip"]


def test_an_upload_clears_away_what_killed_uploads_to_the_same_path_left(place: Place) -> None:
    put(place.root / ".x.zip.part-deadbeef", SOME)
    put(place.root / ".x.zip.part-0badcafe", SOME)
    others = [".x.zip.part-2.part-00000002", ".x.zip.part-mine", ".y.zip.part-00000001"]
    for other in others:
        put(place.root / other, SOME)
    place.channel.upload("x.zip", io.BytesIO(b"new"), 3)
    assert sorted(os.listdir(place.root)) == [*others, "x.zip"]


def test_a_file_is_not_seen_under_its_name_before_it_is_complete(place: Place) -> None:
    seen: list[list[str]] = []

    class Watched(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            seen.append(os.listdir(place.root))
            return super().read(size)

    place.channel.upload("x.zip", Watched(SOME), len(SOME))
    assert len(seen) > 2
    assert not any("x.zip" in names for names in seen)


@pytest.mark.parametrize(("announced", "found"), [(4, "more"), (6, "5")])
def test_content_of_another_size_than_announced_is_not_put_in_place(
    place: Place, announced: int, found: str
) -> None:
    put(place.root / "x.zip", b"older")
    with pytest.raises(TransportError, match=f"{found} bytes, not the {announced} announced"):
        place.channel.upload("x.zip", io.BytesIO(b"12345"), announced)
    assert (place.root / "x.zip").read_bytes() == b"older"
    assert os.listdir(place.root) == ["x.zip"]


def test_a_fault_of_the_content_is_raised_as_it_is_and_leaves_nothing(place: Place) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(5, "local disk")

    with pytest.raises(OSError, match="local disk"):
        place.channel.upload("x.zip", Broken(), 5)
    assert os.listdir(place.root) == []


def test_a_fault_of_the_target_is_raised_as_it_is_and_the_channel_goes_on(place: Place) -> None:
    put(place.root / "x.zip", SOME)
    (file,) = place.channel.list(".", "*")

    class Full(io.BytesIO):
        def write(self, block: object) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        place.channel.download(file, Full())
    assert fetched(place, file) == SOME


def test_a_target_that_takes_little_at_a_time_gets_everything(place: Place) -> None:
    put(place.root / "x.zip", SOME)
    (file,) = place.channel.list(".", "*")
    taken = bytearray()

    class Slow(io.BytesIO):
        def write(self, block: object) -> int:
            assert isinstance(block, memoryview)
            taken.extend(block[:50_000])
            return min(len(block), 50_000)

    place.channel.download(file, Slow())
    assert taken == SOME


@pytest.mark.parametrize("content", [SOME + b"grown", SOME[:-1], SOME])
def test_a_file_that_is_not_the_listed_one_any_more_is_refused(
    place: Place, content: bytes
) -> None:
    put(place.root / "x.zip", SOME, 1_790_000_000)
    (file,) = place.channel.list(".", "*")
    put(place.root / "x.zip", content, 1_790_000_060)
    with pytest.raises(Changed, match=r"x\.zip .* changed .* now .* UTC") as refused:
        fetched(place, file)
    assert refused.value.transient


@pytest.mark.parametrize("content", [SOME * 20 + b"grown", SOME])
def test_a_file_that_changes_while_it_is_downloaded_is_refused(
    place: Place, content: bytes
) -> None:
    put(place.root / "x.zip", SOME * 20, 1_790_000_000)
    (file,) = place.channel.list(".", "*")
    done: list[int] = []

    def change(size: int) -> None:
        if not done:
            put(place.root / "x.zip", content, 1_790_000_060)
        done.append(size)

    with pytest.raises(Changed, match="changed while it was being downloaded"):
        place.channel.download(file, io.BytesIO(), progress=change)


def test_what_is_not_there_is_said_to_be_missing(place: Place) -> None:
    gone = RemoteFile("drops/gone.zip", 1, datetime.fromtimestamp(0, UTC))
    with pytest.raises(NotFound, match=r"list .*drops.* Check the path"):
        place.channel.list("drops", "*")
    with pytest.raises(NotFound, match=r"gone\.zip"):
        fetched(place, gone)
    with pytest.raises(NotFound, match=r"read .*gone\.zip"):
        list(place.channel.read("gone.zip"))
    (place.root / "drops").mkdir()
    with pytest.raises(TransportError, match="drops"):
        list(place.channel.read("drops"))


def test_an_upload_onto_a_folder_is_refused_with_a_sentence(place: Place) -> None:
    (place.root / "x.zip").mkdir()
    with pytest.raises(TransportError, match=r"x\.zip"):
        place.channel.upload("x.zip", io.BytesIO(b"1"), 1)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may do everything")
def test_what_is_not_permitted_is_said_so(place: Place) -> None:
    put(place.root / "x.zip").chmod(0)
    (file,) = place.channel.list(".", "*")
    with pytest.raises(NotPermitted, match=r"x\.zip"):
        fetched(place, file)


def test_a_file_is_moved_into_a_folder_that_is_made_and_keeps_its_time(place: Place) -> None:
    put(place.root / "drops/x.zip", b"123", 300)
    assert place.channel.move("drops/x.zip", "read/2026/x.zip") == "read/2026/x.zip"
    assert place.channel.list("drops", "*") == []
    assert place.channel.stat("read/2026/x.zip") == RemoteFile(
        "read/2026/x.zip", 3, datetime.fromtimestamp(300, UTC)
    )


def test_a_move_never_replaces_what_has_the_name_already(place: Place) -> None:
    for number in range(3):
        put(place.root / "x.zip", b"%d" % number)
        place.channel.move("x.zip", "read/x.zip")
    (place.root / "read/y.zip").mkdir()
    (place.root / "read/y-2.zip").symlink_to("gone")
    put(place.root / "y.zip", b"y")
    assert place.channel.move("y.zip", "read/y.zip") == "read/y-3.zip"
    found = place.channel.list("read", "*")
    assert {file.name: fetched(place, file) for file in found} == {
        "x.zip": b"0",
        "x-2.zip": b"1",
        "x-3.zip": b"2",
        "y-3.zip": b"y",
    }


def test_a_move_to_the_files_own_path_does_not_lose_it(place: Place) -> None:
    put(place.root / "x.zip", b"1")
    (place.root / "same").symlink_to(".")
    lies = place.channel.move("x.zip", "same/x.zip")
    assert fetched(place, place.channel.list(".", "*.zip")[0]) == b"1"
    assert lies == "same/x-2.zip"


def test_what_is_not_there_cannot_be_moved(place: Place) -> None:
    (place.root / "folder").mkdir()
    for missing in ("x.zip", "folder", "no/x.zip"):
        with pytest.raises(NotFound, match=missing):
            place.channel.move(missing, "read/x.zip")
    assert os.listdir(place.root) == ["folder"]


def test_a_removed_file_is_gone_and_may_be_removed_again(place: Place) -> None:
    put(place.root / "x.zip")
    for _ in range(2):
        place.channel.remove("x.zip")
        assert os.listdir(place.root) == []


def test_a_file_that_came_after_the_one_that_was_read_is_neither_moved_nor_removed(
    place: Place,
) -> None:
    put(place.root / "x.zip", b"old", 300)
    (read,) = place.channel.list(".", "*")
    put(place.root / "x.zip", b"new", 400)
    with pytest.raises(Changed, match=r"x\.zip .* is not the file any more that was read"):
        place.channel.move("x.zip", "read/x.zip", expected=read)
    with pytest.raises(Changed, match="It stays where it is"):
        place.channel.remove("x.zip", expected=read)
    (now,) = place.channel.list(".", "*")
    assert fetched(place, now) == b"new"
    assert place.channel.move("x.zip", "read/x.zip", expected=now) == "read/x.zip"
    there = place.channel.stat("read/x.zip")
    assert there is not None
    place.channel.remove("read/x.zip", expected=there)
    assert place.channel.list("read", "*") == []


def test_reading_may_be_left_in_the_middle_and_the_channel_closed_before_that(
    place: Place,
) -> None:
    put(place.root / "x.zip", SOME * 20)
    reading = place.channel.read("x.zip")
    next(reading)
    reading.close()  # type: ignore[attr-defined]  # a generator, though the contract says less
    reading = place.channel.read("x.zip")
    next(reading)
    place.channel.close()
    place.channel.close()
    del reading


def test_a_channel_can_be_used_in_a_with_block(place: Place) -> None:
    put(place.root / "x.zip")
    with place.channel as channel:
        assert channel.exists("x.zip")
