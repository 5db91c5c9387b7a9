"""What a destination gets of an accepted roster."""

from datetime import date
from pathlib import Path

from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.receivers import profiles
from roster_pipeline.receivers.config import Destination
from roster_pipeline.receivers.outgoing import prepare


def test_a_receiver_of_all_that_the_standard_has_gets_the_roster_itself(
    district_roster: Roster, tmp_path: Path
) -> None:
    destination = Destination.model_validate(
        {"id": "desk", "sources": ["a"], "transport": {"folder": {"path": "out"}}, "path": "a.zip"}
    )
    profile = profiles.load(destination.profile)
    outgoing = prepare(
        district_roster, destination, profile, tmp_path / "out", on=date(2026, 9, 14)
    )
    assert outgoing.roster is district_roster
    assert outgoing.left_out == {}
