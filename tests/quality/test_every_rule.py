"""Every rule has a smallest package that breaks it, and only it."""

import io
from pathlib import Path

import pytest

from roster_pipeline.oneroster.findings import Findings, Severity
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.rules import STRICT, Policy
from roster_pipeline.oneroster.text_faults import unreadable
from roster_pipeline.quality.candidate import Candidate, build_candidate
from roster_pipeline.quality.rules import RULES
from roster_pipeline.sources.mapping.config import CsvMapping
from roster_pipeline.sources.opening import open_mapped
from roster_pipeline.tables.archive import ArchiveError
from tests.quality.breaking import TODAY, Breaks, blocks, reading, whole
from tests.small import district, packed

CASES = (*reading.CASES, *blocks.CASES, *whole.CASES)


def judged(
    package: bytes,
    base: Roster | None,
    policy: Policy,
    into: Path,
    mapping: CsvMapping | None = None,
) -> Candidate:
    try:
        with open_mapped(io.BytesIO(package), mapping) as opened:
            return build_candidate(opened, base, into, policy=policy, today=TODAY)
    except ArchiveError as error:
        return Candidate(None, Findings([unreadable(error, "package")]))


def judged_case(case: Breaks, folder: Path) -> Candidate:
    base = None
    if (accepted := case.accepted()) is not None:
        base = judged(accepted, None, case.policy, folder / "base").roster
        assert base is not None
    return judged(case.package(), base, case.policy, folder / "made", case.made_by())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_package_that_breaks_one_rule_has_its_finding_and_no_other(
    case: Breaks, tmp_path: Path
) -> None:
    found = judged_case(case, tmp_path).findings
    mine = [finding for finding in found if finding.code == case.code]
    others = [finding for finding in found if finding.code not in (case.code, *case.beside)]
    assert len(mine) == case.count, [str(finding) for finding in found]
    assert set(case.beside) <= set(found.counts())
    assert {finding.code for finding in others} == set(case.also), [str(f) for f in others]
    assert all(finding.cause is not None for finding in others)
    for wanted in ("file", "line", "column"):
        if (said := getattr(case, wanted)) is not None:
            assert getattr(mine[0], wanted) == said


def test_every_rule_has_such_a_package() -> None:
    assert sorted(RULES.keys() - {case.code for case in CASES}) == []


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_the_small_district_is_clean_to_the_letter(version: str, tmp_path: Path) -> None:
    made = judged(packed(district(version), version=version), None, STRICT, tmp_path / "made")
    assert [str(finding) for finding in made.findings] == []


# A case that has a base would have the base judged strictly, too.
OF_THE_STANDARD = [case for case in CASES if RULES[case.code].standard and case.base is None]
FIRST_OF_ITS_CODE = {case.code: case for case in reversed(OF_THE_STANDARD)}


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, marks=[] if case is FIRST_OF_ITS_CODE[case.code] else pytest.mark.soak)
        for case in OF_THE_STANDARD
    ],
    ids=str,
)
def test_what_breaks_the_standard_stops_a_strict_package(case: Breaks, tmp_path: Path) -> None:
    strict = Breaks(**{**vars(case), "policy": STRICT})
    found = judged_case(strict, tmp_path).findings
    assert {f.severity for f in found if f.code == case.code} == {Severity.STOP}
