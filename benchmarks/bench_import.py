"""Pictures a second from import/ into the library, beside bare Pillow on the same files in the same run.

200 mixed pictures (12 MP JPEG, PNG of 1024 and 2048 pixels, WebP), real sidecars with one and two workers.
The bare run opens, decodes and shrinks each picture with LANCZOS, on two threads, and keeps nothing.
"""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent))

from hotfolder.domain.instants import elapsed_ms
from tests.scenarios.service import Service, wait_for

KINDS = {
    "jpg": (80, (4000, 3000), {"format": "JPEG", "quality": 90}),
    "1k.png": (60, (1024, 1024), {"format": "PNG", "compress_level": 1}),
    "2k.png": (20, (2048, 2048), {"format": "PNG", "compress_level": 1}),
    "webp": (40, (1024, 1024), {"format": "WEBP", "quality": 90}),
}
NUMBER = sum(number for number, _, _ in KINDS.values())
LIMIT_S = 600.0


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        make_pictures(source)
        bare = plain_pillow(source)
        print(json.dumps({"case": "bare Pillow, 2 threads", "imagesPerSecond": round(bare, 1)}))
        for workers in (1, 2):
            found = through_the_sidecar(source, Path(folder) / f"library-{workers}", workers)
            figures = {"case": f"sidecar, {workers} worker(s)", "imagesPerSecond": round(found, 1)}
            print(json.dumps(figures | {"ratioToBarePillow": round(found / bare, 2)}))
    return 0


def make_pictures(folder: Path) -> None:
    """Each kind is encoded once; what tells its copies apart stands behind the end of the picture."""
    folder.mkdir()
    for kind, (number, size, options) in KINDS.items():
        buffer = io.BytesIO()
        scene(size).save(buffer, **options)
        for index in range(number):
            name = folder / f"{index:03d}-{kind.replace('.', '-')}{Path('x.' + kind).suffix}"
            name.write_bytes(buffer.getvalue() + f"{kind} {index}".encode())


def scene(size: tuple[int, int]) -> Image.Image:
    """Soft shapes with the noise of a sensor on them."""
    random = np.random.default_rng(7)
    coarse = Image.fromarray(random.integers(0, 255, (24, 32, 3), dtype=np.uint8))
    soft = np.asarray(coarse.resize(size, Image.Resampling.BICUBIC), dtype=np.int16)
    noisy = soft + random.normal(0, 6, soft.shape).astype(np.int16)
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def plain_pillow(folder: Path) -> float:
    def shrink(path: Path) -> None:
        with Image.open(path) as image:
            image.load()
            image.thumbnail((400, 400), Image.Resampling.LANCZOS)

    files = sorted(folder.iterdir())
    started = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(shrink, files))
    return NUMBER / (time.monotonic() - started)


def through_the_sidecar(source: Path, root: Path, workers: int) -> float:
    """From the claim of the files to the end of the last import, as the library tells it."""
    service = Service(root, settings=f"intake: {{settle_ms: 50}}\nqueue: {{lanes: {{cpu: {workers}}}}}\n")
    for each in sorted(source.iterdir()):
        (root / "import" / each.name).write_bytes(each.read_bytes())
    os.sync()  # else the imports wait until the disk has what the benchmark wrote
    service.start()
    count = "SELECT count(*) AS n FROM events WHERE topic = 'import.ended'"
    wait_for(lambda: service.query(count)[0]["n"] == NUMBER, "the end of all imports", LIMIT_S)
    service.stop()
    assert service.query("SELECT count(*) AS n FROM media")[0]["n"] == NUMBER
    span = "SELECT (SELECT min(created_at) FROM work_queue) AS a, max(at) AS b FROM events WHERE topic = ?"
    (row,) = service.query(span, "import.ended")
    return NUMBER / ((elapsed_ms(row["a"], row["b"]) or 1) / 1000)


if __name__ == "__main__":
    sys.exit(main())
