"""What owners may spend: never more than they have, nothing twice, and every change in the ledger."""

from __future__ import annotations

import itertools
import sqlite3

import pytest

from hotfolder.errors import HotfolderError, NotFound, QueueError
from hotfolder.library.credit_ledger import PAYMENT_SQL, SPENT_SQL, STATEMENT_SQL, Difference
from hotfolder.library.credits import Balance, CreditBook

DAY_S = 24 * 3600


class Counter:
    """A book with the transactions around it, one a call."""

    def __init__(self, database, **rules):
        ids = itertools.count(1)
        self.database = database
        self.book = CreditBook(database, make_id=lambda: f"request-{next(ids)}", **rules)

    def reserve(self, generation_id, amount, owner="anna"):
        with self.database.transaction() as tx:
            self.book.reserve(tx, owner, "job", generation_id, amount)

    def settle(self, generation_id, actual=None):
        with self.database.transaction() as tx:
            self.book.settle(tx, generation_id, actual)

    def refund(self, generation_id, note="failed", part=1.0):
        with self.database.transaction() as tx:
            self.book.refund(tx, generation_id, note, part)

    def discard(self, generation_id):
        with self.database.transaction() as tx:
            self.book.refund_discarded(tx, generation_id, "rita")

    def has(self, owner="anna"):
        return self.book.balance(owner).amount

    def kinds(self, owner="anna"):
        """The kinds and amounts of an owner's entries, oldest first."""
        return [(each.kind, each.amount) for each in reversed(self.book.statement(owner))]


@pytest.fixture
def counter(database):
    made = Counter(database, approval_over=1_000_000, reject_refund=0.5)
    made.book.grant("anna", 10_000, "root", "to begin with")
    return made


def events_of(database):
    return [
        (each.topic, each.subject_id, each.actor, each.data["amount"])
        for each in database.list_events(0)
        if each.topic.startswith("credits.")
    ]


def insert_generation(database, generation_id):
    with database.transaction() as tx:
        tx.execute(
            """
            INSERT INTO generations (id, provider, endpoint_key, mode, params_json, status, created_at)
            VALUES (?, 'local', 'local.x.image', 'text-to-image', '{}', 'pending', ?)
            """,
            (generation_id, tx.at),
        )


def cost_of(database, generation_id):
    return database.query_one("SELECT credit_cost FROM generations WHERE id = ?", (generation_id,))[0]


def test_picture_is_reserved_at_acceptance_and_spent_when_made(counter, database):
    insert_generation(database, "g1")

    counter.reserve("g1", 2500)
    assert counter.has() == 7500
    counter.settle("g1")

    assert counter.has() == 7500
    assert counter.kinds() == [("grant", 10_000), ("reserve", -2500), ("debit", 0)]
    assert cost_of(database, "g1") == 2.5
    assert database.query_one("SELECT * FROM counters")["value"] == 2.5


def test_every_change_is_told_by_an_event_with_its_actor(counter, database):
    counter.reserve("g1", 2500)
    counter.settle("g1")
    counter.discard("g1")

    assert events_of(database) == [
        ("credits.granted", "anna", "root", 10.0),
        ("credits.reserved", "g1", "anna", -2.5),
        ("credits.debited", "g1", None, 0.0),
        ("credits.refunded", "g1", "rita", 1.25),
    ]


def test_picture_that_costs_less_gives_back_the_rest(counter, database):
    insert_generation(database, "g1")
    counter.reserve("g1", 2500)

    counter.settle("g1", actual=1000)

    assert (counter.has(), cost_of(database, "g1")) == (9000, 1.0)


def test_picture_that_costs_more_takes_no_more_than_there_is(counter, database):
    for name in ("g1", "g2"):
        insert_generation(database, name)
    counter.reserve("g1", 4000)
    counter.reserve("g2", 4000)

    counter.settle("g1", actual=5000)
    assert (counter.has(), cost_of(database, "g1")) == (1000, 5.0)
    counter.settle("g2", actual=9000)

    assert (counter.has(), cost_of(database, "g2")) == (0, 5.0)


def test_failed_picture_costs_nothing(counter):
    counter.reserve("g1", 2500)

    counter.refund("g1")

    assert counter.has() == 10_000
    assert counter.book.statement("anna")[0].note == "failed"


def test_free_picture_is_reserved_and_spent_like_any_other(counter, database):
    insert_generation(database, "g1")

    counter.reserve("g1", 0)
    counter.settle("g1")

    assert (counter.has(), cost_of(database, "g1")) == (10_000, 0)


def test_nothing_is_paid_or_given_back_twice(counter):
    for _ in range(2):
        counter.reserve("g1", 1000)
        counter.reserve("g2", 1000)
    for _ in range(2):
        counter.settle("g1")
        counter.refund("g2")
    counter.settle("g2")
    counter.reserve("g1", 1000)  # it is paid for

    assert counter.has() == 9000
    assert len(counter.kinds()) == 5


def test_picture_without_a_reservation_is_left_alone(counter):
    counter.settle("g9")
    counter.refund("g9")
    counter.discard("g9")

    assert counter.kinds() == [("grant", 10_000)]


def test_cancelled_picture_may_be_reserved_again(counter):
    counter.reserve("g1", 1000)
    counter.refund("g1")

    counter.reserve("g1", 3000)

    assert counter.has() == 7000


def test_discarded_picture_gives_back_its_part_once_rounded_down(counter, database):
    insert_generation(database, "g1")
    counter.reserve("g1", 2501)
    counter.settle("g1")

    for _ in range(2):
        counter.discard("g1")

    assert (counter.has(), cost_of(database, "g1")) == (8749, 1.251)


def test_parts_given_back_never_add_up_to_more_than_was_paid(counter):
    counter.reserve("g1", 1000)
    counter.settle("g1")

    for part in (0.4, 0.9, 0.2, 1.0, 5.0):
        counter.refund("g1", "sorry", part)

    assert counter.has() == 10_000
    assert [amount for kind, amount in counter.kinds() if kind == "refund"] == [400, 500, 100]


def test_job_that_costs_more_than_there_is_is_refused_with_what_to_do(counter):
    with pytest.raises(QueueError) as refused:
        counter.reserve("g1", 10_001)

    assert refused.value.code == "queue.no_credits"
    assert refused.value.message == "This costs 10.001 credits, and anna has 10."
    assert "credits grant" in refused.value.hint
    assert not refused.value.retryable
    assert counter.kinds() == [("grant", 10_000)]


def test_whether_an_owner_could_pay_is_told_without_writing(counter):
    assert counter.book.may_reserve("anna", 10_000)
    assert not counter.book.may_reserve("anna", 10_001)
    assert not counter.book.may_reserve("ben", 1)
    assert [each.owner for each in counter.book.list_balances()] == ["anna"]


def test_refused_reservation_takes_back_the_whole_transaction(counter, database):
    def reserve_all():
        with database.transaction() as tx:
            for number in range(3):
                counter.book.reserve(tx, "anna", "job", f"g{number}", 4000)

    with pytest.raises(QueueError):
        reserve_all()

    assert counter.kinds() == [("grant", 10_000)]


def test_check_in_a_transaction_sees_what_was_reserved_before_in_it(counter, database):
    with database.transaction() as tx:
        counter.book.reserve(tx, "anna", "job", "g1", 6000)
        assert counter.book.may_reserve("anna", 4000)
        assert not counter.book.may_reserve("anna", 4001)


def test_job_without_an_owner_is_paid_for_by_default(counter):
    counter.book.grant(None, 1000, "root")

    counter.reserve("g1", 400, owner=None)

    assert (counter.has(None), counter.has("default"), counter.has()) == (600, 600, 10_000)


def test_negative_price_is_refused(counter):
    with pytest.raises(ValueError, match="cannot cost"):
        counter.reserve("g1", -1)


def test_balance_is_raised_once_a_day_when_it_is_needed(database, clock):
    counter = Counter(database, daily=5000)
    assert counter.has() == 5000  # due, and not written yet
    assert counter.book.list_balances() == []

    counter.reserve("g1", 2000)
    counter.reserve("g2", 3000)
    with pytest.raises(QueueError) as refused:
        counter.reserve("g3", 1)
    assert "At 2026-11-22T00:00:00.000Z it is raised to 5" in refused.value.hint

    clock.advance(21 * 3600 - 0.001)  # the last millisecond of the day
    assert not counter.book.may_reserve("anna", 1)
    clock.advance(0.001)
    assert counter.book.may_reserve("anna", 5000)
    counter.reserve("g3", 1)

    assert [kind for kind, _ in counter.kinds()] == ["daily", "reserve", "reserve", "daily", "reserve"]
    assert counter.has() == 4999


def test_days_that_nobody_asked_for_are_not_granted_later(database, clock):
    counter = Counter(database, daily=5000)
    counter.reserve("g1", 1000)
    clock.advance(10 * DAY_S)

    counter.reserve("g2", 1000)

    assert counter.kinds()[-2:] == [("daily", 1000), ("reserve", -1000)]


def test_balance_above_the_daily_one_is_left_alone(database):
    counter = Counter(database, daily=5000)
    counter.book.grant("anna", 3000, "root")  # on top of today's

    counter.reserve("g1", 1000)

    assert counter.kinds() == [("daily", 5000), ("grant", 3000), ("reserve", -1000)]


def test_clock_that_is_set_back_grants_no_second_day(database, clock):
    counter = Counter(database, daily=5000)
    counter.reserve("g1", 5000)

    clock.advance(-DAY_S)

    assert not counter.book.may_reserve("anna", 1)


def test_nobody_spends_more_in_a_day_than_the_cap(database, clock):
    counter = Counter(database, daily_cap=3000)
    counter.book.grant("anna", 10_000, "root")
    counter.reserve("g1", 2000)

    with pytest.raises(QueueError) as refused:
        counter.reserve("g2", 1001)

    assert refused.value.code == "queue.no_credits"
    assert refused.value.message == "This costs 1.001 credits, and anna has spent 2 of 3 today."
    assert "2026-11-22T00:00:00.000Z" in refused.value.hint
    assert counter.book.balance("anna") == Balance("anna", 8000, 2000, 1000)
    counter.reserve("g3", 1000)
    clock.advance(DAY_S)
    counter.reserve("g4", 3000)


def test_what_comes_back_today_of_yesterday_widens_no_cap(database, clock):
    counter = Counter(database, daily_cap=3000)
    counter.book.grant("anna", 10_000, "root")
    counter.reserve("g1", 3000)
    clock.advance(DAY_S)

    counter.refund("g1")
    counter.reserve("g2", 2000)
    counter.refund("g2")
    counter.reserve("g3", 3000)

    assert not counter.book.may_reserve("anna", 1)


def test_large_grant_waits_for_a_second_person(counter, database):
    request = counter.book.grant("ben", 1_000_001, "root", "for the fair")

    assert request == counter.book.list_requests()[0]
    assert counter.has("ben") == 0
    assert events_of(database)[-1] == ("credits.requested", "ben", "root", 1000.001)
    approved = counter.book.approve(request.request_id, "rita")

    assert (approved.approved_by, approved.approved_at) == ("rita", "2026-11-21T03:00:00.000Z")
    assert counter.has("ben") == 1_000_001
    (entry,) = counter.book.statement("ben")
    assert (entry.actor, entry.note) == ("rita", "requested by root: for the fair")


def test_nobody_approves_their_own_request_and_nobody_one_twice(counter):
    request_id = counter.book.grant("ben", 2_000_000, "root").request_id

    with pytest.raises(HotfolderError) as own:
        counter.book.approve(request_id, "root")
    counter.book.approve(request_id, "rita")
    with pytest.raises(HotfolderError) as again:
        counter.book.approve(request_id, "sara")
    with pytest.raises(NotFound):
        counter.book.approve("request-9", "rita")

    assert (own.value.code, again.value.code) == ("credits.own_request", "credits.already_approved")
    assert counter.has("ben") == 2_000_000


def test_requests_that_wait_come_first(counter, clock):
    for number in range(3):
        clock.advance(1)
        counter.book.grant(f"owner-{number}", 2_000_000, "root")
    counter.book.approve("request-3", "rita")

    assert [each.owner for each in counter.book.list_requests()] == ["owner-1", "owner-0", "owner-2"]


def test_what_was_granted_by_mistake_is_taken_back_but_never_more_than_there_is(counter):
    counter.reserve("g1", 4000)
    counter.book.grant("anna", -6000, "root", "a typo")

    with pytest.raises(HotfolderError) as refused:
        counter.book.grant("anna", -1, "root")

    assert refused.value.code == "credits.invalid_amount"
    assert counter.has() == 0


@pytest.mark.parametrize("amount", [0, 10**12 + 1, -(10**12) - 1, 2**70])
def test_amounts_that_nobody_means_are_not_granted(counter, amount):
    with pytest.raises(HotfolderError) as refused:
        counter.book.grant("anna", amount, "root")

    assert refused.value.code == "credits.invalid_amount"


def test_statement_has_the_newest_first_with_the_balance_after_each(counter):
    for number in range(5):
        counter.reserve(f"g{number}", 1000)

    latest = counter.book.statement("anna", 2)

    assert [(each.generation_id, each.balance) for each in latest] == [("g4", 5000), ("g3", 6000)]
    assert latest[0].job_id == "job"


def test_export_has_every_entry_and_no_cell_that_a_spreadsheet_calculates(counter):
    counter.book.grant("=HYPERLINK(1)", 1500, "@root", "+1\n-2")
    counter.reserve("g1", 2500)

    rows = counter.book.export()

    assert [row[4] for row in rows] == ["10", "1.5", "-2.5"]  # numbers are numbers
    assert (rows[1][2], rows[1][8], rows[1][9]) == ("'=HYPERLINK(1)", "'@root", "'+1\ufffd-2")
    assert [row[0] for row in counter.book.export("anna")] == ["1", "3"]


def test_ledger_is_only_ever_added_to(counter, database):
    for sql in ("UPDATE credit_transactions SET amount = 1", "DELETE FROM credit_transactions"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"), database.transaction() as tx:
            tx.execute(sql)


def test_balance_that_somebody_has_changed_is_found(counter, database):
    counter.reserve("g1", 2500)
    assert counter.book.verify() == []

    with database.transaction() as tx:
        tx.execute("UPDATE credit_balances SET balance = 99000")
        tx.execute("INSERT INTO credit_balances VALUES ('ben', 5, NULL)")

    assert counter.book.verify() == [Difference("anna", 7500, 99_000), Difference("ben", 0, 5)]


@pytest.mark.parametrize(
    ("sql", "values", "index"),
    [
        (PAYMENT_SQL, ("g",), "idx_credits_generation"),
        (STATEMENT_SQL, ("anna", 5), "idx_credits_owner"),
        (SPENT_SQL, ("anna", "2026-11-21"), "idx_credits_spent"),
    ],
)
def test_credits_are_found_by_an_index_and_without_sorting(database, sql, values, index):
    plan = " / ".join(row["detail"] for row in database.query(f"EXPLAIN QUERY PLAN {sql}", values))

    assert index in plan
    assert "TEMP B-TREE" not in plan
