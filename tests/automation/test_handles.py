"""What one run leaves for another, which may be of a later version."""

import json

from roster_pipeline.store import Outcome
from tests.automation.town import SOURCE, Town


def test_changes_that_another_version_wrote_are_said_to_need_another_sync(town: Town) -> None:
    town.drop(0)
    held = town.sync()
    [kept] = (town.folder / ".dagster" / "handles" / "changes").iterdir()
    changes = json.loads(kept.read_bytes())
    del changes["facts"]
    kept.write_text(json.dumps(changes), encoding="utf-8")

    failed = town.approve(held.hold)
    assert failed.outcome is Outcome.FAILED
    assert failed.sentences == (
        f"What was kept as changes of {SOURCE} on {town.today} cannot be read: another version of"
        " roster-pipeline wrote it, or it is damaged."
        f" Sync again: `roster sync {SOURCE} --date {town.today}`.",
    )
    assert not town.delivered.exists()

    assert town.sync(town.today).outcome is Outcome.DONE
    assert town.delivered.exists()
