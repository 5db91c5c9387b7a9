"""What a receiver shall not see does not go out, and hashes tell the same people apart each day."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from roster_pipeline.oneroster.entities import ENTITIES, Kind, references
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.receivers.delivery import DeliveryError
from roster_pipeline.receivers.mask_config import Mask
from roster_pipeline.receivers.masking import key_print, masked
from roster_pipeline.receivers.sending import Sent
from roster_pipeline.resources.channels import Channels
from roster_pipeline.transport.errors import CredentialsUnusable
from tests.oneroster.test_scope import dangles_nowhere
from tests.receivers.conftest import Make
from tests.receivers.desk import Desk
from tests.receivers.test_scoping import destination, outgoing

KEY = b"a key of twenty bytes"


def test_dropped_and_blanked_cells_are_gone_and_all_else_is_as_it_was(
    district_roster: Roster, tmp_path: Path
) -> None:
    mask = Mask(drop=("demographics", "userProfiles", "users.phone"), blank=("users.email",))
    sent = masked(district_roster, mask, tmp_path / "masked")

    assert sent.counts["demographics"] == sent.counts["userProfiles"] == 0
    assert sent.frame("roles")["userProfileSourcedId"].isna().all()
    was, users = district_roster.frame("users"), sent.frame("users")
    assert was["email"].notna().any()
    assert users[["phone", "email"]].isna().all(axis=None)
    others = [name for name in was.columns if name not in ("phone", "email")]
    assert users[others].equals(was[others])
    assert sent.frame("enrollments").equals(district_roster.frame("enrollments"))


def test_a_dropped_extension_column_leaves_the_header_and_a_blanked_one_stays(
    make: Make, tmp_path: Path
) -> None:
    def extend(rows: dict[str, list[dict[str, str]]]) -> None:
        for user in rows["users"]:
            user |= {"metadata.house": "red", "metadata.lunch": "free"}

    mask = Mask(drop=("users.metadata.lunch",), blank=("users.metadata.house",))
    users = masked(make(extend), mask, tmp_path / "masked").frame("users")
    assert "metadata.lunch" not in users
    assert users["metadata.house"].isna().all()


def test_an_extension_column_is_masked_however_it_is_spelt_and_all_are_where_that_is_said(
    make: Make, tmp_path: Path
) -> None:
    def extend(rows: dict[str, list[dict[str, str]]]) -> None:
        for user in rows["users"]:
            user |= {"metadata.House": "red", "metadata.lunchStatus": "free"}

    roster = make(extend)
    mask = Mask(drop=("users.metadata.lunchstatus",), blank=("users.metadata.house",))
    users = masked(roster, mask, tmp_path / "named").frame("users")
    assert "metadata.lunchStatus" not in users
    assert users["metadata.House"].isna().all()
    users = masked(roster, Mask(drop=("users.metadata",)), tmp_path / "all").frame("users")
    assert not [name for name in users if str(name).startswith("metadata")]
    assert users["email"].notna().all()


def test_hashed_ids_are_hashed_wherever_they_stand(district_roster: Roster, tmp_path: Path) -> None:
    mask = Mask(hash=("users.sourcedId", "users.username"))
    sent = masked(district_roster, mask, tmp_path / "masked", KEY)

    dangles_nowhere(sent)
    assert sent.counts == district_roster.counts
    known = set(district_roster.frame("users")["sourcedId"])
    for entity in ENTITIES:
        for column in references(entity):
            if column.target == "users":
                cells = sent.frame(entity)[column.name].dropna()
                was = district_roster.frame(entity)[column.name].dropna()
                assert len(cells) == len(was) > 0
                assert known.isdisjoint(cells.str.split(",").explode())
                counted = [c.str.count(",").tolist() for c in (cells, was)]
                assert column.kind is not Kind.REFERENCES or counted[0] == counted[1]
    assert sent.frame("users")["username"].str.fullmatch("[0-9a-f]{32}").all()


def test_the_same_text_has_one_hash_every_day_and_another_under_another_key(
    make: Make, tmp_path: Path
) -> None:
    mask = Mask(hash=("users.identifier", "orgs.identifier"))

    def number(rows: dict[str, list[dict[str, str]]]) -> None:
        rows["users"][0]["identifier"] = rows["orgs"][0]["identifier"] = "4711"

    def hashes(folder: str, key: bytes) -> tuple[str, str]:
        sent = masked(make(number), mask, tmp_path / folder, key)
        user, org = (sent.frame(entity)["identifier"][0] for entity in ("users", "orgs"))
        return str(user), str(org)

    first = hashes("first", KEY)
    assert first[0] == first[1]
    assert first == hashes("again", KEY)
    assert first != hashes("other", b"another key of 24 bytes!")
    assert key_print(KEY) == key_print(KEY) != key_print(b"another key of 24 bytes!")


def test_the_same_mask_of_the_same_roster_is_the_same_roster(
    district_roster: Roster, tmp_path: Path
) -> None:
    mask = Mask(hash=("users.sourcedId",), drop=("users.phone",))
    one, two = (masked(district_roster, mask, tmp_path / name, KEY) for name in ("one", "two"))
    assert one.content_hash == two.content_hash
    words = [roster.columns("roles", ["_role"]) for roster in (one, district_roster)]
    assert words[0].equals(words[1])  # what OneRoster 1.1 called them, for going down again


def test_a_mask_is_applied_on_the_way_out_and_counts_the_rows_that_it_drops(
    district_roster: Roster, tmp_path: Path
) -> None:
    sent = outgoing(
        district_roster,
        tmp_path,
        mask={"drop": ["demographics"], "hash": ["users.sourcedId"]},
        mask_key={"env": "KEY"},
    )
    assert sent.left_out == {"demographics": district_roster.counts["demographics"]}
    assert sent.remarks == ()
    assert set(sent.roster.frame("users")["sourcedId"]).isdisjoint(
        district_roster.frame("users")["sourcedId"]
    )


@pytest.mark.parametrize(
    ("mask", "sentence"),
    [
        ({}, "masks nothing"),
        ({"drop": ["users.fone"]}, "did you mean phone"),
        ({"drop": ["demographic"]}, "did you mean demographics"),
        ({"drop": ["users"]}, "userProfiles.userSourcedId has to refer to one"),
        ({"drop": ["users.sourcedId"]}, "a row is known by it"),
        ({"drop": ["users.username"]}, "OneRoster requires it"),
        ({"blank": ["enrollments.userSourcedId"]}, "OneRoster requires it"),
        ({"blank": ["demographics"]}, "say an entity and a column"),
        ({"blank": ["users.status"]}, "packages of changes need it"),
        ({"drop": ["users.role"]}, "OneRoster 1.2 has no users.role"),
        ({"hash": ["enrollments.userSourcedId"]}, "say users.sourcedId"),
        ({"hash": ["demographics.birthDate"]}, "holds more than plain text"),
        ({"drop": ["users.phone"], "blank": ["users.phone"]}, "masked twice"),
        ({"drop": ["demographics", "demographics.sex"]}, "masked twice"),
        ({"drop": ["users.metadata", "users.metadata.house"]}, "masked twice"),
        ({"hash": ["users.metadata"]}, "is many columns: say which"),
        ({"hash": ["users.identifier"]}, "needs a `mask_key`"),
    ],
)
def test_what_a_mask_may_not_say_is_refused_with_a_hint(
    mask: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence):
        destination(mask=mask)


def test_a_key_without_hashes_is_refused_and_no_hash_is_made_without_a_key(
    district_roster: Roster, tmp_path: Path
) -> None:
    with pytest.raises(ValidationError, match="names no column; remove it"):
        destination(mask={"drop": ["users.phone"]}, mask_key={"env": "KEY"})
    with pytest.raises(ValueError, match="needs a key"):
        masked(district_roster, Mask(hash=("users.identifier",)), tmp_path / "masked")


def test_a_key_of_a_mask_is_read_where_it_is_kept_and_is_not_short(tmp_path: Path) -> None:
    to = destination(mask={"hash": ["users.identifier"]}, mask_key={"env": "MASK_KEY"})
    assert Channels(tmp_path, {"MASK_KEY": KEY.decode()}).mask_key(to) == KEY
    assert Channels(tmp_path, {}).mask_key(destination()) is None
    with pytest.raises(CredentialsUnusable, match="openssl rand") as error:
        Channels(tmp_path, {"MASK_KEY": "planted"}).mask_key(to)
    assert "planted" not in str(error.value)


def test_what_a_mask_may_miss_is_told_with_the_package(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "desk", {"mask": {"drop": ["users.metadata.lunch"]}})
    assert desk.bring().remarks == (
        "`mask` names users.metadata.lunch, and the roster has no such column.",
    )


def test_a_package_from_before_a_mask_is_never_sent_again(tmp_path: Path) -> None:
    bulk = {"mode": "bulk", "path": "in/{source}.zip"}
    desk = Desk(tmp_path / "desk", bulk)
    desk.bring()
    desk.resend(desk.now.date())
    desk.keys = {**bulk, "mask": {"drop": ["users.email"]}}
    accepted = desk.accepted()

    with pytest.raises(DeliveryError, match="was made for another `scope`, `mask` or `mask_key`"):
        desk.resend(desk.now.date())
    with desk.sender() as sender:
        assert sender.once_more(accepted).news
    assert not any(user["email"] for user in desk.package("springfield.zip")["users"])
    assert desk.resend(desk.now.date()).news


def test_a_masked_package_is_sent_anew_and_whole_where_the_key_is_another(tmp_path: Path) -> None:
    mask = {"hash": ["users.sourcedId"], "drop": ["users.email"]}
    desk = Desk(tmp_path / "desk", {"mask": mask, "mask_key": {"env": "MASK_KEY"}})

    def bring(key: bytes) -> Sent:
        accepted = desk.accepted()
        with desk.sender() as sender:
            return replace(sender, mask_key=key).bring(accepted)

    known = {user["sourcedId"] for user in desk.rows["users"]}
    assert bring(KEY).news
    (name,) = desk.names()
    package = desk.package(name)
    people = {user["sourcedId"] for user in package["users"]}
    assert known.isdisjoint(people)
    assert {seat["userSourcedId"] for seat in package["enrollments"]} <= people
    assert not any(user["email"] for user in package["users"])

    assert not bring(KEY).news
    other = bring(b"another key of 24 bytes!")
    assert other.news
    assert other.why_bulk is not None
