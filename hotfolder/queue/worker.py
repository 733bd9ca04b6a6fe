"""Lanes of worker threads: claim an item, call its handler, record how it ended."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from hotfolder.database import Database, Transaction
from hotfolder.domain.work import EndStatus, WorkItem, end_of_failure, retry_delay_s
from hotfolder.errors import HotfolderError, QueueError
from hotfolder.events import Doorbell
from hotfolder.queue.store import WorkStore

log = logging.getLogger(__name__)

POLL_S = 1.0
"""The backstop for a doorbell that nobody rang."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a handler did: `record` runs in the transaction that completes the item, `after` tidies up."""

    record: Callable[[Transaction], None]
    after: Callable[[], None] = lambda: None


class WorkHandler(Protocol):
    """One kind of work. `execute` must be repeatable: it may run again after a crash at any point."""

    def execute(self, item: WorkItem, interrupt: threading.Event) -> Done:
        """Do the work; when `interrupt` is set, stop soon and raise."""

    def returned(self, tx: Transaction, item: WorkItem) -> None:
        """The item goes back to the queue, in this transaction."""

    def ended(self, tx: Transaction, item: WorkItem, status: EndStatus, error: HotfolderError) -> None:
        """The item ends without success, in this transaction."""


@dataclass(slots=True)
class _InHand:
    item: WorkItem
    interrupt: threading.Event = field(default_factory=threading.Event)


class Worker:
    """Runs the lanes; one owner starts and stops it."""

    def __init__(
        self,
        database: Database,
        store: WorkStore,
        handlers: Mapping[str, WorkHandler],
        lanes: Mapping[str, int],
        doorbell: Doorbell,
        *,
        lease_s: float,
    ) -> None:
        self._database = database
        self._store = store
        self._handlers = handlers
        self._lease_s = lease_s
        self._in_hand: dict[str, _InHand] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._heart_stop = threading.Event()
        self._heart_bell = doorbell.listen()
        self._heart = threading.Thread(target=self._beat, name="queue-heartbeat", daemon=True)
        self._lanes = [_Lane(self, name, slots, doorbell) for name, slots in lanes.items()]

    def recover(self) -> int:
        """Void the leases of an earlier run; gives the number of items handed back."""
        with self._database.transaction() as tx:
            found = self._store.recover(tx)
            for item in found.handed_back:
                self._handlers[item.task_type].returned(tx, item)
            cancelled = QueueError("Cancelled while it was running.", code="queue.cancelled")
            for item in found.cancelled:
                self._handlers[item.task_type].ended(tx, item, "cancelled", cancelled)
            died = QueueError(
                "hotfolder died too often while it worked on this job.",
                code="queue.dead",
                hint="Look at the logs for the cause, then retry the job.",
            )
            for item in found.dead:
                self._handlers[item.task_type].ended(tx, item, "dead", died)
        return len(found.handed_back)

    def start(self) -> None:
        """Start all lanes and the heartbeat."""
        self._heart.start()
        for lane in self._lanes:
            lane.start()

    def stop(self, grace_s: float) -> None:
        """Stop claiming, let the work in hand end within the grace time, hand back what has not.

        The gpu lane goes first; the others then drain what it left them.
        """
        deadline = time.monotonic() + grace_s
        for lane in sorted(self._lanes, key=lambda each: each.name != "gpu"):
            lane.stop(deadline, drain=lane.name != "gpu")
            if lane.is_alive():
                self._interrupt(lane.name)
                lane.join(grace_s + 5.0)
        self._heart_stop.set()
        self._heart_bell.set()
        if self._heart.ident is not None:
            self._heart.join(5.0)

    def hurry(self) -> None:
        """Interrupt whatever is in hand now: used when the user asks a second time."""
        self._stopping.set()
        self._interrupt(None)

    def run_one(self, lane: str) -> bool:
        """Claim and run one item; False when the lane has none."""
        item = self._store.claim(lane)
        if item is None:
            return False
        held = _InHand(item)
        with self._lock:
            self._in_hand[item.work_id] = held
        try:
            self._run(held)
        except QueueError as error:
            log.warning("work item %s was taken away: %s", item.work_id, error)
        finally:
            with self._lock:
                del self._in_hand[item.work_id]
        return True

    def _run(self, held: _InHand) -> None:
        item, handler = held.item, self._handlers[held.item.task_type]
        try:
            done = handler.execute(item, held.interrupt)
            with self._database.transaction() as tx:
                self._store.complete(tx, item)
                done.record(tx)
            done.after()
        except QueueError:
            raise
        except HotfolderError as error:
            self._record_failure(held, handler, error)
        except Exception as error:
            log.exception("work item %s (%s) failed unexpectedly", item.work_id, item.task_type)
            unexpected = HotfolderError(
                f"Unexpected {type(error).__name__}: {error}",
                hint="See the log of the sidecar.",
                retryable=True,
            )
            self._record_failure(held, handler, unexpected)

    def _record_failure(self, held: _InHand, handler: WorkHandler, error: HotfolderError) -> None:
        item = held.item
        cancelled = self._store.is_cancel_requested(item.work_id)
        with self._database.transaction() as tx:
            if cancelled:
                self._end(tx, handler, item, "cancelled", error)
            elif held.interrupt.is_set():
                log.info("handing back %s (%s)", item.task_type, item.correlation_id)
                self._store.hand_back(tx, item)
                handler.returned(tx, item)
            elif (outcome := end_of_failure(item, retryable=error.retryable)) == "pending":
                log.warning("attempt %d of %s failed: %s", item.attempt_count, item.task_type, error)
                self._store.retry(tx, item, retry_delay_s(item.attempt_count), error.message)
                handler.returned(tx, item)
            else:
                self._end(tx, handler, item, outcome, error)

    def _end(
        self, tx: Transaction, handler: WorkHandler, item: WorkItem, status: EndStatus, error: HotfolderError
    ) -> None:
        log.info("%s %s: %s", item.task_type, status, error.message)
        self._store.end(tx, item, status, error.message)
        handler.ended(tx, item, status, error)

    def _interrupt(self, lane: str | None) -> None:
        with self._lock:
            for held in self._in_hand.values():
                if lane is None or held.item.lane == lane:
                    held.interrupt.set()

    def _beat(self) -> None:
        """Renew the leases in hand, and pass on the wish to cancel, until stopped."""
        renew_at = time.monotonic() + self._lease_s / 4
        while not self._heart_stop.is_set():
            self._heart_bell.wait(self._lease_s / 4)
            self._heart_bell.clear()
            try:
                self._pass_on_cancels()
                if time.monotonic() >= renew_at:
                    self._renew()
                    renew_at = time.monotonic() + self._lease_s / 4
            except Exception:  # a full disk or a locked database must not end the heartbeat
                log.exception("the queue's heartbeat failed; it tries again")

    def _pass_on_cancels(self) -> None:
        with self._lock:
            held = dict(self._in_hand)
        if held:
            for work_id in self._store.list_cancel_requested() & held.keys():
                held[work_id].interrupt.set()

    def _renew(self) -> None:
        with self._lock:
            held = [each.item for each in self._in_hand.values()]
        for item in self._store.renew(held) if held else []:
            log.warning("the lease on %s (%s) is lost", item.work_id, item.task_type)


class _Lane:
    """A few threads that take turns on one lane."""

    def __init__(self, worker: Worker, name: str, slots: int, doorbell: Doorbell) -> None:
        self.name = name
        self._worker = worker
        self._stop = threading.Event()
        self._drain = False
        self._bells = [doorbell.listen() for _ in range(slots)]
        self._threads = [
            threading.Thread(target=self._loop, args=(bell,), name=f"lane-{name}-{number}", daemon=True)
            for number, bell in enumerate(self._bells)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, deadline: float, *, drain: bool) -> None:
        """Ask the threads to end after the work in hand (after all pending work when draining); wait."""
        self._drain = drain
        self._stop.set()
        for bell in self._bells:
            bell.set()
        self.join(max(0.0, deadline - time.monotonic()))
        self._drain = False

    def join(self, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))

    def is_alive(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def _loop(self, bell: threading.Event) -> None:
        while not self._stop.is_set() or self._drain:
            bell.clear()
            if self._has_worked():
                continue
            if self._stop.is_set():
                return
            bell.wait(POLL_S)

    def _has_worked(self) -> bool:
        try:
            return self._worker.run_one(self.name)
        except Exception:  # the loop outlives a full disk and a locked database
            log.exception("lane %s could not claim; it tries again", self.name)
            self._stop.wait(POLL_S)
            return False
