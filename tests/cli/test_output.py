"""Nothing that others name may steer a terminal, forge a line or break the JSON."""

from __future__ import annotations

import json

import pytest

from hotfolder.cli.output import (
    format_problem,
    one_line,
    print_json,
    print_table,
    printable,
    report_error,
    say,
)
from hotfolder.errors import HotfolderError, JobFileError, Problem

EVIL = "a\x1b]0;title\x07b\x9b31mc\x7fd\u202ee\udcff"


def test_control_characters_become_marks_and_other_writing_stays() -> None:
    assert printable(EVIL) == "a�]0;title�b�31mc�d�e�"
    friendly = "Ölmühle 日本 👩‍🚀 10\u202f45\u00a0Uhr\n\tשלם"
    assert printable(friendly) == friendly


def test_name_with_a_line_break_cannot_pass_for_two_lines() -> None:
    assert one_line("a\nError: b\tc") == "a�Error: b c"


def test_sentence_and_error_and_table_are_cleaned(capsys: pytest.CaptureFixture[str]) -> None:
    say(EVIL)
    report_error(HotfolderError(EVIL, hint=EVIL))
    report_error(JobFileError([Problem("job.parse", EVIL, EVIL, 1, 2)]))
    print_table(("Name",), [(EVIL,)])

    out, err = capsys.readouterr()
    assert not set("\x1b\x07\x9b\x7f\u202e\udcff") & set(out + err)
    assert (out + err).count("title") == 6


def test_json_escapes_what_would_steer_a_terminal_and_means_the_same(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_json({"name": EVIL, "Ö": ["日本", None, 1.5]})

    out = capsys.readouterr().out
    assert json.loads(out) == {"name": EVIL, "Ö": ["日本", None, 1.5]}
    assert not set("\x1b\x07\x9b\x7f\u202e\udcff") & set(out)
    assert "日本" in out


def test_square_brackets_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("Name",), [("[bold]x[/nonsense]",)])

    assert "[bold]x[/nonsense]" in capsys.readouterr().out


def test_line_of_a_piped_table_is_never_broken(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("Name", "Long"), [("a", "word " * 100), ("b", None)])

    assert len(capsys.readouterr().out.splitlines()) == 3


def test_empty_table_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("Name",), [], "No jobs.")

    assert capsys.readouterr().out == "No jobs.\n"


@pytest.mark.parametrize(
    ("name", "line", "text"),
    [
        ("a.yaml", 3, "a.yaml:3:7: Wrong. [job.invalid]\n    Do this."),
        ("a.yaml", None, "a.yaml: Wrong. [job.invalid]\n    Do this."),
        ("", 3, "3:7: Wrong. [job.invalid]\n    Do this."),
        ("", None, "Wrong. [job.invalid]\n    Do this."),
    ],
)
def test_problem_is_written_as_editors_read_it(name: str, line: int | None, text: str) -> None:
    assert format_problem(Problem("job.invalid", "Wrong.", "Do this.", line, 7), name) == text
