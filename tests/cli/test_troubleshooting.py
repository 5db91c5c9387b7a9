"""docs/troubleshooting.md quotes what the product says, and has a row for each error."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT = Path(__file__).parents[2]
CODE = ROOT / "roster_pipeline"
PAGE = ROOT / "docs" / "troubleshooting.md"
HEADER: Final = "| you see | because | do |"

# Where what goes wrong with a district's data on its way is put into words. What commands say of
# their own options, and what accounts and courses say, is told where it happens.
TELLING: Final = (
    "fields.py",
    "transport/**/*.py",
    "sources/**/*.py",
    "oneroster/scoping/*.py",
    "workspace/*.py",
    "store/*.py",
    "store/migrations/__init__.py",
    "resources/errors.py",
    "resources/handles.py",
    "resources/run_process.py",
    "resources/sync_run.py",
    "tables/zip_*.py",
    "tables/gunzip.py",
    "receivers/delivery.py",
)
# Steps of `roster source test` that went well; why all was asked for instead of changes; names of
# algorithms; the ledger's tables; what is sent (docs of destinations); how JSON is written.
NOT_TELLING: Final = (
    "sources/trial/",
    "sources/rest_delta.py",
    "transport/algorithms.py",
    "store/schema.py",
    "store/outbox.py",
    "transport/https_upload.py",
    "transport/outlet",
    "transport/s3",
    "sources/json_",
)
# What is told and is no error, and what nobody is told: faults of a program that calls.
NO_ERRORS: Final = (
    # Beside the error that has a row: more of it, or what to do.
    " before it is fetched. Both have to be called",
    "`roster source test` looks whether",
    "Nothing was taken; ask the server's owner.",
    "it had … bytes of",
    "says nothing of its end",
    "See with `roster source test` that",
    "name the columns in the first line",
    "export the column, or name it",
    "take it in a value, or list it",
    "send the file; if it is there",
    "leave it out of the drop, or name it",
    "throwing old snapshots away",
    "metrics for a monitoring system",
    "options of object stores",
    # Nothing is wrong.
    "is the newest drop",
    "are the newest drop",
    "not encrypted, as this is the machine itself",
    # Names, and what others say.
    "Diffie-Hellman over finite fields",
    "No key to decrypt",
    # Faults of the program itself.
    "There is no run to speak of",
    "… cannot name anything in the store",
    "the lease of … does not cover",
    "a snapshot of … is no roster of",
    "only a roster in a local folder can be put",
    "a member of this archive was not finished",
    "the archive is closed, or another member",
)


def _quotes() -> list[str]:
    """What a reader may have seen, by the page: all that is quoted in a first column."""
    rows = []
    for part in PAGE.read_text(encoding="utf-8").split(HEADER)[1:]:
        table = part.partition("\n\n")[0]
        rows += [line.split(" | ")[0] for line in table.splitlines()[2:]]
    return [quote.strip() for row in rows for _, quote in re.findall(r"(`+)(.+?)\1(?!`)", row)]


@cache
def _said() -> str:
    """All texts of the product's code, line by line; a value within one ends it."""
    return "\n".join(
        node.value
        for file in CODE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _pieces(quote: str) -> list[str]:
    return [piece for piece in re.split(r"\s*…\s*", quote) if piece]


def _sentences() -> Iterator[tuple[str, str]]:
    """Where an error is put into words, and the words, with … for each value within."""
    files = sorted({file for pattern in TELLING for file in CODE.glob(pattern)})
    for file in files:
        name = file.relative_to(CODE).as_posix()
        if not name.startswith(NOT_TELLING):
            for node in _texts(ast.parse(file.read_text())):
                words = _words(node)
                if len(re.findall(r"[A-Za-z]{2,}(?= |$)", words)) >= 4:
                    yield f"{name}:{node.lineno}", words


def _texts(node: ast.AST) -> Iterator[ast.expr]:
    """Outermost texts of code; no docstrings."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.JoinedStr | ast.Constant):
            yield child
        elif not (isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)):
            yield from _texts(child)


def _words(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(_words(value) for value in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else "…"


def _quotes_it(quote: str, words: str) -> bool:
    """Whether a quote's pieces stand in a text, in order."""
    place = 0
    for piece in _pieces(quote):
        place = words.find(piece, place)
        if place < 0:
            return False
        place += len(piece)
    return True


@pytest.mark.parametrize("quote", _quotes())
def test_every_error_of_the_page_is_one_that_is_told(quote: str) -> None:
    for piece in _pieces(quote):
        assert piece in _said(), "the product does not say this any more; see docs/"


def test_every_error_has_a_row() -> None:
    quotes = _quotes()
    missing = [
        f"{place}: {words}"
        for place, words in _sentences()
        if not words.startswith(NO_ERRORS) and not any(_quotes_it(quote, words) for quote in quotes)
    ]
    assert not missing, (
        "write a row for each in docs/troubleshooting.md, or name it in NO_ERRORS:\n"
        + "\n".join(missing)
    )
