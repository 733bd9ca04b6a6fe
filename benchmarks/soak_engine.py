"""500 jobs of half a second, their engine killed every three seconds: are all made, once, and in their order?

`python benchmarks/soak_engine.py [--jobs 500] [--seed N]`: a line of JSON; exit code 1 if anything was found.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.scenarios.engine_kills import kill_at_random
from tests.scenarios.supervised import SupervisedService

PICTURE_S, EVERY_S = 0.5, 3.0


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    service = SupervisedService(folder / "library", picture_s=PICTURE_S)
    try:
        service.start()
        service.wait_until_watching()
        outcome = kill_at_random(service, jobs=options.jobs, seed=options.seed, every_s=EVERY_S)
    finally:
        service.kill()
    figures = asdict(outcome) | {"duration_s": round(outcome.duration_s, 1)}
    print(json.dumps({"seed": options.seed, **figures, "library": str(service.root)}))
    return 1 if outcome.findings else 0


if __name__ == "__main__":
    sys.exit(main())
