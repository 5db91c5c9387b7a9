"""The ways out that a destination's file may say."""

import io
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from roster_pipeline.transport.errors import CredentialsUnusable
from roster_pipeline.transport.folder import Folder
from roster_pipeline.transport.https_upload import HttpsUpload
from roster_pipeline.transport.outlet_config import OutletConfig, open_outlet
from roster_pipeline.transport.s3 import S3
from tests.transport.conftest import Serve
from tests.transport.scripted import Answer

S3_KEYS = {"access_key_id": "id", "secret_access_key": {"env": "KEY"}, "region": "us-east-2"}


def config(**ways: Any) -> OutletConfig:
    return OutletConfig.model_validate(ways)


def test_each_way_opens_its_kind_of_outlet(tmp_path: Path) -> None:
    environ = {"KEY": "planted"}
    ways: list[tuple[dict[str, Any], type]] = [
        ({"folder": {"path": "out"}}, Folder),
        ({"s3": {"bucket": "rosters", **S3_KEYS}}, S3),
        ({"https": {"base_url": "https://up.example", "read_back": True}}, HttpsUpload),
    ]
    for said, kind in ways:
        with open_outlet(config(**said), base=tmp_path, environ=environ) as outlet:
            assert isinstance(outlet, kind)
            assert outlet.reads_back
            assert "planted" not in repr(outlet)


def test_a_form_has_the_secrets_that_its_fields_refer_to(serve: Serve, tmp_path: Path) -> None:
    server = serve(lambda _: Answer(200))
    form = {"fields": {"token": {"env": "KEY"}}}
    said = config(https={"base_url": server.url, "form": form})
    with open_outlet(said, base=tmp_path, environ={"KEY": "planted"}) as outlet:
        outlet.upload("a.zip", io.BytesIO(b"x"), 1)
    assert b'name="token"\r\n\r\nplanted\r\n' in server.asked[0].body


@pytest.mark.parametrize(
    ("ways", "sentence"),
    [
        ({}, "exactly one of sftp, folder, s3, https"),
        ({"folder": {"path": "a"}, "s3": {"bucket": "abc", **S3_KEYS}}, "exactly one of"),
        ({"s3": {"bucket": "Not A Bucket", **S3_KEYS}}, "name alone"),
        ({"s3": {"bucket": "abc", **S3_KEYS, "region": None}}, "say the `region`"),
        ({"s3": {"bucket": "abc", "region": "x", "access_key_id": "id"}}, "give both"),
        ({"s3": {"bucket": "abc", **S3_KEYS, "prefix": "a/../b"}}, "may not go up"),
        ({"s3": {"bucket": "abc", **S3_KEYS, "secret_access_key": "x"}}, "never the secret itself"),
        ({"s3": {"bucket": "abc", **S3_KEYS, "endpoint_url": "http://x.example"}}, "https://"),
        ({"https": {"base_url": "http://up.example"}}, "https:// is needed"),
        ({"https": {"base_url": "https://a.b", "form": {}, "read_back": True}}, "of what was PUT"),
    ],
)
def test_what_a_way_out_may_not_say_is_refused(ways: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError) as error:
        config(**ways)
    assert sentence in str(error.value)


def test_a_missing_library_is_said_with_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "roster_pipeline.transport.s3")
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(CredentialsUnusable, match=r"install roster-pipeline\[s3\]"):
        open_outlet(
            config(s3={"bucket": "abc", **S3_KEYS}), base=tmp_path, environ={"KEY": "planted"}
        )
