"""hotfolder demo: the example library, run on a copy."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from hotfolder.app import Library, create_library, is_library
from hotfolder.cli.imports import list_ended
from hotfolder.cli.library import logged, print_summary, serve_sidecar
from hotfolder.cli.opening import open_root
from hotfolder.cli.output import say
from hotfolder.cli.web import run_together
from hotfolder.errors import ConfigError, LibraryError
from hotfolder.library.jobs import Job
from hotfolder.listening import open_socket
from hotfolder.lock import LibraryLock

DEMO_FOLDER = Path("demo-library")
EXPECTED_FILE = "expected.json"


@click.command()
@click.option("--once", is_flag=True, help="Process the example jobs, print a summary and end.")
def demo(once: bool) -> int:
    """Run the example library on a fresh copy in ./demo-library."""
    target = make_copy(find_examples(), DEMO_FOLDER)
    library = open_root(target)
    try:
        with logged(library):
            if not once:
                run_together(library, _open_socket(library))
                return 0
            jobs = serve_sidecar(library, once=True)
        imports = list_ended(library, 0)
        print_summary(library, jobs, imports)
        return 0 if _is_as_expected(target, jobs, imports) else 1
    finally:
        library.close()


def _open_socket(library: Library) -> socket.socket:
    """On the usual port, or on any free one when something else has it."""
    web = library.settings.web
    try:
        return open_socket(web.host, web.port)
    except ConfigError:
        return open_socket(web.host, 0)


def find_examples() -> Path:
    """The example library that ships with the package."""
    spec = find_spec("hotfolder_example_library")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        if (Path(place) / "hotfolder.yaml").is_file():
            return Path(place)
    raise LibraryError("The example library is not installed.", hint="Install hotfolder from its repository.")


def make_copy(source: Path, target: Path) -> Path:
    """A fresh copy; only an earlier demo that nobody uses is replaced, never a library of somebody's own."""
    if target.exists() or target.is_symlink():
        _refuse_foreign(target)
        shutil.rmtree(target)
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__init__.py", "__pycache__"))
    create_library(target)
    return target


def _refuse_foreign(target: Path) -> None:
    is_demo = is_library(target) and (target / EXPECTED_FILE).is_file() and not target.is_symlink()
    if not is_demo:
        raise LibraryError(
            f"{target} exists and is not an earlier demo.",
            code="library.not_a_demo",
            hint="Move it away, or call the demo from another folder.",
        )
    lock = LibraryLock(target / "run" / "lock")
    if lock.is_held_by_another():
        raise LibraryError(
            f"A demo runs in {target} already ({lock.describe_holder()}).",
            code="library.locked",
            hint="Stop it first (Ctrl-C in its terminal).",
        )


def _is_as_expected(target: Path, jobs: Sequence[Job], imports: Sequence[Mapping[str, Any]]) -> bool:
    expected = json.loads((target / EXPECTED_FILE).read_text(encoding="utf-8"))
    statuses = {job.job_file: job.status for job in jobs}
    imported = sum(each["status"] == "imported" for each in imports)
    differences = [
        f"{name}: {statuses.get(name, 'not run')}, but the example says {expected['jobs'].get(name)}."
        for name in sorted(expected["jobs"].keys() | statuses.keys())
        if expected["jobs"].get(name) != statuses.get(name)
    ]
    if imported != expected["imports"]:
        differences.append(f"Imported: {imported}, but the example says {expected['imports']}.")
    for each in differences:
        say(each)
    if not differences:
        say("Everything ended as the example says; the broken job shows the report in demo-library/failed/.")
    return not differences
