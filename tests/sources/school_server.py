"""A OneRoster server over a small district, with whatever bad habits a test gives it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.small import Row, district
from tests.transport.scripted import Answer, Asked, Scripted, json_answer, scripted

Record = dict[str, Any]
_REFERENCES = {
    "parentSourcedId": "parent",
    "schoolYearSourcedId": "schoolYear",
    "orgSourcedId": "org",
    "courseSourcedId": "course",
    "schoolSourcedId": "school",
    "classSourcedId": "class",
    "userSourcedId": "user",
}


def _reference(sourced_id: str) -> Record:
    return {"href": f"https://sis.example/x/{sourced_id}", "sourcedId": sourced_id, "type": "x"}


def _record(row: Row) -> Record:
    record: Record = {"status": "active", "dateLastModified": "2026-08-01T00:00:00.000Z"}
    for name, cell in row.items():
        if name in _REFERENCES:
            record[_REFERENCES[name]] = _reference(cell)
        elif name == "termSourcedIds":
            record["terms"] = [_reference(term) for term in cell.split(",")]
        elif name == "orgSourcedIds":
            record["orgs"] = [_reference(org) for org in cell.split(",")]
        else:
            record[name] = cell
    return record


def records(version: str = "1.2") -> dict[str, list[Record]]:
    """The small district's records by collection, to be changed by a test."""
    rows = district(version)
    roles = rows.pop("roles", [])
    made = {name: [_record(row) for row in of_entity] for name, of_entity in rows.items()}
    for user in made["users"] if version == "1.2" else ():
        user["roles"] = [
            {key: held for key, held in _record(role).items() if key in ("role", "roleType", "org")}
            for role in roles
            if role["userSourcedId"] == user["sourcedId"]
        ]
    return made


def _shown(record: Record, condition: str | None) -> bool:
    if condition is None:
        return bool(record["status"] != "tobedeleted")
    since = condition.removeprefix("dateLastModified>='").removesuffix("'")
    return bool(record["dateLastModified"] >= since)


@dataclass
class Habits:
    """How the server answers."""

    most: int = 10_000
    """No page has more, whatever `limit` asks for."""
    headers: bool = False
    """Whether X-Total-Count and Link are sent."""
    sort: bool = True
    """Whether it knows `sort`."""
    filter: Literal["passes over", "refuses", "knows"] = "passes over"
    """What it does with a filter by dateLastModified. If it knows it, what is `tobedeleted` is
    shown by such a filter only."""
    wrappers: dict[str, str] = field(default_factory=dict)
    instead: Callable[[Asked, str, int], Answer | None] = lambda *_: None
    """Another answer, by request, collection and offset."""


@contextmanager
def school_server(
    data: dict[str, list[Record]], habits: Habits | None = None
) -> Iterator[Scripted]:
    """A server of these records at `/ims`, of which every token is taken."""
    habits = habits or Habits()

    def answer(asked: Asked) -> Answer:
        collection = asked.path.rpartition("/")[2]
        offset = int(asked.query.get("offset", 0))
        if other := habits.instead(asked, collection, offset):
            return other
        if "sort" in asked.query and not habits.sort:
            return json_answer({"imsx_codeMinor": "invalid_sort_field"}, 400)
        found = data.get(collection)
        if found is None:
            return Answer(404)
        if "filter" in asked.query and habits.filter == "refuses":
            return json_answer({"imsx_codeMinor": "invalid_filter_field"}, 400)
        if habits.filter == "knows":
            found = [record for record in found if _shown(record, asked.query.get("filter"))]
        limit = min(int(asked.query.get("limit", 100)), habits.most)
        page = found[offset : offset + limit]
        headers = {}
        if habits.headers:
            headers["X-Total-Count"] = str(len(found))
            if offset + limit < len(found):
                rest = f"limit={limit}&offset={offset + limit}"
                headers["Link"] = f'<{running[0].url}{asked.path}?{rest}>; rel="next"'
        return json_answer({habits.wrappers.get(collection, collection): page}, 200, **headers)

    running: list[Scripted] = []
    with scripted(answer) as server:
        running.append(server)
        yield server
