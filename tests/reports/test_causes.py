"""What is at fault is told apart from what follows from it."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from rich.console import Console, RenderableType

from roster_pipeline.oneroster.findings import FindingGroup, Findings, Severity
from roster_pipeline.reports.causes import causes_of
from roster_pipeline.reports.causes_text import findings_text

HOLD, WARN = Severity.HOLD, Severity.WARN


def texts(values: Sequence[str | None]) -> pa.LargeStringArray:
    return pa.array(values, pa.large_string())


def group(
    code: str,
    entity: str,
    ids: Sequence[str],
    *,
    severity: Severity = HOLD,
    causes: Sequence[str | None] | None = None,
    column: str = "x",
    message: str = "is wrong",
    start: int = 2,
) -> FindingGroup:
    return FindingGroup(
        code,
        severity,
        message,
        f"{entity}.csv",
        column,
        "mend it",
        np.arange(start, start + len(ids), dtype=np.int64),
        entity,
        texts(ids),
        None if causes is None else texts(causes),
    )


def shown(text: RenderableType) -> str:
    console = Console(width=160, color_system=None)
    with console.capture() as capture:
        console.print(text)
    return capture.get()


BAD_SCHOOL = (
    group("cell.vocabulary", "orgs", ["s1"]),
    group("reference.waiting", "classes", ["c1", "c2"], causes=["orgs/s1"] * 2),
    group("reference.waiting", "enrollments", ["e1", "e2", "e3"], causes=["orgs/s1"] * 3),
    # The same rows once more, for another column: they are no more rows.
    group("reference.waiting", "enrollments", ["e1", "e2"], causes=["orgs/s1"] * 2, column="y"),
)


def test_rows_that_follow_are_counted_beside_the_row_at_fault() -> None:
    causes = causes_of(Findings(BAD_SCHOOL))
    (school,) = causes.listed
    assert (school.code, school.entity, school.count) == ("cell.vocabulary", "orgs", 1)
    assert school.follow == {"classes": 2, "enrollments": 3}
    assert (causes.count, causes.following) == (1, 7)


def test_a_row_with_two_findings_has_its_followers_beside_the_graver_one() -> None:
    light = group("cell.padded", "orgs", ["s1"], severity=WARN)
    causes = causes_of(Findings([light, *BAD_SCHOOL]))
    assert {c.code: c.following for c in causes.listed} == {"cell.vocabulary": 5, "cell.padded": 0}


def test_a_row_that_follows_from_two_rows_at_fault_is_one_row() -> None:
    # Two blocks of one file, so two groups of one kind.
    users = [group("cell.required", "users", [f"u{n}"], start=n) for n in (2, 3)]
    waiting = [
        group(
            "reference.waiting", "enrollments", ["e1", "e2"], causes=[f"users/u{n}"] * 2, column=c
        )
        for n, c in ((2, "userSourcedId"), (3, "x"))
    ]
    (cause,) = causes_of(Findings([*users, *waiting])).listed
    assert (cause.count, cause.follow) == (2, {"enrollments": 2})


def test_a_row_that_misses_two_rows_is_one_row() -> None:
    unknown = [
        group("reference.unknown", "enrollments", ["e1"], causes=[missed], column=missed)
        for missed in ("users/u1", "users/u2", "classes/c1")
    ]
    users, classes = causes_of(Findings(unknown)).listed
    assert (users.count, users.follow) == (2, {"enrollments": 1})
    assert (classes.count, classes.follow) == (1, {"enrollments": 1})


def test_nothing_follows_from_a_finding_that_changes_nothing() -> None:
    removed = group("reference.removed", "classes", ["c1"], severity=WARN, causes=["orgs/s1"])
    padded = group("cell.padded", "orgs", ["s1"], severity=WARN)
    gone, light = causes_of(Findings([padded, removed])).listed
    assert (gone.code, gone.harmless, gone.follow) == ("reference.removed", False, {"classes": 1})
    assert (light.code, light.harmless, light.follow) == ("cell.padded", True, {})


def test_rows_never_seen_are_causes_of_their_own_the_one_missed_most_first() -> None:
    missed = ["users/u1", "users/u2", "users/u2", "users/u3"]
    unknown = group("reference.unknown", "enrollments", list("abcd"), causes=missed)
    (cause,) = causes_of(Findings([unknown]), places=2).listed
    assert (cause.entity, cause.code, cause.count) == ("users", "reference.unknown", 3)
    assert [(a.sourced_id, a.rows, str(a.first)) for a in cause.absent] == [
        ("u2", 2, "enrollments.csv:3:x"),
        ("u1", 1, "enrollments.csv:2:x"),
    ]


def test_what_waits_for_a_row_never_seen_follows_from_that_row_too() -> None:
    chain = [
        group("reference.unknown", "classes", ["c1"], causes=["orgs/s9"]),
        group("reference.waiting", "enrollments", ["e1", "e2"], causes=["orgs/s9"] * 2),
    ]
    (cause,) = causes_of(Findings(chain)).listed
    assert (cause.code, cause.entity) == ("reference.unknown", "orgs")
    assert cause.follow == {"classes": 1, "enrollments": 2}


def test_causes_come_in_the_order_of_mending_and_warnings_after_them() -> None:
    made = [
        group("e", "enrollments", ["1"]),
        group("w", "orgs", ["1"], severity=WARN),
        group("c", "classes", ["1"]),
        group("u", "users", ["1"]),
        FindingGroup.one("p", Severity.STOP, "no manifest", "package"),
        group("o", "orgs", ["1"]),
        group("s", "academicSessions", ["1"]),
    ]
    assert [c.code for c in causes_of(Findings(made)).listed] == [*"posuce", "w"]


def test_rows_at_fault_come_before_rows_that_may_only_be_missed_for_their_sake() -> None:
    missed = group("reference.unknown", "classes", ["c1", "c2"], causes=["orgs/s8", "orgs/s9"])
    causes = causes_of(Findings([missed, group("excel.scientific", "orgs", ["1.23E+11"])]))
    assert [cause.code for cause in causes.listed] == ["excel.scientific", "reference.unknown"]


def test_half_a_group_may_follow_and_the_rest_be_at_fault() -> None:
    mixed = group("key.x", "users", ["u1", "u2"], causes=[None, "orgs/s9"])
    causes = causes_of(Findings([mixed]))
    assert {(c.entity, c.count) for c in causes.listed} == {("users", 1), ("orgs", 1)}
    (spot,) = next(c.spots for c in causes.listed if c.spots)
    assert [place.line for place in spot.places] == [2]


def test_no_findings_have_no_causes() -> None:
    causes = causes_of(Findings())
    assert (causes.listed, causes.count, causes.following) == ((), 0, 0)


# ---- in words ----


def test_consequences_are_never_listed_beside_their_cause() -> None:
    text = shown(findings_text(Findings(BAD_SCHOOL)))
    assert "1. orgs  cell.vocabulary  1 × holds rows back; 5 rows follow" in text
    assert "2 in classes, 3 in enrollments" in text
    assert "orgs.csv:2:x (s1)" in text
    assert "classes.csv" not in text


def test_one_row_never_seen_is_named_in_the_heading() -> None:
    unknown = group("reference.unknown", "classes", ["c1"], causes=["orgs/s9"])
    text = shown(findings_text(Findings([unknown])))
    assert "s9: never seen; 1 row follows: 1 in classes" in text
    assert "first missed at classes.csv:2:x" in text


def test_a_row_missed_for_its_leading_zeros_is_not_said_to_be_held_back() -> None:
    zeros = group("excel.leading_zeros", "classes", ["c1"], causes=["orgs/007"])
    text = shown(findings_text(Findings([zeros])))
    assert "007: there only with other leading zeros; 1 row follows" in " ".join(text.split())


def test_rows_that_go_with_others_are_to_mend_and_not_merely_worth_a_look() -> None:
    removed = group("reference.removed", "classes", ["c1"], severity=WARN, causes=["orgs/s1"])
    text = shown(findings_text(Findings([removed])))
    assert text.startswith("To mend, in this order")
    assert "1. orgs  reference.removed  s1: gone; 1 row goes with it: 1 in classes" in text
    assert "Why it matters" in text
    assert "Worth a look" not in text
    assert "changes nothing" not in text


def test_what_is_not_shown_is_counted_before_how_to_mend_it() -> None:
    made = [group("x", "users", ["u1"], column=f"c{n}", message=f"wrong {n}") for n in range(9)]
    made += [group("x", "users", ["u1"], column=f"d{n}", message="wrong 0") for n in range(9)]
    lines = [line.strip() for line in shown(findings_text(Findings(made))).splitlines()]
    mending = lines.index("To mend it: mend it")
    assert lines[mending - 1] == "… and 5 more of this kind"
    assert lines.index("… and 6 more elsewhere") < mending
    assert not any(line.startswith("…") for line in lines[mending:])


def test_many_lines_are_counted_and_not_shown() -> None:
    many = [
        group("cell.required", "users", [f"u{n}" for n in range(40)], start=2 + 40 * block)
        for block in range(3)
    ]
    text = shown(findings_text(Findings(many)))
    assert "users.csv:2:x, users.csv:3:x, users.csv:4:x and 117 more" in text
    assert "To mend it: mend it" in text


@pytest.mark.parametrize("count", [1, 10_000])
def test_ten_thousand_places_take_no_more_room_than_a_few(count: int) -> None:
    made = [
        FindingGroup.one(
            "header.unknown_column", WARN, f"unknown {n}", "users.csv", line=1, column=f"c{n}"
        )
        for n in range(count)
    ]
    text = shown(findings_text(Findings(made)))
    assert len(text.splitlines()) < 20
    assert f"{count:,} × changes nothing" in text


def test_brackets_in_a_message_are_text_and_no_markup() -> None:
    odd = group("x", "users", ["u1"], message="not one of [bold]true[/bold]")
    assert "not one of [bold]true[/bold]" in shown(findings_text(Findings([odd])))


def test_the_name_of_a_member_cannot_steer_a_terminal() -> None:
    odd = FindingGroup.one("package.unknown_file", WARN, "unknown", "\x1b[2J\u202ecsv.exe")
    text = shown(findings_text(Findings([odd])))
    assert "\x1b" not in text
    assert "\u202e" not in text
