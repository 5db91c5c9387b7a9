"""What would happen to people who stay."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from roster_pipeline.guards import people
from roster_pipeline.guards.facts import Share
from roster_pipeline.guards.people import MovedRoles, clashes, moved_school, role_flips, sign_in
from roster_pipeline.oneroster import delta as delta_module
from roster_pipeline.oneroster import roster as roster_module
from roster_pipeline.oneroster.delta import Delta, diff
from roster_pipeline.simulator.district import Day, District
from tests.guards.exports import exported, read, spoilt
from tests.oneroster.strategies import frame_of, stored

Held = dict[str, list[tuple[str, str]]]
"""By user the roles and schools; the sourcedId of a role is the user's, with its place."""


@pytest.fixture(scope="module")
def day() -> Day:
    return District(students=300, seed=7).on(0)


@pytest.fixture(scope="module", params=["1.1", "1.2"])
def package(day: Day, request: pytest.FixtureRequest) -> bytes:
    return exported(day, request.param)


def turned(folder: Path, old: Held, new: Held) -> Delta:
    """What differs when people's roles are these, and then those."""
    before, after = (
        stored(
            {
                "users": frame_of("users", [{"sourcedId": user} for user in side]),
                "roles": frame_of(
                    "roles",
                    [
                        {"sourcedId": f"{user}-{n}", "userSourcedId": user, "role": role,
                         "orgSourcedId": school}
                        for user, roles in side.items()
                        for n, (role, school) in enumerate(roles)
                    ],
                ),
            },
            folder / name,
        )
        for name, side in (("old", old), ("new", new))
    )  # fmt: skip
    return diff(before, after)


def given(
    folder: Path, old: Mapping[str, dict[str, str]], new: Mapping[str, dict[str, str]]
) -> Delta:
    """What differs when users have these cells, and then those."""
    before, after = (
        stored(
            {
                "users": frame_of(
                    "users", [{"sourcedId": user, **cells} for user, cells in side.items()]
                )
            },
            folder / name,
        )
        for name, side in (("old", old), ("new", new))
    )
    return diff(before, after)


def renamed(folder: Path, old: dict[str, str | None], new: dict[str, str | None]) -> Delta:
    """What differs when people's e-mail addresses are these, and then those."""
    before, after = (
        stored(
            {
                "users": frame_of(
                    "users", [{"sourcedId": u, "email": email} for u, email in side.items()]
                )
            },
            folder / name,
        )
        for name, side in (("old", old), ("new", new))
    )
    return diff(before, after)


def flips(delta: Delta) -> Share:
    """Whose roles flip, and of how many."""
    return role_flips(delta, MovedRoles.of(delta))


def movers(delta: Delta) -> Share:
    """Who is at another school, and of how many."""
    return moved_school(delta, MovedRoles.of(delta))


# ---- role flips ----


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["student"], ["teacher"]),
        (["teacher"], ["student"]),
        (["student"], ["aide"]),
        (["districtAdministrator"], ["student"]),
        (["student"], ["ext:coach"]),
        (["student", "student"], ["teacher", "aide"]),
        (["student", "parent"], ["teacher", "parent"]),
        (["student"], ["parent", "teacher"]),
        (["student"], ["student", "teacher"]),
        (["student"], ["student", "siteAdministrator"]),
        (["student", "student"], ["teacher", "student"]),
        (["teacher"], ["principal"]),
        (["aide"], ["aide", "systemAdministrator"]),
        (["parent"], ["districtAdministrator"]),
        (["student", "teacher"], ["student", "administrator"]),
    ],
)
def test_a_student_who_is_staff_now_staff_that_study_and_a_new_administrator_have_flipped(
    before: list[str], after: list[str], tmp_path: Path
) -> None:
    old: Held = {"u1": [(role, "s1") for role in before], "u2": [("student", "s1")]}
    new: Held = {"u1": [(role, "s1") for role in after], "u2": [("student", "s1")]}
    assert flips(turned(tmp_path, old, new)) == Share(1, 2)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["teacher"], ["teacher", "student"]),
        (["student", "teacher"], ["student"]),
        (["student", "teacher"], ["student", "teacher", "aide"]),
        (["student", "teacher"], ["aide", "student"]),
        (["student", "teacher"], ["teacher"]),
        (["teacher", "aide"], ["student", "aide"]),
        (["student", "aide"], ["teacher", "aide"]),
        (["aide", "student"], ["aide", "teacher"]),
        (["principal"], ["siteAdministrator"]),
        (["aide", "principal"], ["aide", "administrator", "principal"]),
        (["teacher", "principal"], ["teacher"]),
        ([], ["principal"]),
        (["teacher"], ["counselor"]),
        (["student"], ["parent"]),
        (["parent"], ["teacher"]),
        (["student"], ["student"]),
        (["student"], []),
        ([], ["teacher"]),
    ],
)
def test_who_was_both_or_neither_or_as_much_before_has_not(
    before: list[str], after: list[str], tmp_path: Path
) -> None:
    old: Held = {"u1": [(role, "s1") for role in before], "u2": [("student", "s1")]}
    new: Held = {"u1": [(role, "s1") for role in after], "u2": [("student", "s1")]}
    assert flips(turned(tmp_path, old, new)) == Share(0, 2)


def test_who_goes_and_who_comes_has_not_flipped(tmp_path: Path) -> None:
    old: Held = {"u1": [("student", "s1")], "u2": [("student", "s1")]}
    new: Held = {"u2": [("student", "s1")], "u3": [("teacher", "s1")]}
    assert flips(turned(tmp_path, old, new)) == Share(0, 1)


def test_a_role_under_another_sourced_id_flips_nobody_unless_it_is_another(tmp_path: Path) -> None:
    old: Held = {"u1": [("student", "s1")], "u2": [("student", "s1")]}
    new: Held = {
        "u2": [("parent", "s2"), ("student", "s1")],
        "u1": [("student", "s1"), ("student", "s2")],
    }
    assert flips(turned(tmp_path, old, new)) == Share(0, 2)
    new["u1"] = [("teacher", "s1")]
    assert flips(turned(tmp_path / "2", old, new)) == Share(1, 2)


def test_teachers_exported_as_students_have_flipped(package: bytes, tmp_path: Path) -> None:
    old = read(package, tmp_path / "old")
    delta = diff(old, read(spoilt("teachers-as-students", package), tmp_path / "new"))
    roles = old.columns("roles", ["userSourcedId", "role"])
    teachers, others = (
        set(roles.loc[chosen, "userSourcedId"])
        for chosen in (
            roles["role"] == "teacher",
            ~roles["role"].isin(["teacher", "parent", "guardian", "relative"]),
        )
    )
    only = len(teachers - others)
    assert flips(delta) == Share(only, old.counts["users"])
    assert only > 10


# ---- other schools ----


@pytest.mark.parametrize(
    ("before", "after", "moved"),
    [
        (["s1"], ["s2"], 1),
        (["s1", "s2"], ["s3"], 1),
        (["s1"], ["s2", "s3"], 1),
        (["s1"], ["s1"], 0),
        (["s1"], ["s2", "s1"], 0),
        (["s1"], ["s1", "s2"], 0),
        (["s1", "s2"], ["s2"], 0),
        (["s1", "s2"], ["s1"], 0),
        (["s1", "s2"], ["s3", "s2"], 0),
    ],
)
def test_a_student_has_moved_who_is_at_none_of_the_schools_of_before(
    before: list[str], after: list[str], moved: int, tmp_path: Path
) -> None:
    others: Held = {"u2": [("student", "s1")], "u3": [("teacher", "s1")]}
    old: Held = {"u1": [("student", school) for school in before], **others}
    new: Held = {"u1": [("student", school) for school in after], **others}
    assert movers(turned(tmp_path, old, new)) == Share(moved, 2 if moved else 3)


def test_teachers_leavers_and_students_that_were_are_not_students_who_moved(tmp_path: Path) -> None:
    old: Held = {
        "u1": [("teacher", "s1")], "u2": [("student", "s1")], "u3": [("student", "s1")],
        "u4": [("parent", "s1")], "u5": [("student", "s1")], "u6": [("student", "s1")],
    }  # fmt: skip
    new: Held = {
        "u1": [("teacher", "s2")], "u3": [("teacher", "s2")], "u4": [("student", "s2")],
        "u5": [("student", "s1")], "u6": [("student", "s2")], "u7": [("student", "s2")],
    }  # fmt: skip
    assert movers(turned(tmp_path, old, new)) == Share(1, 2)


# ---- names to sign in by ----


def test_an_address_that_is_another_or_none_is_counted(tmp_path: Path) -> None:
    old = {"u1": "a@x.example", "u2": "b@x.example", "u3": "c@x.example", "u4": None}
    new = {"u1": "a@y.example", "u2": None, "u3": "c@x.example", "u4": "d@x.example"}
    others = ("username", "userMasterIdentifier", "identifier", "givenName", "familyName")
    assert sign_in(renamed(tmp_path, old, new)) == {
        **dict.fromkeys(others, Share(0, 4)),
        "email": Share(2, 3),
    }


def test_another_case_is_no_other_address(tmp_path: Path) -> None:
    old: dict[str, str | None] = {"u1": "Zoë@X.example", "u2": "b@x.example"}
    new: dict[str, str | None] = {"u1": "ZOË@x.example", "u2": "b@x.example"}
    assert sign_in(renamed(tmp_path, old, new))["email"] == Share(0, 2)


def test_who_goes_is_not_among_those_who_stay(tmp_path: Path) -> None:
    old = {"u1": "a@x.example", "u2": "b@x.example", "u3": "c@x.example", "u4": None}
    new: dict[str, str | None] = {"u1": "a@y.example", "u2": "b@x.example", "u4": None}
    assert sign_in(renamed(tmp_path, old, new))["email"] == Share(1, 2)


def test_a_district_on_another_mail_domain_is_counted_by_address_only(
    package: bytes, tmp_path: Path
) -> None:
    old = read(package, tmp_path / "old")
    delta = diff(old, read(spoilt("all-emails-changed", package), tmp_path / "new"))
    filled = int(old.frame("users")["email"].notna().sum())
    assert sign_in(delta)["email"] == Share(filled, filled)
    assert sign_in(delta)["username"].affected == 0


@pytest.mark.parametrize("column", ["identifier", "givenName", "familyName"])
def test_who_people_are_is_counted_like_what_they_sign_in_by(column: str, tmp_path: Path) -> None:
    names = ["Ada", "Bo", "Cy"]
    delta = given(
        tmp_path,
        {f"u{n}": {column: name} for n, name in enumerate(names)},
        {f"u{n}": {column: name} for n, name in enumerate(["Bo", "Ada", "Cy"])},
    )
    assert sign_in(delta)[column] == Share(2, 3)
    assert sum(share.affected for share in sign_in(delta).values()) == 2


# ---- names that others take ----


@pytest.mark.parametrize("column", ["username", "email", "userMasterIdentifier"])
def test_who_goes_while_a_newcomer_or_another_takes_the_name_is_a_clash(
    column: str, tmp_path: Path
) -> None:
    old = {"gone": {column: "Ada"}, "too": {column: "bo"}, "stays": {column: "cy"}}
    new = {"stays": {column: "BO"}, "comes": {column: "ada"}}
    assert clashes(given(tmp_path, old, new)) == 2


def test_an_address_that_was_shared_and_cells_that_are_empty_are_no_clash(tmp_path: Path) -> None:
    old = {
        "gone": {"email": "family@x.example"},
        "sibling": {"email": "family@x.example", "grades": "05"},
        "bare": {"username": "bare"},
    }
    new: dict[str, dict[str, str]] = {
        "sibling": {"email": "Family@x.example", "grades": "06"},
        "comes": {"username": "family@x.example"},
    }
    assert clashes(given(tmp_path, old, new)) == 0


def test_one_who_goes_clashes_once_and_nobody_does_where_nobody_goes(tmp_path: Path) -> None:
    old = {"u1": {"username": "a", "email": "a@x.example"}}
    new = {
        "u2": {"username": "a", "email": "b@x.example"},
        "u3": {"username": "c", "email": "a@x.example"},
    }
    assert clashes(given(tmp_path / "1", old, new)) == 1
    assert clashes(given(tmp_path / "2", old, old | new)) == 0


# ---- all of them ----


def test_with_nothing_accepted_before_nobody_is_another(tmp_path: Path) -> None:
    new = stored({"users": frame_of("users", [{"sourcedId": "u"}])}, tmp_path)
    delta = diff(None, new)
    assert flips(delta) == movers(delta) == Share()
    assert set(sign_in(delta).values()) == {Share()}
    assert clashes(delta) == 0


def test_another_districts_file_changes_nobody(package: bytes, tmp_path: Path) -> None:
    old = read(package, tmp_path / "old")
    delta = diff(old, read(spoilt("another-district", package), tmp_path / "new"))
    assert flips(delta) == movers(delta) == Share()


@pytest.mark.soak
def test_many_rows_in_small_parts_are_counted_alike(
    day: Day, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = exported(day, "1.2")
    copies = [
        spoilt(name, package)
        for name in ("teachers-as-students", "all-emails-changed", "all-ids-changed")
    ]

    def found(folder: Path) -> list[object]:
        old, *new = (read(each, folder / str(n)) for n, each in enumerate([package, *copies]))
        deltas = [diff(old, each) for each in new]
        return [(flips(d), movers(d), sign_in(d), clashes(d)) for d in deltas]

    whole = found(tmp_path / "whole")
    monkeypatch.setattr(roster_module, "_FEWEST_ROWS", 50)
    monkeypatch.setattr(roster_module, "_MOST_ROWS", 100)
    monkeypatch.setattr(delta_module, "_MOST_KEPT", 1)
    monkeypatch.setattr(delta_module, "_MOST_PAIRS", 64)
    assert found(tmp_path / "parts") == whole


def test_on_a_day_on_which_no_role_flips_no_other_roles_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old: Held = {"u1": [("student", "s1")], "u2": [("teacher", "s1")], "u3": [("student", "s1")]}
    new: Held = {"u1": [("student", "s1")], "u2": [("teacher", "s2")], "u4": [("student", "s1")]}
    delta = turned(tmp_path, old, new)
    monkeypatch.delattr(people, "_unmoved")
    monkeypatch.delattr(people, "filled")
    assert flips(delta) == movers(delta) == Share(0, 2)
    assert set(sign_in(delta).values()) == {Share(0, 2)}
