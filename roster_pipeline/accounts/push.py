"""Doing what a plan says, so that it can break off anywhere and be done again.

What was done is remembered batch by batch. An account that is about to be made is remembered
first, as pending: whatever happens then, the next look finds it by our id and takes it for ours.
"""

import datetime as dt
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final, Protocol, TypeVar

from roster_pipeline.accounts.fields import EXTERNAL_ID, USER_NAME
from roster_pipeline.accounts.plan import Action, Kind, Plan, Wanted, origin_of
from roster_pipeline.accounts.target import Declined, Target
from roster_pipeline.store import Account, AccountState
from roster_pipeline.transport.errors import TransportError

DECLINED: Final[Mapping[str, str]] = {
    "conflict": "the provider says that a value that must be unique, such as the userName, is"
    " taken (409); it is tried again in the next sync",
    "invalid": "the provider does not take this person's values",
    "removed": "the account was removed at the provider; the next sync makes it again",
    "failed": "the provider fails on this account",
    "shared": "the provider answered with the account of another person, which was not taken",
}
"""Why nothing was done for one person: code → sentence."""

BATCH: Final = 64
"""Accounts whose outcome is remembered together."""
_HOPELESS: Final = 5
"""So many failures and no success in a batch are the provider's state, not people's values."""
_CONFLICT: Final = 409
_NOT_FOUND: Final = 404
_SERVER: Final = 500


T = TypeVar("T")


class Remember(Protocol):
    """Keeps what is known of accounts, and forgets others, in one step."""

    def __call__(self, these: Sequence[Account], *, forget: Sequence[Account] = ()) -> None: ...


class BrokenOff(Exception):  # noqa: N818 - it says what happened
    """A push ended before its end; running it again goes on where it was."""

    def __init__(self, sentence: str, *, transient: bool) -> None:
        super().__init__(sentence)
        self.transient = transient


@dataclass(frozen=True)
class Pushed:
    """What was done."""

    counts: Mapping[str, int]
    """Accounts by kind."""
    declined: Mapping[str, int]
    """Accounts by a code of `DECLINED`."""
    blocked: Mapping[str, int]
    """Accounts by the reason of the plan for which nothing was tried."""

    @property
    def without(self) -> int:
        """How many accounts are not as they should be."""
        return sum(self.declined.values()) + sum(self.blocked.values())


@dataclass(frozen=True)
class _Done:
    """The outcome of one action."""

    remember: Account | None = None
    forget: Account | None = None
    declined: str | None = None
    error: TransportError | None = None
    skipped: bool = False

    @property
    def is_done(self) -> bool:
        """Whether what the plan says was done."""
        return self.declined is None and self.error is None and not self.skipped


def push(
    plan: Plan,
    target: Target,
    remember: Remember,
    *,
    product: str,
    source: str,
    day: dt.date,
    now: Callable[[], dt.datetime],
    workers: int = 1,
    batch: int = BATCH,
) -> Pushed:
    """Carry out a plan of one source.

    `remember` is called under the source's lease, for a batch before its accounts are made and
    after. Raises `BrokenOff` where the provider can no longer be asked; what was done by then is
    remembered.
    """
    doing = _Doing(target, product, source, day, now, set(plan.owned))
    counts: Counter[str] = Counter({str(Kind.KEEP): plan.unchanged})
    declined: Counter[str] = Counter()
    blocked = Counter(action.reason for action in plan.of(Kind.BLOCKED))
    todo = [action for action in plan.actions if action.kind is not Kind.BLOCKED]
    with ThreadPoolExecutor(workers, thread_name_prefix="accounts") as pool:
        for start in range(0, len(todo), batch):
            actions = todo[start : start + batch]
            if announced := [doing.pending(a) for a in actions if a.kind is Kind.CREATE]:
                remember(announced)
            done = list(pool.map(doing.one, actions))
            remember(
                [result.remember for result in done if result.remember],
                forget=[result.forget for result in done if result.forget],
            )
            counts.update(str(a.kind) for a, r in zip(actions, done, strict=True) if r.is_done)
            declined.update(result.declined for result in done if result.declined)
            _stop_if_over(done, f"{start + sum(r.is_done for r in done):,} of {len(todo):,}")
    return Pushed(
        {str(kind): counts[kind] for kind in Kind if kind is not Kind.BLOCKED},
        dict(sorted(declined.items())),
        dict(sorted(blocked.items())),
    )


def _stop_if_over(done: Sequence[_Done], far: str) -> None:
    """Raise `BrokenOff` after a batch in which the provider could not be asked."""
    again = f"{far} accounts were gone through; what was done is remembered, and the rest is done"
    again += " when this runs again."
    for result in done:
        if result.error is not None:
            raise BrokenOff(f"{result.error} {again}", transient=result.error.transient)
    if len(done) >= _HOPELESS and all(result.declined == "failed" for result in done):
        raise BrokenOff(
            f"The provider fails on every account (status 500 or above). {again}", transient=True
        )


class _Doing:
    """Does single actions; once the provider cannot be asked, no more."""

    def __init__(
        self,
        target: Target,
        product: str,
        source: str,
        day: dt.date,
        now: Callable[[], dt.datetime],
        owned: set[str],
    ) -> None:
        self._target = target
        self._owned = owned
        self._owning = threading.Lock()
        self._product = product
        self._source = source
        self._day = day
        self._now = now
        self._over = False

    def one(self, action: Action) -> _Done:
        """Do one action."""
        if self._over:
            return _Done(skipped=True)
        try:
            try:
                return self._do(action)
            except Declined as declined:
                return self._not_done(action, declined.status)
        except Declined as declined:
            return _Done(declined=_code(declined.status))
        except TransportError as error:
            self._over = True
            return _Done(error=error)

    def pending(self, action: Action) -> Account:
        """What is remembered of an account before it is made."""
        return replace(self._account(action, None), state=AccountState.PENDING, content_hash="")

    def _do(self, action: Action) -> _Done:
        if action.kind is Kind.KEEP:
            return self._kept(action)
        if action.kind is Kind.SUSPEND:
            return _Done(self._suspended(action))
        content = _of(action.person).content
        if action.kind is Kind.CREATE:
            made = self._target.create(content)
            with self._owning:
                is_shared = made in self._owned
                self._owned.add(made)
            return _Done(declined="shared") if is_shared else _Done(self._account(action, made))
        if action.kind is Kind.ADOPT:
            remote = _of(action.remote)
            if not remote.active or not content.items() <= remote.content.items():
                self._target.change(remote.id, content, active=True, clear=False)
            return _Done(self._account(action, remote.id))
        remote_id = _of(_of(action.account).remote_id)
        active = True if action.kind is Kind.REACTIVATE else None
        self._target.change(remote_id, content, active=active, clear=True)
        return _Done(self._account(action, remote_id))

    def _kept(self, action: Action) -> _Done:
        account = _of(action.account)
        if action.reason == "broken_off":
            return _Done(forget=account)
        since = None if action.reason == "back" else account.missing_since or self._day
        return _Done(replace(account, missing_since=since))

    def _suspended(self, action: Action) -> Account:
        account = _of(action.account)
        remote_id = action.remote.id if action.remote else _of(account.remote_id)
        self._target.suspend(remote_id)
        return replace(
            account,
            remote_id=remote_id,
            state=AccountState.SUSPENDED,
            missing_since=account.missing_since or self._day,
            at=self._now(),
        )

    def _not_done(self, action: Action, status: int) -> _Done:
        account = action.account
        if action.kind is Kind.CREATE:
            code = _code(status)
            if status >= _SERVER:
                # It may have been made all the same: it stays pending, and the next look tells.
                return _Done(declined=code)
            if account is not None and account.state is AccountState.GONE:
                return _Done(account, declined=code)
            return _Done(forget=self.pending(action), declined=code)
        if status == _NOT_FOUND and account is not None:
            return self._missing(action, account)
        return _Done(declined=_code(status))

    def _missing(self, action: Action, account: Account) -> _Done:
        """What to do about an account that is not where it was. The provider may be the one that
        is not there, or have given it another id."""
        wanted = Wanted(account.external_id, account.user_name)
        found = [r for r in self._target.find([wanted]) if r.external_id == account.external_id]
        if found and action.kind is Kind.SUSPEND:
            return _Done(self._suspended(replace(action, remote=found[0])))
        gone = replace(account, remote_id=None, state=AccountState.GONE, at=self._now())
        return _Done(gone, declined=None if action.kind is Kind.SUSPEND else "removed")

    def _account(self, action: Action, remote_id: str | None) -> Account:
        person = _of(action.person)
        return Account(
            product=self._product,
            source=self._source,
            sourced_id=person.sourced_id,
            remote_id=remote_id,
            origin=origin_of(action),
            state=AccountState.ACTIVE,
            external_id=person.content[EXTERNAL_ID],
            user_name=person.content[USER_NAME],
            content_hash=person.content_hash,
            missing_since=None,
            at=self._now(),
        )


def _code(status: int) -> str:
    if status == _CONFLICT:
        return "conflict"
    return "failed" if status >= _SERVER else "invalid"


def _of(value: T | None) -> T:
    """What an action of its kind always has."""
    if value is None:
        raise ValueError("an action of this kind needs what this one lacks")
    return value
