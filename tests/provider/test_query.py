"""The grammar of filters."""

from hypothesis import given
from hypothesis import strategies as st

from roster_pipeline.provider.problems import RefusedError
from roster_pipeline.provider.query import Clause, Filter, Op, parse_filter

_CLAUSES = st.builds(
    Clause,
    st.sampled_from(["status", "school.sourcedId", "metadata.été-1"]),
    st.sampled_from(Op),
    st.text(),
)


def written(clause: Clause) -> str:
    value = clause.value.replace("'", "''")
    return f"{clause.field}{clause.op.value}'{value}'"


@given(_CLAUSES, _CLAUSES, st.booleans())
def test_whatever_the_values_hold_a_filter_is_read_as_meant(
    first: Clause, second: Clause, either: bool
) -> None:
    assert parse_filter(written(first)) == Filter((first,))
    both = f"{written(first)} {'OR' if either else 'AND'} {written(second)}"
    assert parse_filter(both) == Filter((first, second), either)


@given(st.text("ab.='<>!~ ANDOR", max_size=30))
def test_any_text_is_a_filter_or_is_refused(text: str) -> None:
    try:
        found = parse_filter(text)
    except RefusedError:
        return
    assert 1 <= len(found.clauses) <= 2
