"""A file with several jobs becomes texts that mean the same, one by one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.domain.document import DocumentFormat, parse_documents, to_plain
from hotfolder.generation.splitting import split_documents

YAML_FILES = {
    "plain": "a: 1\n---\na: 2\n",
    "comments": "# first\na: 1  # one\n---\n# second\na: 2\n# end\n",
    "indented": "  a: 1\n  b: {c: 2}\n---\n    a: 2\n    b:\n      - 1\n      - 2\n",
    "flow": "{a: 1, b: [x, y]}\n---\n{a: 2}\n--- {a: 3}\n",
    "flow on the line of the dashes": "--- {a: 1}\n--- {a: 2}\n",
    "comment behind the dashes": "--- # one\na: 1\n--- # two\na: 2\n",
    "anchors": "a: &x [1, 2]\nb: *x\n---\na: &x {c: 1}\nb: *x\n",
    "anchored map": "--- &job\na: 1\n---\n&job\na: 2\n",
    "block text at the end": "a: |\n  one\n  two\n---\na: >-\n  three\n  four\n",
    "kept breaks at the end": "a: |+\n  one\n\n---\na: |+\n  two\n\n\n",
    "blanks at the end of a text": "a: |\n  one  \n---\na: 2\n",
    "no value at the end": "a: 1\nb:\n---\na: 2\nb:\n",
    "end marks": "a: 1\n...\n---\na: 2\n...\n",
    "windows": "a: 1\r\nb: 2\r\n---\r\na: 2\r\nb: 3\r\n",
    "byte order mark": "\ufeffa: 1\n---\na: 2\n",
    "quotes": "a: \"x: y # z\"\n---\na: 'it''s'\n",
    "empty document between": "a: 1\n---\n---\na: 2\n",
    "no line break at the end": "a: 1\n---\na: 2",
    "umlauts": "a: Öl\n---\na: 日本\n",
}


def assert_same_meaning(data: bytes, document_format: DocumentFormat) -> None:
    nodes = parse_documents(data, document_format)
    parts = split_documents(data, document_format, nodes)

    again = [parse_documents(part, document_format) for part in parts]

    assert [[to_plain(node) for node in each] for each in again] == [[to_plain(node)] for node in nodes]
    assert all(part.endswith(b"\n") for part in parts)


@pytest.mark.parametrize("name", YAML_FILES)
def test_each_yaml_document_means_the_same_on_its_own(name: str) -> None:
    assert_same_meaning(YAML_FILES[name].encode(), "yaml")


@pytest.mark.parametrize(
    ("document_format", "text"),
    [
        ("json", '[{"a": 1}, {"a": [2, {"b": null}]}]'),
        ("json", '\ufeff[\n  {\n    "a": "]}"\n  },\n  {"a": "\\u00e9"}\n]\n'),
        ("jsonl", '{"a": 1}\n\n  {"a": 2}  \r\n{"a": 3}'),
    ],
)
def test_each_json_job_means_the_same_on_its_own(document_format: DocumentFormat, text: str) -> None:
    assert_same_meaning(text.encode(), document_format)


def test_comments_inside_a_document_stay_with_it() -> None:
    data = b"a: 1  # one\n# more\nb: 2\n---\na: 2\n"

    assert split_documents(data, "yaml", parse_documents(data, "yaml")) == [
        b"a: 1  # one\n# more\nb: 2\n",
        b"a: 2\n",
    ]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"])), min_size=1, max_size=4))
def test_any_text_survives_the_split(texts: list[str]) -> None:
    quoted = ['"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in texts]

    assert_same_meaning("\n---\n".join(f"a: {each}" for each in quoted).encode(), "yaml")
    assert_same_meaning("\n".join(f'{{"a": {each}}}' for each in quoted).encode(), "jsonl")
