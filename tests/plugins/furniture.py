"""What stands in the library of the web tests: pictures, jobs, generations, and text that means harm."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Final

from hotfolder.app import Library, open_library
from hotfolder.config import load_settings
from hotfolder.files.images import write_thumbnail
from hotfolder.files.names import claim_name
from hotfolder.generation.claimed import ClaimedFile
from hotfolder.library.generations import Generation, GenerationInput
from hotfolder.library.jobs import Job
from hotfolder.library.media import Media
from tests.pictures import write_png

HOSTILE: Final = (
    "<script>alert(1)</script>",
    '"onerror="alert(1)" x="',
    "'><img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "]]><!--",
    "{{ 7 * 7 }}{% raw %}${7*7}",
    "javascript:alert(1)",
    "\u202egnp.exe\u2066\u2028\u2029",
    "&lt;b&gt;&amp;\x7f",
)
"""Text of strangers, of which nothing may become an element, an attribute or a script."""
HARM: Final = " ".join(HOSTILE)
JOB_FILE: Final = f"{HARM}|.yaml".replace("/", "|")
FILE_NAME: Final = "<img src=x onerror=alert(1)>.png"

PLAIN: Final = "01930000-0000-7000-8000-000000000001"
RATED: Final = "01930000-0000-7000-8000-000000000002"
MADE: Final = "01930000-0000-7000-8000-000000000003"
HARMFUL: Final = "01930000-0000-7000-8000-000000000004"
SVG: Final = "01930000-0000-7000-8000-000000000005"
HTML: Final = "01930000-0000-7000-8000-000000000006"
GONE: Final = "01930000-0000-7000-8000-000000000007"
EMPTY: Final = "01930000-0000-7000-8000-000000000008"
NOWHERE: Final = "01930000-0000-7000-8000-00000000000f"
"""An id that nothing has."""
PICTURES: Final = (PLAIN, RATED, MADE, HARMFUL, SVG, HTML, GONE, EMPTY)

GENERATION: Final = "01930000-0000-7000-9000-000000000001"
JOBS: Final = {  # by owner and status
    ("anna", "queued"): "01930000-0000-7000-a000-000000000001",
    ("ben", "queued"): "01930000-0000-7000-a000-000000000002",
    ("ben", "failed"): "01930000-0000-7000-a000-000000000003",
    (None, "queued"): "01930000-0000-7000-a000-000000000004",
    ("anna", "completed"): "01930000-0000-7000-a000-000000000005",
    ("anna", "failed"): "01930000-0000-7000-a000-000000000006",
}
JOB: Final = {
    "endpointKey": "local.procedural.image",
    "params": {"prompt": "A bay", "size": "64*64"},
    "title": HARM,
}
SCRIPTED: Final = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


def furnish(root: Path) -> None:
    """Put everything into an empty library."""
    library = open_library(root, load_settings(root, {}))
    try:
        for (owner, status), job_id in JOBS.items():
            add = _take_in if status == "queued" else _add_ended
            add(library, job_id, owner, status)
        _add_generation(library)
        for number, media_id in enumerate(PICTURES):
            _add_picture(library, media_id, number)
    finally:
        library.close()


def _take_in(library: Library, job_id: str, owner: str | None, status: str) -> None:
    """A job as the inbox accepts it."""
    text = json.dumps(JOB | {"id": job_id} | ({"owner": owner} if owner else {}))
    place = PurePosixPath(JOB_FILE.replace(".yaml", ".json"))
    (library.paths.processing / claim_name(job_id, place.name)).write_text(text)
    library.service.take_in(ClaimedFile(job_id, place.name, place, text.encode()))
    assert library.jobs.get(job_id).status == status


def _add_ended(library: Library, job_id: str, owner: str | None, status: str) -> None:
    """A job as a long time ago: nothing but its row is left."""
    job = Job(
        job_id, "received", JOB_FILE, JOB_FILE, json.dumps(JOB).encode(), "2026-11-21T03:00:00.000Z",
        endpoint_key="local.procedural.image", title=HARM, owner=owner, extra={"note": f"{HARM}\ud800"},
    )  # fmt: skip
    error = {"code": "job.harm", "message": f"{HARM}\ud800", "hint": HARM, "problems": []}
    steps = {"failed": ["failed"], "completed": ["queued", "running", "completed"]}[status]
    with library.database.transaction() as tx:
        library.jobs.insert(tx, job)
        for step in steps:
            library.jobs.set_status(tx, job_id, step, error=error if step == "failed" else None)  # type: ignore[arg-type]


def _add_generation(library: Library) -> None:
    generation = Generation(
        GENERATION, JOBS["anna", "completed"], 0, "local", "local.procedural.image", "text-to-image",
        {"prompt": HARM, "negativePrompt": HARM, "steps": 2, "note": f"{HARM}\ud800"}, 64, 48, 5, "pending",
        "",
    )  # fmt: skip
    thumbnail = library.paths.ref_thumbnail(GENERATION, 0)
    place = library.paths.reference("a" * 64, ".png")
    given = GenerationInput(
        "i", GENERATION, 0, "a" * 64, f"refs/{place.name}", library.paths.relative(thumbnail), HARM, HARM
    )
    write_png(place)
    thumbnail.parent.mkdir(parents=True)
    write_thumbnail(place, thumbnail)
    with library.database.transaction() as tx:
        library.generations.insert(tx, generation, [given])


def _add_picture(library: Library, media_id: str, number: int) -> None:
    mime_type = {SVG: "image/svg+xml", HTML: "text/html"}.get(media_id, "image/png")
    media = Media(
        media_id=media_id,
        file_path=f"originals/2026/11/{media_id}.png",
        thumb_path=library.paths.relative(library.paths.thumbnail(media_id)),
        file_name=f"{media_id}.png",
        origin="generation" if media_id == MADE else "import",
        width=64,
        height=48,
        file_size=0,
        mime_type=mime_type,
        sha256=f"{number:064x}",
        file_sha256=f"{number:064x}",
        pixel_sha256="p" * 64,
        created_at=f"2026-11-21T03:00:{number // 2:02}.000Z",  # two at a time
        generation_id=GENERATION if media_id == MADE else None,
        rating=4 if media_id == RATED else 0,
        status="selected" if media_id == RATED else None,
        preset="night" if media_id == MADE else None,
    )
    if media_id == HARMFUL:
        media = replace(
            media,
            title=HARM,
            description=HARM,
            label=HARM,
            original_name=HARM,
            original_path=HARM,
            file_name=FILE_NAME,
        )
    media = _write_files(library, media)
    with library.database.transaction() as tx:
        library.media.insert(tx, media, HOSTILE if media_id == HARMFUL else ())


def _write_files(library: Library, media: Media) -> Media:
    original, thumbnail = library.paths.locate(media.file_path), library.paths.locate(media.thumb_path)
    original.parent.mkdir(parents=True, exist_ok=True)
    thumbnail.parent.mkdir(parents=True, exist_ok=True)
    write_thumbnail(write_png(original), thumbnail)
    if media.media_id in (SVG, HTML):
        original.write_bytes(SCRIPTED)
    elif media.media_id == EMPTY:
        original.write_bytes(b"")
    data = original.read_bytes()
    if media.media_id == GONE:
        original.unlink()
        thumbnail.unlink()
    content = sha256(data + media.media_id.encode()).hexdigest()
    return replace(media, file_size=len(data), sha256=content, file_sha256=content)
