"""What a source may say of loose files, encryption and what becomes of drops."""

from typing import Any

import pytest
from pydantic import ValidationError

from tests.sources.conftest import rest_source, source

PASSWORD = {"password": {"env": "PASSWORD"}}
PGP = {"pgp": {"private_key": {"file": "keys/ours.asc"}}}


def test_a_list_is_short_for_the_names_of_loose_files() -> None:
    files = source(files=["*.csv", "*.csv.gz"]).files

    assert files is not None
    assert (files.names, files.wait_minutes) == (("*.csv", "*.csv.gz"), 60)
    assert source(files={"names": ["*.csv"], "wait_minutes": 0}).patterns == ("*.csv",)


def test_drops_are_single_files_that_stay_where_they_are_by_default() -> None:
    usual = source()

    assert (usual.patterns, usual.keeps_drops, usual.encryption) == (("*.zip",), True, None)
    assert not source(archive="processed").keeps_drops
    assert not source(delete=True).keeps_drops


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"files": "*.csv"}, 'such as ["*.csv"]'),
        ({"files": []}, "at least 1 item"),
        ({"files": ["out/*.csv"]}, "say the folder as `folder`"),
        ({"files": ["*.zip"]}, "say `pattern` and not `files`"),
        ({"files": {"names": ["*.csv"], "wait_minutes": -1}}, "greater than or equal to 0"),
        ({"files": ["*.csv"], "pattern": "*.zip"}, "one of `pattern`"),
        ({"files": ["*.csv"], "complete": {"marker": "{name}.done"}}, "such as done.flag"),
        ({"files": ["*.csv"], "complete": {"marker": "*.flag"}}, "such as done.flag"),
        ({"files": ["*.csv"], "encryption": PASSWORD}, "opens zips, and with `files`"),
        ({"encryption": {}}, "exactly one of `password`"),
        ({"encryption": {**PASSWORD, **PGP}}, "exactly one of `password`"),
        ({"encryption": {"password": "hunter2"}}, "never the secret itself"),
        ({"encryption": {"pgp": {}}}, "Field required"),
        ({"archive": "."}, "say a folder such as processed"),
        ({"archive": "/out/", "folder": "/out"}, "this is `folder` itself"),
        ({"archive": "../processed"}, "say a folder such as processed"),
        ({"archive": "{day}"}, "only {date}"),
        ({"archive": "processed", "delete": True}, "take one out"),
        ({"delete": "yes"}, "valid boolean"),
    ],
)
def test_what_cannot_be_meant_is_refused(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as error:
        source(**keys)
    assert said in str(error.value)
    assert all(found["loc"][:1] and found["loc"][0] in keys for found in error.value.errors())
    assert "hunter2" not in str(error.value)


def test_a_server_has_no_drops() -> None:
    data = rest_source("https://sis.example").model_dump(exclude_unset=True)
    for keys in ({"files": ["*.csv"]}, {"archive": "x"}, {"delete": True}, {"encryption": PGP}):
        with pytest.raises(ValidationError, match="these are about drops"):
            type(source()).model_validate({**data, **keys})
