"""Differences and counts, as text, JSON, Markdown and a picture."""

import re
from base64 import b64decode
from xml.etree import ElementTree as ET

from rich.console import Console

from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.reports.bars import bar_svg
from roster_pipeline.reports.changes import (
    changes_document,
    changes_markdown,
    changes_sentence,
    changes_text,
    counts_markdown,
)
from roster_pipeline.reports.tables import markdown_table

NONE = {"added": 0, "changed": 0, "removed": 0, "unchanged": 0}
COUNTS = {
    "orgs": {**NONE, "unchanged": 4},
    "users": {"added": 12, "changed": 3456, "removed": 7, "unchanged": 90000},
    "roles": NONE,
}
COLUMNS = {"users": {"email": 3400, "givenName": 60, "phone": 0}, "orgs": {}}
SVG = "http://www.w3.org/2000/svg"


def picture(markdown: str) -> ET.Element:
    encoded = re.fullmatch(r"!\[[^]]*\]\(data:image/svg\+xml;base64,(.*)\)", markdown)
    assert encoded is not None
    return ET.fromstring(b64decode(encoded[1]))  # noqa: S314 - our own SVG


def test_the_terminal_shows_every_entity_and_the_columns_that_changed_most() -> None:
    console = Console(width=100, color_system=None)
    with console.capture() as capture:
        console.print(changes_text(COUNTS, COLUMNS))
    text = capture.get()
    assert re.search(r"users\s+12\s+3,456\s+7\s+90,000", text)
    assert re.search(r"roles\s+0\s+0\s+0\s+0", text)
    assert "users: changed in email 3,400, givenName 60" in text
    assert "phone" not in text


def test_the_document_adds_up_all_entities() -> None:
    document = changes_document(COUNTS, COLUMNS)
    assert document["totals"] == {"added": 12, "changed": 3456, "removed": 7, "unchanged": 90004}
    assert document["entities"]["users"]["changed_columns"]["email"] == 3400


def test_an_entity_without_rows_is_left_out_of_markdown() -> None:
    markdown = changes_markdown(COUNTS)
    assert "|users|12|3,456|7|90,000|" in markdown
    assert "roles" not in markdown


def test_nothing_moved_is_said_so() -> None:
    assert changes_sentence({"orgs": COUNTS["orgs"]}) == "No row differs."
    assert changes_sentence(COUNTS) == "12 added, 3,456 changed, 7 removed (users)."


def test_of_few_entities_it_is_said_which_lose_rows() -> None:
    lost = {entity: {**NONE, "removed": 6} for entity in ENTITIES[:4]}
    one = {ENTITIES[0]: lost[ENTITIES[0]]}
    assert changes_sentence(one) == f"0 added, 0 changed, 6 removed ({ENTITIES[0]})."
    two = {entity: lost[entity] for entity in ENTITIES[:2]}
    said = f"12 removed (6 {ENTITIES[0]}, 6 {ENTITIES[1]})."
    assert changes_sentence(two) == f"0 added, 0 changed, {said}"
    assert changes_sentence(lost) == "0 added, 0 changed, 24 removed."


def test_what_the_scope_leaves_out_is_not_called_removed() -> None:
    counts = {
        "users": {**NONE, "changed": 55, "removed": 40},
        "courses": {**NONE, "removed": 3},
    }
    said = changes_sentence(counts, {"users": 38, "courses": 3})
    assert said == (
        "0 added, 55 changed, 2 removed (users), 41 left out by the scope (38 users, 3 courses)."
    )
    assert "left out" not in changes_sentence(counts, {"users": 0})


def test_a_table_without_rows_says_none() -> None:
    assert markdown_table(("finding", "count"), []) == "none"


def test_counts_make_a_table() -> None:
    assert counts_markdown({"users": 1234}).endswith("|users|1,234|")


def test_bars_for_all_entities_stay_small_enough_to_show_inline() -> None:
    assert len(bar_svg(dict.fromkeys(ENTITIES, 7_000_000), title="rows")) < 1000


def test_the_longest_bar_is_full_and_a_small_count_is_still_seen() -> None:
    root = picture(bar_svg({"added": 1, "changed": 100000, "removed": 0}))
    path = root.find(f"{{{SVG}}}path")
    assert path is not None
    assert re.findall(r"h(\d+)", path.attrib["d"]) == ["1", "120", "0"]


def test_labels_with_markup_in_them_stay_text() -> None:
    texts = [node.text for node in picture(bar_svg({"a<b & c": 1})).iter(f"{{{SVG}}}text")]
    assert texts == ["a<b & c 1"]


def test_no_values_make_an_empty_picture() -> None:
    assert picture(bar_svg({})).attrib["height"] == "0"
