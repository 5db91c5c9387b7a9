"""What a mapping takes of a vendor's own files, and what it makes of them."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.sources.mapping.config import CsvMapping, SourceFile
from roster_pipeline.sources.mapping.names import names_used


def mapping_document(mapping: CsvMapping) -> dict[str, Any]:
    """The files of a mapping with their columns, and the entities that are made, as JSON."""
    return {
        "version": mapping.version,
        "files": [
            {
                "name": file.name,
                "required": file.required,
                "columns": list(names_used(mapping, key)),
                "optional": list(file.optional),
                "ignore": list(file.ignore),
            }
            for key, file in mapping.files.items()
        ],
        "makes": _made(mapping),
    }


def file_lines(mapping: CsvMapping) -> Iterator[str]:
    """Each file of a mapping with the columns that are taken of it, in sentences."""
    for key, file in mapping.files.items():
        yield f"{file.name}{'' if file.required else ' (may be missing)'}: {_columns(mapping, key)}"
        if file.ignore:
            yield f"  known, and not taken: {', '.join(file.ignore)}"


def makes_sentence(mapping: CsvMapping) -> str:
    """What is made of the files, in a sentence."""
    return f"Makes {', '.join(_made(mapping))} of OneRoster {mapping.version}."


def _columns(mapping: CsvMapping, key: str) -> str:
    file = mapping.files[key]
    told = [_told(name, file) for name in names_used(mapping, key)]
    return ", ".join(told) or "nothing is taken of it"


def _told(name: str, file: SourceFile) -> str:
    may_lack = any(fnmatchcase(name.casefold(), one.casefold()) for one in file.optional)
    return f"{name} (may be missing)" if may_lack else name


def _made(mapping: CsvMapping) -> list[str]:
    return [entity for entity in ENTITIES if mapping.tables.of(entity)]
