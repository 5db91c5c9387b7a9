"""docs/send-packages.md shows destinations that can be read, and commands that there are."""

import re
from pathlib import Path

import yaml

from roster_pipeline.oneroster.scoping.config import Scope
from roster_pipeline.receivers.config import Destination
from roster_pipeline.receivers.mask_config import Mask
from roster_pipeline.transport.outlet_config import OutletConfig

PAGE = Path(__file__).parents[2] / "docs" / "send-packages.md"


def test_each_destination_of_the_page_can_be_read() -> None:
    shown = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    read = [Destination.model_validate(yaml.safe_load(text)) for text in shown]
    assert [one.id for one in read] == ["cloud", "changes", "desk", "portal", "library"]


def test_the_page_tells_of_each_key_of_a_destination() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("## What a destination says")[2]
    listed = re.findall(r"`(\w+)`", "".join(re.findall(r"^\|([^|]+)\|", table, re.MULTILINE)))
    assert not Destination.model_fields.keys() - set(listed)


def test_the_page_tells_of_each_key_of_a_scope_a_mask_and_a_way() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for model in (Scope, Mask, OutletConfig):
        for key in model.model_fields:
            assert f"`{key}`" in text, key
