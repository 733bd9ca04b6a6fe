"""libyaml, where PyYAML has it, reads the same as the parser in Python, and large files quickly."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotfolder.domain.document import MAX_BYTES, parse_documents
from hotfolder.domain.node import Node, SourceText, Unreadable
from hotfolder.domain.yaml_document import read_with_libyaml, read_with_pyyaml, read_yaml
from hotfolder.domain.yaml_libyaml import has_libyaml
from hotfolder.domain.yaml_mask import MaskedText, mask_text
from hotfolder.errors import JobFileError, Problem

needs_libyaml = pytest.mark.skipif(not has_libyaml(), reason="PyYAML was built without libyaml")

EXAMPLES = Path(__file__).parents[2] / "example-library"
JOBS = [path.read_text("utf-8") for path in sorted(EXAMPLES.glob("**/*.yaml"))]
# Beyond the size up to which PyYAML decides.
LARGE = "#" * 70_000

# What libyaml refuses and PyYAML does not, by what is then said of it.
STRICTER = (
    "A tab ",  # on a blank line, or behind a dash
    "This escape stands for no character",  # one character as two escapes, as in JSON
    "A space is missing behind this colon",  # {a:[1]}
    "A text cannot start with `",  # [?a], [!a,b]
    "Found `?`",  # {? ?a: b}
    "This is not YAML: ",  # %UNKNOWN, %YAML 1.3
)


def outcome(
    read: Callable[[SourceText, MaskedText], list[Node]], text: str
) -> tuple[list[Node] | None, list[Problem]]:
    """The nodes of a sound text, or None; and the problems."""
    source = SourceText(text)
    try:
        nodes = read(source, mask_text(text))
    except Unreadable:
        return None, source.problems
    return (None if source.problems else nodes), source.problems


def compare(text: str) -> None:
    nodes, problems = outcome(read_with_libyaml, text)
    expected, expected_problems = outcome(read_with_pyyaml, text)
    if nodes is not None or not problems[-1].message.startswith(STRICTER):
        assert nodes == expected
    source = SourceText(text)
    try:
        chosen: list[Node] | None = read_yaml(source)
    except Unreadable:
        chosen = None
    assert (None if source.problems else chosen) == expected
    assert source.problems == expected_problems


_SIGNS = "[]{}:,-?*&!|>%@`'\"#\\~.0ab\n\n\r\t  \x85\u2028\ufeff\U00040000\U0001f600\u00e9"
_PIECES = st.sampled_from(
    [
        *_SIGNS,
        *(
            ": ",
            "- ",
            "? ",
            "*a",
            "&a ",
            "!!str ",
            "!!map ",
            "! ",
            "!x\t",
            "<<",
            "a: ",
            "b: ",
            "\n  ",
            "\n    ",
        ),
        *("---\n", "--- ", "...\n", ": |\n  ", ": >-\n  ", "|2\n", ">#", "|\t\n", "# c", "\t\n", "\n\t"),
        *("%YAML 1.2\n", "%TAG !e! tag:yaml.org,2002:\n", "!e!str ", '"a"', "'b'", "\\u0041", "\\\n"),
        *("\\U00040000", "\\ud83d\\ude00", "?a", ",a", ":a", "a:", "1e9", "\r\n"),
    ]
)
_LEAVES = st.sampled_from(
    [
        *(
            "a",
            "b c",
            "12",
            "0x1f",
            ".5",
            "true",
            "~",
            "",
            "'q q'",
            '"d\\n d"',
            '"x\\\n   y"',
            "a:b",
            "?x",
            "-x",
        ),
        *("a # c", "\u00e9\U0001f600", "a\u2028b", "&n v", "*n", "!!str 1", "! x", "!t x", "\ufeff", "a\tb"),
        *("[]", "{}", "a\n   b", "'a\n\n   b'"),
    ]
)
_FLOW = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.lists(st.tuples(_LEAVES, st.sampled_from([": ", ":", " : ", ":\n   "]), inner), max_size=3).map(
            lambda pairs: "{" + ",\n   ".join("".join(pair) for pair in pairs) + "}"
        )
    ),
    max_leaves=8,
)
_BLOCKS = st.sampled_from(
    ["|\n  x\n\n  y", ">-\n   x\n  y", "|2\n   x", "|+\n  x\n\n", "|\n  \tx", "| # c\n  x"]
)


def _indented(lines: list[str]) -> str:
    return "\n" + "\n".join(lines).replace("\n", "\n  ")


_VALUES = st.recursive(
    _FLOW | _BLOCKS,
    lambda inner: (
        st.lists(inner.map(lambda value: f"- {value}"), min_size=1, max_size=3).map(_indented)
        | st.lists(
            st.tuples(
                st.sampled_from("abc*"), st.sampled_from([": ", ": &n ", ": !!map ", " : "]), inner
            ).map("".join),
            min_size=1,
            max_size=3,
        ).map(_indented)
    ),
    max_leaves=8,
)


@needs_libyaml
@settings(max_examples=600, deadline=None)
@given(st.lists(_PIECES, max_size=24).map("".join))
def test_any_heap_of_signs_is_read_alike(text: str) -> None:
    compare("".join(character for character in text if character != "\0"))


@needs_libyaml
@settings(max_examples=300, deadline=None)
@given(st.lists(_VALUES, min_size=1, max_size=3), st.sampled_from(["\n---\n", "\n...\n", "\n--- # c\n"]))
def test_any_nesting_is_read_alike(values: list[str], between: str) -> None:
    compare(between.join(values))


@needs_libyaml
@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(JOBS),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 4), st.just("") | _PIECES), max_size=4),
    st.floats(0, 1.5),
)
def test_changed_and_cut_jobs_are_read_alike(
    job: str, changes: list[tuple[float, int, str]], cut: float
) -> None:
    for where, gone, added in changes:
        at = int(where * len(job))
        job = job[:at] + added + job[at + gone :]
    compare(job[: int(cut * len(job))])


@needs_libyaml
@pytest.mark.parametrize("job", JOBS)
def test_every_job_of_the_example_is_read_by_libyaml(job: str) -> None:
    assert outcome(read_with_libyaml, job) == outcome(read_with_pyyaml, job)


@needs_libyaml
@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("a: !!str\tb", 1, 9, "tab stands"),
        ("a: |\t\n x", 1, 4, "on the line of `|`"),
        ("a: >#c\n x", 1, 4, "on the line of `>`"),
        ("a: [b\n\tc]", 2, 1, "tab is used for indentation"),
        ("a:\n- b\n\t\n- c", 3, 1, "tab is used for indentation"),
        ("a: [?b]", 1, 5, "cannot start with `?`"),
        ("a: {b:[1]}", 1, 6, "space is missing behind this colon"),
        (r'a: "\ud83d\ude00"', 1, 7, "stands for no character"),
        (r'a: "C:\pics"', 1, 8, r"`\p` means nothing"),
        (r'a: "\xZZ"', 1, 7, "Hexadecimal"),
        ("a:\n  b: 1\n c: 2", 3, 2, "does not fit"),
        ("a:\n- b\nc: d\n- e", 4, 1, "does not fit"),
        ("a: ]", 1, 4, "Found `]` where a value"),
        ("a: [1,\nb: 2", 2, 5, "is still open"),
        ('a: 1\nb: "x\nc: 2', 2, 4, "never closed"),
        ("title: Lighthouse: dusk", 1, 18, "`title` holds a colon"),
        ("%TAG !a! b\n" * 101 + "---\na: 1", 101, 1, "100"),
    ],
)
def test_large_file_is_explained_from_what_libyaml_says(
    text: str, line: int, column: int, words: str
) -> None:
    with pytest.raises(JobFileError) as caught:
        parse_documents(f"{LARGE}\n{text}".encode(), "yaml")
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (line + 1, column)
    assert words in problem.message
    assert problem.hint


def test_special_characters_come_back_next_to_those_that_stand_in_for_them() -> None:
    (node,) = parse_documents('"\x85\u2028\ufeff\U00040000\\U00040001": "\U00040002\u2029"'.encode(), "yaml")
    (entry,) = node.value
    assert entry.key.value == "\x85\u2028\ufeff\U00040000\U00040001"
    assert entry.value.value == "\U00040002\u2029"


def test_second_byte_order_mark_is_skipped() -> None:
    (node,) = parse_documents(b"\xef\xbb\xbf\xef\xbb\xbfa: 1\nb: 2", "yaml")
    assert [entry.key.start for entry in node.value] == [1, 6]


def test_without_libyaml_jobs_are_read_all_the_same() -> None:
    program = (
        "import sys; sys.modules['yaml._yaml'] = None\n"
        "from hotfolder.domain.document import parse_documents\n"
        "from hotfolder.domain.yaml_libyaml import has_libyaml\n"
        "assert not has_libyaml()\n"
        "print(parse_documents(sys.stdin.buffer.read(), 'yaml'))"
    )
    job = JOBS[0].encode()
    run = subprocess.run([sys.executable, "-c", program], input=job, capture_output=True, timeout=30)
    assert run.stdout.decode().strip() == str(parse_documents(job, "yaml"))


def _filled(unit: str, before: str = "", after: str = "") -> str:
    return before + unit * ((MAX_BYTES - len(before) - len(after)) // len(unit.encode())) + after


@needs_libyaml
@pytest.mark.parametrize(
    "text",
    [
        "".join(f"key{number}: A lighthouse at dusk, {number}\n" for number in range(25_000)),
        "".join(f"---\nprompt: a\nsize: 1024*1024\nrefs: [{{path: {number}}}]\n" for number in range(18_000)),
        _filled("- a\n"),
        _filled("- a\n", after='"'),
        _filled('"a",', "[", "]"),
        _filled("- *a\n", "- &a b\n"),
        _filled("["),
        _filled("- "),
        _filled("? "),
        _filled("x\n"),
        _filled("#\n"),
        _filled("\t\n", after="a: 1"),
        _filled("a\t", "a: "),
        _filled("--- a\n"),
        _filled("!", after="\ta"),
        _filled("\n#", "&a", "\n b"),
        _filled("\n#", "{a", "\n : }"),
        _filled("\\U00040000", '"\x85', '"'),
        _filled("%TAG !a! b\n", after="---\na: 1"),
        "".join(f"%TAG !a{number}! b\n" for number in range(60_000)) + "---\na: 1",
    ],
)
def test_file_of_one_mebibyte_does_not_hold_up_the_others(text: str) -> None:
    started = time.process_time()
    with suppress(JobFileError):
        parse_documents(text.encode(), "yaml")
    assert time.process_time() - started < 4.0  # a quarter of that on an idle machine
