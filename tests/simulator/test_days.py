"""What a district does from day to day."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.oneroster.manifest import Mode, Version, read_manifest
from roster_pipeline.simulator.district import Day, District
from roster_pipeline.simulator.school_year import SchoolYear
from roster_pipeline.tables.archive import ZipReader
from roster_pipeline.tables.csv_blocks import CsvBlocks


def _packed(write: Callable[[io.BytesIO], object]) -> bytes:
    out = io.BytesIO()
    write(out)
    return out.getvalue()


def _files(zipped: bytes) -> dict[str, pd.DataFrame]:
    with ZipReader(io.BytesIO(zipped)) as archive:
        return {
            name.removesuffix(".csv"): pd.concat(
                [block.frame for block in CsvBlocks(archive.open(name))], ignore_index=True
            )
            for name in archive.names
        }


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_the_same_district_and_day_give_the_same_bytes(version: str) -> None:
    def package() -> bytes:
        return _packed(lambda out: District(300, seed=5).write_package(out, 3, version))

    assert package() == package()


def test_a_day_is_the_same_however_one_gets_there(district: District, first_day: Day) -> None:
    straight = _packed(lambda out: district.write_package(out, 10))
    by_stages = _packed(first_day.later(4).later(10).write_package)

    assert straight == by_stages


def test_passing_days_leaves_the_earlier_day_as_it_was(first_day: Day) -> None:
    before = _packed(first_day.write_package)
    first_day.later(20)

    assert _packed(first_day.write_package) == before


def test_another_seed_is_another_district(first_day: Day) -> None:
    other = replace(first_day.district, seed=8).on(0)

    for entity in ("orgs", "users", "enrollments"):
        theirs = set(other.frame(entity)["sourcedId"])
        assert theirs.isdisjoint(first_day.frame(entity)["sourcedId"])


@pytest.mark.parametrize("students", [1, 17, 1200, 9000])
def test_there_are_exactly_as_many_students_as_asked_for(students: int) -> None:
    roles = District(students, seed=4).on(0).frame("roles")

    assert (roles["role"] == "student").sum() == students


def test_a_next_day_changes_something_and_at_most_a_hundredth_of_the_rows() -> None:
    day = District(5000, seed=11).on(0)
    for _ in range(3):
        next_day = day.later(day.number + 1)
        rows = changed = 0
        for entity in ENTITIES:
            old, new = (d.frame(entity).set_index("sourcedId") for d in (day, next_day))
            kept = old.index.intersection(new.index)
            differing = (old.loc[kept].fillna("") != new.loc[kept].fillna("")).any(axis=1).sum()
            rows += len(old)
            changed += len(old) - len(kept) + len(new) - len(kept) + differing
        assert 0 < changed <= rows / 100
        day = next_day


def test_leavers_take_all_their_rows_with_them(first_day: Day, tenth_day: Day) -> None:
    before, after = (set(day.frame("demographics")["sourcedId"]) for day in (first_day, tenth_day))
    gone = before - after

    assert gone
    for entity, column in (
        ("users", "sourcedId"),
        ("roles", "userSourcedId"),
        ("enrollments", "userSourcedId"),
        ("userProfiles", "userSourcedId"),
    ):
        assert gone.isdisjoint(tenth_day.frame(entity)[column])
    agents = tenth_day.frame("users")["agentSourcedIds"].dropna().str.split(",").explode()
    assert gone.isdisjoint(agents)


def test_newcomers_have_classes_from_that_day_on(first_day: Day, tenth_day: Day) -> None:
    known = set(first_day.frame("users")["sourcedId"])
    new = set(tenth_day.frame("demographics")["sourcedId"]) - known
    enrollments = tenth_day.frame("enrollments")
    theirs = enrollments[enrollments["userSourcedId"].isin(new)]

    assert new
    assert set(theirs["userSourcedId"]) == new
    assert (theirs["beginDate"] > first_day.district.today.isoformat()).all()


def test_a_district_outlives_its_school_year() -> None:
    district = District(300, seed=6, today=date(2027, 6, 1))
    year = SchoolYear.around(district.today)

    later = district.on(30)

    assert district.date_of(30) > year.sessions[0].end
    assert (later.frame("enrollments")["endDate"] <= year.sessions[0].end.isoformat()).all()
    assert len(later.frame("users"))


def test_the_school_year_is_the_one_around_the_day() -> None:
    for day, ends in (
        (date(2026, 9, 1), 2027),
        (date(2027, 6, 30), 2027),
        (date(2027, 7, 1), 2028),
    ):
        year = SchoolYear.around(day)
        assert year.ends == ends
        for session in year.sessions:
            assert session.start < session.end
            if session.parent is not None:
                parent = year.sessions[session.parent]
                assert parent.start <= session.start < session.end <= parent.end


def test_there_are_people_whose_names_look_like_nothing(first_day: Day) -> None:
    users = first_day.frame("users")
    names = set(users["givenName"]) | set(users["familyName"].str.split(" ").explode())

    assert {"NA", "Null"} <= names
    assert any("'" in name for name in names)
    assert users["familyName"].str.contains(" ").any()
    assert users["givenName"].str.contains(r"[؀-ۿ]").any()
    assert users["givenName"].str.contains(r"[一-鿿가-힣]").any()


def test_someone_teaches_at_two_schools_and_someone_is_teacher_and_parent(first_day: Day) -> None:
    roles = first_day.frame("roles")

    teaching, parents = (roles[roles["role"] == role] for role in ("teacher", "parent"))
    assert teaching.groupby("userSourcedId")["orgSourcedId"].nunique().max() == 2
    assert set(teaching["userSourcedId"]) & set(parents["userSourcedId"])


def test_1p1_gives_whoever_has_two_roles_two_rows_and_one_username(first_day: Day) -> None:
    users = first_day.frame("users", "1.1")
    twice = users[users.duplicated("username", keep=False)]

    assert len(twice)
    assert not twice.duplicated(["username", "role"]).any()
    for _, rows in twice.groupby("username"):
        assert set(rows["role"]) == {"teacher", "parent"}
        assert rows.loc[rows["role"] == "teacher", "agentSourcedIds"].isna().all()
        assert rows.loc[rows["role"] == "parent", "agentSourcedIds"].notna().all()
    agents = set(users["agentSourcedIds"].dropna().str.split(",").explode())
    assert set(twice.loc[twice["role"] == "parent", "sourcedId"]) <= agents


def test_1p1_lists_all_schools_of_a_teacher_in_one_row(first_day: Day) -> None:
    users = first_day.frame("users", "1.1")

    several = users[users["orgSourcedIds"].str.contains(",")]
    assert "teacher" in set(several["role"])


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_delta_brings_one_day_to_the_other(first_day: Day, tenth_day: Day, version: str) -> None:
    files = _files(_packed(lambda out: tenth_day.write_delta(out, first_day, version)))

    for entity, delta in files.items():
        if entity == "manifest":
            continue
        assert set(delta["status"]) <= {"active", "tobedeleted"}
        assert delta["dateLastModified"].str.fullmatch(r"2026-09-24T02:00:00[.]000Z").all()
        rows = first_day.frame(entity, version).set_index("sourcedId")
        changes = delta.set_index("sourcedId").assign(status=None, dateLastModified=None)
        gone = delta.loc[delta["status"] == "tobedeleted", "sourcedId"]
        rows = rows.drop(index=rows.index.intersection(changes.index))
        rows = pd.concat([rows, changes[~changes.index.isin(gone)]]).astype(object).sort_index()
        wanted = tenth_day.frame(entity, version).set_index("sourcedId").astype(object).sort_index()
        pd.testing.assert_frame_equal(rows.fillna(""), wanted.fillna(""), check_index_type=False)


def test_a_delta_names_only_the_files_it_has(first_day: Day, tenth_day: Day) -> None:
    zipped = _packed(lambda out: tenth_day.write_delta(out, first_day))
    with ZipReader(io.BytesIO(zipped)) as archive:
        manifest = read_manifest(archive.open("manifest.csv"))
        files = {name.removesuffix(".csv") for name in archive.names} - {"manifest"}

    assert not manifest.findings
    assert manifest.version is Version.V1P2
    assert {f for f, mode in manifest.modes.items() if mode is Mode.DELTA} == files
    assert Mode.BULK not in manifest.modes.values()
    assert "orgs" not in files


def test_a_delta_of_no_days_is_a_manifest_alone(first_day: Day) -> None:
    assert set(_files(_packed(lambda out: first_day.write_delta(out, first_day)))) == {"manifest"}


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"students": 0}, "student"),
        ({"seed": -1}, "seed"),
        ({"guardians": 1.5}, "guardians"),
        ({"ids": "roman"}, "roman"),
        ({"locales": ("xx_XX",)}, "locales"),
    ],
)
def test_settings_that_make_no_district_are_refused(settings: dict[str, object], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        District(**settings)  # type: ignore[arg-type]  # wrong on purpose


def test_passwords_and_extension_columns_are_sent_only_when_asked_for(first_day: Day) -> None:
    users = first_day.frame("users")
    assert users["password"].isna().all()
    assert not [column for column in users.columns if str(column).startswith("metadata.")]

    careless = District(60, passwords=True, metadata=True).on(0).frame("users")
    assert careless["password"].notna().all()
    assert careless["metadata.positionTitle"].notna().any()
    assert careless.columns[-1] == "metadata.positionTitle"
