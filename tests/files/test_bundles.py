"""Bundles: one job file and its references as one thing, whatever else somebody put into it."""

from __future__ import annotations

import os
import socket
from pathlib import Path, PurePosixPath

import pytest

from hotfolder.domain.document import format_of
from hotfolder.errors import JobFileError, LibraryError
from hotfolder.files.bundles import BundleRules, find_missing, missing_references, open_member, read_bundle
from tests.files.zipping import JOB, write_zip, zipped


def is_ignored(path: PurePosixPath) -> bool:
    return path.name.startswith(".") or "__MACOSX" in path.parts


def is_job_file(name: PurePosixPath) -> bool:
    return format_of(str(name)) is not None


RULES = BundleRules(max_bytes=10_000, max_job_bytes=100, is_job_file=is_job_file, is_ignored=is_ignored)


def lay_out(folder: Path, members: dict[str, bytes]) -> Path:
    for name, data in members.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def made(kind: str, tmp_path: Path, members: dict[str, bytes]) -> Path:
    if kind == "zip":
        return write_zip(tmp_path, zipped(members))
    return lay_out(tmp_path / "set.job", members)


def refusal(path: Path) -> str:
    with pytest.raises(JobFileError) as caught:
        read_bundle(path, RULES)
    assert caught.value.code == "job.bundle_refused"
    assert caught.value.hint
    return caught.value.message


both = pytest.mark.parametrize("kind", ["zip", "folder"])


@both
@pytest.mark.parametrize("base", ["", "spring set/"])
def test_job_file_is_read_and_its_references_lie_where_it_says(kind: str, base: str, tmp_path: Path) -> None:
    """At the top, or in the only folder: packing a folder gives a zip that holds just that."""
    path = made(kind, tmp_path, {f"{base}job.yaml": JOB, f"{base}a.png": b"a", f"{base}refs/b.png": b"b"})

    bundle = read_bundle(path, RULES)
    folder = bundle.unpack(tmp_path / "out")

    assert (bundle.job_file, bundle.data) == (PurePosixPath(f"{base}job.yaml"), JOB)
    assert (folder / "a.png").read_bytes() == b"a"
    assert (folder / "refs" / "b.png").read_bytes() == b"b"
    assert (folder == tmp_path / "out") == (kind == "zip")


@both
def test_what_systems_leave_behind_does_not_count(kind: str, tmp_path: Path) -> None:
    junk = {
        "__MACOSX/set/._job.yaml": b"x",
        "__MACOSX/job.yaml": b"x",
        ".DS_Store": b"x",
        "set/.old.yaml": b"x",
    }

    bundle = read_bundle(made(kind, tmp_path, {"set/job.yaml": JOB, "set/a.png": b"a"} | junk), RULES)

    assert bundle.job_file == PurePosixPath("set/job.yaml")


@both
def test_job_file_at_the_top_is_the_one_even_if_others_lie_deeper(kind: str, tmp_path: Path) -> None:
    path = made(kind, tmp_path, {"job.json": b"{}", "refs/a.json": b"{}", "refs/b.yaml": b"b"})

    assert read_bundle(path, RULES).job_file.name == "job.json"


@both
@pytest.mark.parametrize(
    "members",
    [{}, {"a.png": b"a"}, {"one/a.png": b"a", "two/job.yaml": JOB}, {"one/two/job.yaml": JOB}],
)
def test_bundle_without_a_job_file_is_refused(kind: str, members: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "set.job").mkdir()

    assert refusal(made(kind, tmp_path, members)) == "The bundle holds no job file."


@both
@pytest.mark.parametrize("base", ["", "set/"])
def test_bundle_with_two_job_files_is_refused_and_they_are_named(
    kind: str, base: str, tmp_path: Path
) -> None:
    path = made(kind, tmp_path, {f"{base}b.yaml": JOB, f"{base}a.json": b"{}"})

    assert "2 job files (`a.json`, `b.yaml`)" in refusal(path)


@both
def test_bundle_of_more_bytes_than_allowed_is_refused(kind: str, tmp_path: Path) -> None:
    fits = {"job.yaml": JOB, "a.png": bytes(10_000 - len(JOB))}
    read_bundle(made(kind, tmp_path, fits), RULES)

    assert "more than it may" in refusal(made(kind, tmp_path, fits | {"b.png": b"1"}))


@both
def test_too_large_a_job_file_is_read_just_far_enough_to_tell(kind: str, tmp_path: Path) -> None:
    path = made(kind, tmp_path, {"job.yaml": bytes(9000)})

    assert len(read_bundle(path, RULES).data) == RULES.max_job_bytes + 1


@both
def test_deep_folders_are_refused(kind: str, tmp_path: Path) -> None:
    path = made(kind, tmp_path, {"job.yaml": JOB, "d/" * 33 + "a.png": b"a"})

    assert "folders deep" in refusal(path)


@both
def test_bundle_that_is_gone_is_the_systems_error(kind: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_bundle(tmp_path / "gone.zip", RULES)


def test_zip_that_changed_after_it_was_read_is_checked_again(tmp_path: Path) -> None:
    bundle = read_bundle(write_zip(tmp_path, zipped({"job.yaml": JOB})), RULES)
    write_zip(tmp_path, zipped({"job.yaml": JOB, "../a.png": b"a"}))

    with pytest.raises(JobFileError, match=r"`\.\.`"):
        bundle.unpack(tmp_path / "out")

    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("target", ["a.png", "/etc/passwd", "gone", "."])
@pytest.mark.parametrize("place", ["link.png", "refs/link.png", "job.yaml"])
def test_link_in_a_folder_is_refused_wherever_it_leads(target: str, place: str, tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "set.job", {"other.yaml": JOB, "a.png": b"a", "refs/b.png": b"b"})
    (folder / place).symlink_to(target)

    assert f"`{place}` in the bundle is a link" in refusal(folder)


def test_pipe_and_socket_in_a_folder_are_refused_without_waiting_for_them(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "set.job", {"a.png": b"a"})
    os.mkfifo(folder / "job.yaml")
    assert "`job.yaml` in the bundle is a link, a device or a pipe" in refusal(folder)

    (folder / "job.yaml").unlink()
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(folder / "s"))
        assert "`s` in the bundle" in refusal(folder)


def test_lock_link_of_an_editor_is_no_reason_to_refuse(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "set.job", {"job.yaml": JOB})
    (folder / ".#job.yaml").symlink_to("anna@studio.1234")

    assert read_bundle(folder, RULES).data == JOB


def test_sparse_file_counts_with_its_whole_length(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "set.job", {"job.yaml": JOB})
    with (folder / "a.png").open("wb") as stream:
        stream.truncate(20_000)

    assert "more than it may" in refusal(folder)


def test_folder_of_too_many_names_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hotfolder.files.bundles.MAX_MEMBERS", 5)
    folder = lay_out(tmp_path / "set.job", {"job.yaml": JOB, "a/b/c/d/e/x.png": b"x"})

    assert "more than 10,000" in refusal(folder)


def test_names_that_are_no_text_can_be_told(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "set.job", {"job.yaml": JOB})
    (folder / os.fsdecode(b"\xff\x1b.png")).symlink_to("x")

    refusal(folder).encode("utf-8")
    assert "\x1b" not in refusal(folder)


def test_job_file_that_became_a_link_is_not_followed(tmp_path: Path) -> None:
    """It is checked when the folder is listed, and once more when it is opened."""
    folder = lay_out(tmp_path / "set.job", {"job.yaml": JOB})

    def swap(name: PurePosixPath) -> bool:
        (folder / name).unlink()
        (folder / name).symlink_to("/etc/passwd")
        return True

    with pytest.raises(LibraryError, match="not a regular file"):
        read_bundle(folder, BundleRules(10_000, 100, swap, is_ignored))


def test_bundle_that_is_still_being_copied_misses_what_its_job_names(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "set.job", {"set/b.png": b"b"})
    assert find_missing(folder, RULES) is None

    lay_out(folder, {"set/job.yaml": b"refs:\n  - ./a.png\n  - {path: refs/c.png, role: x}\n  - b.png\n"})
    assert find_missing(folder, RULES) == ["./a.png", "refs/c.png"]

    lay_out(folder, {"set/a.png": b"a", "set/refs/c.png": b"c"})
    assert find_missing(folder, RULES) == []


def test_bundle_in_copy_misses_what_its_job_names_above_itself(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "set.job", {"inner/job.yaml": b"refs: [../a.png, ../../b.png, ../inner/]\n"})
    assert find_missing(folder, RULES) == ["../a.png"]

    lay_out(folder, {"a.png": b"a"})
    assert find_missing(folder, RULES) == []


@pytest.mark.parametrize("part", ["refs", "refs/deep", "."])
def test_folder_that_became_a_link_leads_to_no_file_of_the_bundle(tmp_path: Path, part: str) -> None:
    folder = lay_out(tmp_path / "set.job", {"refs/deep/a.png": b"ours"})
    outside = lay_out(tmp_path / "outside", {"a.png": b"x", "deep/a.png": b"x", "refs/deep/a.png": b"x"})
    with open_member(folder, PurePosixPath("refs/deep/a.png")) as stream:
        assert stream.read() == b"ours"

    (folder / part).rename(tmp_path / "old")
    (tmp_path / "set.job" / part).symlink_to(outside)

    with pytest.raises(OSError, match=r"Not a directory|symbolic links"):
        open_member(folder, PurePosixPath("refs/deep/a.png"))
    with pytest.raises((OSError, JobFileError, LibraryError)):
        read_bundle(folder, RULES)


@pytest.mark.parametrize(
    "members",
    [
        {"job.yaml": b"refs: [a.png\n"},
        {"job.yaml": b"\xff"},
        {"job.yaml": b"refs: a.png\n"},
        {"job.yaml": b"# " + b"x" * 100 + b"\nrefs: [a.png]\n"},
        {"job.yaml": b"refs: [a.png]\n", "job.json": b"{}"},
    ],
)
def test_bundle_that_will_be_refused_misses_nothing(members: dict[str, bytes], tmp_path: Path) -> None:
    assert find_missing(lay_out(tmp_path / "set.job", members), RULES) == []


def test_folder_that_holds_a_link_misses_nothing_for_it_is_refused(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "set.job", {"job.yaml": JOB})
    (folder / "link").symlink_to("a.png")

    assert find_missing(folder, RULES) == []


@pytest.mark.parametrize(
    "elsewhere", ["../a.png", "/a.png", "~/a.png", "refs/../../a.png", ".", "", "{media: m}", "~", "[a.png]"]
)
def test_reference_that_lies_elsewhere_is_not_waited_for_here(elsewhere: str) -> None:
    quoted = elsewhere if elsewhere[:1] in ("{", "[", "~") and elsewhere != "~/a.png" else f"'{elsewhere}'"

    assert missing_references(f"refs: [{quoted}]\n".encode(), PurePosixPath("job.yaml"), []) == []


@pytest.mark.parametrize(
    ("written", "there"),
    [
        ("./refs//a.png", "refs/a.png"),
        ("x/../a.png", "a.png"),
        ("Küste.PNG", "ku\u0308ste.png"),
        ("2026", "2026"),
    ],
)
def test_reference_is_there_under_a_name_that_is_alike(written: str, there: str) -> None:
    data = f"refs: [{written}]\n".encode()

    assert missing_references(data, PurePosixPath("job.yaml"), [PurePosixPath(there)]) == []
    assert missing_references(data, PurePosixPath("job.yaml"), [PurePosixPath("other.png")]) == [written]


def test_every_job_of_the_file_is_asked_once(tmp_path: Path) -> None:
    data = b'[{"refs": ["a", "b"]}, {"refs": ["b"]}]'

    assert missing_references(data, PurePosixPath("j.json"), []) == ["a", "b"]
