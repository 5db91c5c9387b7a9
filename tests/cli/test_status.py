"""`roster status`: where every source stands."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.cli.conftest import Roster

SERVER = """\
id: {name}
name: A district
timezone: Pacific/Honolulu
rest:
  base_url: https://sis.example
  auth:
    - {{bearer: {{token: {{env: PLANTED}}}}, expires: {old}}}
    - {{oauth1: {{client_key: us, secret: {{env: PLANTED}}}}, expires: {new}}}
"""


def test_credentials_that_end_soon_or_have_ended_are_told(roster: Roster, workspace: Path) -> None:
    today = datetime.now(UTC).date()
    for name, days in (("over", -5), ("soon", 20), ("fine", 90)):
        text = SERVER.format(
            name=name, old=today - timedelta(days=30), new=today + timedelta(days=days)
        )
        (workspace / f"sources/{name}.yaml").write_text(text)

    document = roster("status", "-w", workspace, "--format", "json").document()
    told = {source["source"]: source["credentials"] for source in document["sources"]}
    assert told.pop("springfield") is None
    assert {name: ends["state"] for name, ends in told.items()} == {
        name: name for name in ("over", "soon", "fine")
    }
    assert told["fine"]["expires"] == str(today + timedelta(days=90))

    said = " ".join(roster("status", "-w", workspace).out.split())
    assert "over: The credentials ended on" in said
    assert "soon: The credentials end in 2" in said
    assert "fine: The credentials" not in said
