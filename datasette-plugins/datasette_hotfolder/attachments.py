"""Answers that browsers save as a file and never show."""

from __future__ import annotations

from urllib.parse import quote


def attachment_headers(name: str) -> dict[str, str]:
    """Headers under which a file is saved by this name, plain for old programs too (RFC 6266, 4.3)."""
    plain = "".join(each if each.isascii() and (each.isalnum() or each in " ._-") else "_" for each in name)
    full = quote(name, safe="", errors="replace")
    return {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{full}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
