"""What a receiver has no words for leaves with all that hangs on it, and is counted."""

import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from roster_pipeline.oneroster.delta import diff
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.receivers.adapting import adapted
from roster_pipeline.receivers.profiles import Profile, load
from roster_pipeline.receivers.rendering import RenderingError, render
from tests.receivers.conftest import Make, Rows
from tests.small import unpacked

NOON = datetime(2026, 9, 14, 12, tzinfo=UTC)


def profile(version: str = "1.1", **said: Any) -> Profile:
    return Profile.model_validate({"title": "Reader", "oneroster": {"version": version, **said}})


def ids(roster: Roster, entity: str) -> list[str]:
    return sorted(roster.frame(entity)["sourcedId"])


def give_role(user: str, role: str, **more: str) -> Any:
    """A second role for somebody, or another instead of the first where `sourcedId` is its."""

    def change(rows: Rows) -> None:
        row = {"sourcedId": f"r2-{user}", "userSourcedId": user, "roleType": "secondary",
               "role": role, "orgSourcedId": "s1", **more}  # fmt: skip
        rows["roles"] = [r for r in rows["roles"] if r["sourcedId"] != row["sourcedId"]] + [row]

    return change


def users_sent(roster: Roster, said: Profile, into: Path) -> dict[str, dict[str, str]]:
    into.mkdir()
    told = adapted(roster, said, into / "told")
    package = render(told.roster, said, into / "x.zip")
    return {row["sourcedId"]: row for row in unpacked(package.file)["users"]}


def test_who_has_no_role_in_1p1_leaves_with_enrollments_demographics_and_as_an_agent(
    make: Make, tmp_path: Path
) -> None:
    def change(rows: Rows) -> None:
        give_role("u4", "counselor", sourcedId="r-u4", roleType="primary")(rows)
        rows["demographics"] = [{"sourcedId": "u1"}, {"sourcedId": "u4"}]
        rows["users"][0]["agentSourcedIds"] = "u4"
        rows["users"][1]["agentSourcedIds"] = "u4,u5"

    told = adapted(make(change), profile(), tmp_path / "told")
    assert told.left_out == {"users": 1, "roles": 1, "demographics": 1, "enrollments": 2}
    assert ids(told.roster, "users") == ["u1", "u2", "u3", "u5"]
    assert ids(told.roster, "enrollments") == ["e1", "e2", "e3"]
    agents = told.roster.frame("users").set_index("sourcedId")["agentSourcedIds"].dropna()
    assert dict(agents) == {"u2": "u5"}


def test_a_word_that_1p1_does_not_have_takes_its_row_along_where_it_is_demanded(
    make: Make, tmp_path: Path
) -> None:
    def change(rows: Rows) -> None:
        rows["classes"][1]["classType"] = "ext:club"
        rows["demographics"] = [{"sourcedId": "u1", "sex": "other"}]

    told = adapted(make(change), profile(), tmp_path / "told")
    assert told.left_out == {"classes": 1, "enrollments": 2}
    assert ids(told.roster, "enrollments") == ["e1", "e2", "e4"]
    assert told.roster.frame("demographics")["sex"].isna().all()


def test_a_school_without_a_word_takes_classes_and_people_along_and_nothing_dangles(
    make: Make, tmp_path: Path
) -> None:
    def change(rows: Rows) -> None:
        rows["orgs"].append({"sourcedId": "s2", "name": "Camp", "type": "ext:camp",
                             "parentSourcedId": "d1"})  # fmt: skip
        rows["classes"][1]["schoolSourcedId"] = "s2"
        give_role("u3", "student", sourcedId="r-u3", roleType="primary", orgSourcedId="s2")(rows)
        give_role("u4", "teacher", orgSourcedId="s2")(rows)

    told = adapted(make(change), profile(), tmp_path / "told")
    assert told.left_out == {"orgs": 1, "classes": 1, "users": 1, "roles": 2, "enrollments": 2}
    assert set(told.roster.frame("roles")["orgSourcedId"]) == {"s1"}


@pytest.mark.parametrize(
    ("people", "role"),
    [
        ({}, "administrator"),
        ({"precedence": ["teacher", "administrator"]}, "teacher"),
        ({"words": {"teacher": "teacher"}}, "teacher"),
    ],
)
def test_of_several_roles_the_receiver_has_one_by_its_own_precedence(
    make: Make, tmp_path: Path, people: dict[str, Any], role: str
) -> None:
    roster = make(give_role("u5", "teacher"))
    assert users_sent(roster, profile(people=people), tmp_path / "x")["u5"]["role"] == role


def test_a_counselor_is_what_the_receiver_says(make: Make, tmp_path: Path) -> None:
    roster = make(give_role("u4", "counselor", sourcedId="r-u4", roleType="primary"))
    words = {"student": "student", "counselor": "administrator"}
    sent = users_sent(roster, profile(people={"words": words}), tmp_path / "x")
    assert {key: row["role"] for key, row in sent.items()} == {
        "u1": "student", "u2": "student", "u3": "student", "u4": "administrator",
    }  # fmt: skip


def test_who_came_as_an_administrator_is_a_teacher_to_a_receiver_that_has_no_administrators(
    make: Make, tmp_path: Path
) -> None:
    came = adapted(make(), profile(), tmp_path / "came").roster
    words = {"siteAdministrator": "teacher", "teacher": "teacher"}
    sent = users_sent(came, profile(people={"words": words}), tmp_path / "x")
    assert {key: row["role"] for key, row in sent.items()} == {"u4": "teacher", "u5": "teacher"}


def test_a_person_goes_by_the_preferred_name_where_the_receiver_wants_it(
    make: Make, tmp_path: Path
) -> None:
    def change(rows: Rows) -> None:
        rows["users"][0]["preferredGivenName"] = "Addie"

    roster = make(change)
    legal = users_sent(roster, profile(), tmp_path / "legal")
    preferred = users_sent(roster, profile(people={"names": "preferred"}), tmp_path / "preferred")
    assert (legal["u1"]["givenName"], preferred["u1"]["givenName"]) == ("Ada", "Addie")
    assert preferred["u1"]["familyName"] == legal["u1"]["familyName"]


def test_columns_that_stay_at_home_are_empty_and_metadata_goes_as_it_is_wanted(
    make: Make, tmp_path: Path
) -> None:
    def change(rows: Rows) -> None:
        for row in rows["users"]:
            row |= {"sms": "1", "metadata.title": "Dean", "metadata.shoe": "42"}

    said = profile(blank={"users": ["sms"]}, metadata=["title"])
    sent = users_sent(make(change), said, tmp_path / "x")
    assert {row["sms"] for row in sent.values()} == {""}
    assert sent["u4"]["metadata.title"] == "Dean"
    assert "metadata.shoe" not in sent["u4"]


def test_a_receiver_that_wants_it_so_is_told_of_primary_teachers_alone(
    make: Make, tmp_path: Path
) -> None:
    def change(rows: Rows) -> None:
        for row in rows["enrollments"]:
            row["primary"] = "true" if row["sourcedId"] == "e4" else "false"

    told = adapted(make(change), profile(primary="teachers"), tmp_path / "told").roster
    primary = told.frame("enrollments").set_index("sourcedId")["primary"].dropna()
    assert dict(primary) == {"e4": "true", "e5": "false"}


def test_what_is_not_sent_is_counted_and_what_classes_need_stays_to_be_looked_at(
    make: Make, tmp_path: Path
) -> None:
    said = profile(files=["orgs", "courses", "classes", "users", "enrollments"])
    told = adapted(make(), said, tmp_path / "told")
    assert told.left_out == {"academicSessions": 2}
    assert told.roster.counts["academicSessions"] == 2
    package = render(told.roster, said, tmp_path / "x.zip")
    assert "academicSessions" not in unpacked(package.file)
    assert {row["termSourcedIds"] for row in unpacked(package.file)["classes"]} == {""}


def test_a_delta_to_1p1_carries_the_people_whose_roles_changed(make: Make, tmp_path: Path) -> None:
    before, after = make(), make(give_role("u5", "aide", sourcedId="r-u5", roleType="primary"))
    old = adapted(before, profile(), tmp_path / "old").roster
    new = adapted(after, profile(), tmp_path / "new").roster
    package = render(new, profile(), tmp_path / "x.zip", delta=diff(old, new), modified=NOON)
    assert package.rows == {"users": 1}
    (user,) = unpacked(package.file)["users"]
    assert (user["sourcedId"], user["role"], user["status"]) == ("u5", "aide", "active")
    assert user["dateLastModified"] == "2026-09-14T12:00:00.000Z"


def test_who_has_no_role_any_more_is_deleted_by_a_delta_to_1p1(make: Make, tmp_path: Path) -> None:
    before = make()
    after = make(give_role("u4", "counselor", sourcedId="r-u4", roleType="primary"))
    old = adapted(before, profile(), tmp_path / "old").roster
    new = adapted(after, profile(), tmp_path / "new").roster
    package = render(new, profile(), tmp_path / "x.zip", delta=diff(old, new), modified=NOON)
    rows = unpacked(package.file)
    assert [(r["sourcedId"], r["status"], r["role"]) for r in rows["users"]] == [
        ("u4", "tobedeleted", "teacher")
    ]
    assert {r["sourcedId"] for r in rows["enrollments"]} == {"e4", "e5"}


def test_a_package_is_written_as_its_receiver_reads(make: Make, tmp_path: Path) -> None:
    said = profile(
        "1.2", newline="lf", byte_order_mark=True, manifest=False, files=["orgs"],
        spelling={"orgs": {"sourcedId": "sourceID"}}
    )  # fmt: skip
    render(adapted(make(), said, tmp_path / "told").roster, said, tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert archive.namelist() == ["orgs.csv"]
        lines = archive.read("orgs.csv").split(b"\n")
    assert lines[0].startswith(b"\xef\xbb\xbfsourceID,status,")
    assert not any(line.endswith(b"\r") for line in lines)


def test_a_package_that_is_too_large_is_refused_with_both_numbers(
    make: Make, tmp_path: Path
) -> None:
    said = Profile.model_validate(
        {"title": "Reader", "archive": {"most_bytes": 100}, "oneroster": {"version": "1.2"}}
    )
    with pytest.raises(RenderingError, match="Reader takes 100 at most"):
        render(make(), said, tmp_path / "x.zip")


def test_our_own_word_for_a_role_goes_along_where_the_receiver_wants_it(
    make: Make, tmp_path: Path
) -> None:
    words = {"siteAdministrator": "administrator", "teacher": "teacher"}
    said = profile(people={"words": words, "role_column": "title"}, metadata=["title"])
    sent = users_sent(make(give_role("u5", "teacher")), said, tmp_path / "x")
    told = {key: (row["role"], row["metadata.title"]) for key, row in sent.items()}
    assert told == {
        "u4": ("teacher", "teacher"), "u5": ("administrator", "siteAdministrator"),
    }  # fmt: skip


def test_ids_that_clash_get_a_prefix_wherever_they_stand(make: Make, tmp_path: Path) -> None:
    def change(rows: Rows) -> None:
        one_name_for_all(rows)

    said = profile(ids="prefixed_where_they_clash")
    roster = make(change)
    told = adapted(roster, said, tmp_path / "told").roster
    assert ids(told, "courses") == ["1", "co2"]
    assert ids(told, "classes") == ["cl2", "class-1"]
    assert ids(told, "users") == ["u2", "u3", "u4", "u5", "user-1"]
    assert ids(told, "demographics") == ["user-1"]
    seats = told.frame("enrollments").set_index("sourcedId")
    assert dict(seats["classSourcedId"]) == {
        "enrollment-1": "class-1", "e2": "class-1", "e3": "cl2", "e4": "class-1", "e5": "cl2",
    }  # fmt: skip
    assert seats.loc["enrollment-1", "userSourcedId"] == "user-1"
    users = told.frame("users").set_index("sourcedId")["agentSourcedIds"].dropna()
    assert dict(users) == {"u2": "u5,user-1"}
    package = render(told, said, tmp_path / "x.zip")
    assert {row["role"] for row in unpacked(package.file)["users"]} == {
        "administrator", "student", "teacher",
    }  # fmt: skip
    unchanged = adapted(make(), said, tmp_path / "unchanged").roster
    assert ids(unchanged, "users") == ["u1", "u2", "u3", "u4", "u5"]


def one_name_for_all(rows: Rows) -> None:
    """A course, a class, a student and an enrollment are all called 1."""
    rows["demographics"] = [{"sourcedId": "u1"}]
    rows["users"][1]["agentSourcedIds"] = "u5,u1"
    for listed in rows.values():
        for row in listed:
            for name, cell in row.items():
                if name.endswith(("ourcedId", "ourcedIds")):
                    names = cell.split(",")
                    row[name] = ",".join(
                        "1" if n in ("co1", "cl1", "u1", "e1") else n for n in names
                    )


def test_a_prefix_makes_no_id_that_somebody_has_and_none_that_is_too_long(
    make: Make, tmp_path: Path
) -> None:
    long = "x" * 252

    def change(rows: Rows) -> None:
        for row, key in zip(rows["classes"], ("co1", long), strict=True):
            for seat in rows["enrollments"]:
                if seat["classSourcedId"] == row["sourcedId"]:
                    seat["classSourcedId"] = key
            row["sourcedId"] = key
        rows["courses"][1]["sourcedId"] = rows["classes"][1]["courseSourcedId"] = long
        rows["courses"].append({**rows["courses"][0], "sourcedId": "class-co1"})

    said = profile(ids="prefixed_where_they_clash")
    told = adapted(make(change), said, tmp_path / "told").roster
    first, second = told.frame("classes")["sourcedId"]
    assert first == "class-class-co1"
    assert len(second) < 256
    assert set(told.frame("enrollments")["classSourcedId"]) == {first, second}


def test_no_cell_of_a_package_has_a_line_break(make: Make, tmp_path: Path) -> None:
    def change(rows: Rows) -> None:
        rows["users"][0] |= {"givenName": "Ada\r\nMae", "familyName": 'a\rb,"c"'}
        rows["classes"][0]["title"] = "one\n\ntwo"

    render(make(change), profile("1.2"), tmp_path / "x.zip")
    files = unpacked(tmp_path / "x.zip")
    assert (files["users"][0]["givenName"], files["users"][0]["familyName"]) == (
        "Ada Mae", 'a b,"c"',
    )  # fmt: skip
    assert files["classes"][0]["title"] == "one  two"


def test_a_department_is_a_school_to_naviance_and_takes_nobody_along(
    make: Make, tmp_path: Path
) -> None:
    def change(rows: Rows) -> None:
        rows["orgs"].append({"sourcedId": "dep", "name": "Math", "type": "department"})
        give_role("u4", "teacher", sourcedId="r-u4", roleType="primary", orgSourcedId="dep")(rows)

    said = load("naviance-staff")
    told = adapted(make(change), said, tmp_path / "told")
    assert told.left_out["users"] == 3
    assert dict(told.roster.frame("orgs").set_index("sourcedId")["type"])["dep"] == "school"


def test_people_are_told_alike_in_however_many_pieces(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change(rows: Rows) -> None:
        give_role("u2", "teacher", orgSourcedId="d1")(rows)
        give_role("u4", "counselor", sourcedId="r-u4", roleType="primary")(rows)
        rows["roles"].reverse()

    made = []
    for at_once in (1000, 2, 1):
        monkeypatch.setattr("roster_pipeline.oneroster.roles_of._AT_ONCE", at_once)
        told = adapted(make(change, block=2), profile(), tmp_path / f"told-{at_once}").roster
        package = render(told, profile(), tmp_path / f"{at_once}.zip")
        made.append((told.content_hash, package.sha256))
    assert len(set(made)) == 1
    assert len(unpacked(package.file)["users"]) == 4
