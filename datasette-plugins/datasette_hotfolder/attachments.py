"""Under which name files are saved."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote


def disposition(kind: Literal["inline", "attachment"], name: str) -> str:
    """The header with the name for whoever saves the file, plain for old programs too (RFC 6266, 4.3)."""
    plain = "".join(each if each.isascii() and (each.isalnum() or each in " ._-") else "_" for each in name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='', errors='replace')}"


def attachment_headers(name: str) -> dict[str, str]:
    """Headers of a file that browsers save under this name and never show."""
    return {
        "Content-Disposition": disposition("attachment", name),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
