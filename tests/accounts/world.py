"""A school's people, a ledger and a real SCIM server, for tests of what happens to accounts."""

import datetime as dt
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from roster_pipeline.accounts.config import AccountSettings
from roster_pipeline.accounts.plan import Plan
from roster_pipeline.accounts.push import BATCH, Pushed, push
from roster_pipeline.accounts.scim import ScimTarget, open_target
from roster_pipeline.accounts.survey import survey
from roster_pipeline.oneroster.package import open_package
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.quality.candidate import build_candidate
from roster_pipeline.simulator.scim_server import ScimServer
from roster_pipeline.store import Account
from roster_pipeline.store.ledger import Ledger
from tests.small import Row, district, packed

TOKEN = "a-token-of-the-tests"
VARIABLE = "SCIM_TOKEN"
SOURCE = "springfield"
PRODUCT = "reader"
DAY1, DAY2, DAY3 = (dt.date(2026, 8, day) for day in (24, 25, 26))
NOW = dt.datetime(2026, 8, 24, 6, tzinfo=dt.UTC)
ROLES = {"teacher": "teacher", "student": "learner", "siteAdministrator": "manager"}


def settings(server: ScimServer | None = None, **changes: Any) -> AccountSettings:
    """The settings of a product."""
    url = "http://127.0.0.1:9/v2" if server is None else server.url
    said: dict[str, Any] = {
        "roles": ROLES,
        "fields": ["givenName", "familyName", "email", "role"],
        "scim": {
            "base_url": url,
            "auth": {"bearer": {"token": {"env": VARIABLE}}},
            "attempts": 2,
            "timeout": 20.0,
        },
    }
    scim = {**said["scim"], **changes.pop("scim", {})}
    return AccountSettings.model_validate({**said, **changes, "scim": scim})


def school(*names: str) -> dict[str, list[Row]]:
    """The small district with these students in the place of its people."""
    files = district()
    files["users"] = [person(name) for name in names]
    files["roles"] = [role(name) for name in names]
    files["enrollments"] = []
    return files


def person(name: str, **cells: str) -> Row:
    """A users row."""
    return {
        "sourcedId": name,
        "enabledUser": "true",
        "username": name,
        "givenName": name.title(),
        "familyName": "Doe",
        "email": f"{name}@example.org",
        **cells,
    }


def role(name: str, word: str = "student", **cells: str) -> Row:
    """A roles row."""
    return {
        "sourcedId": f"r-{name}-{word}",
        "userSourcedId": name,
        "roleType": "primary",
        "role": word,
        "orgSourcedId": "s1",
        **cells,
    }


def roster_of(files: dict[str, list[Row]], folder: Path, version: str = "1.2") -> Roster:
    """The rows of a package as an accepted roster."""
    with open_package(io.BytesIO(packed(files, version=version))) as opened:
        candidate = build_candidate(opened, None, folder)
    assert candidate.roster is not None, list(candidate.findings)
    return candidate.roster


@dataclass
class World:
    """What a test of accounts needs to hand."""

    folder: Path
    ledger: Ledger
    server: ScimServer
    source: str = SOURCE
    batch: int = BATCH
    slept: list[float] = field(default_factory=list)
    environ: dict[str, str] = field(default_factory=lambda: {VARIABLE: TOKEN})
    _rosters: int = 0

    def target(self, chosen: AccountSettings) -> ScimTarget:
        """The provider, asked without pauses."""
        return open_target(chosen, base=self.folder, environ=self.environ, sleep=self.slept.append)

    def roster(self, files: dict[str, list[Row]]) -> Roster:
        """The rows of a package as an accepted roster."""
        self._rosters += 1
        return roster_of(files, self.folder / str(self._rosters))

    def plan(self, files: dict[str, list[Row]] | Roster, day: dt.date = DAY1, **s: Any) -> Plan:
        """What would be done."""
        chosen = settings(self.server, **s)
        roster = files if isinstance(files, Roster) else self.roster(files)
        with self.target(chosen) as target:
            known = partial(self.ledger.accounts, PRODUCT)
            return survey(roster, known, target, settings=chosen, source=self.source, day=day)

    def sync(self, files: dict[str, list[Row]] | Roster, day: dt.date = DAY1, **s: Any) -> Pushed:
        """Plan and push."""
        chosen = settings(self.server, **s)
        roster = files if isinstance(files, Roster) else self.roster(files)
        known = partial(self.ledger.accounts, PRODUCT)
        with self.ledger.lease(self.source, lambda: NOW) as lease, self.target(chosen) as target:
            made = survey(roster, known, target, settings=chosen, source=self.source, day=day)

            def remember(these: Sequence[Account], *, forget: Sequence[Account] = ()) -> None:
                self.ledger.record_accounts(these, lease, forget=forget)

            return push(
                made,
                target,
                remember,
                product=PRODUCT,
                source=self.source,
                day=day,
                now=lambda: NOW,
                workers=chosen.scim.workers,
                batch=self.batch,
            )

    @property
    def accounts(self) -> dict[str, Account]:
        """The source's accounts in the ledger, by sourcedId."""
        return {a.sourced_id: a for a in self.ledger.accounts(PRODUCT, self.source)}

    @property
    def users(self) -> dict[str, dict[str, Any]]:
        """What the provider has, by userName."""
        return {str(user["userName"]): user for user in self.server.users}


def changed(
    files: dict[str, list[Row]], *, where: Callable[[Row], bool], **cells: str
) -> dict[str, list[Row]]:
    """The same rows with other cells in some users."""
    users: Iterable[Row] = files["users"]
    return {**files, "users": [{**row, **cells} if where(row) else row for row in users]}
