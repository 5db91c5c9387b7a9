"""Integer columns that grow: what a zone remembers of its people, classes and enrolments."""

import copy
from typing import Any

import numpy as np
import numpy.typing as npt


class Table:
    """Columns of equal length, each of its own width, appended to in pieces."""

    def __init__(self, **types: npt.DTypeLike) -> None:
        self._pieces: dict[str, list[npt.NDArray[Any]]] = {
            name: [np.empty(0, dtype)] for name, dtype in types.items()
        }
        self._length = 0

    def append(self, count: int, **values: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Add rows, a value (or one for all) for every column; gives the new row numbers."""
        if values.keys() != self._pieces.keys():
            raise TypeError(f"columns do not match: {sorted(values.keys() ^ self._pieces.keys())}")
        for name, value in values.items():
            pieces = self._pieces[name]
            pieces.append(np.broadcast_to(np.asarray(value, dtype=pieces[0].dtype), count))
        self._length += count
        return np.arange(self._length - count, self._length)

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        """A whole column; writing into it changes the table until the next append."""
        pieces = self._pieces[name]
        if len(pieces) > 1:
            pieces[:] = [np.concatenate(pieces)]
        return pieces[0]

    def __len__(self) -> int:
        return self._length

    def copy(self) -> "Table":
        """An independent copy."""
        for name in self._pieces:
            self[name]
        return copy.deepcopy(self)
