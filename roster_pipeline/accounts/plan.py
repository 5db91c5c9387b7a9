"""What would have to be done so that everybody has the account that they should have.

Pure: the people who should have one, the accounts that are ours, and what the provider has go in;
a plan comes out. Same input, same plan.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

import pandas as pd

from roster_pipeline.accounts.config import AccountSettings, Suspension
from roster_pipeline.accounts.desired import PROBLEMS, Person, alike_key, name_key, people
from roster_pipeline.accounts.fields import EXTERNAL_ID, USER_NAME, Content
from roster_pipeline.store import Account, AccountState, Origin


class Kind(StrEnum):
    """What is done with one account."""

    UPDATE = "update"
    REACTIVATE = "reactivate"
    SUSPEND = "suspend"
    ADOPT = "adopt"
    """It is at the provider and becomes ours."""
    CREATE = "create"
    KEEP = "no-op"
    """Nothing is sent."""
    BLOCKED = "blocked"
    """Something would have to be done, and cannot be: a person has to look."""


REASONS: Final[Mapping[str, str]] = {
    **PROBLEMS,
    "new": "has no account yet",
    "broken_off": "was being made when an earlier push broke off",
    "gone": "was removed at the provider, and is made again",
    "matched_by_id": "the provider has an account with this externalId",
    "matched_by_name": "the provider has an account with this userName",
    "changed": "differs from what was last sent",
    "back": "is entitled to the account again",
    "left": "is no longer entitled to the account",
    "waits": "is no longer entitled to the account; it is suspended later",
    "settled": "is as it should be",
    "taken_here": "the userName is that of another of our accounts, suspended ones included",
    "id_taken_here": "the externalId is that of another of our accounts, suspended ones included",
    "taken_there": "the provider has the userName with the externalId of somebody else",
    "two_there": "the provider has more than one account that could be this person's",
    "not_adopted": "the provider has an account with this userName, and `adopt` is never",
    "too_many": "more accounts would be suspended than `suspend` lets go in one run; raise"
    " `limit_percent` if that is right",
}
"""Why an action is what it is: code → sentence."""


@dataclass(frozen=True, slots=True)
class Remote:
    """An account as the provider has it."""

    id: str
    active: bool
    content: Content = field(repr=False)

    @property
    def external_id(self) -> str:
        """Our id for it, or another's; empty where it has none."""
        return self.content.get(EXTERNAL_ID, "")

    @property
    def name_key(self) -> str:
        """Its userName, for comparing."""
        return name_key(self.content.get(USER_NAME, ""))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Somebody of whom it is not known whether the provider has an account."""

    external_id: str = field(repr=False)
    user_name: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Action:
    """One account and what is to be done with it."""

    kind: Kind
    reason: str
    """A code of `REASONS`."""
    sourced_id: str = field(repr=False)
    account: Account | None = None
    """What the ledger knows of it; None for one that is not ours yet."""
    person: Person | None = None
    """Who should have it; None for somebody who left."""
    remote: Remote | None = None
    """What was found at the provider, where it was looked for."""


@dataclass(frozen=True)
class Plan:
    """What is to be done, in the order in which it is done."""

    actions: tuple[Action, ...]
    """Without the accounts of which nothing is to be remembered or done."""
    unchanged: int
    """Accounts that are as they should be."""
    owned: frozenset[str] = frozenset()
    """The provider's ids of all accounts that are ours, of whatever source."""

    def counts(self) -> dict[str, int]:
        """How many accounts of each kind; kinds of none included."""
        counter = Counter(action.kind for action in self.actions)
        counter[Kind.KEEP] += self.unchanged
        return {str(kind): counter[kind] for kind in Kind}

    def reasons(self) -> dict[tuple[str, str], int]:
        """How many for each kind and reason, in the order of the kinds."""
        counter = Counter((action.kind, action.reason) for action in self.actions)
        if self.unchanged:
            counter[Kind.KEEP, "settled"] += self.unchanged
        order = {kind: place for place, kind in enumerate(Kind)}
        found = sorted(counter.items(), key=lambda item: (order[item[0][0]], item[0][1]))
        return {(str(kind), reason): count for (kind, reason), count in found}

    def of(self, *kinds: Kind) -> list[Action]:
        """The actions of some kinds."""
        return [action for action in self.actions if action.kind in kinds]


def to_look_for(desired: pd.DataFrame, known: Sequence[Account], source: str) -> list[Wanted]:
    """Whose account has to be looked for at the provider before a plan can be made.

    `known` are the accounts of the product. Nobody whose account is known for certain is among
    them, so that a day without change asks nothing.
    """
    certain = {a.sourced_id for a in known if a.source == source and not _is_uncertain(a)}
    wanted = [
        Wanted(person.content[EXTERNAL_ID], person.content[USER_NAME])
        for person in people(desired[~desired["sourcedId"].isin(certain)])
        if person.problem is None
    ]
    # Nobody who should have one, but it may have been made in the moment of a crash.
    here = set(desired["sourcedId"])
    wanted += [
        Wanted(account.external_id, account.user_name)
        for account in known
        if account.source == source
        and account.state is AccountState.PENDING
        and account.sourced_id not in here
    ]
    return wanted


def plan(
    desired: pd.DataFrame,
    known: Sequence[Account],
    found: Iterable[Remote],
    *,
    settings: AccountSettings,
    source: str,
    day: date,
) -> Plan:
    """What is to be done for one source.

    `desired` comes from `desired.desired`, `known` are the accounts of the product (of all of its
    sources), `found` what the provider has of those that `to_look_for` names.
    """
    mine = {account.sourced_id: account for account in known if account.source == source}
    ours = {*desired[EXTERNAL_ID].dropna(), *(account.external_id for account in known)}
    match = _Matching(found, known, source, settings.adopt, ours)
    actions: list[Action] = []
    unchanged = 0
    entitled: set[str] = set()
    for person in people(desired):
        entitled.add(person.sourced_id)
        action = _of_person(person, mine.get(person.sourced_id), match)
        if action is None:
            unchanged += 1
        else:
            actions.append(action)
    leaving = [account for id_, account in mine.items() if id_ not in entitled]
    left = [_of_leaver(account, match, settings.suspend, day) for account in leaving]
    unchanged += left.count(None)
    actions += _within_limit([action for action in left if action], mine.values(), settings.suspend)
    order = {kind: place for place, kind in enumerate(Kind)}
    # Stable: within a kind as in the roster. What gives a userName free goes before what takes it.
    ordered = tuple(sorted(actions, key=lambda action: order[action.kind]))
    owned = frozenset(account.remote_id for account in known if account.remote_id)
    return Plan(ordered, unchanged, owned)


def _is_uncertain(account: Account) -> bool:
    return account.state in (AccountState.PENDING, AccountState.GONE)


def _of_person(person: Person, account: Account | None, match: "_Matching") -> Action | None:
    """What is to be done for somebody who should have an account; None for nothing at all."""
    obstacle = person.problem or match.taken_here(person)
    if obstacle is not None:
        return Action(Kind.BLOCKED, obstacle, person.sourced_id, account, person)
    if account is None or _is_uncertain(account):
        return _to_make(person, account, match)
    if account.state is AccountState.SUSPENDED:
        kind, reason = Kind.REACTIVATE, "back"
    elif account.content_hash != person.content_hash:
        kind, reason = Kind.UPDATE, "changed"
    elif account.missing_since is not None:
        kind, reason = Kind.KEEP, "back"
    else:
        return None
    return Action(kind, reason, person.sourced_id, account, person)


def _to_make(person: Person, account: Account | None, match: "_Matching") -> Action:
    reason, remote = match.remote_of(person)
    if reason in ("matched_by_id", "matched_by_name"):
        if account is not None and account.state is AccountState.PENDING:
            reason = "broken_off"
        return Action(Kind.ADOPT, reason, person.sourced_id, account, person, remote)
    if reason is not None:
        return Action(Kind.BLOCKED, reason, person.sourced_id, account, person)
    again = account is not None and account.state is AccountState.GONE
    return Action(Kind.CREATE, "gone" if again else "new", person.sourced_id, account, person)


def _of_leaver(account: Account, match: "_Matching", rules: Suspension, day: date) -> Action | None:
    """What is to be done with the account of somebody who is not entitled to it."""
    if account.state is AccountState.PENDING:
        remote = match.own(account)
        if remote is None:
            return Action(Kind.KEEP, "broken_off", account.sourced_id, account)
        return Action(Kind.SUSPEND, "broken_off", account.sourced_id, account, remote=remote)
    if account.state is not AccountState.ACTIVE:
        return None
    if day - (account.missing_since or day) >= timedelta(days=rules.after_days):
        return Action(Kind.SUSPEND, "left", account.sourced_id, account)
    return Action(Kind.KEEP, "waits", account.sourced_id, account)


def _within_limit(
    actions: Sequence[Action], mine: Collection[Account], rules: Suspension
) -> Iterator[Action]:
    active = sum(account.state is AccountState.ACTIVE for account in mine)
    leaving = sum(action.kind is Kind.SUSPEND for action in actions)
    too_many = rules.limit_passed_by(leaving, active)
    for action in actions:
        if too_many and action.kind is Kind.SUSPEND:
            yield Action(Kind.BLOCKED, "too_many", action.sourced_id, action.account)
        else:
            yield action


class _Matching:
    """Whose is what: the ledger's accounts and the provider's, by id and by userName."""

    def __init__(
        self,
        found: Iterable[Remote],
        known: Sequence[Account],
        source: str,
        adopt: str,
        ours: Collection[str],
    ) -> None:
        self._source = source
        self._adopt = adopt
        self._ours = ours
        self._owners = {a.remote_id: (a.source, a.sourced_id) for a in known if a.remote_id}
        self._names: dict[str, set[tuple[str, str]]] = defaultdict(set)
        self._ids: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for account in known:
            owner = (account.source, account.sourced_id)
            self._names[alike_key(account.user_name)].add(owner)
            self._ids[alike_key(account.external_id)].add(owner)
        self._by_id: dict[str, list[Remote]] = defaultdict(list)
        self._by_name: dict[str, list[Remote]] = defaultdict(list)
        for remote in {remote.id: remote for remote in found}.values():
            self._by_id[remote.external_id].append(remote)
            self._by_name[remote.name_key].append(remote)

    def taken_here(self, person: Person) -> str | None:
        """Why a person cannot have what another account of ours has, suspended ones included."""
        own = {(self._source, person.sourced_id)}
        if self._ids.get(alike_key(person.content[EXTERNAL_ID]), own) - own:
            return "id_taken_here"
        if self._names.get(alike_key(person.content[USER_NAME]), own) - own:
            return "taken_here"
        return None

    def own(self, account: Account) -> Remote | None:
        """The provider's account with our id for one of ours."""
        return next(iter(self._by_id.get(account.external_id, ())), None)

    def remote_of(self, person: Person) -> tuple[str | None, Remote | None]:
        """Why an account is this person's, and which; or why they cannot have one; or nothing."""
        by_id = self._by_id.get(person.content[EXTERNAL_ID], [])
        by_name = self._by_name.get(name_key(person.content[USER_NAME]), [])
        candidates = {remote.id: remote for remote in (*by_id, *by_name)}
        if len(candidates) != 1:
            return ("two_there" if candidates else None), None
        ((remote_id, remote),) = candidates.items()
        owner = (self._source, person.sourced_id)
        if self._owners.get(remote_id, owner) != owner:
            return ("id_taken_here" if by_id else "taken_here"), None
        if by_id:
            return "matched_by_id", remote
        obstacle = self._against_adopting(remote)
        return (obstacle, None) if obstacle else ("matched_by_name", remote)

    def _against_adopting(self, remote: Remote) -> str | None:
        """Why an account with the right userName only is not taken over."""
        if self._adopt == "never":
            return "not_adopted"
        is_free = not remote.external_id or (
            self._adopt == "any" and remote.external_id not in self._ours
        )
        return None if is_free else "taken_there"


def origin_of(action: Action) -> Origin:
    """How the account of an action came, or comes, to be ours."""
    if action.account is not None:
        return action.account.origin
    return Origin.ADOPTED if action.kind is Kind.ADOPT else Origin.CREATED
