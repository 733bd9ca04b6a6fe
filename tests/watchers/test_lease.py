"""Whether somebody has a file open for writing, asked of a real kernel."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hotfolder.watchers.lease import is_open_for_writing

# A writer opens the file again and again while it is asked about; the kernel then signals who asks.
WRITER = """
import os, sys

for _ in range(20_000):
    os.close(os.open(sys.argv[1], os.O_WRONLY))
"""
ASKER = """
import subprocess, sys
from pathlib import Path
from hotfolder.watchers.lease import is_open_for_writing

path = Path(sys.argv[2])
writer = subprocess.Popen([sys.executable, "-c", sys.argv[1], path])
while writer.poll() is None:
    is_open_for_writing(path)
print(writer.returncode, is_open_for_writing(path))
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.yaml"
    path.write_text("prompt: a")
    return path


@pytest.mark.parametrize("mode", ["ab", "r+b", "wb"])
def test_file_is_open_for_writing_until_its_writer_closes_it(file: Path, mode: str) -> None:
    with file.open(mode):
        assert is_open_for_writing(file)
    assert not is_open_for_writing(file)


def test_reader_is_no_writer(file: Path) -> None:
    with file.open("rb"):
        assert not is_open_for_writing(file)


def test_asking_leaves_no_file_open_and_the_file_as_it_was(file: Path) -> None:
    before, opened = file.stat(), len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    assert not is_open_for_writing(file)
    assert len(os.listdir("/proc/self/fd")) == opened  # noqa: PTH208
    after = file.stat()
    assert (after.st_mtime_ns, after.st_ctime_ns) == (before.st_mtime_ns, before.st_ctime_ns)


def test_what_cannot_be_asked_about_counts_as_closed(tmp_path: Path, file: Path) -> None:
    (tmp_path / "link.yaml").symlink_to(file)
    os.mkfifo(tmp_path / "pipe.yaml")
    with file.open("ab"):
        names = ("missing.yaml", "link.yaml", "pipe.yaml", ".")
        assert [name for name in names if is_open_for_writing(tmp_path / name)] == []


def test_writer_that_comes_while_it_is_asked_ends_neither_process(file: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", ASKER, WRITER, str(file)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (0, "0 False\n"), ended.stderr
