"""What is known of receivers, for people and programs; and docs/receivers/.

`python -m roster_pipeline.reports.receivers docs/receivers` writes the pages.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from roster_pipeline.oneroster.entities import BULK_BLANK, SECRET
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.package import tables
from roster_pipeline.receivers import profiles
from roster_pipeline.receivers.columns.config import ColumnsFormat
from roster_pipeline.receivers.in_force import leaving
from roster_pipeline.receivers.in_force_config import Time
from roster_pipeline.receivers.profiles import OneRosterFormat, Profile
from roster_pipeline.receivers.staying import roles_spoken
from roster_pipeline.reports.own_files import check_lines, spelling_lines
from roster_pipeline.reports.tables import markdown_table, text_table

INDEX: Final = "README.md"
_HEAD: Final = """\
# Where rosters go

A page for each receiver that a destination's file can name: what it gets, what to ask its people
for, and what is looked at before sending. Made from the profiles by `make docs`;
`roster receiver show RECEIVER` says the same of one.

{table}

Variants that do not contradict one another go together, as a list: `variant: [federated, ahead]`.
Another receiver: [columns of your own](csv.md), or
[tables in PostgreSQL](../send-to-postgresql.md).
"""
_MODES: Final = {"bulk": "everything each time", "delta": "only what changed (`mode: delta`)"}
_ELSE: Final = "[What else it may say](../send-packages.md#what-a-destination-says)."
_MORE: Final = (
    "`roster receiver show RECEIVER` says what to ask its people, which variants there are, and "
    "what a destination's file looks like."
)


# ---- for programs ----


def receivers_document(known: Mapping[str, Profile]) -> dict[str, Any]:
    """All profiles as JSON."""
    return {
        "schema": "roster.receivers/1",
        "receivers": [
            {
                "receiver": name,
                "title": profile.title,
                "format": _format(profile),
                "modes": list(profile.modes),
                "variants": list(profile.variants),
            }
            for name, profile in known.items()
        ],
    }


def receiver_document(name: str, profile: Profile) -> dict[str, Any]:
    """One profile as JSON."""
    return {
        "schema": "roster.receiver/1",
        "receiver": name,
        "title": profile.title,
        "about": profile.about,
        "format": _format(profile),
        "modes": list(profile.modes),
        "archive": profile.archive.model_dump(mode="json"),
        "files": [{"file": file, "columns": list(columns)} for file, columns in _files(profile)],
        "roles": None if profile.oneroster is None else dict(_roles(profile.oneroster)),
        "ask": list(profile.ask),
        "checks": [
            check.model_dump(mode="json", exclude_defaults=True) for check in profile.checks
        ],
        "variants": {name: _title(profile, name) for name in profile.variants},
    }


# ---- for a terminal ----


def receivers_text(known: Mapping[str, Profile]) -> RenderableType:
    """All profiles for a terminal."""
    rows = [
        (name, _format(profile), ", ".join(profile.modes), profile.title)
        for name, profile in known.items()
    ]
    return Group(text_table(("receiver", "gets", "modes", "title"), rows), Text(), Text(_MORE))


def receiver_text(name: str, profile: Profile, variant: str | None = None) -> RenderableType:
    """One profile for a terminal, in one of its variants if that is named."""
    parts: list[RenderableType] = [Text(f"{profile.title} ({name})", style="bold")]
    if profile.about:
        parts.append(Text(profile.about))
    files = [f"{file}: {', '.join(columns)}" for file, columns in _files(profile)]
    parts += _titled("How it goes out:", _package(profile))
    parts += _titled("Files, and the columns that are filled:", files)
    parts += _titled("Who is what there:", _role_lines(profile))
    parts += _titled("To ask its people:", profile.ask)
    parts += _titled("Looked at before sending:", _check_lines(profile))
    parts += _titled(
        "Variants (`variant:`):", (f"{one}: {_title(profile, one)}" for one in profile.variants)
    )
    parts += _titled("A destination's file:", sample(name, profile, variant).splitlines())
    return Group(*parts)


def _titled(title: str, lines: Iterable[str]) -> list[RenderableType]:
    listed = [f"  {line}" for line in lines]
    return [Text(), Text(title, style="bold"), *map(Text, listed)] if listed else []


# ---- pages ----


def receiver_page(name: str, profile: Profile) -> str:
    """What a profile says, as Markdown."""
    variants = [(f"`{variant}`", _title(profile, variant)) for variant in profile.variants]
    files = [(f"`{file}`", _codes(columns)) for file, columns in _files(profile)]
    parts = [
        f"# {profile.title}",
        *([profile.about] if profile.about else []),
        *_section("What to ask them", _listed(profile.ask)),
        *_section("A destination", f"```yaml\n{sample(name, profile)}```\n\n{_ELSE}"),
        *_section("How it goes out", _listed(_package(profile))),
        *_section("Who is what there", _listed(_role_lines(profile))),
        *_section("Looked at before sending", _listed(_check_lines(profile))),
        *_section("Variants", markdown_table(("`variant:`", "what it is"), variants)),
        *_section("Files", markdown_table(("file", "columns that are filled"), files)),
    ]
    return "\n\n".join(parts) + "\n"


def sample(name: str, profile: Profile, variant: str | None = None) -> str:
    """A destination's file for this receiver, with what is to be filled in."""
    zip_name = profile.archive.name
    # Two receivers may want one name on one server, and each a folder of its own.
    path = f"/{name.rpartition('-')[2]}/{zip_name}" if zip_name else "/in/{source}.zip"
    chosen = f"variant: {variant}\n" if variant else ""
    id_ = name.replace(".", "-")
    variable = id_.upper().replace("-", "_")
    own = _OWN_COLUMNS if profile.columns == "of-the-destination" else ""
    return f"""\
# destinations/{id_}.yaml
id: {id_}
profile: {name}
{chosen}sources: [springfield]
transport:
  sftp:
    host: {profile.host or f"sftp.{id_}.example"}
    username: springfield
    password: {{env: {variable}_PASSWORD}}
    known_hosts: known_hosts
path: {path}
{own}"""


_TIMES: Final[Mapping[Time, str]] = {"over": "over", "to_come": "still to come"}
_OWN_COLUMNS: Final = """\
columns:
  files:
    students.csv:
      rows: students
      columns:
        Student ID: {value: "{sourcedId}", required: true}
        Name: "{familyName}, {givenName}"
"""


def pages() -> dict[str, str]:
    """The name of each page → what a profile says on it."""
    known = {name: profiles.load(name) for name in profiles.names()}
    rows = [
        (f"[{profile.title}]({name}.md)", f"`{name}`", _format(profile), ", ".join(profile.modes))
        for name, profile in known.items()
    ]
    table = markdown_table(("receiver", "`profile:`", "gets", "modes"), rows)
    written = {f"{name}.md": receiver_page(name, profile) for name, profile in known.items()}
    return {INDEX: _HEAD.format(table=table), **written}


def _section(title: str, text: str) -> Iterator[str]:
    if text and text != "none":
        yield f"## {title}"
        yield text


def _listed(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


# ---- what a profile says ----


def _format(profile: Profile) -> str:
    if profile.oneroster is not None:
        return f"OneRoster {profile.oneroster.version}"
    return "columns that you say" if profile.columns == "of-the-destination" else "its own files"


def _title(profile: Profile, variant: str) -> str:
    return str(profile.variants[variant].get("title", ""))


def _files(profile: Profile) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each file with its columns, as they are spelled there; those that stay empty left out."""
    if isinstance(profile.columns, ColumnsFormat):
        for file, said in profile.columns.files.items():
            yield file, tuple(said.ordered)
    if (form := profile.oneroster) is None:
        return
    for entity, table in tables(Version(form.version)).items():
        if form.files is not None and entity not in form.files:
            continue
        empty = {*form.blank.get(entity, ()), *SECRET}
        if "delta" not in profile.modes:
            empty |= set(BULK_BLANK)
        spelt = form.spelling.get(entity, {})
        names = [column.name for column in table if column.name not in empty]
        yield f"{entity}.csv", tuple(spelt.get(name, name) for name in names)


def _check_lines(profile: Profile) -> Iterator[str]:
    for check in profile.checks:
        yield f"{check.says}{'; otherwise nothing is sent' if check.stops else ''}."
    if isinstance(profile.columns, ColumnsFormat):
        yield from check_lines(profile.columns)
    elif profile.columns is not None:
        yield "What `required`, `among`, `words` and `unique` say under `columns`."
    elif not profile.checks:
        yield "Nothing more than what each roster is judged by when it comes in (`roster rules`)."


def _package(profile: Profile) -> Iterator[str]:
    archive = profile.archive
    what = "One zip" if archive.kind == "zip" else "Loose files"
    yield f"{what}{f' called {archive.name}' if archive.name else ''}: {_format(profile)}."
    yield f"It takes {' or '.join(_MODES[mode] for mode in profile.modes)}."
    if archive.most_bytes is not None:
        yield f"At most {archive.most_bytes:,} bytes; more is not sent."
    if profile.oneroster is not None:
        yield from _of_oneroster(profile.oneroster)
    elif isinstance(profile.columns, ColumnsFormat):
        yield from spelling_lines(profile.columns)
    for entity, times in leaving(profile).items():
        which = " or ".join(_TIMES[time] for time in _TIMES if time in times)
        but = ", unless somebody has no other" if entity == "roles" else ""
        yield f"Without {entity} that are {which} on the day{but}."


def _of_oneroster(form: OneRosterFormat) -> Iterator[str]:
    if not form.manifest:
        yield "Without a manifest."
    elif form.files is not None:
        yield "Other files of the standard are declared absent in the manifest."
    if form.newline == "lf":
        yield "Lines end with a line feed alone."
    for entity, columns in form.blank.items():
        yield f"Of {entity} these columns stay empty: {', '.join(columns)}."
    if form.metadata is None:
        yield "Metadata columns go along."
    else:
        kept = ", ".join(form.metadata)
        yield (
            f"Of metadata columns {kept or 'none'} go along."
            if kept
            else ("Metadata columns stay at home.")
        )
    if form.ids == "prefixed_where_they_clash":
        yield "A sourcedId that another file has as well gets a prefix, such as `class-`."
    if form.primary == "teachers":
        yield "`primary` is told of teachers' enrollments alone."
    if form.people.names == "preferred":
        yield "People go by their preferred names."
    if form.people.role_column is not None:
        yield f"`metadata.{form.people.role_column}` tells the role in our own word."


def _roles(form: OneRosterFormat) -> Iterator[tuple[str, str]]:
    """The receiver's word for each role that is called otherwise, or only taken, there."""
    yield from sorted((roles_spoken(form) or {}).items())


def _role_lines(profile: Profile) -> Iterator[str]:
    if (form := profile.oneroster) is None or not (spoken := roles_spoken(form)):
        return
    for word in sorted(set(spoken.values())):
        ours = sorted(role for role, said in spoken.items() if said == word)
        yield f"{word}: {', '.join(ours)}"
    if form.people.precedence:
        first = ", ".join(form.people.precedence)
        yield f"Who is several of these is the first of: {first}."
    yield (
        "Everybody else is left out and counted, with enrollments and demographics, and as "
        "somebody's agent."
    )


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    for called, page in pages().items():
        (folder / called).write_text(page, encoding="utf-8")
