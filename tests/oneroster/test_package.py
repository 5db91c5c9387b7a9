"""What is read of a package whose outside, manifest or headers are not quite right."""

import io
from collections.abc import Mapping
from pathlib import Path

import pytest

from roster_pipeline.oneroster.findings import Severity
from roster_pipeline.oneroster.manifest import Mode, Version
from roster_pipeline.oneroster.package import Package, open_package
from roster_pipeline.tables.archive import ArchiveError
from tests.small import district, packed, unpacked


def members(version: str = "1.2") -> dict[str, bytes]:
    import zipfile

    with zipfile.ZipFile(io.BytesIO(packed(district(version), version=version))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(files: Mapping[str, bytes]) -> io.BytesIO:
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out


def read_all(package: Package) -> dict[str, int]:
    return {
        entity: sum(len(block.frame) for block in package.blocks(entity))
        for entity in list(package.modes)
    }


def findings_of(files: Mapping[str, bytes]) -> dict[str, int]:
    with open_package(zipped(files)) as package:
        read_all(package)
        return package.findings.counts()


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_good_package_is_read_without_a_finding(version: str) -> None:
    with open_package(zipped(members(version))) as package:
        rows = read_all(package)
        assert package.version == Version(version)
        assert set(package.modes.values()) == {Mode.BULK}
        assert rows["enrollments"] == 5
        assert not package.findings


def test_a_folder_reads_like_a_zip(tmp_path: Path) -> None:
    for name, content in members().items():
        (tmp_path / name).write_bytes(content)
    with open_package(tmp_path) as package:
        assert read_all(package)["users"] == 5
        assert not package.findings


def test_one_wrapping_folder_and_litter_are_tolerated() -> None:
    files = {f"export/{name}": content for name, content in members().items()}
    files |= {"__MACOSX/export/._users.csv": b"x", "export/.DS_Store": b"x"}
    assert findings_of(files) == {"package.wrapping_folder": 1, "package.litter": 1}


def test_a_note_beside_the_wrapping_folder_does_not_hide_it() -> None:
    files = {f"export/{name}": content for name, content in members().items()}
    files["README.txt"] = b"hello"
    assert findings_of(files) == {"package.wrapping_folder": 1, "package.unknown_file": 1}


def test_a_wrong_case_and_an_unknown_file_are_named() -> None:
    files = members()
    files["Users.csv"] = files.pop("users.csv")
    files["notes.txt"] = b"hello"
    assert findings_of(files) == {"package.name_case": 1, "package.unknown_file": 1}


def test_a_missing_manifest_stops() -> None:
    files = members()
    del files["manifest.csv"]
    with open_package(zipped(files)) as package:
        assert package.findings.worst() is Severity.STOP


@pytest.mark.parametrize("said", ["2.0", "", "v1p2"])
def test_an_unknown_version_stops(said: str) -> None:
    files = members()
    manifest = (
        files["manifest.csv"].decode().replace("oneroster.version,1.2", f"oneroster.version,{said}")
    )
    files["manifest.csv"] = manifest.encode()
    with open_package(zipped(files)) as package:
        assert package.findings.counts()["manifest.unknown_version"] == 1
        assert package.findings.worst() is Severity.STOP


def test_a_sloppy_manifest_is_understood() -> None:
    files = members()
    lines = files["manifest.csv"].decode().splitlines()
    lines = [line.replace("file.users,bulk", "fiel.users,Bulk") for line in lines]
    lines = [line.replace("manifest.version,1.0", '"manifest.version","1"') for line in lines]
    lines = [line for line in lines if not line.startswith("file.results,")]
    files["manifest.csv"] = "\n".join(lines[1:]).encode()
    assert findings_of(files) == {
        "excel.version": 1,
        "manifest.header": 1,
        "manifest.missing_property": 1,
        "manifest.mode": 1,
        "manifest.property": 1,
    }


def test_a_declared_file_that_is_missing_stops_if_it_is_required() -> None:
    files = members()
    del files["enrollments.csv"]
    with open_package(zipped(files)) as package:
        assert package.findings.counts() == {"package.missing_file": 1}
        assert package.findings.worst() is Severity.STOP


def test_a_file_that_is_there_but_declared_absent_is_read() -> None:
    files = members()
    manifest = files["manifest.csv"].replace(b"file.users,bulk", b"file.users,absent")
    files["manifest.csv"] = manifest
    with open_package(zipped(files)) as package:
        assert read_all(package)["users"] == 5
        assert package.findings.counts() == {"manifest.present_but_absent": 1}


@pytest.mark.parametrize("written", ["Given Name", "givenname", "givenNmae", "given_name"])
def test_a_misspelt_header_whose_meaning_is_clear_is_read(written: str) -> None:
    files = members()
    files["users.csv"] = files["users.csv"].replace(b"givenName", written.encode(), 1)
    with open_package(zipped(files)) as package:
        (block,) = package.blocks("users")
        assert block.frame["givenName"].tolist()[0] == "Ada"
        assert package.findings.counts()["header.misspelt"] == 1


def test_a_file_without_its_header_stops_and_tells_no_cell_of_its_first_row() -> None:
    files = members()
    files["orgs.csv"] = files["orgs.csv"].split(b"\n", 1)[1]
    with open_package(zipped(files)) as package:
        read_all(package)
        (group,) = package.findings
        assert (group.code, group.severity) == ("header.none", Severity.STOP)
        assert "Springfield" not in repr(group)


@pytest.mark.parametrize(("separator", "name"), [(";", "semicolons"), ("\t", "tabs")])
def test_another_separator_than_the_comma_is_named(separator: str, name: str) -> None:
    files = members()
    files["orgs.csv"] = files["orgs.csv"].replace(b",", separator.encode())
    with open_package(zipped(files)) as package:
        read_all(package)
        (group,) = package.findings
        assert group.message == f"the columns are separated by {name}"


def test_a_manifest_with_semicolons_stops() -> None:
    files = members()
    files["manifest.csv"] = files["manifest.csv"].replace(b",", b";")
    assert findings_of(files) == {"manifest.unreadable": 1}


def test_reordered_columns_are_read_by_name() -> None:
    files = members()
    rows = [line.split(",") for line in files["orgs.csv"].decode().splitlines()]
    files["orgs.csv"] = "\n".join(",".join(reversed(row)) for row in rows).encode()
    with open_package(zipped(files)) as package:
        (block,) = package.blocks("orgs")
        assert block.frame["sourcedId"].tolist() == ["d1", "s1"]
        assert package.findings.counts() == {"header.order": 1}


def test_a_missing_required_column_stops_and_a_missing_optional_one_does_not() -> None:
    files = members()
    files["orgs.csv"] = (
        b"sourcedId,status,dateLastModified,type,identifier,parentSourcedId\r\nd1,,,district,,\r\n"
    )
    assert findings_of(files)["header.missing_column"] == 1
    files["orgs.csv"] = b"sourcedId,name,type\r\nd1,Springfield,district\r\n"
    assert findings_of(files) == {"header.missing_optional": 4}


def test_metadata_columns_are_kept_and_others_are_not() -> None:
    files = members()
    text = files["orgs.csv"].decode().splitlines()
    text = [text[0] + ",metadata.region,colour", *(line + ",North,red" for line in text[1:])]
    files["orgs.csv"] = "\n".join(text).encode()
    with open_package(zipped(files)) as package:
        (block,) = package.blocks("orgs")
        assert block.frame["metadata.region"].tolist() == ["North", "North"]
        assert "colour" not in block.frame.columns
        assert package.findings.counts() == {"header.unknown_column": 1}


def test_windows_1252_is_read_with_a_warning_and_the_line() -> None:
    files = members()
    files["users.csv"] = files["users.csv"].decode().encode("cp1252")
    with open_package(zipped(files)) as package:
        (block,) = package.blocks("users")
        assert block.frame["givenName"].tolist()[2] == "Zoë"
        (finding,) = package.findings
        assert (finding.code, finding.line) == ("file.encoding", 4)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_an_unreadable_encoding_stops(encoding: str) -> None:
    files = members()
    files["users.csv"] = files["users.csv"].decode().encode(encoding)
    with open_package(zipped(files)) as package:
        read_all(package)
        assert package.findings.worst() is Severity.STOP


def test_blanks_around_cells_are_no_part_of_them() -> None:
    files = members()
    header = files["orgs.csv"].splitlines()[0]
    files["orgs.csv"] = header + b"\nd1 ,, , Spring field,district,,\n"
    with open_package(zipped(files)) as package:
        (block,) = package.blocks("orgs")
        assert block.frame.iloc[0].dropna().to_dict() == {
            "sourcedId": "d1", "name": "Spring field", "type": "district",
        }  # fmt: skip
        assert block.findings.counts() == {"cell.spelling": 3}


def test_a_zip_cut_at_nine_tenths_is_refused() -> None:
    content = packed(district())
    with pytest.raises(ArchiveError), open_package(io.BytesIO(content[: len(content) * 9 // 10])):
        pass


def test_the_small_district_is_what_it_says() -> None:
    assert [row["sourcedId"] for row in unpacked(packed(district()))["users"]][:2] == ["u1", "u2"]
