import io
import zipfile
from typing import Any

import pytest
from pydantic import ValidationError

from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.writing import write_bulk
from roster_pipeline.receivers.config import Destination


def destination(**keys: Any) -> Destination:
    data = {"id": "reader", "transport": {"folder": {"path": "out"}}, "path": "/in/{source}.zip"}
    return Destination.model_validate({**data, **keys})


def test_a_destination_takes_every_source_unless_it_names_some() -> None:
    assert destination().takes("springfield")
    assert destination(sources=["springfield"]).takes("springfield")
    assert not destination(sources=["springfield"]).takes("shelbyville")


def test_each_source_has_its_own_path() -> None:
    assert destination().path_for("springfield") == "/in/springfield.zip"
    assert destination(path="x.zip", sources=["springfield"]).path_for("springfield") == "x.zip"


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"id": "A"}, "small letters"),
        ({"profile": "naviance"}, "the profiles are oneroster-1.2-bulk"),
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


def test_a_destination_names_the_sending_system() -> None:
    named = destination(system_name="Hub", system_code="hub-1")
    out = io.BytesIO()

    write_bulk(Roster.empty(), out, system_name=named.system_name, system_code=named.system_code)

    manifest = zipfile.ZipFile(out).read("manifest.csv").decode()
    assert "source.systemName,Hub" in manifest
    assert "source.systemCode,hub-1" in manifest
