"""The job that a made picture carries in its metadata (pure)."""

from __future__ import annotations

import json
from typing import Any

from hotfolder.errors import JobFileError, LibraryError, Problem
from hotfolder.files.container import read_metadata
from hotfolder.files.xmp import parse_xmp


def job_of_made_picture(data: bytes, name: str) -> bytes:
    """The text of a job that makes the picture again; raises JobFileError when it carries none.

    Whoever made the file may have put anything there: only endpoint, params and references by content are
    taken, and they are checked like those of any job.
    """
    try:
        xmp = read_metadata(data).xmp
        text = parse_xmp(xmp).params_json if xmp else None
        said = json.loads(text) if text else None
    except (LibraryError, ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or not isinstance(said.get("params"), dict):
        message = f"{name} does not say how it was made."
        hint = "Only pictures with hotfolder's own metadata (XMP) can be run again; write a job file instead."
        raise JobFileError([Problem("job.no_metadata", message, hint)])
    job: dict[str, Any] = {"endpointKey": said.get("endpointKey"), "params": said["params"]}
    references = _references(said.get("refs"))
    if references:
        job["refs"] = references
    return (json.dumps(job, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def _references(said: Any) -> list[dict[str, Any]]:
    entries = [each for each in said if isinstance(each, dict)] if isinstance(said, list) else []
    return [
        {key: each[key] for key in ("sha256", "role") if isinstance(each.get(key), str)}
        for each in entries
        if isinstance(each.get("sha256"), str)
    ]
