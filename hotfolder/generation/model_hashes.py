"""The SHA-256 of the model files that pictures are made with: known from then on until a file changes."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from hotfolder.domain.model_file import ModelFileKey
from hotfolder.engine.model_sets import named_files
from hotfolder.engine.model_shelf import find_key
from hotfolder.engine.params import LoadParams
from hotfolder.errors import LibraryError
from hotfolder.files.storage import open_regular
from hotfolder.library.model_files import ModelFileStore

log = logging.getLogger(__name__)

_CHUNK_BYTES: Final = 4 * 1024 * 1024
_NO_STAMPS: Final[Mapping[str, Sequence[int]]] = {}

OnProgress = Callable[[Path, int, int], None]
"""Told after each chunk of a file: its path, bytes read, bytes in all. EngineCancelled ends the reading."""


class ModelHashes:
    """Hashes of model files, for any number of threads; one of them reads at a time."""

    def __init__(self, store: ModelFileStore) -> None:
        self._store = store
        self._lock = threading.Lock()

    def hashes_of(self, load: LoadParams, on_progress: OnProgress | None = None) -> dict[str, str]:
        """SHA-256 by role of the files of a model set; one that cannot be read, or changes, is left out.

        The first time it takes as long as reading the files: some gigabytes.
        """
        return self.hashes_of_files(named_files(load), on_progress=on_progress)

    def hashes_of_files(
        self,
        paths: Mapping[str, str],
        stamps: Mapping[str, Sequence[int]] = _NO_STAMPS,
        *,
        on_progress: OnProgress | None = None,
    ) -> dict[str, str]:
        """The same for files by role; with size and mtime in ns, one that has others by now is left out."""
        found = {
            role: self._hash_of(Path(path), stamps.get(role), on_progress) for role, path in paths.items()
        }
        return {role: sha256 for role, sha256 in found.items() if sha256}

    def _hash_of(self, path: Path, stamp: Sequence[int] | None, on_progress: OnProgress | None) -> str | None:
        key = find_key(path)
        if stamp is not None and (key is None or [key.size, key.mtime_ns] != list(stamp)):
            log.warning("the model file %s has changed since it was loaded: no hash is recorded", path)
            return None
        if key is None:
            return None
        known = self._store.find_sha256(key)
        if known:
            return known
        with self._lock:  # a second thread that wants the same file finds it known then
            return self._store.find_sha256(key) or self._compute(key, on_progress)

    def _compute(self, key: ModelFileKey, on_progress: OnProgress | None) -> str | None:
        path = Path(key.path)
        try:
            sha256 = _read(path, key.size, on_progress)
        except (OSError, LibraryError) as error:
            log.warning("the model file %s cannot be read for its hash: %s", path, error)
            return None
        if sha256 is None or find_key(path) != key:
            log.warning("the model file %s changed while it was read for its hash", path)
            return None
        self._store.keep_sha256(key, sha256)
        return sha256


def _read(path: Path, size: int, on_progress: OnProgress | None) -> str | None:
    """The hash of so many bytes, None when the file has not as many."""
    digest = hashlib.sha256()
    done = 0
    with open_regular(path) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
            done += len(chunk)
            if on_progress:
                on_progress(path, done, size)
    return digest.hexdigest() if done == size else None
