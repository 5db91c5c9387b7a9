"""sourcedIds as a receiver takes them: with a prefix where two kinds clash, of signs that it knows.

What an id becomes depends on nothing but the id and on whether it, or it with its prefix, clashes,
and different ids stay different but for those that somebody made to look alike. Whoever changes
this renames everything.
"""

import re
from collections.abc import Collection
from functools import cache, cached_property
from typing import Any, Final

import numpy as np
import pyarrow as pa

from roster_pipeline.receivers.columns.beside import Beside
from roster_pipeline.receivers.columns.cells import Cells, content_of, one
from roster_pipeline.receivers.columns.config import Ids
from roster_pipeline.receivers.columns.views import hashes_of
from roster_pipeline.tables.arrow import pc
from roster_pipeline.tables.hashes import text_hashes
from roster_pipeline.tables.keys import KeySet, distinct
from roster_pipeline.tables.text import series

_NOTHING: Final = pa.scalar("", pa.large_string())


class AsIds:
    """The ids of one roster, as a format wants them."""

    def __init__(self, ids: Ids, beside: Beside) -> None:
        self._ids = ids
        self._beside = beside
        self._above: dict[str, KeySet] = {}

    def __call__(self, kind: str, cells: Cells) -> Cells:
        """sourcedIds of a kind as they are written."""
        return self._of_known_signs(self._prefixed(kind, cells))

    def _prefixed(self, kind: str, cells: Cells) -> Cells:
        if self._ids.prefix == "never":
            return cells
        prefix = pa.scalar(self._ids.kinds[kind].prefix, pa.large_string())
        with_prefix: Any = pc.binary_join_element_wise(prefix, cells, _NOTHING)
        if self._ids.prefix == "always":
            return one(with_prefix)
        clash = self._taken(kind).contains(text_hashes(series(cells)))
        if not clash.any():
            return cells
        again = clash & self._everything.contains(text_hashes(series(with_prefix)))
        while again.any():
            longer = pc.binary_join_element_wise(prefix, with_prefix, _NOTHING)
            with_prefix = pc.if_else(pa.array(again), longer, with_prefix)
            again = clash & self._everything.contains(text_hashes(series(with_prefix)))
        return one(pc.if_else(pa.array(clash), with_prefix, cells))

    @cached_property
    def _everything(self) -> KeySet:
        """The ids of all kinds."""
        return self._of({kind.of for kind in self._ids.kinds.values()})

    def _taken(self, kind: str) -> KeySet:
        """The ids of the kinds above one."""
        if kind not in self._above:
            kinds = list(self._ids.kinds)
            above = {self._ids.kinds[name].of for name in kinds[: kinds.index(kind)]}
            self._above[kind] = self._of(above)
        return self._above[kind]

    def _of(self, views: Collection[str]) -> KeySet:
        hashes = [hashes_of(view, self._beside) for view in sorted(views)]
        nothing = np.empty(0, dtype=np.uint64)
        return KeySet(distinct(np.concatenate([nothing, *hashes])))

    def _of_known_signs(self, cells: Cells) -> Cells:
        if self._ids.signs is None:
            return cells
        known = re.compile(f"[{self._ids.signs}]")
        odd = content_of(cells).translate(None, _ascii_of(self._ids.signs)).decode()
        for sign in sorted(sign for sign in set(odd) if not known.fullmatch(sign)):
            cells = pc.replace_substring(cells, sign, f"-{ord(sign):x}-")
        return one(cells)


@cache
def _ascii_of(signs: str) -> bytes:
    """The ASCII signs that a character class has."""
    return bytes(code for code in range(128) if re.fullmatch(f"[{signs}]", chr(code)))
