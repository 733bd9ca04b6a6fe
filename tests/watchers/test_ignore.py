"""Temporary and system names are left out, everything else is not."""

from __future__ import annotations

import os

import pytest

from hotfolder.watchers.ignore import is_ignored, is_ignored_folder

_TEMPORARY = [
    ".hidden.yaml",
    "._job.yaml",
    ".~lock.job.ods#",
    ".job.yaml.AbC123",
    "~$job.docx",
    "job.yaml~",
    "job.tmp",
    "JOB.TMP",
    "job.yaml.temp",
    "job.part",
    "job.Partial",
    "job.crdownload",
    "job.download",
    "job.filepart",
    "job.!qB",
    "job.aria2",
    "job.swp",
    "job.swx",
    "x.xmp_exiftool_tmp",
    "x.xmp_original",
    "x.icloud",
    ".DS_Store",
    "thumbs.DB",
    "ehthumbs.db",
    "Desktop.ini",
]
_WORK = [
    "job.yaml",
    "job.json",
    "part.yaml",
    "tmp",
    "a.tmp.yaml",
    "desktop.ini.yaml",
    "Übung 1.yml",
    "x~y.json",
]
_SYSTEM_FOLDERS = [
    ".git",
    ".stfolder",
    ".stversions",
    ".Trash-1000",
    ".dropbox.cache",
    "@eaDir",
    "@Recycle",
    "@tmp",
    "#recycle",
    "$RECYCLE.BIN",
    "__MACOSX",
    "lost+found",
    "System Volume Information",
    "set.tmp",
]


@pytest.mark.parametrize("name", _TEMPORARY)
def test_temporary_file_name_is_ignored(name: str) -> None:
    assert is_ignored(name)


@pytest.mark.parametrize("name", _WORK)
def test_ordinary_file_name_is_not_ignored(name: str) -> None:
    assert not is_ignored(name)


@pytest.mark.parametrize("name", _SYSTEM_FOLDERS)
def test_system_folder_is_ignored(name: str) -> None:
    assert is_ignored_folder(name)


@pytest.mark.parametrize("name", ["hold", "upscale-4x", "tmp", "shoot.job", "recycle"])
def test_ordinary_folder_is_not_ignored(name: str) -> None:
    assert not is_ignored_folder(name)


def test_name_that_is_no_text_is_judged_by_its_ending() -> None:
    assert is_ignored(os.fsdecode(b"caf\xe9.TMP"))
    assert not is_ignored(os.fsdecode(b"caf\xe9.yaml"))
