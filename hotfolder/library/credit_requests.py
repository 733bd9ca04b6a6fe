"""Rows of `credit_requests`: large grants, until a second person approves them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hotfolder.clock import NewId
from hotfolder.database import Database, Row, Transaction
from hotfolder.domain.credits import in_credits
from hotfolder.errors import HotfolderError, NotFound

CREDITS_REQUESTED: Final = "credits.requested"


@dataclass(frozen=True, slots=True)
class CreditRequest:
    """A grant that somebody has asked for, and who approved it."""

    request_id: str
    owner: str
    amount: int
    note: str | None
    actor: str
    created_at: str
    approved_by: str | None = None
    approved_at: str | None = None


class CreditRequests:
    """Writes requests down, and has each approved once, by somebody else than asked for it."""

    def __init__(self, database: Database, make_id: NewId) -> None:
        self._database = database
        self._make_id = make_id

    def add(self, tx: Transaction, owner: str, amount: int, actor: str, note: str | None) -> CreditRequest:
        """A new request, with an event."""
        request = CreditRequest(self._make_id(), owner, amount, note, actor, tx.at)
        tx.execute(
            """
            INSERT INTO credit_requests (id, owner, amount, note, actor, created_at)
            VALUES (?, ?, ?, ?, ?, ?)
            """,
            (request.request_id, owner, amount, note, actor, tx.at),
        )
        data = {"requestId": request.request_id, "amount": in_credits(amount), "note": note}
        tx.event(CREDITS_REQUESTED, "owner", owner, data, actor)
        return request

    def approve(self, tx: Transaction, request_id: str, actor: str) -> CreditRequest:
        """Mark a request as approved; raises HotfolderError for one's own, and for a second time."""
        request = self.get(request_id)
        if request.approved_by is not None:
            raise HotfolderError(
                f"The request {request_id} was approved by {request.approved_by} already.",
                code="credits.already_approved",
                hint="It is granted once; `hotfolder credits grant` asks for more.",
            )
        if request.actor == actor:
            raise HotfolderError(
                f"{actor} has asked for this grant, and cannot approve it.",
                code="credits.own_request",
                hint="A second person has to approve a large grant.",
            )
        tx.execute(
            "UPDATE credit_requests SET approved_by = ?, approved_at = ? WHERE id = ?",
            (actor, tx.at, request_id),
        )
        return self.get(request_id)

    def get(self, request_id: str) -> CreditRequest:
        """The request; raises NotFound."""
        row = self._database.query_one("SELECT * FROM credit_requests WHERE id = ?", (request_id,))
        if row is None:
            raise NotFound(
                f"There is no request {request_id}.", hint="`hotfolder credits requests` lists them."
            )
        return _to_request(row)

    def list_all(self) -> list[CreditRequest]:
        """Those that wait first, each kind newest first."""
        rows = self._database.query(
            "SELECT * FROM credit_requests ORDER BY approved_at IS NOT NULL, created_at DESC, id DESC"
        )
        return [_to_request(row) for row in rows]


def _to_request(row: Row) -> CreditRequest:
    return CreditRequest(
        row["id"],
        row["owner"],
        row["amount"],
        row["note"],
        row["actor"],
        row["created_at"],
        row["approved_by"],
        row["approved_at"],
    )
