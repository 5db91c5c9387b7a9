"""Catalogues as people write them, and what is said of those that cannot be used."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roster_pipeline.courses.catalogue import Catalogue, read_catalogue
from roster_pipeline.courses.files import FileError
from tests.courses.scene import settings

GOOD = 'id,title,course_codes,subject_codes,grades\nalg-1,Algebra 1,MA1;MA2,02052,"08,09"\n'


def read(tmp_path: Path, content: str | bytes, **said: object) -> Catalogue:
    path = tmp_path / "any.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_catalogue(path, settings(**said))


def refused(tmp_path: Path, content: str | bytes, **said: object) -> list[str]:
    with pytest.raises(FileError) as error:
        read(tmp_path, content, **said)
    return str(error.value).splitlines()


def test_a_catalogue_is_read_with_its_codes(tmp_path: Path) -> None:
    catalogue = read(tmp_path, GOOD)
    assert catalogue.titles == {"alg-1": "Algebra 1"}
    assert catalogue.codes["course_codes"] == {"ma1": ("alg-1",), "ma2": ("alg-1",)}
    assert catalogue.codes["subject_codes"] == {"02052": ("alg-1",)}
    assert "alg-1" in catalogue
    assert not catalogue.findings


def test_columns_may_be_called_otherwise_and_more_may_be_there(tmp_path: Path) -> None:
    text = "﻿Price,Name, SKU ,SIS code\r\n9.99, Algebra 1 ,0017,MA1\r\n\r\n"
    columns = {"id": "sku", "title": "Name", "course_codes": "SIS Code"}
    catalogue = read(tmp_path, text, columns=columns)
    assert catalogue.titles == {"0017": "Algebra 1"}
    assert catalogue.codes["course_codes"] == {"ma1": ("0017",)}


@pytest.mark.parametrize(
    ("content", "sentences"),
    [
        (
            GOOD + "alg-1,Again,,,\ngeo,Geometry,,,\nalg-1,And again,,,\n",
            [
                "maths.csv, line 3, column id: a line above has the same id.",
                "maths.csv, line 5, column id: a line above has the same id.",
            ],
        ),
        (
            'id,title\nignore,Lunch\n,Algebra\n"a,b",C\nart,\n',
            [
                "maths.csv, line 2, column id: the words ignore and withdrawn stand for decisions.",
                "maths.csv, line 3, column id: the cell is empty.",
                "maths.csv, line 4, column id: an id has at most 255 characters, and no comma,",
                "maths.csv, line 5, column title: the cell is empty.",
            ],
        ),
        (
            "id,name\na,b\n",
            ["maths.csv, line 1: there is no column `title`; there are: `id`, `name`."],
        ),
        ("id;title\na;b\n", ["maths.csv, line 1: there is no column `id` and no column `title`"]),
        ("id,title,id\na,b,c\n", ["maths.csv, line 1: columns 1 and 3 have the same name."]),
        ("id,title\na,b,c\n", ["maths.csv, line 2: the line has more cells than the header."]),
        ("id,title\na\n", ["maths.csv, line 2: the line has fewer cells than the header."]),
        ('id,title\na,"b\n', ["maths.csv, line 2: a quote is opened and not closed."]),
        ("id,title\n", ["maths.csv: there is a header and no course."]),
        ("", ["maths.csv: the file is empty: there is no row of column names."]),
        (
            "id,title\na,b\n".encode("utf-16"),
            ["maths.csv, line 1: the file is UTF-16 text. Export it again as UTF-8."],
        ),
        (b"PK\x03\x04\x00\x00", ["maths.csv, line 1: "]),
    ],
)
def test_what_cannot_be_used_is_refused_whole_with_file_and_line(
    tmp_path: Path, content: str | bytes, sentences: list[str]
) -> None:
    found = refused(tmp_path, content)
    assert len(found) == len(sentences)
    for line, sentence in zip(found, sentences, strict=True):
        assert line.startswith(sentence)


def test_the_advice_fits_the_fault(tmp_path: Path) -> None:
    (semicolons,) = refused(tmp_path, "id;title\na;b\n")
    assert semicolons.endswith("Separate the columns by commas.")
    (named,) = refused(tmp_path, "id,title\na,b\n", columns={"grades": "level"})
    assert "there is no column `level`" in named
    assert named.endswith("or say under `courses.columns` how they are called.")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"maths\.csv: .* cannot be read: No such file"):
        read_catalogue(tmp_path / "none.csv", settings())


def test_windows_text_is_read_and_told(tmp_path: Path) -> None:
    catalogue = read(tmp_path, "id,title\na,b\nfr-1,Français 1\n".encode("cp1252"))
    assert catalogue.titles["fr-1"] == "Français 1"
    (finding,) = catalogue.findings
    assert str(finding).startswith("maths.csv, line 3: this line is not UTF-8 text")


def test_a_code_of_two_courses_means_both(tmp_path: Path) -> None:
    catalogue = read(tmp_path, GOOD + "alg-h,Algebra 1 Honors,,02052,\n")
    assert catalogue.codes["subject_codes"] == {"02052": ("alg-1", "alg-h")}


@given(st.binary(max_size=200))
def test_whatever_the_file_holds_it_is_read_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.csv"
    for head in (b"", b"id,title\n"):
        path.write_bytes(head + content)
        found = attempt(path)
        if isinstance(found, str):
            assert "maths.csv" in found
        else:
            assert len(found.titles) == len(found.courses) > 0


def attempt(path: Path) -> Catalogue | str:
    try:
        return read_catalogue(path, settings())
    except FileError as error:
        return str(error)
