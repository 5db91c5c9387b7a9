"""Packages of make-believe districts, made once and kept in bench-data/."""

from pathlib import Path
from typing import Final

DATA: Final = Path(__file__).parent.parent / "bench-data"
SEED: Final = 7


def package(students: int, day: int) -> Path:
    """The 1.2 bulk zip of a district of so many students on a day."""
    path = DATA / f"{students}-{day}.zip"
    if not path.exists():
        from roster_pipeline.simulator.district import District

        DATA.mkdir(exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        District(students=students, seed=SEED).write_package(unfinished, day=day)
        unfinished.replace(path)
    return path
