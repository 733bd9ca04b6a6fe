"""What owners may spend: reserved when a picture is accepted, spent when it is made, given back when not.

Everything that belongs to a picture is written in the transaction that changes the picture. Since writing
transactions come one after the other, what a check inside of one has seen still holds when it is committed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from hotfolder.clock import NewId, new_id
from hotfolder.database import Database, Transaction
from hotfolder.domain.credits import (
    AMOUNT_MAX,
    DEFAULT_OWNER,
    Entry,
    Posting,
    format_amount,
    in_credits,
)
from hotfolder.domain.instants import format_instant, parse_instant
from hotfolder.domain.wording import one_line
from hotfolder.errors import HotfolderError, QueueError
from hotfolder.library.credit_ledger import Account, CreditLedger, Difference, to_cells
from hotfolder.library.credit_requests import CreditRequest, CreditRequests
from hotfolder.metrics import CREDITS_SPENT


@dataclass(frozen=True, slots=True)
class Balance:
    """What an owner has (with a daily grant that is due), and may still spend of it today."""

    owner: str
    amount: int
    spent_today: int
    left_today: int | None
    """What the daily cap leaves; None without a cap."""


class CreditBook:
    """Amounts are thousandths of a credit; jobs without an owner are paid for by the owner `default`."""

    def __init__(
        self,
        database: Database,
        *,
        daily: int = 0,
        daily_cap: int | None = None,
        approval_over: int | None = None,
        reject_refund: float = 0.0,
        make_id: NewId = new_id,
    ) -> None:
        self._database = database
        self._ledger = CreditLedger(database)
        self._requests = CreditRequests(database, make_id)
        self._daily = daily
        self._daily_cap = daily_cap
        self._approval_over = approval_over
        self._reject_refund = reject_refund

    def check(self, owner: str | None, amount: int) -> None:
        """Raise QueueError `queue.no_credits` when an owner cannot pay so much now."""
        self._check(owner or DEFAULT_OWNER, amount, self._database.now())

    def may_reserve(self, owner: str | None, amount: int) -> bool:
        """Whether an owner could pay so much now."""
        try:
            self.check(owner, amount)
        except QueueError:
            return False
        return True

    def is_reserved(self, generation_id: str) -> bool:
        """Whether the price of a picture is kept back, or paid."""
        payment = self._ledger.find_payment(generation_id)
        return payment is not None and payment.stage != "given_back"

    def reserved(self, generation_id: str) -> int | None:
        """What is kept back for a picture that has not ended; None when nothing is."""
        payment = self._ledger.find_payment(generation_id)
        return payment.reserved if payment is not None and payment.stage == "reserved" else None

    def reserve(
        self,
        tx: Transaction,
        owner: str | None,
        job_id: str,
        generation_id: str,
        amount: int,
        actor: str | None = None,
    ) -> None:
        """Keep back what a picture costs, once; raises QueueError `queue.no_credits`."""
        if amount < 0:
            raise ValueError(f"a picture cannot cost {amount} thousandths of a credit")
        payment = self._ledger.find_payment(generation_id)
        if payment is not None and payment.stage != "given_back":
            return
        payer = owner or DEFAULT_OWNER
        self._refresh(tx, payer)
        self._check(payer, amount, tx.at)
        self._ledger.append(
            tx,
            Posting(
                owner=payer,
                kind="reserve",
                amount=-amount,
                job_id=job_id,
                generation_id=generation_id,
                spent_on=_day(tx.at),
                actor=actor or payer,
            ),
        )

    def settle(
        self, tx: Transaction, generation_id: str, actual: int | None = None, actor: str | None = None
    ) -> None:
        """What was reserved for a picture is spent, or what it cost in fact.

        What it cost more is taken as far as the balance goes: the picture is made already.
        """
        payment = self._ledger.find_payment(generation_id)
        if payment is None or payment.stage != "reserved":
            return
        owner = payment.reservation.owner
        cost = payment.reserved if actual is None else max(0, actual)
        rest = max(payment.reserved - cost, -self._ledger.find_account(owner).balance)
        self._ledger.append(tx, payment.answer("debit", rest, actor))
        spent = payment.reserved - rest
        _note_cost(tx, generation_id, spent)
        tx.count(CREDITS_SPENT, {"owner": owner}, in_credits(spent))

    def refund(
        self,
        tx: Transaction,
        generation_id: str,
        note: str | None = None,
        part: float = 1.0,
        actor: str | None = None,
    ) -> None:
        """Give back what is reserved for a picture, or a part of what was spent on it; the part only once."""
        payment = self._ledger.find_payment(generation_id)
        if payment is None or payment.stage == "given_back":
            return
        amount = payment.refundable(part)
        if payment.stage == "spent" and amount == 0:
            return
        self._ledger.append(tx, payment.answer("refund", amount, actor, note))
        if payment.stage == "spent":
            _note_cost(tx, generation_id, payment.spent - payment.returned - amount)

    def refund_discarded(self, tx: Transaction, generation_id: str, actor: str | None = None) -> None:
        """Give back the part that is due for a picture that was discarded in review."""
        self.refund(tx, generation_id, "discarded in review", self._reject_refund, actor)

    def grant(
        self, owner: str | None, amount: int, actor: str, note: str | None = None
    ) -> CreditRequest | None:
        """Add to a balance, or take from it with a negative amount.

        A large grant becomes a request, which is given back: a second actor has to approve it.
        """
        receiver, told = owner or DEFAULT_OWNER, one_line(note) if note else None
        if amount == 0 or abs(amount) > AMOUNT_MAX:
            raise HotfolderError(
                "This amount cannot be granted.",
                code="credits.invalid_amount",
                hint=f"Up to {format_amount(AMOUNT_MAX)} credits can be granted or taken, but not 0.",
            )
        with self._database.transaction() as tx:
            if self._approval_over is not None and amount > self._approval_over:
                return self._requests.add(tx, receiver, amount, actor, told)
            self._add(tx, Posting(owner=receiver, kind="grant", amount=amount, actor=actor, note=told))
        return None

    def approve(self, request_id: str, actor: str) -> CreditRequest:
        """Grant what somebody else has requested, once."""
        with self._database.transaction() as tx:
            request = self._requests.approve(tx, request_id, actor)
            note = f"requested by {request.actor}" + (f": {request.note}" if request.note else "")
            self._add(
                tx, Posting(owner=request.owner, kind="grant", amount=request.amount, actor=actor, note=note)
            )
        return request

    def list_requests(self) -> list[CreditRequest]:
        """All requests, those that wait first."""
        return self._requests.list_all()

    def balance(self, owner: str | None) -> Balance:
        """What an owner has and may spend."""
        return self._to_balance(self._ledger.find_account(owner or DEFAULT_OWNER))

    def list_balances(self) -> list[Balance]:
        """The balances of everybody who ever had one, by owner."""
        return [self._to_balance(each) for each in self._ledger.list_accounts()]

    def statement(self, owner: str | None, limit: int = 100) -> list[Entry]:
        """The latest entries of an owner, newest first."""
        return self._ledger.list_latest(owner or DEFAULT_OWNER, limit)

    def export(self, owner: str | None = None) -> list[tuple[str, ...]]:
        """The ledger, oldest first, as rows for a spreadsheet: none of its cells is a formula."""
        return [to_cells(each) for each in self._ledger.list_all(owner)]

    def verify(self) -> list[Difference]:
        """Owners whose balance is not the sum of their ledger."""
        return self._ledger.list_differences()

    def _check(self, owner: str, amount: int, at: str) -> None:
        if amount == 0:
            return
        balance = self._amount_at(self._ledger.find_account(owner), at)
        if amount > balance:
            raise self._lacks(owner, amount, balance, at)
        if self._daily_cap is None:
            return
        spent = self._ledger.spent_on(owner, _day(at))
        if amount > self._daily_cap - spent:
            raise _over_cap(owner, amount, spent, self._daily_cap, at)

    def _lacks(self, owner: str, amount: int, balance: int, at: str) -> QueueError:
        grant = "`hotfolder credits grant` adds to it"
        refreshed = f"At {_next_day(at)} it is raised to {format_amount(self._daily)}; {grant}."
        return QueueError(
            f"This costs {format_amount(amount)} credits, and {owner} has {format_amount(balance)}.",
            code="queue.no_credits",
            hint=refreshed if self._daily > balance else f"No daily refresh adds to the balance; {grant}.",
        )

    def _amount_at(self, account: Account, at: str) -> int:
        """The balance, with the daily grant of this day when it has not been made yet."""
        return max(account.balance, self._daily) if self._is_due(account, at) else account.balance

    def _is_due(self, account: Account, at: str) -> bool:
        """Days only go forward: a clock that is set back grants nothing twice."""
        return self._daily > 0 and (account.refreshed_on or "") < _day(at)

    def _refresh(self, tx: Transaction, owner: str) -> None:
        account = self._ledger.find_account(owner)
        if not self._is_due(account, tx.at):
            return
        self._ledger.note_refresh(tx, owner, _day(tx.at))
        if account.balance < self._daily:
            self._ledger.append(tx, Posting(owner=owner, kind="daily", amount=self._daily - account.balance))

    def _add(self, tx: Transaction, grant: Posting) -> None:
        """The daily grant comes first: it raises a balance, and would swallow what was granted before."""
        self._refresh(tx, grant.owner)
        balance = self._ledger.find_account(grant.owner).balance
        if balance + grant.amount < 0:
            raise HotfolderError(
                f"{grant.owner} has {format_amount(balance)} credits: no more can be taken.",
                code="credits.invalid_amount",
                hint="What is reserved for pictures in the queue comes back when they are cancelled.",
            )
        self._ledger.append(tx, grant)

    def _to_balance(self, account: Account) -> Balance:
        at = self._database.now()
        spent = self._ledger.spent_on(account.owner, _day(at))
        left = None if self._daily_cap is None else max(0, self._daily_cap - spent)
        return Balance(account.owner, self._amount_at(account, at), spent, left)


def _over_cap(owner: str, amount: int, spent: int, cap: int, at: str) -> QueueError:
    return QueueError(
        f"This costs {format_amount(amount)} credits, and {owner} has spent {format_amount(spent)} "
        f"of {format_amount(cap)} today.",
        code="queue.no_credits",
        hint=f"The next day begins at {_next_day(at)}; the setting `credits.daily_cap` says how much is "
        "spent in one.",
    )


def _note_cost(tx: Transaction, generation_id: str, cost: int) -> None:
    tx.execute("UPDATE generations SET credit_cost = ? WHERE id = ?", (in_credits(cost), generation_id))


def _day(at: str) -> str:
    return at[:10]


def _next_day(at: str) -> str:
    return format_instant(parse_instant(f"{_day(at)}T00:00:00Z") + timedelta(days=1))
