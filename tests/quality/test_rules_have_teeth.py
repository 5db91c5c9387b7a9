"""Without its predicate a rule no longer finds its smallest breaking package.

`test_every_rule.py` wants a finding for each; here the predicate is taken away, and the finding
must go with it: nothing else in judging makes up for it, so the other test would fail.

- Rules over many rows, over one row, on cells, keys and references are judged again with a
  predicate that never fires, each with the first of its packages.
- Rules of reading have no predicate of their own: they are judged by a branch in the midst of
  reading. Of those it is shown that every line that makes their findings is reached by a package
  of that code: a branch that is never taken any more leaves its line unreached. It is not shown
  that its condition is the right one. Nor are the lines looked at that raise `ArchiveError` and
  `CsvError`: of their codes each has a package that raises it, and not each line has one.
"""

import ast
import copy
import io
import re
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pytest

from roster_pipeline import oneroster
from roster_pipeline.oneroster import spelling
from roster_pipeline.oneroster.entities import Column, Required
from roster_pipeline.oneroster.findings import FindingGroup, Findings
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.package import tables
from roster_pipeline.oneroster.reading_rules import READING
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.rules import LENIENT, Rule
from roster_pipeline.oneroster.text_faults import unreadable
from roster_pipeline.quality import (
    builder,
    cells,
    excel,
    parents,
    presence,
    references,
    rows,
    whole,
)
from roster_pipeline.quality.cell_rules import CELL, cell_rule
from roster_pipeline.quality.presence import Missing, Presence
from roster_pipeline.quality.row_rules import ROW_RULES
from roster_pipeline.quality.rules import RULES
from roster_pipeline.quality.whole import WHOLE
from roster_pipeline.sources.opening import open_mapped
from roster_pipeline.tables.archive import ArchiveError
from tests.quality.breaking import Breaks
from tests.quality.test_every_rule import CASES, judged

Blunt = Callable[[pytest.MonkeyPatch], None]

_NEVER: Final = r"[^\x{0}-\x{10FFFF}]"
"""A pattern that fits no text."""


def _instead(where: object, name: str, value: object) -> Blunt:
    return lambda patch: patch.setattr(where, name, value)


def _nothing(*_: object) -> None:
    return


def _none_of(first: Any, *_: object) -> Any:
    return np.zeros(len(first), dtype=bool)


# ---- predicates that never fire ----


def _whole(code: str) -> Blunt:
    blunt = tuple(replace(r, breaks=lambda _: ()) if r.code == code else r for r in WHOLE)
    return _instead(whole, "WHOLE", blunt)


def _row(code: str) -> Blunt:
    blunt = tuple(replace(r, broken=_none_of) if r.code == code else r for r in ROW_RULES)
    return _instead(rows, "ROW_RULES", blunt)


def _without_checks(code: str) -> Blunt:
    """The Pandera schemas without the checks of the columns that a rule is about."""
    whole_schema = rows._schema

    def breaks(column: Column) -> bool:
        try:
            return cell_rule(column).code == code
        except KeyError:  # any text will do
            return False

    def schema(entity: str, version: Version) -> Any:
        made = copy.deepcopy(whole_schema(entity, version))
        for column in filter(breaks, tables(version)[entity]):
            made.columns[column.name].checks = []
        return made

    return _instead(rows, "_schema", schema)


def _nothing_required(version: Version) -> dict[str, tuple[Column, ...]]:
    return {
        entity: tuple(replace(column, required=Required.NEVER) for column in table)
        for entity, table in tables(version).items()
    }


def _never_because(reason: Missing) -> Blunt:
    why = Presence.why

    def other(self: Presence, keys: Any) -> Any:
        reasons = why(self, keys)
        reasons[reasons == reason] = Missing.UNKNOWN
        return reasons

    return _instead(Presence, "why", other)


def _not_as_excel_writes(*patterns: str) -> Blunt:
    def blunt(patch: pytest.MonkeyPatch) -> None:
        for name in patterns:
            patch.setattr(excel, name, _NEVER)

    return blunt


_CHECKED: Final = (
    "sourcedId", "reference", "vocabulary", "boolean", "date", "dateTime", "year", "userIds",
)  # fmt: skip
_NO_ROWS: Final = np.empty(0, dtype=np.int64)

BLUNT: Final[dict[str, Blunt]] = {
    **{rule.code: _whole(rule.code) for rule in WHOLE},
    **{rule.code: _row(rule.code) for rule in ROW_RULES},
    **{f"cell.{name}": _without_checks(f"cell.{name}") for name in _CHECKED},
    "cell.required": _instead(rows, "tables", _nothing_required),
    "cell.list": _instead(cells, "has_gap", _none_of),
    "cell.comma": _instead(cells, "_COMMA_INSIDE", "[^\\s\\S]"),
    "cell.grade": _instead(cells, "wrong_grades", _none_of),
    "cell.grade_spelling": _instead(cells, "wrong_grades", _none_of),
    "cell.residence": _instead(cells, "wrong_residence", _none_of),
    "cell.bulk_status": _instead(rows, "judge_status", lambda *_: Findings()),
    "cell.delta_status": _instead(rows, "judge_status", lambda *_: Findings()),
    "cell.spelling": _instead(spelling, "_differs", _none_of),
    "excel.boolean": _instead(spelling, "_EXCEL", pa.array([], pa.large_string())),
    "excel.scientific": _not_as_excel_writes("_SCIENTIFIC", "_SCIENTIFIC_ITEM"),
    "excel.date": _not_as_excel_writes("_DAY"),
    "excel.leading_zeros": _instead(presence, "but_for_zeros", _none_of),
    "package.no_file": _instead(builder, "required_files", lambda _: ()),
    "package.absent_file": _instead(builder, "required_files", lambda _: ()),
    "package.header_only": _instead(builder.Builder, "_finish_empty", _nothing),
    "key.duplicate": _instead(builder, "find_duplicates", _nothing),
    "key.repeated": _instead(builder, "find_duplicates", _nothing),
    "key.primary_roles": _instead(builder, "find_further", _nothing),
    "key.unidentified": _instead(builder, "keep_unidentified", lambda *_: _NO_ROWS),
    "reference.waiting": _never_because(Missing.WAITING),
    "reference.removed": _never_because(Missing.REMOVED),
    "reference.unknown": _instead(
        references, "key_hashes", lambda _: (_NO_ROWS, _NO_ROWS.astype(np.uint64))
    ),
    "reference.kind": _instead(
        Presence, "of_type", lambda _, hashes, __: np.ones(len(hashes), dtype=bool)
    ),
    "reference.loop": _instead(parents, "in_loops", lambda _: _NO_ROWS),
    "reference.parent_kind": _instead(parents, "wrong_kinds", _none_of),
    "reference.unjudged": _instead(builder.Builder, "partial", lambda *_: False),
}


def test_every_rule_is_looked_at() -> None:
    assert sorted(RULES.keys() - BLUNT.keys() - {rule.code for rule in READING}) == []
    assert {rule.code for rule in CELL} <= BLUNT.keys()


@pytest.fixture(scope="module")
def accepted(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Breaks], Roster | None]:
    """What was accepted before each package, made with every predicate in its place."""
    made: dict[tuple[object, str], Roster] = {}

    def _accepted(case: Breaks) -> Roster | None:
        package, key = case.accepted(), (case.base, case.version)
        if package is None:
            return None
        if key not in made:
            roster = judged(package, None, LENIENT, tmp_path_factory.mktemp("base")).roster
            assert roster is not None
            made[key] = roster
        return made[key]

    return _accepted


@pytest.mark.soak
@pytest.mark.parametrize("code", BLUNT)
def test_without_its_predicate_a_rule_finds_nothing(
    code: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    accepted: Callable[[Breaks], Roster | None],
) -> None:
    case = next(case for case in CASES if case.code == code)
    base = accepted(case)
    BLUNT[code](monkeypatch)
    found = judged(case.package(), base, case.policy, tmp_path / "made").findings
    assert code not in found.counts()


# ---- rules of reading ----

Place = tuple[str, int]
"""A file and a line."""


_MAKES: Final = re.compile(r"(?!np\b).+\.at")


def _makers() -> dict[Place, Place]:
    """Every place in reading where a rule becomes a finding, by each of its lines."""
    found: dict[Place, Place] = {}
    for path in sorted(Path(*oneroster.__path__).glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and re.fullmatch(
                r"(?!np\b).+\.at", ast.unparse(node.func)
            ):
                lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
                found |= {(path.name, line): (path.name, node.lineno) for line in lines}
    return found


def _read(case: Breaks) -> None:
    """Read all of a package, and judge nothing."""
    try:
        with open_mapped(io.BytesIO(case.package()), case.made_by()) as opened:
            for entity in opened.modes:
                deque(opened.blocks(entity), maxlen=0)
    except ArchiveError as error:
        unreadable(error, "package")


def test_each_place_that_makes_findings_of_reading_is_reached_by_a_package_of_its_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, calls = Rule.at, list[tuple[str, Place]]()

    def at(rule: Rule, *args: Any, **more: Any) -> FindingGroup:
        caller = sys._getframe(1)
        calls.append((rule.code, (Path(caller.f_code.co_filename).name, caller.f_lineno)))
        return made(rule, *args, **more)

    monkeypatch.setattr(Rule, "at", at)
    reading, makers = {rule.code for rule in READING}, _makers()
    reached = set[tuple[str, Place]]()
    for case in CASES:
        if case.code in reading:
            calls.clear()
            _read(case)
            reached |= {
                (code, makers.get(place, place)) for code, place in calls if code == case.code
            }
    assert sorted(set(makers.values()) - {place for _, place in reached}) == []
    assert sorted(reading - {code for code, _ in reached}) == []
