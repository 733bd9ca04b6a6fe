"""Job files become nodes with positions, or problems that an artist can mend."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from hotfolder.domain.document import (
    DocumentFormat,
    Node,
    child,
    decode_text,
    entries,
    find_node,
    format_of,
    parse_documents,
    to_plain,
)
from hotfolder.errors import JobFileError, Problem

JOB = """\
# a job
endpointKey: local.flux2-klein-4b.image
params: &p
  prompt: "A lighthouse at dusk: \\u00e9"
  size: 1024*1024
  note: |
    two
    lines
refs:
- ./mood.png
- {path: './layout.png', role: composition}
matrix: {seed: [1, 2, 3]}
again: *p
...
"""
FORMATS: list[DocumentFormat] = ["yaml", "json", "jsonl"]


def one(text: str, format: DocumentFormat = "yaml") -> Node:  # noqa: A002
    (node,) = parse_documents(text.encode(), format)
    return node


def value_of(text: str, format: DocumentFormat = "yaml") -> Node:  # noqa: A002
    node = child(one(text, format), "a")
    assert node is not None
    return node


def problems_of(data: str | bytes, format: DocumentFormat = "yaml", **limits: int) -> list[Problem]:  # noqa: A002
    with pytest.raises(JobFileError) as caught:
        parse_documents(data.encode() if isinstance(data, str) else data, format, **limits)
    return caught.value.problems


@pytest.mark.parametrize(
    ("written", "kind", "value"),
    [
        ("true", "boolean", True),
        ("false", "boolean", False),
        *((word, "text", word) for word in ("yes", "no", "on", "Off", "True", "TRUE", "Null", "y")),
        *(
            (word, "text", word)
            for word in ("3:2", "16:9", "1_000", "2026-01-01", "12:30:45", "0b101", "1,5")
        ),
        ("null", "null", None),
        ("~", "null", None),
        ("", "null", None),
        ("012", "integer", 12),
        ("-7", "integer", -7),
        ("+7", "integer", 7),
        ("0o14", "integer", 12),
        ("0x1F", "integer", 31),
        (".5", "number", 0.5),
        ("1.", "number", 1.0),
        ("1e3", "number", 1000.0),
        ("-2.5E-1", "number", -0.25),
        ("1e999", "text", "1e999"),
        ("12e45678", "text", "12e45678"),
        ("9" * 5000, "text", "9" * 5000),
        ("0x" + "f" * 5000, "text", "0x" + "f" * 5000),
        ("1" * 64, "integer", int("1" * 64)),
        ("http://x?y=1", "text", "http://x?y=1"),
        ("really? yes", "text", "really? yes"),
        ("?x", "text", "?x"),
        ("a\tb", "text", "a\tb"),
        ("a\u2028b\x85c", "text", "a\u2028b\x85c"),
        ("\u0661", "text", "\u0661"),
    ],
)
@pytest.mark.parametrize("frame", ["a: %s", "a:\t%s # why\n", "{a: %s}", "- x\n---\na: %s\nb: 1"])
def test_plain_yaml_scalar_has_its_meaning_in_version_1_2(
    frame: str, written: str, kind: str, value: Any
) -> None:
    if "," in written and "{" in frame:
        written = value = written.replace(",", "")
        kind, value = "integer", 15
    node = child(parse_documents((frame % written).encode(), "yaml")[-1], "a")
    assert node is not None
    assert (node.kind, node.value, node.written, node.plain) == (kind, value, written, True)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ('"007"', "007"),
        ("'it''s'", "it's"),
        (r'"\ud83d\ude00 \x41 \L"', "\U0001f600 A \u2028"),
        ("!!str 12", "12"),
        ("! 12", "12"),
        ('!!int "12"', 12),
        ("!!float 12", 12.0),
        ("!!seq [1]", [1]),
        ("|\n two\n lines\n", "two\nlines\n"),
        (">-\n two\n words\n", "two words"),
        ("two\n words", "two words"),
    ],
)
def test_quoted_tagged_and_block_scalars_mean_what_they_say(source: str, value: Any) -> None:
    assert to_plain(value_of(f"a: {source}")) == value


def test_merge_key_is_a_key_like_others() -> None:
    assert to_plain(one("x: &x {b: 1}\na:\n  <<: *x")) == {"x": {"b": 1}, "a": {"<<": {"b": 1}}}


def test_keys_are_text_as_written() -> None:
    keys = [entry.key for entry in entries(one("2026: a\ntrue: b\n007: c\n.inf: d\non: e"))]
    assert [(key.kind, key.value) for key in keys] == [
        ("text", word) for word in ("2026", "true", "007", ".inf", "on")
    ]


@pytest.mark.parametrize(
    ("written", "kind", "value"),
    [
        ("12", "integer", 12),
        ("-0.5e1", "number", -5.0),
        ("true", "boolean", True),
        ("null", "null", None),
        ('"12"', "text", "12"),
        (r'"\ud83d\ude00\n"', "text", "\U0001f600\n"),
    ],
)
def test_json_scalar_is_never_plain(written: str, kind: str, value: Any) -> None:
    node = value_of(f'{{"a": {written}}}', "json")
    assert (node.kind, node.value, node.plain) == (kind, value, False)
    assert node.written == (value if kind == "text" else written)


def test_yaml_node_knows_where_it_was_written() -> None:
    root = one(JOB)

    def place(*path: str | int) -> tuple[int, int, str]:
        node = find_node(root, path)
        assert node is not None
        return node.line, node.column, JOB[node.start : node.end]

    assert place()[:2] == (2, 1)
    assert place("endpointKey") == (2, 14, "local.flux2-klein-4b.image")
    assert place("params")[:2] == (4, 3)
    assert place("params", "prompt") == (4, 11, r'"A lighthouse at dusk: \u00e9"')
    assert place("params", "note")[:2] == (6, 9)
    assert place("refs") == (10, 1, "- ./mood.png\n- {path: './layout.png', role: composition}")
    assert place("refs", 1) == (11, 3, "{path: './layout.png', role: composition}")
    assert place("refs", 1, "path") == (11, 10, "'./layout.png'")
    assert place("matrix", "seed", 2) == (12, 23, "3")
    assert place("again") == (13, 8, "*p")
    assert [entry.key.line for entry in entries(root)] == [2, 3, 9, 12, 13]


@pytest.mark.parametrize(
    ("source", "written"),
    [
        ("a: &x 12", "12"),
        ("a: !!str &x # why\n  'b'", "'b'"),
        ("a: &x [1, 2]", "[1, 2]"),
        ("a: &x\n  b: 1\n  c: 2\n\n# end\n", "b: 1\n  c: 2"),
        ("a: &x\n- 1\n- 2\n", "- 1\n- 2"),
        ("a: &x\nb: 1", ""),
        ("{a: [b: 1 , c]}", "[b: 1 , c]"),
    ],
)
def test_span_leaves_out_anchors_tags_and_what_follows(source: str, written: str) -> None:
    node = value_of(source)
    assert source[node.start : node.end] == written


@pytest.mark.parametrize(
    ("source", "start"),
    [
        ("a: &x !!str\nb: 1", 11),
        ("a:  # c\nb: 1", 2),
        ("{a:  , b: 1}", 3),
        ("{? a # :\n :  }", 11),
        ("? a\n: \n", 5),
    ],
)
def test_missing_value_stands_behind_its_colon_or_tag(source: str, start: int) -> None:
    node = value_of(source)
    assert (node.start, node.end) == (start, start)


def test_flow_style_is_told_from_block_style() -> None:
    root = one("a: {b: 1}\nc:\n- [1]")
    found = [root, find_node(root, ["a"]), find_node(root, ["c"]), find_node(root, ["c", 0])]
    assert [node and node.flow for node in found] == [False, True, False, True]


def test_json_node_knows_where_it_was_written() -> None:
    text = '{\n  "\U0001f600": [1, {"b": "x"}],\r\n  "c": -1.5}'
    root = one(text, "json")
    spans = {
        path: find_node(root, path)
        for path in [("\U0001f600",), ("\U0001f600", 1), ("\U0001f600", 1, "b"), ("c",)]
    }
    assert {path[-1]: (n.line, n.column, text[n.start : n.end]) for path, n in spans.items() if n} == {
        "\U0001f600": (2, 8, '[1, {"b": "x"}]'),
        1: (2, 12, '{"b": "x"}'),
        "b": (2, 18, '"x"'),
        "c": (3, 8, "-1.5"),
    }
    assert root.flow


def test_positions_count_characters_after_the_byte_order_mark() -> None:
    node = child(parse_documents(b"\xef\xbb\xbf\xc3\xa4: 1\r\na: x", "yaml")[0], "a")
    assert node is not None
    assert (node.line, node.column, node.start) == (2, 4, 9)
    assert decode_text(b"\xef\xbb\xbfa") == "a"


def test_each_document_item_and_line_becomes_a_node() -> None:
    assert [to_plain(n) for n in parse_documents(b"---\na: 1\n---\n# none\n---\n- 2\n...\n", "yaml")] == [
        {"a": 1},
        [2],
    ]
    assert [to_plain(n) for n in parse_documents(b'[{"a": 1}, 2]', "json")] == [{"a": 1}, 2]
    lines = parse_documents(b'{"a": 1}\r\n \t\r\n {"a": 2}', "jsonl")
    assert [(to_plain(n), n.line, n.column, n.start) for n in lines] == [
        ({"a": 1}, 1, 1, 0),
        ({"a": 2}, 3, 2, 15),
    ]


def test_find_node_answers_none_for_what_is_not_there() -> None:
    root = one("a: [1]")
    assert [
        find_node(root, path) for path in (["b"], ["a", 1], ["a", -1], ["a", "x"], ["a", 0, 0], ["b", "c"])
    ] == [None] * 6
    assert find_node(root, []) is root
    assert entries(None) == ()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.yaml", "yaml"),
        ("a.YML", "yaml"),
        ("a.b.Json", "json"),
        ("a.jsonl", "jsonl"),
        ("a.txt", None),
        ("yaml", None),
    ],
)
def test_format_follows_the_file_name(name: str, expected: str | None) -> None:
    assert format_of(name) == expected


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("params:\n\tprompt: x", 2, 1, "tab is used for indentation"),
        ("a:\n  b: 1\n c: 2", 3, 2, "does not fit the lines above"),
        ("a: 1\n  b: 2", 2, 3, "indented deeper"),
        ("title: Lighthouse: dusk", 1, 18, "`title` holds a colon"),
        ("seed: 1\nsteps:4\nx: 2", 2, 1, "space is missing behind the colon of `steps`"),
        ("steps:4\nseed: 1", 1, 1, "space is missing behind the colon of `steps`"),
        ("a: 1\nsteps 4\nb: 2", 2, 1, "`steps 4` is not `key: value`"),
        ('a: 1\nb: "x\nc: 2', 2, 4, "never closed"),
        ("a: 'it's'", 1, 8, "behind the closing quote"),
        ('"a": "x",\n"b": 2', 1, 9, "comma stands behind"),
        ("a: {b}-{c}", 1, 7, "behind `}`"),
        ("a: [1,\nb: 2", 2, 5, "`[` of line 1 is still open"),
        ("a: ]", 1, 4, "Found `]`"),
        (r'a: "C:\pics"', 1, 8, r"`\p` means nothing"),
        (r'a: "\xZZ"', 1, 7, "Hexadecimal"),
        (r'a: "\UFFFFFFFF"', 1, 7, "out of range"),
        ("%YAML 1." + "9" * 5000 + "\n---\na: 1", 1, 9, "out of range"),
        ("%YAML 2.0\n---\na: 1", 1, 1, "not YAML"),
        ("a: *.png", 1, 4, "cannot start with `*`"),
        ("a: @home", 1, 4, "cannot start with `@`"),
        ("a: !e!x 1", 1, 4, "cannot start with `!`"),
        ("a: - b", 1, 4, "list cannot start"),
        ("a: ? b", 1, 4, "cannot start with `?`"),
        ("a: | b", 1, 4, "on the line of `|`"),
        ("  a: 1\nb: 2", 2, 1, "does not belong"),
        ("a: !!python/object/apply:os.system [ls]", 1, 4, "`!!python/object/apply:os.system`"),
        ("a: !!python/name:os.system", 1, 4, "`!!python/name:os.system`"),
        ("a: !important", 1, 4, "`!important`"),
        ("a: !!int x", 1, 4, "`!!int`"),
        ("a: !!map [1]", 1, 4, "`!!map`"),
        ("a: &x [*x]", 1, 8, "inside of what it names"),
        ("a: *y", 1, 4, "names nothing above"),
        ("[a]: b", 1, 1, "list stands where a key"),
        ("? {a: 1}\n: 2", 1, 3, "map stands where a key"),
        ("~: 1", 1, 1, "key is missing"),
        ("a: .inf", 1, 4, "`.inf`"),
        ("a: [-.INF]", 1, 5, "`-.INF`"),
        ("a: .NaN", 1, 4, "`.NaN`"),
        ('a: "\\ud800"', 1, 4, "half of a character"),
        ('a: "\\0"', 1, 4, "NUL"),
        ("a: b\0", 1, 5, "NUL"),
        ("a: b\x1b", 1, 5, r"'\x1b'"),
        ("# only a comment\n---\n", 1, 1, "holds no job"),
        ("", 1, 1, "holds no job"),
    ],
)
def test_broken_yaml_is_explained_with_its_place(text: str, line: int, column: int, words: str) -> None:
    (problem,) = problems_of(text)
    assert (problem.code, problem.line, problem.column) == ("job.parse", line, column)
    assert words in problem.message
    assert problem.hint


@pytest.mark.parametrize(
    ("text", "column", "words", "hint"),
    [
        ("", 1, "ends here", "between"),
        ("[]", 1, "holds no job", "endpointKey"),
        ('{"a": 1,}', 8, "comma stands before `}`", "away"),
        ("[1,]", 3, "comma stands before `]`", "away"),
        ('{"a": 1 // x\n}', 9, "comment", "JSON has no comments; name the file .yaml to use them."),
        ("# x\n{}", 1, "comment", "JSON has no comments; name the file .yaml to use them."),
        ('{"a": /* x */ 1}', 7, "comment", "JSON has no comments; name the file .yaml to use them."),
        ("{'a': 1}", 2, "quote '", "straight double quotes"),
        ("{\u201ca\u201d: 1}", 2, "quote \u201c", "straight double quotes"),
        ("{a: 1}", 2, "`a`", '"a"'),
        ('{"a" 1}', 6, "colon after the key `a`", "Compare"),
        ('{"a": 1 "b": 2}', 9, "comma or the `}`", "Compare"),
        *(
            (f'{{"a": {number}}}', 7, f"`{number}`", "number")
            for number in ("012", ".5", "1.", "+1", "0x1F", "1_0")
        ),
        *((f'{{"a": {word}}}', 7, f"`{word}`", "number") for word in ("NaN", "Infinity", "-Infinity")),
        ('{"a": 1e999}', 7, "too large", "smaller"),
        ('{"a": %s}' % ("9" * 5000), 7, "too large", "smaller"),
        ('{"a": True}', 7, "`True`", "`true`"),
        ('{"a": "x\ny"}', 7, "not closed", "closing"),
        ('{"a": "x\ty"}', 9, "control character", r"\t"),
        (r'{"a": "C:\pics"}', 10, r"`\p`", r"`\\`"),
        (r'{"a": "\u12"}', 8, r"`\u`", r"`\\`"),
        (r'{"a": "\ud800"}', 7, "half of a character", "itself"),
        (r'{"\udc00": 1}', 2, "half of a character", "itself"),
        (r'{"a": "\u0000"}', 7, "NUL", "Take"),
        ('{"a": [1, 2', 12, "ends here", "`[` of line 1"),
        ('{"a": "x', 7, "not closed", "closing"),
        ('{"a": 1}}', 9, "value is complete", "Compare"),
        ('{"a": \xa01}', 7, "expected a value", "Compare"),
    ],
)
def test_broken_json_is_explained_with_its_place(text: str, column: int, words: str, hint: str) -> None:
    (problem,) = problems_of(text, "json")
    assert (problem.code, problem.line, problem.column) == ("job.parse", 1, column)
    assert words in problem.message
    assert hint in (problem.hint or "")


def test_all_repeated_keys_are_reported_at_once() -> None:
    yaml_problems = problems_of("a: 1\nb:\n- {c: 1, 'c': 2}\n\"a\": .nan\n---\n1: x\n'1': y\n- z")
    assert [(found.line, found.column, found.path) for found in yaml_problems] == [
        (3, 10, "b.0.c"),
        (4, 1, "a"),
        (4, 6, "a"),
        (7, 1, "1"),
        (8, 1, None),
    ]
    assert yaml_problems[1].message == "`a` is written twice, first on line 1."
    json_problems = problems_of('[{"a": 1, "a": 2, "b": [{"c": 1, "c": 2}]}, {"d": 1, "d": 2}]', "json")
    assert [(found.column, found.path) for found in json_problems] == [(11, "a"), (34, "b.0.c"), (54, "d")]


def test_each_broken_json_line_is_reported() -> None:
    problems = problems_of('{"a": }\n{"b": 1}\n{"c": "x\n\n{"d": 1, "d": 2}', "jsonl")
    assert [(found.line, found.column) for found in problems] == [(1, 7), (3, 7), (5, 10)]


def test_flood_of_problems_is_cut_off() -> None:
    assert len(problems_of("a: 1\n" * 5000)) == 100
    assert len(problems_of("{\n" * 5000, "jsonl")) == 100


@pytest.mark.parametrize(
    ("data", "line", "column", "words"),
    [
        (b"a: b\n\xc3\xa4: \xe4x", 2, 4, "0xE4 at offset 9"),
        (b"\xef\xbb\xbfa\xff", 1, 2, "0xFF at offset 4"),
        (b"a: \xed\xa0\x80", 1, 4, "0xED"),
        ("a: 1".encode("utf-16"), 1, 1, "UTF-16"),
        (b"\xfe\xff\0a", 1, 1, "UTF-16"),
        ("a: 1".encode("utf-32"), 1, 1, "UTF-32"),
        (b"\0\0\xfe\xff", 1, 1, "UTF-32"),
        ("a: 1".encode("utf-16-le"), 1, 2, "NUL"),
    ],
)
@pytest.mark.parametrize("format", FORMATS)
def test_other_encodings_are_named_and_utf8_is_asked_for(
    data: bytes,
    line: int,
    column: int,
    words: str,
    format: DocumentFormat,  # noqa: A002
) -> None:
    (problem,) = problems_of(data, format)
    assert (problem.line, problem.column) == (line, column)
    assert words in problem.message
    assert "UTF-8" in problem.message


def test_file_over_the_limit_is_too_large() -> None:
    assert [found.code for found in problems_of(b"a: 1", max_bytes=3)] == ["job.too_large"]
    assert problems_of(b" " * (1024 * 1024 + 1))[0].code == "job.too_large"
    assert parse_documents(b"a: 1", "yaml", max_bytes=4)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", "")])
def test_nesting_over_32_is_refused_in_yaml(opening: str, closing: str) -> None:
    if opening != "? ":
        assert one(opening * 32 + closing * 32).kind in ("list", "map")
    for depth in (33, 100_000):
        problem = problems_of(opening * depth + closing * depth)[-1]
        assert "nested more than 32" in problem.message


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_nesting_over_32_is_refused_in_json(opening: str, closing: str) -> None:
    assert parse_documents((opening * 32 + "1" + closing * 32).encode(), "json")
    for depth in (33, 100_000):
        (problem,) = problems_of(opening * depth + "1" + closing * depth, "json")
        assert "nested more than 32" in problem.message


def test_nesting_through_aliases_counts() -> None:
    chain = "".join(f"k{n}: &k{n} [*k{n - 1}]\n" for n in range(1, 31))
    assert one("k0: &k0 [1]\n" + chain)
    (problem,) = problems_of("k0: &k0 [1]\n" + chain + "k31: [*k30]\n")
    assert "nested more than 32" in problem.message


def test_aliases_that_multiply_are_refused_before_they_are_expanded() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 20)
    )
    (problem,) = problems_of(bomb)
    assert "10,000 values" in problem.message


def test_aliases_up_to_the_limit_are_accepted() -> None:
    ten = "a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]\nb: [" + ", ".join(["*a"] * 1000) + "]"
    assert len(value_of(ten).value) == 9
    assert problems_of(ten + "\nc: *a")[0].line == 3


def test_anchor_may_be_given_again_and_ends_with_its_document() -> None:
    assert to_plain(one("a: &x 1\nb: *x\nc: &x 2\nd: *x")) == {"a": 1, "b": 1, "c": 2, "d": 2}
    assert problems_of("a: &x 1\n---\nb: *x")[0].line == 3


def test_plain_values_are_new_at_each_alias() -> None:
    plain: Any = to_plain(one("a: &x [1]\nb: *x"))
    plain["a"].append(2)
    assert plain["b"] == [1]


_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(_JSON, st.booleans(), st.sampled_from([None, 2]))
def test_any_json_value_comes_back_as_it_was(value: Any, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps({"a": value}, ensure_ascii=ascii_only, indent=indent)
    found = to_plain(one(text, "json"))
    assert found == {"a": value}
    assert json.dumps(found) == json.dumps({"a": value})


@settings(max_examples=150, deadline=None)
@given(_JSON)
def test_any_value_that_pyyaml_writes_in_quotes_comes_back(value: Any) -> None:
    # Only texts and collections are compared: quoted, they mean the same in YAML 1.1 and 1.2.
    text = yaml.safe_dump({"a": _texts_only(value)}, default_style='"', allow_unicode=True, width=40)
    assert to_plain(one(text)) == {"a": _texts_only(value)}


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(FORMATS))
def test_any_bytes_are_read_or_refused(data: bytes, format: DocumentFormat) -> None:  # noqa: A002
    _read_or_refuse(data, format)


_SIGNS = "[]{}:,-?*&!|>%@`'\"#\\~.0a\n\r\t \u2028\ufeff"
_PIECES = st.sampled_from([*_SIGNS, ": ", "- ", "? ", "*a", "&a ", "!!", "---\n", "<<", "\\u", '"a"', "1e9"])


@settings(max_examples=400, deadline=None)
@given(st.lists(_PIECES, max_size=30).map("".join), st.sampled_from(FORMATS))
def test_any_heap_of_signs_is_read_or_refused(text: str, format: DocumentFormat) -> None:  # noqa: A002
    _read_or_refuse(text.encode(), format)


@pytest.mark.parametrize("format", ["yaml", "json"])
def test_every_truncation_of_a_job_is_read_or_refused(format: DocumentFormat) -> None:  # noqa: A002
    data = (
        JOB if format == "yaml" else json.dumps(to_plain(one(JOB)), indent=1, ensure_ascii=False)
    ).encode()
    outcomes = {_read_or_refuse(data[:length], format) for length in range(len(data) + 1)}
    assert outcomes == {True, False}


def test_sixty_four_jobs_are_read_without_delay() -> None:
    job = "---\n" + "".join(f"key{number}: A lighthouse at dusk, {number}\n" for number in range(20))
    started = time.process_time()
    assert len(parse_documents((job * 64).encode(), "yaml")) == 64
    assert time.process_time() - started < 1.0  # a tenth of that on an idle machine


def _texts_only(value: Any) -> Any:
    if isinstance(value, list):
        return [_texts_only(item) for item in value]
    if isinstance(value, dict):
        return {key: _texts_only(item) for key, item in value.items()}
    return str(value)


def _read_or_refuse(data: bytes, format: DocumentFormat) -> bool:  # noqa: A002
    nodes: list[Node] = []
    problems: list[Problem] = []
    try:
        nodes = parse_documents(data, format)
    except JobFileError as error:
        problems = error.problems
    assert all(found.line and found.column and found.hint for found in problems)
    for node in nodes:
        json.dumps(to_plain(node), allow_nan=False).encode()
        assert 0 <= node.start <= node.end <= len(decode_text(data))
    return bool(nodes)


@pytest.mark.parametrize("document_format", ["yaml", "json"])
def test_very_many_tiny_values_are_refused(document_format: DocumentFormat) -> None:
    with pytest.raises(JobFileError, match="more than 200,000 values"):
        parse_documents(b"[" + b"1," * 250_000 + b"1]", document_format)
