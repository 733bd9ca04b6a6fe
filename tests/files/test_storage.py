"""Storage: files that appear whole, moves, copies, content hashes."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hotfolder.errors import LibraryError
from hotfolder.files.storage import (
    copy_into,
    move_to_free_name,
    remove_leftovers,
    rename_new,
    replace_file,
    sha256_file,
    store_by_hash,
    write_atomic,
    write_json,
    write_to_free_name,
)


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_written_file_is_there_whole_with_its_parents_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "new" / "deeper" / "a.json"

    write_atomic(target, b"one")
    write_atomic(target, b"two")

    assert target.read_bytes() == b"two"
    assert names_in(target.parent) == {"a.json"}


def test_leftover_of_a_crash_is_used_up_by_the_repeat(tmp_path: Path) -> None:
    (tmp_path / ".a.json.tmp").write_bytes(b"half of a much longer file that was never finished")

    write_atomic(tmp_path / "a.json", b"whole")

    assert (tmp_path / "a.json").read_bytes() == b"whole"
    assert names_in(tmp_path) == {"a.json"}


def test_leftovers_go_and_what_somebody_is_writing_stays(tmp_path: Path) -> None:
    (tmp_path / ".1-2.tmp").write_bytes(b"half")
    (tmp_path / "a.png").write_bytes(b"whole")
    with (tmp_path / ".1-3.tmp").open("wb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)

        remove_leftovers(tmp_path)

    assert names_in(tmp_path) == {"a.png", ".1-3.tmp"}


def test_planted_link_in_place_of_the_temporary_file_is_not_written_through(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / ".a.json.tmp").symlink_to(victim)

    with pytest.raises(OSError, match="symbolic links"):
        write_atomic(tmp_path / "a.json", b"x")

    assert victim.read_text() == "precious"


def test_failed_write_leaves_the_old_file_and_no_leftover(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "a.json"
    write_atomic(target, b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LibraryError) as caught:
        write_atomic(target, b"new")

    assert (caught.value.code, caught.value.retryable) == ("library.disk_full", True)
    assert target.read_bytes() == b"old"
    assert names_in(tmp_path) == {"a.json"}


def test_two_writers_of_one_file_never_mix_their_bytes(tmp_path: Path) -> None:
    target = tmp_path / "status.json"
    contents = [bytes([65 + number]) * 200_000 for number in range(4)]
    seen: set[bytes] = set()
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            if target.exists():
                seen.add(target.read_bytes())

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda number: write_atomic(target, contents[number % 4]), range(60)))
    finally:
        done.set()
        watcher.join(10)

    assert seen | {target.read_bytes()} <= set(contents)
    assert names_in(tmp_path) == {"status.json"}


def test_file_with_the_longest_possible_name_is_written(tmp_path: Path) -> None:
    target = tmp_path / ("ü" * 125 + ".yaml")

    write_atomic(target, b"x")

    assert names_in(tmp_path) == {target.name}


def test_written_file_is_readable_for_other_programs_as_the_user_wants(tmp_path: Path) -> None:
    plain, target = tmp_path / "plain", tmp_path / "a.json"
    plain.write_bytes(b"")

    write_atomic(target, b"x")

    assert target.stat().st_mode == plain.stat().st_mode


def test_json_is_written_for_people_and_reads_back(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    value = {"title": "Leuchtturm, dämmrig", "jobFile": "caf\udce9.yaml", "n": [1, None]}

    write_json(target, value)

    text = target.read_bytes().decode("utf-8")
    assert text.startswith('{\n  "title": "Leuchtturm, dämmrig",\n')
    assert text.endswith("}\n")
    assert json.loads(text) == value


def test_moved_file_replaces_the_target(tmp_path: Path) -> None:
    source, target = tmp_path / "work" / "out.png", tmp_path / "originals" / "2026" / "a.png"
    source.parent.mkdir()
    source.write_bytes(b"pixels")

    replace_file(source, target)

    assert target.read_bytes() == b"pixels"
    assert not source.exists()


def test_file_is_moved_across_file_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = tmp_path / "a" / "out.png", tmp_path / "b" / "a.png"
    source.parent.mkdir()
    source.write_bytes(b"pixels")
    replace = Path.replace

    def as_between_devices(self: Path, other: Path) -> Path:
        if self.parent != other.parent:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return replace(self, other)

    monkeypatch.setattr(Path, "replace", as_between_devices)
    replace_file(source, target)

    assert target.read_bytes() == b"pixels"
    assert names_in(target.parent) == {"a.png"}
    assert not source.exists()


def test_missing_file_cannot_be_moved_and_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        replace_file(tmp_path / "gone", tmp_path / "new" / "a.png")

    assert names_in(tmp_path) == set()


def test_open_descriptor_is_copied_from_its_beginning_and_stays_open(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"0123456789")
    with source.open("rb") as stream:
        stream.seek(7)

        copy_into(stream.fileno(), tmp_path / "copy")

        assert os.fstat(stream.fileno()).st_size == 10
    assert (tmp_path / "copy").read_bytes() == b"0123456789"


def test_path_is_copied(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(bytes(range(256)) * 10_000)

    copy_into(source, tmp_path / "deeper" / "copy")

    assert (tmp_path / "deeper" / "copy").read_bytes() == source.read_bytes()


def test_hash_of_a_file_follows_links_as_models_are_often_linked(tmp_path: Path) -> None:
    model, link = tmp_path / "blob", tmp_path / "model.gguf"
    model.write_bytes(b"weights" * 1000)
    link.symlink_to(model)

    assert sha256_file(link) == hashlib.sha256(b"weights" * 1000).hexdigest()


def test_reference_is_stored_under_its_hash(tmp_path: Path) -> None:
    source = tmp_path / "caf\udce9.png"
    source.write_bytes(b"pixels")

    sha256, place = store_by_hash(source, tmp_path / "refs", ".png")

    assert sha256 == hashlib.sha256(b"pixels").hexdigest()
    assert place == tmp_path / "refs" / f"{sha256}.png"
    assert place.read_bytes() == b"pixels"
    assert names_in(place.parent) == {place.name}
    assert source.exists()


def test_content_that_is_there_already_is_kept(tmp_path: Path) -> None:
    first, second = tmp_path / "a.png", tmp_path / "b.png"
    first.write_bytes(b"pixels")
    second.write_bytes(b"pixels")
    _, place = store_by_hash(first, tmp_path / "refs", ".png")
    before = place.stat()

    _, again = store_by_hash(second, tmp_path / "refs", ".png")

    assert again == place
    assert place.stat().st_ino == before.st_ino
    assert names_in(place.parent) == {place.name}


def test_stored_file_of_the_wrong_size_is_replaced(tmp_path: Path) -> None:
    source = tmp_path / "a.png"
    source.write_bytes(b"pixels")
    _, place = store_by_hash(source, tmp_path / "refs", ".png")
    place.write_bytes(b"pix")

    store_by_hash(source, tmp_path / "refs", ".png")

    assert place.read_bytes() == b"pixels"


def test_same_content_stored_by_many_threads_ends_as_one_whole_file(tmp_path: Path) -> None:
    sources = [tmp_path / f"{number}.png" for number in range(8)]
    for source in sources:
        source.write_bytes(b"pixels" * 50_000)

    with ThreadPoolExecutor(4) as pool:
        places = set(
            pool.map(lambda source: store_by_hash(source, tmp_path / "refs", ".png")[1], sources * 3)
        )

    assert len(places) == 1
    assert names_in(tmp_path / "refs") == {places.pop().name}


def test_empty_file_is_not_stored(tmp_path: Path) -> None:
    source = tmp_path / "a.png"
    source.write_bytes(b"")

    with pytest.raises(LibraryError) as caught:
        store_by_hash(source, tmp_path / "refs", ".png")

    assert caught.value.code == "library.empty_file"
    assert names_in(tmp_path / "refs") == set()


def make_link(path: Path) -> None:
    path.with_name("secret").write_text("x")
    path.symlink_to(path.with_name("secret"))


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


@pytest.mark.timeout(5)
@pytest.mark.parametrize("make", [make_link, os.mkfifo, make_socket, os.mkdir])
def test_what_is_not_a_regular_file_is_refused_without_waiting(
    tmp_path_factory: pytest.TempPathFactory, make: object
) -> None:
    folder = tmp_path_factory.mktemp("s")
    source = folder / "a.png"
    make(source)  # type: ignore[operator]

    with pytest.raises(LibraryError) as caught:
        store_by_hash(source, folder / "refs", ".png")

    assert caught.value.code == "library.not_a_file"
    assert not (folder / "refs").exists()


@pytest.mark.timeout(5)
def test_device_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LibraryError) as caught:
        store_by_hash(Path("/dev/zero"), tmp_path, ".png")

    assert caught.value.code == "library.not_a_file"


@pytest.fixture(params=["by the system", "by a link"])
def way_to_rename(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Renaming as this system does it, and as it is done where the system has no such call."""
    if request.param == "by a link":
        monkeypatch.setattr("hotfolder.files.storage._renamed_by_system", lambda source, target: False)


@pytest.mark.usefixtures("way_to_rename")
def test_rename_to_a_new_name_moves_the_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("mine")

    rename_new(tmp_path / "a", tmp_path / "b")

    assert names_in(tmp_path) == {"b"}
    assert (tmp_path / "b").read_text() == "mine"


@pytest.mark.usefixtures("way_to_rename")
def test_rename_to_a_name_that_is_there_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("mine")
    (tmp_path / "b").write_text("theirs")

    with pytest.raises(FileExistsError):
        rename_new(tmp_path / "a", tmp_path / "b")

    assert ((tmp_path / "a").read_text(), (tmp_path / "b").read_text()) == ("mine", "theirs")


@pytest.mark.usefixtures("way_to_rename")
def test_eight_writers_of_one_name_at_once_leave_eight_files(tmp_path: Path) -> None:
    start = threading.Barrier(8)

    def write(number: int) -> Path:
        start.wait(10)
        return write_to_free_name(tmp_path, "job.yaml", str(number).encode())

    with ThreadPoolExecutor(8) as pool:
        places = list(pool.map(write, range(8)))

    assert names_in(tmp_path) == {"job.yaml", *(f"job~{number}.yaml" for number in range(2, 9))}
    assert [place.read_text() for place in places] == [str(number) for number in range(8)]


def test_move_takes_the_next_name_when_the_first_is_taken_by_a_file_or_by_word(tmp_path: Path) -> None:
    (tmp_path / "new").write_text("mine")
    folder = tmp_path / "failed"
    folder.mkdir()
    (folder / "a.yaml").write_text("theirs")

    place = move_to_free_name(tmp_path / "new", folder, "a.yaml", lambda path: path.name == "a~2.yaml")

    assert place == folder / "a~3.yaml"
    assert ((folder / "a.yaml").read_text(), place.read_text()) == ("theirs", "mine")


def test_stored_file_that_was_overwritten_with_as_many_bytes_is_put_right(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"good")
    _, stored = store_by_hash(tmp_path / "a.png", tmp_path / "refs", ".png")
    stored.write_bytes(b"evil")

    store_by_hash(tmp_path / "a.png", tmp_path / "refs", ".png")

    assert stored.read_bytes() == b"good"
    assert names_in(tmp_path / "refs") == {stored.name}
