"""What a format may not say, and where it is told."""

from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import ValidationError

from roster_pipeline.receivers.config import Destination
from roster_pipeline.receivers.rendering import recipe
from roster_pipeline.workspace import Workspace, WorkspaceError
from tests.receivers.columns.conftest import columns_of


def _format(**keys: Any) -> dict[str, Any]:
    """A format of one file, with keys of the file changed."""
    file: dict[str, Any] = {"rows": "students", "columns": {"id": "{sourcedId}", "mail": "{email}"}}
    return {"files": {"a.csv": {**file, **keys}}}


def _column(**value: Any) -> dict[str, Any]:
    return _format(columns={"id": "{sourcedId}", "x": {"value": "{email}", **value}})


NOBODY: Final = {"system_name": None, "system_code": None}
HERE = "files.a.csv.columns.x"


@pytest.mark.parametrize(
    ("said", "place", "sentence"),
    [
        (_format(rows="pupils"), "files.a.csv.rows", "there are no rows called pupils"),
        (_format(rows="student"), "files.a.csv.rows", "did you mean students?"),
        (_column(value="{e-mail}"), f"{HERE}.value", "users have no e-mail; did you mean email?"),
        (_column(value="{schol.name}"), f"{HERE}.value", "beside users there is no schol"),
        (_column(value="{role.org.nme}"), f"{HERE}.value", "orgs have no nme; did you mean name?"),
        (_column(value="{password}"), f"{HERE}.value", "passwords are never kept"),
        (_column(value="{metadata.}"), f"{HERE}.value", "users have no metadata."),
        (_column(otherwise="{nickname}"), f"{HERE}.otherwise", "users have no nickname"),
        (_column(value="{email"), f"{HERE}.value", "a brace stands alone"),
        (_column(lookup="grades"), f"{HERE}.lookup", "no lookup is called grades; there are none"),
        (_column(id="person"), f"{HERE}.id", "`ids` has no kind person"),
        (_column(date="MM/DD"), f"{HERE}.date", "say Y, M and D"),
        (_column(item=0), f"{HERE}.item", "items count from 1 on"),
        (_column(most=3), f"{HERE}.most", "only a column with {n} in its name has several"),
        (_column(among={"b.csv": "id"}), f"{HERE}.among.b.csv", "no file is called b.csv"),
        (_column(among={"a.csv": "ids"}), f"{HERE}.among.a.csv", "did you mean id?"),
        (_format(only={"rol": ["x"]}), "files.a.csv.only.rol", "users have no rol"),
        (_format(but={"rol": ["x"]}), "files.a.csv.but.rol", "users have no rol"),
        (_format(filled=["email", "rol"]), "files.a.csv.filled.1", "users have no rol"),
        (_format(order=["id"]), "files.a.csv.order", "name each of the columns once"),
        (_format(columns={}), "files.a.csv.columns", "at least 1 item"),
        (_format(columns={"x": 3}), HERE, "write this as text in quotes"),
        (_format(columns={"x {n}": "{grades}"}), "files.a.csv.columns.x {n}", "say both"),
        (
            _format(columns={"x {n}": {"value": "{grades}", "most": 3}, "x 2": "{email}"}),
            "files.a.csv.columns.x {n}",
            "x 2 is one of its columns too",
        ),
        ({"files": {"in/a.csv": {}}}, "files.in/a.csv", "without folders"),
        ({**_format(), "unique": [{"a.csv": "ids"}]}, "unique.0.a.csv", "did you mean id?"),
        (
            {**_format(), "ids": {"signs": "0-9", "kinds": {"p": {"of": "users", "prefix": "p-"}}}},
            "ids.signs",
            "with the digits, a to f and the hyphen",
        ),
        (
            {**_format(), "ids": {"kinds": {"p": {"of": "people", "prefix": "p-"}}}},
            "ids.kinds.p.of",
            "there are no rows called people",
        ),
        ({**_format(), "csv": {"delimiter": "#"}}, "csv.delimiter", "should be"),
    ],
)
def test_what_a_format_may_not_say_is_told_where_it_stands(
    said: dict[str, Any], place: str, sentence: str
) -> None:
    with pytest.raises(ValidationError) as error:
        columns_of(said)
    told = {".".join(map(str, one["loc"])): one["msg"] for one in error.value.errors()}
    assert any(at.startswith(place) and sentence in text for at, text in told.items()), told


def test_all_that_is_wrong_is_told_at_once() -> None:
    said = _format(columns={"x": "{mail}", "y": "{nam}"}, filled=["z"])
    with pytest.raises(ValidationError) as error:
        columns_of(said)
    assert len(error.value.errors()) == 3


def _destination(**keys: Any) -> Destination:
    data = {"id": "reader", "transport": {"folder": {"path": "out"}}, "path": "/in/{source}.zip"}
    return Destination.model_validate({**data, "profile": "csv", **keys})


def test_a_destination_says_its_own_columns_with_the_profile_csv_alone() -> None:
    assert _destination(columns=_format()).format.columns == columns_of(_format())
    with pytest.raises(ValidationError, match="the profile csv needs `columns`"):
        _destination()
    with pytest.raises(ValidationError, match="the profile accounts has files of its own"):
        _destination(profile="accounts", columns=_format())


def test_another_order_of_columns_is_another_recipe() -> None:
    """Or a destination that has its columns moved would go on having them as they were."""
    said = {"id": "{sourcedId}", "mail": "{email}"}
    made = {
        recipe(_destination(columns=_format(columns=columns)).format, **NOBODY)
        for columns in (said, dict(reversed(said.items())))
    }
    assert len(made) == 2


def test_a_mistake_among_columns_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "destinations").mkdir()
    (tmp_path / "roster.yaml").write_text('first_date: "2026-08-01"\n')
    (tmp_path / "destinations" / "reader.yaml").write_text(
        "id: reader\nprofile: csv\ntransport: {folder: {path: out}}\npath: '/in/{source}.zip'\n"
        "columns:\n  files:\n    people.csv:\n      rows: users\n      columns:\n"
        "        id: '{sourcedId}'\n        mail: '{mail}'\n"
    )
    with pytest.raises(WorkspaceError) as error:
        Workspace.load(tmp_path)
    told = [str(problem) for problem in error.value.problems]
    assert any(line.startswith("destinations/reader.yaml:11:") for line in told), told
    assert any("users have no mail; did you mean email?" in line for line in told), told
