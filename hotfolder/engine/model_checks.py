"""What is looked at before an engine loads a model: are its files there, are they the same, is there room?"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hotfolder.domain.model_file import ModelFileKey
from hotfolder.engine import failures
from hotfolder.engine.conversation import EngineCommand
from hotfolder.engine.memory import find_shortage
from hotfolder.engine.messages import LoadParams
from hotfolder.engine.model_shelf import find_key


def look_at(command: EngineCommand, paths: Iterable[str]) -> dict[str, ModelFileKey | None]:
    """Each file as it is now, where the engine would look for it."""
    return {path: find_key(_place(command, path)) for path in paths}


def find_missing(command: EngineCommand, model: LoadParams) -> str | None:
    """The first file that is not there: cn-engine has one error for every cause, this is the commonest."""
    if command.kind != "cn-engine":
        return None
    return next((path for path in model.files() if not _place(command, path).is_file()), None)


def require_memory(command: EngineCommand, model: LoadParams, pid: int) -> None:
    """Where the weights stay in main memory; how much a graphics card has, only the engine knows."""
    if command.kind != "sdcpp" and not model.flags.get("offload_to_cpu"):
        return
    shortage = find_shortage(model.files(), pid)
    if shortage is not None:
        raise failures.build_too_large(shortage)


def _place(command: EngineCommand, path: str) -> Path:
    return (command.cwd or Path()) / path
