"""Rosters in the store: by content, whole or not at all, on a disk and in an object store."""

import os
import shutil
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import fsspec
import numpy as np
import pandas as pd
import pytest

from roster_pipeline.oneroster.findings import FindingGroup, Findings, Severity
from roster_pipeline.oneroster.roster import Roster, RosterWriter
from roster_pipeline.store import NotStored, Snapshot
from roster_pipeline.store.files import LocalFiles
from roster_pipeline.store.snapshots import Snapshots
from roster_pipeline.tables.text import TEXT
from tests.store import children


def write(folder: Path, *ids: str) -> Roster:
    """A roster of some orgs."""
    writer = RosterWriter(folder)
    frame = pd.DataFrame({"sourcedId": pd.Series(ids, dtype=TEXT)})
    frame["name"] = frame["sourcedId"]
    writer.write("orgs", frame, file="orgs.csv", lines=np.arange(2, 2 + len(ids)))
    return writer.finish()


def everything(root: str) -> dict[str, bytes]:
    """Every file of a store."""
    fs, path = fsspec.core.url_to_fs(root)
    return {name: fs.cat_file(name) for name in fs.find(path)}


def test_a_roster_comes_back_as_it_was_put(url: str) -> None:
    store = Snapshots(url)
    snapshot = store.put("springfield", write(store.stage("springfield"), "d1", "s1"))
    assert snapshot.counts["orgs"] == 2
    roster = Snapshots(url).open(snapshot)
    assert roster.content_hash == snapshot.content_hash
    assert roster.frame("orgs")["sourcedId"].tolist() == ["d1", "s1"]


def test_the_same_roster_twice_changes_nothing(url: str) -> None:
    store = Snapshots(url)
    first = store.put("springfield", write(store.stage("springfield"), "d1"))
    before = everything(url)
    assert store.put("springfield", write(store.stage("springfield"), "d1")) == first
    assert everything(url) == before


def test_nothing_is_left_in_staging(url: str, tmp_path: Path) -> None:
    store = Snapshots(url)
    for _ in range(2):
        folder = store.stage("springfield")
        (folder / "scratch").mkdir()
        store.put("springfield", write(folder / "roster", "d1"))
    store.put_findings("springfield", "abc", Findings().frame())
    store.discard(store.stage("springfield"))
    staging = [path for path in tmp_path.rglob("*") if "staging" in path.parent.parent.name]
    assert staging == []


def test_a_roster_from_elsewhere_is_copied(url: str, tmp_path: Path) -> None:
    elsewhere = write(tmp_path / "elsewhere", "d1")
    snapshot = Snapshots(url).put("springfield", elsewhere)
    assert Snapshots(url).open(snapshot).counts == elsewhere.counts
    assert elsewhere.frame("orgs")["sourcedId"].tolist() == ["d1"]


def test_a_stored_roster_may_be_put_again(tmp_path: Path) -> None:
    store = Snapshots(tmp_path)
    snapshot = store.put("springfield", write(store.stage("springfield"), "d1"))
    assert store.put("springfield", store.open(snapshot)) == snapshot
    assert store.open(snapshot).counts["orgs"] == 1


def test_a_store_may_be_moved(tmp_path: Path) -> None:
    store = Snapshots(tmp_path / "old")
    snapshot = store.put("springfield", write(store.stage("springfield"), "d1"))
    shutil.move(tmp_path / "old", tmp_path / "new")
    assert Snapshots(tmp_path / "new").open(snapshot).counts["orgs"] == 1


def test_a_roster_that_is_not_there_is_said_to_be_missing(url: str) -> None:
    store = Snapshots(url)
    missing = Snapshot("springfield", "ab" * 32, {}, "")
    assert not store.exists(missing)
    with pytest.raises(NotStored, match=r"roster abababababab is not at .*Restore the store"):
        store.open(missing)


def test_a_roster_whose_upload_was_cut_anywhere_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Snapshots(f"memory://{tmp_path}/store")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    memory = fsspec.filesystem("memory")
    whole = store.put("springfield", write(store.stage("springfield"), "d1"))
    names = len(memory.find(f"{tmp_path}/store"))
    memory.rm(f"{tmp_path}/store", recursive=True)
    assert names >= 3
    for cut in range(names):
        left = iter(range(cut))

        def put_file(local: str, remote: str, left: Iterator[int] = left) -> None:
            if next(left, None) is None:
                raise ConnectionError
            memory.pipe_file(remote, Path(local).read_bytes())

        with monkeypatch.context() as patch:
            patch.setattr(type(memory), "put_file", staticmethod(put_file))
            with pytest.raises(ConnectionError):
                store.put("springfield", write(store.stage("springfield"), "d1"))
        assert len(memory.find(f"{tmp_path}/store")) == cut
        assert not store.exists(whole)
    assert store.put("springfield", write(store.stage("springfield"), "d1")) == whole
    assert store.open(whole).counts["orgs"] == 1


def test_only_its_owner_can_read_the_store(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        store = Snapshots(tmp_path / "store")
        store.put("springfield", write(store.stage("springfield"), "d1"))
        store.put_findings("springfield", "abc", Findings().frame())
    finally:
        os.umask(mask)
    paths = [tmp_path / "store", *(tmp_path / "store").rglob("*")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_dir()} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_file()} == {0o600}


def test_a_staging_folder_that_others_can_read_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    planted = tmp_path / f"roster-staging-{os.getuid()}"
    planted.mkdir()
    planted.chmod(0o755)
    with pytest.raises(NotStored, match="can be read by others"):
        Snapshots(f"memory://{tmp_path}/store").stage("springfield")


@pytest.mark.parametrize("source", ["", "..", "a/b", ".hidden", "a\nb"])
def test_a_source_that_would_leave_its_folder_is_refused(tmp_path: Path, source: str) -> None:
    with pytest.raises(ValueError, match="cannot name anything"):
        Snapshots(tmp_path).stage(source)


def test_findings_come_back_as_they_were_put(url: str) -> None:
    store = Snapshots(url)
    group = FindingGroup(
        "row.cells", Severity.HOLD, "one cell too many", "users.csv", lines=np.array([3, 9])
    )
    whole = FindingGroup("file.empty", Severity.WARN, "no rows", "demographics.csv", column="sex")
    frame = Findings([group, whole]).frame()
    store.put_findings("springfield", "abc", frame)
    pd.testing.assert_frame_equal(store.findings("springfield", "abc"), frame)
    store.put_findings("springfield", "abc", frame.head(1))
    assert len(store.findings("springfield", "abc")) == 1
    with pytest.raises(NotStored, match="no findings are kept"):
        store.findings("springfield", "abd")


def test_what_a_killed_process_staged_is_swept_and_a_living_ones_is_not(
    url: str, tmp_path: Path
) -> None:
    mine = Snapshots(url).stage("springfield")
    told = tmp_path / "told"
    assert children.run((children.stage_and_die, url, told)) == [-signal.SIGKILL]
    left = Path(told.read_text())
    assert (left / "half").exists()
    Snapshots(url).stage("springfield")
    assert not left.exists()
    assert mine.exists()


def test_what_another_machine_staged_is_left_alone_for_a_day(tmp_path: Path) -> None:
    store = Snapshots(tmp_path)
    mine = store.stage("springfield")
    pid, started, _, token = mine.name.split("-")
    theirs = mine.rename(mine.with_name(f"{pid}-{started}-000000000000-{token}"))
    store.stage("springfield")
    assert theirs.exists()
    os.utime(theirs, (0, theirs.stat().st_mtime - 86_401))
    store.stage("springfield")
    assert not theirs.exists()


def test_of_two_that_publish_the_same_roster_at_once_the_first_stays(tmp_path: Path) -> None:
    files = LocalFiles(tmp_path)
    for writer in ("first", "second"):
        staged = files.stage("springfield")
        (staged / "roster.json").write_text(writer)
        files.publish(staged, "snapshots/springfield/abc", last="roster.json")
        assert not staged.exists()
    assert (tmp_path / "snapshots/springfield/abc/roster.json").read_text() == "first"


def test_a_folder_that_cannot_be_moved_into_place_is_no_roster_there(tmp_path: Path) -> None:
    files = LocalFiles(tmp_path)
    (tmp_path / "snapshots/springfield/abc").mkdir(parents=True)
    (tmp_path / "snapshots/springfield/abc/stray").touch()
    staged = files.stage("springfield")
    (staged / "roster.json").touch()
    with pytest.raises(OSError, match="not empty"):
        files.publish(staged, "snapshots/springfield/abc", last="roster.json")
    assert staged.exists()


def test_a_table_lies_beside_its_roster_and_is_replaced_whole(url: str) -> None:
    store = Snapshots(url)
    roster = store.put("springfield", write(store.stage("springfield"), "d1"))
    rows = pd.DataFrame({"sourcedId": pd.Series(["c1", None], dtype=TEXT), "students": [3, 0]})
    assert store.put_table(roster, "sections.maths", rows).endswith(".sections.maths.parquet")
    pd.testing.assert_frame_equal(Snapshots(url).table(roster, "sections.maths"), rows)
    store.put_table(roster, "sections.maths", rows.head(1))
    assert len(store.table(roster, "sections.maths")) == 1
    assert store.open(roster).counts["orgs"] == 1
    with pytest.raises(NotStored, match=r"there is no sections\.reading of roster"):
        store.table(roster, "sections.reading")
