"""Who should have an account."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roster_pipeline.accounts.desired import desired, people
from roster_pipeline.accounts.fields import content_hash, content_of, resource_of
from roster_pipeline.accounts.identity import fill
from roster_pipeline.accounts.roles import entitled
from roster_pipeline.tables.text import TEXT
from tests.accounts.world import DAY1, SOURCE, changed, person, role, roster_of, school, settings
from tests.small import district

TABLE = {"teacher": "teacher", "administrator": "boss", "student": "learner", "parent": "none"}


def roles(*rows: tuple[str, str, str | None, str | None, str | None]) -> pd.DataFrame:
    """Roles rows of one org: person, role, 1.1 word, beginDate, endDate."""
    columns = ["userSourcedId", "role", "_role", "beginDate", "endDate"]
    frame = pd.DataFrame(list(rows), columns=columns)
    return frame.assign(roleType="primary", orgSourcedId="s1").astype(TEXT)


def chosen(*rows: tuple[str, str, str | None, str | None, str | None]) -> dict[str, str]:
    """The product role of each person who has one."""
    found = entitled(roles(*rows), TABLE, date(2026, 8, 24))
    return dict(zip(found["userSourcedId"], found["product_role"], strict=True))


@pytest.mark.parametrize(
    ("word", "word_1p1", "product_role"),
    [
        ("student", None, "learner"),
        ("principal", None, "boss"),
        ("siteAdministrator", "administrator", "boss"),
        ("counselor", None, None),
        ("parent", None, None),
        ("ext:nurse", None, None),
    ],
)
def test_a_role_is_found_in_the_table_by_its_own_word_or_that_of_1_1(
    word: str, word_1p1: str | None, product_role: str | None
) -> None:
    expected = {"ada": product_role} if product_role else {}
    assert chosen(("ada", word, word_1p1, None, None)) == expected


def test_of_several_roles_the_one_that_stands_first_in_the_table_counts() -> None:
    both = [("ada", word, None, None, None) for word in ("student", "parent", "teacher")]
    assert chosen(*both) == {"ada": "teacher"}


@pytest.mark.parametrize(
    ("begin", "end", "counts"),
    [
        (None, None, True),
        ("2026-08-24", None, True),
        ("2026-08-25", None, False),
        (None, "2026-08-25", True),
        (None, "2026-08-24", False),
    ],
)
def test_a_role_counts_from_its_first_day_until_before_its_last(
    begin: str | None, end: str | None, counts: bool
) -> None:
    assert (chosen(("ada", "student", None, begin, end)) != {}) is counts


def test_a_district_of_1_1_has_accounts_as_one_of_1_2(tmp_path: Path) -> None:
    table = {"teacher": "teacher", "student": "learner", "administrator": "boss"}
    found = [
        list(
            people(
                desired(
                    roster_of(district(version), tmp_path / version, version),
                    settings(roles=table),
                    SOURCE,
                    DAY1,
                )
            )
        )
        for version in ("1.1", "1.2")
    ]
    assert [p.content for p in found[0]] == [p.content for p in found[1]]
    assert {p.content["role"] for p in found[0]} == set(table.values())


def test_somebody_of_whom_nothing_is_known_but_an_id_in_a_list_can_be_named(
    tmp_path: Path,
) -> None:
    files = changed(school("ada", "ben"), where=lambda _: True, userIds="{SIS:1},{ldap:a17}")
    files["users"][1]["userIds"] = "{SIS:2}"
    found = desired(
        roster_of(files, tmp_path / "r"),
        settings(identity={"user_name": "{userIds.LDAP}@{source}.example"}),
        SOURCE,
        DAY1,
    )
    one, other = people(found)
    assert one.content["userName"] == "a17@springfield.example"
    assert other.problem == "no_user_name"


def test_a_metadata_column_may_be_the_user_name_and_need_not_be_there(tmp_path: Path) -> None:
    chosen = settings(identity={"user_name": "metadata.sso"})
    with_it = changed(school("ada"), where=lambda _: True, **{"metadata.sso": "a@sso"})
    (one,) = people(desired(roster_of(with_it, tmp_path / "a"), chosen, SOURCE, DAY1))
    assert one.content["userName"] == "a@sso"
    (one,) = people(desired(roster_of(school("ada"), tmp_path / "b"), chosen, SOURCE, DAY1))
    assert one.problem == "no_user_name"


def test_a_person_says_where_they_stand_in_the_files(tmp_path: Path) -> None:
    files = school("ada", "ben")
    files["users"].append(person("grace"))
    files["roles"].append(role("grace", "teacher"))
    found = desired(roster_of(files, tmp_path / "r"), settings(), SOURCE, DAY1)
    assert [(p.file, p.line) for p in people(found)] == [("users.csv", n) for n in (2, 3, 4)]


TEXTS = st.text(min_size=1, max_size=20)
CONTENT = st.fixed_dictionaries(
    {"userName": TEXTS, "externalId": TEXTS},
    optional=dict.fromkeys(("givenName", "familyName", "email", "role", "school"), TEXTS),
)


@given(CONTENT, st.booleans())
def test_what_is_sent_of_a_person_reads_back_the_same(
    content: dict[str, str], active: bool
) -> None:
    user = resource_of(content, active=active)
    assert content_of(user) == content
    assert user["active"] is active


@given(CONTENT)
def test_the_hash_of_a_content_does_not_hang_on_its_order(content: dict[str, str]) -> None:
    backwards = dict(reversed(content.items()))
    assert content_hash(content) == content_hash(backwards)
    other = {**content, "userName": content["userName"] + "x"}
    assert content_hash(other) != content_hash(content)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["value", "type", "primary", "givenName"]), inner)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["userName", "emails", "name", "externalId"]), JSON))
def test_no_answer_of_a_provider_is_too_odd_to_read(user: dict[str, object]) -> None:
    assert all(isinstance(text, str) and text for text in content_of(user).values())


@given(st.lists(st.tuples(st.none() | TEXTS, st.none() | TEXTS), min_size=1, max_size=5))
def test_a_pattern_is_filled_where_all_that_it_needs_is_there(
    rows: list[tuple[str | None, str | None]],
) -> None:
    users = pd.DataFrame(rows, columns=["givenName", "familyName"]).astype(TEXT)
    filled = fill("{givenName}.{familyName}@{source}", users, "x")
    assert [None if pd.isna(cell) else cell for cell in filled] == [
        f"{given_name}.{family}@x" if given_name is not None and family is not None else None
        for given_name, family in rows
    ]
