"""The queue beside huey, litequeue and persist-queue: the same items on the same machine, turn by turn.

queue_contestants says what each does for an item. Three states: nothing in it, 1,000,000 finished items,
100,000 pending ones. The best turn of each counts: what else the machine does can only slow one down. Peers
are installed into a temporary folder; where they cannot be had, only ours are measured. Then the time from a
commit in one process to the claim in another, with the datagram and without (queue_latency).
Usage: bench_queue.py [--rounds N] [--finished N] [--pending N] [--peers FOLDER] [--json]
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from queue_contestants import ALL, Ours, OursBare, Queue
from queue_latency import Latency, measure_latency

PEERS = ("huey", "litequeue", "persist-queue")
INSTALL_LIMIT_S = 300.0
ITEMS = 2000
TURN_LIMIT_S = 0.5
"""A turn ends here even when items are left: one contestant claims ten a second in one of the states."""
BARE_GOAL, FULL_GOAL = 1.0, 8000.0
P50_GOAL_MS, P99_GOAL_MS = 1.0, 10.0
TEXT = json.dumps({"prompt": "a lighthouse " * 30, "seed": 42, "steps": 4, "size": [1024, 1024], "refs": []})


@dataclass(frozen=True)
class Figures:
    """Of one contestant in one state: its best turn."""

    enqueued_per_s: float
    batch_enqueued_per_s: float | None
    turns_per_s: float
    p50_ms: float
    p99_ms: float


def main() -> int:
    options = parse_options()
    before = os.getloadavg()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        found = importable(install_peers(options.peers or folder / "peers"))
        states = {
            "empty": (0, False),
            "finished": (options.finished, True),
            "pending": (options.pending, False),
        }
        figures = {
            name: compete(found, folder / name, count, options.rounds, finished=finished)
            for name, (count, finished) in states.items()
        }
        latency = measure_latency(folder / "latency")
    load = [round(each, 1) for each in (*before[:1], *os.getloadavg()[:1])]
    (print_json if options.json else print_table)(figures, latency, load)
    return 0


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--finished", type=int, default=1_000_000)
    parser.add_argument("--pending", type=int, default=100_000)
    parser.add_argument("--peers", type=Path, help="keeps what was installed for the next run")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def install_peers(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for peer in PEERS:
        if (folder / peer).exists():
            continue
        try:
            target = [*command, "--no-deps", "--target", str(folder / peer), peer]
            subprocess.run(target, check=True, capture_output=True, timeout=INSTALL_LIMIT_S)
        except (OSError, subprocess.SubprocessError) as error:
            print(f"{peer} cannot be had: {error}", file=sys.stderr)
    sys.path.extend(str(folder / peer) for peer in PEERS)
    return folder


def importable(folder: Path) -> list[type[Queue]]:
    """Ours, and the peers that are there."""
    there = [each for each in PEERS if (folder / each).exists()]
    for name in there:
        importlib.import_module(name.replace("-", ""))
    return [each for each in ALL if not each.is_peer or each.name.partition(",")[0] in there]


def compete(
    contestants: Iterable[type[Queue]], folder: Path, count: int, rounds: int, *, finished: bool
) -> dict[str, Figures]:
    """Turn by turn; where there is nothing in the queue it is a new one for each turn."""
    turns: dict[str, list[Figures]] = {each.name: [] for each in contestants}
    with ExitStack() as stack:
        kept = {}
        for each in contestants:
            kept[each.name] = opened(each, folder / "kept" / each.name, stack)
            if count:
                kept[each.name].fill(count, TEXT, finished=finished)
        for number in range(rounds):
            for each in contestants:
                queue = kept[each.name]
                if not count:
                    queue = opened(each, folder / str(number) / each.name, stack)
                turns[each.name].append(take_turn(queue))
    return {name: best(found) for name, found in turns.items()}


def opened(contestant: type[Queue], folder: Path, stack: ExitStack) -> Queue:
    folder.mkdir(parents=True)
    queue = contestant(folder)  # type: ignore[call-arg]  # all of them take their folder
    stack.callback(queue.close)
    return queue


def take_turn(queue: Queue) -> Figures:
    begun_at = time.perf_counter()
    for _ in range(ITEMS):
        queue.put(TEXT)
    put_s = time.perf_counter() - begun_at
    begun_at = time.perf_counter()
    has_batches = queue.put_many(TEXT for _ in range(ITEMS))
    batch_s = time.perf_counter() - begun_at
    return drain(queue, ITEMS / put_s, ITEMS / batch_s if has_batches else None)


def drain(queue: Queue, enqueued_per_s: float, batch_enqueued_per_s: float | None) -> Figures:
    """Claim and complete what was put in, as far as time allows."""
    expected, clock = json.loads(TEXT), time.perf_counter
    claimed, _ = queue.claim()
    turns_s: list[float] = []
    stop_at = clock() + TURN_LIMIT_S
    for _ in range(ITEMS * (1 if batch_enqueued_per_s is None else 2) - 1):
        begun_at = clock()
        claimed, value = queue.turn(claimed)
        ended_at = clock()
        assert value == expected
        turns_s.append(ended_at - begun_at)
        if ended_at > stop_at:
            break
    ordered = sorted(turns_s)
    return Figures(
        enqueued_per_s,
        batch_enqueued_per_s,
        len(ordered) / sum(ordered),
        1000 * ordered[len(ordered) // 2],
        1000 * ordered[len(ordered) * 99 // 100],
    )


def best(turns: Sequence[Figures]) -> Figures:
    """The best turn of each figure."""
    fastest = max(turns, key=lambda each: each.turns_per_s)
    batches = [each.batch_enqueued_per_s for each in turns if each.batch_enqueued_per_s is not None]
    return Figures(
        max(each.enqueued_per_s for each in turns),
        max(batches) if batches else None,
        fastest.turns_per_s,
        fastest.p50_ms,
        fastest.p99_ms,
    )


def ratio(found: Mapping[str, Figures], *, keeping: bool) -> float | None:
    """Ours, bare, of the best peer; `keeping`: of those that still know an item that has ended."""
    peers = {each.name for each in ALL if each.is_peer and (each.keeps_ended or not keeping)}
    rates = [each.turns_per_s for name, each in found.items() if name in peers]
    return found[OursBare.name].turns_per_s / max(rates) if rates else None


def judge(states: Mapping[str, Mapping[str, Figures]], latency: Latency) -> list[tuple[str, str, bool]]:
    """What was to be reached, what was, and whether that is enough."""
    lines = []
    for state, found in states.items():
        reached = ratio(found, keeping=True)
        if reached is not None:
            goal = f"{state}: bare claim + complete at least {BARE_GOAL} x the best that keeps what has ended"
            lines.append((goal, f"{reached:.2f}", reached >= BARE_GOAL))
        per_s = found[Ours.name].turns_per_s
        goal = f"{state}: with leases, fencing and events at least {FULL_GOAL:,.0f}/s"
        lines.append((goal, f"{per_s:,.0f}", per_s >= FULL_GOAL))
    p50, p99 = latency.nudged_p50_ms, latency.nudged_p99_ms
    lines.append((f"enqueue to claim, p50 at most {P50_GOAL_MS} ms", f"{p50:.2f}", p50 <= P50_GOAL_MS))
    lines.append((f"enqueue to claim, p99 at most {P99_GOAL_MS} ms", f"{p99:.2f}", p99 <= P99_GOAL_MS))
    return lines


def print_table(states: Mapping[str, Mapping[str, Figures]], latency: Latency, load: Sequence[float]) -> None:
    print(f"WAL, synchronous = NORMAL; {len(TEXT)} bytes of JSON; load {load[0]} before, {load[1]} after")
    print("state     queue             enqueue/s    batched/s   claim+complete/s   p50 ms   p99 ms")
    for state, found in states.items():
        for name, each in found.items():
            batched = "-" if each.batch_enqueued_per_s is None else f"{each.batch_enqueued_per_s:,.0f}"
            print(
                f"{state:9} {name:16} {each.enqueued_per_s:10,.0f} {batched:>12}"
                f" {each.turns_per_s:18,.0f} {each.p50_ms:8.3f} {each.p99_ms:8.3f}"
            )
        beside_all = ratio(found, keeping=False)
        if beside_all is not None:
            print(f"{state:9} bare, beside those too that forget what has ended: {beside_all:.2f} x the best")
    print(
        f"latency   nudged: p50 {latency.nudged_p50_ms:.2f} ms, p99 {latency.nudged_p99_ms:.2f} ms;", end=" "
    )
    print(f"polled: p50 {latency.polled_p50_ms:.0f} ms, longest {latency.polled_max_ms:.0f} ms")
    for goal, reached, met in judge(states, latency):
        print(f"{'met   ' if met else 'MISSED'}  {goal}: {reached}")


def print_json(states: Mapping[str, Mapping[str, Figures]], latency: Latency, load: Sequence[float]) -> None:
    for state, found in states.items():
        for name, each in found.items():
            print(json.dumps({"state": state, "by": name, **asdict(each)}))
        kept, any_ = ratio(found, keeping=True), ratio(found, keeping=False)
        print(json.dumps({"state": state, "bareOfBestPeer": kept, "bareOfBestThatForgets": any_}))
    print(json.dumps({"latency": asdict(latency), "load": load}))
    for goal, reached, met in judge(states, latency):
        print(json.dumps({"goal": goal, "reached": reached, "met": met}))


if __name__ == "__main__":
    sys.exit(main())
