"""How long a trial of a server waits for it."""

import time
from datetime import date
from pathlib import Path

import pytest

from roster_pipeline.sources.trial import Went, try_server
from roster_pipeline.transport.http import open_session
from tests.sources.conftest import rest_source
from tests.sources.school_server import Habits, records, school_server
from tests.transport.scripted import Answer


@pytest.mark.parametrize(("asked", "waited", "fails"), [(130, [], True), (15, [15.0], False)])
def test_a_server_that_asks_to_be_left_alone_is_not_waited_for_longer_than_a_person_would(
    asked: int, waited: list[float], fails: bool
) -> None:
    """What the server asks for is told instead."""
    busy = [Answer(429, headers={"Retry-After": str(asked)})]

    def instead(_: object, collection: str, __: object) -> Answer | None:
        return busy.pop() if busy and collection == "orgs" else None

    slept: list[float] = []
    with school_server(records(), Habits(instead=instead)) as server:
        source = rest_source(f"{server.url}/ims")
        assert source.rest is not None
        began = time.monotonic()
        steps = try_server(
            source,
            source.rest,
            lambda rest: open_session(
                rest, base=Path(), environ={"TOKEN": "t"}, sleep=slept.append
            ),
            base=Path(),
            today=date(2026, 9, 1),
        )
    assert slept == waited
    assert time.monotonic() - began < 30
    failed = [step.sentence for step in steps if step.went is Went.FAILED]
    assert bool(failed) is fails
    if fails:
        assert "429 Too Many Requests" in failed[0]
        assert f"It asks to be left alone for {asked} s. Run it again after that." in failed[0]
