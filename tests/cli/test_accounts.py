"""`roster accounts plan`."""

import datetime as dt
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from roster_pipeline.oneroster.package import open_package
from roster_pipeline.quality.candidate import build_candidate
from roster_pipeline.simulator.scim_server import ScimServer
from roster_pipeline.store.ledger import Ledger
from roster_pipeline.store.snapshots import Snapshots
from tests.cli.conftest import Roster
from tests.small import Row, district, packed

NOW = dt.datetime(2026, 8, 24, 12, tzinfo=dt.UTC)
PRODUCT = """\
id: {id}
name: Reader
accounts:
  roles: {{teacher: teacher, student: learner, siteAdministrator: none}}
  fields: [givenName, familyName, email, role]
  scim:
    base_url: {url}
    auth: {{bearer: {{token: {{env: READER_TOKEN}}}}}}
    attempts: 1
"""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScimServer]:
    """The product's provider, which has an account of u1's."""
    monkeypatch.setenv("READER_TOKEN", "s3cret-token")
    with ScimServer("s3cret-token") as server:
        server.add(user_name="U1@example.org", active=True)
        yield server


def use(workspace: Path, url: str, name: str = "reader") -> None:
    """Let every source use a product."""
    (workspace / "products").mkdir(exist_ok=True)
    text = PRODUCT.format(id=name, url=url)
    (workspace / "products" / f"{name}.yaml").write_text(text)


def accept(workspace: Path, files: dict[str, list[Row]]) -> None:
    """Make a roster the source's accepted one."""
    with open_package(io.BytesIO(packed(files))) as package:
        made = build_candidate(package, None, workspace / "candidate")
    assert made.roster is not None
    snapshot = Snapshots(str(workspace / "store")).put("springfield", made.roster)
    day = NOW.date()
    with (
        Ledger.open(f"sqlite:///{workspace}/ledger.sqlite") as ledger,
        ledger.lease("springfield", lambda: NOW) as lease,
    ):
        ledger.record_verdict("springfield", snapshot, None, day, "pass", (), NOW, lease)
        ledger.accept("springfield", snapshot, None, day, NOW, lease)


def one_e_mail_for_two(files: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """u2 and u3 share an e-mail."""
    files["users"][2]["email"] = files["users"][1]["email"]
    return files


def test_a_plan_is_a_table_and_a_document_and_writes_nothing(
    roster: Roster, workspace: Path, server: ScimServer
) -> None:
    use(workspace, server.url)
    accept(workspace, one_e_mail_for_two(district()))
    before = server.users
    ended = roster("accounts", "plan", "springfield", "-w", workspace)
    assert ended.code == 0, ended.err
    said = " ".join(ended.out.split())
    assert "adopt 1 the provider has an account with this userName" in said
    assert "users.csv, line 3" in ended.out
    assert "users.csv, line 4" in ended.out
    for known in ("u1", "u2", "@example.org", "Hopper"):
        assert known not in ended.out

    ended = roster("accounts", "plan", "springfield", "-w", workspace, "--format", "json")
    document = ended.document()
    assert document["schema"] == "roster.accounts-plan/1"
    (product,) = document["products"]
    assert product["product"] == "reader"
    assert product["counts"] == {
        "update": 0, "reactivate": 0, "suspend": 0, "adopt": 1, "create": 1, "no-op": 0,
        "blocked": 2,
    }  # fmt: skip
    assert [(a["action"], a["sourcedId"], a["line"]) for a in product["accounts"]] == [
        ("adopt", "u1", 2),
        ("create", "u4", 5),
        ("blocked", "u2", 3),
        ("blocked", "u3", 4),
    ]
    assert server.users == before
    with Ledger.open(f"sqlite:///{workspace}/ledger.sqlite") as ledger:
        assert ledger.accounts("reader") == []


def test_everybody_is_listed_by_id_only_where_that_is_asked_for(
    roster: Roster, workspace: Path, server: ScimServer
) -> None:
    use(workspace, server.url)
    accept(workspace, district())
    shown = roster("accounts", "plan", "springfield", "--people", "-w", workspace).out
    assert "u1" in shown
    assert "u4" in shown


def test_several_products_are_planned_and_one_may_be_picked(
    roster: Roster, workspace: Path, server: ScimServer
) -> None:
    use(workspace, server.url)
    with ScimServer("s3cret-token") as other:
        use(workspace, other.url, "writer")
        _plans_each(roster, workspace)


def _plans_each(roster: Roster, workspace: Path) -> None:
    accept(workspace, district())
    words = ("accounts", "plan", "springfield", "-w", workspace, "--format", "json")
    named = [product["product"] for product in roster(*words).document()["products"]]
    assert named == ["reader", "writer"]
    picked = roster(*words, "--product", "writer").document()["products"]
    assert [product["product"] for product in picked] == ["writer"]


def test_what_cannot_be_planned_is_a_sentence(
    roster: Roster, workspace: Path, server: ScimServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("accounts", "plan", "springfield", "-w", workspace)
    ended = roster(*words)
    assert (ended.code, ended.out) == (2, "")
    assert "springfield uses no product with `accounts:`" in ended.err
    use(workspace, server.url)
    ended = roster(*words, "--product", "raeder")
    assert ended.code == 2
    assert "no product called 'raeder'" in ended.err
    assert "there are: reader" in ended.err
    ended = roster(*words)
    assert ended.code == 1
    assert "has no accepted roster yet" in ended.err
    accept(workspace, district())
    monkeypatch.setenv("READER_TOKEN", "another-token")
    ended = roster(*words)
    assert ended.code == 1
    assert "does not take the credentials" in ended.err
    assert "another-token" not in ended.err
    monkeypatch.delenv("READER_TOKEN")
    ended = roster(*words)
    assert "READER_TOKEN is not set" in ended.err
    assert "Traceback" not in ended.err
