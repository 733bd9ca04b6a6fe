"""The jobs of pictures and of texts that are dropped into a recipe folder."""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.domain.document import parse_documents, to_plain
from hotfolder.domain.recipe_jobs import MAX_LINE_CHARACTERS, job_of_picture, jobs_of_lines
from hotfolder.errors import JobFileError

_NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1)


def _prompts(text: str) -> list[object]:
    return [json.loads(each)["params"]["prompt"] for each in jobs_of_lines(text.encode())]


def _problems(data: bytes) -> list[tuple[str, int | None]]:
    with pytest.raises(JobFileError) as caught:
        jobs_of_lines(data)
    return [(each.code, each.line) for each in caught.value.problems]


@given(name=_NAMES)
def test_job_of_a_picture_names_it_whatever_its_name_is(name: str) -> None:
    (node,) = parse_documents(job_of_picture(name), "json")

    assert to_plain(node) == {"refs": [f"./{name}"]}


def test_job_of_a_picture_can_be_read_by_people() -> None:
    assert job_of_picture("Türe 1.png").decode() == '{"refs": ["./Türe 1.png"]}\n'


def test_picture_whose_name_is_not_utf8_is_refused_with_a_name_that_can_be_shown() -> None:
    with pytest.raises(JobFileError) as caught:
        job_of_picture(os.fsdecode(b"a\xff.png"))

    assert caught.value.code == "job.ref_refused"
    assert "`a?.png`" in caught.value.message


def test_each_line_of_a_text_is_the_prompt_of_a_job() -> None:
    assert _prompts('A bay\n\n  A {hill} # 2  \n# a note\n \t\n  # another\nTürme: "a"') == [
        "A bay",
        "A {hill} # 2",
        'Türme: "a"',
    ]


def test_byte_order_mark_and_line_ends_of_other_systems_are_no_part_of_a_prompt() -> None:
    assert _prompts("\ufeffA bay\r\nA hill\rA wood\r\n") == ["A bay", "A hill", "A wood"]
    assert _prompts("A bay\u2028and a hill\n") == ["A bay\u2028and a hill"]


@given(prompt=st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"])))
def test_line_becomes_a_job_with_that_prompt_and_nothing_else(prompt: str) -> None:
    kept = prompt.removeprefix("\ufeff").strip()
    if not kept or kept.startswith("#"):
        return

    (data,) = jobs_of_lines(prompt.encode())

    (node,) = parse_documents(data, "json")
    assert to_plain(node) == {"params": {"prompt": kept}}


@pytest.mark.parametrize("data", [b"", b"\n \n# only a note\n", b"\xef\xbb\xbf"])
def test_text_without_a_prompt_is_refused(data: bytes) -> None:
    assert _problems(data) == [("job.parse", 1)]


def test_text_that_is_not_utf8_is_refused_with_its_line() -> None:
    assert _problems("A bay\nT\xfcr\n".encode("latin-1")) == [("job.parse", 2)]
    assert _problems("A bay\n".encode("utf-16")) == [("job.parse", 1)]


def test_all_faulty_lines_are_told_at_once() -> None:
    line = "x" * (MAX_LINE_CHARACTERS + 1)

    assert _problems(f"# {line}\nok\n{line}\n\na\0b\n{line}\n".encode()) == [
        ("job.too_large", 3),
        ("job.parse", 5),
        ("job.too_large", 6),
    ]
    assert len(_prompts(line[1:])) == 1


def test_text_with_more_lines_than_a_file_may_hold_jobs_is_refused_at_the_first_too_many() -> None:
    assert len(_prompts("x\n" * 256)) == 256
    assert _problems(b"# a note\n" + b"x\n" * 257) == [("job.too_large", 258)]


def test_text_of_more_than_a_mebibyte_is_refused_unread() -> None:
    assert _problems(b"x\n" * 524_289) == [("job.too_large", 1)]
