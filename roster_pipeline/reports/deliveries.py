"""What was sent to destinations, and what each has."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from roster_pipeline.receivers.sending import Sent
from roster_pipeline.reports.changes import changes_text, moved
from roster_pipeline.reports.holds import moment, shown
from roster_pipeline.reports.tables import text_table
from roster_pipeline.store import Delivery


def sent_sentence(sent: Sent) -> str:
    """What was brought to a destination, in one line or two."""
    this = sent.delivery
    said = f"Delivered to {this.destination}: {this.path}, {this.size:,} bytes"
    if this.receipt.get("mode") == "delta":
        rows = sum(this.receipt.get("rows", {}).values())
        said += f", {rows:,} changed rows"
    if this.receipt.get("again"):
        said += ", once more"
    why = f" The whole roster, as {sent.why_bulk}." if sent.why_bulk else ""
    return f"{said}.{why}"


def sent_document(sent: Sent) -> dict[str, Any]:
    """What was, or would be, brought to a destination, as JSON."""
    return {
        **delivery_document(sent.delivery),
        "news": sent.news,
        "why_bulk": sent.why_bulk,
        "left_out": dict(sent.left_out),
        "difference": None if sent.difference is None else moved(sent.difference),
    }


def delivery_document(delivery: Delivery) -> dict[str, Any]:
    """One delivery as JSON; the moment in UTC."""
    receipt = delivery.receipt
    return {
        "destination": delivery.destination,
        "source": delivery.source,
        "at": moment(delivery.at),
        "roster": delivery.content_hash,
        "mode": receipt.get("mode", "bulk"),
        "path": delivery.path,
        "bytes": delivery.size,
        "sha256": delivery.package_hash,
        "rows": dict(receipt.get("rows", {})),
        "left_out": dict(receipt.get("left_out", {})),
        "confirmed": confirmed_how(receipt),
        "again": receipt.get("again") is not None,
    }


def confirmed_how(receipt: Mapping[str, Any]) -> str:
    """By what it is known that a destination has a package."""
    if receipt.get("same"):
        return "nothing new"
    if receipt.get("committed"):
        return "committed" if receipt.get("sent", True) else "committed before"
    if receipt.get("read_back") is False:
        return "accepted by its server"
    return "read back" if receipt.get("sent", True) else "lay there already"


def deliveries_text(deliveries: Sequence[Delivery], attempts: Sequence[Delivery]) -> RenderableType:
    """What went when to a destination, newest last, and what is open."""
    if not deliveries and not attempts:
        return Text("Nothing was delivered yet.")
    header = ("when", "source", "roster", "mode", "rows", "bytes", "confirmed", "path")
    rows = [
        (
            shown(one.at),
            one.source,
            one.content_hash[:12],
            str(one.receipt.get("mode", "bulk")),
            sum(one.receipt.get("rows", {}).values()),
            one.size,
            "not yet" if place >= len(deliveries) else confirmed_how(one.receipt),
            one.path,
        )
        for place, one in enumerate((*deliveries, *attempts))
    ]
    parts: list[RenderableType] = [text_table(header, rows)]
    newest = {one.source: one for one in deliveries}
    for source, one in newest.items():
        if counts := _counted(one.receipt.get("left_out", {})):
            parts.append(Text(f"Not in the last delivery of {source}: {counts}."))
    if attempts:
        parts.append(
            Text("What is not confirmed may have arrived; the next delivery makes it good.")
        )
    return Group(*parts)


def difference_text(document: Mapping[str, Any], last: Delivery | None = None) -> RenderableType:
    """What would be sent, what of the roster would not, and what differs from what a destination
    was last confirmed to have, of `sent_document`. `last` is what it was sent, if anything was."""
    parts: list[RenderableType] = []
    if document["news"]:
        parts.append(Text(f"In it: {_counted(document['rows']) or 'no rows'}."))
    if counts := _counted(document["left_out"]):
        parts.append(Text(f"Not in it: {counts}."))
    difference = document["difference"]
    if document["again"]:
        return Group(*parts)
    if difference is None:
        parts.append(Text(_not_compared(last)))
    elif not difference:
        parts.append(Text("No row differs from what was delivered last."))
    else:
        parts += [Text("Compared with what was delivered last:"), changes_text(difference)]
    return Group(*parts)


def _not_compared(last: Delivery | None) -> str:
    if last is None:
        return "Nothing was delivered before."
    whole = last.receipt.get("mode", "bulk") == "bulk"
    rows = _counted(last.receipt.get("rows", {})) if whole else ""
    return (
        "What it has was made otherwise (of another scope, mask or format, or by another version), "
        f"or is not known, so rows cannot be compared.{f' It was sent {rows}.' if rows else ''}"
    )


def _counted(rows: Mapping[str, int]) -> str:
    """Rows by entity, or by file where the files are the receiver's own."""
    return ", ".join(
        f"{number:,} {'in ' if '.' in name else ''}{name}"
        for name, number in rows.items()
        if number
    )
