"""Keeps the engines as they are wanted: a model loaded before it is needed, back after a loss, healthy."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from hotfolder.engine.manager import EngineManager
from hotfolder.engine.messages import LoadParams
from hotfolder.engines import Engines
from hotfolder.errors import EngineError
from hotfolder.events import Doorbell
from hotfolder.library.control import WANTED_MODEL, ControlStore, Wish
from hotfolder.providers.local import find_engine

log = logging.getLogger(__name__)

LOOK_S: Final = 1.0
HEALTH_S: Final = 30.0


class EngineKeeper:
    """A thread of its own. It takes the seat as a job does, and never while one has it for what can wait.

    `preload` is `none`, `last` or a model set: what to load at the start unless somebody wished for another.
    """

    def __init__(
        self,
        engines: Engines,
        model_sets: Mapping[str, LoadParams],
        control: ControlStore,
        doorbell: Doorbell,
        *,
        preload: str,
        find_last: Callable[[], str | None],
    ) -> None:
        self._engines = engines
        self._model_sets = model_sets
        self._control = control
        self._bell = doorbell.listen()
        self._preload = preload
        self._find_last = find_last
        self._stop = threading.Event()
        self._seen: Wish | None = None
        self._wanted: str | None = None  # what is still to be done: a model set to load, or empty: unload
        self._health_at_s = time.monotonic() + HEALTH_S
        self._thread = threading.Thread(target=self._run, name="engine-keeper", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._seen = self._control.find(WANTED_MODEL)
        self._wanted = self._choose_first()
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """End; a load under way is interrupted."""
        self._stop.set()
        self._bell.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def _choose_first(self) -> str | None:
        if self._seen is not None:
            return self._seen.value or None
        return {"none": None, "last": self._find_last()}.get(self._preload, self._preload)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._look()
            self._bell.wait(LOOK_S)
            self._bell.clear()

    def _look(self) -> None:
        """A border: what cannot be loaded now will be said by the first job that needs it."""
        try:
            self._keep()
        except EngineError as error:
            if not self._stop.is_set():
                log.warning("the engine is not as it is wanted: %s", error)
        except Exception:
            log.exception("the look at the engines failed; the next one repeats it")

    def _keep(self) -> None:
        wish = self._control.find(WANTED_MODEL)
        if wish is not None and wish != self._seen:
            self._seen, self._wanted = wish, wish.value
        if self._wanted is not None:
            self._grant(self._wanted)
        for manager in self._engines.by_kind.values():
            self._bring_back(manager)
        if time.monotonic() >= self._health_at_s:
            self._health_at_s = time.monotonic() + HEALTH_S
            for manager in self._engines.by_kind.values():
                manager.check_health()

    def _grant(self, wanted: str) -> None:
        kind, name = find_engine(wanted)
        manager, model = self._engines.by_kind.get(kind), self._model_sets.get(name or "")
        if manager is not None and manager.rests:
            return  # nobody holds the seat to wait for an engine: others could work
        self._wanted = None
        if not wanted:
            self._unload()
        elif manager is None or model is None:
            log.warning("%s cannot be loaded: there is no such model set, or no engine for it", wanted)
        else:
            self._load(wanted, manager, model)

    def _unload(self) -> None:
        with self._engines.seat.taken(self._stop):
            for manager in self._engines.by_kind.values():
                manager.unload()

    def _load(self, wanted: str, manager: EngineManager, model: LoadParams) -> None:
        try:
            with self._engines.seat.taken(self._stop):
                manager.load(model, cancel=self._stop)
        finally:
            if manager.rests:  # it failed, and is tried again after that
                self._wanted = wanted

    def _bring_back(self, manager: EngineManager) -> None:
        """After a crash or a cancel, unless a job is about to do so."""
        if manager.lost_model is None or manager.rests:
            return
        with self._engines.seat.taken_if_free() as is_ours:
            if is_ours and (model := manager.lost_model) is not None:
                manager.load(model, cancel=self._stop)
