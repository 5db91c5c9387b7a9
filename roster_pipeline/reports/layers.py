"""What was found in one layer of one entity, in numbers, and how good a package is as a whole."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import floor
from typing import Final

import numpy as np

from roster_pipeline.oneroster.entities import ENTITIES, columns
from roster_pipeline.oneroster.findings import FindingGroup, Findings, Lines, Severity
from roster_pipeline.oneroster.rules import Layer, Rule
from roster_pipeline.quality.rules import RULES
from roster_pipeline.reports.findings import summarise
from roster_pipeline.reports.tables import markdown_table
from roster_pipeline.tables.keys import distinct

NAMES: Final[Mapping[Layer, str]] = {
    Layer.CELL: "cells",
    Layer.ROW: "rows",
    Layer.KEY: "keys",
    Layer.REFERENCE: "references",
    Layer.MEANING: "meaning",
}
"""The layers that an entity can have rules of, as its checks are called."""
_TOP: Final = 5

Place = tuple[str, Layer]
"""An entity and one of its layers."""


def layers_of(entity: str) -> tuple[Layer, ...]:
    """The layers that have rules for an entity, in the order in which they are judged."""
    found = {rule.layer for rule in RULES.values() if _is_for(rule, entity)}
    return tuple(layer for layer in NAMES if layer in found)


def _is_for(rule: Rule, entity: str) -> bool:
    if rule.entities:
        return entity in rule.entities
    named = {column.name for column in columns(entity)}
    return not rule.columns or not named.isdisjoint(rule.columns)


@dataclass(frozen=True)
class Tally:
    """The findings of one layer of one entity."""

    findings: Findings = field(default_factory=Findings)
    rows: int = 0
    """How many rows of the entity the package holds."""

    @property
    def at_fault(self) -> int:
        """How many rows have any of the findings."""
        return _rows_in(self.findings.groups)

    @property
    def percent(self) -> float:
        """Of how many rows in a hundred anything was found."""
        return round(100 * self.at_fault / self.rows, 2) if self.rows else 0.0

    @property
    def is_error(self) -> bool:
        """Whether any of it changes what is taken: rows held, cells blanked, a package stopped."""
        return self.findings.worst() not in (None, Severity.WARN)

    def sentence(self) -> str:
        """The numbers in words; empty where nothing was found."""
        count = len(self.findings)
        if not count:
            return ""
        said = f"{count:,} {'finding' if count == 1 else 'findings'}"
        if not self.at_fault:
            return f"{said}."
        return f"{said} on {self.at_fault:,} of {self.rows:,} rows ({self.percent:g} %)."

    def markdown(self) -> str:
        """The codes found most often, worst first, as a short table."""
        rows = [(s.code, str(s.severity), s.count) for s in summarise(self.findings, lines=1)]
        return markdown_table(("finding", "severity", "count"), rows[:_TOP])


def tallied(findings: Findings, rows: Mapping[str, int]) -> tuple[Mapping[Place, Tally], Findings]:
    """Findings by entity and layer, one tally for each layer that has rules, and all others: what
    is about the package, or about no entity."""
    sorted_out: dict[Place, Findings] = {
        (entity, layer): Findings() for entity in ENTITIES for layer in layers_of(entity)
    }
    others = Findings()
    for group in findings.groups:
        rule = RULES.get(group.code)
        place = (group.entity or "", Layer.PACKAGE if rule is None else rule.layer)
        sorted_out.get(place, others).add(group)
    return {place: Tally(f, rows.get(place[0], 0)) for place, f in sorted_out.items()}, others


def scores(findings: Findings, rows: Mapping[str, int]) -> Mapping[str | None, float]:
    """The quality score by entity, and of all rows under None: of how many rows in a hundred
    nothing is an error. None of an entity without rows.

    A row counts once, whatever is wrong with it. What is about a file, and warnings, do not count.
    """
    errors = [group for group in findings.groups if group.severity is not Severity.WARN]
    bad = {
        entity: min(_rows_in([group for group in errors if group.entity == entity]), count)
        for entity, count in rows.items()
        if count
    }
    found: dict[str | None, float] = {e: _score(bad[e], rows[e]) for e in bad}
    if bad:
        found[None] = _score(sum(bad.values()), sum(rows[entity] for entity in bad))
    return found


def _score(bad: int, rows: int) -> float:
    # Cut, not rounded: only a package without any error has 100.
    return floor(10_000 * (rows - bad) / rows) / 100


def _rows_in(groups: Iterable[FindingGroup]) -> int:
    # Rows of one entity may come from several files.
    lines: defaultdict[str, list[Lines]] = defaultdict(list)
    for group in groups:
        lines[group.file].append(group.lines)
    return sum(len(distinct(np.concatenate(of_file))) for of_file in lines.values())
