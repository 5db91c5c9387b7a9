"""`roster source new` and `roster source test`, against real servers on loopback."""

import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from roster_pipeline.simulator.sftp_server import SftpServer
from roster_pipeline.sources import vendors
from roster_pipeline.workspace import Workspace
from tests.cli.conftest import Ended, Roster
from tests.small import district, packed
from tests.sources.school_server import Habits, records, school_server
from tests.transport.scripted import Answer, Asked, Scripted, json_answer

SECRET = "planted-s3cret"
ZONE = ("--timezone", "America/Chicago")
COLLECTIONS = ("orgs", "academicSessions", "courses", "classes", "enrollments", "users")


@pytest.fixture(autouse=True)
def _without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", open(os.devnull))  # noqa: SIM115
    monkeypatch.setenv("SHELBY_SECRET", SECRET)
    monkeypatch.setenv("SHELBY_SFTP_PASSWORD", SECRET)


def _steps(ended: Ended) -> dict[str, dict[str, Any]]:
    """The steps of a trial by kind and what they are about."""
    document = ended.document()
    assert document["schema"] == "roster.source.test/1"
    return {f"{s['step']} {s['about'] or ''}".rstrip(): s for s in document["steps"]}


def _of_server(workspace: Path, server: Scripted, *more: str, vendor: str = "") -> None:
    """A source that is pulled from a scripted server, by a token of the same."""
    lines = [
        "id: shelby",
        "name: Shelby",
        f"vendor: {vendor or 'generic-rest-1.2'}",
        "timezone: America/Chicago",
        "rest:",
        f"  base_url: {server.url}/ims",
        "  auth:",
        "    oauth2:",
        "      client_id: roster",
        "      client_secret: {env: SHELBY_SECRET}",
        f"      token_url: {server.url}/token",
        *more,
    ]
    (workspace / "sources" / "shelby.yaml").write_text("\n".join(lines) + "\n")


def _tokens(asked: Asked, *_: Any) -> Answer | None:
    if asked.path == "/token":
        return json_answer({"access_token": "planted-t0ken", "expires_in": 3600})
    return None


@pytest.fixture
def tried(roster: Roster, workspace: Path) -> Any:
    def run(*more: str, vendor: str = "", habits: Habits | None = None, **data: Any) -> Ended:
        habits = habits or Habits()
        instead = habits.instead
        habits.instead = lambda *asked: _tokens(*asked) or instead(*asked)
        with school_server({**records(), **data}, habits) as server:
            _of_server(workspace, server, *more, vendor=vendor)
            return roster("-w", workspace, "source", "test", "shelby", "--format", "json")

    return run


# roster source new


@pytest.mark.parametrize("name", vendors.known())
def test_the_file_of_every_vendor_loads_and_says_what_is_to_be_filled_in(
    roster: Roster, workspace: Path, name: str
) -> None:
    ended = roster("-w", workspace, "source", "new", "shelby", "--vendor", name, *ZONE)
    assert ended.code == 0, ended.err
    text = (workspace / "sources" / "shelby.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=../.schemas/source.json\n")
    assert Workspace.load(workspace).source("shelby").vendor == name
    (variable,) = (v for v in ("SECRET", "TOKEN", "SFTP_PASSWORD") if f"SHELBY_{v}}}" in text)
    assert f"SHELBY_{variable} " in ended.err
    left = [line.split(":")[0].strip() for line in text.splitlines() if "fill-me-in" in line]
    for key in left:
        assert key in ended.err


@pytest.mark.parametrize("login", ["oauth2", "oauth1", "bearer"])
def test_every_way_to_log_in_can_be_chosen(roster: Roster, workspace: Path, login: str) -> None:
    words = ("--vendor", "generic-rest-1.1", "--login", login, *ZONE)
    assert roster("-w", workspace, "source", "new", "shelby", *words).code == 0
    rest = Workspace.load(workspace).source("shelby").rest
    assert rest is not None
    assert getattr(rest.auth[0], login) is not None


def test_what_is_said_stands_in_the_file_as_it_was_said(roster: Roster, workspace: Path) -> None:
    name = "Shelby: 'the' \"#1\" district"
    words = ("--name", name, "--base-url", "https://sis.example", "--client-id", "true")
    token = ("--token-url", "https://sis.example/token")
    ended = roster("-w", workspace, "source", "new", "shelby", *words, *token, *ZONE)
    assert "Fill in" not in ended.err
    source = Workspace.load(workspace).source("shelby")
    assert source.name == name
    assert source.rest is not None
    assert source.rest.auth[0].oauth2 is not None
    assert source.rest.auth[0].oauth2.client_id == "true"


def test_nobody_is_asked_for_what_stands_in_a_whole_address(
    roster: Roster, workspace: Path
) -> None:
    words = ("--vendor", "classlink", "--login", "oauth1", "--client-id", "a", *ZONE)
    ended = roster("-w", workspace, "source", "new", "near", *words)
    assert "Fill in there what is not known yet: `base_url`, `app`." in ended.err
    whole = ("--base-url", "https://near.example/ims/oneroster/v1p1")
    ended = roster("-w", workspace, "source", "new", "nearer", *words, *whole)
    assert "Fill in" not in ended.err


def test_a_source_that_is_there_is_not_overwritten(roster: Roster, workspace: Path) -> None:
    before = (workspace / "sources" / "springfield.yaml").read_text()
    ended = roster("-w", workspace, "source", "new", "springfield", *ZONE)
    assert ended.code == 1
    assert "already" in ended.err
    assert (workspace / "sources" / "springfield.yaml").read_text() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("shelby",), "--timezone"),
        (("Shelby", *ZONE), "small letters"),
        (("shelby", "--timezone", "America/Chikago"), "did you mean America/Chicago"),
        (("shelby", "--vendor", "nobody", *ZONE), "no vendor profile"),
        (("shelby", "--base-url", "http://sis.example", *ZONE), "--base-url: https:// is needed"),
        (("shelby", "--vendor", "aeries", "--base-url", "sis.example", *ZONE), "--base-url: this"),
        (("shelby", "--vendor", "powerschool", "--app", "a b", *ZONE), "--app: it is a part"),
        (("shelby", "--vendor", "generic-csv", "--fingerprint", "x", *ZONE), "write SHA256:"),
        (("shelby", "--version", "1.3", *ZONE), "1.1"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_written(
    roster: Roster, workspace: Path, words: tuple[str, ...], said: str
) -> None:
    before = sorted((workspace / "sources").iterdir())
    ended = roster("-w", workspace, "source", "new", *words)
    assert ended.code == 2
    assert said in ended.err
    assert sorted((workspace / "sources").iterdir()) == before


def test_on_a_terminal_what_is_missing_is_asked_for(
    roster: Roster, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answer(text: str, *, default: str | None, err: bool) -> str:
        asked.append(text)
        return default or "America/Chicago"

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.prompt", answer)
    assert roster("-w", workspace, "source", "new", "shelby", "--name", "Shelby").code == 0
    assert not any("call the district" in text for text in asked)
    assert any("vendor" in text for text in asked)
    assert any("timezone" in text for text in asked)


def test_a_vendor_is_not_asked_for_where_an_option_tells_how_the_roster_comes(
    roster: Roster, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answer(text: str, *, default: str | None, err: bool) -> str:
        asked.append(text)
        return default or "Shelby"

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.prompt", answer)
    words = ("--timezone", "America/Chicago", "--name", "Shelby", "--folder-path", "drops")
    assert roster("-w", workspace, "source", "new", "shelby", *words).code == 0
    assert not any("vendor" in text for text in asked)
    assert Workspace.load(workspace).source("shelby").vendor == "generic-csv"


def test_an_answer_that_cannot_be_is_asked_for_again(
    roster: Roster, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {
        "vendor": ["generic-rest", "generic-rest-1.2"],
        "call the district": ["Shelby"],
        "timezone": ["America/Chicgo", "America/Chicago"],
        "address": ["sis.example", "http://sis.example", "https://sis.example"],
        "client id": ["roster"],
        "tokens": ["/token", "https://sis.example/token"],
    }

    def answer(text: str, *, default: str | None, err: bool) -> str:
        return next(answers.pop(0) for about, answers in said.items() if about in text)

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.prompt", answer)
    ended = roster("-w", workspace, "source", "new", "shelby")
    assert ended.code == 0
    assert not any(said.values())
    assert "There is no such profile; did you mean generic-rest-1.2?\n" in ended.err
    assert "This is not an IANA timezone; did you mean America/Chicago?\n" in ended.err
    rest = Workspace.load(workspace).source("shelby").rest
    assert rest is not None
    assert rest.base_url.startswith("https://sis.example/")


def test_the_help_for_a_new_source_has_no_python_in_it(roster: Roster) -> None:
    ended = roster("source", "new", "--help")
    assert "typing" not in ended.out
    assert "1.1|1.2" in ended.out
    assert "--timezone has none" in " ".join(ended.out.split())


# roster source test, of a server


def test_a_source_that_works_is_said_to(tried: Any) -> None:
    ended = tried(habits=Habits(headers=True))
    assert ended.code == 0, ended.out
    steps = _steps(ended)
    assert {step["outcome"] for step in steps.values()} == {"ok", "skipped"}
    assert [name.split()[1] for name in steps if name.startswith("collection")] == [*COLLECTIONS]
    assert steps["collection orgs"]["sentence"] == f"answers; it has {len(records()['orgs'])}"


def test_credentials_that_have_ended_are_told_first(roster: Roster, workspace: Path) -> None:
    with school_server(records(), Habits(instead=_tokens)) as server:
        _of_server(workspace, server)
        file = workspace / "sources" / "shelby.yaml"
        file.write_text(file.read_text().replace("  auth:", "  auth:\n    expires: 2020-06-30"))
        steps = _steps(roster("-w", workspace, "source", "test", "shelby", "--format", "json"))
    assert "ended on 2020-06-30" in steps["settings"]["sentence"]


def test_a_total_that_may_be_of_the_page_is_none(tried: Any) -> None:
    steps = _steps(tried(habits=Habits(headers=True)))
    assert "does not say" in steps["collection users"]["sentence"], "five there, five asked for"


def test_a_trial_asks_for_one_page_each_and_shows_no_cell(roster: Roster, workspace: Path) -> None:
    with school_server(records(), Habits(instead=_tokens)) as server:
        _of_server(workspace, server)
        ended = roster("-w", workspace, "source", "test", "shelby")
    assert [one.path for one in server.asked] == ["/token", *(f"/ims/{c}" for c in COLLECTIONS)]
    assert {one.query.get("limit") for one in server.asked[1:]} == {"5"}
    cells = {str(user[key]) for user in records()["users"] for key in ("givenName", "username")}
    for planted in (SECRET, "planted-t0ken", *cells):
        assert planted not in ended.out + ended.err
    assert not (workspace / "store").exists() or not list((workspace / "store").rglob("*.zip"))


def test_a_secret_that_is_not_set_is_the_first_step_to_fail(
    tried: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHELBY_SECRET")
    ended = tried()
    steps = list(_steps(ended).values())
    assert ended.code == 1
    assert "SHELBY_SECRET" in steps[0]["sentence"]
    assert {step["outcome"] for step in steps[1:]} == {"skipped"}


def test_the_secret_of_a_second_credential_that_is_not_set_is_told_with_the_settings(
    roster: Roster, workspace: Path
) -> None:
    with school_server(records(), Habits(instead=_tokens)) as server:
        _of_server(workspace, server)
        file = workspace / "sources" / "shelby.yaml"
        first, _, oauth2 = file.read_text().partition("    oauth2:")
        _, *values = oauth2.splitlines()
        two = ["    - oauth2:", *(f"  {line}" for line in values)] * 2
        text = first + "\n".join(two) + "\n"
        file.write_text("SHELBY_NEXT".join(text.rsplit("SHELBY_SECRET", 1)))
        ended = roster("-w", workspace, "source", "test", "shelby", "--format", "json")
    steps = _steps(ended)
    assert ended.code == 0, ended.out
    said = steps["settings"]["sentence"]
    assert "not every secret is where it is said to be. The environment variable SHELBY_NEXT" in (
        said
    )
    assert "SHELBY_NEXT" not in steps["login"]["sentence"]


def test_what_is_not_filled_in_is_named_before_anybody_is_asked(
    roster: Roster, workspace: Path
) -> None:
    roster("-w", workspace, "source", "new", "shelby", *ZONE)
    steps = _steps(roster("-w", workspace, "source", "test", "shelby", "--format", "json"))
    assert steps["settings"]["outcome"] == "failed"
    assert "`base_url`" in steps["settings"]["sentence"]
    assert "`client_id`" in steps["settings"]["sentence"]


def test_a_host_that_there_is_not_is_named(roster: Roster, workspace: Path) -> None:
    words = ("--base-url", "https://sis.invalid", "--client-id", "a")
    token = ("--token-url", "https://sis.invalid/token")
    roster("-w", workspace, "source", "new", "shelby", *words, *token, *ZONE)
    steps = _steps(roster("-w", workspace, "source", "test", "shelby", "--format", "json"))
    assert steps["name sis.invalid"]["outcome"] == "failed"
    assert steps["tls sis.invalid:443"]["outcome"] == "skipped"


def test_a_server_that_does_not_run_is_told_by_its_connection(
    roster: Roster, workspace: Path
) -> None:
    with school_server(records(), Habits(instead=_tokens)) as server:
        _of_server(workspace, server)
    steps = _steps(roster("-w", workspace, "source", "test", "shelby", "--format", "json"))
    (name,) = (name for name, step in steps.items() if step["outcome"] == "failed")
    assert name.startswith("connection 127.0.0.1:")
    assert "refuses connections" in steps[name]["sentence"]


def test_credentials_that_are_refused_come_with_the_vendor_s_advice(
    roster: Roster, workspace: Path
) -> None:
    refusing = Habits(instead=lambda asked, *_: Answer(401) if asked.path == "/token" else None)
    with school_server(records(), refusing) as server:
        _of_server(workspace, server, vendor="infinite-campus")
        ended = roster("-w", workspace, "source", "test", "shelby", "--format", "json")
    steps = _steps(ended)
    assert steps["login"]["outcome"] == "failed"
    assert steps["login"]["advice"] == _advice("infinite-campus").unauthorized
    assert "another `in` (basic, body, query)" in steps["login"]["sentence"]
    assert steps["collection orgs"]["outcome"] == "skipped"


def test_a_signature_that_is_refused_fails_at_the_login(roster: Roster, workspace: Path) -> None:
    with school_server(records(), Habits(instead=lambda *_: Answer(401))) as server:
        _of_server(workspace, server)
        file = workspace / "sources" / "shelby.yaml"
        text = file.read_text().partition("    oauth2:")[0]
        signed = "    oauth1: {consumer_key: roster, consumer_secret: {env: SHELBY_SECRET}}\n"
        file.write_text(text + signed)
        steps = _steps(roster("-w", workspace, "source", "test", "shelby", "--format", "json"))
    assert steps["login"]["outcome"] == "failed"
    assert steps["collection orgs"]["outcome"] == "skipped"


def test_a_permission_that_is_missing_is_named_for_each_collection(tried: Any) -> None:
    closed = ("classes", "users")
    habits = Habits(instead=lambda _, collection, __: Answer(403) if collection in closed else None)
    ended = tried(vendor="infinite-campus", habits=habits)
    steps = _steps(ended)
    assert ended.code == 1
    for collection in closed:
        assert steps[f"collection {collection}"]["outcome"] == "failed"
        assert steps[f"collection {collection}"]["advice"] == _advice("infinite-campus").forbidden
    assert steps["collection enrollments"]["outcome"] == "ok"
    assert steps["page"]["outcome"] == "skipped"


def test_an_empty_collection_says_what_to_switch_on(tried: Any) -> None:
    steps = _steps(tried(vendor="infinite-campus", enrollments=[]))
    assert steps["collection enrollments"]["outcome"] == "failed"
    empty = _advice("infinite-campus").empty
    assert steps["collection enrollments"]["advice"] == empty.get("enrollments", empty.get("*"))
    assert steps["collection enrollments"]["advice"]


def test_collections_that_are_elsewhere_are_found(roster: Roster, workspace: Path) -> None:
    old = "/ws/v1p1/ims/oneroster/v1p1"

    def instead(asked: Asked, *_: Any) -> Answer | None:
        return _tokens(asked) or (None if asked.path.startswith(old) else Answer(404))

    with school_server(records("1.1"), Habits(instead=instead)) as server:
        _of_server(workspace, server, vendor="powerschool")
        steps = _steps(roster("-w", workspace, "source", "test", "shelby", "--format", "json"))
    step = steps["collection orgs"]
    assert step["outcome"] == "failed"
    assert f"write `base_url: {server.url}{old}`" in step["sentence"]
    assert step["advice"] is None, "nobody need be asked for what is known by now"
    assert steps["collection users"]["outcome"] == "skipped"


def test_collections_that_are_nowhere_are_asked_for_one_by_one(tried: Any) -> None:
    steps = _steps(tried(habits=Habits(instead=lambda *_: Answer(404))))
    for collection in COLLECTIONS:
        assert "404" in steps[f"collection {collection}"]["sentence"]
    assert "Check `base_url`" in steps["collection orgs"]["sentence"]


def test_users_of_another_version_are_told_by_their_roles(tried: Any) -> None:
    steps = _steps(tried(users=records("1.1")["users"]))
    assert steps["page"]["outcome"] == "failed"
    assert 'version: "1.1"' in steps["page"]["sentence"]


def test_records_that_lack_what_nobody_can_do_without_are_told(tried: Any) -> None:
    lacking = [{**record, "class": None} for record in records()["enrollments"]]
    steps = _steps(tried(enrollments=lacking))
    assert "`class`" in steps["page"]["sentence"]


def test_what_is_expected_is_compared_with_what_the_server_says(tried: Any) -> None:
    wanted = "expect: {courses: [4000, 9000], orgs: [1, 9000]}"
    steps = _steps(tried(wanted, habits=Habits(headers=True)))
    assert steps["expectations"]["outcome"] == "failed"
    assert "4,000 to 9,000" in steps["expectations"]["sentence"]
    assert "orgs" not in steps["expectations"]["sentence"]


def test_a_server_that_says_no_numbers_leaves_counting_to_a_sync(tried: Any) -> None:
    steps = _steps(tried("expect: {users: [4000, 9000]}"))
    assert steps["expectations"]["outcome"] == "ok"
    assert "does not say" in steps["expectations"]["sentence"]


def test_a_web_page_is_no_collection(tried: Any) -> None:
    page = Answer(200, b"<!doctype html><title>Sign in</title>")
    habits = Habits(instead=lambda _, collection, __: page if collection == "users" else None)
    steps = _steps(tried(habits=habits))
    assert "a web page instead of JSON" in steps["collection users"]["sentence"]


def test_a_sync_that_is_refused_says_what_the_trial_says(roster: Roster, workspace: Path) -> None:
    refusing = Habits(instead=lambda asked, *_: _tokens(asked) or Answer(403))
    with school_server(records(), refusing) as server:
        _of_server(workspace, server, vendor="infinite-campus")
        ended = roster("-w", workspace, "sync", "shelby")
    assert ended.code == 1
    assert "403" in ended.err
    assert str(_advice("infinite-campus").forbidden) in ended.err


# roster source test, of drops


@pytest.fixture
def drops(workspace: Path, tmp_path: Path) -> Iterator[tuple[SftpServer, Path]]:
    """An SFTP server, and a source whose drops are in its folder `outgoing`."""
    root = tmp_path / "served"
    (root / "outgoing").mkdir(parents=True)
    with SftpServer(root, passwords={"roster": SECRET}) as server:
        lines = [
            "id: shelby",
            "name: Shelby",
            "timezone: America/Chicago",
            "transport:",
            "  sftp:",
            f"    host: {server.host}",
            f"    port: {server.port}",
            "    username: roster",
            "    password: {env: SHELBY_SFTP_PASSWORD}",
            f"    fingerprint: {server.fingerprint}",
            "folder: outgoing",
            "complete: {quiet_seconds: 0}",
        ]
        (workspace / "sources" / "shelby.yaml").write_text("\n".join(lines) + "\n")
        yield server, root / "outgoing"


def _trial_of_drops(roster: Roster, workspace: Path) -> dict[str, dict[str, Any]]:
    return _steps(roster("-w", workspace, "source", "test", "shelby", "--format", "json"))


def test_a_drop_that_is_there_is_found_and_left(
    roster: Roster, workspace: Path, drops: tuple[SftpServer, Path]
) -> None:
    server, outgoing = drops
    (outgoing / "roster.zip").write_bytes(packed(district()))
    steps = _trial_of_drops(roster, workspace)
    assert {step["outcome"] for step in steps.values()} == {"ok", "skipped"}
    assert steps["expectations"]["outcome"] == "skipped"
    key = f"host key {server.host}:{server.port}"
    assert server.fingerprint in steps[key]["sentence"]
    assert "roster.zip" in steps["newest drop"]["sentence"]
    assert [file.name for file in outgoing.iterdir()] == ["roster.zip"]


def test_a_wrong_password_is_told_apart_from_a_wrong_host_key(
    roster: Roster,
    workspace: Path,
    drops: tuple[SftpServer, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server, _ = drops
    key = f"host key {server.host}:{server.port}"
    monkeypatch.setenv("SHELBY_SFTP_PASSWORD", "another")
    steps = _trial_of_drops(roster, workspace)
    assert (steps[key]["outcome"], steps["login roster"]["outcome"]) == ("ok", "failed")
    file = workspace / "sources" / "shelby.yaml"
    file.write_text(file.read_text().replace(server.fingerprint, f"SHA256:{'A' * 43}"))
    steps = _trial_of_drops(roster, workspace)
    assert (steps[key]["outcome"], steps["login roster"]["outcome"]) == ("failed", "skipped")
    assert server.fingerprint in steps[key]["sentence"]
    assert "says none yet" in steps[key]["sentence"]
    file.write_text(file.read_text().replace("A" * 43, "B" * 43))
    assert "another host key" in _trial_of_drops(roster, workspace)[key]["sentence"]


def test_a_folder_without_drops_and_one_that_is_not_there_are_told(
    roster: Roster, workspace: Path, drops: tuple[SftpServer, Path]
) -> None:
    _, outgoing = drops
    step = _trial_of_drops(roster, workspace)["folder outgoing"]
    assert step["outcome"] == "failed"
    assert "`pattern`" in step["sentence"]
    outgoing.rmdir()
    step = _trial_of_drops(roster, workspace)["folder outgoing"]
    assert "no such file or folder" in step["sentence"]


def test_the_newest_drop_is_checked_and_nothing_of_it_kept(
    roster: Roster, workspace: Path, drops: tuple[SftpServer, Path]
) -> None:
    _, outgoing = drops
    files = district()
    files["enrollments"][0]["userSourcedId"] = "nobody"
    (outgoing / "roster.zip").write_bytes(packed(files))
    before = {path for path in workspace.rglob("*") if path.is_file()}
    step = _trial_of_drops(roster, workspace)["package"]
    assert step["outcome"] == "ok"
    assert f"{len(files['orgs'])} orgs" in step["sentence"]
    assert f"{len(files['enrollments']) - 1} enrollments" in step["sentence"]
    assert "1 × reference.unknown (enrollments.csv: " in step["sentence"]
    cells = {str(user[key]) for user in files["users"] for key in ("givenName", "username")}
    assert not any(cell in step["sentence"] for cell in cells)
    after = {path for path in workspace.rglob("*") if path.is_file()}
    assert not {path.name for path in after - before if path.suffix != ".sqlite"}


def test_a_package_of_which_nothing_would_be_taken_fails(
    roster: Roster, workspace: Path, drops: tuple[SftpServer, Path]
) -> None:
    _, outgoing = drops
    files = district()
    del files["users"]
    (outgoing / "roster.zip").write_bytes(packed(files))
    steps = _trial_of_drops(roster, workspace)
    assert steps["package"]["outcome"] == "failed"
    assert "a sync would stop here and take nothing" in steps["package"]["sentence"]
    assert "users.csv" in steps["package"]["sentence"]
    assert steps["expectations"]["outcome"] == "skipped"


def test_what_is_no_zip_is_told(
    roster: Roster, workspace: Path, drops: tuple[SftpServer, Path]
) -> None:
    _, outgoing = drops
    (outgoing / "roster.zip").write_bytes(b"<html>Sign in</html>")
    step = _trial_of_drops(roster, workspace)["package"]
    assert step["outcome"] == "failed"
    assert "roster.zip" in step["sentence"]


def test_rows_of_a_package_are_compared_with_what_is_expected(
    roster: Roster, workspace: Path, drops: tuple[SftpServer, Path]
) -> None:
    _, outgoing = drops
    (outgoing / "roster.zip").write_bytes(packed(district()))
    file = workspace / "sources" / "shelby.yaml"
    text = file.read_text()
    file.write_text(text + "expect: {users: [4000, 9000], orgs: [1, 9000]}\n")
    step = _trial_of_drops(roster, workspace)["expectations"]
    assert step["outcome"] == "failed"
    assert "4,000 to 9,000 are expected" in step["sentence"]
    assert "orgs" not in step["sentence"]
    file.write_text(text + "expect: {orgs: [1, 9000]}\n")
    assert _trial_of_drops(roster, workspace)["expectations"]["outcome"] == "ok"


def test_a_drop_of_another_day_is_checked_too(
    roster: Roster, workspace: Path, drops: tuple[SftpServer, Path]
) -> None:
    _, outgoing = drops
    drop = outgoing / "roster.zip"
    drop.write_bytes(packed(district()))
    os.utime(drop, (1_750_000_000, 1_750_000_000))
    steps = _trial_of_drops(roster, workspace)
    assert "is for 2025-06-15" in steps["newest drop"]["sentence"]
    assert steps["package"]["outcome"] == "ok"


def test_loose_files_are_checked_as_one_package(
    roster: Roster, workspace: Path, drops: tuple[SftpServer, Path]
) -> None:
    _, outgoing = drops
    with zipfile.ZipFile(io.BytesIO(packed(district()))) as zipped:
        zipped.extractall(outgoing)
        count = len(zipped.namelist())
    file = workspace / "sources" / "shelby.yaml"
    file.write_text(file.read_text() + 'files: ["*.csv"]\n')
    steps = _trial_of_drops(roster, workspace)
    assert steps["folder outgoing"]["sentence"] == f"{count} files like *.csv"
    assert steps["package"]["outcome"] == "ok"


def _advice(vendor: str) -> vendors.Advice:
    return vendors.load(vendor).advice
