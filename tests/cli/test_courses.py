"""`roster courses`: what waits, what is suggested, and a person's word."""

import csv
import io
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from roster_pipeline.cli import main
from roster_pipeline.store import IGNORE
from roster_pipeline.store.ledger import Ledger
from tests.cli.conftest import Ended, Roster
from tests.small import district, packed

PRODUCT = """\
id: maths-path
name: Maths Path
courses:
  catalogue: maths.csv
"""
CATALOGUE = "id,title\nalgebra-1,Algebra 1\ngeometry,Geometry\n"

Courses = Callable[..., Ended]


@pytest.fixture(scope="session")
def synced_workspace(tmp_path_factory: pytest.TempPathFactory, new_workspace: Path) -> Path:
    """A workspace where springfield has an accepted roster and a product has a catalogue."""
    folder = tmp_path_factory.mktemp("synced") / "workspace"
    shutil.copytree(new_workspace, folder)
    files = district()
    files["courses"][0] |= {"title": "Alg. I", "courseCode": "MA1"}
    (folder / "drops" / "roster.zip").write_bytes(packed(files))
    write_product(folder)
    assert main(["sync", "springfield", "-w", str(folder)]) == 3
    with Ledger.open(f"sqlite:///{folder}/ledger.sqlite") as ledger:
        (hold,) = ledger.holds()
    assert main(["approve", hold.name, "--why", "ok", "-w", str(folder)]) == 0
    return folder


@pytest.fixture
def synced(tmp_path: Path, synced_workspace: Path) -> Path:
    """A copy of that workspace."""
    return shutil.copytree(synced_workspace, tmp_path / "synced")


@pytest.fixture
def courses(roster: Roster, synced: Path) -> Courses:
    """`roster courses …` there."""

    def run(*words: str | Path) -> Ended:
        return roster("courses", *words, "-w", synced)

    return run


def write_product(folder: Path) -> None:
    (folder / "products").mkdir(exist_ok=True)
    (folder / "products" / "maths-path.yaml").write_text(PRODUCT)
    (folder / "maths.csv").write_text(CATALOGUE)


def decided(workspace: Path) -> dict[str, str]:
    """The decisions that hold."""
    with Ledger.open(f"sqlite:///{workspace}/ledger.sqlite") as ledger:
        return {made.course: made.decision for made in ledger.course_decisions("maths-path")}


@pytest.mark.soak
def test_what_waits_is_listed_suggested_decided_and_gone(courses: Courses, synced: Path) -> None:
    listed = courses("unmapped", "springfield", "--format", "json").document()
    assert listed["courses"][0] == {
        "product": "maths-path",
        "source": "springfield",
        "course": "co1",
        "course_code": "MA1",
        "title": "Alg. I",
        "classes": 1,
        "reason": "no decision, code or rule says what it is",
    }
    assert "algebra-1 (100)" in courses("unmapped").out

    suggested = courses("suggest", "--format", "json").document()["courses"]
    assert suggested[0]["suggestions"] == [
        {
            "course": "algebra-1",
            "title": "Algebra 1",
            "score": 100,
            "reason": "the titles say the same",
        }
    ]
    assert suggested[1]["suggestions"] == []
    text = courses("suggest").out
    assert "Nothing in the catalogue is like 1 of the 2 that wait." in text
    assert (
        f"roster -w {synced} courses decide springfield co1 --product maths-path --as algebra-1"
    ) in text

    ended = courses("decide", "springfield", "MA1", "--as", "algebra-1", "--why", "same book")
    assert ended.code == 0, ended.err
    assert ended.out == ("springfield, co1: algebra-1 for maths-path from the next sync on.\n")
    assert courses("decide", "springfield", "co2", "--ignore", "--why", "no maths").code == 0
    assert decided(synced) == {"co1": "algebra-1", "co2": IGNORE}
    assert courses("unmapped").out == "No course waits for a decision.\n"
    assert courses("suggest").out == "No course waits for a decision.\n"


def test_a_decision_may_be_withdrawn_and_is_told_as_json(courses: Courses, synced: Path) -> None:
    words = ("decide", "springfield", "co1", "--why", "a test", "--who", "ada")
    courses(*words, "--ignore")
    told = courses(*words, "--withdraw", "--format", "json").document()
    assert told | {"at": ""} == {
        "schema": "roster.course_decision/1",
        "product": "maths-path",
        "source": "springfield",
        "course": "co1",
        "decision": "withdrawn",
        "who": "ada",
        "why": "a test",
        "at": "",
    }
    assert decided(synced) == {}


def test_the_same_decision_again_says_so(courses: Courses) -> None:
    words = ("decide", "springfield", "co1", "--as", "geometry", "--why", "same book")
    courses(*words)
    assert courses(*words).out.endswith("That was decided already.\n")


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("springfield", "co1", "--as", "calculus"), 1, "maths.csv has no course of this id"),
        (("springfield", "co9", "--ignore"), 1, "springfield has no course of this sourcedId"),
        (("shelbyville", "co1", "--ignore"), 2, "no source is called 'shelbyville'"),
        (("springfield", "co1"), 2, "Say one of --as, --ignore and --withdraw."),
        (("springfield", "co1", "--ignore", "--as", "geometry"), 2, "Say one of"),
        (("springfield", "co1", "--as", "ignore"), 1, "For this say --ignore."),
        (("springfield", "co1", "--ignore", "--product", "x"), 2, "no product is called 'x'"),
        (("springfield", "co1", "--ignore", "--why", " "), 1, "no reason is given"),
    ],
)
def test_a_decision_on_what_is_not_there_is_refused(
    courses: Courses, synced: Path, words: tuple[str, ...], code: int, sentence: str
) -> None:
    ended = courses("decide", *words, *(() if "--why" in words else ("--why", "x")))
    assert (ended.code, ended.out) == (code, "")
    assert sentence in ended.err
    assert decided(synced) == {}


def test_a_sheet_goes_out_is_filled_in_and_comes_back(
    courses: Courses, synced: Path, tmp_path: Path
) -> None:
    sheet = tmp_path / "sheet.csv"
    assert courses("export", "--unmapped", "--out", sheet).err.endswith(
        "2 rows, 0 of them decided.\n"
    )
    rows = list(csv.DictReader(sheet.open(newline="")))
    rows[0] |= {"decision": rows[0]["suggested"], "why": "likely"}
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    sheet.write_text(text.getvalue())

    assert courses("import", sheet).out == (
        "1 decisions, 1 of them new, hold from the next sync on.\n"
    )
    assert decided(synced) == {"co1": "algebra-1"}
    told = courses("import", sheet, "--format", "json").document()
    assert told == {"schema": "roster.courses.import/1", "decisions": 1, "new": 0}

    (row,) = csv.DictReader(io.StringIO(courses("export").out))
    assert (row["course"], row["title"], row["decision"]) == ("co1", "Alg. I", "algebra-1")


def test_a_sheet_with_a_wrong_row_changes_nothing(
    courses: Courses, synced: Path, tmp_path: Path
) -> None:
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(
        "product,source,course,decision,why\n"
        "maths-path,springfield,co1,geometry,x\n"
        "reading,springfield,co1,geometry,x\n"
        "maths-path,springfield,co9,geometry,x\n"
    )
    ended = courses("import", sheet)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines() == [
        "roster: sheet.csv, line 3, column product: no such product maps courses; there are: "
        "maths-path. [decisions.unknown_product]",
        "sheet.csv, line 4, column course: springfield has no course of this sourcedId in its "
        "accepted roster. [decisions.unknown_course]",
        "Nothing was taken.",
    ]
    assert decided(synced) == {}

    sheet.write_text("source,course,decision\nspringfield,co9,geometry\n")
    assert courses("import", sheet, "--ahead", "--why", "next year's").code == 0
    assert decided(synced) == {"co9": "geometry"}


def test_a_catalogue_that_cannot_be_used_is_told_with_its_line(
    courses: Courses, synced: Path
) -> None:
    (synced / "maths.csv").write_text(CATALOGUE + "geometry,Again\n")
    for words in (
        ("unmapped",),
        ("suggest",),
        ("export", "--unmapped"),
        ("decide", "springfield", "co1", "--ignore", "--why", "x"),
    ):
        ended = courses(*words)
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.startswith("roster: maths.csv:4: `id`: a line above has the same id.")


def test_which_product_is_meant_must_be_said_where_there_are_several(
    courses: Courses, synced: Path
) -> None:
    other = PRODUCT.replace("maths-path", "other")
    (synced / "products" / "other.yaml").write_text(other)
    words = ("decide", "springfield", "co1", "--ignore", "--why", "x")
    ended = courses(*words)
    assert (ended.code, ended.err) == (2, "roster: Say --product; there are: maths-path, other.\n")
    assert courses(*words, "--product", "other").code == 0
    listed = courses("unmapped", "--format", "json").document()["courses"]
    assert {(row["product"], row["course"]) for row in listed} == {
        ("maths-path", "co1"),
        ("maths-path", "co2"),
        ("other", "co2"),
    }


def test_without_a_product_or_a_roster_one_is_told_so(roster: Roster, workspace: Path) -> None:
    ended = roster("courses", "unmapped", "-w", workspace)
    assert (ended.code, ended.out) == (2, "")
    assert "No product has `courses:`" in ended.err

    write_product(workspace)
    ended = roster("courses", "unmapped", "-w", workspace)
    assert ended.out == "No course waits for a decision.\n"
    assert "springfield has no accepted roster yet" in ended.err
    words = ("decide", "springfield", "co1", "--ignore", "--why", "x")
    assert roster("courses", *words, "-w", workspace).code == 1
