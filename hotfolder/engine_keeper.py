"""Keeps the engines as they are wanted: a model loaded before it is needed, back after a loss, healthy."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from hotfolder.engine.manager import EngineManager
from hotfolder.engine.messages import LoadParams
from hotfolder.engine.supervision import BackOff, RestartPolicy
from hotfolder.engines import Engines
from hotfolder.errors import EngineError
from hotfolder.events import Doorbell
from hotfolder.library.control import WANTED_MODEL, ControlStore, Wish
from hotfolder.providers.local import find_engine

log = logging.getLogger(__name__)

LOOK_S: Final = 1.0
HEALTH_S: Final = 30.0
TRIES: Final = RestartPolicy(first_rest_s=5.0, starts=3)
"""At a wish: each try ends what others have loaded."""
GRANTED: Final = "engine.granted"
"""The instant of the wish that has been granted or given up: it does not concern the next start."""
ACTOR: Final = "engine-keeper"


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
        tries: RestartPolicy = TRIES,
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
        self._policy = tries
        self._begin_anew()
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
        if self._seen is not None and not self._is_granted(self._seen):
            return self._seen.value
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
            self._begin_anew()
        if self._wanted is not None and not self._pause.remaining_s():
            self._try(self._wanted)
        for manager in self._engines.by_kind.values():
            self._bring_back(manager)
        if time.monotonic() >= self._health_at_s:
            self._health_at_s = time.monotonic() + HEALTH_S
            for manager in self._engines.by_kind.values():
                manager.check_health()

    def _begin_anew(self) -> None:
        self._tries, self._pause = 0, BackOff(self._policy)

    def _try(self, wanted: str) -> None:
        """Once; what fails is tried again, unless it fails for good."""
        kind, name = find_engine(wanted)
        manager, model = self._engines.by_kind.get(kind), self._model_sets.get(name or "")
        if wanted and manager is not None and manager.rests:
            return  # nobody holds the seat to wait for an engine: others could work
        try:
            if not wanted:
                self._unload()
            elif manager is None or model is None:
                log.warning("%s cannot be loaded: there is no such model set, or no engine for it", wanted)
            else:
                self._load(manager, model)
        except EngineError as error:
            if self._stop.is_set():
                return
            if self._is_worth_another(error):
                raise
            self._give_up(wanted, manager, error)
        self._settle()

    def _is_worth_another(self, error: EngineError) -> bool:
        """An engine that cannot start, or has no time, says nothing of the wish; it has a rest of its own."""
        if error.spends_attempt and error.code != "engine.start_failed":
            self._tries += 1
            self._pause.failed()
        return error.retryable and self._pause.is_worth_another(self._tries)

    def _give_up(self, wanted: str, manager: EngineManager | None, error: EngineError) -> None:
        what = f"{wanted} is not loaded" if wanted else "not all models are unloaded"
        told = f"{what}, after {self._tries} tries it is given up: {error.message}"
        log.warning("%s", told)
        if manager is not None:
            manager.tell(told)

    def _settle(self) -> None:
        """The wish is no more: neither now, nor at the next start."""
        self._wanted = None
        self._begin_anew()
        if self._seen is not None and not self._is_granted(self._seen):
            self._control.put(GRANTED, self._seen.at, ACTOR)

    def _is_granted(self, wish: Wish) -> bool:
        granted = self._control.find(GRANTED)
        return granted is not None and granted.value == wish.at

    def _unload(self) -> None:
        """Whatever can be: an engine that is ill does not keep the memory of the others."""
        failed: list[EngineError] = []
        with self._engines.seat.taken(self._stop):
            for manager in self._engines.by_kind.values():
                try:
                    manager.unload()
                except EngineError as error:
                    failed.append(error)
        if failed:
            raise failed[0]

    def _load(self, manager: EngineManager, model: LoadParams) -> None:
        with self._engines.seat.taken(self._stop):
            manager.load(model, cancel=self._stop)

    def _bring_back(self, manager: EngineManager) -> None:
        """After a crash or a cancel, unless a job is about to do so."""
        if manager.lost_model is None or manager.rests:
            return
        with self._engines.seat.taken_if_free() as is_ours:
            if is_ours and (model := manager.lost_model) is not None:
                manager.load(model, cancel=self._stop)
