"""`roster vendor` tells what is known of each vendor's systems."""

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
