import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from roster_pipeline.tables import csv_patient
from roster_pipeline.tables.csv_blocks import Anomaly, CsvBlocks, CsvError
from roster_pipeline.tables.csv_lines import LineEnds, split_lines
from roster_pipeline.tables.csv_patient import HELD, read_patiently
from roster_pipeline.tables.csv_records import RECORD_LIMIT
from roster_pipeline.tables.csv_strict import read_strict
from roster_pipeline.tables.hashes import row_hashes
from tests.tables.conftest import CELLS, Cell, cells_of, frame_of

Table = list[list[Cell]]


@dataclass(frozen=True)
class Contents:
    header: tuple[str, ...]
    rows: Table
    lines: list[int]
    anomalies: list[Anomaly]
    encoding: str
    first_cp1252_line: int | None
    line_endings: frozenset[str]

    def kinds(self) -> list[tuple[int, str]]:
        return [(anomaly.line, anomaly.kind) for anomaly in self.anomalies]


def read(data: bytes, block_bytes: int = 1 << 20, only: list[int] | None = None) -> Contents:
    blocks = CsvBlocks(io.BytesIO(data), block_bytes=block_bytes, only=only)
    rows: Table = []
    lines: list[int] = []
    anomalies: list[Anomaly] = []
    raw = blocks.head
    for block in blocks:
        rows += cells_of(block.frame)
        lines += block.lines.tolist()
        anomalies += block.anomalies
        raw += block.raw
        assert len(block.lines) == len(block.frame)
    assert raw == data
    endings = blocks.line_endings
    place = (blocks.encoding, blocks.first_cp1252_line, endings)
    return Contents(blocks.header, rows, lines, anomalies, *place)


def outcome(
    data: bytes, block_bytes: int, only: list[int] | None = None
) -> Contents | tuple[str, int | None]:
    try:
        return read(data, block_bytes, only)
    except CsvError as error:
        return error.code, error.line


def by_python(text: str) -> Table:
    """What Python's csv reads, the empty cell None; blank lines left out."""
    records = csv.reader(io.StringIO(text, newline=""))
    return [[cell or None for cell in record] for record in records if record]


# -- files as programs write them ---------------------------------------------------------------


@st.composite
def written(draw: st.DrawFn) -> tuple[str, Table]:
    """A CSV text with a header, as Python's csv writes it, and its rows."""
    width = draw(st.integers(1, 4))
    rows = draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=12))
    text = io.StringIO(newline="")
    end = draw(st.sampled_from(["\n", "\r\n"]))
    if draw(st.booleans()):
        writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator=end)
    else:
        # Before Python 3.13 csv quotes a bare CR only where CR is part of the line's end.
        end = "\r\n" if any("\r" in (cell or "") for row in rows for cell in row) else end
        writer = csv.writer(text, lineterminator=end)
    writer.writerow([f"h{place}" for place in range(width)])
    writer.writerows([cell or "" for cell in row] for row in rows)
    whole = text.getvalue()
    return (whole.removesuffix(end) if draw(st.booleans()) else whole), rows


@given(written(), st.booleans(), st.integers(1, 200))
def test_what_a_csv_writer_wrote_is_read_cell_for_cell(
    file: tuple[str, Table], bom: bool, block_bytes: int
) -> None:
    text, rows = file
    found = read(("\ufeff" * bom + text).encode(), block_bytes)
    assert found.rows == rows
    assert found.rows == by_python(text)[1:]
    assert {anomaly.kind for anomaly in found.anomalies} <= {"line_break_in_cell"}
    assert found.encoding == "utf-8"


@given(written())
def test_each_row_knows_the_line_on_which_it_starts(file: tuple[str, Table]) -> None:
    text, _ = file
    reader = csv.reader(io.StringIO(text, newline=""))
    next(reader)
    starts = []
    before = reader.line_num
    for _ in reader:
        starts.append(before + 1)
        before = reader.line_num
    assert read(text.encode()).lines == starts


def test_only_the_empty_cell_is_missing() -> None:
    found = read(b'a,b,c,d,e,f\nNA,null,,"",NaN,"None"\n')
    assert found.rows == [["NA", "null", None, None, "NaN", "None"]]


def test_leading_zeros_and_numbers_stay_text() -> None:
    found = read(b"a,b,c,d\n007,1e5,0x1F,00000000000000000000123\n")
    assert found.rows == [["007", "1e5", "0x1F", "00000000000000000000123"]]


def test_blanks_around_cells_stay() -> None:
    assert read(b'a,b\n 1 , "x"\n').rows == [[" 1 ", ' "x"']]


# -- anything at all ----------------------------------------------------------------------------

PIECES = st.sampled_from(
    ["a", "bc", "", ",", ",", ",", '"', '""', "\n", "\n", "\r\n", "\r", "é", "\ufeff", " ", "\x85"]
)


@st.composite
def anything(draw: st.DrawFn) -> bytes:
    width = draw(st.integers(1, 3))
    header = ",".join(f"h{place}" for place in range(width)) + draw(
        st.sampled_from(["\n", "\r\n", "\r"])
    )
    text = header + "".join(draw(st.lists(PIECES, max_size=40)))
    return text.encode(draw(st.sampled_from(["utf-8", "utf-8", "cp1252"])), errors="ignore")


@given(anything())
@example(b"h0,h1\n\n1,2\n")
@example(b'h0\n""\n\n')
@example(b"h0\n\xef\xbb\xbfa\n")
def test_the_size_of_blocks_changes_nothing(data: bytes) -> None:
    whole = outcome(data, 1 << 20)
    for block_bytes in (1, 4, 11):
        assert outcome(data, block_bytes) == whole


@given(anything())
def test_what_is_read_is_what_pythons_csv_reads(data: bytes) -> None:
    found = outcome(data, 64)
    if isinstance(found, tuple) or found.encoding != "utf-8":
        return
    if any(anomaly.kind == "unclosed_quote" for anomaly in found.anomalies):
        return  # Python's csv swallows lines there
    expected = by_python(data.decode("utf-8-sig"))[1:]
    width = len(found.header)
    assert found.rows == [row for row in expected if len(row) == width]
    held = [anomaly.cells for anomaly in found.anomalies if anomaly.kind in HELD]
    assert held == [len(row) for row in expected if len(row) != width]


@given(anything())
def test_no_line_is_lost(data: bytes) -> None:
    """Every line starts a row, is an anomaly, or goes on from the row before it."""
    found = outcome(data, 64)
    if isinstance(found, tuple):
        return
    seen = {*found.lines, *(anomaly.line for anomaly in found.anomalies)}
    broken = {a.line for a in found.anomalies if a.kind == "line_break_in_cell"}
    last = 1
    for line in range(2, len(split_lines(data)) + 1):
        assert line in seen or last in broken
        last = line if line in seen else last


@given(anything())
def test_the_fast_reader_reads_what_pythons_csv_reads_or_nothing(data: bytes) -> None:
    if b"\0" in data:
        return
    width = 2
    table = read_strict(data, [str(place) for place in range(width)], LineEnds.of(data))
    if table is not None:
        records = csv.reader(io.StringIO(data.decode(), newline=""))
        assert cells_of(table.to_pandas()) == [[cell or None for cell in row] for row in records]


def test_both_readers_give_equal_frames_and_equal_row_hashes() -> None:
    rows = ['NA,"x, y",,"",Ñandú,李', '007,"say ""hi""",null,a,,"b"', ',"",,,,'] * 50
    data = ("\r\n".join(rows) + "\r\n").encode()
    names = [f"c{place}" for place in range(6)]
    table = read_strict(data, names, LineEnds.of(data))
    assert table is not None
    patient = read_patiently(data, 1, 6, final=True)
    fast = frame_of({name: table.column(name).to_pylist() for name in names})
    slow = frame_of(
        {name: [row[place] or None for row in patient.rows] for place, name in enumerate(names)}
    )
    pd.testing.assert_frame_equal(fast, slow)
    assert np.array_equal(row_hashes(fast, names), row_hashes(slow, names))


# -- many blocks, large blocks ------------------------------------------------------------------


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_file_of_many_megabytes_is_read_exactly(end: str) -> None:
    count = 120_000
    lines = [f'{n},"O""Neil, {n % 7}",née-{n},{"x" * (n % 90)}' for n in range(count)]
    data = ("a,b,c,d" + end + end.join(lines) + end).encode()
    frames = [block.frame for block in CsvBlocks(io.BytesIO(data), block_bytes=5 << 20)]
    whole = pd.concat(frames, ignore_index=True)
    assert len(frames) > 1
    assert whole["a"].tolist() == [str(n) for n in range(count)]
    assert whole["b"].tolist() == [f'O"Neil, {n % 7}' for n in range(count)]
    assert whole["d"].fillna("").str.len().tolist() == [n % 90 for n in range(count)]


def test_one_odd_line_among_many_is_found_at_its_line() -> None:
    lines = [f"{n},b,c" for n in range(200_000)]
    lines[150_000] = "x,y"
    lines[170_000] = 'D"Angelo,b,c'
    found = read(("\n".join(["a,b,c", *lines]) + "\n").encode())
    assert found.kinds() == [(150_002, "too_few_cells"), (170_002, "bare_quote")]
    assert len(found.rows) == len(lines) - 1
    assert found.lines[149_999:150_001] == [150_001, 150_003]


# -- rows that are wrong ------------------------------------------------------------------------


def test_rows_with_too_many_or_too_few_cells_are_kept_out_and_reported() -> None:
    found = read(b"a,b\n1,2\n1,2,3\n4\n5,6\n")
    assert found.rows == [["1", "2"], ["5", "6"]]
    assert found.kinds() == [(3, "too_many_cells"), (4, "too_few_cells")]
    assert [(a.cells, a.expected) for a in found.anomalies] == [(3, 2), (1, 2)]
    assert [a.values for a in found.anomalies] == [("1", "2", "3"), ("4",)]


def test_a_short_and_a_long_row_do_not_make_up_for_each_other() -> None:
    found = read(b"a,b,c\n1,2\n1,2,3,4\n")
    assert found.rows == []
    assert [kind for _, kind in found.kinds()] == ["too_few_cells", "too_many_cells"]


def test_a_blank_line_is_no_row() -> None:
    found = read(b"a,b\n\n1,2\n\n\n3,4\n\n")
    assert found.rows == [["1", "2"], ["3", "4"]]
    assert found.lines == [3, 6]
    assert found.kinds() == [(line, "blank_line") for line in (2, 4, 5, 7)]


def test_a_blank_line_and_an_empty_quoted_cell_differ_in_a_file_of_one_column() -> None:
    found = read(b'a\n""\n\nx\n')
    assert found.rows == [[None], ["x"]]
    assert found.kinds() == [(3, "blank_line")]


def test_a_line_break_in_a_cell_is_read_and_noted() -> None:
    found = read(b'a,b\n1,"x\r\ny"\n2,z\n')
    assert found.rows == [["1", "x\r\ny"], ["2", "z"]]
    assert found.lines == [2, 4]
    assert found.kinds() == [(2, "line_break_in_cell")]


def test_a_stray_quote_in_a_name_costs_nothing_but_a_note() -> None:
    found = read(b'a,b\n1,D"Angelo\n2,x\n')
    assert found.rows == [["1", 'D"Angelo'], ["2", "x"]]
    assert found.kinds() == [(2, "bare_quote")]


@pytest.mark.parametrize(
    ("after", "rows"),
    [
        (b"2,x\n3,y\n", [["2", "x"], ["3", "y"]]),
        (b'2,"x"\n3,y\n', [["2", "x"], ["3", "y"]]),
        (b'2,"x, y"\n3,"z"\n', [["2", "x, y"], ["3", "z"]]),
        (b'"2",x\n3,y\n', [["2", "x"], ["3", "y"]]),
        (b'2,""\n"3",y\n', [["2", None], ["3", "y"]]),
    ],
)
def test_an_unclosed_quote_takes_only_its_own_line(after: bytes, rows: Table) -> None:
    found = read(b'a,b\n1,"Smith\n' + after)
    assert found.rows == rows
    assert found.kinds() == [(2, "unclosed_quote")]


def test_a_quote_left_open_on_the_last_line_is_reported() -> None:
    found = read(b'a,b\n1,2\n3,"x')
    assert found.rows == [["1", "2"]]
    assert found.kinds() == [(3, "unclosed_quote")]


def test_a_quote_that_closes_lines_later_with_the_wrong_width_swallows_no_row() -> None:
    found = read(b'a,b\n1,"x\n2,y\n3,z",w\n4,v\n')
    assert found.rows == [["2", "y"], ["4", "v"]]
    assert found.kinds()[0] == (2, "unclosed_quote")


class Stream(io.RawIOBase):
    """A file made while it is read, and how much of it was asked for."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._piece = b""
        self.given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]  # only C calls it
        self._piece = self._piece or next(self._pieces, b"")
        size = min(len(buffer), len(self._piece))
        buffer[:size] = self._piece[:size]
        self._piece = self._piece[size:]
        self.given += size
        return size


def test_a_quote_that_is_never_closed_does_not_make_the_buffer_grow() -> None:
    def file() -> Iterator[bytes]:
        yield b"a,b\n"
        for n in range(40):
            yield b'1,"open\n' if n % 10 == 0 else b""
            yield b"2,x\n" * 50_000

    stream = Stream(file())
    blocks = CsvBlocks(io.BufferedReader(stream), block_bytes=64 << 10)
    held = read_bytes = rows = 0
    for block in blocks:
        read_bytes += len(block.raw)
        rows += len(block.frame)
        held = max(held, stream.given - read_bytes)
    assert rows == 40 * 50_000
    assert held < 2 * RECORD_LIMIT


def test_a_file_without_line_ends_is_refused_before_it_is_all_in_memory() -> None:
    stream = Stream(iter([b"a,b\n", *[b"x" * (1 << 20)] * 200]))
    with pytest.raises(CsvError, match="does not end") as caught:
        list(CsvBlocks(io.BufferedReader(stream), block_bytes=1 << 20))
    assert caught.value.code == "line_too_long"
    assert caught.value.line == 2
    assert stream.given < 48 << 20


# -- line ends ----------------------------------------------------------------------------------


def refusal_of(data: bytes, block_bytes: int = 1 << 20) -> CsvError:
    with pytest.raises(CsvError) as caught:
        list(CsvBlocks(io.BytesIO(data), block_bytes=block_bytes))
    return caught.value


@pytest.mark.parametrize("block_bytes", [1 << 20, 64 << 20])
def test_a_last_line_without_an_end_is_refused_with_its_line(block_bytes: int) -> None:
    refused = refusal_of(b"a,b\n1,2\n" + b"x" * (17 << 20), block_bytes)
    assert (refused.code, refused.line) == ("line_too_long", 3)


def test_a_header_of_far_too_many_columns_is_refused() -> None:
    refused = refusal_of(b",".join(b"c%d" % n for n in range(4097)) + b"\n")
    assert (refused.code, refused.line) == ("not_a_table", 1)


@pytest.mark.parametrize("odd", [b"\n", b"1\n", b'1,"2\n', b"1,2,3\n"])
def test_a_file_of_nothing_but_broken_lines_is_given_up(
    odd: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_patient, "ODD_LIMIT", 1000)
    refused = refusal_of(b"a,b\n" + odd * 200_000)
    assert refused.code == "not_a_table"
    assert refused.line is not None
    assert refused.line >= 1000


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_will_do(end: str) -> None:
    found = read(end.join(["a,b", "1,2", "3,4", ""]).encode())
    assert found.rows == [["1", "2"], ["3", "4"]]
    assert found.lines == [2, 3]
    assert found.line_endings == {end}


def test_a_file_with_carriage_returns_alone_is_noted_once() -> None:
    assert read(b"a\r1\r2\r3\r").kinds() == [(1, "bare_carriage_return")]


def test_a_carriage_return_inside_a_line_ends_it_and_is_noted() -> None:
    found = read(b"a,b\n1,2\r3,4\n5,6\n")
    assert found.rows == [["1", "2"], ["3", "4"], ["5", "6"]]
    assert found.lines == [2, 3, 4]
    assert found.kinds() == [(2, "bare_carriage_return")]
    assert found.line_endings == {"\n", "\r"}


# -- header -------------------------------------------------------------------------------------


def test_a_header_may_be_quoted_and_follow_a_mark_and_blank_lines() -> None:
    blocks = CsvBlocks(io.BytesIO(b'\xef\xbb\xbf\r\n"a, b","c"\r\n1,2\r\n'))
    assert blocks.header == ("a, b", "c")
    assert blocks.bom
    assert [block.lines.tolist() for block in blocks] == [[3]]


def test_a_header_alone_has_no_blocks() -> None:
    blocks = CsvBlocks(io.BytesIO(b"a,b"))
    assert blocks.header == ("a", "b")
    assert list(blocks) == []


def test_columns_without_a_name_are_named_by_their_place() -> None:
    assert CsvBlocks(io.BytesIO(b"a,,b,\n")).header == ("a", "column 2", "b", "column 4")


def test_a_mark_inside_the_file_is_text() -> None:
    assert read("a,b\n\ufeff1,2\n".encode(), 1).rows == [["\ufeff1", "2"]]


REFUSED: list[tuple[bytes, str, int | None]] = [
    (b"", "no_header", None),
    (b"\xef\xbb\xbf", "no_header", None),
    (b"\r\n\r\n", "no_header", None),
    (b"a,b,a\n1,2,3\n", "duplicate_header", 1),
    ("a,b\n1,2\n".encode("utf-16"), "unreadable_encoding", 1),
    ("a,b\n1,2\n".encode("utf-16-le"), "unreadable_encoding", 1),
    ("a,b\n1,2\n".encode("utf-32"), "unreadable_encoding", 1),
    (b"a,b\n1,2\n3,\0\n", "unreadable_encoding", 3),
    (b"a,b\n1,2\n\x81,2\n", "unreadable_encoding", 3),
    (b'a,b\n"x\ny",2\nz,\x81\n', "unreadable_encoding", 4),
]


@pytest.mark.parametrize(("data", "code", "line"), REFUSED)
@pytest.mark.parametrize("block_bytes", [1, 1 << 20])
def test_what_cannot_be_read_is_refused_with_its_line(
    data: bytes, code: str, line: int | None, block_bytes: int
) -> None:
    with pytest.raises(CsvError) as caught:
        read(data, block_bytes)
    assert (caught.value.code, caught.value.line) == (code, line)


def test_no_cell_shows_in_an_error() -> None:
    for data in (b"secret,secret\n", b"a\nsecret\0\n", b"a\nsecret\x81\n"):
        with pytest.raises(CsvError) as caught:
            read(data)
        assert "secret" not in str(caught.value)


# -- encoding -----------------------------------------------------------------------------------


def test_a_line_that_is_not_utf8_is_read_as_cp1252_and_spoils_no_other() -> None:
    found = read(b"a\nJos\xc3\xa9\nJos\xe9\n\x80 5\n")
    assert found.rows == [["José"], ["José"], ["€ 5"]]
    assert (found.encoding, found.first_cp1252_line) == ("cp1252", 3)


def test_a_large_cp1252_file_is_read_exactly() -> None:
    names = [f"Müller-{n}" for n in range(60_000)]
    data = ("name,n\n" + "".join(f"{name},{n}\n" for n, name in enumerate(names))).encode("cp1252")
    found = read(data)
    assert [row[0] for row in found.rows] == names
    assert found.first_cp1252_line == 2


def test_the_encoding_is_known_when_the_first_line_that_shows_it_was_read() -> None:
    blocks = CsvBlocks(io.BytesIO(b"a\nx\n\xe9\n"), block_bytes=1)
    assert [blocks.encoding for _ in blocks] == ["utf-8", "cp1252"]


@given(anything(), st.data())
@example(b"a,b\n1,\xe9\n", None)
@example(b"a,b\n1,\x81\n", None)
def test_some_columns_are_read_as_all_are(data: bytes, draws: st.DataObject | None) -> None:
    whole = outcome(data, 64)
    if isinstance(whole, tuple):
        assert outcome(data, 64, [0]) == whole
        return
    places = st.lists(st.integers(0, len(whole.header) - 1), min_size=1, unique=True)
    only = draws.draw(places) if draws else [0]
    rows = [[row[place] for place in only] for row in whole.rows]
    assert outcome(data, 64, only) == replace(whole, rows=rows)
