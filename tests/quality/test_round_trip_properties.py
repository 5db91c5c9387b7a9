"""Whatever a roster holds, it survives the package that it is written into."""

import io
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from roster_pipeline.oneroster.delta import diff
from roster_pipeline.oneroster.entities import (
    ENTITIES,
    USER_ROLES_1P1,
    Required,
    columns,
    columns_1p1,
)
from roster_pipeline.oneroster.findings import Severity
from roster_pipeline.oneroster.package import open_package
from roster_pipeline.oneroster.roster import Roster, RosterWriter
from roster_pipeline.oneroster.versions import downgrade_users, upgrade_users
from roster_pipeline.oneroster.writing import write_bulk, write_delta
from roster_pipeline.quality.candidate import build_candidate
from roster_pipeline.tables.text import TEXT
from tests.examples import examples
from tests.oneroster.strategies import BLANK, Frames, edits_of, rosters, row_set, stored


@given(rosters(max_rows=6, blank=("password",)), st.integers(1, 4))
@settings(max_examples=examples(12))
def test_what_is_written_as_1p2_is_read_again_but_for_what_bulk_leaves_blank(
    frames: Frames, block: int
) -> None:
    assume(any(len(frame) for frame in frames.values()))
    with TemporaryDirectory() as folder:
        roster = stored(frames, Path(folder) / "roster", block=block)
        package = io.BytesIO()
        write_bulk(roster, package)
        with open_package(package) as opened:
            again = build_candidate(opened, roster, Path(folder) / "again", block_bytes=200)
        # What is said of it changes nothing of it: names out of a hat mean nothing together.
        assert [f.code for f in again.findings if f.severity is not Severity.WARN] == []
        assert again.roster is not None
        for entity in ENTITIES:
            if entity not in again.kept:
                assert row_set(again.roster, entity) == row_set(roster, entity, without=BLANK)


@st.composite
def two_days(draw: st.DrawFn) -> tuple[Frames, Frames]:
    frames = draw(rosters(max_rows=6))
    return frames, draw(edits_of(frames))


@given(two_days(), st.integers(1, 4), st.integers(1, 4))
@settings(max_examples=examples(10))
def test_the_difference_of_two_rosters_as_a_delta_package_makes_the_later_of_the_earlier(
    days: tuple[Frames, Frames], before: int, after: int
) -> None:
    assume(any(len(frame) for frame in days[0].values()))
    with TemporaryDirectory() as name:
        folder = Path(name)
        old = stored(days[0], folder / "old", block=before)
        new = closed(stored(days[1], folder / "edited", block=after), folder)
        package = io.BytesIO()
        write_delta(diff(old, new), package, modified=datetime(2026, 9, 1, tzinfo=UTC))
        with open_package(package) as opened:
            made = build_candidate(opened, old, folder / "made", block_bytes=200)
        # What an edit does to several rows at once may break a rule over them.
        mended = ("row.", "reference.loop", "key.primary_roles")
        found = [f.code for f in made.findings if f.severity is not Severity.WARN]
        assume(not any(code.startswith(mended) for code in found))
        assert found == []
        assert made.roster is not None
        for entity in ENTITIES:
            assert row_set(made.roster, entity) == row_set(new, entity)


def closed(roster: Roster, folder: Path) -> Roster:
    """What is left of a roster once whatever refers to rows that are not there has gone."""
    with closing(RosterWriter(folder / "closed")) as writer:
        for entity in ENTITIES:
            frame = roster.frame(entity)
            for column in columns(entity):
                if column.target is None or not len(frame):
                    continue
                there = set(writer.columns(column.target, ["sourcedId"])["sourcedId"])
                cells = frame[column.name].map(
                    lambda cell, there=there: [x for x in cell.split(",") if x in there],
                    na_action="ignore",
                )
                kept = cells.map(lambda items: ",".join(items) or None, na_action="ignore")
                frame = frame.assign(**{column.name: kept.astype(TEXT)})
                if column.required is Required.ALWAYS:
                    frame = frame[frame[column.name].notna()]
            frame = frame.reset_index(drop=True)
            lines = np.arange(len(frame), dtype=np.int64) + 2
            writer.write(entity, frame, file=f"{entity}.csv", lines=lines)
        return writer.finish()


ORGS = ("d1", "s1", "s2", "s3")
TYPES = {org: "district" if org == "d1" else "school" for org in ORGS}
PEOPLE = st.lists(
    st.tuples(
        st.sampled_from(USER_ROLES_1P1),
        st.lists(st.sampled_from(ORGS), min_size=1, max_size=4, unique=True),
        st.text("aé李'\", ", min_size=1, max_size=5),
    ),
    max_size=8,
)


@given(PEOPLE)
def test_1p1_users_come_down_as_they_went_up(
    people: list[tuple[str, list[str], str]],
) -> None:
    rows = [
        {"sourcedId": f"u{n}", "role": role, "orgSourcedIds": ",".join(orgs), "givenName": name}
        for n, (role, orgs, name) in enumerate(people)
    ]
    header = [column.name for column in columns_1p1("users")]
    users = pd.DataFrame({h: pd.Series([r.get(h) for r in rows], dtype=TEXT) for h in header})
    up = upgrade_users(users, TYPES)
    down = downgrade_users(up.users, up.roles.assign(_role=up.role_words))
    pd.testing.assert_frame_equal(down.users, users)
    assert (down.without_role, down.other_roles) == (0, 0)
    assert not up.roles["sourcedId"].duplicated().any()
