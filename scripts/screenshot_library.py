"""A library that is worth a picture: the example library, and what some weeks of work would add to it."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import accumulate, cycle
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from PIL import Image

from hotfolder.cli.demo import find_examples, make_copy

T = TypeVar("T")

STEP_MS = "250"
LIMIT_S = 180.0
LOOK_S = 0.1
REVIEWER = "anna"
SCENES = (
    ("Lighthouse coast", "A rocky coast with boats at sunset, warm light", "3:2", 31),
    ("Alpine morning", "Mountain peaks on a pink spring morning", "3:2", 3),
    ("Old town", "A castle town by night, stars and a full moon", "3:2", 8),
    ("Dunes", "Yellow desert dunes with a fox", "4:5", 5),
    ("Northern lights", "Aurora over a teal lake, magic", "16:9", 21),
    ("First snow", "Snow and frost on white hills in winter", "3:2", 4),
    ("Clearing", "A green forest garden full of moss", "2:3", 9),
    ("Open sea", "A ship on the blue ocean on a summer day", "3:2", 12),
    ("Lavender", "A violet dream of lavender fields", "1:1", 6),
    ("Embers", "A volcano cliff at sunset, red and warm", "3:2", 17),
    ("Skyline", "The skyline of a neon city at midnight", "16:9", 33),
    ("Island", "An island beach at noon, water all around", "1:1", 14),
    ("Glacier", "A glacier between icy rock peaks in the fog", "3:2", 41),
    ("Canyon", "A canyon of golden sand", "4:5", 23),
    ("Harbour lights", "A harbour at dusk, long exposure", "3:2", 52),
    ("Rose hills", "Rose meadow hills at dawn", "1:1", 27),
    ("Emerald peaks", "Emerald mountain cliffs under an aurora, fantasy", "2:3", 64),
    ("Blue valley", "A valley below a blue summer sky", "16:9", 18),
    ("Robot town", "A purple dream of a robot city", "1:1", 11),
    ("Moonrise", "The moon over a dark lake", "3:2", 72),
    ("Autumn road", "An autumn forest valley in the evening", "3:2", 36),
    ("Winter street", "A street in a cold white winter town", "4:5", 15),
    ("River bend", "A river through a green jungle", "3:2", 48),
    ("Space coast", "A coast below the stars of space", "16:9", 25),
)
# Of the pictures as they stand in the grid, and again from the start when there are more.
RATINGS = (4, 5, 3, 0, 4, 5, 2, 4, 0, 3, 5, 1, 4, 2, 3, 0, 4, 5, 3, 5, 4, 0, 3, 4, 2, 5)
PICKED, REJECTED = (1, 5, 10, 19, 25), (8, 14)
LABELS = {2: "blue", 4: "green", 7: "red", 12: "purple", 17: "yellow", 22: "green"}
KEYWORDS = {0: ["coast"], 1: ["mountains"], 2: ["mountains", "evening"], 5: ["coast"], 9: ["forest"]}
DAYS_BETWEEN = (0, 0, 1, 0, 2, 0, 0, 0, 1, 3, 0, 1, 0, 0, 2, 4)
_EARLIER = "strftime('%Y-%m-%dT%H:%M:%fZ', {}, :days)"
_MOVE_MEDIA = f"UPDATE media SET created_at = {_EARLIER.format('created_at')} WHERE id = :media"
_MOVE_GENERATION = f"""
UPDATE generations SET
    created_at = strftime('%Y-%m-%dT%H:%M:%fZ', started_at, :days, :wait),
    started_at = {_EARLIER.format("started_at")},
    completed_at = {_EARLIER.format("completed_at")}
WHERE id = :generation
"""


class Client:
    """A reviewer who is logged in to the library."""

    def __init__(self, url: str, link: str, root: Path) -> None:
        self.url = url
        self.root = root
        self._jobs = len(json.loads((root / "expected.json").read_text(encoding="utf-8"))["jobs"])
        self._http = httpx.Client(base_url=url, headers={"Origin": url}, timeout=LIMIT_S)
        self._http.get(link)
        self.cookies = dict(self._http.cookies)

    def get(self, path: str) -> Any:
        """The answer of the API."""
        return self._http.get(path).raise_for_status().json()

    def load(self, path: str) -> bytes:
        """A file."""
        return self._http.get(path).raise_for_status().content

    def post(self, path: str, **body: Any) -> Any:
        """What the API answers to this."""
        answer = self._http.post(path, json=body)
        if answer.is_error:
            raise SystemExit(answer.text)
        return answer.json()

    def submit(self, title: str, prompt: str, seed: int, **more: Any) -> None:
        """A job of the reviewer's own; what is no name of a job belongs to its params."""
        job = {name: more.pop(name) for name in ("count", "refs", "review") if name in more}
        params = {"prompt": prompt, "seed": seed, "caption": False, **more}
        self._jobs += 1
        self.post("/-/api/jobs", endpointKey="local.procedural.image", title=title, params=params, **job)

    def wait_until_ended(self) -> None:
        """Until all jobs have ended, those of the example library too."""
        wait_for(lambda: len(self.get("/-/api/jobs?state=ended&limit=500")["items"]) >= self._jobs)

    def wait_until_all_ended(self) -> None:
        """The same, also for what the form asked for."""
        self.wait_until_ended()
        wait_for(lambda: not self.get("/-/api/jobs?state=active")["items"])

    def media_of(self, words: str) -> dict[str, Any]:
        """The picture whose texts have these words."""
        found: dict[str, Any] = self.get(f"/-/api/media?q={quote(words)}")["items"][0]
        return found

    def is_at_work(self, title: str) -> bool:
        """Whether the job of this title is well on its way."""
        jobs = self.get("/-/api/jobs?state=active")["items"]
        shares = [(each["progress"] or {}).get("percentage") or 0 for each in jobs if each["title"] == title]
        return any(share >= 20 for share in shares)


@contextmanager
def served(scratch: Path) -> Iterator[Client]:
    """`hotfolder up` on a free port with a full library, and somebody who is logged in to it."""
    library = make_copy(find_examples(), scratch / "library")
    command = [sys.executable, "-m", "hotfolder"]
    environment = {**os.environ, "HOTFOLDER_PROCEDURAL_STEP_MS": STEP_MS}
    service = subprocess.Popen(
        [*command, "up", str(library), "--port", "0"], env=environment, stdout=subprocess.DEVNULL
    )
    try:
        note = wait_for(lambda: _find_note(library / "run" / "web"))
        login = [*command, "--library", str(library), "login", "--name", REVIEWER, "--json"]
        told = subprocess.run(login, capture_output=True, check=True)
        client = Client(note["url"], json.loads(told.stdout)["url"], library)
        _fill(client)
        yield client
    finally:
        service.terminate()
        service.wait(LIMIT_S)


def wait_for(look: Callable[[], T]) -> T:
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + LIMIT_S
    while not (found := look()):
        if time.monotonic() > deadline:
            raise SystemExit("The library did not come so far in time.")
        time.sleep(LOOK_S)
    return found


def _find_note(file: Path) -> Any:
    """The address that the web has left, once it has."""
    return json.loads(file.read_bytes()) if file.is_file() else None


def _fill(client: Client) -> None:
    """All that the pictures show."""
    expected = json.loads((client.root / "expected.json").read_text(encoding="utf-8"))
    client.wait_until_ended()
    wait_for(lambda: client.get("/-/api/media?origin=import")["total"] >= expected["imports"])
    _draw_scenes(client)
    _draw_family(client)
    _bring_a_copy(client)
    _spread_over_days(client.root)
    _mark(client)


def _draw_scenes(client: Client) -> None:
    """Without the strip of text, which stars would cover."""
    for title, prompt, ratio, seed in reversed(SCENES):
        client.submit(title, prompt, seed, resolution=960, aspectRatio=ratio)
    client.wait_until_ended()


def _draw_family(client: Client) -> None:
    """A picture made from two, and one and its larger copy made from that."""
    first, second = client.media_of("Glacier"), client.media_of("Harbour")
    refs = [{"media": first["mediaId"], "role": "content"}, {"media": second["mediaId"], "role": "style"}]
    client.submit("Fjord by evening", "A fjord at dusk, ice on the water", 71, size="960*640", refs=refs)
    client.wait_until_ended()
    fjord = {"media": client.media_of("Fjord")["mediaId"], "role": "content"}
    client.submit("Fjord, warmer", "A fjord at sunset, warm", 75, size="960*640", refs=[fjord], count=2)
    client.wait_until_ended()


def _bring_a_copy(client: Client) -> None:
    """The same picture once more, smaller and as a JPEG, as it comes back from the web."""
    for words in ("Alpine", "Lavender"):
        copy = Image.open(io.BytesIO(client.load(client.media_of(words)["originalUrl"]))).convert("RGB")
        copy.resize((copy.width // 2, copy.height // 2)).save(client.root / "run" / "copy.jpg", quality=80)
        (client.root / "run" / "copy.jpg").rename(client.root / "import" / f"{words.lower()}-small.jpg")
    wait_for(lambda: len(client.get("/-/api/duplicates?kind=near")["groups"]) >= 2)


def _spread_over_days(root: Path) -> None:
    """As if all this had been done in some weeks, each job on a day of its own."""
    with closing(sqlite3.connect(root / "library.db", timeout=LIMIT_S)) as database, database:
        rows = database.execute("SELECT id, generation_id FROM media ORDER BY created_at DESC").fetchall()
        days = accumulate(cycle(DAYS_BETWEEN))
        for place, ((media_id, generation_id), day) in enumerate(zip(rows, days, strict=False)):
            facts = {"days": f"-{day} days", "media": media_id, "generation": generation_id}
            wait = {"wait": f"-{place * 37 % 90 / 10} seconds"}
            database.execute(_MOVE_MEDIA, facts)
            database.execute(_MOVE_GENERATION, facts | wait)


def _mark(client: Client) -> None:
    """Stars, marks, labels and keywords, and what is left for the review."""
    for place, media in enumerate(client.get("/-/api/media?limit=500&origin=generation")["items"]):
        status = "selected" if place in PICKED else "rejected" if place in REJECTED else None
        marks = {"status": status, "label": LABELS.get(place)}
        changes = {"rating": RATINGS[place % len(RATINGS)], **marks, "addKeywords": KEYWORDS.get(place, [])}
        client.post("/-/api/media/bulk", mediaIds=[media["mediaId"]], changes=changes)
    for name, filter_ in (("Best of the coast", "keyword=coast&minRating=4"), ("Five stars", "minRating=5")):
        client.post("/-/api/collections", name=name, query=filter_)
