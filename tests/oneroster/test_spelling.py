"""Blanks around cells."""

import io

import pytest

from roster_pipeline.oneroster.package import open_package
from tests.small import district, packed


def given_names(first: str, second: str) -> list[str]:
    files = district()
    files["users"][0]["givenName"], files["users"][1]["givenName"] = first, second
    with open_package(io.BytesIO(packed(files))) as package:
        (block,) = package.blocks("users")
    return list(block.frame["givenName"][:2])


@pytest.mark.parametrize("blank", [" ", "\t", "\n", "\v", "\f", "\u00a0", "\u3000", "\x85"])
def test_what_becomes_of_a_cell_does_not_depend_on_the_others(blank: str) -> None:
    alone, _ = given_names(f"{blank}Ada{blank}", "NA")
    beside, other = given_names(f"{blank}Ada{blank}", " NA")
    assert alone == beside == ("Ada" if blank.isascii() else f"{blank}Ada{blank}")
    assert other == "NA"
