"""Weeks of deliveries of changes, many of which fail: whoever applies what arrived has the roster.

Failed are those whose server cannot be reached, that break off before, in and after the upload, and
whose process dies anywhere. The days are drawn by a seeded generator.
"""

import os
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

import pandas as pd
import pytest

from roster_pipeline.receivers.processing.looking import Answer
from roster_pipeline.receivers.processing.matching import Outcome
from roster_pipeline.store import Delivery
from roster_pipeline.transport import TransportError, Unreachable
from roster_pipeline.transport.folder import Folder
from tests.receivers.desk import Desk, live

DAYS: Final = int(os.environ.get("ROSTER_DELTA_DAYS", "60"))
PLACES: Final = (
    "upload.half",
    "upload.before-rename",
    "upload.after-rename",
    "snapshot.before-rename",
    "snapshot.after-rename",
    "delivery.before-receipt",
)
BY_NUMBER: Final = {"path": "in/{source}-{number}.zip"}
BY_DATE: Final = {"path": "in/{date}.zip", "sources": ["springfield"]}


class _Down(Folder):
    def __enter__(self) -> "_Down":
        raise Unreachable("The server does not answer.")


class _Unread(Folder):
    """What was uploaded is there; the connection is not, when it is to be read back."""

    uploaded = False

    def upload(self, *args: Any) -> None:
        super().upload(*args)
        self.uploaded = True

    def stat(self, path: str) -> Any:
        if self.uploaded:
            raise Unreachable("The connection was lost.")
        return super().stat(path)


def fail(desk: Desk, random: Random, patch: pytest.MonkeyPatch) -> None:
    """Try to bring what the rows are now, and fail in some way."""
    way = random.choice(["down", "unread", *PLACES])
    if way in PLACES:
        try:
            desk.killed_at(way, patch)
        except pytest.fail.Exception:
            # It did not come that way: there was nothing new to send.
            return
    before, desk.channel = (
        desk.channel,
        lambda: {"down": _Down, "unread": _Unread}.get(way, Folder)(desk.folder),
    )
    try:
        desk.bring()
    except TransportError:
        pass
    finally:
        desk.channel = before


def _answer(desk: Desk, random: Random) -> None:
    """The receiver says what became of the newest package, or nothing, or cannot be asked."""
    desk.reader.fetch()
    refused = bool({*desk.names()[-1:]} & {*desk.reader.refuses})
    outcome = Outcome.REJECTED if refused else Outcome.ACCEPTED
    said = Answer(
        random.choice([Outcome.WAITING, outcome]),
        modified=desk.now + timedelta(hours=1),
        refused=pd.DataFrame({"file": [], "sourcedId": []}),
    )

    def answered(_: Delivery) -> Answer:
        if random.random() < 0.1:
            raise Unreachable("The server does not answer.")
        return said

    desk.answered = answered


def _answered(desk: Desk, days: int, seed: int, patch: pytest.MonkeyPatch) -> None:
    random = Random(seed)  # noqa: S311
    numbers = [number for number in range(1, 4 * days) if random.random() < 0.25]
    desk.reader.refuses = {f"springfield-{number:06}.zip" for number in numbers}
    _answer(desk, random)
    alike = 0
    for day in range(days):
        desk.day()
        live(desk.rows, random, day)
        if random.random() < 0.3:
            fail(desk, random, patch)
        else:
            desk.bring()
            if not {*desk.names()[-1:]} & {*desk.reader.refuses}:
                assert desk.read_alike(), f"day {day} of seed {seed}"
                alike += 1
        _answer(desk, random)
    assert alike >= days / 4


def _soak(desk: Desk, days: int, seed: int, patch: pytest.MonkeyPatch) -> None:
    random = Random(seed)  # noqa: S311
    confirmed = 0
    for day in range(days):
        desk.day()
        live(desk.rows, random, day)
        if random.random() < 0.45:
            fail(desk, random, patch)
            if random.random() < 0.5:
                desk.reader.fetch()
            if random.random() < 0.7:
                continue
        desk.bring()
        confirmed += 1
        assert desk.read_alike(), f"day {day} of seed {seed}"
    assert confirmed > days / 4


def test_a_reader_has_the_roster_after_each_delivery_of_eight_days(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _soak(Desk(tmp_path / "desk", BY_NUMBER), 8, 1, monkeypatch)


def test_a_reader_that_rejects_some_and_says_so_now_and_then_has_the_roster_after_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _answered(Desk(tmp_path / "desk", BY_NUMBER), 5, 3, monkeypatch)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2))
def test_a_reader_that_rejects_some_has_the_roster_after_the_others_of_two_months(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    _answered(Desk(tmp_path / "desk", BY_NUMBER), DAYS, seed, monkeypatch)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    "keys",
    [
        BY_NUMBER,
        BY_NUMBER | {"bulk_every": 7, "retention": 5},
        BY_NUMBER | {"profile": "oneroster-1.1", "retention": 3},
        BY_DATE | {"retention": 2},
    ],
    ids=["numbers", "bulks and retention", "1.1", "dates"],
)
def test_a_reader_has_the_roster_after_each_delivery_of_two_months(
    tmp_path: Path, seed: int, keys: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    _soak(Desk(tmp_path / "desk", keys), DAYS, seed, monkeypatch)
