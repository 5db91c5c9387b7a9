"""A few horizontal bars as one Markdown image, small enough for Dagster's inline view.

The Dagster UI strips raw HTML and inline SVG from Markdown and shows it inline only under 1,000
characters, but an image whose address is an SVG in base64 renders: about 500 characters for three
bars.
"""

from base64 import b64encode
from collections.abc import Mapping
from typing import Final
from xml.sax.saxutils import escape

_ROW: Final = 16
_LABEL: Final = 150
_LENGTH: Final = 120
# Grey and teal are legible on the UI's light and dark grounds alike.
_INK: Final = "#888"
_BAR: Final = "#3a9"


def bar_svg(values: Mapping[str, int], *, title: str = "counts") -> str:
    """A Markdown image with a row for each value: its label, the figure, and a bar.

    `values` are non-negative counts in the order wanted; the highest has the full length, and one
    above zero is never drawn as nothing. Labels are names of entities or kinds, never data.
    """
    longest = max(values.values(), default=0)
    bars, texts = [], []
    for row, (label, value) in enumerate(values.items()):
        width = max(1, round(_LENGTH * value / longest)) if value > 0 else 0
        bars.append(f"M{_LABEL} {row * _ROW + 8}h{width}")
        texts.append(f'<text y="{row * _ROW + 12}">{escape(label)} {value:,}</text>')
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LABEL + _LENGTH}"'
        f' height="{_ROW * len(values)}" style="font:11px sans-serif" fill="{_INK}">'
        f'<path stroke="{_BAR}" stroke-width="9" d="{"".join(bars)}"/>{"".join(texts)}</svg>'
    )
    return f"![{title}](data:image/svg+xml;base64,{b64encode(svg.encode()).decode()})"
