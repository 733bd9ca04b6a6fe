"""Credits: what a picture costs, what has been paid for it, and how amounts are written.

Amounts are whole thousandths of a credit, so that sums are exact.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Final, Literal

from hotfolder.domain.wording import one_line

Kind = Literal["grant", "daily", "reserve", "debit", "refund"]

UNIT: Final = 1000
DEFAULT_OWNER: Final = "default"
"""Who pays for jobs without an owner."""
AMOUNT_MAX: Final = 10**9 * UNIT
"""More than this is granted to nobody at once."""

_WRITTEN: Final = re.compile(r"-?\d{1,10}(\.\d{1,3})?", re.ASCII)
_FORMULA_MARKS: Final = tuple("=+-@\uff1d\uff0b\uff0d\uff20")  # also as East Asian keyboards write them


@dataclass(frozen=True, slots=True)
class Prices:
    """What the parts of a picture cost in credits; a factor by endpoint, and a price for going first."""

    picture: float = 1
    megapixel: float = 0
    step: float = 0
    endpoints: Mapping[str, float] = field(default_factory=dict)
    boost: float | None = None

    def cost(self, endpoint_key: str, width: int, height: int, steps: int, points_above: int = 0) -> int:
        """The price of one picture; the sum is rounded once, to the nearest thousandth, a half upwards.

        `points_above` is how far its priority lies above the highest that its owner has for nothing.
        """
        megapixels = Decimal(width * height) / 1_000_000
        made = _exact(self.picture) + _exact(self.megapixel) * megapixels + _exact(self.step) * steps
        boosted = _exact(self.boost or 0) * max(0, points_above)
        return _thousandths(made * _exact(self.endpoints.get(endpoint_key, 1)) + boosted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """A change of a balance: positive amounts add to it."""

    owner: str
    kind: Kind
    amount: int
    job_id: str | None = None
    generation_id: str | None = None
    spent_on: str | None = None
    """The day on whose spending it counts: of what belongs to a picture, the day of its reservation."""
    actor: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Posting):
    """A posting as the ledger has it, with the balance after it."""

    seq: int
    balance: int
    created_at: str


@dataclass(frozen=True, slots=True)
class Payment:
    """How far the payment for one picture is: reserved, then spent or given back."""

    reservation: Posting
    stage: Literal["reserved", "spent", "given_back"] = "reserved"
    spent: int = 0
    returned: int = 0
    """What has come back of what was spent."""

    @property
    def reserved(self) -> int:
        """What was kept back for the picture."""
        return -self.reservation.amount

    def refundable(self, part: float) -> int:
        """What is still to come back when this part of it shall, rounded down to the thousandth."""
        if self.stage == "reserved":
            return self.reserved
        wanted = (self.spent * _exact(min(part, 1.0))).to_integral_value(ROUND_DOWN)
        return max(0, int(wanted) - self.returned)

    def answer(self, kind: Kind, amount: int, actor: str | None, note: str | None = None) -> Posting:
        """A further posting for the same picture."""
        return Posting(
            owner=self.reservation.owner,
            kind=kind,
            amount=amount,
            job_id=self.reservation.job_id,
            generation_id=self.reservation.generation_id,
            spent_on=self.reservation.spent_on,
            actor=actor,
            note=note,
        )


def read_payment(entries: Iterable[Entry]) -> Payment | None:
    """The payment that the entries of one picture tell of, oldest first; None when it has none."""
    payment: Payment | None = None
    for each in entries:
        if payment is None or each.kind == "reserve":
            payment = Payment(each)
        elif each.kind == "debit":
            payment = replace(payment, stage="spent", spent=payment.reserved - each.amount)
        elif payment.stage == "reserved":
            payment = replace(payment, stage="given_back")
        else:
            payment = replace(payment, returned=payment.returned + each.amount)
    return payment


def parse_amount(text: str) -> int:
    """An amount as a person writes it; raises ValueError for all but digits, at most three after a point."""
    if not _WRITTEN.fullmatch(text):
        raise ValueError(f"{text!r} is no amount: write digits, with at most three after a point.")
    return _thousandths(Decimal(text))


def to_amount(credits_given: float) -> int:
    """Credits of a setting or a request as an amount."""
    return _thousandths(_exact(credits_given))


def in_credits(amount: int) -> float:
    """An amount as programs get it: a number of credits."""
    return amount / UNIT


def format_amount(amount: int) -> str:
    """An amount as people read it: credits, without needless zeros."""
    whole, rest = divmod(abs(amount), UNIT)
    decimals = f".{rest:03d}".rstrip("0") if rest else ""
    return f"{'-' if amount < 0 else ''}{whole}{decimals}"


def guard_cell(text: str | None) -> str:
    """Text for a spreadsheet, on one line; what the spreadsheet would calculate gets an apostrophe."""
    shown = one_line(text or "")
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA_MARKS) else shown


def _exact(number: float) -> Decimal:
    """The number as it was written: 0.1 is a tenth."""
    return Decimal(str(number))


def _thousandths(number: Decimal) -> int:
    return int((number * UNIT).to_integral_value(ROUND_HALF_UP))
