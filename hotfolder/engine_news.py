"""What the engines do, written down as events by a thread of its own: no engine waits for a disk."""

from __future__ import annotations

import logging
import queue
import threading

from hotfolder.database import Database
from hotfolder.domain.instants import format_instant
from hotfolder.engine.manager import EngineStatus
from hotfolder.events import ENGINE_STATUS

log = logging.getLogger(__name__)


class EngineNews:
    """`tell` may be called from any thread; of what comes in a rush the last of each engine is written."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._told: queue.SimpleQueue[EngineStatus | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="engine-news", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Write what was told, and end."""
        self._told.put(None)
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def tell(self, status: EngineStatus) -> None:
        """An engine has changed its state."""
        self._told.put(status)

    def _run(self) -> None:
        while (first := self._told.get()) is not None:
            latest = {first.kind: first}
            ends = False
            while not self._told.empty() and not ends:
                status = self._told.get()
                ends = status is None
                if status is not None:
                    latest.pop(status.kind, None)  # the engine that spoke last is the last to be written
                    latest[status.kind] = status
            for each in latest.values():
                self._write(each)
            if ends:
                return

    def _write(self, status: EngineStatus) -> None:
        data = {
            "state": status.state,
            "kind": status.kind,
            "modelInfo": status.model_info,
            "problem": None if status.problem is None else status.problem.partition("\n")[0],
            "retryAt": None if status.retry_at is None else format_instant(status.retry_at),
        }
        try:
            with self._database.transaction() as tx:
                tx.event(ENGINE_STATUS, "engine", status.kind, data)
        except Exception:  # the next change of state is told again
            log.exception("the state of the engine could not be recorded")
