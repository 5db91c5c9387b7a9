"""What is wrong with the user's files, in sentences with places."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from roster_pipeline.workspace.located_yaml import Document, Place


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong in one file of the workspace."""

    file: str
    """Relative to the workspace, with `/`."""
    line: int | None
    column: int | None
    message: str

    @property
    def place(self) -> str:
        """File, line and column, as far as they are known."""
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part)

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class WorkspaceError(Exception):
    """The workspace cannot be used as it is. Holds every problem of every file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(
            sorted(problems, key=lambda p: (p.file, p.line or 0, p.column or 0, p.message))
        )
        super().__init__("\n".join(map(str, self.problems)))


_READ_AS: Final[Mapping[str, str]] = {
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "timestamp": "a date",
    "null": "nothing",
    "map": "a block of keys",
    "seq": "a list",
}
_QUOTABLE: Final = ("int", "float", "bool", "timestamp")


def planned_keys(
    document: Document, file: str, later: Mapping[str, str]
) -> tuple[Any, tuple[Problem, ...]]:
    """A document's values without the keys that are planned, and a problem for each of these.

    `later` has their paths and what each will do.
    """
    data, problems = document.data, []
    for path, what in later.items():
        steps = path.split(".")
        if _has(data, steps):
            data = _without(data, steps)
            place = document.place(steps, of_key=True)
            sentence = f"`{path}` comes later ({what}); remove it"
            problems.append(Problem(file, place.line, place.column, sentence))
    return data, tuple(problems)


def _has(data: Any, steps: Sequence[str]) -> bool:
    for step in steps:
        if not isinstance(data, dict) or step not in data:
            return False
        data = data[step]
    return True


def _without(data: Any, steps: Sequence[str]) -> Any:
    first, *rest = steps
    kept = {key: value for key, value in data.items() if rest or key != first}
    return {**kept, first: _without(data[first], rest)} if rest else kept


def explain(
    error: ValidationError, document: Document, file: str, model: type[BaseModel]
) -> Iterator[Problem]:
    """One problem for each place that a model refuses. No sentence repeats a value."""
    seen = set()
    for detail in error.errors(include_url=False, include_input=False):
        unknown = detail["type"] == "extra_forbidden"
        place = document.place(detail["loc"], of_key=unknown)
        found = [(place, _unknown_key(place, model) if unknown else _sentence(detail, place))]
        if detail["type"] == "invalid_key":
            odd = document.odd_keys(detail["loc"][:-1])
            found = [(each, _odd_key(each)) for each in odd] or found
        for one in found:
            if one not in seen:
                seen.add(one)
                yield Problem(file, one[0].line, one[0].column, one[1])


def _sentence(detail: ErrorDetails, place: Place) -> str:
    kind, key = detail["type"], ".".join(place.path)
    where = f"`{key}`: " if key else ""
    if kind == "missing":
        return f"{where}`{detail['loc'][-1]}` is missing"
    if kind == "string_type":
        hint = "; write it in quotes" if place.kind in _QUOTABLE else ""
        return (
            f"{where}text is needed here, and YAML reads {_READ_AS.get(place.kind, 'this')}{hint}"
        )
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return f"{where}a block of keys is needed here"
    if kind in ("list_type", "tuple_type"):
        return f"{where}a list is needed here, such as [one, two]"
    if kind == "string_pattern_mismatch" and key.endswith("fingerprint"):
        return f"{where}write SHA256: and 43 characters, as `ssh-keygen -lf` shows it"
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{where}{message}"


def _odd_key(place: Place) -> str:
    return (
        f"a key is text, and YAML reads this one as {_READ_AS.get(place.kind, 'something else')}; "
        "write it in quotes"
    )


def _unknown_key(place: Place, model: type[BaseModel]) -> str:
    path = ".".join(place.path)
    known = _keys_at(_schema(model), place.path[:-1])
    near = get_close_matches(place.path[-1], known, n=1, cutoff=0.5)
    if near:
        return f"no key is called `{path}`; did you mean `{near[0]}`?"
    return f"no key is called `{path}`; there are {', '.join(known)}"


@cache
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    # Made of every rule there is, and wanted for each unknown key of each file.
    return model.model_json_schema()


def _keys_at(schema: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    """The keys that a JSON schema knows at a path, through references, unions and lists."""
    definitions = schema.get("$defs", {})

    def branches(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        if "$ref" in node:
            yield from branches(definitions[node["$ref"].rpartition("/")[2]])
            return
        yield node
        if "items" in node:
            yield from branches(node["items"])
        for word in ("anyOf", "oneOf", "allOf"):
            for branch in node.get(word, ()):
                yield from branches(branch)

    nodes = list(branches(schema))
    for step in path:
        below = (n.get("properties", {}).get(step, n.get("additionalProperties")) for n in nodes)
        nodes = [b for child in below if isinstance(child, Mapping) for b in branches(child)]
    return sorted({key for node in nodes for key in node.get("properties", {})})
