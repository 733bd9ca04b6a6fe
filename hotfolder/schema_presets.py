"""Schema step m009: the preset that a job names, and with it the pictures that it makes."""

from __future__ import annotations

import json
import re
import sqlite3
from typing import Final

_LINE: Final = re.compile(
    rb"""^preset[ \t]*:[ \t]+(?:"([^"\n]*)"|'([^'\n]*)'|([^\s#'"][^#\n]*))""", re.MULTILINE
)


def find_preset(text: bytes) -> str | None:
    """The preset that a job file names: read as JSON, else from its line at the margin of a YAML file.

    Job files have been checked when they were accepted, so a glance is enough, and a thousand times quicker.
    """
    if text.lstrip()[:1] in (b"{", b"["):
        return _find_in_json(text)
    found = _LINE.search(text)
    name = next((each for each in found.groups() if each is not None), None) if found else None
    return name.decode("utf-8", "replace").strip() or None if name is not None else None


def _find_in_json(text: bytes) -> str | None:
    try:
        job = json.loads(text)
    except (ValueError, RecursionError):
        return None
    job = job[0] if isinstance(job, list) and job else job
    name = job.get("preset") if isinstance(job, dict) else None
    return name if isinstance(name, str) and name else None


def _fill_jobs(connection: sqlite3.Connection) -> None:
    """Until now it stood in the text of their files alone."""
    connection.create_function("find_preset", 1, find_preset, deterministic=True)
    connection.execute(
        """
        UPDATE jobs SET preset = find_preset(CAST(text AS BLOB))
        WHERE instr(CAST(text AS BLOB), CAST('preset' AS BLOB))
        """
    )


PRESETS: Final = (
    "ALTER TABLE jobs ADD COLUMN preset TEXT",
    "ALTER TABLE media ADD COLUMN preset TEXT",
    _fill_jobs,
    """
    UPDATE media SET preset = (
        SELECT jobs.preset FROM generations JOIN jobs ON jobs.id = job_id
        WHERE generations.id = media.generation_id
    )
    WHERE generation_id IN (
        SELECT generations.id FROM jobs CROSS JOIN generations ON generations.job_id = jobs.id
        WHERE jobs.preset IS NOT NULL
    )
    """,
)
