"""Storage: places of the library, files that appear whole, names that fit."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.errors import LibraryError
from hotfolder.files.storage import (
    LibraryPaths,
    claim_name,
    copy_into,
    free_name,
    parse_claim_name,
    replace_file,
    sha256_file,
    store_by_hash,
    write_atomic,
    write_json,
)

JOB_ID = "0199aa00-1111-7abc-8def-0123456789ab"
NEW_YEAR = datetime(2027, 1, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))  # still 2026 in UTC

# What a Linux folder may hold: any character but the separator and NUL, and bytes that are not UTF-8.
FILE_NAMES = st.one_of(
    st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=80),
    st.binary(min_size=1, max_size=255).map(
        lambda raw: os.fsdecode(raw.replace(b"/", b"_").replace(b"\0", b"_"))
    ),
    st.sampled_from(
        ["ü" * 127 + ".yaml", "🏮" * 63, ".hidden", "a.", "x" * 250 + ".yaml", "--.yaml", "a." + "y" * 253]
    ),
).filter(lambda name: name not in (".", ".."))


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def paths(tmp_path: Path) -> LibraryPaths:
    return LibraryPaths(tmp_path / "library")


def test_every_file_of_the_library_has_its_documented_place(paths: LibraryPaths) -> None:
    original = paths.original(NEW_YEAR, "0199-ab", ".png")
    places = {
        paths.settings_file: "hotfolder.yaml",
        paths.database: "library.db",
        paths.run: "run",
        paths.inbox: "inbox",
        paths.hold: "inbox/hold",
        paths.processing: "processing",
        paths.failed: "failed",
        paths.imports: "import",
        paths.presets: "presets",
        paths.logs: "logs",
        paths.models: "models",
        paths.engines: "engines",
        paths.outbox: "outbox",
        paths.done_dir(NEW_YEAR): "done/2026/12/31",
        paths.trash_dir(NEW_YEAR): "trash/2026/12/31",
        paths.status_json(JOB_ID): f"status/{JOB_ID}.json",
        paths.status_text(JOB_ID): f"status/{JOB_ID}.txt",
        original: "originals/2026/12/0199-ab.png",
        paths.sidecar_json(original): "originals/2026/12/0199-ab.png.json",
        paths.sidecar_xmp(original): "originals/2026/12/0199-ab.png.xmp",
        paths.thumbnail("0199-ab"): "thumbnails/ab/0199-ab.jpg",
        paths.reference("9f86", ".webp"): "refs/9f86.webp",
        paths.ref_cache("77aa"): "ref_cache/77aa.png",
        paths.ref_thumbnail("0199-cd", 3): "ref_thumbnails/cd/0199-cd/3.jpg",
        paths.work("0199-cd"): "work/0199-cd",
    }

    assert {paths.relative(path): path for path in places} == {text: path for path, text in places.items()}


def test_folders_are_made_once_and_keep_what_they_hold(paths: LibraryPaths) -> None:
    paths.create()
    kept = paths.inbox / "a.yaml"
    kept.write_text("x")

    paths.create()

    assert kept.read_text() == "x"
    for folder in (
        paths.run,
        paths.hold,
        paths.processing,
        paths.failed,
        paths.imports,
        paths.refs,
        paths.logs,
    ):
        assert folder.is_dir()


def test_day_of_a_time_without_zone_is_refused(paths: LibraryPaths) -> None:
    with pytest.raises(ValueError, match="without a zone"):
        paths.done_dir(datetime(2026, 1, 1))


def test_relative_and_absolute_are_each_others_inverse(paths: LibraryPaths) -> None:
    path = paths.inbox / "sub" / "caf\udce9.yaml"

    assert paths.absolute(paths.relative(path)) == path
    assert paths.relative(path) == "inbox/sub/caf\udce9.yaml"


@pytest.mark.parametrize("outside", ["/etc/passwd", "library/../secret", "inbox/a.yaml"])
def test_path_outside_the_library_has_no_relative_form(paths: LibraryPaths, outside: str) -> None:
    path = paths.root.parent / outside if outside.startswith("library") else Path(outside)

    with pytest.raises(ValueError, match=r"library|subpath"):
        paths.relative(path)


@pytest.mark.parametrize("text", ["/etc/passwd", "../x", "originals/../../x", "", ".", "a\0b"])
def test_stored_path_that_leads_elsewhere_is_refused(paths: LibraryPaths, text: str) -> None:
    with pytest.raises(ValueError, match="not a path inside the library"):
        paths.absolute(text)


@pytest.mark.parametrize("media_id", ["../../x", "a/b", "", ".."])
def test_id_cannot_lead_to_another_folder(paths: LibraryPaths, media_id: str) -> None:
    with pytest.raises(ValueError, match="not a file name"):
        paths.thumbnail(media_id)


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
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: write_atomic(target, contents[number % 4]), range(60)))
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


def test_free_name_counts_up_from_two(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").touch()
    (tmp_path / "a~2.yaml").touch()

    assert free_name(tmp_path, "b.yaml", Path.exists) == "b.yaml"
    assert free_name(tmp_path, "a.yaml", Path.exists) == "a~3.yaml"


@given(name=FILE_NAMES, taken_count=st.integers(0, 12))
def test_free_name_is_free_and_leaves_room_for_the_result_file(name: str, taken_count: int) -> None:
    asked: list[Path] = []

    def taken(path: Path) -> bool:
        asked.append(path)
        return len(asked) <= taken_count

    found = free_name(Path("/x"), name, taken)

    assert asked[-1] == Path("/x") / found
    assert len(set(asked)) == len(asked)
    assert len(os.fsencode(found + ".result.json")) <= 255
    if taken_count == 0 and len(os.fsencode(name)) <= 243:
        assert found == name


@pytest.mark.parametrize("letter", ["x", "ü", "灯", "🏮", "\udce9"])
def test_long_name_is_shortened_between_characters_and_keeps_its_extension(letter: str) -> None:
    name = letter * (250 // len(os.fsencode(letter))) + ".yaml"

    found = free_name(Path("/x"), name, lambda path: "~" not in path.name)

    stem = found.removesuffix("~2.yaml")
    assert found == stem + "~2.yaml"
    assert set(stem) == {letter}
    assert 240 - len(os.fsencode(letter)) <= len(os.fsencode(found)) <= 243


@given(name=FILE_NAMES)
def test_claimed_name_fits_and_gives_back_what_was_put_in(name: str) -> None:
    claimed = claim_name(JOB_ID, name)

    parsed = parse_claim_name(claimed)

    assert len(os.fsencode(claimed)) <= 255
    assert parsed is not None
    assert parsed[0] == JOB_ID
    if len(os.fsencode(name)) <= 255 - 38:
        assert parsed[1] == name
    else:
        extension = os.path.splitext(name)[1]  # noqa: PTH122
        assert parsed[1].endswith(extension) or len(os.fsencode(extension)) > 32


def test_claimed_name_can_be_a_file_whatever_its_bytes_are(tmp_path: Path) -> None:
    claimed = claim_name(JOB_ID, os.fsdecode(b"\xff\xfe" * 120 + b".yaml"))
    (tmp_path / claimed).touch()

    (listed,) = names_in(tmp_path)

    assert parse_claim_name(listed) == (JOB_ID, parse_claim_name(claimed)[1])  # type: ignore[index]


@pytest.mark.parametrize("text", ["notes.txt", "--a.yaml", f"{JOB_ID}--", JOB_ID, ".a--b", "a b--c"])
def test_file_that_nobody_claimed_has_no_job_id(text: str) -> None:
    assert parse_claim_name(text) is None


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\0b"])
def test_what_is_not_one_file_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a file name"):
        claim_name(JOB_ID, name)
    with pytest.raises(ValueError, match="not a file name"):
        free_name(Path("/x"), name, lambda _: False)


def test_job_id_that_could_not_be_read_back_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be a job id"):
        claim_name("a--b", "x.yaml")


def test_months_of_arrival_are_those_of_utc(paths: LibraryPaths) -> None:
    assert paths.originals_dir(NEW_YEAR) == paths.originals_dir(NEW_YEAR.astimezone(UTC))
