"""No statement of the queue walks through what has ended, and none of the claim sorts."""

from __future__ import annotations

import pytest

from hotfolder.domain.work import Affinity, NewWork
from hotfolder.queue import statements
from hotfolder.queue.lanes import HAS_OPEN_SQL, STATE_SQL, LaneBook

IN_LINE = "SEARCH work_queue USING INDEX idx_work_claim (status=? AND lane=?)"
LANE = {"lane": "gpu", "key": "lane.gpu", "now": "2026"}
LEASE = {"token": "t", "until": "2026", "at": "2026", "id": "x"}
NEAR = {**LANE, "priority": 0, "main": "klein", "detail": "x"}
PLANS = {
    "LOOK_SQL": (LANE, [IN_LINE, "idx_work_scheduled (lane=? AND run_at<?)"]),
    "HEAD_SQL": (LANE, [IN_LINE, "idx_work_scheduled (lane=? AND run_at<?)"]),
    "TAKE_SQL": ({**LEASE, "place": 1}, ["SEARCH work_queue USING INTEGER PRIMARY KEY"]),
    "LIKE_SQL": (
        NEAR,
        ["idx_work_like (lane=? AND priority=? AND affinity=? AND affinity_detail=?)"],
    ),
    "NEAR_SQL": (NEAR, ["idx_work_near (lane=? AND priority=? AND affinity=?)"]),
    "PROMOTE_SQL": (LANE, ["idx_work_scheduled (lane=? AND run_at<?)"]),
    "COMPLETE_SQL": (
        {**LEASE, "status": "completed", "message": None, "from": "processing"},
        ["sqlite_autoindex_work_queue_1 (id=?)"],
    ),
    "RENEW_SQL": (LEASE, ["sqlite_autoindex_work_queue_1 (id=?)"]),
    "EXPIRED_SQL": (("2026",), ["idx_work_claim (status=?)"]),
    "CANCEL_REQUESTED_SQL": ((), ["idx_work_claim (status=?)"]),
    "DUPLICATE_SQL": (("key",), ["idx_work_dedupe (dedupe_key=?)"]),
    "LIST_PENDING_SQL": (("gpu", 200), [IN_LINE]),
    "AHEAD_SQL": (("gpu", 0, 0), ["COVERING INDEX idx_work_claim (status=? AND lane=? AND rank<?)"]),
    "URGENT_SQL": (
        {"lane": "gpu", "key": "lane.gpu", "priority": 0, "id": "x"},
        ["(status=? AND lane=? AND rank<?)"],
    ),
}


def plan_of(database, sql, values=()):
    return " | ".join(row["detail"] for row in database.query(f"EXPLAIN QUERY PLAN {sql}", values))


@pytest.mark.parametrize("name", PLANS)
def test_each_statement_finds_its_rows_by_an_index_without_sorting(database, name):
    values, expected = PLANS[name]

    plan = plan_of(database, getattr(statements, name), values)

    assert all(part in plan for part in expected), plan
    assert "SCAN work_queue" not in plan
    assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize("sql", [*HAS_OPEN_SQL, *statements.COUNT_SQL, *statements.LIST_OPEN_SQL])
def test_what_is_open_is_found_without_what_has_ended(database, sql):
    plan = plan_of(
        database,
        sql,
        {"lane": "gpu", "at": "9999", "soon": "9999"} if ":lane" in sql else ["gpu"] * sql.count("?"),
    )

    assert "idx_work_claim (status=?" in plan or "idx_work_scheduled" in plan


def test_a_wish_for_a_lane_is_found_by_its_key(database):
    assert plan_of(database, STATE_SQL, ("lane.gpu",)) == (
        "SEARCH control USING INDEX sqlite_autoindex_control_1 (key=?)"
    )


def test_nothing_the_queue_does_walks_through_the_table(queue, database, clock):
    traced = []
    database.connection().set_trace_callback(traced.append)
    _live(queue, database, clock)
    database.connection().set_trace_callback(None)

    plans = {sql: plan_of(database, sql) for sql in traced if "work_queue" in sql}
    assert len(plans) > 30
    assert [sql for sql, plan in plans.items() if "SCAN work_queue" in plan and "idx_work" not in plan] == []


def _live(queue, database, clock):
    """Everything that can happen to work, once, but for the setting of the ageing."""
    store, book, near = queue.store, LaneBook(database), Affinity("4b", "bay")
    with database.transaction() as tx:
        for subject in "abcdef":
            store.enqueue(
                tx, NewWork("paint", "gpu", {}, "tests", subject, affinity=near, dedupe_key=subject)
            )
    held = [store.claim("gpu", Affinity("4b", "sea")) for _ in range(4)]
    store.renew(held)
    queue.do("retry", held[0], 1.0, "again")
    queue.do("postpone", held[1], 1.0, "later")
    queue.do("hand_back", held[2])
    queue.do("end", held[3], "dead", "it broke")
    queue.do("requeue", held[3].work_id)
    queue.do("suspend", "e", "paint")
    queue.do("resume", "e", "paint")
    queue.do("reprioritise", "f", 3)
    queue.do("cancel_waiting", "f", "paint")
    clock.advance(2)
    queue.do("request_cancel", "a", "paint")
    item = store.claim("gpu")
    store.gives_way(item)
    store.list_cancel_requested(), store.is_cancel_requested(item.work_id)
    queue.do("is_expired", item)
    store.list_expired(), store.list_open("tests")
    store.count_open(), store.count_open("gpu"), store.count_runnable("tests")
    store.list_in_hand("gpu"), store.list_of("a")
    store.queue_position("a", "gpu"), store.list_pending("gpu", 5)
    book.put("gpu", "draining", "anna")
    book.settle(["gpu"])
    queue.do("complete", item)
    queue.do("recover")
