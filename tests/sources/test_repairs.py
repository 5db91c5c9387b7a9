import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from roster_pipeline.oneroster.package import open_package
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.quality.candidate import Candidate, build_candidate
from roster_pipeline.sources import vendors
from roster_pipeline.sources.repairs import repaired, repaired_cells
from roster_pipeline.sources.repairs_config import Mending, over
from tests.oneroster.strategies import frame_of
from tests.records import pulled, records_of
from tests.small import Row, district, packed
from tests.sources.conftest import rest_source, source

Cells = dict[str, dict[str, int]]
Judge = Callable[..., tuple[Candidate, Cells]]


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """Judges a package that is mended as some keys of a source's file say."""
    numbers = iter(range(100))

    def _judge(
        files: dict[str, list[Row]] | bytes,
        keys: dict[str, Any],
        base: Roster | None = None,
        **pack: Any,
    ) -> tuple[Candidate, Cells]:
        given = files if isinstance(files, bytes) else packed(files, **pack)
        with open_package(io.BytesIO(given)) as package:
            mended = repaired(package, Mending.model_validate(keys))
            made = build_candidate(mended, base, tmp_path / str(next(numbers)), block_bytes=300)
            return made, repaired_cells(mended)

    return _judge


def column(made: Candidate, name: str) -> dict[str, str | None]:
    """The cells of `entity.column` by sourcedId."""
    entity, _, wanted = name.partition(".")
    assert made.roster is not None
    frame = made.roster.frame(entity).astype(object)
    frame = frame.where(frame.notna(), None)
    return dict(zip(frame["sourcedId"], frame[wanted], strict=True))


def problems(made: Candidate) -> dict[str, int]:
    return made.findings.counts()


def test_where_nothing_is_said_the_package_is_left_alone() -> None:
    with open_package(io.BytesIO(packed(district()))) as package:
        assert repaired(package, source().mending) is package
        assert repaired_cells(package) == {}


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_districts_words_become_the_standards_whatever_their_case_and_blanks(
    judge: Judge, version: str
) -> None:
    files = district(version)
    files["orgs"][1]["type"] = " CAMPUS"
    for row, said in zip(files["users"], ("Gr 9", "gr 9,Kinder", "10", "", "none"), strict=True):
        row["grades"] = said
    keys = {
        "lookups": {
            "orgs.type": {"Campus": "school"},
            "users.grades": {"Gr 9": "09", "kinder": "KG", "None": "", "never met": "11"},
        }
    }
    made, cells = judge(files, keys, version=version)

    assert column(made, "orgs.type") == {"d1": "district", "s1": "school"}
    grades = {"u1": "09", "u2": "09,KG", "u3": "10", "u4": None, "u5": None}
    assert column(made, "users.grades") == grades
    assert cells == {"orgs.type": {"lookups": 1}, "users.grades": {"lookups": 3}}


def test_a_word_that_is_not_looked_up_stays_and_is_judged(judge: Judge) -> None:
    files = district()
    files["orgs"][1]["type"] = "Campus"
    files["academicSessions"][1]["type"] = "Trimester"
    keys = {"lookups": {"orgs.type": {"Campus": "school"}}}
    made, cells = judge(files, keys)

    assert problems(made)["cell.vocabulary"] == 1
    assert cells == {"orgs.type": {"lookups": 1}}


def test_role_words_of_both_versions_may_stand_in_one_file(judge: Judge) -> None:
    keys = {"lookups": {"users.role": {"Lehrer": "teacher"}, "roles.role": {"Lehrer": "teacher"}}}
    old, new = district("1.1"), district()
    old["users"][3]["role"] = new["roles"][3]["role"] = "Lehrer"

    for version, files in (("1.1", old), ("1.2", new)):
        made, _ = judge(files, keys, version=version)
        assert problems(made) == {}
        assert "teacher" in column(made, "roles.role").values()


def test_dates_are_brought_to_the_standards_form_and_moments_are_left_alone(judge: Judge) -> None:
    files = district()
    files["academicSessions"][0] |= {"startDate": "8/20/2026", "endDate": "06/12/2027"}
    files["academicSessions"][1] |= {"startDate": "20260820"}
    made, cells = judge(files, {"repairs": {"dates": ["M/D/YYYY", "YYYYMMDD"]}})

    assert problems(made) == {}
    assert column(made, "academicSessions.startDate") == {"y1": "2026-08-20", "t1": "2026-08-20"}
    assert column(made, "academicSessions.endDate") == {"y1": "2027-06-12", "t1": "2027-01-15"}
    assert cells == {
        "academicSessions.startDate": {"dates": 2},
        "academicSessions.endDate": {"dates": 1},
    }


def test_a_date_in_no_form_that_is_named_is_judged_as_ever(judge: Judge) -> None:
    files = district()
    files["academicSessions"][1]["endDate"] = "13/1/2027"
    made, cells = judge(files, {"repairs": {"dates": ["M/D/YYYY"]}})

    assert problems(made)["excel.date"] == 1
    assert cells == {}


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_the_end_is_the_day_after_a_last_day_wherever_the_standard_excludes_it(
    judge: Judge, version: str
) -> None:
    files = district(version)
    files["enrollments"][0] |= {"beginDate": "2026-08-20", "endDate": "12/31/2026"}
    files["enrollments"][1]["endDate"] = "9999-12-31"
    if version == "1.2":
        files["roles"][0]["endDate"] = "2027-02-28"
    files["demographics"] = [{"sourcedId": "u1", "birthDate": "1/31/2012"}]
    keys = {"end_dates": "inclusive", "repairs": {"dates": ["M/D/YYYY"]}}
    made, cells = judge(files, keys, version=version)

    assert column(made, "academicSessions.endDate") == {"y1": "2027-06-13", "t1": "2027-01-16"}
    ends = column(made, "enrollments.endDate")
    assert (ends["e1"], ends["e2"], ends["e3"]) == ("2027-01-01", "9999-12-31", None)
    assert column(made, "enrollments.beginDate")["e1"] == "2026-08-20"
    assert column(made, "demographics.birthDate") == {"u1": "2012-01-31"}
    assert cells["enrollments.endDate"] == {"dates": 1, "end_dates": 1}
    if version == "1.2":
        assert column(made, "roles.endDate")["r-u1"] == "2027-03-01"


def test_blanks_in_ids_become_underscores_on_both_sides_of_a_reference(judge: Judge) -> None:
    files = district("1.1")
    files["orgs"][1]["sourcedId"] = "ever green"
    for row in (*files["classes"], *files["enrollments"]):
        row["schoolSourcedId"] = "ever green"
    for row in files["users"]:
        row["orgSourcedIds"] = "d1,ever green"
    made, cells = judge(files, {"repairs": {"blanks_in_ids": "underscore"}}, version="1.1")

    assert problems(made) == {}
    assert set(column(made, "classes.schoolSourcedId").values()) == {"ever_green"}
    assert cells["users.orgSourcedIds"] == {"blanks_in_ids": 5}
    assert column(made, "orgs.name")["ever_green"] == "Evergreen"


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_zeros_lost_in_front_of_ids_come_back_wherever_the_ids_are_referred_to(
    judge: Judge, version: str
) -> None:
    files = district(version)
    files["orgs"][1]["sourcedId"] = "12"
    for rows in files.values():
        for row in rows:
            for name in ("schoolSourcedId", "orgSourcedIds", "orgSourcedId"):
                if row.get(name) == "s1":
                    row[name] = "0012" if name == "schoolSourcedId" else "12"
    for number, row in enumerate(files["users"]):
        row["identifier"] = f"7{number}"
    keys = {"repairs": {"pad": {"orgs.sourcedId": 4, "users.identifier": 3}}}
    made, cells = judge(files, keys, version=version)

    assert problems(made) == {}
    assert set(column(made, "orgs.name")) == {"d1", "0012"}
    assert column(made, "users.identifier")["u5"] == "074"
    assert cells["orgs.sourcedId"] == {"pad": 1}
    assert "classes.schoolSourcedId" not in cells


def test_the_steps_follow_one_another_in_their_stated_order(judge: Judge) -> None:
    files = district()
    files["orgs"][0]["identifier"] = "main office"
    files["academicSessions"][1]["endDate"] = "open"
    keys = {
        "lookups": {
            "orgs.identifier": {"Main Office": "7"},
            "academicSessions.endDate": {"open": "2027-06-11"},
        },
        "repairs": {"pad": {"orgs.identifier": 3}},
        "end_dates": "inclusive",
    }
    made, _ = judge(files, keys)

    assert column(made, "orgs.identifier")["d1"] == "007"
    assert column(made, "academicSessions.endDate")["t1"] == "2027-06-12"


def test_metadata_is_looked_up_and_padded_where_it_is_named(judge: Judge) -> None:
    files = district()
    files["users"][0] |= {"metadata.bus": "7", "metadata.house": "rot", "metadata.other": "rot"}
    keys = {
        "lookups": {"users.metadata.house": {"Rot": "red"}},
        "repairs": {"pad": {"users.metadata.bus": 2}},
    }
    made, cells = judge(files, keys)

    assert column(made, "users.metadata.bus")["u1"] == "07"
    assert column(made, "users.metadata.house")["u1"] == "red"
    assert column(made, "users.metadata.other")["u1"] == "rot"
    assert set(cells) == {"users.metadata.bus", "users.metadata.house"}


def test_a_delta_is_mended_as_a_bulk_file_is(judge: Judge) -> None:
    base, _ = judge(district(), {})
    stamped = {"status": "active", "dateLastModified": "2026-09-01T00:00:00.000Z"}
    change = {**district()["enrollments"][0], **stamped, "endDate": "12/31/2026"}
    gone = {**district()["enrollments"][1], **stamped, "status": "weg"}
    keys = {
        "repairs": {"dates": ["M/D/YYYY"]},
        "lookups": {"enrollments.status": {"Weg": "tobedeleted"}},
        "end_dates": "inclusive",
    }
    modes = {"enrollments": "delta"}
    made, cells = judge({"enrollments": [change, gone]}, keys, base.roster, modes=modes)

    ends = column(made, "enrollments.endDate")
    assert ends["e1"] == "2027-01-01"
    assert "e2" not in ends
    assert cells["enrollments.status"] == {"lookups": 1}


def test_a_pull_is_mended_as_a_file_is(judge: Judge) -> None:
    frames = {name: frame_of(name, rows) for name, rows in district().items()}
    frames["academicSessions"]["endDate"] = ["2027-06-11", "2027-01-14"]
    frames["users"].loc[0, "grades"] = "Gr 9"
    said = records_of(frames | {"userProfiles": frame_of("userProfiles", [])})
    keys = {"end_dates": "inclusive", "lookups": {"users.grades": {"gr 9": "09"}}}
    made, cells = judge(pulled(said), keys)

    assert column(made, "academicSessions.endDate") == {"y1": "2027-06-12", "t1": "2027-01-15"}
    assert column(made, "users.grades")["u1"] == "09"
    assert cells == {"academicSessions.endDate": {"end_dates": 2}, "users.grades": {"lookups": 1}}


def test_a_broken_row_is_known_by_its_mended_id_and_is_no_removal(judge: Judge) -> None:
    keys = {"repairs": {"blanks_in_ids": "underscore", "pad": {"users.sourcedId": 4}}}

    def files(broken: str) -> bytes:
        people = district()
        for rows, name in ((people["users"], "sourcedId"), (people["roles"], "userSourcedId"),
                           (people["enrollments"], "userSourcedId")):  # fmt: skip
            for row in rows:
                row[name] = {"u1": "1", "u2": "u 2"}.get(row[name], row[name])
        package = packed(people)
        if not broken:
            return package
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            text = archive.read("users.csv").decode()
        lines = csv.reader(io.StringIO(text))
        cut = [line[:-3] if line[0] == broken else line for line in lines]
        out = io.StringIO(newline="")
        csv.writer(out).writerows(cut)
        return packed(people, extra={"users.csv": out.getvalue().encode()})

    base, _ = judge(files(""), keys)
    for broken, mended in (("1", "0001"), ("u 2", "u_2")):
        made, _ = judge(files(broken), keys, base.roster)
        assert made.held["users"] == 1
        assert made.standing_in["users"] == 1
        assert mended in column(made, "users.givenName")


def test_many_cells_are_counted_and_no_line_is_kept_for_each(judge: Judge) -> None:
    files = district()
    more = [{**files["enrollments"][0], "sourcedId": f"x{n}", "endDate": "1/15/2027"}
            for n in range(2000)]  # fmt: skip
    files["enrollments"] += more
    made, cells = judge(files, {"repairs": {"dates": ["M/D/YYYY"]}, "end_dates": "inclusive"})

    assert cells["enrollments.endDate"] == {"dates": 2000, "end_dates": 2000}
    assert not any("date" in code for code in problems(made))


# ---- what the keys may say ----


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"lookups": {"users.grade": {"9": "09"}}}, "no column grade; did you mean grades?"),
        ({"lookups": {"user.grades": {"9": "09"}}}, "called user; did you mean users?"),
        ({"lookups": {"grades": {"9": "09"}}}, "an entity and a column, such as users.grades"),
        ({"lookups": {"users.grades": {9: "09"}}}, "write it in quotes"),
        ({"lookups": {"users.grades": {"9": 9}}}, "valid string"),
        ({"lookups": {"orgs.type": {"Campus": "skool"}}}, "no word skool; did you mean school?"),
        ({"lookups": {"roles.role": {"X": "ext:"}}}, "no word ext:"),
        ({"lookups": {"users.role": {"X": ""}}}, "a row needs this cell"),
        ({"lookups": {"users.grades": {"K": "KG", " k ": "09"}}}, "empty, or has spaces"),
        ({"lookups": {"users.status": {"Inactive": "active"}}}, "is always read as tobedeleted"),
        ({"lookups": {"users.enabledUser": {"1": "false"}}}, "is always read as true"),
        ({"lookups": {"users.grades": {"K": "KG", "k": "09"}}}, "k stands there twice"),
        ({"lookups": {"roles.endDate": {"never": "1/1/2030"}}}, "no date as YYYY-MM-DD"),
        ({"repairs": {"dates": ["M/D/YY"]}}, "say YYYY"),
        ({"repairs": {"dates": ["M/D/YYYY", "D/M/YYYY"]}}, "two different days"),
        ({"repairs": {"pad": {"users.identifer": 6}}}, "did you mean identifier?"),
        ({"repairs": {"pad": {"users.identifier": 1}}}, "greater than or equal to 2"),
        ({"end_dates": "included"}, "'exclusive' or 'inclusive'"),
    ],
)
def test_what_cannot_be_mended_so_is_refused_with_a_sentence(
    keys: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError) as error:
        source(**keys)
    assert said in str(error.value)


def test_what_can_be_said_is_taken() -> None:
    lookups = {
        "users.role": {"Lehrer": "teacher"},
        "roles.role": {"Lehrer": "teacher", "Helfer": "ext:helper"},
        "users.sex": {},
    }
    del lookups["users.sex"]
    lookups["demographics.sex"] = {"D": "other", "X": ""}
    lookups["users.enabledUser"] = {"Y": "true", "Active": "true", "Student": "true"}
    lookups["enrollments.endDate"] = {"12/31/9999": "", "open": "2027-06-11"}
    assert source(lookups=lookups).mending.lookups == lookups


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_of_a_server_columns_that_its_version_lacks_are_refused(version: str) -> None:
    wrong = "roles.role" if version == "1.1" else "users.role"
    data = rest_source("https://sis.example", version=version).model_dump(exclude_unset=True)
    right = {"users.grades": {"9": "09"}}
    assert type(source()).model_validate({**data, "lookups": right}).mending.lookups == right
    for key in ({"lookups": {wrong: {"Lehrer": "teacher"}}}, {"repairs": {"pad": {wrong: 3}}}):
        with pytest.raises(ValidationError, match=f"OneRoster {version} has no {wrong}"):
            type(source()).model_validate({**data, **key})


def test_a_district_adds_to_the_words_of_its_vendor_and_wins() -> None:
    vendor = {
        "lookups": {"users.grades": {"K": "KG", "Kinder": "KG"}, "orgs.type": {"Campus": "school"}},
        "repairs": {"dates": ["M/D/YYYY"], "blanks_in_ids": "underscore"},
        "end_dates": "inclusive",
        "pattern": "*.zip",
    }
    own = {
        "lookups": {"users.grades": {"k": "TK", "Gr 9": "09"}},
        "repairs": {"dates": ["D/M/YYYY"]},
        "id": "springfield",
    }
    assert over(vendor, own) == {
        "lookups": {
            "users.grades": {"Kinder": "KG", "k": "TK", "Gr 9": "09"},
            "orgs.type": {"Campus": "school"},
        },
        "repairs": {"dates": ["D/M/YYYY"], "blanks_in_ids": "underscore"},
        "end_dates": "inclusive",
    }
    assert over(vendor, {"end_dates": "exclusive", "lookups": {}})["end_dates"] == "exclusive"


def test_a_vendors_profile_mends_where_the_source_says_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    profile = vendors.Vendor(title="Made up", defaults={"end_dates": "inclusive"})
    monkeypatch.setattr(vendors, "load", lambda _: profile)

    assert profile.mending.end_dates == "inclusive"
    assert source(vendor="generic-csv").mending.end_dates == "inclusive"
    assert source(vendor="generic-csv", end_dates="exclusive").mending == Mending()
