"""`roster sync` and what a person does with a hold, through the real graph."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from roster_pipeline.store import Hold
from tests.cli.conftest import Roster
from tests.small import Row, unpacked

Pack = Callable[..., Path]
Run = Callable[..., object]


@pytest.fixture
def drop(workspace: Path, pack: Pack) -> Callable[..., Path]:
    """Put a package where the source looks."""

    def _drop(
        name: str = "roster.zip", change: Callable[[dict[str, list[Row]]], object] = lambda _: None
    ) -> Path:
        return pack(name, change).replace(workspace / "drops" / name)

    return _drop


def held(roster: Roster, workspace: Path) -> str:
    """Sync a first roster; the name of its hold."""
    ended = roster("sync", "springfield", "-w", workspace, "--format", "json")
    assert ended.code == 3
    return str(ended.document()["hold"]["name"])


def contents(folder: Path) -> Mapping[str, str]:
    """Every file with a hash of its bytes."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_first_roster_is_held_shown_approved_and_delivered(
    roster: Roster, workspace: Path, drop: Callable[..., Path]
) -> None:
    drop()
    name = held(roster, workspace)

    listed = roster("holds", "-w", workspace, "--format", "json").document()["holds"]
    assert [(hold["name"], hold["status"]) for hold in listed] == [(name, "open")]
    shown = roster("show", name, "-w", workspace, "--format", "json").document()
    assert shown["changes"]["totals"]["added"] == 23
    assert shown["findings"]["total"] == 0
    assert name in roster("show", name, "-w", workspace).out

    approved = roster("approve", name, "--why", "checked by phone", "-w", workspace)
    assert approved.code == 0, approved.err
    assert "Delivered to learning-app" in approved.out
    delivered = workspace / "learning-app" / "rosters" / "springfield.zip"
    assert len(unpacked(delivered)["users"]) == 5

    status = roster("status", "-w", workspace, "--format", "json").document()["sources"][0]
    assert status["accepted"]["hold"] == name
    assert status["destinations"][0]["behind"] is False
    assert "springfield" in roster("status", "-w", workspace).out

    again = roster("sync", "springfield", "-w", workspace, "--format", "json")
    assert (again.code, again.document()["outcome"]) == (0, "nothing_new")

    twice = roster("approve", name, "--why", "again", "-w", workspace)
    assert twice.code == 1
    assert name in twice.err


@pytest.mark.soak
def test_the_next_step_is_said_as_it_must_be_typed_here(
    roster: Roster,
    workspace: Path,
    drop: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    drop()
    elsewhere = roster("sync", "springfield", "-w", workspace).out
    name = elsewhere.partition("Held as ")[2].partition(".")[0]
    assert f"roster -w {workspace} show {name}\n" in elsewhere
    assert f"roster -w {workspace} approve {name} --why" in elsewhere
    assert f"roster -w {workspace} reject {name}" in roster("show", name, "-w", workspace).out

    monkeypatch.chdir(workspace)
    assert f": roster approve {name} --why" in roster("sync", "springfield").out
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROSTER_WORKSPACE", str(workspace))
    assert f"What would change: roster show {name}\n" in roster("sync", "springfield").out


def test_a_rejected_roster_stays_out_and_is_reported(
    roster: Roster, workspace: Path, first_hold: Hold
) -> None:
    name = first_hold.name
    rejected = roster(
        "reject", name, "--why", "wrong file", "--who", "ada", "-w", workspace, "--format", "json"
    )
    assert rejected.code == 0
    assert rejected.document()["decided_by"] == "ada"
    ended = roster("sync", "springfield", "-w", workspace)
    assert ended.code == 3
    assert "rejected" in ended.out
    assert roster("holds", "-w", workspace).out == "Nothing is held.\n"
    assert name in roster("holds", "--all", "-w", workspace).out


@pytest.mark.soak
def test_an_approval_without_a_run_is_taken_up_by_the_next_sync(
    roster: Roster, workspace: Path, first_hold: Hold
) -> None:
    name = first_hold.name
    approved = roster("approve", name, "--why", "ok", "--no-run", "-w", workspace)
    assert approved.code == 0
    assert not (workspace / "learning-app").exists()
    assert roster("sync", "springfield", "-w", workspace).code == 0
    assert (workspace / "learning-app" / "rosters" / "springfield.zip").exists()


@pytest.mark.soak
def test_a_sync_says_which_rows_it_could_not_use(
    roster: Roster, workspace: Path, drop: Callable[..., Path], first_hold: Hold
) -> None:
    roster("approve", first_hold.name, "--why", "ok", "-w", workspace)
    drop("later.zip", lambda files: files["enrollments"][0].update(beginDate="8/26/2026"))
    ended = roster("sync", "springfield", "-w", workspace)
    assert ended.code == 0, ended.err
    assert "could not be used as they are: 1 of enrollments." in ended.out
    assert "`roster -w" in ended.out
    assert "check springfield` says why" in " ".join(ended.out.split())


def test_a_dry_run_changes_no_file_and_shows_what_it_would_deliver(
    roster: Roster, workspace: Path, drop: Callable[..., Path], first_hold: Hold, tmp_path: Path
) -> None:
    roster("approve", first_hold.name, "--why", "ok", "-w", workspace)
    drop("later.zip", lambda files: files["users"][0].update(givenName="Augusta"))
    before = contents(workspace)
    ended = roster(
        *("sync", "springfield", "--dry-run", "--out", tmp_path / "out", "-w", workspace),
        *("--format", "json"),
    )
    assert ended.code == 0, ended.err
    assert ended.document()["dry_run"] is True
    assert contents(workspace) == before
    (package,) = (tmp_path / "out").rglob("*.zip")
    assert "Augusta" in {row["givenName"] for row in unpacked(package)["users"]}


@pytest.mark.soak
def test_a_dry_run_that_would_be_held_names_no_hold_and_says_what_would_change(
    roster: Roster, workspace: Path, drop: Callable[..., Path]
) -> None:
    drop()
    words = ("sync", "springfield", "--dry-run", "-w", workspace)
    ended = roster(*words)
    assert ended.code == 3
    assert "springfield-2" not in ended.out
    assert "Held: a person would have to approve this." in ended.out
    assert "no hold was opened" in ended.out
    (header,) = (line.split() for line in ended.out.splitlines() if "added" in line)
    assert header == ["entity", "added", "changed", "removed", "unchanged"]
    (users,) = (line.split() for line in ended.out.splitlines() if line.startswith("users "))
    assert users == ["users", "5", "0", "0", "0"]

    document = roster(*words, "--format", "json").document()
    assert document["summary"]["hold"] is None
    assert document["summary"]["changes"]["users"]["added"] == 5


def test_a_dry_run_names_a_hold_that_there_is(
    roster: Roster, workspace: Path, first_hold: Hold
) -> None:
    ended = roster("sync", "springfield", "--dry-run", "-w", workspace)
    assert ended.code == 3
    assert f"Held as {first_hold.name}." in ended.out
    assert "no hold was opened" not in ended.out
    assert "nothing of this was kept" in ended.out


def test_what_cannot_be_used_stops_with_its_file_and_leaves_the_receiver_alone(
    roster: Roster, workspace: Path, drop: Callable[..., Path]
) -> None:
    drop("roster.zip", lambda files: files.pop("orgs"))
    ended = roster("sync", "springfield", "-w", workspace)
    assert ended.code == 1
    assert ended.out == ""
    assert ended.err.startswith("roster: springfield, ")
    assert "orgs.csv" in ended.err
    assert "Traceback" not in ended.err
    assert not (workspace / "learning-app").exists()


def test_an_unknown_source_is_told_with_those_there_are(roster: Roster, workspace: Path) -> None:
    ended = roster("sync", "shelbyville", "-w", workspace)
    assert ended.code == 2
    assert "shelbyville" in ended.err
    assert "springfield" in ended.err


def test_a_date_before_the_first_partition_is_refused_in_words(
    roster: Roster, workspace: Path
) -> None:
    ended = roster("sync", "springfield", "--date", "1999-01-01", "-w", workspace)
    assert ended.code == 1
    assert "partitions.start" in ended.err


@pytest.mark.parametrize("words", [("--date", "yesterday"), ("--out", "x")])
def test_a_wrong_option_is_refused_before_anything_happens(
    roster: Roster, workspace: Path, words: tuple[str, str]
) -> None:
    ended = roster("sync", "springfield", *words, "-w", workspace)
    assert (ended.code, ended.out) == (2, "")


def test_a_hold_that_is_not_there_is_said_so(roster: Roster, workspace: Path) -> None:
    for words in (("show", "x"), ("approve", "x", "--why", "y"), ("reject", "x", "--why", "y")):
        ended = roster(*words, "-w", workspace)
        assert (ended.code, ended.out) == (1, "")
        assert "'x'" in ended.err
