"""Pulling from our own provider over loopback, as a vendor's server would behave."""

import io
from pathlib import Path

import pytest

from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.package import open_package
from roster_pipeline.quality.candidate import Candidate, build_candidate
from roster_pipeline.simulator.rest_server import Accents, RestServer
from roster_pipeline.sources.config import Source
from roster_pipeline.sources.pull import pull
from roster_pipeline.transport.http import open_http
from tests.small import district, packed
from tests.sources.conftest import rest_source

SECRET = "planted-s3cret"
MANY = 31_045
ODD = {
    "key.enrollment",
    "class.without_teacher",
    "class.without_student",
    "user.without_enrollment",
}
"""What is said of a district in which all enrollments are one student's in one class."""


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small district with 31,045 enrollments."""
    rows = district()
    (first, *_) = rows["enrollments"]
    rows["enrollments"] = [{**first, "sourcedId": f"e{n}"} for n in range(MANY)]
    file = tmp_path_factory.mktemp("provider") / "export.zip"
    file.write_bytes(packed(rows))
    return file


def auth_of(server: RestServer, kind: str) -> dict[str, object]:
    secret = {"env": "SECRET"}
    if kind == "oauth2":
        token = {"client_id": "us", "client_secret": secret, "token_url": server.token_url}
        return {"oauth2": token}
    if kind == "bearer":
        return {"bearer": {"token": secret}}
    return {"oauth1": {"consumer_key": "us", "consumer_secret": secret, "signature": kind}}


def pulled(server: RestServer, into: Path, kind: str = "oauth2", **keys: object) -> Candidate:
    """The candidate that a pull from the server gives."""
    version = Version(str(keys.get("version", "1.2")))
    source: Source = rest_source(server.base_url(version), auth=auth_of(server, kind), **keys)
    assert source.rest is not None
    session = open_http(
        source.rest.base_url,
        source.rest.auth,
        base=into,
        environ={"SECRET": SECRET},
        sleep=lambda _: None,
    )
    with (
        session,
        pull(session, source.rest, source="x", secrets=source.profile.secrets) as package,
        open_package(io.BytesIO(package.file.read())) as opened,
    ):
        return build_candidate(opened, None, into / f"{kind}-{version}")


def test_31045_enrollments_all_arrive_and_once_from_a_server_that_clamps_in_silence(
    export: Path, tmp_path: Path
) -> None:
    with RestServer(export, Accents(clamp=500, no_headers=True), clients={"us": SECRET}) as server:
        made = pulled(server, tmp_path, limit=5000)

    assert set(made.findings.counts()) == ODD
    assert made.roster is not None
    ids = made.roster.columns("enrollments", ["sourcedId"])["sourcedId"]
    assert len(ids) == MANY
    assert set(ids) == {f"e{n}" for n in range(MANY)}
    asked = [path for path in server.requests if "/enrollments" in path]
    # And the page at the end, and one beyond it that was asked for early.
    assert len(asked) == -(-MANY // 500) + 2


# Servers of 1.2 know OAuth 2 only.
@pytest.mark.parametrize(
    ("kind", "version"),
    [
        ("oauth2", "1.1"),
        ("oauth2", "1.2"),
        ("bearer", "1.1"),
        ("bearer", "1.2"),
        ("HMAC-SHA256", "1.1"),
        ("HMAC-SHA1", "1.1"),
    ],
)
def test_every_login_brings_the_same_roster(tmp_path: Path, kind: str, version: str) -> None:
    small = tmp_path / "small.zip"
    small.write_bytes(packed(district()))
    with RestServer(small, clients={"us": SECRET}, bearers=[SECRET]) as server:
        made = pulled(server, tmp_path, kind, version=version, limit=2)

    assert not made.findings
    assert made.roster is not None
    assert made.roster.counts["enrollments"] == 5
    assert made.roster.counts["roles"] == 5


def test_a_rough_server_changes_nothing_about_what_arrives(export: Path, tmp_path: Path) -> None:
    rough = Accents(
        clamp=1000,
        busy_every=7,
        broken_every=11,
        cut_every=13,
        revoke_every=17,
        retry_after="0",
    )
    with RestServer(export, rough, clients={"us": SECRET}) as server:
        made = pulled(server, tmp_path, paging="next")

    assert made.roster is not None
    assert made.roster.counts["enrollments"] == MANY
    assert set(made.findings.counts()) == ODD
