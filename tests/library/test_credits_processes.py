"""One balance and many who spend from it, in threads and in processes that are killed.

As a program, `test_credits_processes.py DATABASE SEED COUNT DEADLY` does so many random operations, tells
each one when it is committed, and kills itself before the DEADLY-th SQL statement (0: never).
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hotfolder.database import Database, Transaction
from hotfolder.errors import HotfolderError, QueueError
from hotfolder.library.credits import CreditBook
from hotfolder.migrations import migrate

THREADS = 8
BALANCE = 1_000_000
PRICE = 500
OPERATIONS = 10_000
OWNERS = ("anna", "ben", None)
KILLS_APART = 250
"""A child lives for so many operations on average."""
UNFINISHED = """
    SELECT generation_id FROM credit_transactions WHERE generation_id IS NOT NULL
    GROUP BY generation_id HAVING count(*) = 1 ORDER BY max(seq)
"""


def check_books(database: Database) -> None:
    """The balance is the sum of the ledger, at every step of it, and nobody got back more than they paid."""
    balances: dict[str, int] = defaultdict(int)
    paid: dict[str, int] = defaultdict(int)
    spent: dict[tuple[str, str], int] = defaultdict(int)
    for row in database.query("SELECT * FROM credit_transactions ORDER BY seq"):
        balances[row["owner"]] += row["amount"]
        assert row["balance"] == balances[row["owner"]] >= 0
        if row["generation_id"] is not None:
            paid[row["generation_id"]] -= row["amount"]
            assert paid[row["generation_id"]] >= 0
            spent[row["owner"], row["spent_on"]] -= row["amount"]
            assert row["spent"] == spent[row["owner"], row["spent_on"]]
    stored = {row["owner"]: row["balance"] for row in database.query("SELECT * FROM credit_balances")}
    assert stored == balances
    assert CreditBook(database).verify() == []


def test_eight_threads_never_spend_more_than_the_one_balance_they_share(database):
    book = CreditBook(database)
    book.grant("anna", BALANCE, "root")
    start = threading.Barrier(THREADS)

    def spend(number: int) -> int:
        """Reserve until nothing is left, and give a part of it back on the way; gives what was kept."""
        dice, kept = random.Random(number), 0
        start.wait()
        for count in itertools.count():
            generation_id, amount = f"g{number}-{count}", dice.randrange(1, 2 * PRICE)
            try:
                with database.transaction(durable=False) as tx:
                    book.reserve(tx, "anna", "job", generation_id, amount)
            except QueueError:
                return kept
            end = book.refund if dice.random() < 0.3 else book.settle
            with database.transaction(durable=False) as tx:
                end(tx, generation_id)
            kept += 0 if end == book.refund else amount
        raise AssertionError

    with ThreadPoolExecutor(THREADS) as threads:
        kept = list(threads.map(spend, range(THREADS)))

    left = book.balance("anna").amount
    assert sum(kept) == BALANCE - left
    assert left < 2 * PRICE
    assert sum(each > 0 for each in kept) > 1  # SQLite is not fair: some may never have had their turn
    check_books(database)


def test_daily_refresh_is_granted_once_however_many_ask_for_it(database):
    book = CreditBook(database, daily=8000)
    start = threading.Barrier(THREADS)

    def reserve(number: int) -> None:
        start.wait()
        with database.transaction() as tx:
            book.reserve(tx, "anna", "job", f"g{number}", 1000)

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(reserve, range(THREADS)))

    kinds = Counter(each.kind for each in book.statement("anna"))
    assert kinds == {"daily": 1, "reserve": THREADS}
    assert book.balance("anna").amount == 0


def test_two_who_approve_at_once_grant_once(database):
    book = CreditBook(database, approval_over=0)
    request = book.grant("anna", 5000, "root")
    start = threading.Barrier(THREADS)

    def approve(number: int) -> bool:
        start.wait()
        try:
            book.approve(request.request_id, f"actor-{number}")
        except HotfolderError as error:
            return error.code != "credits.already_approved"
        return True

    with ThreadPoolExecutor(THREADS) as threads:
        assert sum(threads.map(approve, range(THREADS))) == 1

    assert book.balance("anna").amount == 5000


@pytest.mark.timeout(240)
def test_ledger_and_balance_agree_after_ten_thousand_random_operations_with_crashes(tmp_path):
    file = tmp_path / "library.db"
    migrate(file)
    dice = random.Random(6)
    told: list[str] = []
    crashes = 0
    while len(told) < OPERATIONS:
        lines, code = run_child(file, dice, OPERATIONS - len(told))
        told += lines
        crashes += code == -signal.SIGKILL
        assert code in (0, -signal.SIGKILL)
        if crashes % 10 == 1:
            check_file(file)

    done = check_file(file)
    claimed = Counter(line for line in told if line != "-")
    assert crashes >= OPERATIONS / KILLS_APART / 4
    assert claimed <= done  # what was committed before a crash is there
    assert (done - claimed).total() <= crashes  # a commit of which the child could not tell any more
    assert {line.split()[0] for line in claimed} == {"reserve", "debit", "refund"}


def check_file(file: Path) -> Counter[str]:
    """Check the books of a library; gives the entries that belong to pictures."""
    database = Database(file)
    check_books(database)
    rows = database.query("SELECT * FROM credit_transactions WHERE generation_id IS NOT NULL")
    database.close()
    return Counter(f"{row['kind']} {row['generation_id']}" for row in rows)


def run_child(file: Path, dice: random.Random, count: int) -> tuple[list[str], int]:
    """Have a child work until it is done or killed, by itself or by us; what it told, and how it ended."""
    lifetime = dice.randrange(1, 2 * KILLS_APART)
    kills_itself = dice.random() < 0.5
    deadly = dice.randrange(100, 12 * KILLS_APART) if kills_itself else 0
    command = [sys.executable, __file__, str(file), str(dice.random()), str(count), str(deadly)]
    lines: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        for line in child.stdout:
            lines.append(line.rstrip("\n"))
            if not kills_itself and len(lines) == lifetime:
                child.kill()
    return lines, child.returncode


def work(file: Path, dice: random.Random) -> Iterator[str]:
    """Do operations for ever; tells `KIND PICTURE` of each when committed, `-` when it changed nothing."""
    database = Database(file)
    book = CreditBook(database, daily=50_000)
    name = dice.randrange(10**12)
    known = [row[0] for row in database.query(UNFINISHED)]
    for count in itertools.count(1):
        choice = dice.random()
        if choice < 0.15:
            book.grant(dice.choice(OWNERS), dice.randrange(1, 10_000), "root")
            yield "-"
        elif choice < 0.5 or not known:
            known.append(f"g{name}-{count}")
            yield operate(database, book, dice, known[-1])
        else:
            yield operate(database, book, dice, dice.choice(known[-40:]))


def operate(database: Database, book: CreditBook, dice: random.Random, generation_id: str) -> str:
    """One step for a picture: whatever may follow, or a repetition."""
    before = len(entries_of(database, generation_id))
    steps = {
        "reserve": lambda tx: book.reserve(
            tx, dice.choice(OWNERS), "job", generation_id, dice.randrange(0, 5000)
        ),
        "settle": lambda tx: book.settle(tx, generation_id, dice.choice((None, 0, 1000, 9000))),
        "refund": lambda tx: book.refund(tx, generation_id, "failed", dice.choice((0.3, 1.0))),
    }
    step = "reserve" if before == 0 else dice.choice(tuple(steps))
    try:
        with database.transaction(durable=False) as tx:
            steps[step](tx)
    except QueueError:
        return "-"
    after = entries_of(database, generation_id)
    return f"{after[-1]} {generation_id}" if len(after) > before else "-"


def entries_of(database: Database, generation_id: str) -> list[str]:
    rows = database.query(
        "SELECT kind FROM credit_transactions WHERE generation_id = ? ORDER BY seq", (generation_id,)
    )
    return [row["kind"] for row in rows]


def arm(deadly: int) -> None:
    """Kill this process before the DEADLY-th statement of its transactions."""
    execute, passings = Transaction.execute, itertools.count(1)

    def execute_or_die(self, *arguments):
        if next(passings) == deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(self, *arguments)

    Transaction.execute = execute_or_die


if __name__ == "__main__":
    database_file, seed, number_of_operations, deadly_statement = sys.argv[1:]
    arm(int(deadly_statement))
    story = work(Path(database_file), random.Random(seed))
    for told_line in itertools.islice(story, int(number_of_operations)):
        sys.stdout.write(f"{told_line}\n")
        sys.stdout.flush()
