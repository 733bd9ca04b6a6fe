"""Names that are never work: temporary files, lock files, and what systems and sync programs leave behind."""

from __future__ import annotations

from typing import Final

# Compared after casefold(), so every literal here is lower case.
_PREFIXES: Final = (
    ".",  # hidden, `._*` twins, `.~lock.*#`, rsync's and our own half-written files
    "~$",  # owner files of office programs
)
_SUFFIXES: Final = (
    "~",
    ".tmp",
    ".temp",
    ".part",
    ".partial",
    ".crdownload",
    ".download",
    ".filepart",
    ".!qb",
    ".aria2",
    ".swp",
    ".swx",
    "_exiftool_tmp",
    ".xmp_original",
    ".icloud",
)
_FILES: Final = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini"})
_FOLDERS: Final = frozenset(
    {
        "@eadir",
        "@recycle",
        "@tmp",
        "#recycle",
        "$recycle.bin",
        "__macosx",
        "lost+found",
        "system volume information",
    }
)


def is_ignored(name: str) -> bool:
    """Say whether a file of this name (no folders in it) is temporary or a system's own."""
    folded = name.casefold()
    return folded in _FILES or folded.startswith(_PREFIXES) or folded.endswith(_SUFFIXES)


def is_ignored_folder(name: str) -> bool:
    """Say whether nothing below a folder of this name is work.

    Temporary names count for folders too: a bundle is built as `set.tmp` and renamed when it is whole.
    """
    folded = name.casefold()
    return folded in _FOLDERS or folded.startswith(_PREFIXES) or folded.endswith(_SUFFIXES)
