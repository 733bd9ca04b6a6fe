"""200 random kills in a row over a stream of 500 jobs: does every one of them end once, and whole?

`python benchmarks/soak_kills.py [SEED]`: with the same seed the same files are dropped in the same lives.
"""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.scenarios.drops import SETTINGS
from tests.scenarios.random_kills import kill_at_random
from tests.scenarios.service import Service

KILLS, JOBS = 200, 500


def main() -> int:
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.SystemRandom().randrange(10**6)
    print(f"seed {seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    service = Service(folder / "library", settings=SETTINGS)
    try:
        outcome = kill_at_random(service, seed=seed, kills=KILLS, jobs=JOBS)
    finally:
        service.kill()
    done = f"{outcome.kills} kills, {outcome.jobs} jobs, {outcome.pictures} pictures"
    print(f"{done}, {outcome.duration_s:.0f} s: {len(outcome.findings)} findings")
    print(*outcome.findings, f"the library: {service.root}", sep="\n")
    return 1 if outcome.findings else 0


if __name__ == "__main__":
    sys.exit(main())
