"""Whole runs to receivers that are no folder of files: an object store, and a server by HTTPS."""

import pytest

from roster_pipeline.store import Outcome
from tests.automation.town import SOURCE, Town
from tests.object_store import BUCKET, object_store
from tests.small import unpacked
from tests.transport.scripted import Asked, scripted
from tests.transport.test_https_upload import shelf

KEY, TOKEN = "planted-s3cret-key", "planted-s3cret-token"


def test_one_sync_delivers_to_an_object_store_and_by_https_and_reads_both_back(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_CLOUD_KEY", KEY)
    monkeypatch.setenv("TEST_DESK_TOKEN", TOKEN)
    kept, answer = shelf()
    (town.folder / "destinations" / "lms.yaml").unlink()
    with scripted(answer) as desk, object_store() as (store, others):
        town.write(
            "destinations/cloud.yaml",
            "id: cloud\npath: in/{source}.zip\ntransport:\n  s3: {bucket: rosters, prefix: us,"
            f" endpoint_url: '{store}', access_key_id: us,"
            " secret_access_key: {env: TEST_CLOUD_KEY}}\n",
        )
        town.write(
            "destinations/desk.yaml",
            "id: desk\npath: in/{source}.zip\ntransport:\n  https: {read_back: true,"
            " auth: {bearer: {token: {env: TEST_DESK_TOKEN}}},"
            f" base_url: '{desk.url}/drop'}}\n",
        )
        town.drop(0)
        done = town.approve(town.sync().hold)
        got = others.get_object(Bucket=BUCKET, Key=f"us/in/{SOURCE}.zip")
        in_bucket = got["Body"].read()
    assert done.outcome is Outcome.DONE, done.sentences

    (put,) = (asked for asked in desk.asked if asked.method == "PUT")
    assert kept == {f"/drop/in/{SOURCE}.zip": in_bucket}
    with town.ledger() as ledger:
        accepted = ledger.accepted(SOURCE)
        receipts = [ledger.deliveries(SOURCE, name) for name in ("cloud", "desk")]
    assert accepted is not None
    assert len(unpacked(in_bucket)["users"]) == accepted.snapshot.counts["users"]
    for (delivery,) in receipts:
        assert (delivery.receipt["sent"], delivery.receipt["read_back"]) == (True, True)
        assert delivery.size == len(in_bucket)
    assert _bearer(put) == TOKEN
    written = [path.read_bytes() for path in town.folder.rglob("*") if path.is_file()]
    assert not any(secret.encode() in content for content in written for secret in (KEY, TOKEN))


def _bearer(asked: Asked) -> str:
    return asked.headers["Authorization"].removeprefix("Bearer ")
