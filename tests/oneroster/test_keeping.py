from pathlib import Path

from roster_pipeline.oneroster.delta import diff
from roster_pipeline.oneroster.keeping import keep_removed
from tests.oneroster.strategies import Frames, frame_of, stored


def users(**agents: str | None) -> Frames:
    """Users by sourcedId, with their agents."""
    rows: list[dict[str, str | None]] = [
        {"sourcedId": key, "givenName": "A", "familyName": "B", "agentSourcedIds": of}
        for key, of in agents.items()
    ]
    return {"users": frame_of("users", rows)}


def kept(folder: Path, before: Frames, after: Frames) -> dict[str, str | None]:
    """Who is there, with their agents, when nobody is removed."""
    old, new = stored(before, folder / "old"), stored(after, folder / "new")
    frame = keep_removed(diff(old, new), folder / "kept").frame("users")
    cells = frame["agentSourcedIds"].astype(object).where(frame["agentSourcedIds"].notna(), None)
    return dict(zip(frame["sourcedId"], cells, strict=True))


def test_a_student_keeps_the_guardian_who_is_kept(tmp_path: Path) -> None:
    before = users(kid="mum,dad", mum=None, dad=None, other=None)
    after = users(kid="dad", dad=None, other=None, new=None)

    assert kept(tmp_path, before, after) == {
        "kid": "dad,mum",
        "mum": None,
        "dad": None,
        "other": None,
        "new": None,
    }


def test_a_guardian_whom_the_source_takes_away_is_taken_away(tmp_path: Path) -> None:
    before = users(kid="mum,dad", mum=None, dad=None, gone=None)
    after = users(kid="dad", mum=None, dad=None)

    assert kept(tmp_path, before, after)["kid"] == "dad"


def test_one_who_lost_every_guardian_has_those_who_stay(tmp_path: Path) -> None:
    found = kept(tmp_path, users(kid="mum", mum=None), users(kid=None))

    assert found == {"kid": "mum", "mum": None}
