"""What was pulled by REST and kept is read like a package."""

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roster_pipeline.oneroster.findings import Findings, Severity
from roster_pipeline.oneroster.manifest import Mode, Version
from roster_pipeline.oneroster.package import Package, open_package
from roster_pipeline.oneroster.pulled import Pull, PullWriter, Reading
from tests.examples import examples

ORG = {"sourcedId": "s1", "status": "active", "name": "Evergreen", "type": "school"}
USER = {
    "sourcedId": "u1",
    "status": "active",
    "dateLastModified": "2026-08-01T00:00:00.0000000+00:00",
    "enabledUser": True,
    "username": "ada",
    "givenName": "Ada",
    "familyName": "Null",
    "roles": [{"roleType": "primary", "role": "student", "org": {"sourcedId": "s1"}}],
}


def kept(
    records: Mapping[str, list[Any]],
    version: str = "1.2",
    pages: int = 1000,
    reading: Reading | None = None,
) -> io.BytesIO:
    """A pull of these records, in pages of so many."""
    out = io.BytesIO()
    writer = PullWriter(out, Version(version), reading=reading)
    for name, found in records.items():
        with writer.collection(name) as (write, look):
            for start in range(0, len(found), pages):
                page = found[start : start + pages]
                write([json.dumps(record) for record in page])
                for record in page:
                    look(record)
    writer.finish()
    return out


def replaced(pull: io.BytesIO, **members: bytes | None) -> io.BytesIO:
    """A pull with other members; None takes one away. `_` stands for `.`."""
    out = io.BytesIO()
    with zipfile.ZipFile(pull) as old, zipfile.ZipFile(out, "w") as new:
        files: dict[str, bytes | None] = {name: old.read(name) for name in old.namelist()}
        files |= {name.replace("_", "."): content for name, content in members.items()}
        for name, content in files.items():
            if content is not None:
                new.writestr(name, content)
    return out


def rows(package: Package, entity: str, **options: Any) -> list[dict[str, str]]:
    """The filled cells of each row, and the line it is from."""
    found: list[dict[str, str]] = []
    for block in package.blocks(entity, **options):
        cells = block.frame.to_dict(orient="records")
        found += [
            {**{str(k): v for k, v in row.items() if isinstance(v, str)}, "line": str(line)}
            for row, line in zip(cells, block.lines.tolist(), strict=True)
        ]
    return found


def test_a_pull_is_bulk_for_all_that_it_holds() -> None:
    with open_package(kept({"orgs": [ORG], "users": [USER]})) as package:
        assert package.version is Version.V1P2
        assert package.modes == dict.fromkeys(("orgs", "users", "roles"), Mode.BULK)
        assert "userProfiles" in package.absent
        assert package.file("roles") == "users.jsonl"
        assert not package.findings


def test_a_finding_stands_at_the_number_of_its_record() -> None:
    users = [USER, {**USER, "sourcedId": "u2", "enabledUser": "Yes", "roles": []}, USER]
    with open_package(kept({"users": users})) as package:
        (block,) = package.blocks("users")
        assert block.lines.tolist() == [1, 2, 3]
        assert [str(finding) for finding in block.findings] == [
            "users.jsonl, line 2, column enabledUser: not the standard's spelling; understood and "
            "rewritten [cell.spelling]"
        ]
        assert [row["line"] for row in rows(package, "roles")] == ["1", "3"]


def test_how_a_pull_is_read_is_kept_with_it() -> None:
    reading = Reading({"users": "union"}, "underscore", "America/Chicago")
    with open_package(kept({"orgs": [ORG]}, reading=reading)) as package:
        assert isinstance(package, Pull)
        assert package.reading == reading


def test_a_pull_of_older_days_is_read_as_it_was() -> None:
    old = b'{"format": 1, "version": "1.2", "collections": {"orgs": 1}, "holding": {}}'
    with open_package(replaced(kept({"orgs": [ORG]}), pull_json=old)) as package:
        assert isinstance(package, Pull)
        assert package.reading == Reading()
        assert len(rows(package, "orgs")) == 1


@pytest.mark.parametrize(
    "said",
    [{"merge": {"users": "best"}}, {"blanks_in_ids": "drop"}, {"timezone": "Mars/Olympus"}],
)
def test_no_reading_is_kept_that_nobody_knows(said: dict[str, Any]) -> None:
    with pytest.raises((ValueError, KeyError)):
        Reading(**said)


def test_of_a_status_only_a_deletion_says_anything() -> None:
    orgs = [ORG, {**ORG, "status": "tobedeleted"}, {**ORG, "status": "inactive"}, {**ORG}]
    del orgs[3]["status"]
    with open_package(kept({"orgs": orgs})) as package:
        said = [row.get("status") for row in rows(package, "orgs")]
    assert said == [None, "tobedeleted", "tobedeleted", None]


def test_a_server_that_stamps_every_record_anew_changes_no_row() -> None:
    stamped = {**USER, "dateLastModified": "2026-08-02T00:00:00Z"}
    with (
        open_package(kept({"users": [USER]})) as first,
        open_package(kept({"users": [stamped]})) as second,
    ):
        for entity in ("users", "roles"):
            assert rows(first, entity) == rows(second, entity)


def test_a_record_that_is_no_object_is_a_row_without_an_id() -> None:
    with open_package(kept({"orgs": [ORG, None, "x", [], {}]})) as package:
        assert [row.get("sourcedId") for row in rows(package, "orgs")] == ["s1", *[None] * 4]


@settings(deadline=None, max_examples=examples(8))
@given(
    records=st.lists(
        st.dictionaries(
            st.sampled_from(["sourcedId", "name", "metadata", "parent", "odd"]),
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
                lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
                max_leaves=5,
            ),
        ),
        min_size=1,
        max_size=30,
    ),
    pages=st.integers(1, 10),
    block_bytes=st.integers(4, 400),
)
def test_any_json_is_kept_and_read_whatever_the_pages_and_blocks(
    records: list[dict[str, Any]], pages: int, block_bytes: int
) -> None:
    whole, paged = kept({"orgs": records}), kept({"orgs": records}, pages=pages)
    assert whole.getvalue() == paged.getvalue()
    with open_package(whole) as package:
        assert package.findings.worst() is None
        found = rows(package, "orgs", block_bytes=block_bytes)
        assert [row["line"] for row in found] == [str(n + 1) for n in range(len(records))]
        assert [row.get("name") for row in found] == [
            row.get("name") for row in rows(package, "orgs")
        ]


@pytest.mark.parametrize(
    "contents",
    [
        b"",
        b"{",
        b"[]",
        b'{"format": 2}',
        b'{"format": 1, "version": "2.0", "collections": {}, "holding": {}}',
        b'{"format": 1, "version": "1.2", "collections": 7, "holding": {}}',
        b'{"format": 1, "version": "1.2", "collections": {}, "holding": {}, "reading": {"new": 1}}',
        b'{"format": 1, "version": "1.2", "collections": {}, "holding": {}, "reading": []}',
        b"[" * 100_000,
    ],
)
def test_a_pull_that_does_not_say_what_it_holds_is_stopped(contents: bytes) -> None:
    with open_package(replaced(kept({"orgs": [ORG]}), pull_json=contents)) as package:
        assert package.findings.worst() is Severity.STOP
        assert package.findings.counts() == {"pull.unreadable": 1}
        assert package.version is None
        assert rows(package, "orgs") == []


@pytest.mark.parametrize("line", [b"{", b"\xff\xfe", b"[" * 100_000])
def test_a_line_that_is_no_record_stops_the_pull(line: bytes) -> None:
    good = json.dumps(ORG).encode()
    pull = replaced(kept({"orgs": [ORG, ORG]}), orgs_jsonl=good + b"\n" + line + b"\n")
    with open_package(pull) as package:
        found = Findings()
        assert rows(package, "orgs", findings=found) == []
        assert [str(finding) for finding in found] == [
            "orgs.jsonl, line 2: the line is not a record in JSON [pull.line]"
        ]


def test_a_pull_that_lost_a_file_does_not_have_it() -> None:
    pull = replaced(kept({"orgs": [ORG], "users": [USER]}), users_jsonl=None)
    with open_package(pull) as package:
        assert list(package.modes) == ["orgs"]


def test_a_file_has_no_more_names_in_metadata_however_it_is_read() -> None:
    orgs = [{**ORG, "metadata": {"zone": "north", f"key{n}": "x"}} for n in range(500)]
    with open_package(kept({"orgs": orgs})) as package:
        findings = Findings()
        blocks = list(package.blocks("orgs", findings=findings, block_bytes=4000))
    names = {name for block in blocks for name in block.frame if str(name).startswith("metadata.")}
    assert len(blocks) > 10
    assert len(names) == 200
    assert all(block.frame["metadata.zone"].notna().all() for block in blocks)
    assert findings.counts() == {"pull.metadata": 1}
