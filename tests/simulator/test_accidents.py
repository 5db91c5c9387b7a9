"""Accidents spoil exactly what they say, and nothing else."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from roster_pipeline.oneroster.entities import columns, columns_1p1
from roster_pipeline.simulator.accidents import ACCIDENTS, apply_accident
from roster_pipeline.simulator.district import Day, District
from roster_pipeline.simulator.names import WESTERN
from roster_pipeline.simulator.rewriting import Planted
from roster_pipeline.tables.archive import ArchiveError, ZipReader
from roster_pipeline.tables.csv_blocks import CsvBlocks, CsvError


@pytest.fixture(scope="module", params=["1.1", "1.2"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def package(first_day: Day, version: str) -> bytes:
    out = io.BytesIO()
    first_day.write_package(out, version)
    return out.getvalue()


def _spoil(name: str, package: bytes, **options: Any) -> tuple[bytes, tuple[Planted, ...]]:
    out = io.BytesIO()
    planted = apply_accident(name, io.BytesIO(package), out, **options)
    return out.getvalue(), planted


def _bytes(package: bytes) -> dict[str, bytes]:
    with ZipReader(io.BytesIO(package)) as archive:
        return {name: archive.open(name).read() for name in archive.names}


def _frames(package: bytes) -> dict[str, pd.DataFrame]:
    return {
        name.removesuffix(".csv"): pd.concat(
            [block.frame for block in CsvBlocks(io.BytesIO(content))], ignore_index=True
        )
        for name, content in _bytes(package).items()
        if name != "manifest.csv"
    }


def _changed(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> set[str]:
    return {name for name in old if new.get(name) != old[name]} | (new.keys() - old.keys())


@pytest.mark.parametrize("name", sorted(ACCIDENTS.keys() - {"zip-bomb"}))
def test_an_accident_happens_the_same_way_twice_and_spoils_something(
    name: str, package: bytes
) -> None:
    options = {"older": io.BytesIO(b"older")} if name == "old-file-again" else {}

    first, _ = _spoil(name, package, **options)
    second, _ = _spoil(name, package, **options)

    assert first == second
    assert first != package
    assert ACCIDENTS[name].imitates


def test_half_of_users_keeps_the_first_half_and_the_other_files(package: bytes) -> None:
    spoilt, _ = _spoil("half-of-users", package)

    users, kept = _frames(package)["users"], _frames(spoilt)["users"]
    assert _changed(_bytes(package), _bytes(spoilt)) == {"users.csv"}
    pd.testing.assert_frame_equal(kept, users.iloc[: len(users) // 2])


def test_any_file_can_be_halved_or_emptied(package: bytes) -> None:
    halved, _ = _spoil("half-of-file", package, entity="classes")
    emptied, _ = _spoil("header-only-file", package, entity="demographics")

    assert len(_frames(halved)["classes"]) == len(_frames(package)["classes"]) // 2
    assert _bytes(emptied)["demographics.csv"].count(b"\n") == 1


def test_header_only_enrollments_has_the_header_and_no_row(package: bytes) -> None:
    spoilt, _ = _spoil("header-only-enrollments", package)

    assert _changed(_bytes(package), _bytes(spoilt)) == {"enrollments.csv"}
    header = _bytes(package)["enrollments.csv"].split(b"\r\n")[0]
    assert _bytes(spoilt)["enrollments.csv"] == header + b"\r\n"


def test_a_missing_school_leaves_no_dangling_reference(package: bytes, version: str) -> None:
    spoilt, _ = _spoil("school-missing", package)

    before, after = _frames(package), _frames(spoilt)
    (school,) = set(before["orgs"]["sourcedId"]) - set(after["orgs"]["sourcedId"])
    assert school not in b"".join(_bytes(spoilt).values()).decode()
    of_version = columns_1p1 if version == "1.1" else columns
    for entity, frame in after.items():
        for column in of_version(entity):
            if column.target in after:
                items = set(frame[column.name].dropna().str.split(",").explode())
                assert items <= set(after[column.target]["sourcedId"]), (entity, column.name)
    lost = len(before["demographics"]) - len(after["demographics"])
    enrolled = before["enrollments"]
    there = enrolled[(enrolled["schoolSourcedId"] == school) & (enrolled["role"] == "student")]
    assert lost == there["userSourcedId"].nunique()


def test_when_all_ids_change_every_reference_follows(package: bytes, version: str) -> None:
    spoilt, _ = _spoil("all-ids-changed", package)

    before, after = _frames(package), _frames(spoilt)
    of_version = columns_1p1 if version == "1.1" else columns
    for entity, frame in after.items():
        assert set(frame["sourcedId"]).isdisjoint(before[entity]["sourcedId"])
        new_of = dict(zip(before[entity]["sourcedId"], frame["sourcedId"], strict=True))
        assert len(set(new_of.values())) == len(new_of)
        for column in of_version(entity):
            if column.target in after:
                items = set(frame[column.name].dropna().str.split(",").explode())
                assert items <= set(after[column.target]["sourcedId"])
        others = [c.name for c in of_version(entity) if c.target is None and c.name != "sourcedId"]
        pd.testing.assert_frame_equal(before[entity][others], frame[others])


def test_when_all_emails_change_nothing_else_does(package: bytes) -> None:
    spoilt, _ = _spoil("all-emails-changed", package)

    before, after = _frames(package)["users"], _frames(spoilt)["users"]
    had = before["email"].notna()
    assert (before.loc[had, "email"] != after.loc[had, "email"]).all()
    assert after.loc[had, "email"].is_unique == before.loc[had, "email"].is_unique
    pd.testing.assert_frame_equal(before.drop(columns="email"), after.drop(columns="email"))


def test_another_district_shares_nobody(package: bytes) -> None:
    spoilt, _ = _spoil("another-district", package)

    before, after = _frames(package), _frames(spoilt)
    assert before.keys() == after.keys()
    assert len(after["demographics"]) == len(before["demographics"])
    assert set(before["users"]["sourcedId"]).isdisjoint(after["users"]["sourcedId"])


def test_teachers_become_students_everywhere(package: bytes, version: str) -> None:
    spoilt, _ = _spoil("teachers-as-students", package)

    before, after = _frames(package), _frames(spoilt)
    for entity in ("users" if version == "1.1" else "roles", "enrollments"):
        was, is_ = before[entity]["role"], after[entity]["role"]
        assert "teacher" not in set(is_)
        assert (is_[was == "teacher"] == "student").all()
        assert (is_[was != "teacher"] == was[was != "teacher"]).all()


def test_an_old_file_is_that_file(package: bytes, tmp_path: Path) -> None:
    older = tmp_path / "older.zip"
    District(50).write_package(older)

    assert _spoil("old-file-again", package, older=older)[0] == older.read_bytes()


def test_a_cut_zip_is_its_first_nine_tenths(package: bytes) -> None:
    spoilt, _ = _spoil("cut-at-90-percent", package)

    assert spoilt == package[: int(len(package) * 0.9)]
    with pytest.raises(ArchiveError):
        ZipReader(io.BytesIO(spoilt))


def test_columns_can_be_turned_round_without_changing_a_cell(package: bytes) -> None:
    spoilt, _ = _spoil("reordered-columns", package)

    for entity, frame in _frames(spoilt).items():
        original = _frames(package)[entity]
        assert list(frame) == list(original)[::-1]
        pd.testing.assert_frame_equal(frame[list(original)], original)


def test_a_byte_order_mark_changes_nothing_else(package: bytes) -> None:
    spoilt, _ = _spoil("bom", package)

    for name, content in _bytes(package).items():
        mark = b"" if name == "manifest.csv" else b"\xef\xbb\xbf"
        assert _bytes(spoilt)[name] == mark + content


def test_western_names_survive_cp1252() -> None:
    out = io.BytesIO()
    District(400, seed=9, locales=WESTERN).write_package(out)

    spoilt, _ = _spoil("cp1252", out.getvalue())

    originals = _bytes(out.getvalue())
    names = {name: content.decode("cp1252") for name, content in _bytes(spoilt).items()}
    differing = {name for name, text in names.items() if text != originals[name].decode()}
    # Birthplaces are not drawn by locale.
    assert differing <= {"demographics.csv"}
    with pytest.raises(UnicodeDecodeError):
        _bytes(spoilt)["users.csv"].decode("utf-8")


def test_typos_are_planted_exactly_where_they_are_said_to_be(package: bytes) -> None:
    spoilt, planted = _spoil("typos", package, rate=0.02, seed=3)

    before, after = _frames(package), _frames(spoilt)
    differing = set()
    for entity, frame in after.items():
        unlike = frame.fillna("").to_numpy() != before[entity].fillna("").to_numpy()
        for row, column in zip(*unlike.nonzero(), strict=True):
            differing.add((f"{entity}.csv", row + 2, frame.columns[column]))
    assert {(p.file, p.line, p.column) for p in planted} == differing
    assert len(planted) == len(differing)
    rows = sum(map(len, before.values()))
    assert rows * 0.01 < len(planted) < rows * 0.03
    assert "sourcedId" not in {p.column for p in planted}


def test_typos_can_be_narrowed_to_a_kind_and_a_column(package: bytes) -> None:
    _, planted = _spoil("typos", package, rate=0.1, kinds=["blank_cell"], columns=["familyName"])

    assert planted
    assert {(p.file, p.column, p.kind) for p in planted} == {
        ("users.csv", "familyName", "blank_cell")
    }


def test_rows_with_a_cell_too_many_are_where_they_are_said_to_be(package: bytes) -> None:
    spoilt, planted = _spoil("one-cell-too-many", package, lines=(3, 7, 1_000_000))

    blocks = list(CsvBlocks(io.BytesIO(_bytes(spoilt)["classes.csv"])))
    found = [(a.line, a.kind) for block in blocks for a in block.anomalies]
    assert (
        found
        == [(p.line, p.kind) for p in planted]
        == [(3, "too_many_cells"), (7, "too_many_cells")]
    )


def test_misspelt_headers_are_where_they_are_said_to_be(package: bytes) -> None:
    spoilt, planted = _spoil("misspelt-header", package)

    for entity, frame in _frames(spoilt).items():
        original = _frames(package)[entity]
        wrong = {p.column for p in planted if p.file == f"{entity}.csv"}
        assert set(original) - set(frame) == wrong
        assert (frame.fillna("").to_numpy() == original.fillna("").to_numpy()).all()


def test_what_cannot_be_read_cannot_be_read(package: bytes) -> None:
    utf16, _ = _spoil("utf-16", package)
    with pytest.raises(CsvError):
        CsvBlocks(io.BytesIO(_bytes(utf16)["users.csv"]))

    outside, _ = _spoil("path-traversal", package)
    bomb, _ = _spoil("zip-bomb", package, inflated=64 << 20)
    for spoilt, code in ((outside, "path_traversal"), (bomb, "bomb")):
        with pytest.raises(ArchiveError) as caught, ZipReader(io.BytesIO(spoilt)) as archive:
            archive.open("users.csv").read()
        assert caught.value.code == code


def test_a_missing_file_or_column_is_missing(package: bytes) -> None:
    without_file, _ = _spoil("missing-file", package)
    without_column, _ = _spoil("missing-column", package)

    assert "classes.csv" not in _bytes(without_file)
    assert "username" not in _frames(without_column)["users"]


def test_a_school_whose_row_is_missing_is_still_referred_to(package: bytes) -> None:
    spoilt, _ = _spoil("school-row-missing", package)
    before, after = _frames(package), _frames(spoilt)

    (gone,) = set(before["orgs"]["sourcedId"]) - set(after["orgs"]["sourcedId"])
    assert gone in set(after["classes"]["schoolSourcedId"])
    assert {name for name in before if not before[name].equals(after[name])} == {"orgs"}


def test_the_students_of_a_school_go_with_all_their_rows_and_its_teachers_stay(
    package: bytes, version: str
) -> None:
    before = _frames(package)
    school = before["classes"]["schoolSourcedId"].iloc[0]
    spoilt, _ = _spoil("students-of-a-school-missing", package, school=school)
    after = _frames(spoilt)

    holder, org = ("users", "orgSourcedIds") if version == "1.1" else ("roles", "orgSourcedId")
    there = after[holder][after[holder][org].str.contains(school)]
    assert "student" not in set(there["role"])
    assert "teacher" in set(there["role"])
    known = set(after["users"]["sourcedId"])
    assert known < set(before["users"]["sourcedId"])
    assert set(after["enrollments"]["userSourcedId"]) <= known
    assert set(after["demographics"]["sourcedId"]) < known


def test_who_is_missing_at_one_share_is_missing_at_a_greater_one(package: bytes) -> None:
    some, more = (
        set(_frames(_spoil("people-missing", package, share=share)[0])["demographics"]["sourcedId"])
        for share in (0.1, 0.2)
    )
    everyone = set(_frames(package)["demographics"]["sourcedId"])

    assert more < some < everyone
    assert len(some) == round(0.9 * len(everyone))
    assert len(more) == round(0.8 * len(everyone))
