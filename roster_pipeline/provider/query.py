"""The query of a request: paging, filter, sort, fields (REST 1.1 and 1.2, section on queries)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from roster_pipeline.provider.problems import Problem, RefusedError

DEFAULT_LIMIT: Final = 100
LARGEST: Final = 10**18 - 1
"""The largest limit and offset that are read."""
_WHOLE: Final = re.compile(r"[0-9]{1,18}")
_CLAUSE: Final = re.compile(
    r"(?P<field>[^\s=!<>~']+)\s*(?P<op>!=|>=|<=|=|>|<|~)\s*'(?P<value>(?:[^']|'')*)'"
)
_JOINT: Final = re.compile(r"\s+(AND|OR)\s+")
_GRAMMAR: Final = (
    "write field, operator (= != > >= < <= ~) and value in single quotes, at most two of them"
    " joined by AND or OR: role='student' AND status='active'"
)


class Op(StrEnum):
    """A comparison of a filter."""

    EQUAL = "="
    UNEQUAL = "!="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    CONTAINS = "~"


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison of a property with a text."""

    field: str
    op: Op
    value: str


@dataclass(frozen=True, slots=True)
class Filter:
    """One clause, or two of which both or any must hold."""

    clauses: tuple[Clause, ...]
    either: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """What a request for a collection asks for."""

    limit: int = DEFAULT_LIMIT
    offset: int = 0
    filter: Filter | None = None
    sort: str | None = None
    descending: bool = False
    fields: frozenset[str] | None = None
    """The properties wanted, all where None."""


def parse_query(parameters: Mapping[str, str], max_limit: int) -> Query:
    """The query of a collection. A limit above the provider's own is lowered without a word, as
    the standard leaves it; `RefusedError` where a parameter cannot be read."""
    limit = _whole(parameters, "limit", DEFAULT_LIMIT, Problem.LIMIT)
    if limit == 0:
        raise RefusedError(Problem.LIMIT, "limit must be 1 or more.")
    order = parameters.get("orderBy", "asc").casefold()
    if order not in ("asc", "desc"):
        raise RefusedError(Problem.SORT, "orderBy must be asc or desc.")
    return Query(
        limit=min(limit, max_limit),
        offset=_whole(parameters, "offset", 0, Problem.OFFSET),
        filter=parse_filter(text) if (text := parameters.get("filter")) else None,
        sort=parameters.get("sort") or None,
        descending=order == "desc",
        fields=parse_fields(parameters),
    )


def parse_fields(parameters: Mapping[str, str]) -> frozenset[str] | None:
    """The property names in `fields`, separated by commas; None where it is not given."""
    text = parameters.get("fields")
    if text is None:
        return None
    names = frozenset(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise RefusedError(Problem.SELECTION, "fields names no property.")
    return names


def parse_filter(text: str) -> Filter:
    """A filter of the standard's grammar; a quote within a value is doubled."""
    first = _CLAUSE.match(text.strip())
    if first is None:
        raise RefusedError(Problem.FILTER, f"The filter cannot be read: {_GRAMMAR}.")
    rest = text.strip()[first.end() :]
    if not rest:
        return Filter((_clause(first),))
    joint = _JOINT.match(rest)
    second = _CLAUSE.fullmatch(rest, joint.end()) if joint else None
    if joint is None or second is None:
        raise RefusedError(Problem.FILTER, f"The filter cannot be read: {_GRAMMAR}.")
    return Filter((_clause(first), _clause(second)), either=joint[1] == "OR")


def _clause(found: re.Match[str]) -> Clause:
    return Clause(found["field"], Op(found["op"]), found["value"].replace("''", "'"))


def _whole(parameters: Mapping[str, str], name: str, default: int, problem: Problem) -> int:
    text = parameters.get(name)
    if text is None:
        return default
    if not _WHOLE.fullmatch(text):
        raise RefusedError(problem, f"{name} must be a whole number, 0 or more.")
    return int(text)
