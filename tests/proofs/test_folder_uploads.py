"""A delivery into a folder of this machine, killed anywhere, shows the old file or the new."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from roster_pipeline.transport.folder import Folder

OLD, NEW = b"old" * 100_000, b"new" * 200_000
UPLOAD = """
import sys
from pathlib import Path
from roster_pipeline.transport.folder import Folder
content = Path(sys.argv[2])
with content.open("rb") as file:
    Folder(Path(sys.argv[1])).upload("in/roster.zip", file, content.stat().st_size)
"""


@pytest.mark.parametrize(
    ("place", "left"),
    [("upload.half", OLD), ("upload.before-rename", OLD), ("upload.after-rename", NEW)],
)
def test_a_killed_upload_shows_no_half_file_and_the_next_one_clears_up(
    place: str, left: bytes, tmp_path: Path
) -> None:
    root, content = tmp_path / "root", tmp_path / "content"
    (root / "in").mkdir(parents=True)
    (root / "in" / "roster.zip").write_bytes(OLD)
    content.write_bytes(NEW)
    killed = subprocess.run(
        [sys.executable, "-c", UPLOAD, str(root), str(content)],
        env={**os.environ, "ROSTER_CRASH_AT": place},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert (root / "in" / "roster.zip").read_bytes() == left
    assert len(list((root / "in").iterdir())) == (1 if left is NEW else 2)
    with content.open("rb") as file:
        Folder(root).upload("in/roster.zip", file, len(NEW))
    assert [path.read_bytes() for path in (root / "in").iterdir()] == [NEW]
