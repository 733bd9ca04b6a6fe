"""Bursts of job files into a watched folder: none lost, none twice, time and memory; and the cost of idling.

Each case runs in a process of its own, beside a thread that computes in Python all the time; the files are
made by another process. The peer is watchdog's own observer as it comes, in the same run: what it reports.

    bench_intake.py                     all: every burst, 30,000 and 100,000 files, and idle
    bench_intake.py --files 30000       the bursts of one size
    bench_intake.py --idle              CPU time of a watch over 50,000 files that stay
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from hotfolder.watchers.loop import SWITCH_S, SettledFile, WatchLoop

SIZES = [30_000, 100_000]
SUBFOLDERS = 1_000
GOAL_S = {30_000: 60.0}
GOAL_RSS_MB = 300.0
IDLE_FILES, IDLE_S, GOAL_IDLE_PERCENT = 50_000, 30.0, 1.0
LIMIT_S = 600.0
QUIET_S = 5.0
JOB = "endpointKey: local.procedural.image\nparams: {prompt: a lighthouse at dusk}\n"

RENAME = """
import os, sys
for name in os.listdir(sys.argv[1]):
    os.rename(f"{sys.argv[1]}/{name}", f"{sys.argv[2]}/{name}")
"""
TEMP_RENAME = """
import os, sys
for name in os.listdir(sys.argv[1]):
    text = open(f"{sys.argv[1]}/{name}").read()
    temporary = f"{sys.argv[2]}/.{name}.Ab12Cd"
    with open(temporary, "w") as file:
        file.write(text)
    os.rename(temporary, f"{sys.argv[2]}/{name}")
"""
COMMANDS: dict[str, Callable[[Path, Path], list[str]]] = {
    "cp -r": lambda made, root: ["cp", "-r", f"{made}/.", str(root)],
    "rename": lambda made, root: [sys.executable, "-c", RENAME, str(made), str(root)],
    "temp + rename": lambda made, root: [sys.executable, "-c", TEMP_RENAME, str(made), str(root)],
    "1,000 new subfolders": lambda made, root: ["cp", "-r", f"{made}/.", str(root)],
}


def main() -> int:
    arguments = _parse()
    if arguments.watcher:
        print(json.dumps(WATCHERS[arguments.watcher](arguments.case, arguments.files[0])))
        return 0
    sizes = arguments.files or ([] if arguments.idle else SIZES)
    results = [_print(measure_burst(case, files)) for files in sizes for case in COMMANDS]
    if arguments.idle or not arguments.files:
        results.append(_print(measure_idle()))
    return 0 if all(results) else 1


def measure_burst(case: str, files: int) -> dict[str, object]:
    ours, peer = (_run_alone(watcher, case, files) for watcher in WATCHERS)
    is_good = ours["lost"] == 0 and ours["twice"] == 0 and ours["peakRssMb"] <= GOAL_RSS_MB
    return {
        "case": case,
        "files": files,
        **ours,
        "watchdogReported": peer["reported"],
        "watchdogLost": files - peer["reported"],
        "watchdogSeconds": peer["seconds"],
        "ratioOfFilesSeen": round((files - ours["lost"]) / max(peer["reported"], 1), 2),
        "withinGoal": is_good and ours["seconds"] <= GOAL_S.get(files, LIMIT_S),
    }


def watch_with_hotfolder(case: str, files: int) -> dict[str, float]:
    taken: Counter[str] = Counter()
    with _folders(case, files) as (made, root, out), _busy_thread():

        def claim(settled: list[SettledFile]) -> None:
            for file in settled:
                name = file.relative.as_posix().replace("/", "-")
                file.path.rename(out / name)
                taken[name] += 1

        loop = WatchLoop(root, accepts=lambda path: path.suffix == ".yaml", on_settled=claim)
        sys.setswitchinterval(SWITCH_S)  # as the service does
        loop.start()
        started = time.monotonic()
        subprocess.run(COMMANDS[case](made, root), check=True)
        made_s = time.monotonic() - started
        while taken.total() < files and time.monotonic() - started < LIMIT_S:
            time.sleep(0.01)
        seconds = time.monotonic() - started
        loop.wait_until_quiet(60.0)
        report = loop.report()
        loop.stop(30.0)
        arrived = sum(1 for _ in out.iterdir())
    return {
        "lost": files - len(taken) + (len(taken) - arrived),
        "twice": taken.total() - len(taken),
        "seconds": round(seconds, 2),
        "secondsToMake": round(made_s, 2),
        "foundByRescanAlone": report.missed,
        "peakRssMb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def watch_with_watchdog(case: str, files: int) -> dict[str, float]:
    from watchdog.events import FileSystemEvent, FileSystemEventHandler
    from watchdog.observers import Observer

    reported: set[str] = set()
    heard_at = [time.monotonic()]

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            path = str(event.dest_path or event.src_path)
            heard_at[0] = time.monotonic()
            if path.endswith(".yaml") and not event.is_directory and event.event_type != "deleted":
                reported.add(path)

    with _folders(case, files) as (made, root, _), _busy_thread():
        observer = Observer()
        observer.schedule(Handler(), str(root), recursive=True)
        observer.start()
        started = time.monotonic()
        subprocess.run(COMMANDS[case](made, root), check=True)
        while len(reported) < files and time.monotonic() - heard_at[0] < QUIET_S:
            time.sleep(0.01)
        observer.stop()
        observer.join(30.0)
    return {"reported": len(reported), "seconds": round(heard_at[0] - started, 2)}


def measure_idle() -> dict[str, object]:
    """Half of the files are no work, half were given and left: neither may cost much while it lies there."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for number in range(IDLE_FILES):
            (root / f"{number}.{'yaml' if number % 2 else 'bin'}").write_text("x")
        loop = WatchLoop(
            root, accepts=lambda path: path.suffix == ".yaml", on_settled=lambda _: None, rescan_s=10.0
        )
        loop.start()
        assert loop.wait_until_quiet(LIMIT_S)
        began_cpu, began = time.process_time(), time.monotonic()
        time.sleep(IDLE_S)
        percent = 100 * (time.process_time() - began_cpu) / (time.monotonic() - began)
        loop.stop(30.0)
    return {
        "case": "idle",
        "files": IDLE_FILES,
        "seconds": IDLE_S,
        "cpuPercent": round(percent, 3),
        "ratioToGoal": round(percent / GOAL_IDLE_PERCENT, 2),
        "peakRssMb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "withinGoal": percent < GOAL_IDLE_PERCENT,
    }


WATCHERS: dict[str, Callable[[str, int], dict[str, float]]] = {
    "hotfolder": watch_with_hotfolder,
    "watchdog": watch_with_watchdog,
}


@contextmanager
def _folders(case: str, files: int) -> Iterator[tuple[Path, Path, Path]]:
    with tempfile.TemporaryDirectory() as folder:
        made, root, out = (Path(folder) / name for name in ("made", "in", "out"))
        for each in (made, root, out):
            each.mkdir()
        subfolders = SUBFOLDERS if "subfolders" in case else 1
        for number in range(files):
            place = made / f"{number % subfolders:04}" if subfolders > 1 else made
            place.mkdir(exist_ok=True)
            (place / f"job-{number:06}.yaml").write_text(JOB)
        yield made, root, out


@contextmanager
def _busy_thread() -> Iterator[None]:
    stop = threading.Event()

    def compute() -> None:
        while not stop.is_set():
            sum(range(1_000))

    thread = threading.Thread(target=compute, daemon=True)
    thread.start()
    yield
    stop.set()
    thread.join()


def _run_alone(watcher: str, case: str, files: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--watcher", watcher, "--case", case, "--files", str(files)]
    ended = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    figures: dict[str, float] = json.loads(ended.stdout)
    return figures


def _print(figures: dict[str, object]) -> bool:
    print(json.dumps(figures), flush=True)
    return bool(figures["withinGoal"])


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, nargs="+", default=[])
    parser.add_argument("--idle", action="store_true")
    parser.add_argument("--watcher", choices=["hotfolder", "watchdog"], help=argparse.SUPPRESS)
    parser.add_argument("--case", choices=list(COMMANDS), help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
