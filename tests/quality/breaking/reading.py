"""Rules of reading: archive, manifest, headers, text."""

import io
import zipfile
from collections.abc import Callable, Mapping
from typing import Final

from roster_pipeline.oneroster.entities import BULK_BLANK
from roster_pipeline.oneroster.manifest import Mode, Version, manifest_rows
from roster_pipeline.oneroster.package import open_package, tables
from roster_pipeline.oneroster.pulled import PullWriter, Reading
from roster_pipeline.oneroster.rules import STRICT
from roster_pipeline.sources.mapping.config import CsvMapping
from tests.oneroster.strategies import frame_of
from tests.quality.breaking import Breaks, Files
from tests.records import Said, pulled, records_of
from tests.small import Row

Repack = Callable[[bytes], bytes]


def _zipped(members: Mapping[str, bytes], stored: tuple[str, ...] = ()) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            method = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return out.getvalue()


def _members(package: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _edited(name: str, edit: Callable[[bytes], bytes], *, stored: bool = False) -> Repack:
    """The content of one member changed."""

    def repack(package: bytes) -> bytes:
        members = _members(package)
        changed = edit(members[name])
        assert changed != members[name], "this edit changes nothing"
        return _zipped({**members, name: changed}, (name,) if stored else ())

    return repack


def _replaced(name: str, old: bytes, new: bytes) -> Repack:
    return _edited(name, lambda content: content.replace(old, new, 1))


def _manifest(old: str, new: str) -> Repack:
    return _replaced("manifest.csv", old.encode(), new.encode())


def _renamed(rename: Callable[[str], str | None]) -> Repack:
    """Members under other names; None leaves one out."""

    def repack(package: bytes) -> bytes:
        members = _members(package)
        return _zipped({new: members[name] for name in members if (new := rename(name))})

    return repack


def _beside(more: Mapping[str, bytes]) -> Repack:
    return lambda package: _zipped({**_members(package), **more})


# ---- what is done to the archive ----


def _encrypted(package: bytes) -> bytes:
    data = bytearray(package)
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def _another_checksum(package: bytes) -> bytes:
    data = bytearray(package)
    entry = data.index(b"users.csv", data.index(b"PK\x01\x02")) - 46
    data[entry + 16] ^= 1
    return bytes(data)


def _with_bzip2(package: bytes) -> bytes:
    out = io.BytesIO(package)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("notes.txt", b"hello")
    return out.getvalue()


def _twice(package: bytes) -> bytes:
    return _beside({"0rgs.csv": b""})(package).replace(b"0rgs.csv", b"orgs.csv")


# ---- what is done to the files ----


def _with_demographics(files: Files) -> None:
    """Rows that nothing else needs."""
    files["demographics"] = [
        {"sourcedId": key, "birthDate": "2012-03-04", "sex": "female"} for key in ("u1", "u2")
    ]


def _cell(name: str, key: str, column: str, text: str) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        row: Row = next(row for row in files[name] if row["sourcedId"] == key)
        row[column] = text

    return change


def _column(name: str, column: str, text: str) -> Callable[[Files], None]:
    """One more column, which `packed` puts last."""

    def change(files: Files) -> None:
        files[name][0][column] = text

    return change


def _declared(files: Files, *names: str) -> bytes:
    """The manifest where files of gradebook and resources are bulk, too."""
    rows = manifest_rows(Version.V1P2, dict.fromkeys([*files, *names], Mode.BULK))
    return "".join(f"{name},{value}\r\n" for name, value in [_HEADER, *rows]).encode()


_HEADER: Final = ("propertyName", "value")
_LINKS: Final = (
    b"sourcedId,status,dateLastModified,title,classSourcedId,resourceSourcedId\r\n"
    b"k1,,,A link,cl1,x1\r\n"
)
_RESOURCES: Final = (
    b"sourcedId,status,dateLastModified,vendorResourceId,title,roles,importance,vendorId,"
    b"applicationId\r\nx1,,,v1,A book,,,,\r\n"
)


def _resources(
    links: bytes = _LINKS, resources: bytes | None = _RESOURCES
) -> Callable[[Files], Mapping[str, bytes]]:
    """The small district with a resource, linked to a class."""
    members = {"classResources.csv": links}
    if resources is not None:
        members["resources.csv"] = resources
    names = [name.removesuffix(".csv") for name in members]
    return lambda files: {**members, "manifest.csv": _declared(files, *names)}


def _columns(content: bytes) -> list[list[bytes]]:
    return [line.split(b",") for line in content.split(b"\r\n")[:-1]]


def _joined(rows: list[list[bytes]]) -> bytes:
    return b"".join(b",".join(row) + b"\r\n" for row in rows)


def _without_first_column(content: bytes) -> bytes:
    return _joined([row[1:] for row in _columns(content)])


def _first_column_last(content: bytes) -> bytes:
    return _joined([row[1:] + row[:1] for row in _columns(content)])


def _last_column_first(content: bytes) -> bytes:
    return _joined([row[-1:] + row[:-1] for row in _columns(content)])


# ---- pulls ----


def _pull_of_a_line(line: str) -> Repack:
    """A pull whose every collection holds this line alone."""

    def repack(_: bytes) -> bytes:
        out = io.BytesIO()
        writer = PullWriter(out, Version.V1P2)
        names = ("orgs", "academicSessions", "courses", "classes", "users", "enrollments")
        for name in names:
            with writer.collection(name) as (write, look):
                write([line])
                look({"roles": [{}]})
        writer.finish()
        return out.getvalue()

    return repack


def _as_a_pull(change: Callable[[Said], None], reading: Reading | None = None) -> Repack:
    """The same roster, pulled; `change` is done to the objects before."""

    def repack(package: bytes) -> bytes:
        with open_package(io.BytesIO(package)) as opened:
            blocks = {name: list(opened.blocks(name)) for name in opened.modes}
        frames = {name: found[0].frame for name, found in blocks.items()}
        frames["userProfiles"] = frame_of("userProfiles", [])
        said = records_of(frames)
        change(said)
        return pulled(said, reading=reading)

    return repack


def _another_ada(said: Said) -> None:
    said["users"].append({**said["users"][0], "middleName": "B.", "familyName": "Other"})


def _an_extra_property(said: Said) -> None:
    said["orgs"][0]["colour"] = "red"


def _metadata_of_many_names(said: Said) -> None:
    said["orgs"][0]["metadata"] = {f"name{n}": "x" for n in range(201)}


def _a_blank_in_an_id(said: Said) -> None:
    said["enrollments"][0]["sourcedId"] = "e 1"


_ARCHIVE: Final = (
    Breaks("package.not_a_zip", repack=lambda _: b"sourcedId,name\r\n"),
    Breaks("package.truncated", repack=lambda package: package[: len(package) // 2]),
    Breaks("package.bad_crc", repack=_another_checksum, file="users.csv"),
    Breaks("package.encrypted", repack=_encrypted),
    Breaks("package.unsupported_compression", repack=_with_bzip2),
    Breaks("package.path_traversal", repack=_beside({"../users.csv": b""})),
    Breaks("package.duplicate_member", repack=_twice),
    Breaks("package.too_large", repack=_beside({f"{n}.txt": b"" for n in range(1000)})),
    Breaks("package.bomb", repack=_beside({"notes.txt": bytes(2 << 20)})),
)
_MEMBERS: Final = (
    Breaks("package.wrapping_folder", repack=_renamed(lambda name: f"export/{name}")),
    Breaks("package.nested_folder", repack=_beside({"old/users.csv": b""}), file="old/users.csv"),
    Breaks(
        "package.nested_folder",
        repack=_renamed(lambda name: f"export/today/{name}"),
        why="one in another",
    ),
    Breaks(
        "package.litter",
        repack=_beside({"__MACOSX/._users.csv": b"", ".DS_Store": b""}),
        policy=STRICT,
    ),
    Breaks("package.unknown_file", repack=_beside({"notes.txt": b"hi"}), file="notes.txt"),
    Breaks(
        "package.unknown_file",
        version="1.1",
        repack=_beside({"roles.csv": b""}),
        file="roles.csv",
        why="of another version",
    ),
    Breaks("package.duplicate_file", repack=_beside({"ORGS.csv": b""}), file="ORGS.csv"),
    Breaks(
        "package.name_case",
        repack=_renamed(lambda name: name.replace("users", "Users")),
        file="Users.csv",
    ),
    Breaks(
        "package.missing_file",
        repack=_manifest("file.demographics,absent", "file.demographics,bulk"),
    ),
    Breaks(
        "package.missing_file",
        repack=_manifest("file.results,absent", "file.results,bulk"),
        why="of the gradebook",
    ),
    Breaks("package.dependency", members=_resources(resources=None), file="resources.csv"),
)
_MANIFEST: Final = (
    Breaks("manifest.missing", repack=_renamed(lambda n: None if n == "manifest.csv" else n)),
    Breaks(
        "manifest.missing",
        version="1.1",
        why="of 1.0",
        repack=_renamed(lambda n: None if n == "manifest.csv" else n),
    ),
    Breaks("manifest.unreadable", repack=_manifest("propertyName,value", "propertyName")),
    Breaks(
        "manifest.unreadable",
        why="as text",
        repack=_edited("manifest.csv", lambda content: content.decode().encode("utf-16")),
    ),
    Breaks("manifest.header", repack=_manifest("propertyName,value\r\n", ""), line=1),
    Breaks(
        "manifest.header",
        why="in other letters",
        repack=_manifest("propertyName,value", "propertyname,Value"),
        line=1,
    ),
    Breaks("manifest.row", repack=_manifest("file.results", "comment\r\nfile.results")),
    Breaks("manifest.row", why="with blanks", repack=_manifest("file.results,", "file.results, ")),
    Breaks(
        "manifest.contradiction",
        repack=_manifest("file.demographics,", "file.demographics,delta\r\nfile.demographics,"),
    ),
    Breaks("manifest.property", repack=_manifest("file.results,", "fiel.results,")),
    Breaks(
        "manifest.property",
        repack=_manifest("manifest.version,", "file.manifest.version,"),
        line=2,
        why="of the version",
    ),
    Breaks(
        "manifest.unknown_property", repack=_manifest("file.results,", "colour,x\r\nfile.results,")
    ),
    Breaks(
        "manifest.unknown_property",
        version="1.1",
        repack=_manifest("file.results,", "file.roles,bulk\r\nfile.results,"),
        why="of another version",
    ),
    Breaks("manifest.missing_property", repack=_manifest("file.results,absent\r\n", "")),
    Breaks(
        "manifest.missing_property",
        repack=_manifest("manifest.version,1.0\r\n", ""),
        why="of the version",
    ),
    Breaks(
        "manifest.missing_source", repack=_manifest("source.systemCode,\r\n", ""), policy=STRICT
    ),
    Breaks("manifest.version", repack=_manifest("manifest.version,1.0", "manifest.version,2.0")),
    Breaks("excel.version", repack=_manifest("manifest.version,1.0", "manifest.version,1"), line=2),
    Breaks(
        "manifest.unknown_version", repack=_manifest("oneroster.version,1.2", "oneroster.version,2")
    ),
    Breaks(
        "manifest.corrected_version",
        repack=_manifest("oneroster.version,1.2", "oneroster.version,1.2.1"),
    ),
    Breaks("manifest.mode", repack=_manifest("file.results,absent", "file.results,none")),
    Breaks(
        "manifest.mode",
        repack=_manifest("file.results,absent", "file.results,Absent"),
        why="in another case",
    ),
    Breaks("manifest.present_but_absent", repack=_manifest("file.orgs,bulk", "file.orgs,absent")),
    Breaks(
        "manifest.present_but_absent",
        repack=_beside({"resources.csv": _RESOURCES}),
        why="of the resources",
    ),
)
_HEADERS: Final = (
    Breaks(
        "header.none",
        change=_with_demographics,
        repack=_edited("demographics.csv", lambda content: content.split(b"\n", 1)[1]),
    ),
    Breaks(
        "header.misspelt",
        repack=_replaced("users.csv", b"givenName", b"givenname"),
        file="users.csv",
        line=1,
        column="givenname",
    ),
    Breaks(
        "header.misspelt",
        members=_resources(links=_LINKS.replace(b"resourceSourcedId", b"resourcesSourcedId")),
        file="classResources.csv",
        why="in resources",
    ),
    Breaks("header.unknown_column", change=_column("orgs", "colour", "red"), column="colour"),
    Breaks(
        "header.missing_column",
        change=_with_demographics,
        repack=_edited("demographics.csv", _without_first_column),
        column="sourcedId",
    ),
    Breaks(
        "header.missing_column",
        members=_resources(links=_LINKS.replace(b",classSourcedId", b"").replace(b",cl1", b"")),
        column="classSourcedId",
        why="in resources",
    ),
    Breaks(
        "header.missing_optional",
        repack=_edited(
            "courses.csv",
            lambda content: content.replace(b",subjectCodes", b"").replace(b",\r", b"\r"),
        ),
        column="subjectCodes",
    ),
    Breaks(
        "header.order",
        change=_with_demographics,
        repack=_edited("demographics.csv", _first_column_last),
        file="demographics.csv",
    ),
    Breaks(
        "header.order",
        change=_column("orgs", "metadata.region", "North"),
        repack=_edited("orgs.csv", _last_column_first),
        why="of metadata",
    ),
    Breaks(
        "header.duplicate",
        change=_with_demographics,
        repack=_replaced("demographics.csv", b"americanIndianOrAlaskaNative", b"asian"),
    ),
)


_FILES: Final = (
    Breaks(
        "file.no_header",
        change=_with_demographics,
        repack=_edited("demographics.csv", lambda _: b""),
    ),
    Breaks(
        "file.unreadable_encoding",
        change=_with_demographics,
        repack=_edited("demographics.csv", lambda content: content.decode().encode("utf-16")),
    ),
    Breaks(
        "file.unreadable_encoding",
        change=_with_demographics,
        repack=_replaced("demographics.csv", b"female", b"fe\0male"),
        line=2,
        why="of a zero byte",
    ),
    Breaks(
        "file.line_too_long",
        change=_with_demographics,
        repack=_edited(
            "demographics.csv",
            lambda content: content.split(b"\r\n")[0] + b"\r\n" + b"x" * (33 << 20),
            stored=True,
        ),
    ),
    Breaks(
        "file.not_a_table",
        change=_with_demographics,
        repack=_edited("demographics.csv", lambda content: content + b"\n" * 600_000),
        why="of blank lines",
    ),
    Breaks(
        "file.not_a_table",
        change=_with_demographics,
        repack=_edited("demographics.csv", lambda _: b",".join(b"c%d" % n for n in range(5000))),
        why="of columns",
    ),
    Breaks(
        "file.bom", repack=_edited("orgs.csv", lambda content: b"\xef\xbb\xbf" + content), line=1
    ),
    Breaks(
        "file.bom",
        repack=_edited("manifest.csv", lambda content: b"\xef\xbb\xbf" + content),
        file="manifest.csv",
        why="of the manifest",
    ),
    Breaks(
        "file.encoding",
        repack=_edited("users.csv", lambda content: content.decode().encode("cp1252")),
        line=4,
    ),
    Breaks("file.line_endings", repack=_replaced("orgs.csv", b"\r\n", b"\n"), file="orgs.csv"),
)
_ROWS: Final = (
    Breaks(
        "row.too_many_cells",
        change=_with_demographics,
        repack=_replaced("demographics.csv", b"female", b"female,x"),
        line=2,
    ),
    Breaks(
        "row.too_few_cells",
        change=_with_demographics,
        repack=_replaced("demographics.csv", b"female,", b"female"),
        line=2,
    ),
    Breaks(
        "row.unclosed_quote",
        change=_with_demographics,
        repack=_replaced("demographics.csv", b"female", b'"female'),
        line=2,
    ),
    Breaks("row.line_break_in_cell", change=_cell("orgs", "s1", "name", "Ever\ngreen"), line=3),
    Breaks(
        "row.bare_carriage_return",
        repack=_replaced("orgs.csv", b"district,,\r\n", b"district,,\r"),
        line=2,
    ),
    Breaks("row.bare_quote", repack=_replaced("orgs.csv", b"Evergreen", b'Ever"green'), line=3),
    Breaks("row.blank_line", repack=_replaced("orgs.csv", b"\r\n", b"\r\n\r\n"), line=2),
    Breaks(
        "cell.spelling",
        change=_cell("classes", "cl1", "classType", "Scheduled"),
        line=2,
        column="classType",
    ),
    Breaks("cell.spelling", change=_cell("orgs", "s1", "name", " Evergreen"), why="of blanks"),
    Breaks("excel.boolean", change=_cell("users", "u1", "enabledUser", "TRUE"), line=2),
)
_PULL: Final = (
    Breaks("pull.unreadable", repack=lambda _: _zipped({"pull.json": b"{}"})),
    Breaks("pull.line", repack=_pull_of_a_line("{"), line=1, count=7),
    Breaks(
        "pull.extra_property",
        repack=_as_a_pull(_an_extra_property),
        file="orgs.jsonl",
        column="colour",
    ),
    Breaks(
        "pull.metadata",
        repack=_as_a_pull(_metadata_of_many_names),
        file="orgs.jsonl",
        column="metadata",
    ),
    Breaks(
        "pull.blank_in_id",
        repack=_as_a_pull(_a_blank_in_an_id, Reading(blanks_in_ids="underscore")),
        file="enrollments.jsonl",
        column="sourcedId",
    ),
    Breaks(
        "pull.merged",
        repack=_as_a_pull(_another_ada, Reading({"users": "union"})),
        file="users.jsonl",
        line=1,
        column="familyName",
    ),
)


def _the_same(files: Files) -> CsvMapping:
    """A mapping that makes the files of themselves, and of each sourcedId the first."""
    made = {
        name: {
            column.name: f"{{{column.name}}}"
            for column in tables(Version.V1P2)[name]
            if column.name not in BULK_BLANK
        }
        for name in files
    }
    return CsvMapping.model_validate(
        {
            "files": {name.lower(): {"name": f"{name}.csv", "ignore": BULK_BLANK} for name in files}
            | {"manifest": {"name": "manifest.csv"}},
            "tables": {
                name: [{"rows_of": name.lower(), "first": True, "columns": columns}]
                for name, columns in made.items()
            },
        }
    )


def _another_school_of_one_id(files: Files) -> None:
    files["orgs"].append({**files["orgs"][1], "name": "Lake"})


_MAPPING: Final = (
    Breaks(
        "mapping.differs",
        change=_another_school_of_one_id,
        mapping=_the_same,
        file="orgs.csv",
        line=4,
    ),
)
CASES: Final[tuple[Breaks, ...]] = (
    *_ARCHIVE,
    *_MEMBERS,
    *_MANIFEST,
    *_HEADERS,
    *_FILES,
    *_ROWS,
    *_PULL,
    *_MAPPING,
)
