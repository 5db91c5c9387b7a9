"""A clean corpus: no rule finds anything in what the simulator writes."""

import io
from itertools import pairwise
from pathlib import Path

import pytest

from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.package import open_package
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.rules import LENIENT, STRICT, Policy
from roster_pipeline.quality.candidate import Candidate, build_candidate
from roster_pipeline.simulator.district import Day, District
from roster_pipeline.simulator.rest_server import RestServer
from roster_pipeline.sources.pull import pull
from roster_pipeline.transport.http import open_http
from tests.sources.conftest import rest_source

DAYS = (0, 1, 5, 30)


def judged(day: Day, version: str, into: Path, policy: Policy = STRICT) -> Candidate:
    out = io.BytesIO()
    day.write_package(out, version)
    today = day.district.date_of(day.number)
    with open_package(out) as package:
        return build_candidate(package, None, into, policy=policy, today=today)


def days_of(district: District) -> list[Day]:
    days = [district.on(DAYS[0])]
    for number in DAYS[1:]:
        days.append(days[-1].later(number))
    return days


@pytest.mark.soak
@pytest.mark.parametrize("version", ["1.1", "1.2"])
@pytest.mark.parametrize("students", [1, 10, 300, 2000])
def test_a_clean_corpus_of_every_size_and_version_has_no_finding(
    students: int, version: str, tmp_path: Path
) -> None:
    for day in days_of(District(students, seed=students + 3)):
        made = judged(day, version, tmp_path / str(day.number))
        assert made.findings.counts() == {}, f"day {day.number}"
        assert made.roster is not None


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_clean_deltas_have_no_finding(version: str, tmp_path: Path) -> None:
    first, *_ = days = days_of(District(300, seed=11))
    accepted: Roster | None = judged(first, version, tmp_path / "0").roster
    for before, day in pairwise(days):
        out = io.BytesIO()
        day.write_delta(out, before, version)
        into, today = tmp_path / str(day.number), day.district.date_of(day.number)
        with open_package(out) as package:
            made = build_candidate(package, accepted, into, policy=STRICT, today=today)
        assert made.findings.counts() == {}, f"day {day.number}"
        accepted = made.roster
    assert accepted is not None


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_clean_district_over_rest_has_no_finding(version: str, tmp_path: Path) -> None:
    district = District(300, seed=4)
    export = tmp_path / "export.zip"
    district.on(5).write_package(export)
    with RestServer(export, clients={"us": "sesame"}) as server:
        token = {"client_id": "us", "client_secret": {"env": "S"}, "token_url": server.token_url}
        source = rest_source(
            server.base_url(Version(version)), auth={"oauth2": token}, version=version
        )
        assert source.rest is not None
        session = open_http(
            server.base_url(Version(version)),
            source.rest.auth,
            base=tmp_path,
            environ={"S": "sesame"},
            sleep=lambda _: None,
        )
        with (
            session,
            pull(session, source.rest, source="x", secrets=source.profile.secrets) as pulled,
            open_package(io.BytesIO(pulled.file.read())) as package,
        ):
            today = district.date_of(5)
            made = build_candidate(package, None, tmp_path / "made", policy=LENIENT, today=today)
    assert made.findings.counts() == {}
    assert made.roster is not None
