"""Which jobs name a preset: it stands in the text of their files alone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, get_args

from hotfolder.database import Database
from hotfolder.domain.generation import JobStatus

PRESET_JOBS_MAX: Final = 20_000
"""So many of the newest are looked at."""
_LINE: Final = re.compile(
    rb"""^preset[ \t]*:[ \t]+(?:"([^"\n]*)"|'([^'\n]*)'|([^\s#'"][^#\n]*))""", re.MULTILINE
)
JOBS_SQL: Final = """
    SELECT id, text FROM jobs
    WHERE status IN (SELECT value FROM json_each(:statuses))
      AND created_at >= :first AND created_at < :after
      AND instr(CAST(text AS BLOB), CAST('preset' AS BLOB))
    ORDER BY created_at DESC LIMIT :limit
"""


@dataclass(frozen=True, slots=True)
class PresetJobs:
    """The names of presets by job."""

    names: Mapping[str, str]

    def as_json(self) -> str:
        """Pairs of job and preset, for SQLite."""
        return json.dumps(list(self.names.items()))


def list_preset_jobs(database: Database, first: str, after: str) -> PresetJobs:
    """The jobs that came from an instant to another and name a preset, the newest PRESET_JOBS_MAX of them."""
    values = {
        "statuses": json.dumps(get_args(JobStatus)),
        "first": first,
        "after": after,
        "limit": PRESET_JOBS_MAX,
    }
    found = {row["id"]: find_preset(row["text"]) for row in database.query(JOBS_SQL, values)}
    return PresetJobs({job_id: name for job_id, name in found.items() if name})


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
