"""What a package is worth: its rows, its findings, and a verdict in one sentence."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal

from rich.console import Group, RenderableType
from rich.text import Text

from roster_pipeline.oneroster.entities import REQUIRED_1P2
from roster_pipeline.oneroster.findings import FindingGroup, Findings, Severity
from roster_pipeline.oneroster.rules import Profile
from roster_pipeline.quality.rules import RULES
from roster_pipeline.reports.causes import Causes, Values, causes_of
from roster_pipeline.reports.causes_text import causes_text
from roster_pipeline.reports.findings import STYLES, findings_sentence, summarise
from roster_pipeline.reports.findings_lines import json_lines
from roster_pipeline.reports.repairs import Repaired, repaired_sentence
from roster_pipeline.reports.tables import Cell, printable, text_table

SCHEMA: Final = "roster.check/2"
_CODES: Final = 15


@dataclass(frozen=True)
class Checked:
    """A package that was checked. Numbers are rows of the package by entity."""

    package: str
    version: str | None
    usable: bool
    """Whether anything of it would be taken."""
    findings: Findings
    profile: Profile = Profile.LENIENT
    rows: Mapping[str, int] = field(default_factory=dict)
    """Good ones."""
    held: Mapping[str, int] = field(default_factory=dict)
    gone: Mapping[str, int] = field(default_factory=dict)
    """Rows that go with a row that they refer to."""
    unsent: tuple[str, ...] = ()
    """Entities whose file has a header and no rows."""
    values: Values | None = None
    """The cells of the findings, where they were asked for."""
    repaired: Repaired = field(default_factory=dict)
    """Cells mended as the source's file says, or its vendor's profile."""

    @cached_property
    def causes(self) -> Causes:
        """What is at fault, in the order in which to mend it."""
        return causes_of(self.findings, values=self.values)

    @property
    def verdict(self) -> Literal["valid", "invalid"]:
        """`valid` where nothing is worse than a warning."""
        return "valid" if self.findings.worst() in (None, Severity.WARN) else "invalid"


def unreadable(package: str, code: str, message: str) -> Checked:
    """A package that cannot be opened, for whatever reason an `ArchiveError` has a code."""
    rule = RULES.get(f"package.{code}")
    fix = rule.fix if rule else "export the package again"
    finding = FindingGroup.one(f"package.{code}", Severity.STOP, message, package, fix=fix)
    return Checked(package, None, False, Findings([finding]))


# ---- for a program ----


def check_json(checked: Checked) -> Iterator[str]:
    """The check of a package as one JSON document, as docs/command.md lays it down, in pieces."""
    head = json.dumps(_head(checked), indent=2, ensure_ascii=False).removesuffix("\n}")
    yield f'{head},\n  "findings": ['
    before = "\n    "
    for line in json_lines(checked.findings, checked.values):
        yield f"{before}{line}"
        before = ",\n    "
    yield "\n  ]\n}\n" if checked.findings else "]\n}\n"


def _head(checked: Checked) -> dict[str, Any]:
    severities = {str(severity): len(checked.findings.of(severity)) for severity in Severity}
    return {
        "schema": SCHEMA,
        "package": checked.package,
        "verdict": checked.verdict,
        "version": checked.version,
        "profile": str(checked.profile),
        "counts": {
            "rows": dict(checked.rows),
            "held": {entity: count for entity, count in checked.held.items() if count},
            "severity": severities,
            "codes": checked.findings.counts(),
            "causes": checked.causes.count,
            "repaired": {column: dict(of) for column, of in checked.repaired.items()},
        },
    }


# ---- for a person ----


def check_text(checked: Checked) -> RenderableType:
    """The check of a package for a terminal: rows, findings by code, causes, the verdict last."""
    version = f"OneRoster {checked.version}" if checked.version else "version unknown"
    title = f"{checked.package}: {version}, {checked.profile} profile"
    parts: list[RenderableType] = [Text(printable(title)), Text()]
    if checked.rows:
        parts += [_rows_table(checked), Text()]
    if checked.repaired:
        parts += [Text(printable(repaired_sentence(checked.repaired))), Text()]
    if checked.findings:
        parts += [_codes_table(checked.findings), Text()]
        parts += [causes_text(checked.causes), Text(), _further(checked), Text()]
    return Group(*parts, verdict(checked))


def _rows_table(checked: Checked) -> RenderableType:
    header = ["entity", "good rows", "held back"]
    columns = [checked.rows, checked.held]
    if any(checked.gone.values()):
        header.append("gone with others")
        columns.append(checked.gone)
    rows: list[list[Cell]] = [
        [entity, *(of.get(entity, 0) for of in columns)] for entity in checked.rows
    ]
    return text_table(header, rows)


def _codes_table(findings: Findings) -> RenderableType:
    summaries = summarise(findings, lines=1)
    rows = [
        (Text(str(s.severity), style=STYLES[s.severity]), s.code, s.count, s.following)
        for s in summaries[:_CODES]
    ]
    if rest := summaries[_CODES:]:
        count, following = sum(s.count for s in rest), sum(s.following for s in rest)
        rows.append((Text("…"), f"{len(rest)} more codes", count, following))
    return text_table(("severity", "code", "findings", "of these follow from others"), rows)


def _further(checked: Checked) -> Text:
    code = checked.causes.listed[0].code
    said = f"`roster rules {code}` explains a rule; `--format csv` lists every finding"
    if checked.values is None:
        said += "; `--values` shows the cells, with what is personal masked"
    return Text(f"{said}.", style="dim")


def verdict(checked: Checked) -> Text:
    """What the findings mean for a sync."""
    said = findings_sentence(checked.findings)
    if checked.causes.following:
        said += f" {checked.causes.following:,} of them follow from others."
    if not checked.usable:
        return Text(f"Invalid: a sync would stop here and take nothing. {said}", style="bold red")
    gone = sum(checked.gone.values())
    if gone:
        said = f"{gone:,} {'row goes' if gone == 1 else 'rows go'} with others. {said}"
    if checked.unsent:
        said = f"{_unsent(checked.unsent)} {said}"
    if checked.verdict == "invalid":
        return Text(
            f"Invalid: a sync would go on without what is held or blanked. {said}",
            style="bold yellow",
        )
    if checked.unsent:
        return Text(f"Valid, and yet not all of a roster. {said}", style="bold yellow")
    if gone:
        return Text(f"Valid, and yet not all of it would be taken. {said}", style="bold yellow")
    return Text(f"Valid: a sync would take all of it. {said}", style="bold green")


def _unsent(entities: tuple[str, ...]) -> str:
    """What becomes of entities whose file has a header alone."""
    said = f"Nothing was sent of {', '.join(entities)}, whose accepted rows stay."
    if any(entity in REQUIRED_1P2 for entity in entities):
        said += " A sync that changes anything else asks a person first."
    return said
