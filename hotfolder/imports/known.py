"""Which picture of the library has a content: one whose own file is lost does not count."""

from __future__ import annotations

from pathlib import Path

from hotfolder.errors import LibraryError
from hotfolder.files.paths import LibraryPaths
from hotfolder.files.storage import sha256_file
from hotfolder.library.media import Media, MediaStore


class KnownContent:
    """Looks for pictures by the SHA-256 of their file, now or as first stored."""

    def __init__(self, paths: LibraryPaths, media: MediaStore) -> None:
        self._paths = paths
        self._media = media

    def find(self, sha256: str) -> Media | None:
        """The oldest picture with this content."""
        return next((each for each in self._media.list_by_content(sha256) if self._is_there(each)), None)

    def _is_there(self, media: Media) -> bool:
        path = self._paths.locate(media.file_path)
        try:
            if path.stat().st_size != media.file_size:
                return False
            return not Path(media.file_path).is_absolute() or sha256_file(path) == media.file_sha256
        except (OSError, LibraryError):
            return False
