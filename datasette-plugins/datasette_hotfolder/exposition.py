"""Figures as Prometheus reads them: names, helps and labels of every metric, in the text format."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, get_args

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from hotfolder import metrics
from hotfolder.domain.generation import ENDED
from hotfolder.domain.work import Lane
from hotfolder.library.metrics import Counter, Figures

_LANES: Final = get_args(Lane)
_OPEN: Final = ("pending", "scheduled", "processing")
_RUNS: Final = ("idle", "loading", "ready", "busy")


@dataclass(frozen=True, slots=True)
class Machine:
    """What is known beside the database; `watching` and `gpus` as the sidecar wrote them."""

    version: str
    sidecar_is_alive: bool
    heartbeat_age_s: float | None
    disk_free_bytes: int
    disk_size_bytes: int
    wal_bytes: int
    watching: Sequence[Mapping[str, Any]] = ()
    gpus: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class _Counted:
    """A counter of the database; of labels whose values are known, each is there from the start, as 0.

    Else Prometheus would not see the first one of a kind: it compares with what was before.
    """

    name: str
    help: str
    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)


_COUNTERS: Final = (
    _Counted(metrics.FILES_CLAIMED, "Job files that were claimed in the inbox."),
    _Counted(metrics.JOBS_RECEIVED, "Jobs that came in, refused ones included."),
    _Counted(metrics.JOBS_REFUSED, "Jobs that failed at the door: nothing of them was run."),
    _Counted(metrics.JOBS_ENDED, "Jobs that ended, a retried one once a run.", {"status": sorted(ENDED)}),
    _Counted(
        metrics.GENERATIONS_ENDED, "Pictures asked for, by how that ended.", {"endpoint": (), "status": ()}
    ),
    _Counted(metrics.ENGINE_BUSY, "Time that the pictures which were made took an engine.", {"engine": ()}),
    _Counted(metrics.WORK_RETRIES, "Failed attempts that are followed by another.", {"lane": _LANES}),
    _Counted(
        metrics.WORK_ENDED,
        "Work that ended without success; dead: after its last attempt.",
        {"lane": _LANES, "status": ("failed", "cancelled", "dead")},
    ),
    _Counted(metrics.LEASE_LOSSES, "Work that was taken away from whoever had it in hand.", {"lane": _LANES}),
    _Counted(
        metrics.DELIVERIES,
        "Deliveries by how they ended.",
        {"kind": ("result",), "outcome": ("completed", "failed", "cancelled", "dead")},
    ),
    _Counted(metrics.REPORTS_SHARED, "Failed jobs in a flood of equal ones, which share a report."),
    _Counted(
        metrics.IMPORTS,
        "Pictures from outside by what became of them.",
        {"outcome": ("imported", "duplicate", "failed")},
    ),
    _Counted(metrics.CREDITS_SPENT, "Credits that pictures have cost."),
)
_HISTOGRAMS: Final = {
    metrics.GENERATION_DURATION: "Time from the start of a picture to its place in the library.",
    metrics.QUEUE_WAIT: "Time from the acceptance of a picture to its start, wanted delays included.",
}


def build_exposition(figures: Figures, machine: Machine) -> bytes:
    """All metrics as text, from a registry of their own: nothing of this process is in it."""
    registry = CollectorRegistry()
    registry.register(_Collector(figures, machine))
    return generate_latest(registry)


class _Collector:
    """What one scrape tells."""

    def __init__(self, figures: Figures, machine: Machine) -> None:
        self._figures = figures
        self._machine = machine

    def collect(self) -> Iterable[Metric]:
        """Every family, also those that have nothing to tell yet."""
        yield from _build_service(self._machine)
        yield from _build_queue(self._figures)
        yield from _build_engines(self._figures, self._machine)
        yield from _build_storage(self._figures, self._machine)
        yield from _build_watching(self._machine)
        for counted in _COUNTERS:
            yield _build_counter(counted, self._figures.counters)
        for name, text in _HISTOGRAMS.items():
            yield _build_histogram(name, text, self._figures.counters)


def _build_service(machine: Machine) -> Iterator[Metric]:
    yield _gauge("build_info", "The version of hotfolder.", ["version"], [((machine.version,), 1)])
    yield _plain("sidecar_up", "Whether a sidecar runs and gave a sign lately.", machine.sidecar_is_alive)
    yield _plain("sidecar_heartbeat_age_seconds", "Since the sidecar's last sign.", machine.heartbeat_age_s)


def _build_queue(figures: Figures) -> Iterator[Metric]:
    yield _gauge(
        "work_items",
        "Work that has not ended.",
        ["lane", "state"],
        [((lane, state), figures.work.get((lane, state), 0)) for lane in _LANES for state in _OPEN],
    )
    yield _by(
        "work_dead",
        "Work that failed in all of its attempts and waits for somebody to requeue it.",
        "lane",
        {lane: figures.dead.get(lane, 0) for lane in _LANES},
    )
    yield _gauge(
        "work_oldest_pending_seconds",
        "How long the work that has waited longest could have begun already; 0 when none waits.",
        ["lane"],
        [((lane,), figures.oldest_pending_s.get(lane, 0)) for lane in _LANES],
    )
    yield _gauge(
        "lane_running",
        "Whether a lane takes up work: 0 while it is paused or drains.",
        ["lane"],
        [((lane,), figures.lane_states.get(lane, "running") == "running") for lane in _LANES],
    )
    yield _by("jobs", "Jobs that have not ended.", "status", figures.jobs)
    yield _by("generations", "Pictures asked for that have not ended.", "status", figures.generations)


def _build_engines(figures: Figures, machine: Machine) -> Iterator[Metric]:
    states = figures.engines if machine.sidecar_is_alive else dict.fromkeys(figures.engines, "stopped")
    yield _by(
        "engine_up",
        "Whether an engine runs; one is started when it is first needed.",
        "engine",
        {kind: state in _RUNS for kind, state in states.items()},
    )
    yield _gauge(
        "engine_state",
        "1 for what an engine does.",
        ["engine", "state"],
        [(each, 1) for each in states.items()],
    )
    for name, key, text in (
        ("gpu_memory_used_bytes", "usedBytes", "Memory of a graphics card in use, by any program."),
        ("gpu_memory_size_bytes", "totalBytes", "Memory of a graphics card."),
        ("gpu_utilization_ratio", "utilization", "How busy a graphics card is, from 0 to 1."),
    ):
        told = [each for each in machine.gpus if each.get(key) is not None]
        rows = [((str(each["gpu"]), str(each["name"])), each[key]) for each in told]
        yield _gauge(name, text, ["gpu", "name"], rows)


def _build_storage(figures: Figures, machine: Machine) -> Iterator[Metric]:
    yield _plain("disk_free_bytes", "Room left on the disk of the library.", machine.disk_free_bytes)
    yield _plain("disk_size_bytes", "Size of the disk of the library.", machine.disk_size_bytes)
    yield _plain("database_size_bytes", "Size of library.db.", figures.database_bytes)
    yield _plain(
        "database_unused_bytes", "What of library.db holds nothing now.", figures.database_free_bytes
    )
    yield _plain("database_wal_bytes", "Size of the journal beside library.db.", machine.wal_bytes)
    yield _plain("events_kept", "Events in the database, at most so many.", figures.events_kept)
    events = CounterMetricFamily("hotfolder_events", "Events so far.", labels=())
    events.add_metric((), figures.events_so_far)
    yield events


def _build_watching(machine: Machine) -> Iterator[Metric]:
    """Folders by name: where on the machine they are is nobody's business here."""
    pending, missed = _sum(machine.watching, "pending"), _sum(machine.watching, "missed")
    yield _by("files_pending", "Files seen in a folder that are not taken yet.", "folder", pending)
    found = CounterMetricFamily(
        "hotfolder_files_missed",
        "Files that a look at a folder found without an event, since the start.",
        labels=["folder"],
    )
    for folder, count in missed.items():
        found.add_metric([folder], count)
    yield found


def _sum(roots: Sequence[Mapping[str, Any]], key: str) -> dict[str, int]:
    sums: dict[str, int] = {}
    for each in roots:
        name = str(each.get("root", "")).rstrip("/").rpartition("/")[2]
        sums[name] = sums.get(name, 0) + int(each.get(key) or 0)
    return sums


def _build_counter(counted: _Counted, counters: Iterable[Counter]) -> Metric:
    names = list(counted.labels)
    values = dict.fromkeys(itertools.product(*counted.labels.values()), 0.0)
    for each in counters:
        if each.name == counted.name:
            key = tuple(each.labels.get(name, "") for name in names)
            values[key] = values.get(key, 0.0) + each.value  # labels that are not told are added up
    family = CounterMetricFamily(f"hotfolder_{counted.name}", counted.help, labels=names)
    for labels, value in values.items():
        family.add_metric(labels, value)
    return family


def _build_histogram(name: str, text: str, counters: Sequence[Counter]) -> Metric:
    family = HistogramMetricFamily(f"hotfolder_{name}", text, labels=["endpoint"])
    sums = {each.labels["endpoint"]: each.value for each in counters if each.name == name + metrics.SUM}
    for endpoint, total in sums.items():
        counts = {
            each.labels["le"]: each.value
            for each in counters
            if each.name == name + metrics.BUCKET and each.labels["endpoint"] == endpoint
        }
        bounds = [*(f"{each:g}" for each in metrics.BUCKETS_S[name]), metrics.UNBOUND]
        so_far = itertools.accumulate(counts.get(each, 0) for each in bounds)
        family.add_metric([endpoint], list(zip(bounds, so_far, strict=True)), total)
    return family


def _plain(name: str, text: str, value: float | None) -> Metric:
    """A gauge without labels; nothing is told of what is not known."""
    return _gauge(name, text, [], [] if value is None else [((), value)])


def _by(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    return _gauge(name, text, [label], [((key,), value) for key, value in values.items()])


def _gauge(
    name: str, text: str, labels: Sequence[str], rows: Iterable[tuple[Sequence[str], float]]
) -> Metric:
    family = GaugeMetricFamily(f"hotfolder_{name}", text, labels=labels)
    for values, value in rows:
        family.add_metric(values, float(value))
    return family
