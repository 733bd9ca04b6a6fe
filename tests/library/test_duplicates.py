"""Pictures with the same content, or that look alike, are told in groups until somebody dismisses them."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from hotfolder.files.likeness import NEAR_BITS, count_differing
from hotfolder.files.paths import LibraryPaths
from hotfolder.library.duplicates import GROUP_MAX, DuplicateFinder, DuplicateStore, choose_best
from hotfolder.library.media import MediaStore
from tests.library.test_media import PICTURE
from tests.pictures import write_png

HASH = 0x0F33_5A3C_6996_C35A


@pytest.fixture
def duplicates(database):
    return DuplicateStore(database)


@pytest.fixture
def finder(database, tmp_path):
    return DuplicateFinder(database, LibraryPaths(tmp_path))


@pytest.fixture
def add(database, finder):
    """Adds a picture of this hash, and compares it."""

    def insert(media_id, phash=None, **values):
        path = f"originals/{media_id}.png"
        values = {"sha256": media_id, "pixel_sha256": None, "file_path": path, **values}
        with database.transaction() as tx:
            MediaStore(database).insert(tx, replace(PICTURE, media_id=media_id, **values), [])
            tx.execute("UPDATE media SET phash = ? WHERE id = ?", (phash, media_id))
        finder.fill_some(10)

    return insert


def ids_of(page):
    return [[each.media_id for each in group.items] for group in page.groups]


def list_all(duplicates, kind, *, is_reviewed=False):
    return ids_of(duplicates.list_groups(kind, before=None, limit=50, is_reviewed=is_reviewed))


def flip(phash, *bits):
    for bit in bits:
        phash ^= -(1 << 63) if bit == 63 else 1 << bit
    return phash


def test_pictures_of_the_same_pixels_or_the_same_file_are_one_group(duplicates, add):
    add("m0", pixel_sha256="p")
    add("m1", pixel_sha256="q", sha256="s")
    add("m2", pixel_sha256="p")
    add("m3", sha256="s")
    add("m4", pixel_sha256="p")

    assert list_all(duplicates, "same") == [["m4", "m2", "m0"], ["m3", "m1"]]
    assert list_all(duplicates, "near") == []


def test_pictures_of_which_four_bits_differ_are_near_and_of_which_five_are_not(duplicates, add):
    add("m0", HASH)
    add("m1", flip(HASH, 0, 17, 30, 63))  # each in a part of its own
    add("m2", flip(HASH, 1, 2, 3, 4, 5))

    assert list_all(duplicates, "near") == [["m1", "m0"]]
    assert list_all(duplicates, "same") == []


def test_no_pair_within_reach_is_missed_wherever_its_bits_lie(duplicates, add):
    draw = random.Random(7)
    for number in range(60):
        far = draw.getrandbits(64) - 2**63
        add(f"a{number:02}", far)
        add(f"b{number:02}", flip(far, *draw.sample(range(64), NEAR_BITS)))

    found = {tuple(each) for each in list_all(duplicates, "near")}

    assert len(found) == 50  # as many as a page holds
    assert found == {(f"b{number:02}", f"a{number:02}") for number in range(10, 60)}


def test_same_content_is_no_near_duplicate_of_itself(duplicates, add):
    add("m0", HASH, pixel_sha256="p")
    add("m1", HASH, pixel_sha256="p")
    add("m2", flip(HASH, 1))

    assert list_all(duplicates, "same") == [["m1", "m0"]]
    assert list_all(duplicates, "near") == [["m2", "m1", "m0"]]


def test_plain_pictures_are_no_suggestion(duplicates, add):
    for number, phash in enumerate((0, 0, 3, -1, -1)):
        add(f"m{number}", phash)

    assert list_all(duplicates, "near") == []


def test_trash_leaves_a_group_and_comes_back_to_it(duplicates, add, database):
    for number in range(3):
        add(f"m{number}", HASH)
    mark = "UPDATE media SET deleted_at = ? WHERE id IN ('m2', 'm1')"

    with database.transaction() as tx:
        tx.execute(mark, (tx.at,))
    assert list_all(duplicates, "near") == []

    with database.transaction() as tx:
        tx.execute(mark, (None,))
    assert list_all(duplicates, "near") == [["m2", "m1", "m0"]]


def test_visitor_sees_no_picture_that_awaits_its_review(duplicates, add):
    add("m0", HASH)
    add("m1", HASH)
    add("m2", HASH, review="awaiting")
    add("m3", flip(HASH, *range(20)), review="awaiting")
    add("m4", flip(HASH, *range(20)))

    assert list_all(duplicates, "near") == [["m4", "m3"], ["m2", "m1", "m0"]]
    assert list_all(duplicates, "near", is_reviewed=True) == [["m1", "m0"]]


def test_dismissed_pictures_are_told_no_more_but_with_others(duplicates, add):
    for number in range(3):
        add(f"m{number}", HASH)

    assert duplicates.dismiss(["m2", "m1"]) == 1
    assert duplicates.dismiss(["m2", "m1", "nothing"]) == 0

    assert list_all(duplicates, "near") == [["m2", "m0"], ["m1", "m0"]]
    duplicates.dismiss(["m2", "m1", "m0"])
    assert list_all(duplicates, "near") == []


def test_pages_follow_each_other_without_gap_or_repeat(duplicates, add):
    for number in range(12):
        add(f"m{number:02}", pixel_sha256=f"p{number // 2}")
    found, before = [], None

    while before is not None or not found:
        page = duplicates.list_groups("same", before=before, limit=4, is_reviewed=False)
        found += ids_of(page)
        before = page.next

    assert found == [[f"m{each + 1:02}", f"m{each:02}"] for each in (10, 8, 6, 4, 2, 0)]


def test_crowd_is_told_in_groups_of_a_bearable_size(duplicates, add):
    for number in range(GROUP_MAX + 15):
        add(f"m{number:02}", HASH)

    first = list_all(duplicates, "near")[0]

    assert len(first) == GROUP_MAX
    assert first[:2] == [f"m{GROUP_MAX + 14}", f"m{GROUP_MAX + 13}"]


def test_purged_picture_leaves_nothing_behind(duplicates, add, database):
    for number in range(3):
        add(f"m{number}", -HASH, pixel_sha256="p")

    with database.transaction() as tx:
        tx.execute("DELETE FROM media")

    for table in ("alike", "likeness_bands", "likeness_due"):
        assert database.query(f"SELECT * FROM {table}") == []


def test_picture_is_compared_by_its_thumbnail_once_when_it_has_come(duplicates, finder, database, tmp_path):
    write_png(tmp_path / "thumb.png", (64, 64))
    with database.transaction() as tx:
        for number, thumb in enumerate(("thumb.png", "gone.png")):
            picture = replace(PICTURE, media_id=f"m{number}", file_path=f"{number}", thumb_path=thumb)
            MediaStore(database).insert(tx, picture, [])
    assert duplicates.list_groups("same", before=None, limit=9, is_reviewed=False).pending == 2

    assert finder.fill_some(10) == 2
    assert finder.fill_some(10) == 0

    known, unknown = database.query("SELECT phash FROM media ORDER BY number")
    assert known["phash"] is not None
    assert unknown["phash"] is None  # its thumbnail is gone: compared by its content alone
    page = duplicates.list_groups("same", before=None, limit=9, is_reviewed=False)
    assert (ids_of(page), page.pending) == ([["m1", "m0"]], 0)


def test_one_to_keep_is_the_best_rated_then_the_largest_then_the_oldest():
    later = replace(PICTURE, media_id="later", created_at="2026-11-22T03:00:00.000Z")
    large = replace(later, media_id="large", width=128)
    rated = replace(later, media_id="rated", rating=4)

    assert choose_best([later, large, rated, PICTURE]) is rated
    assert choose_best([later, large, PICTURE]) is large
    assert choose_best([later, PICTURE]) is PICTURE


def test_hashes_differ_in_as_many_bits_as_were_turned():
    assert count_differing(HASH, flip(HASH, 0, 5, 62)) == 3


def test_page_of_groups_is_read_by_keys_alone(database):
    plan = database.query("EXPLAIN QUERY PLAN SELECT number FROM alike WHERE is_near = 1 AND number < 5")

    assert all("SCAN" not in row["detail"] for row in plan)
