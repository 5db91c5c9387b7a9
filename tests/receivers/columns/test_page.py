"""docs/send-other-csv.md: what it shows works as it says, and it leaves nothing out."""

import re
from pathlib import Path

import pytest
import yaml

from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.receivers.columns.config import Dialect, File, Value
from roster_pipeline.receivers.columns.names import LISTS, ROLES, VIEWS
from roster_pipeline.receivers.config import Destination
from tests.receivers.columns.conftest import Write, columns_of, members
from tests.receivers.conftest import Make, Rows

PAGE = (Path(__file__).parents[3] / "docs" / "send-other-csv.md").read_text(encoding="utf-8")
SHOWN = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]


def test_the_destination_that_the_page_shows_sends_its_files(district_roster: Roster) -> None:
    columns = Destination.model_validate(SHOWN[0]).columns
    assert columns is not None
    found = {name: text.decode() for name, text in members(district_roster, columns).items()}
    assert list(found) == ["patrons.csv", "classes.csv", "seats.csv"]
    patrons = found["patrons.csv"].splitlines()
    assert patrons[0] == "Barcode;Name;Grade;School;Born;Active;House"
    assert re.fullmatch(r"1000000;\S+ \S+, NA;K;[^;]+;5/4/2021;Y;none", patrons[1])
    assert found["classes.csv"].splitlines()[0] == "Id;Title;Teacher 1;Teacher 2"


def test_the_ids_that_the_page_shows_are_as_it_says(make: Make, written: Write) -> None:
    def change(rows: Rows) -> None:
        rows["classes"][0]["sourcedId"] = "u1"
        rows["classes"][1]["sourcedId"] = "a_b"
        rows["enrollments"].clear()

    groups = written(make(change), columns_of(SHOWN[1]["columns"]))["groups.csv"]
    assert [row["id"] for row in groups] == ["group-u1", "a-5f-b"]


@pytest.mark.parametrize(
    "word",
    [
        *VIEWS,
        *ROLES,
        *(name for names in LISTS.values() for name in names),
        *(name for model in (Dialect, File, Value) for name in model.model_fields),
    ],
)
def test_the_page_has_every_word_of_the_language(word: str) -> None:
    assert re.search(rf"`[^`\n]*\b{word}\b[^`\n]*`", PAGE)
