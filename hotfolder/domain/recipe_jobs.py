"""The jobs that stand for a picture, and for the lines of a text, dropped into a recipe folder (as JSON)."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from hotfolder.domain.document import MAX_BYTES, MAX_PROBLEMS, decode_text
from hotfolder.domain.job import MAX_JOBS_IN_FILE
from hotfolder.domain.wording import one_line
from hotfolder.errors import JobFileError, Problem

MAX_LINE_CHARACTERS: Final = 10_000

_LINE_BREAK: Final = re.compile(r"\r\n|\n|\r")


def job_of_picture(name: str) -> bytes:
    """The job of a picture that lies beside it; JobFileError for a name that is not UTF-8 text."""
    try:
        return _to_json({"refs": [f"./{name}"]})
    except UnicodeEncodeError as error:
        shown = one_line(name.encode("utf-8", "replace").decode())
        message = f"The name of the picture `{shown}` is not UTF-8 text: no job can name it."
        problem = Problem("job.ref_refused", message, "Give the picture another name.", path="refs.0")
        raise JobFileError([problem]) from error


def jobs_of_lines(data: bytes) -> list[bytes]:
    """One job a line, which is its prompt; blank lines and those that start with # are left out.

    Raises JobFileError with all problems that could be found.
    """
    if len(data) > MAX_BYTES:
        message = f"The file has {len(data):,} bytes; one file may have {MAX_BYTES:,}."
        raise JobFileError([Problem("job.too_large", message, "Split the file.", 1, 1)])
    prompts = _list_prompts(decode_text(data))
    problems = [each for number, text in prompts if (each := _problem_of(number, text)) is not None]
    if len(prompts) > MAX_JOBS_IN_FILE:
        message = f"The file holds {len(prompts):,} prompts; one file may hold {MAX_JOBS_IN_FILE}."
        number = prompts[MAX_JOBS_IN_FILE][0]
        problems.append(Problem("job.too_large", message, "Split the file.", number, 1))
    if not prompts:
        message = "The file holds no prompt."
        problems.append(Problem("job.parse", message, "Write one prompt a line, without # before it.", 1, 1))
    if problems:
        raise JobFileError(sorted(problems, key=lambda each: each.line or 0)[:MAX_PROBLEMS])
    return [_to_json({"params": {"prompt": text}}) for _, text in prompts]


def _list_prompts(text: str) -> list[tuple[int, str]]:
    """Each prompt with the number of its line."""
    lines = enumerate(map(str.strip, _LINE_BREAK.split(text)), 1)
    return [(number, line) for number, line in lines if line and not line.startswith("#")]


def _problem_of(number: int, text: str) -> Problem | None:
    if len(text) > MAX_LINE_CHARACTERS:
        message = f"The line has {len(text):,} characters; a prompt may have {MAX_LINE_CHARACTERS:,}."
        return Problem("job.too_large", message, "Shorten it.", number, 1)
    if "\0" in text:
        message = "A NUL character stands in the line; the file may not be UTF-8 text."
        return Problem("job.parse", message, "Save the file again with the encoding UTF-8.", number, 1)
    return None


def _to_json(job: dict[str, Any]) -> bytes:
    return (json.dumps(job, ensure_ascii=False) + "\n").encode()
