"""What of a receiver's files it would not take."""

from typing import Any

import pytest

from roster_pipeline.receivers.columns.checking import Misfit, misfits
from tests.receivers.columns.conftest import columns_of
from tests.receivers.conftest import Make, Rows


def _found(make: Make, change: Any = lambda _: None, **keys: Any) -> list[Misfit]:
    students: dict[str, Any] = {
        "rows": "users",
        "columns": {
            "id": {"value": "{sourcedId}", "required": True},
            "mail": {"value": "{email}", "required": True},
            "Grade {n}": {"value": "{grades}", "most": 1, "words": ["09", "10"]},
            "name": "{givenName}",
        },
    }
    seats = {
        "rows": "enrollments",
        "columns": {"who": {"value": "{userSourcedId}", "among": {"people.csv": "id"}}},
    }
    said = {"files": {"people.csv": students, "seats.csv": seats}, **keys}
    return misfits(make(change), columns_of(said))


def test_what_is_right_is_not_told(make: Make) -> None:
    assert _found(make, unique=[{"people.csv": "id"}, {"people.csv": "mail"}]) == []


def _no_mail(rows: Rows) -> None:
    rows["users"][0]["email"] = rows["users"][1]["email"] = ""


def _two_grades(rows: Rows) -> None:
    rows["users"][0]["grades"] = "KG,10"


def _nobody(rows: Rows) -> None:
    rows["enrollments"][0]["userSourcedId"] = "nobody"


def _same_mail(rows: Rows) -> None:
    rows["users"][0]["email"] = rows["users"][1]["email"]


def _polish(rows: Rows) -> None:
    rows["users"][0]["givenName"] = "Łucja"


@pytest.mark.parametrize(
    ("change", "keys", "sentences"),
    [
        (_no_mail, {}, ["2 rows of people.csv have no mail."]),
        (
            _two_grades,
            {},
            [
                "1 row of people.csv has a Grade {n} that the receiver has no word for.",
                "1 row of people.csv has more than there are columns for in Grade {n}; the rest is "
                "not sent.",
            ],
        ),
        (_nobody, {}, ["1 row of seats.csv has a who that people.csv lacks."]),
        (
            _same_mail,
            {"unique": [{"people.csv": "mail"}]},
            ["1 row has a text that an earlier row has too in mail of people.csv."],
        ),
        (
            lambda _: None,
            {"unique": [{"people.csv": "id", "seats.csv": "who"}]},
            ["5 rows have a text that an earlier row has too in id and who of people.csv, "
             "seats.csv."],
        ),
        (
            _polish,
            {"csv": {"encoding": "windows-1252"}},
            ["1 cell in name of people.csv has a letter that the encoding lacks, sent as ?."],
        ),
    ],
)  # fmt: skip
def test_rows_that_a_receiver_would_not_take_are_counted(
    make: Make, change: Any, keys: dict[str, Any], sentences: list[str]
) -> None:
    found = _found(make, change, **keys)
    assert [misfit.message for misfit in found] == sentences
    assert not any(misfit.stops for misfit in found)


def test_a_receiver_that_refuses_whole_deliveries_is_stopped_for_what_it_requires(
    make: Make,
) -> None:
    (found,) = _found(make, _no_mail, refuses="delivery")
    assert (found.stops, found.rows, found.of) == (True, 2, 5)
    assert not any(misfit.stops for misfit in _found(make, _two_grades, refuses="delivery"))
