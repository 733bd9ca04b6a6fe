"""Which picture of the library has a content: one whose file is lost or damaged does not count."""

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

    def find(self, sha256: str, *, stays: bool) -> Media | None:
        """The oldest picture with this content, one with a file of the library's own before others.

        `stays` says that the file asked about stays where it lies, or goes only once it has been compared
        with one of the library's own: for it a picture that is only referred to counts, too. What is handed
        over to the library is not thrown away for a file that lies elsewhere.
        """
        found = self._media.list_by_content(sha256)
        own = [each for each in found if not _is_referred_to(each)]
        referred = [each for each in found if stays and _is_referred_to(each)]
        return next((each for each in own + referred if self._is_whole(each)), None)

    def _is_whole(self, media: Media) -> bool:
        """Read anew: a file that was damaged keeps its size."""
        path = self._paths.locate(media.file_path)
        try:
            return path.stat().st_size == media.file_size and sha256_file(path) == media.file_sha256
        except (OSError, LibraryError):
            return False


def _is_referred_to(media: Media) -> bool:
    return Path(media.file_path).is_absolute()
