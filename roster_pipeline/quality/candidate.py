"""From a package to the roster that could be accepted next.

Every row of the package is judged. A row that cannot be used is held: its last good version, from
the roster accepted last, stands in, and it is no deletion. What takes access away is never held.
Entities are built in an order in which a reference points at one already finished, so that cells
and references are judged while a block is in memory and nobody holds a whole entity. Rules over
many rows look at the finished roster, at the few columns that they name.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.oneroster.findings import Findings, Severity
from roster_pipeline.oneroster.package import Package, PackageBlock
from roster_pipeline.oneroster.roster import Roster, RosterWriter
from roster_pipeline.oneroster.rules import LENIENT, Policy
from roster_pipeline.oneroster.versions import DEFAULT_ROLES, RoleMap
from roster_pipeline.quality.builder import Builder
from roster_pipeline.quality.rules import RULES
from roster_pipeline.quality.whole import judge_whole
from roster_pipeline.tables.ahead import ahead


@dataclass(frozen=True)
class Candidate:
    """A judged package. Counts are rows per entity; entities with none may be left out."""

    roster: Roster | None
    """None where a STOP was found."""
    findings: Findings
    rows: Mapping[str, int] = field(default_factory=dict)
    """Rows that the package holds."""
    held: Mapping[str, int] = field(default_factory=dict)
    """Rows held back."""
    standing_in: Mapping[str, int] = field(default_factory=dict)
    """Last good rows that stand in for held ones."""
    cascaded: Mapping[str, int] = field(default_factory=dict)
    """Rows that went because what they refer to is gone."""
    orphaned: Mapping[str, int] = field(default_factory=dict)
    """Those of them that the package itself still holds."""
    kept: tuple[str, ...] = ()
    """Entities taken from the last accepted roster, as their file was absent or empty."""
    header_only: tuple[str, ...] = ()
    """Entities whose file was there with no rows in it."""
    emptied: tuple[str, ...] = ()
    """Those of them that were to be believed: the roster has no row of them."""


def build_candidate(
    package: Package,
    base: Roster | None,
    into: Path,
    *,
    policy: Policy = LENIENT,
    role_map: RoleMap = DEFAULT_ROLES,
    today: date | None = None,
    believe_empty: Collection[str] = (),
    block_bytes: int = 32 << 20,
) -> Candidate:
    """Judge a package against the roster accepted last and write the candidate into a folder.

    `base` is None where it is not known what was accepted, and a delta is judged as far as it can
    be; where nothing was accepted yet it is empty, and a delta has to hold all that it refers to.

    A file with a header and no rows leaves the accepted rows as they are, unless its entity is one
    of `believe_empty`: then they go, and what cannot do without them.

    `policy` says how grave each finding is; `role_map` which 1.2 role a 1.1 word becomes. Rules
    that compare dates with the day are judged where `today` is given. After a STOP the rest is
    judged all the same, as far as it can be read, so that one look says all that is wrong.
    """
    if package.version is None:
        return Candidate(None, policy.weighed(package.findings, RULES))
    writer = RosterWriter(into)
    builder = Builder(
        package,
        package.version,
        base or Roster.empty(),
        writer,
        policy,
        role_map,
        alone=base is None,
        believe_empty=believe_empty,
    )
    # So far ahead that the first large file is read while the small ones are finished.
    reading = ahead(_read(package, block_bytes), depth=3)
    with closing(writer), closing(reading) as builder.reading:
        for entity in ENTITIES:
            builder.build(entity)
        builder.finish_references()
        roster = writer.finish()
    findings = policy.weighed(package.findings, RULES)
    findings.extend(builder.findings)
    unknown = [entity for entity in ENTITIES if builder.partial(entity)]
    findings.extend(
        judge_whole(
            roster,
            builder.own,
            builder.file,
            version=package.version,
            policy=policy,
            today=today,
            unread=[*builder.unread, *unknown],
            lost=builder.held + builder.cascaded,
        )
    )
    return Candidate(
        None if findings.worst() is Severity.STOP else roster,
        package.located(findings),
        dict(builder.rows),
        dict(builder.held),
        dict(builder.standing_in),
        dict(builder.cascaded),
        dict(builder.orphaned),
        tuple(builder.kept),
        tuple(builder.header_only),
        tuple(builder.emptied),
    )


def _read(package: Package, block_bytes: int) -> Iterator[PackageBlock | Findings]:
    """The blocks of every file, and after those of each what was found in it as a whole."""
    for entity in ENTITIES:
        if entity in package.modes:
            found = Findings()
            yield from package.blocks(entity, findings=found, block_bytes=block_bytes)
            yield found
