"""The rules that are judged while a package is read: archive, manifest, headers, text.

A rule of which a part of the text is named is demanded by it; the others are practice.
"""

from collections.abc import Mapping
from typing import Final

from roster_pipeline.oneroster.findings import Severity
from roster_pipeline.oneroster.rules import Layer, Rule, Source

_HOLD, _WARN, _STOP = Severity.HOLD, Severity.WARN, Severity.STOP


def _rule(
    code: str,
    severity: Severity,
    source: Source,
    *,
    message: str,
    why: str,
    fix: str,
    layer: Layer = Layer.PACKAGE,
    only_strict: bool = False,
) -> Rule:
    return Rule(
        code=code,
        layer=layer,
        severity=severity,
        message=message,
        why=why,
        fix=fix,
        source=source,
        only_strict=only_strict,
        may_be=() if severity is _STOP else (severity,),
    )


# `ArchiveError` has these codes; nothing is read of an archive that has one.
_ARCHIVE: Final = (
    _rule(
        "package.not_a_zip",
        _STOP,
        Source.PACKAGE,
        message="the package is not a ZIP archive, or the archive is damaged",
        why="Nothing in it can be read, or what is read may not be what was sent.",
        fix="make the ZIP again and send it whole",
    ),
    _rule(
        "package.truncated",
        _STOP,
        Source.PACKAGE,
        message="the archive is cut off",
        why="The rows that are missing would be taken for deletions.",
        fix="send it again, and rename it into place only when it is complete",
    ),
    _rule(
        "package.bad_crc",
        _STOP,
        Source.PACKAGE,
        message="a file in the archive is damaged: it does not have its checksum",
        why="Cells may be wrong or missing, and nothing says which.",
        fix="make the ZIP again and send it again",
    ),
    _rule(
        "package.encrypted",
        _STOP,
        Source.PACKAGE,
        message="the archive is encrypted",
        why="It cannot be opened without a password.",
        fix="send it without a password, over a channel that is encrypted itself",
    ),
    _rule(
        "package.unsupported_compression",
        _STOP,
        Source.PACKAGE,
        message="a file in the archive is not compressed with Deflate",
        why="Receivers know Deflate only, as the standard asks for it.",
        fix="make the ZIP with plain Deflate, the default of most tools",
    ),
    _rule(
        "package.path_traversal",
        _STOP,
        Source.PACKAGE,
        message="the archive names a file that could leave its folder, or a link",
        why="Unpacked, it could overwrite other files of the receiver.",
        fix="zip the CSV files alone, by their plain names",
    ),
    _rule(
        "package.duplicate_member",
        _STOP,
        Source.PACKAGE,
        message="the archive holds two files of one name",
        why="Which of them is meant cannot be known, and tools differ in which they take.",
        fix="send each file once",
    ),
    _rule(
        "package.too_large",
        _STOP,
        Source.PRACTICE,
        message="the archive holds more files or more bytes than any roster",
        why="It could fill the disk of whoever unpacks it.",
        fix="send the files of the standard only; ask the receiver to raise the limit if they "
        "are that large",
    ),
    _rule(
        "package.bomb",
        _STOP,
        Source.PRACTICE,
        message="a file would grow out of all proportion when it is unpacked",
        why="Archives made to exhaust the receiver look like this.",
        fix="make the ZIP again with a usual tool",
    ),
)

_MEMBERS: Final = (
    _rule(
        "package.wrapping_folder",
        _WARN,
        Source.PACKAGE,
        message="the files lie in a folder instead of at the top of the archive",
        why="Receivers that look at the top of the archive find nothing.",
        fix="zip the files themselves, not the folder around them",
    ),
    _rule(
        "package.nested_folder",
        _WARN,
        Source.PACKAGE,
        message="the files lie in several folders, or in a folder inside another",
        why="Files outside of the one folder that was read reach nobody; they may be of another "
        "day or school.",
        fix="put each file once, at the top of the archive",
    ),
    _rule(
        "package.litter",
        _WARN,
        Source.PACKAGE,
        message="the archive holds files that an operating system left in it",
        why="Strict receivers refuse a package with files that the manifest does not list.",
        fix="make the ZIP without hidden files, such as __MACOSX and .DS_Store",
        only_strict=True,
    ),
    _rule(
        "package.unknown_file",
        _WARN,
        Source.PACKAGE,
        message="the standard knows no such file; it was not read",
        why="Strict receivers refuse the package, and what it holds reaches nobody.",
        fix="leave it out of the package",
    ),
    _rule(
        "package.duplicate_file",
        _STOP,
        Source.PACKAGE,
        message="the package holds the file twice, under names that differ only in case",
        why="Which of them is meant cannot be known.",
        fix="send each file once",
    ),
    _rule(
        "package.name_case",
        _WARN,
        Source.PACKAGE,
        message="the name of the file is not spelt as the standard spells it",
        why="File names are case-sensitive, and other receivers do not find the file.",
        fix="rename the file; capitals count",
    ),
    _rule(
        "package.missing_file",
        _WARN,
        Source.PACKAGE,
        message="the manifest declares a file that is not in the package",
        why="Either the file was lost on the way or nothing was to be sent: that is not known. "
        "Where no roster can do without the file, the package is stopped.",
        fix="send the file, or declare it absent",
    ),
    _rule(
        "package.dependency",
        _WARN,
        Source.DEPENDENCIES,
        message="the file is not in the package, and a bulk file there cannot do without it",
        why="A bulk package must hold all that its rows refer to.",
        fix="send the file in the same package",
    ),
)

_MANIFEST: Final = (
    _rule(
        "manifest.missing",
        _STOP,
        Source.MANIFEST,
        message="there is no manifest.csv, so this is not a OneRoster 1.1 or 1.2 package",
        why="The version is not known, nor whether a missing row is a deletion.",
        fix="export OneRoster 1.1 or 1.2. Of files in a form of their own say whose it is: "
        "`vendor` in the source's file, or `roster check --vendor`; `roster vendor list` has them",
    ),
    _rule(
        "manifest.unreadable",
        _STOP,
        Source.MANIFEST,
        message="manifest.csv cannot be read: its lines are not a name, a comma and a value",
        why="The version is not known, nor whether a missing row is a deletion.",
        fix="ask the sender for a OneRoster 1.1 or 1.2 package",
    ),
    _rule(
        "manifest.header",
        _WARN,
        Source.MANIFEST,
        message="the first line should be propertyName,value",
        why="Receivers that skip the first line lose a property.",
        fix="put propertyName,value in the first line",
    ),
    _rule(
        "manifest.row",
        _WARN,
        Source.MANIFEST,
        message="the line does not have two cells",
        why="The property is lost, and what it says with it.",
        fix="write one property a line: its name, a comma, its value",
    ),
    _rule(
        "manifest.contradiction",
        _STOP,
        Source.MANIFEST,
        message="a property is said twice, and not the same",
        why="Bulk taken for delta, or delta for bulk, deletes or keeps the wrong rows.",
        fix="say each property once",
    ),
    _rule(
        "manifest.property",
        _WARN,
        Source.MANIFEST,
        message="the name of the property is misspelt",
        why="Other receivers do not find the property and may refuse the package.",
        fix="spell it as the standard does",
    ),
    _rule(
        "manifest.unknown_property",
        _WARN,
        Source.PRACTICE,
        message="the standard has no such property",
        why="It says nothing to anyone; another property may be meant.",
        fix="take it out, or spell it as the standard does",
    ),
    _rule(
        "manifest.missing_property",
        _WARN,
        Source.MANIFEST,
        message="a property is missing",
        why="Receivers that insist on every property refuse the package.",
        fix="name every property of the version, also those of files that are absent",
    ),
    _rule(
        "manifest.missing_source",
        _WARN,
        Source.MANIFEST,
        message="source.systemName or source.systemCode is missing",
        why="Strict receivers insist on both lines; their values may be blank.",
        fix="add the line; the value may stay blank",
        only_strict=True,
    ),
    _rule(
        "manifest.version",
        _WARN,
        Source.MANIFEST,
        message="manifest.version should be 1.0",
        why="Strict receivers refuse any other version.",
        fix="write 1.0",
    ),
    _rule(
        "excel.version",
        _WARN,
        Source.MANIFEST,
        message="manifest.version is 1 where it should be 1.0: Excel cuts the zero off",
        why="Strict receivers refuse any version but 1.0; Excel may have changed more than that.",
        fix="write 1.0, and do not save the files of a package from Excel",
    ),
    _rule(
        "manifest.unknown_version",
        _STOP,
        Source.MANIFEST,
        message="oneroster.version is missing or not known; 1.1 and 1.2 can be read",
        why="Which files and columns to expect depends on it.",
        fix="write 1.1 or 1.2, whichever the files follow",
    ),
    _rule(
        "manifest.corrected_version",
        _WARN,
        Source.MANIFEST,
        message="oneroster.version names a correction of the text, not a version of packages",
        why="Receivers look for 1.1 or 1.2 to the letter.",
        fix="write 1.1 or 1.2",
    ),
    _rule(
        "manifest.mode",
        _WARN,
        Source.MANIFEST,
        message="a file's mode is not absent, bulk or delta",
        why="Whether a missing row is a deletion depends on it.",
        fix="write absent, bulk or delta, in lower case",
    ),
    _rule(
        "manifest.present_but_absent",
        _WARN,
        Source.PACKAGE,
        message="a file that the manifest does not declare is there; it was read",
        why="Receivers that go by the manifest do not read it.",
        fix="declare each file that is sent as bulk or delta",
    ),
)

_HEADER: Final = (
    _rule(
        "header.none",
        _STOP,
        Source.PACKAGE,
        message="the first line is not a header",
        why="Which cell is which cannot be known.",
        fix="name the columns of the table in the first line",
    ),
    _rule(
        "header.misspelt",
        _WARN,
        Source.PACKAGE,
        message="the column's name is misspelt",
        why="Header names are case-sensitive, and other receivers do not find the column.",
        fix="spell it as the standard does, capitals included",
    ),
    _rule(
        "header.unknown_column",
        _WARN,
        Source.PACKAGE,
        message="the standard has no such column; it was not read",
        why="Strict receivers refuse the file, and what the column holds reaches nobody.",
        fix="name extensions metadata.<name> and put them last",
    ),
    _rule(
        "header.missing_column",
        _STOP,
        Source.PACKAGE,
        message="the column is missing and no row can do without it",
        why="Every row of the file would have to be held back.",
        fix="add the column to the export; if it is there by another name, use the standard's",
    ),
    _rule(
        "header.missing_optional",
        _WARN,
        Source.PACKAGE,
        message="the column is missing; it was read as empty",
        why="Receivers that go by position read every later cell as another column's.",
        fix="add the column, with empty cells where there is nothing to send",
    ),
    _rule(
        "header.order",
        _WARN,
        Source.PACKAGE,
        message="the columns are not in the standard's order",
        why="Receivers that go by position read cells as another column's.",
        fix="put them in the order of the table, metadata columns last",
    ),
    _rule(
        "header.duplicate",
        _STOP,
        Source.PACKAGE,
        message="two columns have the same name",
        why="Which of them is meant cannot be known.",
        fix="name each column once",
    ),
)

_FILE: Final = (
    _rule(
        "file.no_header",
        _STOP,
        Source.PACKAGE,
        message="the file is empty: there is no row of column names",
        why="An empty file says nothing, not even that there are no rows.",
        fix="send the rows, or declare the file absent and leave it out",
    ),
    _rule(
        "file.unreadable_encoding",
        _STOP,
        Source.PACKAGE,
        message="the file is neither UTF-8 nor Windows-1252 text",
        why="Names would be garbled or lost.",
        fix="export as UTF-8",
    ),
    _rule(
        "file.line_too_long",
        _STOP,
        Source.PACKAGE,
        message="a line does not end; this is not a CSV file, or its line ends are damaged",
        why="Where one row ends and the next begins cannot be known.",
        fix="end each row with CR LF or LF",
    ),
    _rule(
        "file.not_a_table",
        _STOP,
        Source.PRACTICE,
        message="the file has far more columns, or broken lines, than any roster",
        why="It is damaged, or no CSV file; reading it line by line would take hours.",
        fix="export the file again",
    ),
    _rule(
        "file.bom",
        _WARN,
        Source.PRACTICE,
        message="the file begins with a byte order mark; it was left out",
        why="The standard lets it stand, yet some receivers read it as part of the first name.",
        fix="export as UTF-8 without a byte order mark",
    ),
    _rule(
        "file.encoding",
        _WARN,
        Source.PACKAGE,
        message="the file is not UTF-8; it was read as Windows-1252",
        why="Receivers that insist on UTF-8 garble names with accents.",
        fix="export as UTF-8",
    ),
    _rule(
        "file.line_endings",
        _WARN,
        Source.PRACTICE,
        message="some lines end in CR LF and some in LF",
        why="Tools that expect one of them leave a stray letter in the last cell.",
        fix="end all lines alike",
    ),
)

# A row with one of these is not read: which cell is which cannot be known.
_BROKEN: Final = (
    _rule(
        "row.too_many_cells",
        _HOLD,
        Source.PACKAGE,
        message="the row has more cells than the header",
        why="From the surplus comma on every cell would be read as another column's.",
        fix="put cells that hold a comma in double quotes",
    ),
    _rule(
        "row.too_few_cells",
        _HOLD,
        Source.PACKAGE,
        message="the row has fewer cells than the header",
        why="The row may be cut off, or a cell left out in its middle.",
        fix="write a comma for each column, also where the cell is empty",
    ),
    _rule(
        "row.unclosed_quote",
        _HOLD,
        Source.PACKAGE,
        message="a quote is opened and not closed on this line",
        why="Other readers swallow all lines up to the next quote.",
        fix="close the quote, and double a quote inside a cell",
    ),
)

_ODD: Final = (
    _rule(
        "row.line_break_in_cell",
        _WARN,
        Source.PACKAGE,
        message="a cell holds a line break",
        why="Readers that go line by line see two broken rows.",
        fix="the standard allows no line breaks inside a cell",
    ),
    _rule(
        "row.bare_carriage_return",
        _WARN,
        Source.PACKAGE,
        message="a line ends in a carriage return alone",
        why="Many readers do not see the end of the row.",
        fix="end lines with CR LF or LF",
    ),
    _rule(
        "row.bare_quote",
        _WARN,
        Source.PACKAGE,
        message="a quote stands inside a cell that is not quoted",
        why="Readers differ in what they make of it.",
        fix="put the cell in double quotes and double the quote inside",
    ),
    _rule(
        "row.blank_line",
        _WARN,
        Source.PACKAGE,
        message="the line is blank",
        why="Some readers take it for a row without cells.",
        fix="leave blank lines out",
    ),
    _rule(
        "cell.spelling",
        _WARN,
        Source.TYPES,
        message="not the standard's spelling; understood and rewritten",
        why="Values are case-sensitive, and other receivers do not know the word.",
        fix="write words, true and false and dates as the standard does, without blanks around",
        layer=Layer.CELL,
    ),
    _rule(
        "excel.boolean",
        _WARN,
        Source.TYPES,
        message="TRUE or FALSE in capitals, as Excel writes it; understood and rewritten",
        why="Values are case-sensitive; and what Excel has saved may lack leading zeros, too.",
        fix="write true and false, and do not save the files of a package from Excel",
        layer=Layer.CELL,
    ),
)

_PULL: Final = (
    _rule(
        "pull.unreadable",
        _STOP,
        Source.PRACTICE,
        message="this says that a roster was pulled, and not which",
        why="Its version and collections are not known.",
        fix="pull the roster again",
    ),
    _rule(
        "pull.line",
        _STOP,
        Source.PRACTICE,
        message="the line is not a record in JSON",
        why="The rows that cannot be read would be taken for deletions.",
        fix="pull the roster again",
    ),
    _rule(
        "pull.extra_property",
        _WARN,
        Source.REST,
        message="the standard has no such property; it was kept and not read",
        why="What it says reaches nobody; a property that is missing may have been sent under this "
        "name.",
        fix="name it as the standard does, or put it into metadata",
    ),
    _rule(
        "pull.metadata",
        _WARN,
        Source.PRACTICE,
        message="metadata has more than 200 names; the others were kept and not read",
        why="Each name is a column, and so many take hours to read. What each record has a name "
        "of its own for may be a value.",
        fix="use the same few names in all records, and put what differs into the values",
    ),
    _rule(
        "pull.blank_in_id",
        _WARN,
        Source.TYPES,
        message="sourcedIds have blanks in them; each blank was made an underscore",
        why="A sourcedId has none, and receivers refuse the row or look for another one.",
        fix="take the blanks out of the sourcedIds where they are made, if the server can",
        layer=Layer.CELL,
    ),
    _rule(
        "pull.merged",
        _WARN,
        Source.PRACTICE,
        message="records with one sourcedId differ here, and were made one: of the cells that are "
        "filled that of the newest record stayed",
        why="The other records may be right. Access is taken away only if all of them say so: one "
        "that says enabledUser true, has no endDate or a later one, or does not say tobedeleted, "
        "is enough to keep it.",
        fix="mend the records that are wrong; they are one person to everyone who reads them",
        layer=Layer.KEY,
    ),
)

_MAPPING: Final = (
    _rule(
        "mapping.differs",
        _WARN,
        Source.PRACTICE,
        message="a row above says other things of the same sourcedId; that one was taken",
        why="Which of the rows is right cannot be known.",
        fix="let all rows say the same, or see that the mapping does not give two things one "
        "sourcedId",
        layer=Layer.KEY,
    ),
)

READING: Final[tuple[Rule, ...]] = (
    *_ARCHIVE,
    *_MEMBERS,
    *_MANIFEST,
    *_HEADER,
    *_FILE,
    *_BROKEN,
    *_ODD,
    *_PULL,
    *_MAPPING,
)

RULES: Final[Mapping[str, Rule]] = {rule.code: rule for rule in READING}
