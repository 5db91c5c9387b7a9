import io
import zipfile
from typing import Any

import pytest
from pydantic import ValidationError

from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.writing import write_bulk
from roster_pipeline.receivers.columns.config import ColumnsFormat
from roster_pipeline.receivers.config import Destination


def destination(**keys: Any) -> Destination:
    data = {"id": "reader", "transport": {"folder": {"path": "out"}}, "path": "/in/{source}.zip"}
    return Destination.model_validate({**data, **keys})


SFTP = {
    "sftp": {
        "host": "in.example",
        "username": "us",
        "password": {"env": "IN_PASSWORD"},
        "known_hosts": "known_hosts",
    }
}


def test_a_path_that_begins_with_a_slash_stays_below_a_folder_of_this_machine() -> None:
    assert destination().path_for("springfield") == "in/springfield.zip"


@pytest.mark.parametrize("missing", ["transport", "path"])
def test_half_of_a_way_is_told_by_the_half_that_lacks(missing: str) -> None:
    with pytest.raises(ValidationError, match=f"`{missing}` is missing, without which"):
        destination(**{missing: None})


@pytest.mark.parametrize(
    ("keys", "place", "sentence"),
    [
        ({"profile": "lingco", "mode": "delta"}, "mode", "takes whole rosters only"),
        ({"mode": "delta", "profile": "oneroster-1.2"}, "mode", "put {number} or {date} into"),
        ({"bulk_every": 7}, "bulk_every", "goes with `mode: delta`"),
        ({"retention": 7}, "retention", "goes with `mode: delta`"),
        ({"profile": "naviance-staff"}, "path", "wants a file called NavianceOneRoster.zip"),
        (
            {"profile": "naviance-staff", "path": "/NavianceOneRoster.zip"},
            "path",
            "such as /in/{source}/NavianceOneRoster.zip",
        ),
    ],
)
def test_what_is_refused_is_shown_at_its_key(
    keys: dict[str, Any], place: str, sentence: str
) -> None:
    with pytest.raises(ValidationError) as error:
        destination(**keys)
    (detail,) = error.value.errors()
    assert detail["loc"] == (place,)
    assert sentence in detail["msg"]


def test_a_destination_takes_every_source_unless_it_names_some() -> None:
    assert destination().takes("springfield")
    assert destination(sources=["springfield"]).takes("springfield")
    assert not destination(sources=["springfield"]).takes("shelbyville")


def test_each_source_has_its_own_path() -> None:
    assert destination(transport=SFTP).path_for("springfield") == "/in/springfield.zip"
    assert destination(path="x.zip", sources=["springfield"]).path_for("springfield") == "x.zip"


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"id": "A"}, "small letters"),
        ({"profile": "naviance"}, "the profiles are "),
        ({"sources": []}, "the list is empty"),
        ({"sources": "springfield"}, "say `all`, or a list such as [springfield]"),
        ({"sources": ["a", "a"]}, "named twice"),
        ({"path": "/in/roster.zip"}, "put {source} into it"),
        ({"path": "/in/roster.zip", "sources": ["a", "b"]}, "put {source} into it"),
        ({"path": "/in/{source}"}, "ends in a file name"),
        ({"path": "/in/.zip"}, "ends in a file name"),
        ({"path": "/in/{date}/{source}.zip"}, "only {source}"),
        ({"path": "../{source}.zip"}, "may not go up"),
        ({"system_name": 12}, "valid string"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_what_a_destination_may_not_say_is_refused_with_a_sentence(
    keys: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValidationError) as error:
        destination(**keys)
    assert sentence in str(error.value)


def tables(**keys: Any) -> Destination:
    data = {"id": "warehouse", "tables": {"url": {"env": "WAREHOUSE_URL"}}}
    return Destination.model_validate({**data, **keys})


def test_a_destination_may_be_tables_instead_of_packages() -> None:
    made = tables(sources=["springfield"])

    assert made.tables is not None
    assert made.tables.schema_name == "roster"
    assert made.takes("springfield")
    assert tables(tables={"url": {"file": "url"}, "schema": "k12"}).tables is not None


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"path": "/in/{source}.zip"}, "`path` is of packages, and `tables` gets none"),
        ({"transport": {"folder": {"path": "."}}}, "`transport` is of packages"),
        ({"profile": "oneroster-1.2-bulk"}, "`profile` is of packages"),
        ({"system_name": "Hub"}, "`system_name` is of packages"),
        ({"tables": None}, "say `transport` and `path`, or `tables`"),
        ({"tables": {"url": "postgresql://us:hunter2@db/x"}}, "never the secret itself"),
        ({"tables": {"url": {"env": "A"}, "schema": "Roster"}}, "small letters"),
        ({"tables": {"url": {"env": "A"}, "schema": "pg_roster"}}, "does not begin with"),
        ({"tables": {"url": {"env": "A"}, "shema": "x"}}, "Extra inputs"),
    ],
)
def test_what_tables_may_not_say_is_refused_with_a_sentence(
    keys: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValidationError) as error:
        tables(**keys)
    assert sentence in str(error.value)
    assert "hunter2" not in str(error.value)


def test_a_destination_names_the_sending_system() -> None:
    named = destination(system_name="Hub", system_code="hub-1")
    out = io.BytesIO()

    write_bulk(Roster.empty(), out, system_name=named.system_name, system_code=named.system_code)

    manifest = zipfile.ZipFile(out).read("manifest.csv").decode()
    assert "source.systemName,Hub" in manifest
    assert "source.systemCode,hub-1" in manifest


def test_variants_that_do_not_contradict_one_another_go_together() -> None:
    both = destination(profile="apple", variant=["federated", "account-format", "ahead"]).format
    columns = [check.columns for check in both.checks]
    assert columns == [(), ("email",), ("email",), ("identifier",)]
    assert isinstance(both.columns, ColumnsFormat)
    assert both.columns.without.enrollments == ("over",)
    assert destination(profile="apple", variant=["ahead"]).format == (
        destination(profile="apple", variant="ahead").format
    )
    named = ["counselors-as-aides", "counselors-as-administrators"]
    with pytest.raises(ValidationError, match=r"do not go together: .* different things of couns"):
        destination(profile="oneroster-1.1", variant=named)
    with pytest.raises(ValidationError, match="has no variant 'x'"):
        destination(profile="apple", variant=["ahead", "x"])


def test_a_variant_is_one_of_its_profile() -> None:
    named = {"profile": "naviance-staff", "path": "/in/{source}/NavianceOneRoster.zip"}
    form = destination(variant="naviance-spelling", **named).format.oneroster
    assert form is not None
    assert form.spelling["orgs"]["sourcedId"] == "sourceID"
    with pytest.raises(ValidationError, match="lingco has no variant 'x'; it has none"):
        destination(profile="lingco", variant="x")
    with pytest.raises(ValidationError, match="it has naviance-spelling, "):
        destination(profile="naviance-staff", variant="naviance")


def test_a_receiver_that_wants_one_name_for_its_zip_gets_it() -> None:
    kept = destination(profile="naviance-students", path="/{source}/navianceoneroster.zip")
    assert kept.path_for("a") == "a/navianceoneroster.zip"
    with pytest.raises(ValidationError, match=r"such as /in/\{source\}/NavianceOneRoster.zip"):
        destination(profile="naviance-students")
