"""Lanes of worker threads: claim an item, call its handler, record how it ended."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from hotfolder.database import Database, Transaction
from hotfolder.domain.work import LANES, EndStatus, WorkItem, end_of_failure, retry_delay_s
from hotfolder.errors import HotfolderError, QueueError
from hotfolder.events import Doorbell
from hotfolder.metrics import LEASE_LOSSES, WORK_RETRIES
from hotfolder.queue.lane import LaneThreads
from hotfolder.queue.lanes import LaneBook
from hotfolder.queue.stay import Stay
from hotfolder.queue.store import WorkStore

log = logging.getLogger(__name__)


BEAT_PAUSE_S = 0.02
"""The heartbeat lets the lanes go first when the doorbell rings, and looks once for many rings."""
POSTPONE_S = 5.0
"""The pause of work that met what is nobody's fault, such as a full disk."""


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
    is_ending: bool = False
    """Its end is being written: the lease may be gone already, and nobody has taken it."""


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
        lane_book: LaneBook | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._store = store
        self._handlers = handlers
        self._lease_s = lease_s
        self._lane_book = lane_book or LaneBook(database)
        self._jitter = jitter
        self._in_hand: dict[str, _InHand] = {}
        self._interrupted: set[str] = set()
        self._lock = threading.RLock()
        self._stays = {name: Stay() for name in lanes}
        self._lanes = [LaneThreads(name, slots, self.run_on, doorbell) for name, slots in lanes.items()]
        self._heart_stop = threading.Event()
        self._heart_bell = doorbell.listen()  # after the lanes, which are to be woken first
        self._heart = threading.Thread(target=self._beat, name="queue-heartbeat", daemon=True)

    def recover(self) -> int:
        """Void the leases of an earlier run; gives the number of items handed back."""
        with self._database.transaction() as tx:
            self._store.rerank(tx)
            found = self._store.recover(tx)
            for item in found.handed_back:
                self._handler(item).returned(tx, item)
            cancelled = QueueError("Cancelled while it was running.", code="queue.cancelled")
            for item in found.cancelled:
                self._handler(item).ended(tx, item, "cancelled", cancelled)
            died = QueueError(
                "hotfolder died too often while it worked on this job.",
                code="queue.dead",
                hint="Look at the logs for the cause, then retry the job.",
            )
            for item in found.dead:
                self._handler(item).ended(tx, item, "dead", died)
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
                self._interrupt({lane.name})
                lane.join(grace_s + 5.0)
        self._heart_stop.set()
        self._heart_bell.set()
        if self._heart.ident is not None:
            self._heart.join(5.0)

    def hurry(self) -> None:
        """Interrupt whatever is in hand now, and claim nothing more: the user has asked a second time."""
        self._interrupt({lane.name for lane in self._lanes})

    def run_one(self, lane: str) -> bool:
        """Claim and run one item; False when the lane has none, or has been interrupted."""
        return self.run_on(lane, lambda: False)

    def run_on(self, lane: str, goes_on: Callable[[], bool]) -> bool:
        """Claim and run an item and, while `goes_on`, those after it; False when the lane has none.

        What comes next is claimed in the transaction that completes what came before.
        """
        item = None if lane in self._interrupted else self._store.claim(lane, self._stays[lane].wanted())
        is_any = item is not None
        while item is not None:
            self._stays[lane].claimed(item)
            item = self._run_held(self._take_in_hand(item), goes_on)
        return is_any

    def _run_held(self, held: _InHand, goes_on: Callable[[], bool]) -> WorkItem | None:
        """Run an item; gives the next one, if it has been claimed already."""
        item = held.item
        try:
            return self._run(held, goes_on)
        except QueueError as error:
            log.warning("work item %s was taken away: %s", item.work_id, error)
            with self._database.transaction(durable=False) as tx:
                tx.count(LEASE_LOSSES, {"lane": item.lane})
            return None
        finally:
            with self._lock:
                del self._in_hand[item.work_id]

    def _take_in_hand(self, item: WorkItem) -> _InHand:
        held = _InHand(item)
        with self._lock:
            self._in_hand[item.work_id] = held
            if item.lane in self._interrupted:  # since the claim
                held.interrupt.set()
        self._heart_bell.set()  # so may have been a wish to cancel: look once more
        return held

    def _run(self, held: _InHand, goes_on: Callable[[], bool]) -> WorkItem | None:
        item, following = held.item, None
        try:
            done = self._handler(item).execute(item, held.interrupt)
            held.is_ending = True
            with self._database.transaction() as tx:
                self._store.complete(tx, item)
                done.record(tx)
                if goes_on() and item.lane not in self._interrupted:
                    following = self._store.take(tx, item.lane, self._stays[item.lane].wanted())
        except HotfolderError as error:
            self._record_failure(held, error)
        except Exception as error:
            log.exception("work item %s (%s) failed unexpectedly", item.work_id, item.task_type)
            unexpected = HotfolderError(
                f"Unexpected {type(error).__name__}: {error}",
                hint="See the log of the sidecar.",
                retryable=True,
            )
            self._record_failure(held, unexpected)
        else:
            self._tidy(item, done)
            return following
        return None

    def _handler(self, item: WorkItem) -> WorkHandler:
        return self._handlers.get(item.task_type) or _NoHandler()

    def _tidy(self, item: WorkItem, done: Done) -> None:
        try:
            done.after()
        except Exception:  # the work is done; what could not be tidied up is no reason to do it again
            log.exception("could not tidy up after %s (%s)", item.task_type, item.correlation_id)

    def _record_failure(self, held: _InHand, error: HotfolderError) -> None:
        held.is_ending = True
        with self._database.transaction() as tx:
            self._record_failed(tx, held, error)

    def _record_failed(self, tx: Transaction, held: _InHand, error: HotfolderError) -> None:
        item, handler = held.item, self._handler(held.item)
        if self._store.is_cancel_requested(item.work_id):
            self._end(tx, handler, item, "cancelled", error)
        elif held.interrupt.is_set():
            log.info("handing back %s (%s)", item.task_type, item.correlation_id)
            self._store.hand_back(tx, item)
            handler.returned(tx, item)
        elif error.retryable and not error.spends_attempt:
            log.warning("%s waits: %s", item.task_type, error)
            self._store.postpone(tx, item, POSTPONE_S, error.message)
            handler.returned(tx, item)
        else:
            self._record_spent(tx, handler, item.failed_with(error.code, error.message), error)

    def _record_spent(
        self, tx: Transaction, handler: WorkHandler, item: WorkItem, error: HotfolderError
    ) -> None:
        outcome = end_of_failure(item, retryable=error.retryable)
        if outcome != "pending":
            self._end(tx, handler, item, outcome, error)
            return
        log.warning("attempt %d of %s failed: %s", item.attempt_count, item.task_type, error)
        self._store.retry(tx, item, retry_delay_s(item.attempt_count, self._jitter()), error.message)
        tx.count(WORK_RETRIES, {"lane": item.lane})
        handler.returned(tx, item)

    def _end(
        self, tx: Transaction, handler: WorkHandler, item: WorkItem, status: EndStatus, error: HotfolderError
    ) -> None:
        self._store.end(tx, item, status, error.message)
        log.info("%s %s: %s", item.task_type, status, error.message)
        handler.ended(tx, item, status, error)

    def _interrupt(self, lanes: set[str]) -> None:
        with self._lock:
            self._interrupted |= lanes
            for held in self._in_hand.values():
                if held.item.lane in lanes:
                    held.interrupt.set()

    def _beat(self) -> None:
        """Renew the leases in hand, take up what nobody renews, and pass on cancels, until stopped."""
        renew_at = time.monotonic() + self._lease_s / 4
        while not self._heart_stop.is_set():
            self._heart_bell.wait(self._lease_s / 4)
            self._heart_stop.wait(BEAT_PAUSE_S)
            self._heart_bell.clear()
            try:
                self._pass_on_cancels()
                self._lane_book.settle(LANES)
                if time.monotonic() >= renew_at:
                    self._renew()
                    self._take_up_expired()
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
            with self._lock:
                lost = self._in_hand.get(item.work_id)
            if lost is not None and not lost.is_ending:  # else it ends, or has ended meanwhile
                log.warning("the lease on %s (%s) is lost", item.work_id, item.task_type)
                lost.interrupt.set()

    def _take_up_expired(self) -> None:
        """An item is in nobody's hand when a full disk kept its end from being recorded, or it was voided."""
        with self._lock:
            in_hand = set(self._in_hand)
        for item in self._store.list_expired():
            if item.work_id not in in_hand:
                self._record_expired(item, _unrecorded() if item.lease_token else _stale())

    def _record_expired(self, item: WorkItem, error: HotfolderError) -> None:
        try:
            with self._database.transaction() as tx:
                if self._store.is_expired(
                    tx, item
                ):  # else another process has taken it up, or it was renewed
                    self._record_failed(tx, _InHand(item), error)
        except Exception:  # one item that cannot be recorded must not keep the others
            log.exception("the end of %s (%s) could not be recorded", item.task_type, item.correlation_id)


def _unrecorded() -> HotfolderError:
    return HotfolderError(
        "The end of the work could not be recorded.",
        code="queue.lease_expired",
        hint="See the log of the sidecar.",
        retryable=True,
    )


def _stale() -> HotfolderError:
    return HotfolderError(
        "It made no progress for too long.",
        code="queue.stale",
        hint="See the log of the sidecar, and that of the engine; `engine.generate_timeout_s` is the limit.",
        retryable=True,
    )


class _NoHandler:
    """Stands in for the handler of a kind of work that this program does not know."""

    def execute(self, item: WorkItem, interrupt: threading.Event) -> Done:  # noqa: ARG002 - the protocol
        raise HotfolderError(
            f"There is no handler for work of the kind {item.task_type}.",
            code="queue.unknown_task",
            hint="Was it queued by another version of hotfolder?",
        )

    def returned(self, tx: Transaction, item: WorkItem) -> None:
        pass

    def ended(self, tx: Transaction, item: WorkItem, status: EndStatus, error: HotfolderError) -> None:
        pass
