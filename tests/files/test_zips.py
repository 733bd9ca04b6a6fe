"""Zip files of strangers: good ones are unpacked as they are, others refused, and nothing else happens."""

from __future__ import annotations

import errno
import io
import stat
import struct
import tempfile
import tracemalloc
from pathlib import Path, PurePosixPath
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZipFile

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hotfolder.errors import JobFileError
from hotfolder.files.zips import MAX_MEMBERS, open_zip
from tests.files.zipping import ATTRIBUTES, FLAGS, JOB, METHOD, OFFSET, SIZE, patched, write_zip, zipped

TOP = PurePosixPath()
MIB = 1024 * 1024


def unpack(file: Path, target: Path, max_bytes: int = MIB) -> dict[str, bytes]:
    with open_zip(file, max_bytes=max_bytes, is_ignored=lambda path: path.name.startswith(".")) as archive:
        archive.unpack(TOP, target, max_bytes)
    return contents(target)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        each.relative_to(folder).as_posix(): each.read_bytes()
        for each in sorted(folder.rglob("*"))
        if each.is_file()
    }


def refusal(file: Path, target: Path, max_bytes: int = MIB) -> str:
    """What the refusal says; nothing is left of the try."""
    before = contents(file.parent)
    with pytest.raises(JobFileError) as caught:
        unpack(file, target, max_bytes)
    assert caught.value.code == "job.bundle_refused"
    assert caught.value.hint
    assert not target.exists()
    assert contents(file.parent) == before
    return caught.value.message


@pytest.mark.parametrize("compression", [0, ZIP_DEFLATED])
def test_zip_is_unpacked_as_it_was_packed(tmp_path: Path, compression: int) -> None:
    members = {"job.yaml": JOB, "a.png": bytes(3 * 4096), "refs/deep/b.png": b"b", "empty.txt": b""}

    assert unpack(write_zip(tmp_path, zipped(members, compression)), tmp_path / "out") == members


def test_ignored_names_and_folders_are_passed_over(tmp_path: Path) -> None:
    data = zipped({"job.yaml": JOB, "refs/": b"", "refs/a.png": b"a", ".DS_Store": b"x", "refs/.b": b"x"})

    assert set(unpack(write_zip(tmp_path, data), tmp_path / "out")) == {"job.yaml", "refs/a.png"}


def test_what_lay_in_the_target_is_gone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "job.yaml").write_bytes(b"half of an earlier try")

    assert unpack(write_zip(tmp_path, zipped({"job.yaml": JOB})), tmp_path / "out") == {"job.yaml": JOB}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("/etc/x", "absolute"),
        ("//server/x", "absolute"),
        ("C:/x", "drive letter"),
        ("c:x", "drive letter"),
        ("refs\\a.png", "backslashes"),
        ("..\\a.png", "backslashes"),
        ("../x", "`..`"),
        ("refs/../../x", "`..`"),
        ("refs/..", "`..`"),
        ("refs/../", "`..`"),
        ("a\0.png", "control characters"),
        ("a\n.png", "control characters"),
        ("a\x9b.png", "control characters"),
        ("ä" * 128, "too long"),
        ("/".join("d" * 34), "folders deep"),
    ],
)
def test_name_that_may_lead_elsewhere_is_refused(tmp_path: Path, name: str, said: str) -> None:
    message = refusal(write_zip(tmp_path, zipped({"job.yaml": JOB, name: b"x"})), tmp_path / "out")

    assert said in message
    assert message.isprintable()


def test_path_that_is_too_long_for_the_disk_is_refused(tmp_path: Path) -> None:
    name = "/".join(["d" * 250] * 20)

    assert "No file on this disk" in refusal(write_zip(tmp_path, zipped({name: b"x"})), tmp_path / "out")


@pytest.mark.parametrize(
    "kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK, stat.S_IFDIR]
)
def test_member_that_is_no_file_is_refused(tmp_path: Path, kind: int) -> None:
    data = zipped({"job.yaml": JOB, "a.png": b"/etc/passwd"})

    file = write_zip(tmp_path, patched(data, 1, ATTRIBUTES, "<L", (kind | 0o777) << 16))

    assert "`a.png` in the zip is a link, a device or a pipe" in refusal(file, tmp_path / "out")


@pytest.mark.parametrize("flag", [0x1, 0x41, 0x2000])
def test_encrypted_member_is_refused(tmp_path: Path, flag: int) -> None:
    file = write_zip(tmp_path, patched(zipped({"job.yaml": JOB, "a.png": b"x"}), 1, FLAGS, "<H", flag))

    assert "is encrypted" in refusal(file, tmp_path / "out")


@pytest.mark.parametrize("compression", [ZIP_BZIP2, ZIP_LZMA])
def test_compression_that_may_fill_the_memory_is_refused(tmp_path: Path, compression: int) -> None:
    file = write_zip(tmp_path, zipped({"job.yaml": JOB}, compression))

    assert "compressed in a way that is not read here" in refusal(file, tmp_path / "out")


def test_unknown_compression_is_refused(tmp_path: Path) -> None:
    file = write_zip(tmp_path, patched(zipped({"job.yaml": JOB}), 0, METHOD, "<H", 93))

    assert "compressed in a way" in refusal(file, tmp_path / "out")


@pytest.mark.parametrize("again", ["a.png", "./a.png", ".//a.png"])
def test_same_name_twice_is_refused(tmp_path: Path, again: str) -> None:
    file = write_zip(tmp_path, zipped([("a.png", b"1"), (again, b"2")]))

    assert "twice" in refusal(file, tmp_path / "out")


def test_names_that_differ_in_case_or_accents_are_two_files_or_refused(tmp_path: Path) -> None:
    members = {"a.png": b"1", "A.png": b"2", "\u00fc.png": b"3", "u\u0308.png": b"4"}
    file = write_zip(tmp_path, zipped(members))

    if (tmp_path / "SET.ZIP").exists():
        assert "the same name on this disk" in refusal(file, tmp_path / "out")
    else:
        assert unpack(file, tmp_path / "out") == members


@pytest.mark.parametrize("names", [("a", "a/b"), ("a/b", "a")])
def test_file_that_is_a_folder_too_is_refused(tmp_path: Path, names: tuple[str, str]) -> None:
    file = write_zip(tmp_path, zipped(dict.fromkeys(names, b"x")))

    assert "a file and a folder at once" in refusal(file, tmp_path / "out")


def test_utf8_names_without_their_mark_are_read_as_what_they_are(tmp_path: Path) -> None:
    name = "Küste.png"
    data = zipped({"K__ste.png": b"x", "Kuste.png": b"y"}).replace(b"K__ste.png", name.encode())

    assert set(unpack(write_zip(tmp_path, data), tmp_path / "out")) == {name, "Kuste.png"}


def test_old_names_are_read_as_the_old_code_page(tmp_path: Path) -> None:
    data = zipped({"K_ste.png": b"x"}).replace(b"K_ste.png", "Küste.png".encode("cp437"))

    assert set(unpack(write_zip(tmp_path, data), tmp_path / "out")) == {"Küste.png"}


def test_as_many_bytes_as_allowed_are_unpacked_and_not_one_more(tmp_path: Path) -> None:
    file = write_zip(tmp_path, zipped({"a": bytes(600), "b": bytes(400)}))

    assert len(unpack(file, tmp_path / "out", 1000)) == 2
    (tmp_path / "out" / "a").unlink()
    (tmp_path / "out" / "b").unlink()
    (tmp_path / "out").rmdir()
    assert "more than it may" in refusal(file, tmp_path / "out", 999)


def test_sizes_that_headers_claim_do_not_matter(tmp_path: Path) -> None:
    """Less is claimed than is there: no more than that is read, and the checksum does not fit."""
    data = zipped({"a": bytes(100 * 1000)}, ZIP_DEFLATED)

    message = refusal(write_zip(tmp_path, patched(data, 0, SIZE, "<L", 10)), tmp_path / "out", 1000)

    assert "damaged" in message


def test_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    """Layers of zips in zips are no concern: each is a file. One layer is limited by its size."""
    bomb = zipped({str(number): bytes(10 * MIB) for number in range(8)}, ZIP_DEFLATED)
    assert len(bomb) < 100_000

    tracemalloc.start()
    try:
        message = refusal(write_zip(tmp_path, bomb), tmp_path / "out")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert "more than it may" in message
    assert peak < 2 * MIB


def test_bomb_below_the_limit_is_refused_by_how_well_it_is_packed(tmp_path: Path) -> None:
    file = write_zip(tmp_path, zipped({"a": bytes(65 * MIB)}, ZIP_DEFLATED))

    assert "100 times its size" in refusal(file, tmp_path / "out", 1000 * MIB)


def test_large_members_are_streamed(tmp_path: Path) -> None:
    file = write_zip(tmp_path, zipped({"a": bytes(64 * MIB)}, ZIP_DEFLATED))

    tracemalloc.start()
    try:
        with open_zip(file, max_bytes=64 * MIB, is_ignored=lambda path: False) as archive:
            archive.unpack(TOP, tmp_path / "out", 64 * MIB)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert (tmp_path / "out" / "a").stat().st_size == 64 * MIB
    assert peak < 8 * MIB


def test_start_of_a_member_is_read_and_no_more(tmp_path: Path) -> None:
    file = write_zip(tmp_path, zipped({"job.yaml": bytes(MIB)}, ZIP_DEFLATED))

    with open_zip(file, max_bytes=2 * MIB, is_ignored=lambda path: False) as archive:
        assert archive.read(PurePosixPath("job.yaml"), 1000) == bytes(1000)
        assert archive.read(PurePosixPath("job.yaml"), 2 * MIB) == bytes(MIB)


def test_members_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    data = zipped({"a": bytes(5000), "b": bytes(5000)}, ZIP_DEFLATED)

    file = write_zip(tmp_path, patched(data, 1, OFFSET, "<L", 0))

    assert "overlap" in refusal(file, tmp_path / "out")


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    data = zipped({str(number): b"" for number in range(MAX_MEMBERS + 1)})

    assert "more than 10,000" in refusal(write_zip(tmp_path, data), tmp_path / "out")


def test_too_many_folders_are_refused(tmp_path: Path) -> None:
    members = {f"{number}/" + "/".join("d" * 30) + "/a": b"" for number in range(400)}

    assert "more than 10,000" in refusal(write_zip(tmp_path, zipped(members)), tmp_path / "out")


def test_table_of_contents_is_never_read_whole_however_large_it_claims_to_be(tmp_path: Path) -> None:
    """A sparse file of 3 GiB that says that all of it is the table."""
    claimed = 3 * 1024 * MIB
    file = tmp_path / "set.zip"
    with file.open("wb") as stream:
        stream.seek(claimed)
        stream.write(b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, 1, 1, claimed, 0, 0))

    tracemalloc.start()
    try:
        with pytest.raises(JobFileError, match="table of contents is too large"):
            unpack(file, tmp_path / "out")
        assert tracemalloc.get_traced_memory()[1] < 2 * MIB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "data",
    [b"", b"endpointKey: x\n", b"PK", b"PK\x03\x04" + bytes(100), bytes(100_000)],
)
def test_what_is_no_zip_is_refused(tmp_path: Path, data: bytes) -> None:
    assert "no zip at all" in refusal(write_zip(tmp_path, data), tmp_path / "out")


def test_no_part_of_a_zip_is_taken_for_the_whole(tmp_path: Path) -> None:
    data = zipped({"job.yaml": JOB, "a.png": bytes(range(256)) * 8}, ZIP_DEFLATED)

    for length in range(len(data)):
        refusal(write_zip(tmp_path, data[:length]), tmp_path / "out")


def test_changed_bytes_of_a_member_are_noticed(tmp_path: Path) -> None:
    data = zipped({"job.yaml": JOB, "a.png": b"picture"}).replace(b"picture", b"Picture")

    assert "damaged" in refusal(write_zip(tmp_path, data), tmp_path / "out")


def test_link_to_a_zip_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "link.zip").symlink_to(write_zip(tmp_path, zipped({"job.yaml": JOB})))

    with pytest.raises(Exception, match="not a regular file"):
        unpack(tmp_path / "link.zip", tmp_path / "out")


def test_disk_that_takes_no_files_is_not_the_fault_of_the_zip(tmp_path: Path) -> None:
    file = write_zip(tmp_path, zipped({"a": b"x"}))

    with pytest.raises(OSError, match="/dev/null") as caught:
        unpack(file, Path("/dev/null/out"))

    assert caught.value.errno == errno.ENOTDIR


_SOUND = [
    zipped({"job.yaml": JOB, "refs/a.png": bytes(range(256)), "b.png": b"b" * 700}, compression)
    for compression in (0, ZIP_DEFLATED)
]


@settings(max_examples=400)
@given(
    which=st.sampled_from(_SOUND),
    damage=st.lists(
        st.tuples(st.integers(0, 2000), st.sampled_from(["set", "cut", "insert"]), st.binary(max_size=8)),
        min_size=1,
        max_size=6,
    ),
)
@example(which=_SOUND[0], damage=[(0, "cut", b"")])
def test_damage_leads_to_a_refusal_or_to_files_in_the_target_only(
    which: bytes, damage: list[tuple[int, str, bytes]]
) -> None:
    data = bytearray(which)
    for number, kind, piece in damage:
        place = number % (len(data) + 1)
        if kind == "set":
            data[place : place + len(piece)] = piece
        elif kind == "insert":
            data[place:place] = piece
        else:
            del data[place : place + len(piece) * 9 + 1]

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = write_zip(folder, bytes(data))
        try:
            unpack(file, folder / "out", 1000)
        except JobFileError as refused:
            assert [each.code for each in refused.problems] == ["job.bundle_refused"]  # noqa: PT017
            assert not (folder / "out").exists()
        assert {each.name for each in folder.iterdir()} <= {"set.zip", "out"}
        assert sum(map(len, contents(folder / "out").values())) <= 1000
        assert not any(each.is_symlink() for each in folder.rglob("*"))


def test_empty_zip_is_sound_and_holds_nothing(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    ZipFile(buffer, "w").close()

    assert unpack(write_zip(tmp_path, buffer.getvalue()), tmp_path / "out") == {}
