"""What the working folders are called: in our words, or in those of systems that people know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

VOCABULARIES: Final[Mapping[str, Mapping[str, str]]] = {
    "hotfolder": {},
    "aem": {
        "inbox": "input",
        "processing": "stage",
        "done": "preserve",
        "failed": "failure",
        "outbox": "result",
    },
    "distiller": {"inbox": "In", "done": "Out"},
    "ame": {"done": "Source", "outbox": "Output"},
    "switch": {"inbox": "Input", "done": "Output", "failed": "Problem jobs"},
}
"""Our name -> the name on the disk; what is not named keeps ours. Rows and results always say ours."""

_RENAMED: Final = ("inbox", "processing", "done", "failed", "outbox")


def find_names(root: Path, vocabulary: str) -> dict[str, str]:
    """The names in force: those of the vocabulary, but for folders that still have those of another one."""
    wanted = VOCABULARIES[vocabulary]
    names = {name: wanted.get(name, name) for name in _RENAMED}
    return names | {name: old for name, old, _ in find_old_names(root, vocabulary)}


def find_old_names(root: Path, vocabulary: str) -> Iterator[tuple[str, str, str]]:
    """Folders that have the name of another vocabulary: our name, the old one, the wanted one."""
    wanted = VOCABULARIES[vocabulary]
    for name in _RENAMED:
        new = wanted.get(name, name)
        if (root / new).is_dir():
            continue
        others = [each.get(name, name) for key, each in VOCABULARIES.items() if key != vocabulary]
        old = next((each for each in others if each != new and (root / each).is_dir()), None)
        if old is not None:
            yield name, old, new


def find_vocabulary(root: Path) -> str:
    """That of a library that is there already: the one with most of its folders on the disk."""

    def count(vocabulary: str) -> int:
        return sum((root / name).is_dir() for name in VOCABULARIES[vocabulary].values())

    return max(VOCABULARIES, key=count)
