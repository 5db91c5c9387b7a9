"""Weeks in which all goes wrong that can be repaired: whoever applies what arrives has the roster.

Ledgers of an earlier day, lost rosters, clocks that go back, packages that are sent again, other
masks and scopes, beside deliveries that fail anywhere. The days are drawn by a seeded generator.
"""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from roster_pipeline.oneroster.delta import diff
from roster_pipeline.receivers.delivery import DeliveryError
from roster_pipeline.receivers.outgoing import prepare
from tests.proofs.test_delta_soak import DAYS, fail
from tests.receivers.desk import Desk, live
from tests.receivers.test_delta_doubts import backup, restore

UPLOADS: Final = ("upload.half", "upload.before-rename", "upload.after-rename")
KEYS: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"retention": 4},
    {"bulk_every": 5},
    {"mask": {"drop": ["users.phone", "demographics"]}},
    {"scope": {"roles": ["student"]}},
    {"system_name": "Hub"},
    {"path": "in/{source}-{number}-of-us.zip"},
)
Mishap = Callable[[Desk, Random, pytest.MonkeyPatch], None]


def _other_keys(desk: Desk, random: Random, _: pytest.MonkeyPatch) -> None:
    desk.keys = {**_base(desk), **random.choice(KEYS)}


def _base(desk: Desk) -> dict[str, Any]:
    return {key: said for key, said in desk.keys.items() if key == "profile"}


def _back_up(desk: Desk, *_: Any) -> None:
    shutil.rmtree(desk.folder / "backup", ignore_errors=True)
    backup(desk, "ledger.db")


def _restore(desk: Desk, *_: Any) -> None:
    if (desk.folder / "backup").exists():
        restore(desk)


def _lose(desk: Desk, *_: Any) -> None:
    shutil.rmtree(desk.folder / "store" / "outgoing", ignore_errors=True)


def _clock(desk: Desk, *_: Any) -> None:
    desk.now -= timedelta(days=2)


def _again(desk: Desk, random: Random, patch: pytest.MonkeyPatch) -> None:
    day = desk.now.date() - timedelta(days=random.randint(0, 6))
    try:
        if random.random() < 0.5:
            desk.resend(day)
        else:
            desk.killed_at(random.choice(UPLOADS), patch, lambda: desk.resend(day))
    except (DeliveryError, pytest.fail.Exception):
        pass  # there is none of that day, or it lies there
    desk.reader.fetch()


def _demographics(desk: Desk, *_: Any) -> None:
    one = {"sourcedId": "u1", "birthDate": "2012-03-04", "sex": "female"}
    desk.rows["demographics"] = [] if desk.rows.get("demographics") else [one]


MISHAPS: Final[tuple[Mishap, ...]] = (
    *(_other_keys, _back_up, _restore, _lose, _clock, _again, _demographics),
)


def _has_it(desk: Desk, day: int) -> bool:
    desk.reader.fetch()
    to, accepted = desk.destination, desk.made
    into = desk.folder / "expected" / str(day)
    into.parent.mkdir(exist_ok=True)
    expected = prepare(accepted, to, to.format, into, on=desk.now.date()).roster
    return diff(desk.reader.state, expected).empty


@pytest.mark.soak
@pytest.mark.parametrize("profile", ["oneroster-1.2", "oneroster-1.1"])
@pytest.mark.parametrize("seed", range(2))
def test_a_reader_has_the_roster_after_whatever_mishap(
    tmp_path: Path, profile: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    random, desk = Random(seed), Desk(tmp_path / "desk", {"profile": profile})  # noqa: S311
    for day in range(DAYS):
        desk.day()
        live(desk.rows, random, day)
        if random.random() < 0.5:
            random.choice(MISHAPS)(desk, random, monkeypatch)
        if random.random() < 0.3:
            fail(desk, random, monkeypatch)
            if random.random() < 0.5:
                desk.reader.fetch()
            if random.random() < 0.6:
                continue
        desk.bring()
        assert _has_it(desk, day), f"day {day} of seed {seed}"
