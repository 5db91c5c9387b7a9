"""`roster vendor` tells what is known of each vendor's systems."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from roster_pipeline.sources import vendors
from tests.cli.conftest import Roster


def test_every_profile_is_listed(roster: Roster) -> None:
    ended = roster("vendor", "list")
    assert ended.code == 0
    assert [line.split()[0] for line in ended.out.splitlines()[2:]] == list(vendors.known())


def test_the_list_is_a_document_too(roster: Roster) -> None:
    document = roster("vendor", "list", "--format", "json").document()
    assert document["schema"] == "roster.vendors/1"
    listed = {vendor["vendor"]: vendor for vendor in document["vendors"]}
    assert listed["generic-csv"]["comes_by"] == "files"
    assert listed["classlink"]["login"][0] == "bearer"


@pytest.mark.parametrize("name", vendors.known())
def test_each_vendor_is_shown_whole(roster: Roster, name: str) -> None:
    ended = roster("vendor", "show", name)
    profile = vendors.load(name)
    assert ended.code == 0
    for sentence in (profile.title, *profile.advice.steps, *profile.advice.uncertain):
        assert sentence in ended.out


def test_a_vendor_is_shown_with_addresses_and_what_it_does_otherwise(roster: Roster) -> None:
    document = roster("vendor", "show", "infinite-campus", "--format", "json").document()
    assert document["schema"] == "roster.vendor/1"
    address = document["addresses"][0]
    assert address["version"] == "1.2"
    assert address["token_url"].startswith("https://HOST/campus/oauth2/token")
    assert any("5 requests at a time" in sentence for sentence in document["otherwise"])
    text = roster("vendor", "show", "infinite-campus").out
    assert address["base_url"] in text
    assert "of some installations: https://HOST/campus/api/ims/" in text


def test_a_vendor_that_is_not_known_is_told_with_those_that_are(roster: Roster) -> None:
    ended = roster("vendor", "show", "powershcool")
    assert ended.code == 2
    assert "powerschool" in ended.err


@pytest.fixture
def larchmont(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Profiles as they are, and beside them one of a new vendor's, with a text of its own."""
    folder = tmp_path / "vendors"
    shutil.copytree(Path(str(vendors.__file__)).parent, folder)
    monkeypatch.setattr(vendors, "_HERE", folder)

    def write(text: str) -> None:
        (folder / "larchmont.yaml").write_text(text)
        vendors.known.cache_clear()
        vendors.load.cache_clear()

    yield write
    vendors.known.cache_clear()
    vendors.load.cache_clear()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title: L\nrest:\n  wrapers: {users: [x]}\n", "larchmont.yaml:3:3: no key is called"),
        ("title: L\nrest:\n  wrapers: {users: [x]}\n", "did you mean `wrappers`"),
        ("title: L\nrest:\n  wrappers: {pupils: [x]}\n", "larchmont.yaml:3:13: `rest.wrappers`"),
        ("title: L\nrest: [\n", "larchmont.yaml:3:1: this is not YAML"),
        ("title: L\nadvice: none\n", "larchmont.yaml:2:9: `advice`"),
        ("", "`title` is missing"),
    ],
)
def test_a_slip_in_a_profile_is_told_with_its_place(
    roster: Roster, larchmont: Callable[[str], None], text: str, said: str
) -> None:
    larchmont(text)
    ended = roster("vendor", "show", "larchmont")
    assert ended.code == 2
    assert said in ended.err
    assert "fault of roster-pipeline" not in ended.err


def test_a_profile_with_a_slip_does_not_hide_the_others(
    roster: Roster, larchmont: Callable[[str], None]
) -> None:
    larchmont("title: L\nrest: {limt: 5}\n")
    ended = roster("vendor", "list")
    assert ended.code == 2
    assert "powerschool" in ended.out
    assert "larchmont" not in ended.out
    assert "`limit`" in ended.err


def test_a_district_of_a_vendor_with_a_slip_is_sent_to_the_profile(
    roster: Roster, workspace: Path, larchmont: Callable[[str], None]
) -> None:
    larchmont("title: L\nrest: {limt: 5}\n")
    (workspace / "sources" / "shelby.yaml").write_text(
        "id: shelby\nname: Shelby\nvendor: larchmont\ntimezone: America/Chicago\nrest: {}\n"
    )
    ended = roster("-w", workspace, "status")
    assert "sources/shelby.yaml" in ended.err
    assert "no key is called `rest.limt`; `roster vendor show larchmont` says where" in ended.err


def test_one_name_for_the_records_of_all_collections_is_said_once(
    roster: Roster, larchmont: Callable[[str], None]
) -> None:
    larchmont('title: L\nrest:\n  wrappers: {"*": [data]}\n')
    ended = roster("vendor", "show", "larchmont")
    assert ended.code == 0
    assert "Records of any collection may stand in a page under `data`." in ended.out
