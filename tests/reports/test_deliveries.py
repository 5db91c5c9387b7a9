from datetime import UTC, datetime
from typing import Any

from rich.console import Console, RenderableType

from roster_pipeline.reports.deliveries import deliveries_text, difference_text
from roster_pipeline.store import Delivery


def shown(text: RenderableType) -> str:
    console = Console(width=300, color_system=None)
    with console.capture() as captured:
        console.print(text)
    return captured.get()


def delivery(source: str, day: int, **receipt: Any) -> Delivery:
    at = datetime(2026, 9, day, tzinfo=UTC)
    return Delivery("lms", source, "a" * 64, "b" * 64, f"in/{source}.zip", 1234, receipt, at)


def document(**keys: Any) -> dict[str, Any]:
    rows = {"users": 1200, "orgs": 3, "roles": 0}
    told = {"news": True, "again": False, "rows": rows, "left_out": {}, "difference": None}
    return {**told, **keys}


def test_a_trial_says_what_would_be_sent_and_what_of_the_roster_would_not() -> None:
    said = shown(difference_text(document(left_out={"users": 158, "demographics": 0})))
    assert "In it: 1,200 users, 3 orgs." in said
    assert "Not in it: 158 users." in said
    assert "Not in it" not in shown(difference_text(document()))


def test_a_trial_of_what_is_there_already_has_nothing_in_it() -> None:
    said = shown(difference_text(document(news=False, difference={})))
    assert said == "No row differs from what was delivered last.\n"


def test_what_stayed_at_home_is_told_of_the_newest_delivery_of_each_source() -> None:
    sent = [
        delivery("springfield", 1, left_out={"users": 7}),
        delivery("shelbyville", 2, left_out={}),
        delivery("springfield", 3, left_out={"users": 8, "roles": 9}),
    ]
    said = shown(deliveries_text(sent, []))
    assert "Not in the last delivery of springfield: 8 users, 9 roles." in said
    assert said.count("Not in the last") == 1


def test_where_rows_cannot_be_compared_a_trial_says_what_was_sent_last() -> None:
    assert "Nothing was delivered before." in shown(difference_text(document()))
    last = delivery("springfield", 1, rows={"users": 1358, "orgs": 3})
    said = shown(difference_text(document(), last))
    assert "rows cannot be compared. It was sent 1,358 users, 3 orgs." in said.replace("\n", " ")
    changes = delivery("springfield", 1, mode="delta", rows={"users": 2})
    assert "It was sent" not in shown(difference_text(document(), changes))


def test_what_would_be_sent_once_more_is_compared_with_nothing() -> None:
    said = shown(difference_text(document(again=True, rows={"users.csv": 7}), None))
    assert said == "In it: 7 in users.csv.\n"
