"""File names: free ones, fitting ones, and those of claimed job files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.files.names import claim_name, free_name, parse_claim_name

JOB_ID = "0199aa00-1111-7abc-8def-0123456789ab"

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

    (listed,) = (path.name for path in tmp_path.iterdir())

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
