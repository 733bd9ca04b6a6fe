"""What is written about an imported picture, and about a file that could not be one (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hotfolder import __version__
from hotfolder.domain.instants import derived_id
from hotfolder.domain.wording import one_line
from hotfolder.errors import HotfolderError
from hotfolder.files.xmp import XmpRecord
from hotfolder.imports.incoming import Incoming
from hotfolder.library.ingest import SIDECAR_SCHEMA
from hotfolder.library.media import Media

RESULT_SCHEMA: Final = "hotfolder/import-result@1"


def build_sidecar(file: Incoming, media: Media) -> dict[str, Any]:
    """The JSON sidecar: enough to make the row again. Names stand in it as they were, byte for byte."""
    return {
        "schema": SIDECAR_SCHEMA,
        "mediaId": media.media_id,
        "origin": media.origin,
        "createdAt": media.created_at,
        "file": {
            "path": media.file_path,
            "sha256": media.sha256,
            "pixelSha256": media.pixel_sha256,
            "width": media.width,
            "height": media.height,
            "bytes": media.file_size,
            "mimeType": media.mime_type,
        },
        "aiGenerated": None,  # nobody has said
        "original": {"name": file.name, "path": file.original_path},
        "title": None,
        "keywords": list(file.keywords),
        "versions": {"hotfolder": __version__},
    }


def build_xmp_record(media: Media, keywords: tuple[str, ...] = ()) -> XmpRecord:
    """Who the picture is here, for the programs that will add to it; when it was made we do not know."""
    document_id = f"xmp.did:{media.media_id}"
    return XmpRecord(
        document_id=document_id,
        instance_id=f"xmp.iid:{derived_id(media.media_id, 'instance')}",
        original_document_id=document_id,
        modified_at=media.created_at,
        keywords=keywords,
    )


def build_error(error: HotfolderError) -> dict[str, Any]:
    """An error as result files carry it."""
    return {"code": error.code, "message": error.message, "hint": error.hint}


def build_result(file: Incoming, error: Mapping[str, Any]) -> dict[str, Any]:
    """The result for programs beside a file in failed/."""
    return {
        "schema": RESULT_SCHEMA,
        "status": "failed",
        "importId": file.media_id,
        "file": file.original_path,
        "error": dict(error),
    }


def build_report(file: Incoming, error: Mapping[str, Any], name: str) -> str:
    """The Markdown report for people beside a file in failed/."""
    shown = _code(name)
    lines = [f"# {shown}: not imported", "", f"{_plain(error['message'])} (`{error['code']}`)"]
    if error.get("hint"):
        lines += ["", _plain(error["hint"])]
    lines += ["", "## To try again", "", f"Mend {shown} and move it back into `import/`."]
    return "\n".join([*lines, "", f"It came as {_code(file.original_path)} (import {file.media_id}).", ""])


def _plain(text: str) -> str:
    """A sentence in Markdown that may name a file: nothing in it is read as HTML."""
    return one_line(text).replace("<", "&lt;")


def _code(name: str) -> str:
    """A name in Markdown, whatever is in it."""
    return "`" + one_line(name).replace("`", "'") + "`"
