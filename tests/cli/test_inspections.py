"""`roster workspace check`: everything that is wrong in any file, at once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from roster_pipeline.sources.placeholders import NO_FINGERPRINT
from tests.cli.conftest import Roster

SOURCE: Final = """\
id: {id}
name: A district
timezone: America/Chicago
transport:
  sftp:
    host: sftp.example
    username: roster
    password: {{env: ROSTER_PLANTED}}
    fingerprint: SHA256:oZ3tVxdDvJmq2sQGmU5hdvXjd6hUZvTnkcmCQy3wDdQ
"""
SERVER: Final = """\
id: {id}
name: A district
timezone: America/Chicago
rest:
  base_url: https://sis.example
  auth: {{bearer: {{token: {{env: ROSTER_PLANTED}}}}}}
"""
RECEIVER: Final = """\
id: {id}
transport: {{folder: {{path: ./out}}}}
path: {id}/{{source}}.zip
"""
PRODUCT: Final = """\
id: {id}
name: A product
sources: [good]
courses:
  catalogue: catalogue.csv
  rules:
    - {{title: lunch, ignore: true}}
"""

BROKEN: Final[Mapping[str, tuple[str | bytes, tuple[str, ...]]]] = {
    "roster.yaml": (
        "storage: ./store\nledgr: sqlite:///ledger.sqlite\npartitions: {start: 2026-13-01}\n"
        "strict: maybe\n",
        (
            "3:21: a value looks like a date or a number and is none",
            # Nothing else of the file can be read before that is mended.
        ),
    ),
    "sources/tab.yaml": ("id: tab\n\tname: Tab\n", ("2:1: this is not YAML",)),
    "sources/bracket.yaml": ("id: bracket\nscope: {schools: [a, b}\n", ("2:",)),
    "sources/colon.yaml": ("id: colon\nname: Colon: the district\n", ("2:12: this is not YAML",)),
    "sources/latin.yaml": (
        SOURCE.format(id="latin").replace("A district", "École").encode("cp1252"),
        ("2:1: this is not UTF-8",),
    ),
    "sources/utf16.yaml": (SOURCE.format(id="utf16").encode("utf-16"), ("1:1: this is not UTF-8",)),
    "sources/bell.yaml": (
        SOURCE.format(id="bell").replace("A district", "A \x07 district"),
        ("2:9: this is not text",),
    ),
    "sources/twice.yaml": (
        SOURCE.format(id="twice") + "name: Once more\nat: 12:30\ntimezone: Mars/Olympus\n",
        (
            "10:1: `name` is given twice; the first is in line 2",
            "11:5: `at`: text is needed here",
            "12:1: `timezone` is given twice; the first is in line 3",
            "12:11: `timezone`: this is not an IANA timezone",
        ),
    ),
    "sources/words.yaml": (
        SOURCE.format(id="words").replace("timezone", "timezon") + "foldr: out\nname2: x\n",
        (
            "1:1: `timezone` is missing",
            "3:1: no key is called `timezon`; did you mean `timezone`?",
            "10:1: no key is called `foldr`; did you mean `folder`?",
            "11:1: no key is called `name2`; did you mean `name`?",
        ),
    ),
    "sources/values.yaml": (
        SOURCE.format(id="values").replace("America/Chicago", "America/Chikago")
        + "cadence: weekly\nscope:\n  grades: []\n  years: [1850]\nexpect: {users: [9, 4]}\n",
        (
            "1:1: a weekly source needs a weekday",
            "3:11: `timezone`: this is not an IANA timezone; did you mean America/Chicago?",
            "12:11: `scope.grades`: the list is empty",
            "13:11: `scope.years`",
            "14:17: `expect.users`: say the fewest and the most rows",
        ),
    ),
    "sources/secret.yaml": (
        SOURCE.format(id="secret").replace("{env: ROSTER_PLANTED}", "planted-s3cret"),
        ("8:15: `transport.sftp.password`: write where the secret is kept",),
    ),
    "sources/print.yaml": (
        SOURCE.format(id="print").replace("SHA256:oZ3", "MD5:oZ3"),
        ("9:18: `transport.sftp.fingerprint`: write SHA256: and 43 characters",),
    ),
    "sources/other-name.yaml": (
        SOURCE.format(id="another-name"),
        ("1:5: `id` must be other-name, as the file is called",),
    ),
    "sources/vendor.yaml": (
        SERVER.format(id="vendor") + "vendor: nobody\n",
        ("7:9: `vendor`: no vendor profile is called 'nobody'",),
    ),
    "sources/both.yaml": (
        SERVER.format(id="both") + "transport: {folder: {path: ./drops}}\n",
        ("5:3: `rest`: give exactly one of `transport` (drops) and `rest` (a server)",),
    ),
    "sources/plain.yaml": (
        SERVER.format(id="plain").replace("https://", "http://"),
        ("5:13: `rest.base_url`: https:// is needed",),
    ),
    "products/maths.yaml": (
        PRODUCT.format(id="maths").replace("title: lunch", "title: '('"),
        ("7:15: `courses.rules.title`: this is not a regular expression",),
    ),
    "products/reader.yaml": (
        PRODUCT.format(id="reader").replace("[good]", "[goood, nowhere]"),
        (
            "3:10: `sources`: no source is called 'goood'",
            "3:10: `sources`: no source is called 'nowhere'",
        ),
    ),
    "destinations/first.yaml": (
        RECEIVER.format(id="first").replace("first/{source}", "first/{school}"),
        ("3:7: `path`: only {source}, and with `mode: delta` {date} and {number}, can",),
    ),
    "destinations/second.yaml": (
        RECEIVER.format(id="second") + "combine: 3\n",
        ("4:1: `combine` comes later",),
    ),
}


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace of twenty broken files and a good one."""
    monkeypatch.setenv("ROSTER_PLANTED", "x")
    for name, (text, _) in BROKEN.items():
        write(tmp_path, name, text)
    write(tmp_path, "sources/good.yaml", SOURCE.format(id="good"))
    write(tmp_path, "catalogue.csv", "id,title\nalg-1,Algebra 1\n")
    return tmp_path


def write(folder: Path, name: str, text: str | bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def test_every_error_of_twenty_broken_files_is_told_once_with_its_line(
    roster: Roster, broken: Path
) -> None:
    assert len(BROKEN) == 20
    ended = roster("workspace", "check", "-w", broken)

    told: dict[str, list[str]] = {}
    for line in ended.out.splitlines()[:-1]:
        place, severity, message = line.split(": ", 2)
        assert severity == "error", line
        file, _, at = place.partition(":")
        told.setdefault(file, []).append(f"{at}: {message}")
    assert told.keys() == BROKEN.keys()
    for file, (_, expected) in BROKEN.items():
        assert len(told[file]) == len(expected), told[file]
        for found, start in zip(told[file], expected, strict=True):
            assert found.startswith(start), file
    assert ended.code == 1
    errors = sum(len(expected) for _, expected in BROKEN.values())
    assert ended.out.splitlines()[-1] == (
        f"16 sources, 2 products, 2 destinations: {errors} errors in 20 files. "
        "What has an error is not used."
    )
    assert "planted-s3cret" not in ended.out + ended.err


def test_a_program_gets_the_same_as_json(roster: Roster, broken: Path) -> None:
    document = roster("workspace", "check", "-w", broken, "--format", "json").document()

    assert document["schema"] == "roster.workspace.check/1"
    assert document["outcome"] == "failed"
    found = {(p["file"], p["line"]) for p in document["problems"]}
    assert ("sources/twice.yaml", 10) in found
    assert {p["severity"] for p in document["problems"]} == {"error"}


def test_a_workspace_in_order_is_said_to_be(
    roster: Roster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROSTER_PLANTED", "x")
    write(tmp_path, "roster.yaml", "partitions: {start: 2026-08-01}\n")
    write(tmp_path, "sources/good.yaml", SOURCE.format(id="good"))
    write(tmp_path, "sources/better.yaml", SERVER.format(id="better"))
    write(tmp_path, "destinations/lms.yaml", RECEIVER.format(id="lms"))

    ended = roster("workspace", "check", "-w", tmp_path)

    assert (ended.code, ended.out) == (0, "2 sources, 1 destination: all right.\n")


def test_what_is_not_ready_is_a_warning_at_its_place(
    roster: Roster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ROSTER_PLANTED", raising=False)
    write(tmp_path, "roster.yaml", "partitions: {start: 2026-08-01}\nledger: {env: ROSTER_NOT}\n")
    text = SOURCE.format(id="new").replace("sftp.example", "fill-me-in.example")
    pinned = "    fingerprint: SHA256:oZ3tVxdDvJmq2sQGmU5hdvXjd6hUZvTnkcmCQy3wDdQ\n"
    write(
        tmp_path, "sources/new.yaml", text.replace(pinned, f"    fingerprint: {NO_FINGERPRINT}\n")
    )
    write(
        tmp_path,
        "sources/known.yaml",
        text.replace("new", "known")
        .replace(pinned, "    known_hosts: known_hosts\n")
        .replace("fill-me-in.example", "sftp.example"),
    )
    write(
        tmp_path,
        "sources/near.yaml",
        ("id: near\nname: Near\ntimezone: UTC\ntransport:\n  folder: {path: ./drops}\n"),
    )
    rule = "    - {title: lunch, ignore: true, sources: [nowhere]}\n"
    write(
        tmp_path,
        "products/maths.yaml",
        PRODUCT.format(id="maths")
        .replace("    - {title: lunch, ignore: true}\n", rule)
        .replace("[good]", "[near]"),
    )
    write(tmp_path, "catalogue.csv", "id,title\nalg-1,Algebra 1\n")

    ended = roster("workspace", "check", "-w", tmp_path)

    lines = ended.out.splitlines()
    starts = [
        "products/maths.yaml:7:46: warning: no source is called 'nowhere'; there are:",
        "roster.yaml:2:15: warning: The environment variable ROSTER_NOT is not set or empty",
        "sources/known.yaml:8:21: warning: The environment variable ROSTER_PLANTED is not set",
        "sources/known.yaml:9:18: warning: `known_hosts`: there is no such file",
        "sources/near.yaml:5:18: warning: there is no such folder",
        "sources/new.yaml:6:11: warning: a placeholder stands here; fill it in",
        "sources/new.yaml:8:21: warning: The environment variable ROSTER_PLANTED is not set",
        "sources/new.yaml:9:18: warning: no host key is pinned yet",
        "3 sources, 1 product: no errors, 8 warnings.",
    ]
    assert len(lines) == len(starts)
    for line, start in zip(lines, starts, strict=True):
        assert line.startswith(start)
    assert ended.code == 0


def test_files_that_nobody_reads_are_told(roster: Roster, tmp_path: Path) -> None:
    write(tmp_path, "roster.yaml", "partitions: {start: 2026-08-01}\n")
    for stray in ("sources/a.YAML", "sources/old/b.yaml", "source/c.yaml", "d.yml"):
        write(tmp_path, stray, "id: x\n")
    write(tmp_path, "sources/e.yaml.example", "id: e\n")
    (tmp_path / "sources/f.yaml").symlink_to("nowhere.yaml")

    ended = roster("workspace", "check", "-w", tmp_path)

    told = [line.partition(": ")[0] for line in ended.out.splitlines()[:-1]]
    assert told == [
        "d.yml",
        "source/c.yaml",
        "sources/a.YAML",
        "sources/f.yaml",
        "sources/old/b.yaml",
    ]
    assert "the link leads nowhere" in ended.out
    assert ended.code == 0


def test_a_folder_of_another_name_and_a_file_in_its_place_are_told(
    roster: Roster, tmp_path: Path
) -> None:
    write(tmp_path, "roster.yaml", "partitions: {start: 2026-08-01}\n")
    write(tmp_path, "Sources/a.yaml", "id: a\n")
    write(tmp_path, "products", "id: b\n")

    ended = roster("workspace", "check", "-w", tmp_path)

    assert ended.out.splitlines()[:-1] == [
        "Sources: warning: nobody reads this: call it sources",
        "products: warning: nobody reads this: make it a folder",
    ]


def test_a_catalogue_with_faults_is_an_error(roster: Roster, tmp_path: Path) -> None:
    write(tmp_path, "roster.yaml", "partitions: {start: 2026-08-01}\n")
    write(
        tmp_path,
        "sources/good.yaml",
        "id: good\nname: G\ntimezone: UTC\ntransport: {folder: {path: .}}\n",
    )
    write(tmp_path, "products/maths.yaml", PRODUCT.format(id="maths"))
    write(tmp_path, "catalogue.csv", "id,title\nalg-1,Algebra 1\nalg-1,Again\n")

    ended = roster("workspace", "check", "-w", tmp_path)

    assert ended.code == 1
    assert "catalogue.csv:3: error: " in ended.out


def test_dates_beyond_what_dagster_shows_are_told(roster: Roster, tmp_path: Path) -> None:
    write(tmp_path, "roster.yaml", "partitions:\n  start: 2000-01-01\n")
    for number in range(20):
        source = f"d{number}"
        text = f"id: {source}\nname: D\ntimezone: UTC\ntransport: {{folder: {{path: .}}}}\n"
        write(tmp_path, f"sources/{source}.yaml", text)

    ended = roster("workspace", "check", "-w", tmp_path)

    assert ended.out.startswith("roster.yaml:2:10: warning: `partitions.start`: Dagster keeps pace")
    assert ended.code == 0


def test_a_folder_that_is_no_workspace_is_refused(roster: Roster, tmp_path: Path) -> None:
    ended = roster("workspace", "check", "-w", tmp_path)

    assert ended.code == 2
    assert "`roster init`" in ended.err
