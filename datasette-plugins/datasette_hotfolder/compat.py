"""The two Datasettes, 0.65 and 1.0: everything that differs between them stands here."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from datasette.app import Datasette

_WORDS: Final = ("title", "description", "description_html", "columns")
View = TypeVar("View", bound=Callable[..., Any])


def build_datasette(
    database: Path, description: Mapping[str, Any], settings: Mapping[str, Any], secret: str
) -> Datasette:
    """A Datasette over one database that other processes write to.

    `description` holds titles, labels and who may see which table; 1.0 reads these as configuration, 0.65 as
    metadata.
    """
    from datasette.app import Datasette  # here: it loads its plugins, this one too, while it is imported

    _print_no_variables()
    told = {"metadata": dict(description)}
    if "config" in inspect.signature(Datasette).parameters:
        told = {"config": dict(description), "metadata": _words_of(description)}
    return Datasette(files=[str(database)], settings=dict(settings), secret=secret, **told)


def _words_of(description: Mapping[str, Any]) -> dict[str, Any]:
    """What 1.0 takes as metadata: words alone."""
    return {
        name: value if name in _WORDS else {each: _words_of(inner) for each, inner in value.items()}
        for name, value in description.items()
        if name in (*_WORDS, "databases", "tables")
    }


def _print_no_variables() -> None:
    """Where rich is installed, Datasette prints what it refuses with all local variables, or fails to."""
    from datasette import handle_exception  # after its application, of which it is a part

    if hasattr(handle_exception, "rich"):
        handle_exception.rich = None


def keeps_cache_headers(view: View) -> View:
    """Mark a view whose own Cache-Control reaches browsers that are logged in.

    Since 0.65.4 Datasette replaces it by `no-store` on every other view; the mark is what it puts on its own
    static files. It is not documented, so a test on both versions watches it.
    """
    view._datasette_static = True  # type: ignore[attr-defined]
    return view


def attach(datasette: Datasette, services: Any) -> None:
    """Give the plugin of this Datasette what it serves; a Datasette without that gets no route of ours."""
    datasette.hotfolder_services = services


def find_services(datasette: Datasette) -> Any | None:
    """What was attached, or None in a Datasette that was not started by hotfolder."""
    return getattr(datasette, "hotfolder_services", None)
