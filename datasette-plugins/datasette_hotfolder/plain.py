"""A page that says one thing: what was refused or went wrong, and what to do."""

from __future__ import annotations

from html import escape
from typing import Any, Final

from datasette_hotfolder.assets import find_version

STATIC: Final = f"/-/assets/{find_version()}"
"""Where the gate serves our static files."""
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Content-Security-Policy of our pages: nothing from elsewhere, nothing inline."""


def build_error(code: str, message: str, hint: str | None = None) -> dict[str, Any]:
    """An error as the API tells it."""
    return {"error": {"code": code, "message": message, "hint": hint}}


def build_page(message: str, hint: str | None = None, *, offers_login: bool = False) -> bytes:
    """The page as HTML; both texts are shown as text."""
    more = f"<p>{escape(hint)}</p>" if hint else ""
    more += '<p><a href="/-/login">Log in with a password</a></p>' if offers_login else ""
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>hotfolder</title>'
        f'<link rel="stylesheet" href="{STATIC}/hotfolder.css">'
        f'<main class="plain"><h1>{escape(message)}</h1>{more}'
        '<p><a href="/-/library">To the library</a></p></main>'
    ).encode()
