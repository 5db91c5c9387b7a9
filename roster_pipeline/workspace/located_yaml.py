"""YAML that remembers where each value stands."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from roster_pipeline.workspace.yaml_limits import DEEPEST, excess

# libyaml reads a folder of 500 sources ten times as fast; both give the same nodes and marks.
_Loader: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# What YAML 1.2, section 5.1, lets no text have.
_NO_TEXT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")

# Without so many of these signs nothing is nested as deep.
_NESTING: Final = re.compile(r"[\[{?:-]")


class YamlError(Exception):
    """The file is not YAML, or says one thing twice. `line` and `column` count from 1."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


_UNREADABLE: Final = YamlError(
    "a value looks like a date or a number and is none; write it in quotes, without a tag such as "
    "`!!int`",
    1,
    1,
)


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
class Scalar:
    """One text of a file as it is written, a key or a value."""

    text: str
    line: int
    column: int


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
                # Of a key that is given twice the last one counts.
                found = next((p for p in reversed(node.value) if p[0].value == str(step)), None)
                if found is not None:
                    key, node = found
                    path.append(str(step))
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
                key, node = None, node.value[step]
        mark = (key if of_key and key is not None else node).start_mark if node else None
        kind = node.tag.rpartition(":")[2] if node else "null"
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return Place(line, column, tuple(path), kind)

    def odd_keys(self, location: Sequence[str | int]) -> Iterator[Place]:
        """The place of each key, in the block at a location, that YAML takes for no text."""
        node = self._root
        for step in location:
            if isinstance(node, yaml.MappingNode):
                node = next((v for k, v in reversed(node.value) if k.value == str(step)), None)
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
                node = node.value[step]
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            kind, mark = key.tag.rpartition(":")[2], key.start_mark
            if kind not in ("str", "merge"):
                yield Place(mark.line + 1, mark.column + 1, (str(key.value),), kind)

    def scalars(self, *, beside: str | None = None) -> Iterator[Scalar]:
        """Every text of the file; with `beside`, the values of that key alone, wherever it is."""
        for node in _nodes(self._root, set()):
            found = [node]
            if beside is not None:
                pairs = node.value if isinstance(node, yaml.MappingNode) else ()
                found = [value for key, value in pairs if key.value == beside]
            for one in found:
                if isinstance(one, yaml.ScalarNode):
                    mark = one.start_mark
                    yield Scalar(str(one.value), mark.line + 1, mark.column + 1)


def read(content: bytes) -> Document:
    """Parse one YAML document. An empty file is an empty mapping. Raises `YamlError`."""
    document, errors = parse(content)
    if document is None or errors:
        raise errors[0]
    return document


def parse(content: bytes) -> tuple[Document | None, tuple[YamlError, ...]]:
    """One YAML document and all that is wrong with it as YAML; None where it cannot be read."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n") + 1
        return None, (YamlError("this is not UTF-8 text; save the file as UTF-8", line, 1),)
    root: yaml.Node | None = None
    errors: tuple[YamlError, ...] = ()
    try:
        if too_much := _too_much(text):
            return None, (too_much,)
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
            errors = tuple(_repeated_keys(root))
            data = loader.construct_document(root) if root is not None else {}
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        return None, (_explained(error, text),)
    # PyYAML's constructors raise what they run into, where a tag promises what is not there.
    except (ValueError, AttributeError, TypeError, LookupError):
        return None, (*errors, *(tuple(_unreadable_values(root)) or (_UNREADABLE,)))
    return Document({} if data is None else data, root), errors


def _too_much(text: str) -> YamlError | None:
    if len(_NESTING.findall(text)) <= DEEPEST and "*" not in text:
        return None
    loader = _Loader(text)
    try:
        found = excess(loader)
    finally:
        loader.dispose()
    return None if found is None else YamlError(*found)


def _repeated_keys(root: yaml.Node | None) -> Iterator[YamlError]:
    for node in _nodes(root, set()):
        if not isinstance(node, yaml.MappingNode):
            continue
        seen: dict[str, int] = {}
        for key, _ in node.value:
            name, mark = str(key.value), key.start_mark
            if name in seen and name != "<<":
                yield YamlError(
                    f"`{name}` is given twice; the first is in line {seen[name]}",
                    mark.line + 1,
                    mark.column + 1,
                )
            seen.setdefault(name, mark.line + 1)


def _unreadable_values(root: yaml.Node | None) -> Iterator[YamlError]:
    """Each value that is not what YAML takes it for."""
    for node in _nodes(root, set()):
        if isinstance(node, yaml.ScalarNode) and not _is_readable(node):
            mark = node.start_mark
            yield YamlError(str(_UNREADABLE), mark.line + 1, mark.column + 1)


def _is_readable(node: yaml.ScalarNode) -> bool:
    loader = _Loader("")
    try:
        loader.construct_object(node)
    except (yaml.YAMLError, ValueError, AttributeError, TypeError, LookupError):
        return False
    finally:
        loader.dispose()
    return True


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


def _explained(error: yaml.YAMLError, text: str) -> YamlError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = str(getattr(error, "problem", None) or "the text cannot be read")
    if "cannot start any token" in problem:
        problem += "; YAML indents with spaces, and text that begins with a sign needs quotes"
    if mark is None and (sign := _NO_TEXT.search(text)):
        before = text[: sign.start()]
        line, column = before.count("\n") + 1, sign.start() - before.rfind("\n")
        return YamlError("this is not text: a control character stands here", line, column)
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return YamlError(f"this is not YAML: {problem}", line, column)
