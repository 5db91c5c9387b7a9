"""A whole roster cannot say that nothing is left of an entity; a person is told."""

from pathlib import Path

from roster_pipeline.receivers import profiles
from roster_pipeline.receivers.emptied import emptied
from tests.receivers.desk import Desk

BULK = {"mode": "bulk", "path": "in/{source}.zip"}


def test_a_delivery_without_the_last_rows_of_an_entity_says_that_they_may_stay(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path, BULK)
    rows = len(desk.rows["enrollments"])
    assert rows
    assert desk.bring().remarks == ()
    desk.day()
    desk.rows["enrollments"] = []

    (said,) = desk.bring().remarks

    assert said.startswith(f"it had {rows} rows of enrollments and gets none now.")
    desk.day()
    desk.rows["users"][0]["givenName"] += "e"
    assert desk.bring().remarks == ()


def test_changes_are_suggested_to_who_takes_them_only() -> None:
    said = {
        name: emptied({"users": 2, "orgs": 1}, {"orgs": 1}, profiles.load(name))
        for name in ("oneroster-1.2", "lingco", "apple")
    }
    assert ["`mode: delta`" in text for text in said["oneroster-1.2"]] == [True]
    assert ["`mode: delta`" in text for text in said["lingco"]] == [False]
    assert said["apple"] == ()
