"""Which file system a path lies on, and whether it tells what others change."""

from __future__ import annotations

import os
from pathlib import PurePosixPath

import pytest

from hotfolder.watchers.mounts import Mounts, load_mounts

# A root, disks with blanks in their names, a share inside a local folder, mounts that hide others.
TEXT = """\
30 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw
25 30 0:23 / /proc rw,nosuid shared:12 - proc proc rw
91 30 0:52 / /srv/my\\040nas rw,relatime shared:50 master:3 - nfs4 nas:/share rw,vers=4.2
92 30 8:17 /photos /srv/hot/disk rw - fuseblk /dev/sdb1 rw
93 30 0:60 / /srv/hot/share rw - cifs //nas/share rw
94 93 0:61 / /srv/hot/share/scratch rw - tmpfs tmpfs rw
95 30 0:62 / /srv/hot2 rw - fuse.sshfs host: rw
96 30 0:63 / /srv/again rw - nfs nas:/a rw
97 96 8:18 / /srv/again rw - ext4 /dev/sdc1 rw
98 30 0:64 / /srv/hidden/deep rw - 9p host rw
99 30 8:19 / /srv/hidden rw - ext4 /dev/sdd1 rw
80 30 0:52 /part /srv/bound rw - nfs4 nas:/share rw
81 30 0:70 / /srv/back\\134slash\\011tab rw - virtiofs box rw
nonsense
82 x 0:1 / /bad rw - nfs nas rw
"""


def _is_silent(path: str) -> bool:
    return Mounts.parse(TEXT).is_silent(PurePosixPath(path))


@pytest.mark.parametrize(
    "path",
    [
        "/srv/my nas/inbox",
        "/srv/my nas",
        "/srv/hot/share/a.yaml",
        "/srv/hot2/a.yaml",
        "/srv/bound/x",
        "/srv/back\\slash\ttab",
    ],
)
def test_file_on_a_share_may_change_unheard(path: str) -> None:
    assert _is_silent(path)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/srv/hot/a.yaml",
        "/srv/hot/disk/a.yaml",  # a disk of this machine behind FUSE
        "/srv/hot/shared",  # no more than a similar name
        "/srv/hot/share/scratch/a.yaml",  # a local disk inside a share
        "/bad",
    ],
)
def test_changes_on_a_disk_of_this_machine_are_heard(path: str) -> None:
    assert not _is_silent(path)


def test_later_mount_on_the_same_place_hides_the_earlier_one() -> None:
    assert not _is_silent("/srv/again/a.yaml")


def test_mount_further_in_is_hidden_by_one_made_above_it() -> None:
    assert not _is_silent("/srv/hidden/deep/a.yaml")


def test_silent_mounts_inside_a_folder_are_listed_without_hidden_ones() -> None:
    mounts = Mounts.parse(TEXT)
    assert [str(each.point) for each in mounts.list_silent_below(PurePosixPath("/srv/hot"))] == [
        "/srv/hot/share"
    ]
    assert mounts.list_silent_below(PurePosixPath("/srv/hidden")) == []
    assert mounts.list_silent_below(PurePosixPath("/srv/hot/share")) == []


@pytest.mark.parametrize(
    "kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "virtiofs", "vboxsf", "drvfs", "prl_fs", "fuse.rclone"]
)
def test_file_systems_of_others_are_silent(kind: str) -> None:
    mounts = Mounts.parse(f"1 0 8:1 / / rw - ext4 d rw\n2 1 0:9 / /in rw - {kind} there rw\n")
    assert mounts.is_silent(PurePosixPath("/in/a.yaml"))


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "tmpfs", "overlay", "fuseblk", "zfs"])
def test_file_systems_of_this_machine_are_not_silent(kind: str) -> None:
    mounts = Mounts.parse(f"1 0 8:1 / / rw - ext4 d rw\n2 1 0:9 / /in rw - {kind} here rw\n")
    assert not mounts.is_silent(PurePosixPath("/in/a.yaml"))


def test_path_that_no_mount_holds_is_not_silent() -> None:
    assert Mounts.parse("").of_path(PurePosixPath("/a")) is None
    assert not Mounts.parse("").is_silent(PurePosixPath("/a"))


def test_root_below_a_mount_that_is_not_shown_is_found() -> None:
    mounts = Mounts.parse("2 99 0:9 / / rw - ext4 d rw\n3 2 0:8 / /in rw - nfs d rw\n")
    assert mounts.is_silent(PurePosixPath("/in/a"))


@pytest.mark.parametrize(
    ("major", "minor", "name"), [(0, 52, "nfs4"), (254, 1, "ext4"), (0, 5, None), (25, 30, None)]
)
def test_file_system_of_a_device_is_named_by_its_mount(major: int, minor: int, name: str | None) -> None:
    assert Mounts.parse(TEXT).file_system_of(os.makedev(major, minor)) == name


def test_mounts_of_this_machine_hold_its_files() -> None:
    mounts = load_mounts()
    assert not mounts.lines or mounts.of_path(PurePosixPath("/")) is not None
