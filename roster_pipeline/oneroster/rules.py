"""What a rule is, and how grave its findings are for a source.

The rules themselves are tables: those of reading in `oneroster/reading_rules.py`, those of judging
in `quality/`. `quality/rules.py` has all of them by code.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np

from roster_pipeline.oneroster.findings import FindingGroup, Findings, Lines, Severity, Texts


class Layer(StrEnum):
    """What must be looked at to judge a rule, in the order in which rules are judged."""

    PACKAGE = "package"
    """The archive, the manifest, headers and files as text."""
    CELL = "cell"
    ROW = "row"
    KEY = "key"
    REFERENCE = "reference"
    MEANING = "meaning"


class Source(StrEnum):
    """The part of the OneRoster CSV Binding that a rule comes from, or the REST one. Parts are
    named: their numbers differ between issues of the text."""

    PACKAGE = "the package and its files"
    MANIFEST = "the manifest"
    MODES = "bulk and delta"
    TYPES = "data types"
    TABLES = "the table of the file"
    VOCABULARIES = "vocabularies"
    DEPENDENCIES = "what a file needs"
    REST = "objects over REST"
    PRACTICE = "practice"
    """No text says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. What it says never holds cell values."""

    code: str
    layer: Layer
    severity: Severity
    """What a breach does under the lenient profile, unless the place of it says else."""
    message: str
    why: str
    """What goes wrong downstream where it is broken."""
    fix: str
    """What the person who makes the export does about it."""
    source: Source
    only_strict: bool = False
    """Whether a breach is not even said where what the field sends is taken."""
    entities: tuple[str, ...] = ()
    """The entities it is about; empty for any."""
    columns: tuple[str, ...] = ()
    """The columns it looks at; empty for any."""
    may_be: tuple[Severity, ...] = ()
    """The severities that a source may choose instead; STOP can always be chosen."""

    @property
    def standard(self) -> bool:
        """Whether the standard demands it: under the strict profile a breach stops the package."""
        return self.source is not Source.PRACTICE

    def at(
        self,
        file: str,
        column: str | None = None,
        lines: Lines | None = None,
        *,
        line: int | None = None,
        severity: Severity | None = None,
        message: str | None = None,
        fix: str | None = None,
        entity: str | None = None,
        sourced_ids: Texts | None = None,
        causes: Texts | None = None,
    ) -> FindingGroup:
        """This rule broken on these lines of a file, or by the file itself.

        `message` and `fix` say more about the place than the rule can.
        """
        if lines is None:
            lines = np.array([] if line is None else [line], dtype=np.int64)
        return FindingGroup(
            self.code,
            severity or self.severity,
            message or self.message,
            file,
            column,
            self.fix if fix is None else fix,
            lines,
            entity,
            sourced_ids,
            causes,
        )


class Profile(StrEnum):
    """How much of the standard is insisted on."""

    LENIENT = "lenient"
    """What the field sends is taken where its meaning is clear."""
    STRICT = "strict"
    """The standard to the letter: whatever breaks it stops the package."""


@dataclass(frozen=True)
class Policy:
    """How grave findings are for one source."""

    profile: Profile = Profile.LENIENT
    severities: Mapping[str, Severity] = field(default_factory=dict)
    """Chosen severities by rule code; these win over the profile."""

    def severity(self, rule: Rule, default: Severity | None = None) -> Severity:
        """What a breach of a rule does; `default` where its place decides it."""
        if rule.code in self.severities:
            return self.severities[rule.code]
        if self.profile is Profile.STRICT and rule.standard:
            return Severity.STOP
        return default or rule.severity

    def says(self, rule: Rule) -> bool:
        """Whether a breach of a rule is a finding at all."""
        strict = self.profile is Profile.STRICT
        return strict or not rule.only_strict or rule.code in self.severities

    def weighed(self, findings: Findings, rules: Mapping[str, Rule]) -> Findings:
        """Findings that were made with the rules' own severities, as grave as they are here."""
        return Findings(
            group.with_severity(self.severity(rules[group.code], group.severity))
            for group in findings.groups
            if self.says(rules[group.code])
        )


LENIENT: Final = Policy()
STRICT: Final = Policy(Profile.STRICT)
