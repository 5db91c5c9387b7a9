"""YAML that remembers where each value stands."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

# libyaml reads a folder of 500 sources ten times as fast; both give the same nodes and marks.
_Loader: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlError(Exception):
    """The file is not YAML, or says one thing twice. `line` and `column` count from 1."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


@dataclass(frozen=True)
class Place:
    """Where something stands, counted from 1."""

    line: int
    column: int
    path: tuple[str, ...]
    """The keys that lead there, without positions in lists."""
    kind: str
    """What YAML takes it for: str, int, float, bool, timestamp, null, map, seq."""


@dataclass(frozen=True)
class Document:
    """One YAML file: its values and where they stand."""

    data: Any
    _root: yaml.Node | None

    def place(self, location: Sequence[str | int], *, of_key: bool = False) -> Place:
        """The place of a value, or of its key; the nearest one above where it is not there.

        A step that is no key of the file (pydantic names branches of unions too) is passed over.
        """
        node, key = self._root, None
        path: list[str] = []
        for step in location:
            if isinstance(node, yaml.MappingNode):
                found = next((p for p in node.value if p[0].value == str(step)), None)
                if found is not None:
                    key, node = found
                    path.append(str(step))
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
                key, node = None, node.value[step]
        mark = (key if of_key and key is not None else node).start_mark if node else None
        kind = node.tag.rpartition(":")[2] if node else "null"
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return Place(line, column, tuple(path), kind)


def read(content: bytes) -> Document:
    """Parse one YAML document. An empty file is an empty mapping. Raises `YamlError`."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        raise YamlError(
            "this is not UTF-8 text; save the file as UTF-8", before.count(b"\n") + 1, 1
        ) from None
    try:
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
            _refuse_repeated_keys(root)
            data = loader.construct_document(root) if root is not None else {}
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise _explained(error) from None
    # PyYAML's constructors raise what they run into, where a tag promises what is not there.
    except (ValueError, AttributeError, TypeError, LookupError):
        raise YamlError(
            "a value looks like a date or a number and is none; write it in quotes, without a tag"
            " such as `!!int`",
            1,
            1,
        ) from None
    return Document({} if data is None else data, root)


def _refuse_repeated_keys(root: yaml.Node | None) -> None:
    for node in _nodes(root, set()):
        if not isinstance(node, yaml.MappingNode):
            continue
        seen: dict[str, int] = {}
        for key, _ in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in seen and name != "<<":
                raise YamlError(
                    f"`{name}` is given twice; the first is in line {seen[name]}",
                    line,
                    key.start_mark.column + 1,
                )
            seen[name] = line


def _nodes(node: yaml.Node | None, seen: set[int]) -> Iterator[yaml.Node]:
    """Every node once, also where an alias points back up."""
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    yield node
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _nodes(key, seen)
            yield from _nodes(value, seen)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _nodes(value, seen)


def _explained(error: yaml.YAMLError) -> YamlError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = str(getattr(error, "problem", None) or "the text cannot be read")
    if "cannot start any token" in problem:
        problem += "; YAML indents with spaces, and text that begins with a sign needs quotes"
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return YamlError(f"this is not YAML: {problem}", line, column)
