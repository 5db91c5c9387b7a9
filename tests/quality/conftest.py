import io
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from roster_pipeline.oneroster.package import open_package
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.quality.candidate import Candidate, build_candidate
from tests.small import Row, packed

Build = Callable[..., Candidate]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Judge the rows of a package (or its bytes) against a base."""
    numbers = itertools.count()

    def _build(
        files: dict[str, list[Row]] | bytes, base: Roster | None = None, **options: Any
    ) -> Candidate:
        pack = {k: options.pop(k) for k in ("version", "modes", "extra") if k in options}
        package = files if isinstance(files, bytes) else packed(files, **pack)
        with open_package(io.BytesIO(package)) as opened:
            return build_candidate(opened, base, tmp_path / str(next(numbers)), **options)

    return _build


@pytest.fixture
def accepted(build: Build) -> Roster:
    """The small district, read without a finding."""
    from tests.small import district

    candidate = build(district())
    assert list(candidate.findings) == []
    assert candidate.roster is not None
    return candidate.roster
