"""A page of JSON, read record by record."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roster_pipeline.sources import json_page, vendors
from roster_pipeline.sources.json_likeness import Likeness
from roster_pipeline.sources.json_page import PageReader, Records
from roster_pipeline.sources.json_redaction import Blanker
from tests.examples import examples

SECRETS = vendors.load("generic-rest-1.2").secrets
KEYS = st.sampled_from(
    ["sourcedId", "name", "users", "credentials", "password", "metadata", "type", "userPwd", "ü"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def read(body: bytes, *names: str) -> Records | None:
    return reader(*names).read(body)


def reader(*names: str) -> PageReader:
    return PageReader(names or ("users",), Blanker(SECRETS), lambda _: None)


def secrets_in(value: Any, *, secret: bool = False) -> list[Any]:
    """Whatever stands under a name that says password."""
    if isinstance(value, dict):
        found = [(held, name in ("password", "userPwd")) for name, held in value.items()]
        return [s for held, is_secret in found for s in secrets_in(held, secret=is_secret)]
    if secret and value not in (None, "", [], {}):
        return [value]
    return [s for held in value for s in secrets_in(held)] if isinstance(value, list) else []


@settings(deadline=None)
@given(
    records=st.lists(JSON, max_size=6),
    around=st.dictionaries(st.sampled_from(["a", "org", "statusInfoSet"]), JSON, max_size=3),
    indent=st.sampled_from([None, 1]),
    ascii_only=st.booleans(),
)
def test_every_record_comes_out_as_it_went_in_but_for_its_secrets(
    records: list[Any], around: dict[str, Any], indent: int | None, ascii_only: bool
) -> None:
    page = {**around, "users": records}
    body = json.dumps(page, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")

    found = read(body)

    assert found is not None
    assert len(found.lines) == len(records)
    assert not any("\n" in line for line in found.lines)
    for line, record in zip(found.lines, records, strict=True):
        assert secrets_in(json.loads(line)) == []
        if found.blanked == 0:
            assert json.loads(line) == record


@settings(deadline=None, max_examples=examples(20))
@given(st.binary(max_size=60) | st.text(alphabet='[]{}",: users1\n', max_size=40).map(str.encode))
def test_what_is_no_json_is_never_taken_for_any(body: bytes) -> None:
    try:
        expected = json.loads(body)
    except ValueError:
        expected = ValueError
    try:
        found: Any = read(body)
    except ValueError:
        found = ValueError
    if expected is ValueError or found is ValueError:
        assert expected is found
        return
    whole = expected.get("users") if isinstance(expected, dict) else expected
    count = len(whole) if isinstance(whole, list) else None
    assert (None if found is None else len(found.lines)) == count


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_page_in_any_encoding_of_json_is_read(encoding: str) -> None:
    found = read('{"users": [{"familyName": "García"}]}'.encode(encoding))
    assert found is not None
    assert found.lines == ['{"familyName": "García"}']


def test_all_lists_of_records_are_taken() -> None:
    body = b'{"b": [1], "a": [2, {"password": "x"}], "c": {}, "b": [4]}'
    found = read(body, "x", "a", "b")
    assert found is not None
    assert [json.loads(line) for line in found.lines] == [1, 2, {"password": None}, 4]
    assert (found.blanked, found.after(2).rewritten, found.at([2, 0]).rewritten) == (1, [0], [0])
    assert read(body, "c") is None


@pytest.mark.parametrize(
    ("status", "fails"),
    [
        ({"imsx_StatusInfo": {"imsx_codeMajor": "failure", "imsx_severity": "error"}}, True),
        ({"statusInfoSet": [{"imsx_codeMajor": "success"}, {"imsx_codeMajor": "Failure"}]}, True),
        ({"imsx_codeMinor": "server_busy"}, True),
        ({"imsx_StatusInfo": {"imsx_codeMajor": "success", "imsx_severity": "warning"}}, False),
        ({"statusInfoSet": [{"imsx_codeMajor": "success", "x": "failure"}]}, False),
        ({"status": "failure"}, False),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_a_failure_that_stands_beside_the_records_is_seen(
    status: dict[str, Any], fails: bool, first: bool
) -> None:
    parts = [status, {"users": []}]
    body = {key: held for part in (parts if first else parts[::-1]) for key, held in part.items()}
    found = read(json.dumps(body).encode())
    assert found is not None
    assert found.failed == fails


def test_each_record_is_looked_at_without_its_secrets() -> None:
    seen: list[Any] = []
    body = b'{"users": [{"a": 1, "password": "x"}, null]}'
    PageReader(("users",), Blanker(SECRETS), seen.append, ("a", "password")).read(body)
    assert seen == [{"a": 1, "password": None}, {}]


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["sourcedId", "a", "users", "ü", 'q"', ""]), inner)
    ),
    max_leaves=8,
)


@settings(deadline=None, max_examples=examples(20))
@given(
    before=st.lists(st.lists(PLAIN | JSON, max_size=4), max_size=4),
    page=st.lists(PLAIN | JSON, max_size=5),
    again=st.booleans(),
    ascii_only=st.booleans(),
)
def test_a_page_is_read_alike_whatever_came_before_it(
    before: list[list[Any]], page: list[Any], again: bool, ascii_only: bool
) -> None:
    def body(records: list[Any]) -> bytes:
        said = {"imsx_codeMajor": "failure", "users": records}
        return json.dumps(said, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")

    shown: tuple[list[Any], list[Any]] = ([], [])
    taught, fresh = (
        PageReader(("users",), Blanker(SECRETS), some.append, ("sourcedId",)) for some in shown
    )
    for records in [*before, *([page] if again else [])]:
        taught.read(body(records))
    shown[0].clear()

    found, expected = taught.read(body(page)), fresh.read(body(page))

    assert found == expected
    ids = [[record.get("sourcedId") for record in some] for some in shown]
    scalar = [[one if isinstance(one, str | int | float) else None for one in some] for some in ids]
    assert sorted(scalar[0], key=repr) == sorted(scalar[1], key=repr)


def test_pages_that_are_alike_are_not_read_name_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    reading = reader()
    reading.read(b'{"users": [{"sourcedId": "u1", "roles": [{"role": "student"}], "x": null}]}')
    monkeypatch.setattr(json_page, "_Page", None)
    found = reading.read(b'{"users": [{"roles": [], "sourcedId": 2}, {"x": [1.5, "a"]}], "n": 2}')
    assert found == Records(['{"roles": [], "sourcedId": 2}', '{"x": [1.5, "a"]}'], ["2", None])


def test_of_a_page_only_the_records_that_are_not_like_others_are_read_name_by_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[Any] = []
    reading = PageReader(("users",), Blanker(SECRETS), seen.append, ("sourcedId",))
    reading.read(b'{"users": [{"sourcedId": "u1", "name": "a"}]}')
    seen.clear()
    monkeypatch.setattr(json_page, "_Page", None)
    odd = b'{"sourcedId": "u2", "password": "x"}, {"sourcedId": "u3", "new": 1}'
    page = b'{"users": [{"sourcedId": "u1"}, %b, {"sourcedId": "u4"}, {"name": "b"}]}' % odd

    for _ in range(2):
        found = reading.read(page)
        assert found is not None
        assert [json.loads(line) for line in found.lines] == [
            {"sourcedId": "u1"},
            {"sourcedId": "u2", "password": None},
            {"sourcedId": "u3", "new": 1},
            {"sourcedId": "u4"},
            {"name": "b"},
        ]
        assert (found.ids, found.rewritten) == (["u1", "u2", "u3", "u4", None], [1])
    assert len(seen) == 10


def test_pages_that_are_never_alike_are_not_learned_from_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    learned: list[int] = []
    monkeypatch.setattr(Likeness, "learn", lambda _, records: learned.append(len(records)))
    reading = reader()
    for n in range(50):
        found = reading.read(json.dumps({"users": [{"sourcedId": "u", f"x{n}": 1}]}).encode())
        assert found is not None
    assert 0 < len(learned) < 10


@pytest.mark.parametrize(
    "body",
    [
        b'{"users": [{"sourcedId": "u1"}], "users": [{"sourcedId": "u2"}]}',
        b'{"users": [{"sourcedId": "u1"},\n {"sourcedId": "u2"}]}',
        b'[{"sourcedId": "u1"}, {"sourcedId": "u2"}]',
    ],
)
def test_a_page_of_another_form_after_others_loses_nothing(body: bytes) -> None:
    reading = reader()
    reading.read(b'{"users": [{"sourcedId": "u0"}]}')
    found = reading.read(body)
    assert found is not None
    assert found.ids == ["u1", "u2"]


S3CRET = "hunter2-planted"


@pytest.mark.parametrize(
    "members",
    [
        f'"password": "{S3CRET}", "password": ""',
        f'"pass\\u0077ord": "{S3CRET}", "password": null',
        f'"profiles": [{{"credentials": [{{"pin": "{S3CRET}"}}], "credentials": []}}]',
        f'"profiles": [{{"credentials": [{{"type": "x", "key": "{S3CRET}", "key": null}}]}}]',
        f'"profiles": [{{"credentials": "{S3CRET}"}}]',
        f'"profiles": [{{"credentials": ["{S3CRET}", ["{S3CRET}"]]}}]',
        f'"profiles": [{{"credentials": [{{"type": {{"value": "{S3CRET}"}}}}]}}]',
    ],
)
def test_a_secret_that_a_later_one_hides_or_that_has_an_odd_shape_is_not_kept(
    members: str,
) -> None:
    reading = reader()
    for _ in range(2):
        found = reading.read(f'{{"users": [{{"sourcedId": "u1", {members}}}]}}'.encode())
        assert found is not None
        assert S3CRET not in found.lines[0]
        assert json.loads(found.lines[0])["sourcedId"] == "u1"
        # What was harmless on one page is no leave for what another one has beside it.
        reading.read(b'{"users": [{"sourcedId": "u1", "profiles": [{"type": "x"}]}]}')
