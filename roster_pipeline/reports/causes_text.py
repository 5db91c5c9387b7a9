"""Causes for a terminal, in the order in which to mend them."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from roster_pipeline.oneroster.findings import Findings
from roster_pipeline.quality.rules import RULES
from roster_pipeline.reports.causes import (
    Absent,
    Cause,
    Causes,
    Place,
    Spot,
    Values,
    causes_of,
    fix_rank,
)
from roster_pipeline.reports.effects import effect
from roster_pipeline.reports.findings import STYLES
from roster_pipeline.reports.tables import printable

_CAUSES: Final = 40
_SENTENCES: Final = 4
_SPOTS: Final = 4
_ABSENT: Final[Mapping[str, str]] = {
    "reference.unknown": "never seen",
    "reference.removed": "gone",
    "excel.leading_zeros": "there only with other leading zeros",
}


def findings_text(
    findings: Findings, *, places: int = 3, values: Values | None = None
) -> RenderableType:
    """Findings for a terminal by what is at fault; what follows is counted beside its cause."""
    if not findings:
        return Text("Nothing to report.", style="green")
    return causes_text(causes_of(findings, places=places, values=values))


def causes_text(causes: Causes) -> RenderableType:
    """First what keeps anything from being taken, or takes it away, then what changes nothing."""
    grave = [cause for cause in causes.listed if not cause.harmless]
    light = [cause for cause in causes.listed if cause.harmless]
    parts: list[RenderableType] = []
    explained: set[str] = set()
    for title, some in (("To mend, in this order", grave), ("Worth a look", light)):
        if not some:
            continue
        parts.append(Text(title, style="bold"))
        for number, cause in enumerate(some[:_CAUSES], 1):
            parts += [Text(), *_cause(cause, f"{number}." if some is grave else "–", explained)]
        if rest := some[_CAUSES:]:
            count = sum(cause.count for cause in rest)
            parts += [Text(), Text(f"… and {len(rest)} more kinds with {count:,} findings.")]
        parts.append(Text())
    return Group(*parts[:-1])


def _cause(cause: Cause, number: str, explained: set[str]) -> Iterable[RenderableType]:
    """What is wrong, where, how to mend it, and for a code not explained yet why it matters."""
    head = Text(f"{number} ")
    if cause.entity:
        head.append(f"{cause.entity}  ", style="bold")
    head.append(cause.code, style=STYLES[cause.severity])
    head.append(f"  {printable(_counted(cause))}")
    if cause.following:
        head.append(f"; {_following(cause)}: {_by_entity(cause.follow)}", style="bold")
    yield head
    yield from _absent(cause) if cause.absent else _sentences(cause.spots)
    rule = RULES.get(cause.code)
    if rule is not None and cause.absent:
        yield _labelled("To mend it", rule.fix, "green")
    if rule is not None and not cause.harmless and cause.code not in explained:
        explained.add(cause.code)
        yield _labelled("Why it matters", rule.why, "dim")


def _following(cause: Cause) -> str:
    one = cause.following == 1
    if cause.absent and cause.code == "reference.removed":
        does = f"{'goes' if one else 'go'} with {'it' if cause.count == 1 else 'them'}"
    else:
        does = "follows" if one else "follow"
    return f"{cause.following:,} {'row' if one else 'rows'} {does}"


def _by_entity(follow: Mapping[str, int]) -> str:
    ordered = sorted(follow, key=lambda entity: (fix_rank(entity), entity))
    return ", ".join(f"{follow[entity]:,} in {entity}" for entity in ordered)


def _counted(cause: Cause) -> str:
    if not cause.absent:
        return f"{cause.count:,} × {effect(cause.code, cause.severity)}"
    what = _ABSENT.get(cause.code, "held back")
    if cause.count == 1:
        return f"{cause.absent[0].sourced_id}: {what}"
    return f"{cause.count:,} rows that others refer to: {what}"


def _labelled(label: str, words: str, style: str) -> Text:
    text = Text("    ")
    text.append(f"{label}: ", style=style)
    text.append(printable(words))
    return text


def _sentences(spots: Sequence[Spot]) -> Iterable[Text]:
    """The spots by their sentence; the sentences with most findings first."""
    ordered: dict[tuple[str, str], list[Spot]] = {}
    for spot in spots:
        ordered.setdefault((spot.message, spot.fix), []).append(spot)
    said = list(ordered.items())
    left = sum(spot.count for _, some in said[_SENTENCES:] for spot in some)
    by_fix = [
        (fix, list(alike)) for fix, alike in groupby(said[:_SENTENCES], key=lambda item: item[0][1])
    ]
    for number, (fix, alike) in enumerate(by_fix, 1):
        for (message, _), some in alike:
            yield Text(f"    {printable(message)}")
            for spot in some[:_SPOTS]:
                yield from _spot(spot)
            if rest := some[_SPOTS:]:
                yield _more(sum(spot.count for spot in rest), "elsewhere")
        if left and number == len(by_fix):
            yield _more(left, "of this kind")
        if fix:
            yield _labelled("To mend it", fix, "green")


def _spot(spot: Spot) -> Iterable[Text]:
    more = spot.count - len(spot.places)
    if any(place.value is not None for place in spot.places):
        for place in spot.places:
            yield Text(f"      {_named(place)}", style="dim")
        if more > 0:
            yield _more(more, "")
        return
    # Ids are long; of several places the other formats have them.
    named = _named if spot.count == 1 else lambda place: printable(str(place))
    text = Text("      " + ", ".join(map(named, spot.places)), style="dim")
    if more > 0:
        text.append(f" and {more:,} more", style="dim")
    yield text


def _named(place: Place) -> str:
    said = str(place) if place.sourced_id is None else f"{place} ({place.sourced_id})"
    return printable(said if place.value is None else f"{said}: “{place.value}”")


def _more(count: int, where: str) -> Text:
    return Text(f"      … and {count:,} more {where}".rstrip(), style="dim")


def _absent(cause: Cause) -> Iterable[Text]:
    if cause.count == 1:
        yield Text(f"      first missed at {printable(str(cause.absent[0].first))}", style="dim")
        return
    for absent in cause.absent:
        yield Text(f"      {_missed(absent)}", style="dim")
    if (more := cause.count - len(cause.absent)) > 0:
        yield _more(more, "")


def _missed(absent: Absent) -> str:
    rows = "row" if absent.rows == 1 else "rows"
    return printable(f"{absent.sourced_id}: {absent.rows:,} {rows}, first {absent.first}")
