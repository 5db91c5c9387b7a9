"""Records of a file, read some at a time."""

import io
import json
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roster_pipeline.oneroster.record_lines import (
    LineError,
    Open,
    find_repeated,
    read_records,
    united_records,
)


def file_of(records: list[Any]) -> Open:
    content = "".join(json.dumps(record) + "\n" for record in records).encode()
    return lambda: io.BytesIO(content)


def united(records: list[Any], *, most_bytes: int, gathered: int) -> list[tuple[int, Any]]:
    opened = file_of(records)
    parts = find_repeated(opened, gathered=gathered)
    if parts is None:
        parts = np.full(len(records), -1, dtype=np.int32)
    return [
        (int(line), record)
        for some in united_records(opened, most_bytes, parts)
        for line, record in zip(some.lines, some.records, strict=True)
    ]


@given(
    ids=st.lists(st.sampled_from(["a", "b ", " b", "c", 7, None, ""]), max_size=30),
    most_bytes=st.integers(1, 200),
    gathered=st.integers(1, 4),
)
def test_every_sourced_id_is_one_record_that_has_all_their_items(
    ids: list[Any], most_bytes: int, gathered: int
) -> None:
    records = [{"sourcedId": key, "grades": [str(n)]} for n, key in enumerate(ids)]
    found = united(records, most_bytes=most_bytes, gathered=gathered)
    bare = [str(key).strip() if key is not None else "" for key in ids]
    counts = Counter(key for key in bare if key)
    said = Counter(str(record["sourcedId"] or "").strip() for _, record in found)
    assert {key: count for key, count in said.items() if key} == dict.fromkeys(counts, 1)
    assert said[""] == bare.count("")
    grades = [grade for _, record in found for grade in record["grades"]]
    assert sorted(grades, key=int) == [str(n) for n in range(len(ids))]
    for line, record in found:
        assert min(record["grades"], key=int) == str(line - 1)


def test_no_more_are_gathered_at_a_time_than_are_allowed() -> None:
    ids = [f"u{n}" for n in range(10)] * 2
    opens = 0
    content = file_of([{"sourcedId": key} for key in ids])

    def counted() -> io.BytesIO:
        nonlocal opens
        opens += 1
        return io.BytesIO(content().read())

    parts = find_repeated(counted, gathered=4)
    assert parts is not None
    blocks = list(united_records(counted, 1000, parts))
    assert [len(some.records) for some in blocks] == [4, 4, 2]
    assert opens == 1 + 1 + 3


def test_a_file_without_repetitions_has_no_parts() -> None:
    assert find_repeated(file_of([{"sourcedId": "a"}, {}, {}, None, 7, {"sourcedId": "b"}])) is None
    assert find_repeated(file_of([])) is None


def test_those_that_differ_are_named_by_their_places() -> None:
    records = [
        {"sourcedId": "a", "email": "1", "sms": "1"},
        {"sourcedId": "b", "email": "1"},
        {"sourcedId": "c", "email": "1"},
        {"sourcedId": "b", "email": "2"},
        {"sourcedId": "a", "email": "1"},
    ]
    opened = file_of(records)
    parts = find_repeated(opened)
    assert parts is not None
    alone, made = united_records(opened, 1000, parts)
    assert (alone.lines.tolist(), dict(alone.differing)) == ([3], {})
    assert (made.lines.tolist(), dict(made.differing)) == ([1, 2], {"email": [1]})


@pytest.mark.parametrize("line", [b"{", b"[" * 100_000])
def test_a_line_that_is_no_record_is_named(line: bytes) -> None:
    def opened() -> io.BytesIO:
        return io.BytesIO(b"{}\n{}\n" + line + b"\n")

    with pytest.raises(LineError) as error:
        list(read_records(opened, 2))
    assert error.value.line == 3
    with pytest.raises(LineError) as error:
        find_repeated(opened)
    assert error.value.line == 3


@pytest.mark.parametrize("depth", [100, 600, 900, 980])
@pytest.mark.parametrize(("opening", "closing"), ["[]", ('{"a":', "}")])
def test_a_record_is_put_together_or_named_however_deep_it_is(
    opening: str, closing: str, depth: int
) -> None:
    def opened() -> io.BytesIO:
        deep = (f"{opening * depth}{n}{closing * depth}" for n in range(3))
        return io.BytesIO("".join(f'{{"sourcedId":"a","x":{x}}}\n' for x in deep).encode())

    def united_or_line() -> list[Any] | int:
        try:
            parts = find_repeated(opened)
            assert parts is not None
            return list(united_records(opened, 1000, parts))
        except LineError as error:
            return error.line

    found = united_or_line()
    if depth == 100:
        assert isinstance(found, list)
        assert found[0].lines.tolist() == [1]
    elif depth == 980:
        assert found == 1
