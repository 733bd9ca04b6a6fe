"""What bench_import.py measures beside the library: the same ingest with pyvips, on two threads.

Usage: python ingest_pyvips.py SOURCE TARGET SYNC, with a Python that has pyvips.
"""

import hashlib
import json
import os
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

os.environ["VIPS_CONCURRENCY"] = "1"  # threads a picture: two pictures at a time are the two workers

import pyvips

WORKERS = 2


def main(source: str, target: str, sync: str) -> None:
    pyvips.cache_set_max(0)  # no picture comes twice
    files = sorted(Path(source).iterdir())
    started, cpu_before = time.monotonic(), time.process_time()
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda file: ingest(file, Path(target), sync == "sync"), files))
    seconds, cpu_seconds = time.monotonic() - started, time.process_time() - cpu_before
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = re.search(r"VmHWM:\s+(\d+)", status)
    assert peak
    figures = {"pictures": len(files), "seconds": seconds, "cpuSeconds": cpu_seconds}
    print(json.dumps(figures | {"peakMb": int(peak[1]) / 1024}))


def ingest(file: Path, target: Path, sync: bool) -> tuple[int, int, list[str]]:
    data = file.read_bytes()
    place = target / f"{hashlib.sha256(data).hexdigest()}{file.suffix}"
    header = pyvips.Image.new_from_buffer(data, "")
    exif = [name for name in header.get_fields() if name.startswith("exif-")]
    # Asked for where there is a profile, or one is needed: else it costs a third more, for nothing.
    is_managed = "icc-profile-data" in header.get_fields() or header.interpretation == "cmyk"
    colour = {"output_profile": "srgb"} if is_managed else {}
    small = pyvips.Image.thumbnail_buffer(data, 400, height=400, crop="centre", fail_on="truncated", **colour)
    if small.hasalpha():
        small = small.flatten(background=[96, 96, 96])
    thumbnail = small.jpegsave_buffer(Q=80, keep="none")
    move_in(file, place, sync)
    write_whole(place.with_name(f"{place.name}.thumbnail.jpg"), thumbnail, sync)
    return header.width, header.height, exif


def move_in(file: Path, place: Path, sync: bool) -> None:
    with file.open("rb") as stream:
        flush(stream.fileno(), sync)
    file.rename(place)


def write_whole(place: Path, data: bytes, sync: bool) -> None:
    temporary = place.with_name(f"{place.name}.tmp")
    with temporary.open("wb") as stream:
        stream.write(data)
        stream.flush()
        flush(stream.fileno(), sync)
    temporary.rename(place)


def flush(descriptor: int, sync: bool) -> None:
    if sync:
        os.fsync(descriptor)


if __name__ == "__main__":
    main(*sys.argv[1:])
