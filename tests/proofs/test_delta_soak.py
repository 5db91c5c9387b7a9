"""Weeks of deliveries of changes, many of which fail: whoever applies what arrived has the roster.

Failed are those whose server cannot be reached, that break off before, in and after the upload, and
whose process dies anywhere. The days are drawn by a seeded generator.
"""

import os
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

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


def _fail(desk: Desk, random: Random, patch: pytest.MonkeyPatch) -> None:
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


def _soak(desk: Desk, days: int, seed: int, patch: pytest.MonkeyPatch) -> None:
    random = Random(seed)  # noqa: S311
    confirmed = 0
    for day in range(days):
        desk.day()
        live(desk.rows, random, day)
        if random.random() < 0.45:
            _fail(desk, random, patch)
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
