"""The hash of a model file is that of its bytes, and computed once."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hotfolder.database import Database
from hotfolder.engine.params import LoadParams
from hotfolder.errors import EngineCancelled
from hotfolder.generation.model_hashes import ModelHashes
from hotfolder.library.model_files import ModelFileStore
from hotfolder.migrations import migrate

KLEIN, VAE = b"klein" * 2_000_000, b"vae"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    migrate(tmp_path / "library.db")
    opened = Database(tmp_path / "library.db")
    yield opened
    opened.close()


@pytest.fixture
def hashes(database: Database) -> ModelHashes:
    return ModelHashes(ModelFileStore(database))


@pytest.fixture
def load(tmp_path: Path) -> LoadParams:
    (tmp_path / "klein.gguf").write_bytes(KLEIN)
    (tmp_path / "vae.safetensors").write_bytes(VAE)
    return LoadParams(str(tmp_path / "klein.gguf"), str(tmp_path / "vae.safetensors"), flags={"n_threads": 2})


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Told:
    """The bytes that were read, by file."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int, int]] = []

    def __call__(self, path: Path, done: int, size: int) -> None:
        self.calls.append((path.name, done, size))

    def files(self) -> set[str]:
        return {name for name, _, _ in self.calls}


def test_hash_of_each_role_is_that_of_its_file(hashes: ModelHashes, load: LoadParams) -> None:
    assert hashes.hashes_of(load) == {"diffusion_model": sha256(KLEIN), "vae": sha256(VAE)}
    assert hashes.hashes_of(LoadParams()) == {}


def test_progress_is_told_in_chunks_to_the_end(hashes: ModelHashes, load: LoadParams) -> None:
    told = Told()

    hashes.hashes_of(load, told)

    klein = [(done, size) for name, done, size in told.calls if name == "klein.gguf"]
    assert klein == [(4_194_304, 10_000_000), (8_388_608, 10_000_000), (10_000_000, 10_000_000)]


def test_no_file_is_read_twice_also_by_another_service(
    hashes: ModelHashes, database: Database, load: LoadParams
) -> None:
    first, told = hashes.hashes_of(load), Told()

    again = [hashes.hashes_of(load, told), ModelHashes(ModelFileStore(database)).hashes_of(load, told)]

    assert again == [first, first]
    assert told.calls == []


def test_file_that_changed_is_read_again_and_only_that_one(hashes: ModelHashes, load: LoadParams) -> None:
    hashes.hashes_of(load)
    Path(load.vae or "").write_bytes(b"eav")
    os.utime(load.vae or "", ns=(1, 1))
    told = Told()

    assert hashes.hashes_of(load, told)["vae"] == sha256(b"eav")
    assert told.files() == {"vae.safetensors"}


def test_file_that_is_not_the_one_that_was_loaded_has_no_hash(
    hashes: ModelHashes, load: LoadParams, caplog: pytest.LogCaptureFixture
) -> None:
    paths = {"diffusion_model": load.diffusion_model or "", "vae": load.vae or "", "llm": "/gone"}
    stamps = dict.fromkeys(paths, (5, 1))
    vae = Path(paths["vae"]).stat()
    stamps["vae"] = (vae.st_size, vae.st_mtime_ns)

    assert hashes.hashes_of_files(paths, stamps) == {"vae": sha256(VAE)}
    assert caplog.text.count("has changed since it was loaded: no hash is recorded") == 2


def test_link_and_its_target_are_one_file(hashes: ModelHashes, load: LoadParams, tmp_path: Path) -> None:
    hashes.hashes_of(load)
    (tmp_path / "link.gguf").symlink_to(tmp_path / "klein.gguf")
    told = Told()

    found = hashes.hashes_of(LoadParams(str(tmp_path / "link.gguf")), told)

    assert found == {"diffusion_model": sha256(KLEIN)}
    assert told.calls == []


def test_file_that_cannot_be_read_is_left_out(hashes: ModelHashes, load: LoadParams, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    odd = LoadParams(load.diffusion_model, str(tmp_path / "gone"), str(tmp_path), str(tmp_path / "pipe"))

    assert hashes.hashes_of(odd) == {"diffusion_model": sha256(KLEIN)}


def test_file_that_changes_while_it_is_read_is_left_out_and_not_kept(
    hashes: ModelHashes, load: LoadParams
) -> None:
    def write_on(path: Path, done: int, size: int) -> None:
        if done == size:
            os.utime(path, ns=(2, 2))

    assert hashes.hashes_of(load, write_on) == {}
    assert hashes.hashes_of(load) == {"diffusion_model": sha256(KLEIN), "vae": sha256(VAE)}


def test_who_is_told_may_end_the_reading(hashes: ModelHashes, load: LoadParams) -> None:
    def stop(path: Path, done: int, size: int) -> None:
        raise EngineCancelled(f"{path} at {done} of {size}")

    with pytest.raises(EngineCancelled):
        hashes.hashes_of(load, stop)
    assert set(hashes.hashes_of(load)) == {"diffusion_model", "vae"}


def test_threads_that_want_the_same_file_read_it_once(hashes: ModelHashes, load: LoadParams) -> None:
    told, together = Told(), threading.Barrier(4)

    def ask() -> dict[str, str]:
        together.wait(10)
        return hashes.hashes_of(load, told)

    with ThreadPoolExecutor(4) as pool:
        found = [each.result(30) for each in [pool.submit(ask) for _ in range(4)]]

    assert all(each == found[0] for each in found)
    assert sum(name == "vae.safetensors" for name, _, _ in told.calls) == 1
