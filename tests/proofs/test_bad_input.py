"""What bad input gets: one clear sentence with its place, and an accepted roster that stays."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from roster_pipeline.automation.run import SyncResult
from roster_pipeline.cli.syncs import ENDS
from roster_pipeline.oneroster.findings import Finding
from roster_pipeline.reports.findings import findings_of
from roster_pipeline.simulator.accidents import apply_accident
from roster_pipeline.simulator.district import District
from roster_pipeline.simulator.names import WESTERN
from roster_pipeline.store import Accepted
from roster_pipeline.store.snapshots import Snapshots
from tests.automation.town import SOURCE, Town
from tests.proofs.towns import town_at


@dataclass(frozen=True)
class Bad:
    """One kind of bad input, and how the sync says what it is."""

    says: str
    """A regular expression for the first sentence."""
    accident: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    fault: Callable[[Town], object] = lambda _: None
    mended: Callable[[Town], object] = lambda _: None


def _faults(**faults: Any) -> Callable[[Town], object]:
    return lambda town: vars(town.server.faults).update(faults)


STOPS = {
    "truncated zip": Bad(r"springfield: drops/export\.zip: .*(cut|truncated)", "cut-at-90-percent"),
    "zip bomb": Bad(
        r"springfield: drops/export\.zip: .*users\.csv", "zip-bomb", {"inflated": 64 << 20}
    ),
    "path traversal": Bad(r"springfield: drops/export\.zip: .*\.\./", "path-traversal"),
    "missing required file": Bad(
        r"manifest\.csv: .*classes\.csv.*\[package\.missing_file\]", "missing-file"
    ),
    "missing required column": Bad(
        r"users\.csv(, line 1)?, column username: .*\[header\.missing_column\]", "missing-column"
    ),
    "unreadable encoding": Bad(
        r"springfield: drops/export\.zip: users\.csv: Line 1: .*UTF-16", "utf-16"
    ),
    "unknown version": Bad(r"manifest\.csv, line \d+: .*version", "unknown-version"),
    "wrong host key": Bad(
        r"127\.0\.0\.1:\d+.*host key",
        fault=lambda town: town.write_source(fingerprint="SHA256:" + "A" * 43),
        mended=lambda town: town.write_source(),
    ),
    "wrong password": Bad(
        r"127\.0\.0\.1:\d+.*password",
        fault=_faults(wrong_password=True),
        mended=_faults(wrong_password=False),
    ),
    "a connection that stays cut": Bad(
        r"127\.0\.0\.1:\d+.*drops/export\.zip.*bytes",
        fault=_faults(cut_download_after=0),
        mended=_faults(cut_download_after=None),
    ),
}
HOLDS = {
    "half of an export": Bad(r"users", "half-of-users"),
    "a required entity header-only": Bad(r"enrollments", "header-only-enrollments"),
}
TOLERATED = {
    "reordered columns": Bad(r"\.csv, line 1: .*\[header\.order\]", "reordered-columns"),
    "misspelt header": Bad(
        r"users\.csv, line 1, column \w+: .*\[header\.misspelt\]", "misspelt-header"
    ),
    "cp1252": Bad(r"\.csv, line \d+: .*\[file\.encoding\]", "cp1252"),
    "sloppy manifest": Bad(r"manifest\.csv(, line \d+)?: .*\[manifest\.\w+\]", "sloppy-manifest"),
    "one cell too many": Bad(r"\w+\.csv, line \d+: .*\[row\.too_many_cells\]", "one-cell-too-many"),
}
QUICK = {
    "truncated zip",
    "zip bomb",
    "missing required file",
    "wrong host key",
    "wrong password",
    "half of an export",
    "misspelt header",
}
"""Of each kind some in every test run, for each is a whole sync or two; `make soak` has all."""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A district whose roster was accepted and delivered yesterday."""
    district = District(students=60, locales=WESTERN)
    with town_at(tmp_path_factory.mktemp("bad"), district) as made:
        made.drop(0)
        made.approve(made.sync().hold)
        made.pass_days(1)
        yield made


def accepted(town: Town) -> Accepted:
    with town.ledger() as ledger:
        found = ledger.accepted(SOURCE)
    assert found is not None
    return found


def spoilt(town: Town, bad: Bad) -> None:
    """Today's drop, spoilt."""
    # A moment later than the one before, or the sync would know it.
    town.now += timedelta(seconds=10)
    drop = town.drop(8)
    if bad.accident is not None:
        copy = drop.with_suffix(".copy")
        apply_accident(bad.accident, drop, copy, **bad.options)
        copy.replace(drop)
    town.arrived(drop)


def says(result: SyncResult, expected: str) -> bool:
    """Whether the expected thing is among what is said, and all of that is for people."""
    for sentence in result.sentences:
        assert "Traceback" not in sentence
        assert "fault of roster-pipeline" not in sentence
    return any(re.search(expected, sentence) for sentence in result.sentences)


def _sorted_out(kinds: Iterable[str]) -> list[Any]:
    return [
        pytest.param(name, marks=() if name in QUICK else (pytest.mark.soak,)) for name in kinds
    ]


@pytest.mark.parametrize("name", _sorted_out(STOPS))
def test_what_cannot_be_used_stops_with_its_place(town: Town, name: str) -> None:
    bad, before, delivered = STOPS[name], accepted(town), town.delivered.read_bytes()
    spoilt(town, bad)
    bad.fault(town)
    try:
        result = town.sync()
    finally:
        bad.mended(town)
    assert ENDS[result.outcome] == 1
    assert says(result, bad.says), result.sentences
    assert accepted(town) == before
    assert town.delivered.read_bytes() == delivered


@pytest.mark.parametrize("name", _sorted_out(HOLDS))
def test_what_looks_like_an_accident_is_held(town: Town, name: str) -> None:
    bad, before, delivered = HOLDS[name], accepted(town), town.delivered.read_bytes()
    spoilt(town, bad)
    result = town.sync()
    assert ENDS[result.outcome] == 3
    assert says(result, bad.says), result.sentences
    assert accepted(town) == before
    assert town.delivered.read_bytes() == delivered


@pytest.mark.parametrize("name", _sorted_out(TOLERATED))
def test_what_can_be_understood_goes_on_with_a_finding_and_strict_stops(
    town: Town, name: str
) -> None:
    bad, before = TOLERATED[name], accepted(town)
    spoilt(town, bad)
    strict = town.sync(strict=True)
    assert ENDS[strict.outcome] == 1
    assert says(strict, bad.says), strict.sentences
    assert accepted(town) == before

    result = town.sync()
    assert ENDS[result.outcome] == 0
    assert any(re.search(bad.says, str(finding)) for finding in findings(town))
    assert accepted(town).confirmed == town.today


def findings(town: Town) -> list[Finding]:
    """What was found in the roster that is accepted now."""
    now = accepted(town).snapshot
    kept = Snapshots(town.workspace.storage_url).findings(SOURCE, now.content_hash)
    return list(findings_of(kept))
