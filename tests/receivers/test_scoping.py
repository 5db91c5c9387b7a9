"""What a destination gets is a part of the roster that is whole in itself."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.scoping.scope import ScopeError
from roster_pipeline.receivers import profiles
from roster_pipeline.receivers.config import Destination
from roster_pipeline.receivers.outgoing import Outgoing, prepare
from tests.oneroster.test_scope import dangles_nowhere


def destination(**keys: Any) -> Destination:
    data = {"id": "reader", "transport": {"folder": {"path": "out"}}, "path": "/in/{source}.zip"}
    return Destination.model_validate({**data, **keys})


def outgoing(roster: Roster, folder: Path, **keys: Any) -> Outgoing:
    to = destination(**keys)
    on = date(2026, 9, 14)
    return prepare(
        roster, to, profiles.load(to.profile), folder / "out", b"0123456789abcdef", on=on
    )


def test_one_school_goes_out_whole_and_what_stays_is_counted(
    district_roster: Roster, tmp_path: Path
) -> None:
    orgs = district_roster.frame("orgs")
    school = str(orgs["sourcedId"][orgs["type"] == "school"].iloc[0])
    sent = outgoing(district_roster, tmp_path, scope={"schools": [school]})

    assert set(sent.roster.frame("classes")["schoolSourcedId"]) == {school}
    assert 0 < sent.roster.counts["users"] < district_roster.counts["users"]
    dangles_nowhere(sent.roster)
    for entity, rows in district_roster.counts.items():
        assert rows - sent.roster.counts[entity] == sent.left_out.get(entity, 0)


def test_a_school_that_the_roster_lacks_stops_the_delivery_and_names_the_file(
    district_roster: Roster, tmp_path: Path
) -> None:
    with pytest.raises(ScopeError, match=r"destinations/reader\.yaml: `scope\.schools`"):
        outgoing(district_roster, tmp_path, scope={"schools": ["nowhere"]})


@pytest.mark.parametrize(
    ("scope", "sentence"),
    [
        ({"schools": []}, "leave `schools` out to take all"),
        ({"roles": ["pupil"]}, "1.2 has no role pupil"),
        ({"school": ["a"]}, "Extra inputs"),
    ],
)
def test_a_malformed_scope_is_refused_when_it_is_read(scope: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        destination(scope=scope)
