"""How names are drawn, ids made and teachers put to classes."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roster_pipeline.oneroster.entities import columns
from roster_pipeline.simulator.cells import uuids
from roster_pipeline.simulator.curriculum import PERIODS
from roster_pipeline.simulator.names import LOCALES, WESTERN, login_form, name_book
from roster_pipeline.simulator.school_year import FALL, SPRING, YEAR
from roster_pipeline.simulator.table import Table
from roster_pipeline.simulator.timetables import rota
from roster_pipeline.simulator.zone import ROLE_WORDS, Role


def test_names_come_from_many_locales_and_scripts() -> None:
    book = name_book()
    rng = np.random.default_rng(1)

    drawn = book.locales(rng, 10_000)

    assert len(LOCALES) >= 12
    assert sum(share for _, share in LOCALES) == pytest.approx(1)
    assert set(drawn.tolist()) == set(range(len(LOCALES)))
    given_ = book.given.take(book.draw_given(rng, drawn, rng.integers(0, 2, len(drawn))))
    latin = sum(bool(login_form(str(name))) for name in given_.to_pylist())
    assert 0.03 < 1 - latin / len(drawn) < 0.3


def test_western_names_can_be_written_in_windows_1252() -> None:
    book = name_book(WESTERN)

    for name in (*book.given.to_pylist(), *book.family.to_pylist()):
        assert name
        name.encode("cp1252")


def test_roles_are_the_standards() -> None:
    (vocabulary,) = (column.words for column in columns("roles") if column.name == "role")

    assert set(ROLE_WORDS) <= set(vocabulary)
    assert len(ROLE_WORDS) == len(Role)


def test_ids_differ_by_key_and_by_name_space() -> None:
    keys = np.arange(100_000, dtype=np.uint64)
    here, there = (uuids(keys, space).to_pylist() for space in ("1/usr", "1/cls"))

    assert len(set(here) | set(there)) == 200_000
    assert here == uuids(keys, "1/usr").to_pylist()


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, PERIODS), st.sampled_from((YEAR, FALL, SPRING))), max_size=60)
)
def test_a_rota_never_has_a_teacher_in_two_classes_at_once(classes: list[tuple[int, int]]) -> None:
    periods = np.array([period for period, _ in classes], dtype=np.int64)
    terms = np.array([term for _, term in classes], dtype=np.int64)

    teachers = rota(periods, terms)

    for one, other in itertools.combinations(range(len(classes)), 2):
        if periods[one] == periods[other] and (
            terms[one] == terms[other] or YEAR in (terms[one], terms[other])
        ):
            assert teachers[one] != teachers[other]


def test_a_table_keeps_its_columns_together() -> None:
    table = Table(number=np.int32, flag=np.bool_)
    assert table.append(2, number=[1, 2], flag=True).tolist() == [0, 1]
    copied = table.copy()
    assert table.append(1, number=3, flag=[False]).tolist() == [2]
    table["number"][0] = 9

    assert table["number"].tolist() == [9, 2, 3]
    assert copied["number"].tolist() == [1, 2]
    with pytest.raises(TypeError, match="flag"):
        table.append(1, number=1)
