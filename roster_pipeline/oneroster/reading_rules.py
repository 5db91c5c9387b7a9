"""The rules that are judged while a package is read: archive, manifest, headers, text."""

from collections.abc import Mapping
from typing import Final

from roster_pipeline.oneroster.rules import Rule

READING: Final[tuple[Rule, ...]] = ()

RULES: Final[Mapping[str, Rule]] = {rule.code: rule for rule in READING}
