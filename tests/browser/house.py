"""The library that browsers look at in tests: a real `hotfolder up` with a few pictures."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path

import httpx

from hotfolder.accounts.store import FILE, open_accounts
from hotfolder.cli.accounts import build_link
from tests import pictures
from tests.scenarios.service import wait_for
from tests.scenarios.web_service import WebService

STEP_MS = 50
SETTINGS = f"""
engine: {{env: {{HOTFOLDER_PROCEDURAL_STEP_MS: '{STEP_MS}'}}}}
intake: {{settle_ms: 100}}
shutdown: {{grace_s: 1}}
"""
REVIEWER = "anna"
_PICTURES_OF = """
SELECT media.id FROM media
JOIN generations ON generations.id = media.generation_id
JOIN jobs ON jobs.id = generations.job_id
WHERE jobs.file_name = ?
ORDER BY media.number DESC
"""


class House(WebService):
    """The library that is looked at."""

    url: str
    cookies: Mapping[str, str]

    def open_house(self) -> None:
        """Start `hotfolder up`, and log the reviewer in."""
        self.url = self.open_web()
        self.cookies = self.log_in(REVIEWER)

    def log_in(self, name: str) -> dict[str, str]:
        """The cookies of a new session of this person."""
        accounts = open_accounts(self.root / FILE)
        try:
            secret = accounts.create_login_link(name, ["admin"])
        finally:
            accounts.close()
        return dict(httpx.get(build_link(self.url, secret), timeout=20).cookies)

    def kill_web(self) -> None:
        """The web process alone, without a warning."""
        os.kill(self.web_pid(), signal.SIGKILL)

    def draw(self, name: str, *, count: int = 1, title: str | None = None) -> list[str]:
        """Let a job draw pictures; their ids, the newest first, as the grid shows them."""
        self.drop(f"{name}.json", job(name, count=count, title=title))
        return self.wait_for_pictures_of(name, count)

    def wait_for_pictures_of(self, name: str, count: int) -> list[str]:
        """The ids of the pictures of a job file, the newest first, once there are so many."""

        def look() -> list[str] | None:
            rows = self.query(_PICTURES_OF, f"{name}.json")
            return [row["id"] for row in rows] if len(rows) >= count else None

        return wait_for(look, f"{count} pictures of {name}")

    def bring(self, name: str, folder: Path, size: tuple[int, int]) -> str:
        """Drop a picture into import/; its id, once it is in the library, which has none of this size yet."""
        picture = pictures.write_png(folder / "brought.png", size)
        picture.rename(self.root / "import" / name)
        rows = wait_for(
            lambda: self.query("SELECT id FROM media WHERE original_name = ?", name), f"{name} in the library"
        )
        media_id: str = rows[0]["id"]
        return media_id

    def count_pictures(self) -> int:
        """How many pictures the library has."""
        (row,) = self.query("SELECT count(*) AS n FROM media WHERE deleted_at IS NULL")
        count: int = row["n"]
        return count

    def marks_of(self, media_id: str) -> tuple[int, str | None]:
        """Rating and status of a picture, as the database says."""
        (row,) = self.query("SELECT rating, status FROM media WHERE id = ?", media_id)
        return row["rating"], row["status"]

    def wait_for_marks(self, media_id: str, rating: int, status: str | None) -> None:
        """Until the database has these marks."""
        wait_for(lambda: self.marks_of(media_id) == (rating, status), f"{rating} stars, {status}")


def job(prompt: str, *, count: int = 1, steps: int = 1, title: str | None = None) -> str:
    """A job of small pictures; each step takes STEP_MS."""
    params = {"prompt": prompt, "size": "96*64", "seed": 5, "steps": steps}
    found = {"endpointKey": "local.procedural.image", "params": params, "count": count}
    return json.dumps(found if title is None else {**found, "title": title})
