"""Is a stopped library whole? Rows, files, hashes and what was dropped have to tell the same story."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from hotfolder.domain.generation import ENDED
from hotfolder.errors import LibraryError
from hotfolder.files.images import inspect_output
from hotfolder.files.names import RESULT_SUFFIX
from tests.import_ledger import digest, query
from tests.scenarios.books import Books
from tests.scenarios.drops import Ledger

REPORT_SUFFIX: Final = ".error.md"
PASSING: Final = ("processing", "import", "work", "status")
"""Folders in which nothing stays."""
STAYING: Final = frozenset({"_folder.yaml"})
"""Files of the inbox that nobody takes."""


def audit(root: Path, ledger: Ledger | None = None) -> list[str]:
    """What is wrong, one sentence a fault; nothing for a whole library.

    Without a ledger that covers all that was ever dropped, only what the library itself tells is compared.
    """
    books = Books(root)
    checks = [
        _database(books),
        _left_behind(books),
        _jobs(books),
        _generations(books),
        _media(books),
        _references(books),
        _unknown_files(books),
        _imports(books),
        _ending_files(books, ledger.split if ledger else None),
    ]
    if ledger is not None:
        checks += [_dropped_jobs(books, ledger), _dropped_pictures(books, ledger)]
    return [fault for check in checks for fault in check]


def _database(books: Books) -> Iterator[str]:
    for pragma in ("integrity_check", "foreign_key_check"):
        found = [tuple(each.values()) for each in query(books.root, f"PRAGMA {pragma}")]
        if found not in ([], [("ok",)]):
            yield f"PRAGMA {pragma} says {found}"
    open_items = "SELECT * FROM work_queue WHERE status IN ('pending', 'scheduled', 'processing')"
    for each in query(books.root, open_items):
        yield f"work item {each['task_type']} of {each['correlation_id']} is {each['status']}"


def _left_behind(books: Books) -> Iterator[str]:
    for folder in PASSING:
        yield from (f"{books.shown(each)} is left over" for each in books.files(folder))
    for folder in (books.root / "work").rglob("*"):
        if folder.is_dir() and folder.name != "unpacked":
            yield f"the folder {books.shown(folder)} is left over"
    for each in books.files("inbox"):
        if each.name not in STAYING:
            yield f"{books.shown(each)} is left over"
    for each in books.root.rglob("*.tmp"):
        yield f"{books.shown(each)} is half a file"


def _jobs(books: Books) -> Iterator[str]:
    for job_id, job in books.jobs.items():
        name = f"job {job['file_name']} ({job_id})"
        if job["status"] not in ENDED:
            yield f"{name} is {job['status']}"
        elif job["final_path"] is None:
            yield f"{name} has no final place"
        elif not (books.root / job["final_path"]).exists():
            yield f"{name} has no file in {job['final_path']}"
        elif books.root / job["final_path"] not in books.results:
            yield f"{name} has no result beside {job['final_path']}"
        elif job["text_name"] is None and (books.root / job["final_path"]).read_bytes() != job["text"]:
            yield f"{name} has another text in {job['final_path']}"
        elif job["final_path"].split("/")[0] != ("done" if job["status"] == "completed" else "failed"):
            yield f"{name} is {job['status']} and lies in {job['final_path']}"
    for file, result in books.results.items():
        yield from _result(books, file, result)


def _result(books: Books, file: Path, result: dict[str, Any]) -> Iterator[str]:
    name = f"the result of {books.shown(file)}"
    if not file.exists():
        yield f"{name} has no file beside it"
    is_failed = file.is_relative_to(books.root / "failed")
    has_report = file.with_name(file.name + REPORT_SUFFIX).exists()
    if is_failed and not has_report and not list(file.parent.glob(f"many-*{REPORT_SUFFIX}")):
        yield f"{name} has no report beside it"
    if "jobId" not in result:
        return
    job = books.jobs.get(result["jobId"])
    if job is None:
        yield f"{name} names a job that has no row"
        return
    if result["status"] != job["status"]:
        yield f"{name} says {result['status']}, the row {job['status']}"
    outputs = {one["path"] for each in result["generations"] for one in each["outputs"]}
    ids = {
        each["id"]
        for each in books.generations
        if each["job_id"] == job["id"] and each["position"] is not None
    }
    made = {each["file_path"] for each in books.media if each["generation_id"] in ids}
    if outputs != made:
        yield f"{name} names the pictures {sorted(outputs)}, the rows {sorted(made)}"


def _generations(books: Books) -> Iterator[str]:
    pictures = Counter(each["generation_id"] for each in books.media if each["generation_id"])
    for each in books.generations:
        count, status = pictures[each["id"]], each["status"]
        if count != (status == "completed"):
            yield f"generation {each['id']} is {status} and has {count} pictures"
        job = books.jobs[each["job_id"]]
        if job["status"] == "completed" and status != "completed" and each["position"] is not None:
            yield f"generation {each['id']} of a completed job is {status}"


def _media(books: Books) -> Iterator[str]:
    for row in books.media:
        name = f"picture {row['id']}"
        original = books.root / row["file_path"]
        sidecar = original.with_name(original.name + ".json")
        files = (
            original,
            sidecar,
            original.with_name(original.name + ".xmp"),
            books.root / row["thumb_path"],
        )
        missing = [each for each in files if not each.is_file() or not each.stat().st_size]
        yield from (f"{name} has no {books.shown(each)}" for each in missing)
        if missing:
            continue
        if not digest(original.read_bytes()) == row["sha256"] == row["file_sha256"]:
            yield f"{name} has other bytes than its row says"
        if row["pixel_sha256"] not in (None, _read_pixels(original)):
            yield f"{name} has other pixels than its row says"
        told = json.loads(sidecar.read_bytes())
        if (told["mediaId"], told["file"]["sha256"]) != (row["id"], row["sha256"]):
            yield f"{name} has the sidecar of another"
        if _read_pixels(books.root / row["thumb_path"]) is None:
            yield f"{name} has a thumbnail that is no picture"


def _read_pixels(picture: Path) -> str | None:
    try:
        return inspect_output(picture)[1]
    except LibraryError:
        return None


def _references(books: Books) -> Iterator[str]:
    for row in books.inputs:
        stored = books.root / row["file_path"]
        if not stored.is_file() or digest(stored.read_bytes()) != row["sha256"]:
            yield f"reference {row['file_path']} is gone, or not what was accepted"
        if not (books.root / row["thumb_path"]).is_file():
            generation = next(each for each in books.generations if each["id"] == row["generation_id"])
            if generation["status"] == "completed":
                yield f"reference {row['file_path']} has no thumbnail {row['thumb_path']}"


def _unknown_files(books: Books) -> Iterator[str]:
    known = {each["file_path"] + end for each in books.media for end in ("", ".json", ".xmp")}
    known |= {each["thumb_path"] for each in books.media}
    known |= {each[path] for each in books.inputs for path in ("file_path", "thumb_path")}
    for folder in ("originals", "thumbnails", "refs", "ref_thumbnails"):
        for each in books.files(folder):
            if each.relative_to(books.root).as_posix() not in known:
                yield f"{books.shown(each)} has no row"


def _imports(books: Books) -> Iterator[str]:
    told = Counter(each["importId"] for each in books.imports)
    yield from (f"import {each} ended {count} times" for each, count in told.items() if count > 1)
    rows = {each["id"] for each in books.media if each["origin"] == "import"}
    imported = {each["importId"] for each in books.imports if each["outcome"] == "imported"}
    yield from (f"import {each} has a picture or an end, not both" for each in sorted(rows ^ imported))
    yield from _trash(books)


def _trash(books: Books) -> Iterator[str]:
    """After a kill between the move and the row it is not known under which name a file lies there."""
    ended = [each["path"] for each in books.imports if each["outcome"] == "duplicate"]
    found = {books.shown(each) for each in books.files("trash")}
    told = {each for each in ended if each is not None}
    yield from (f"{each} is in the books and not there" for each in sorted(told - found))
    if len(found - told) > ended.count(None):
        yield f"in trash/, and not in the books, are {sorted(found - told)}"


def _ending_files(books: Books, split: Iterable[str] | None) -> Iterator[str]:
    """Files that were split have no result; for whoever does not know them, any file may be one."""
    for folder in ("done", "failed"):
        for each in books.files(folder):
            if each.name.endswith((RESULT_SUFFIX, REPORT_SUFFIX)) or each in books.results:
                continue
            if folder == "failed" or (split is not None and each.name not in split):
                yield f"{books.shown(each)} has no result"
        for each in books.files(folder):
            subject = each.with_name(each.name.removesuffix(REPORT_SUFFIX))
            if (
                each.name.endswith(REPORT_SUFFIX)
                and not each.name.startswith("many-")
                and not subject.exists()
            ):
                yield f"{books.shown(each)} is the report of nothing"


def _dropped_jobs(books: Books, ledger: Ledger) -> Iterator[str]:
    found = [(each["file_name"], each["status"]) for each in books.jobs.values()]
    expected = list(ledger.jobs.items())
    yield from _differences("job", expected, found)
    ids = [each["jobId"] for each in books.results.values() if "jobId" in each]
    told = Counter(books.jobs[each]["file_name"] for each in ids if each in books.jobs)
    yield from _differences(
        "result of", (Counter(ledger.jobs.keys()) + ledger.more_files).elements(), told.elements()
    )
    split = [each.name for each in books.files("done") if each.name in ledger.split]
    yield from _differences("split file", ledger.split, split)


def _dropped_pictures(books: Books, ledger: Ledger) -> Iterator[str]:
    """Of each content there is one picture; what was dropped more often, or made here, is in trash/."""
    joined = Counter(each["sha256"] for each in books.media if each["origin"] == "import")
    thrown = Counter(digest(each.read_bytes()) for each in books.files("trash"))
    yield from _differences("picture", ledger.imported.elements(), (joined + thrown).elements())
    contents = Counter(each["sha256"] for each in books.media)
    yield from (f"{count} pictures have the content {each}" for each, count in contents.items() if count > 1)
    imports = [file for file, result in books.results.items() if "importId" in result and file.exists()]
    refused = [digest(each.read_bytes()) for each in imports]
    yield from _differences("refused file", ledger.refused.elements(), refused)


def _differences(kind: str, expected: Iterable[Any], found: Iterable[Any]) -> Iterator[str]:
    wanted, there = Counter(expected), Counter(found)
    yield from (f"{kind} {each} is missing" for each in (wanted - there).elements())
    yield from (f"{kind} {each} is there and should not be" for each in (there - wanted).elements())
