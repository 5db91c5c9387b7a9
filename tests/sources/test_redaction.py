import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from roster_pipeline.oneroster.entities import columns, names
from roster_pipeline.oneroster.header import match_header
from roster_pipeline.sources import vendors
from roster_pipeline.sources.redaction import is_secret, redacted, secret_columns
from roster_pipeline.tables.csv_blocks import CsvBlocks
from roster_pipeline.tables.csv_patient import HELD
from tests.examples import examples

NO_ROW = {*HELD, "blank_line"}
SECRETS = vendors.load("generic-csv").secrets


def blanked(text: bytes, block_bytes: int = 1 << 20) -> bytes:
    blocks = CsvBlocks(io.BytesIO(text), block_bytes=block_bytes)
    columns = secret_columns(blocks.header, SECRETS)
    return b"".join(part.data for part in redacted(blocks, columns))


@pytest.mark.parametrize(
    "name",
    ["password", "Password", "PASS WORD", "pass_word", "passwd", "pwd", "userPwd", "pass phrase",
     "pasword", "passwrod", "passwordd", "metadata.password", "metadata.studentPasword",
     "metadata.initial_password", "ｐａｓｓｗｏｒｄ", "Passwort", "pw", "passwordHash"],
)  # fmt: skip
def test_a_column_that_is_called_something_like_password_is_secret(name: str) -> None:
    assert is_secret(name, SECRETS)


@pytest.mark.parametrize(
    "name",
    ["sourcedId", "username", "metadata.passport", "metadata.busPass", "metadata.passed",
         "metadata.compass",
     "pronouns", "metadata.word", "identifier", "", "metadata.", "metadata.pass through"],
)  # fmt: skip
def test_other_columns_are_left_alone(name: str) -> None:
    assert not is_secret(name, SECRETS)


@pytest.mark.parametrize("name", ["passwrd", "asswrd", "p00assword", "Pass_Word"])
def test_what_is_read_as_the_password_is_secret(name: str) -> None:
    written = [column for column in names("users") if column != "password"]
    assert "password" in match_header([*written, name], columns("users"), "users.csv").read_as
    assert is_secret(name, SECRETS)


def test_no_column_of_the_standard_is_secret_but_password() -> None:
    from roster_pipeline.oneroster.entities import ENTITIES, SECRET, names

    found = {name for entity in ENTITIES for name in names(entity) if is_secret(name, SECRETS)}
    assert found == set(SECRET)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"id,password,n\r\nu1,hunter2,Ann\r\n", b"id,password,n\r\nu1,,Ann\r\n"),
        (b'id,password,n\nu1,"hun,ter2","An,n"', b'id,password,n\nu1,,"An,n"'),
        (b'\xef\xbb\xbf"id","password"\r\n"u1","a""b"\r\n',
         b'\xef\xbb\xbf"id","password"\r\n"u1",\r\n'),
        (b"id,password,n\nu1,\xe9t\xe9,Ren\xe9\n", b"id,password,n\nu1,,Ren\xe9\n"),
        (b"id,password,n\ru1,x,y\ru2,,z\r", b"id,password,n\ru1,,y\ru2,,z\r"),
        (b"id,pwd,passwd\nu1,a,b\n", b"id,pwd,passwd\nu1,,\n"),
        (b"password\nhunter2\n", b'password\n""\n'),
        (b'id,password,n\nu1,hun"ter2,5" tall\n', b'id,password,n\nu1,,5" tall\n'),
        (b'id,n,password\nu1,"a\r\nb",hunter2\nu2,c,d\n', b'id,n,password\nu1,"a\r\nb",\nu2,c,\n'),
    ],
)  # fmt: skip
def test_only_the_bytes_of_the_secret_cell_go(before: bytes, after: bytes) -> None:
    assert blanked(before) == after


def test_a_line_break_in_a_secret_stays_so_that_line_numbers_do() -> None:
    text = b'id,password,n\r\nu1,"hun\r\nter2",Ann\r\nu2,x,Ben\r\n'

    assert blanked(text) == b'id,password,n\r\nu1,"\r\n",Ann\r\nu2,,Ben\r\n'


@pytest.mark.parametrize(
    ("row", "kept"),
    [
        # One too many: the fourth or the fifth may be the secret.
        (b"u1,Doe, Ann,hunter2,x,y", b"u1,Doe, Ann,,,y"),
        # Two too few: any from the second on.
        (b"u1,Doe,hunter2", b"u1,,"),
        # What follows a line break that stood in no quotes.
        (b"hunter2,x", b","),
        # A quote that nothing closes: all but the first, which says whose row it is.
        (b'u1,Ann,"Doe,hunter2,x', b'u1,xxx,"xxx,xxxxxxx,x'),
        (b'u1,Ann,D,"hunter2,x', b'u1,xxx,x,"xxxxxxx,x'),
        (b'"hunter2', b'"xxxxxxx'),
    ],
)
def test_of_a_row_that_is_kept_out_every_cell_that_could_be_the_secret_goes(
    row: bytes, kept: bytes
) -> None:
    head, whole = b"id,given,family,password,y\n", b"\nu2,a,b,c,d\n"

    assert blanked(head + row + whole) == head + kept + b"\nu2,a,b,,d\n"


def test_rows_without_a_secret_pass_through_untouched() -> None:
    text = b'id,password,n\r\nu1,,"Ann"\r\n\r\nu2,"",Ben\r\n'

    assert blanked(text) == text


def test_the_reader_finds_the_same_rows_and_oddities_after_an_unclosed_quote() -> None:
    # Blanking line 3 takes the quote away that had shown that line 2 never closes its own.
    text = b'id,n,password,x\nu1,"Doe,hunter2,y\nu2,a,"q"r,b\nu3,"",c,d\n'

    before, after = rows(text), rows(blanked(text))

    assert b"hunter2" not in blanked(text)
    assert [r[:2] for r in after[0]] == [r[:2] for r in before[0]]


def rows(text: bytes) -> tuple[list[tuple[int, str, tuple[str, ...]]], list[tuple[int, str, int]]]:
    """What a reader sees: rows (line, cells but the secrets), and what makes none."""
    seen: list[tuple[int, str, tuple[str, ...]]] = []
    odd: list[tuple[int, str, int]] = []
    blocks = CsvBlocks(io.BytesIO(text))
    secret = secret_columns(blocks.header, SECRETS)
    for block in blocks:
        kept = block.frame.drop(columns=[blocks.header[n] for n in secret])
        for line, cells in zip(block.lines.tolist(), kept.itertuples(index=False), strict=True):
            seen.append((line, str(cells[0]), tuple(map(str, cells))))
        odd += [(a.line, a.kind, a.cells) for a in block.anomalies if a.kind in NO_ROW]
    return seen, odd


CELLS = st.sampled_from(
    ["", "a", "Ann", "é", '""', '"b"', '"b,c"', '"b""c"', '"b\nc"', '5" tall', '"q"r', '"',
     "x y", '"",']
)  # fmt: skip
SECRET_CELLS = st.sampled_from(
    ["", "s3cr3t", '"s3cr3t"', '"s3cr3t,s3cr3t"', '"s3cr3t\r\ns3cr3t"', 's3"cr3t', '"s3cr3t"x',
     '"s3cr3t', "s3cr3t,s3cr3t"]
)  # fmt: skip
ROWS = st.lists(
    st.tuples(
        st.lists(CELLS, max_size=4), SECRET_CELLS, st.lists(CELLS, max_size=3),
        st.sampled_from(["\n", "\r\n", "\r"]),
    ),
    max_size=6,
)  # fmt: skip


@settings(deadline=None, max_examples=examples(20))
@example(text_rows=[(["u1", '"Doe'], "", ["x"], "\n"), (["u2", "a"], '"s3cr3t"x', ["b"], "\n")])
@given(text_rows=ROWS)
def test_whatever_the_file_looks_like_no_secret_survives_and_the_reader_sees_the_same(
    text_rows: list[tuple[list[str], str, list[str], str]],
) -> None:
    lines = [",".join([*before, secret, *after]) + end for before, secret, after, end in text_rows]
    text = ("id,n,password,x\n" + "".join(lines)).encode()

    now = blanked(text)

    well_placed = all(len(before) == 2 and len(after) == 1 for before, _, after, _ in text_rows)
    quotes_alone = any(c in ('"', '"",') for b, _, a, _ in text_rows for c in b + a)
    if well_placed and not quotes_alone:
        assert b"s3cr3t" not in now
    before_rows, before_odd = rows(text)
    after_rows, after_odd = rows(now)
    held = {line for line, kind, _ in before_odd if kind == "unclosed_quote"}
    assert after_rows == before_rows
    assert [o for o in after_odd if o[0] not in held] == [o for o in before_odd if o[0] not in held]
    assert {line for line, *_ in after_odd} == {line for line, *_ in before_odd}
    assert held or blanked(now) == now


@pytest.mark.parametrize("block_bytes", [1, 7, 64])
def test_the_size_of_blocks_does_not_show(block_bytes: int) -> None:
    text = (
        b'id,n,password,x\r\nu1,"a\r\nb",pw1,c\r\nu2,a\r\n'
        b'u3,"d,e",pw3,f\r\nu4,"g,pw4,h\r\nu5,i,pw5,j'
    )

    assert blanked(text, block_bytes) == blanked(text)
    assert b"pw" not in blanked(text).replace(b"password", b"")
