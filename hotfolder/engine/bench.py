"""How fast an engine is: to start, to load, a step, a picture, and what a picture takes beyond that."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hotfolder.engine.manager import EngineManager
from hotfolder.engine.messages import GenerateParams, LoadParams, StepProgress

PROMPT = "A lighthouse on a cliff at dusk, waves below"


@dataclass(frozen=True, slots=True)
class Readiness:
    """Milliseconds from nothing to the first answer, and to a loaded model."""

    start_ms: float
    load_ms: float


@dataclass(frozen=True, slots=True)
class Speed:
    """Of pictures of one size: medians, in seconds and milliseconds; None where the engine did not tell.

    `gap_ms` is what a picture takes beyond the engine's own time: the way there and back.
    """

    width: int
    height: int
    steps: int
    images: int
    image_s: float
    step_s: float | None
    gap_ms: float | None
    peak_memory_mb: int | None


class _Steps:
    """The engine's own average of a step, as it was at the last step."""

    def __init__(self) -> None:
        self.step_s: float | None = None

    def note(self, progress: StepProgress) -> None:
        self.step_s = progress.step_time_s or self.step_s


def get_ready(manager: EngineManager, model: LoadParams) -> Readiness:
    """Start the engine and load the model; raises EngineError."""
    began_at = time.perf_counter()
    manager.ping()
    started_at = time.perf_counter()
    manager.load(model)
    return Readiness((started_at - began_at) * 1000, (time.perf_counter() - started_at) * 1000)


def measure(
    manager: EngineManager,
    model: LoadParams,
    sizes: Sequence[tuple[int, int]],
    *,
    steps: int,
    images: int,
    folder: Path,
    on_image: Callable[[], None] = lambda: None,
) -> Iterator[Speed]:
    """The speed at each size in pixels; each picture has a prompt of its own, so that no cache helps."""
    for width, height in sizes:
        yield _measure_one(manager, model, (width, height), steps, images, folder, on_image)


def _measure_one(
    manager: EngineManager,
    model: LoadParams,
    size: tuple[int, int],
    steps: int,
    images: int,
    folder: Path,
    on_image: Callable[[], None],
) -> Speed:
    taken_s, step_s, gaps_ms, peaks = [], [], [], []
    for number in range(images):
        noted = _Steps()
        params = GenerateParams(
            f"{PROMPT}, no. {number}", *size, number, steps, "euler", (), str(folder / "bench.png"), extra={}
        )
        began_at = time.perf_counter()
        made = manager.generate(model, params, on_progress=noted.note, cancel=threading.Event())
        taken_s.append(time.perf_counter() - began_at)
        gaps_ms += [taken_s[-1] * 1000 - made.total_time_ms] if made.total_time_ms else []
        step_s += [noted.step_s] if noted.step_s else []
        peaks += [made.peak_memory_mb] if made.peak_memory_mb else []
        on_image()
    return Speed(
        *size,
        steps,
        images,
        statistics.median(taken_s),
        statistics.median(step_s) if step_s else None,
        statistics.median(gaps_ms) if gaps_ms else None,
        max(peaks, default=None),
    )
