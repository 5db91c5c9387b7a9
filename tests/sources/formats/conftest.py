"""A district in each format, on two days, read through its vendor profile."""

import io
from functools import cache
from pathlib import Path

import pytest

from roster_pipeline.oneroster.package import open_package
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.quality.candidate import Candidate, build_candidate
from roster_pipeline.simulator.cells import IdStyle
from roster_pipeline.simulator.district import Day, District
from roster_pipeline.simulator.formats import FORMATS, write_as
from roster_pipeline.sources.opening import open_source
from tests.sources.conftest import source

DISTRICT = District(students=150, seed=5, ids=IdStyle.NUMBER)


@cache
def day_of(number: int) -> Day:
    return day_of(0).later(number) if number else DISTRICT.on(0)


@pytest.fixture(params=sorted(FORMATS))
def name(request: pytest.FixtureRequest) -> str:
    """Of a format, and of the profile that reads it."""
    return str(request.param)


@cache
def written(name: str, number: int = 0) -> bytes:
    """The zip of a day in a format."""
    package, out = io.BytesIO(), io.BytesIO()
    day_of(number).write_package(package, FORMATS[name].version)
    write_as(name, package, out, DISTRICT.date_of(number))
    return out.getvalue()


def read(drop: bytes, vendor: str, into: Path, number: int = 0) -> Candidate:
    """A drop of a source with this vendor, judged on a day."""
    with open_source(io.BytesIO(drop), source(vendor=vendor)) as package:
        return build_candidate(package, None, into, today=DISTRICT.date_of(number))


def read_oneroster(version: str, into: Path, number: int = 0) -> Roster:
    """The same day as its OneRoster package gives it."""
    out = io.BytesIO()
    day_of(number).write_package(out, version)
    with open_package(out) as package:
        made = build_candidate(package, None, into, today=DISTRICT.date_of(number)).roster
    assert made is not None
    return made
