"""Pictures a second into the library beside sharp and pyvips: the same files, two workers, in the same run.

All read each file, hash it, move it to its place, tell its size and orientation, write an upright square
thumbnail of 400 pixels in sRGB and flush both to the disk; the library also writes sidecars, rows and events.
The peers are installed into a temporary folder; where they cannot be had, only the library is measured. Where
its extra `fast` is installed it takes part with and without, and the goals are for the quicker one.
Usage: bench_import.py [--rounds N] [--no-sync] [--folder KEPT] [SET...]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from import_corpus import SETS, write_corpus

HERE = Path(__file__).parent
PLAIN, FAST = "hotfolder", "hotfolder[fast]"
LIMIT_S = 900.0
GOALS = {  # of the best peer for the mixed set, of sharp for the others
    "JPEG 12 MP": ("sharp", 1.0),
    "PNG 1k": ("sharp", 0.6),
    "PNG 2k": ("sharp", 0.6),
    "mixed": ("the best peer", 0.95),
}


@dataclass(frozen=True)
class Contestant:
    """A program that takes SOURCE, TARGET and SYNC and prints its figures."""

    name: str
    command: Sequence[str]
    folder: Path


@dataclass(frozen=True)
class Figures:
    """Of one contestant over all rounds of a set."""

    per_second: float
    cpu_ms: float
    peak_mb: float


def main() -> int:
    options = parse_options()
    with tempfile.TemporaryDirectory() as made:
        folder = options.folder or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        contestants = [*own_contestants(), *install_peers(folder / "peers")]
        for name in options.sets or SETS:
            corpus = folder / name.replace(" ", "-")
            if not corpus.exists():
                write_corpus(corpus, SETS[name]())
            report(name, compete(contestants, corpus, Path(made), options.rounds, options.sync))
    return 0


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-sync", dest="sync", action="store_const", const="no-sync", default="sync")
    parser.add_argument("--folder", type=Path, help="keeps pictures and peers for the next run")
    parser.add_argument("sets", metavar="SET", nargs="*", choices=[[], *SETS])
    return parser.parse_args()


def own_contestants() -> list[Contestant]:
    program = [sys.executable, str(HERE / "ingest_hotfolder.py")]
    own = [Contestant(PLAIN, [*program, "plain"], HERE)]
    if find_spec("imagecodecs"):
        own.append(Contestant(FAST, [*program, "fast"], HERE))
    return own


def install_peers(folder: Path) -> list[Contestant]:
    """Those that can be had, each in a folder of its own."""
    sharp, vips = folder / "sharp", folder / "pyvips"
    sharp.mkdir(parents=True, exist_ok=True)
    found = []
    if ran(["npm", "install", "--no-audit", "--no-fund", "sharp"], sharp):
        found.append(Contestant("sharp", ["node", str(HERE / "ingest_sharp.cjs")], sharp))
    python = str(vips / "bin" / "python")
    if ran([sys.executable, "-m", "venv", str(vips)], folder) and ran(
        [python, "-m", "pip", "install", "--quiet", "pyvips[binary]"], folder
    ):
        found.append(Contestant("pyvips", [python, str(HERE / "ingest_pyvips.py")], vips))
    return found


def ran(command: Sequence[str], folder: Path) -> bool:
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=LIMIT_S)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"{command[-1]} cannot be had: {error}")
        return False
    return True


def compete(
    contestants: Sequence[Contestant], corpus: Path, folder: Path, rounds: int, sync: str
) -> dict[str, Figures]:
    """Turn by turn, and the best turn of each counts: what else the machine does can only slow one down."""
    runs: dict[str, list[dict[str, float]]] = {each.name: [] for each in contestants}
    for number in range(rounds):
        for each in contestants:
            run = folder / f"{corpus.name}-{number}-{each.name}"
            runs[each.name].append(take_in(each, corpus, run, sync))
    return {
        name: Figures(
            max(run["pictures"] / run["seconds"] for run in found),
            min(1000 * run["cpuSeconds"] / run["pictures"] for run in found),
            max(run["peakMb"] for run in found),
        )
        for name, found in runs.items()
    }


def take_in(contestant: Contestant, corpus: Path, folder: Path, sync: str) -> dict[str, float]:
    """One run on a copy of the pictures that is on the disk already and still in memory."""
    shutil.copytree(corpus, folder / "source")
    (folder / "target").mkdir()
    os.sync()
    time.sleep(1)  # for what the disk does on its own after that
    command = [*contestant.command, str(folder / "source"), str(folder / "target"), sync]
    done = subprocess.run(
        command, cwd=contestant.folder, check=True, stdout=subprocess.PIPE, text=True, timeout=LIMIT_S
    )
    found: dict[str, float] = json.loads(done.stdout)
    taken = [each for each in (folder / "target").rglob("*") if each.is_file()]
    assert sum(each.suffix == ".jpg" for each in taken) >= found["pictures"] == count(corpus)
    for file in taken:  # where many files were just removed, file systems make new ones slowly
        os.truncate(file, 0)
    return found


def count(corpus: Path) -> int:
    return sum(1 for _ in corpus.iterdir())


def report(name: str, found: Mapping[str, Figures]) -> None:
    best = max((each for each in (PLAIN, FAST) if each in found), key=lambda each: found[each].per_second)
    ours = found[best]
    for contestant, figures in found.items():
        line: dict[str, object] = {"set": name, "by": contestant, "perSecond": round(figures.per_second, 1)}
        if figures is not ours:
            line["ratio"] = round(ours.per_second / figures.per_second, 2)
        print(json.dumps(line | {"cpuMs": round(figures.cpu_ms, 1), "peakMb": round(figures.peak_mb)}))
    peers = {peer: figures for peer, figures in found.items() if peer not in (PLAIN, FAST)}
    beside, goal = GOALS[name]
    if "sharp" in peers:
        rivals = [peers["sharp"]] if beside == "sharp" else peers.values()
        ratio = ours.per_second / max(each.per_second for each in rivals)
        judge(name, best, f"at least {goal} x {beside}", ratio, met=ratio >= goal)
    if "pyvips" in peers:
        ratio = ours.peak_mb / peers["pyvips"].peak_mb
        judge(name, best, "at most the memory of pyvips", ratio, met=ratio <= 1)


def judge(name: str, best: str, goal: str, ratio: float, *, met: bool) -> None:
    line = {"set": name, "by": best, "goal": goal, "reached": round(ratio, 2), "met": met}
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    sys.exit(main())
