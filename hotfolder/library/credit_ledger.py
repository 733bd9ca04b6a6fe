"""Rows of `credit_transactions`, which are only ever added, and the balances that they sum up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hotfolder.database import Database, Row, Transaction
from hotfolder.domain.credits import (
    Entry,
    Kind,
    Payment,
    Posting,
    format_amount,
    guard_cell,
    in_credits,
    read_payment,
)

EVENTS: Final[Mapping[Kind, str]] = {
    "grant": "credits.granted",
    "daily": "credits.granted",
    "reserve": "credits.reserved",
    "debit": "credits.debited",
    "refund": "credits.refunded",
}

PAYMENT_SQL: Final = "SELECT * FROM credit_transactions WHERE generation_id = ? ORDER BY seq"
STATEMENT_SQL: Final = "SELECT * FROM credit_transactions WHERE owner = ? ORDER BY seq DESC LIMIT ?"
SPENT_SQL: Final = """
    SELECT spent FROM credit_transactions WHERE owner = ? AND spent_on = ? ORDER BY seq DESC LIMIT 1
"""
EXPORT_COLUMNS: Final = (
    "seq",
    "at",
    "owner",
    "kind",
    "amount",
    "balance",
    "job",
    "generation",
    "actor",
    "note",
)
EXPORT_SQL: Final = "SELECT * FROM credit_transactions WHERE owner = coalesce(?, owner) ORDER BY seq"
DIFFERENCES_SQL: Final = """
    SELECT owner, sum(ledger) AS ledger, sum(balance) AS balance
    FROM (
        SELECT owner, amount AS ledger, 0 AS balance FROM credit_transactions
        UNION ALL
        SELECT owner, 0, balance FROM credit_balances
    )
    GROUP BY owner
    HAVING sum(ledger) <> sum(balance)
    ORDER BY owner
"""


@dataclass(frozen=True, slots=True)
class Account:
    """The balance of an owner as stored, and the day of the last daily grant."""

    owner: str
    balance: int = 0
    refreshed_on: str | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """An owner whose balance is not the sum of its ledger."""

    owner: str
    ledger: int
    balance: int


class CreditLedger:
    """Adds postings and reads them; knows no prices and no rules."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, tx: Transaction, posting: Posting) -> None:
        """Add a posting, change the balance with it, and tell of it by an event."""
        balance = _change_balance(tx, posting.owner, posting.amount)
        day = posting.spent_on
        spent = None if day is None else self.spent_on(posting.owner, day) - posting.amount
        tx.execute(
            """
            INSERT INTO credit_transactions (
                owner, kind, amount, balance, job_id, generation_id, spent_on, spent, actor, note, created_at
            )
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            (
                posting.owner,
                posting.kind,
                posting.amount,
                balance,
                posting.job_id,
                posting.generation_id,
                day,
                spent,
                posting.actor,
                posting.note,
                tx.at,
            ),
        )
        _tell(tx, posting, balance)

    def note_refresh(self, tx: Transaction, owner: str, day: str) -> None:
        """Remember that the daily grant of a day has been looked after."""
        _open_account(tx, owner)
        tx.execute("UPDATE credit_balances SET refreshed_on = ? WHERE owner = ?", (day, owner))

    def find_account(self, owner: str) -> Account:
        """The account of an owner; an empty one for whom nobody has heard of."""
        row = self._database.query_one("SELECT * FROM credit_balances WHERE owner = ?", (owner,))
        return _to_account(row) if row else Account(owner)

    def list_accounts(self) -> list[Account]:
        """All accounts, by owner."""
        return [
            _to_account(row) for row in self._database.query("SELECT * FROM credit_balances ORDER BY owner")
        ]

    def find_payment(self, generation_id: str) -> Payment | None:
        """The payment for a picture, if it has one."""
        return read_payment(_to_entries(self._database.query(PAYMENT_SQL, (generation_id,))))

    def spent_on(self, owner: str, day: str) -> int:
        """What an owner has reserved or spent of a day, less what came back of it."""
        row = self._database.query_one(SPENT_SQL, (owner, day))
        return int(row["spent"]) if row else 0

    def list_latest(self, owner: str, limit: int) -> list[Entry]:
        """The latest entries of an owner, newest first."""
        return _to_entries(self._database.query(STATEMENT_SQL, (owner, limit)))

    def list_all(self, owner: str | None = None) -> list[Entry]:
        """All entries, of one owner or of everybody, oldest first."""
        return _to_entries(self._database.query(EXPORT_SQL, (owner,)))

    def list_differences(self) -> list[Difference]:
        """Owners whose balance is not the sum of their ledger; none unless somebody changed the tables."""
        rows = self._database.query(DIFFERENCES_SQL)
        return [Difference(row["owner"], row["ledger"], row["balance"]) for row in rows]


def to_cells(entry: Entry) -> tuple[str, ...]:
    """An entry as a row below EXPORT_COLUMNS; none of its cells is a formula."""
    return (
        str(entry.seq),
        entry.created_at,
        guard_cell(entry.owner),
        entry.kind,
        format_amount(entry.amount),
        format_amount(entry.balance),
        guard_cell(entry.job_id),
        guard_cell(entry.generation_id),
        guard_cell(entry.actor),
        guard_cell(entry.note),
    )


def _change_balance(tx: Transaction, owner: str, amount: int) -> int:
    _open_account(tx, owner)
    row = tx.execute(
        "UPDATE credit_balances SET balance = balance + ? WHERE owner = ? RETURNING balance", (amount, owner)
    ).fetchone()
    return int(row["balance"])


def _open_account(tx: Transaction, owner: str) -> None:
    tx.execute("INSERT OR IGNORE INTO credit_balances (owner, balance) VALUES (?, 0)", (owner,))


def _tell(tx: Transaction, posting: Posting, balance: int) -> None:
    """What belongs to a picture is told as a part of its history."""
    data = {
        "owner": posting.owner,
        "kind": posting.kind,
        "amount": in_credits(posting.amount),
        "balance": in_credits(balance),
        "jobId": posting.job_id,
        "note": posting.note,
    }
    if posting.generation_id is None:
        tx.event(EVENTS[posting.kind], "owner", posting.owner, data, posting.actor)
    else:
        tx.event(EVENTS[posting.kind], "generation", posting.generation_id, data, posting.actor)


def _to_account(row: Row) -> Account:
    return Account(row["owner"], row["balance"], row["refreshed_on"])


def _to_entries(rows: Sequence[Row]) -> list[Entry]:
    return [
        Entry(
            seq=row["seq"],
            owner=row["owner"],
            kind=row["kind"],
            amount=row["amount"],
            balance=row["balance"],
            job_id=row["job_id"],
            generation_id=row["generation_id"],
            spent_on=row["spent_on"],
            actor=row["actor"],
            note=row["note"],
            created_at=row["created_at"],
        )
        for row in rows
    ]
