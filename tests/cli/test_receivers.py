"""`roster receiver` tells what is known of each receiver, and docs/receivers/ says the same."""

import re
from pathlib import Path

import pytest
import yaml

from roster_pipeline.receivers import profiles
from roster_pipeline.receivers.config import LATER, Destination
from roster_pipeline.reports.receivers import INDEX, pages
from roster_pipeline.workspace.places import clashes
from tests.cli.conftest import Roster

FOLDER = Path(__file__).parents[2] / "docs" / "receivers"
SAMPLE = re.compile(r"```yaml\n(.*?)```", re.DOTALL)


def test_every_receiver_is_listed(roster: Roster) -> None:
    ended = roster("receiver", "list")
    assert ended.code == 0
    listed_lines = ended.out.splitlines()[2:-2]
    assert [line.split()[0] for line in listed_lines] == list(profiles.names())
    document = roster("receiver", "list", "--format", "json").document()
    listed = {one["receiver"]: one for one in document["receivers"]}
    assert listed["naviance-staff"]["format"] == "OneRoster 1.1"
    assert listed["oneroster-1.1"]["modes"] == ["bulk", "delta"]


@pytest.mark.parametrize("name", profiles.names())
def test_each_receiver_is_shown_whole(roster: Roster, name: str) -> None:
    ended = roster("receiver", "show", name)
    profile = profiles.load(name)
    assert ended.code == 0
    told = (profile.title, *profile.ask, *(check.says for check in profile.checks))
    for sentence in (*told, *profile.variants):
        assert sentence in ended.out


def test_a_receiver_is_shown_in_a_variant(roster: Roster) -> None:
    words = ("receiver", "show", "naviance-staff", "--variant", "naviance-spelling")
    document = roster(*words, "--format", "json").document()
    assert document["schema"] == "roster.receiver/1"
    files = {file["file"]: file["columns"] for file in document["files"]}
    assert files["orgs.csv"][0] == "sourceID"
    assert document["roles"]["counselor"] == "administrator"
    assert document["archive"]["name"] == "NavianceOneRoster.zip"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["navianse-staff"], "did you mean naviance-staff?"),
        (["x"], "`roster receiver list` has them."),
        (["lingco", "--variant", "x"], "lingco has no variant 'x'; it has none."),
        (["mcgraw-hill", "--variant", "x"], "it has sso-by-email"),
    ],
)
def test_what_is_not_known_is_told_with_what_is(
    roster: Roster, words: list[str], said: str
) -> None:
    ended = roster("receiver", "show", *words)
    assert ended.code == 2
    assert said in ended.err


@pytest.mark.parametrize(("name", "page"), pages().items())
def test_each_page_is_as_its_profile_is(name: str, page: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == page, "run `make docs`"


def test_there_is_no_page_of_a_receiver_that_is_not_known() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(pages())


@pytest.mark.parametrize("name", profiles.names())
def test_the_sample_of_each_page_is_a_destination(name: str) -> None:
    (text,) = SAMPLE.findall(pages()[f"{name}.md"])
    said = yaml.safe_load(text)
    if not LATER.keys() & said.keys():
        assert Destination.model_validate(said).profile == name


@pytest.mark.parametrize("name", profiles.names())
def test_each_page_says_what_to_ask_and_what_is_looked_at(name: str) -> None:
    page = pages()[f"{name}.md"]
    for section in ("What to ask them", "A destination", "How it goes out", "Looked at before"):
        assert f"\n## {section}" in page, section


def test_the_samples_of_all_pages_can_stand_side_by_side(tmp_path: Path) -> None:
    samples = [yaml.safe_load(SAMPLE.findall(page)[0]) for page in _receivers_pages()]
    told = {said["id"]: Destination.model_validate(said) for said in samples}
    assert len(told) == len(profiles.names())
    assert not [*clashes(told, ["springfield"], tmp_path)]


def _receivers_pages() -> list[str]:
    return [page for name, page in pages().items() if name != INDEX]


def test_the_index_links_every_page() -> None:
    linked = re.findall(r"^\|\[.+\]\((\S+)\.md\)", pages()[INDEX], re.MULTILINE)
    assert linked == list(profiles.names())
