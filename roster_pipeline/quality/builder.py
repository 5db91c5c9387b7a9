"""Entity by entity: rows of the package that can be used, and last good rows beside them."""

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd

from roster_pipeline.oneroster.entities import TARGETS
from roster_pipeline.oneroster.findings import FindingGroup, Findings, Severity
from roster_pipeline.oneroster.manifest import Mode, Version
from roster_pipeline.oneroster.package import Package, PackageBlock, required_files
from roster_pipeline.oneroster.roster import Roster, RosterWriter
from roster_pipeline.oneroster.rules import LENIENT, Policy
from roster_pipeline.oneroster.versions import DEFAULT_ROLES, RoleMap, upgrade_users
from roster_pipeline.quality.causes import Faults
from roster_pipeline.quality.dangling import blank_dangling
from roster_pipeline.quality.duplicates import find_duplicates
from roster_pipeline.quality.effects import effect
from roster_pipeline.quality.last_good import LastGood, came_from, made_in
from roster_pipeline.quality.lost_zeros import find_lost_zeros
from roster_pipeline.quality.parents import WITH_PARENTS, judge_parents
from roster_pipeline.quality.presence import Hashes, Positions, Presence
from roster_pipeline.quality.primary_roles import find_further, places
from roster_pipeline.quality.roles_1p1 import still_said
from roster_pipeline.quality.rows import Held, JudgedBlock, Mask, judge_block
from roster_pipeline.quality.rules import RULES
from roster_pipeline.quality.unidentified import keep_misnamed, keep_unidentified
from roster_pipeline.tables.ahead import ahead
from roster_pipeline.tables.hashes import text_hashes
from roster_pipeline.tables.keys import KeySet, distinct
from roster_pipeline.tables.text import arrow

_NO_HASHES: Final[Hashes] = np.empty(0, dtype=np.uint64)
_NONE: Final[Positions] = np.empty(0, dtype=np.int64)


_Reading = Iterator[PackageBlock | Findings]


@dataclass
class _Entity:
    """What is remembered of one entity while its file is read."""

    held: list[Held] = field(default_factory=list)
    gone: list[Held] = field(default_factory=list)
    unidentified: list[pd.DataFrame] = field(default_factory=list)
    broken: list[pd.Series] = field(default_factory=list)
    deleted: list[Hashes] = field(default_factory=list)
    primary: list[Hashes] = field(default_factory=list)
    """Of roles: see `primary_roles.places`."""
    file: Findings = field(default_factory=Findings)

    def remember(self, judged: JudgedBlock) -> None:
        self.held += judged.held
        self.gone += judged.gone
        self.unidentified += judged.unidentified
        self.broken += judged.broken
        self.deleted += judged.deleted

    @property
    def held_rows(self) -> pd.DataFrame | None:
        frames = [held.rows for held in self.held]
        return pd.concat(frames, ignore_index=True) if frames else None


@dataclass
class Builder:
    """What is known of a candidate while its entities are built, in the order of `ENTITIES`."""

    package: Package
    version: Version
    base: Roster
    writer: RosterWriter
    policy: Policy = LENIENT
    role_map: RoleMap = field(default_factory=lambda: DEFAULT_ROLES)
    alone: bool = False
    """Whether it is not known what was accepted before."""
    believe_empty: Collection[str] = ()
    """Entities of which a file without rows says that there are none."""
    reading: _Reading = field(default_factory=lambda: iter(()))
    findings: Findings = field(default_factory=Findings)
    presence: dict[str, Presence] = field(default_factory=dict)
    org_types: dict[str, str] = field(default_factory=dict)
    rows: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    standing_in: Counter[str] = field(default_factory=Counter)
    cascaded: Counter[str] = field(default_factory=Counter)
    orphaned: Counter[str] = field(default_factory=Counter)
    kept: list[str] = field(default_factory=list)
    header_only: list[str] = field(default_factory=list)
    emptied: list[str] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    """Entities of which all rows are written."""
    unread: list[str] = field(default_factory=list)
    """Entities whose file could not be read to its end, or on a first sync is not there."""
    unjudged: list[str] = field(default_factory=list)
    """Entities that may refer to rows of which nothing is known."""
    held_users: pd.DataFrame | None = None
    """Of users held back what they said of themselves."""
    own: Counter[str] = field(default_factory=Counter)
    """How many of the first rows of each entity, dropped ones left out, came with the package."""

    def file(self, entity: str) -> str:
        """The member that holds an entity: in 1.1 roles stand with their users."""
        return self.package.file("users" if self._with_users(entity) else entity)

    def _with_users(self, entity: str) -> bool:
        """Whether an entity is the roles of 1.1, which have no file of their own."""
        return self.version is Version.V1P1 and entity == "roles"

    @cached_property
    def first(self) -> bool:
        """Whether nothing was accepted before."""
        return not any(self.base.counts.values())

    @cached_property
    def missing(self) -> set[str | None]:
        """Entities whose file is declared and not there, of which that is said already."""
        groups = self.package.findings.groups
        return {group.entity for group in groups if group.code == "package.missing_file"}

    @cached_property
    def last_good(self) -> LastGood:
        """What was accepted before, to be taken from."""
        return LastGood(self.base, self.writer)

    def partial(self, entity: str) -> bool:
        """Whether there may be rows of an entity that neither package nor base holds: those that a
        delta changes, where nobody says what it changes."""
        if not self.alone or Mode.DELTA not in self.package.modes.values():
            return False
        described_by = "users" if self._with_users(entity) else entity
        return self.package.modes.get(described_by) is not Mode.BULK

    def build(self, entity: str) -> None:
        """Build one entity; those that it refers to are finished."""
        state = _Entity()
        if self._with_users(entity):
            self._finish_roles_of_1p1(state)
        elif entity not in self.package.modes:
            self._report_absent(entity)
            self._keep(entity, state)
            if self.first and entity in required_files(self.version) and not self.partial(entity):
                self.unread.append(entity)
        else:
            # Three stages side by side: reading, judging, writing.
            with closing(ahead(self._judged(state))) as judged_blocks:
                for judged in judged_blocks:
                    self._take(entity, judged, state)
            self._say(state.file)
            if state.file.worst() is Severity.STOP:
                self.unread.append(entity)
            if self.rows[entity]:
                self._finish_rows(entity, state)
            elif entity not in self.unread:
                self._finish_empty(entity, state)
        if entity not in self.unread:
            self._finish(entity, state)

    # ---- rows of the package ----

    def _judged(self, state: _Entity) -> Iterator[JudgedBlock]:
        for item in self.reading:
            if isinstance(item, Findings):
                state.file = item
                return
            mode = self.package.modes[item.entity] if item.bulk_or_delta else None
            judged = judge_block(item, self.version, self.presence, self.policy, mode)
            # Large, and not needed while it is waited for the next.
            del item
            yield judged

    def _take(self, entity: str, judged: JudgedBlock, state: _Entity) -> None:
        state.remember(judged)
        self.findings.extend(judged.findings)
        if judged.unjudged and entity not in self.unjudged:
            self.unjudged.append(entity)
        self.rows[entity] += judged.rows
        self.held[entity] += judged.held_count
        gone = sum(map(len, judged.gone))
        self.cascaded[entity] += gone
        self.orphaned[entity] += gone
        if len(judged.good):
            self._write(entity, judged.good, judged.lines, judged.file)
            if entity == "roles":
                state.primary.append(places(judged.good))

    def _say(self, findings: Findings) -> None:
        self.findings.extend(self.policy.weighed(findings, RULES))

    def _write(self, entity: str, frame: pd.DataFrame, lines: Positions, file: str) -> None:
        if self.version is not Version.V1P1 or entity != "users":
            self.writer.write(entity, frame, file=file, lines=lines)
            return
        upgraded = upgrade_users(frame, self.org_types, self.role_map)
        self.writer.write("users", upgraded.users, file=file, lines=lines)
        self.writer.write(
            "roles",
            upgraded.roles,
            file=file,
            lines=lines[upgraded.role_rows],
            role_words=upgraded.role_words,
        )

    def _drop_duplicates(self, entity: str, state: _Entity) -> None:
        duplicates = find_duplicates(self.writer.so_far(entity), entity)
        if duplicates is None:
            return
        repeated, differing = duplicates.repeated_lines, duplicates.differing_lines
        if len(repeated):
            self._report_rows("key.repeated", entity, repeated, duplicates.repeated_ids)
        if len(differing):
            ids = duplicates.differing_rows["sourcedId"]
            self._report_rows("key.duplicate", entity, differing, ids)
            self._hold(entity, state, duplicates.differing_rows, duplicates.differing)
        self.rows[entity] -= len(duplicates.repeated)
        self.writer.drop(entity, duplicates.repeated)

    def _hold_further_primaries(self, state: _Entity) -> None:
        kept = np.flatnonzero(self.writer.kept("roles")).astype(np.int64)
        written = self.writer.so_far("roles")
        if (further := find_further(written, kept, np.concatenate(state.primary))) is None:
            return
        code, ids = "key.primary_roles", further.rows["sourcedId"]
        self._report_rows(code, "roles", further.lines, ids, column="roleType")
        if effect(RULES[code], self.policy) is Severity.HOLD:
            self._hold("roles", state, further.rows, further.positions)

    def _hold_lost_zeros(self, entity: str, state: _Entity, missing: Positions) -> Positions:
        """Those of the missing accepted rows that only seem gone, as zeros were lost in front of
        their ids."""
        if self.package.modes[entity] is not Mode.BULK:
            return _NONE
        kept = np.flatnonzero(self.writer.kept(entity)).astype(np.int64)
        lost = find_lost_zeros(self.writer.so_far(entity), kept, self.base, missing, entity)
        if lost is None:
            return _NONE
        self._report_rows("excel.leading_zeros", entity, lost.lines, lost.rows["sourcedId"])
        self._hold(entity, state, lost.rows, lost.positions)
        return lost.accepted

    def _report_rows(
        self, code: str, entity: str, lines: Positions, ids: pd.Series, column: str = "sourcedId"
    ) -> None:
        file, texts = self.file(entity), arrow(ids)
        found = RULES[code].at(file, column, lines, entity=entity, sourced_ids=texts)
        self._say(Findings([found]))

    def _hold(self, entity: str, state: _Entity, rows: pd.DataFrame, positions: Positions) -> None:
        """Hold back rows that are written already."""
        state.held.append(Held(rows))
        self.held[entity] += len(rows)
        self.writer.drop(entity, positions)
        if entity == "users" and self.version is Version.V1P1:
            self._drop_roles_of(rows["sourcedId"])

    def _drop_roles_of(self, users: pd.Series) -> None:
        """Roles of 1.1 were written with their users, and are not believed without them."""
        written = self.writer.columns("roles", ["userSourcedId"])["userSourcedId"]
        theirs = KeySet(text_hashes(users)).contains(text_hashes(written))
        self.writer.drop("roles", np.flatnonzero(theirs).astype(np.int64))

    # ---- rows of the last accepted roster ----

    def _report_absent(self, entity: str) -> None:
        required = entity in required_files(self.version) and not self.partial(entity)
        if not required or entity in self.missing:
            return
        if self.first:
            self._report("package.no_file", entity)
        # A delta, and a manifest alone, say by that that there is nothing new.
        elif self.package.modes and Mode.DELTA not in self.package.modes.values():
            self._report("package.absent_file", entity)

    def _finish_empty(self, entity: str, state: _Entity) -> None:
        if self.package.modes[entity] is Mode.BULK:
            self._report("package.header_only", entity)
            self.header_only.append(entity)
            if entity in self.believe_empty:
                self.emptied.append(entity)
                return
        self._keep(entity, state)

    def _report(self, code: str, entity: str) -> None:
        found = RULES[code].at(self.package.file(entity), entity=entity)
        self._say(Findings([found]))

    def _keep(self, entity: str, state: _Entity) -> None:
        if self.base.counts[entity]:
            self.kept.append(entity)
            self._copy(entity, np.arange(self.base.counts[entity], dtype=np.int64), state)

    def _finish_rows(self, entity: str, state: _Entity) -> None:
        """Put rows of the base beside those of the package: the last good version of rows held,
        and in a delta all that it does not name."""
        self._drop_duplicates(entity, state)
        if state.primary:
            self._hold_further_primaries(state)
        absent = self._absent(entity, state)
        renamed = self._hold_lost_zeros(entity, state, np.flatnonzero(absent).astype(np.int64))
        self.own[entity] = int(self.writer.kept(entity).sum())
        held = state.held_rows
        found = _NONE if held is None else self.base.find(entity, held["sourcedId"])
        stand_ins = distinct(np.concatenate([found[found >= 0], renamed]))
        stand_ins = stand_ins[absent[stand_ins]]
        if self.package.modes[entity] is Mode.DELTA:
            positions = np.flatnonzero(absent).astype(np.int64)
        else:
            absent[stand_ins] = False
            cut = self.last_good.doubtful(entity, state.broken, stand_ins)
            more = keep_unidentified(
                self.base,
                entity,
                np.flatnonzero(absent).astype(np.int64),
                [*state.unidentified, pd.DataFrame(index=range(cut))],
            )
            if len(more):
                self._report("key.unidentified", entity)
                absent[more] = False
            more = distinct(np.concatenate([more, self._misnamed(entity, state, absent)]))
            absent[more] = False
            more = distinct(np.concatenate([more, self._not_sent(entity, absent)]))
            stand_ins = positions = distinct(np.concatenate([stand_ins, more]))
        self.standing_in[entity] += len(stand_ins)
        copied = self._copy(entity, positions, state)
        if entity == "users":
            self.held_users = held
        if held is not None:
            self.last_good.take_away(entity, held, copied)

    def _absent(self, entity: str, state: _Entity) -> Mask:
        """Which rows of the base the package neither has nor deletes."""
        written = self.writer.keys(entity)[self.writer.kept(entity)]
        deleted = np.concatenate([_NO_HASHES, *state.deleted])
        if (held := state.held_rows) is not None:
            # What one row deletes and another one, held, has, is in doubt.
            deleted = deleted[~KeySet(text_hashes(held["sourcedId"])).contains(deleted)]
        absent: Mask = ~KeySet(np.concatenate([written, deleted])).contains(self.base.keys(entity))
        return absent

    def _misnamed(self, entity: str, state: _Entity, absent: Mask) -> Positions:
        """Rows of the base that seem gone, and are held back under another sourcedId."""
        held = [
            (some.telling, self.base.find(entity, some.rows["sourcedId"]) < 0)
            for some in state.held
            if some.telling
        ]
        return keep_misnamed(self.base, entity, np.flatnonzero(absent).astype(np.int64), held)

    def _not_sent(self, entity: str, absent: Mask) -> Positions:
        """Rows of the base that seem gone, and came from a file that is not there or empty, or by a
        column that is not there, while others of which the entity is made are there. Nobody is
        asked whether they are to go: the next row or column that comes says so."""
        missing = np.flatnonzero(absent).astype(np.int64)
        if not len(missing):
            return _NONE
        kept = _NONE
        if patterns := self.package.without_rows(entity):
            kept = came_from(self.base, entity, missing, patterns)
            if len(kept):
                file = ", ".join(patterns)
                self._say(Findings([RULES["package.absent_file"].at(file, entity=entity)]))
        return distinct(np.concatenate([kept, self._not_chosen(entity, missing)]))

    def _not_chosen(self, entity: str, missing: Positions) -> Positions:
        """Of rows that seem gone those that were chosen by a column that is not there."""
        kept = [_NONE]
        if lacking := self.package.without_columns(entity):
            ways = made_in(self.base, entity, missing)
            for way, (file, column) in lacking.items():
                if len(theirs := missing[ways == way]):
                    kept.append(theirs)
                    self._say(Findings([_no_column(entity, file, column)]))
        return np.concatenate(kept)

    def _copy(self, entity: str, positions: Positions, state: _Entity) -> Positions:
        """Take rows of the base but for those that cannot do without a row that is gone."""
        copied, behind = self.last_good.copy(entity, positions, self.presence)
        state.gone += behind
        self.cascaded[entity] += len(positions) - len(copied)
        return copied

    def _finish_roles_of_1p1(self, state: _Entity) -> None:
        """Roles of 1.1 come with their users: those of users who stand in come from the base."""
        roles = self.writer.columns("roles", ["userSourcedId"])["userSourcedId"]
        spoken = text_hashes(roles)
        if "users" not in self.presence:
            return
        present = self.presence["users"].present
        believed = self.writer.kept("roles") & present.contains(spoken)
        if not believed.all():
            self.writer.drop("roles", np.flatnonzero(~believed).astype(np.int64))
        # A user's row sent twice, which has its finding, brought the same roles twice.
        if duplicates := find_duplicates(self.writer.so_far("roles"), "roles"):
            self.writer.drop("roles", duplicates.repeated)
        old = text_hashes(self.base.columns("roles", ["userSourcedId"])["userSourcedId"])
        silent = present.contains(old) & ~KeySet(spoken[believed]).contains(old)
        self.own["roles"] = int(self.writer.kept("roles").sum())
        positions = np.flatnonzero(silent).astype(np.int64)
        if self.held_users is not None:
            positions = still_said(self.base, positions, self.held_users)
        self._copy("roles", positions, state)

    # ---- the entity as a whole ----

    def _finish(self, entity: str, state: _Entity) -> None:
        if entity in TARGETS:
            self._make_present(entity, state)
        self.finished.append(entity)

    def finish_references(self) -> None:
        """Take references to rows that are not there, and round in circles, out of all rows
        written."""
        for entity in self.finished:
            file = self.file(entity)
            found, unjudged = blank_dangling(self.writer, entity, self.presence, file)
            self._say(found)
            if unjudged and entity not in self.unjudged:
                self.unjudged.append(entity)
            if entity in WITH_PARENTS and self.own[entity]:
                self._say(judge_parents(self.writer, entity, self.own[entity], file))
        for entity in self.unjudged:
            self._report("reference.unjudged", entity)

    def _make_present(self, entity: str, state: _Entity) -> None:
        present = KeySet(self.writer.keys(entity)[self.writer.kept(entity)])
        faults = Faults(entity)
        absent = []
        for rows in (state.held, state.gone):
            keys = [_NO_HASHES]
            for some in rows:
                faults.add(some.rows["sourcedId"], some.causes)
                keys.append(text_hashes(some.rows["sourcedId"]))
            absent.append(keys)
        waiting = distinct(np.concatenate(absent[0]))
        removed = np.concatenate([self.base.keys(entity), *absent[1]])
        self.presence[entity] = Presence(
            present,
            KeySet(waiting[~present.contains(waiting)]),
            KeySet(removed[~present.contains(removed)]),
            faults,
            self._types(entity),
            self.partial(entity),
        )

    def _types(self, entity: str) -> pd.Series | None:
        if entity not in ("orgs", "academicSessions"):
            return None
        frame = self.writer.columns(entity, ["sourcedId", "type"])[self.writer.kept(entity)]
        frame = frame.reset_index(drop=True)
        if entity == "orgs":
            self.org_types = dict(zip(frame["sourcedId"], frame["type"], strict=True))
        return frame["type"].set_axis(text_hashes(frame["sourcedId"]))


def _no_column(entity: str, file: str, column: str) -> FindingGroup:
    return RULES["package.absent_file"].at(
        file,
        column,
        line=1,
        entity=entity,
        message="this column is not in the file; what came by it stays as it was accepted",
        fix="send the column, with empty cells where nobody has any, or take it out of the mapping",
    )
