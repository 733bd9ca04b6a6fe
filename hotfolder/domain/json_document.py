"""Reads JSON, strictly, into nodes with positions."""

from __future__ import annotations

import math
import re
from json import JSONDecodeError
from json.decoder import scanstring  # type: ignore[attr-defined]  # the stubs leave it out
from typing import NoReturn

from hotfolder.domain.node import (
    MAX_DEPTH,
    MAX_NUMBER_CHARACTERS,
    MAX_PROBLEMS,
    Entry,
    Kind,
    Node,
    SourceText,
    Unreadable,
)

_BLANKS = re.compile(r"[ \t\r\n]*")
_WORD = re.compile(r"[^\s,:\[\]{}\"]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_LINE = re.compile(r"[^\n]+")
_LITERALS: dict[str, tuple[Kind, bool | None]] = {
    "true": ("boolean", True),
    "false": ("boolean", False),
    "null": ("null", None),
}
_OTHER_LITERALS = {"True": "true", "False": "false", "None": "null", "undefined": "null"}
_OTHER_QUOTES = "'`\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb"
_UNCLOSED_HINT = r'Add the closing ", and write a line break inside a text as `\n`.'
_TOO_LARGE_HINT = "Write a smaller number, or put it in double quotes if it is a text."


def read_json(source: SourceText) -> list[Node]:
    """The value of the text, or its items when it is an array."""
    node = _Reader(source, source.text, 0).read()
    return list(node.value) if node.kind == "list" else [node]


def read_json_lines(source: SourceText) -> list[Node]:
    """One value a line; a line that cannot be read does not hide the problems of the others."""
    nodes = []
    for line in _LINE.finditer(source.text):
        if not line.group().strip(" \t\r"):
            continue
        try:
            nodes.append(_Reader(source, line.group(), line.start()).read())
        except Unreadable:
            if len(source.problems) >= MAX_PROBLEMS:
                break
    if source.problems:
        raise Unreadable
    return nodes


class _Reader:
    """Recursive descent over one JSON text, which may be a part (a line) of the source."""

    def __init__(self, source: SourceText, text: str, base: int) -> None:
        self._source = source
        self._text = text
        self._base = base
        self._at = 0
        self._path: list[str | int] = []
        self._opened: list[int] = []

    def read(self) -> Node:
        """The one value of the text; raises Unreadable at the first fault of syntax."""
        self._skip_blanks()
        node = self._value()
        self._skip_blanks()
        if self._at < len(self._text):
            self._unexpected("the end, since the value is complete")
        return node

    def _value(self) -> Node:
        character = self._peek()
        if character == "{":
            return self._map()
        if character == "[":
            return self._list()
        if character == '"':
            return self._string()
        word = _WORD.match(self._text, self._at)
        assert word is not None
        return self._word(word.group())

    def _map(self) -> Node:
        start = self._open()
        entries: dict[str, Entry] = {}
        self._path.append("")
        while not self._closes("}", start, first=not entries):
            key = self._key(entries)
            self._skip_blanks()
            if self._peek() != ":":
                self._unexpected(f"a colon after the key `{key.written:.60}`")
            self._at += 1
            self._skip_blanks()
            entries[key.written] = Entry(key, self._value())
        self._path.pop()
        self._opened.pop()
        return self._source.node("map", tuple(entries.values()), self._span(start), flow=True)

    def _list(self) -> Node:
        start = self._open()
        items: list[Node] = []
        self._path.append(0)
        while not self._closes("]", start, first=not items):
            self._path[-1] = len(items)
            items.append(self._value())
        self._path.pop()
        self._opened.pop()
        return self._source.node("list", tuple(items), self._span(start), flow=True)

    def _open(self) -> int:
        if len(self._opened) >= MAX_DEPTH:
            message = f"Values are nested more than {MAX_DEPTH} deep."
            self._source.refuse(self._base + self._at, message, "Nest them less.")
        self._opened.append(self._at)
        self._at += 1
        return self._opened[-1]

    def _closes(self, bracket: str, start: int, *, first: bool) -> bool:
        """Step over the closing bracket, or over the comma before the next item."""
        self._skip_blanks()
        if self._peek() == bracket:
            self._at += 1
            return True
        if first:
            return False
        if self._peek() != ",":
            line = self._source.place(self._base + start)[0]
            self._unexpected(f"a comma or the `{bracket}` for line {line}")
        comma = self._at
        self._at += 1
        self._skip_blanks()
        if self._peek() == bracket:
            self._refuse(comma, f"A comma stands before `{bracket}`.", "Take the comma away.")
        return False

    def _key(self, entries: dict[str, Entry]) -> Node:
        if self._peek() != '"':
            self._unexpected("a key in double quotes")
        self._path[-1] = ""
        key = self._string()
        self._path[-1] = key.written
        if earlier := entries.get(key.written):
            message = f"`{key.written:.60}` is written twice, first on line {earlier.key.line}."
            self._complain(key.start - self._base, message, "Keep one of the two.")
        return key

    def _string(self) -> Node:
        start = self._at
        try:
            value, self._at = scanstring(self._text, start + 1, True)
        except JSONDecodeError as error:
            self._refuse_string(start, error)
        if "\\" in self._text[start : self._at]:
            self._source.check_escapes(self._base + start, value, self._where())
        return self._source.node("text", value, self._span(start), written=value)

    def _refuse_string(self, start: int, error: JSONDecodeError) -> NoReturn:
        found = self._text[error.pos : error.pos + 1]
        if error.msg.startswith("Invalid control") and found not in "\r\n":
            message = f"A control character ({found!r}) stands in the text."
            self._refuse(error.pos, message, r"Write a tab as `\t`, and leave other control characters out.")
        if "escape" in error.msg:
            backslash = self._text.rfind("\\", start, error.pos + 1)
            message = f"`{self._text[backslash : backslash + 2]}` in a text is no escape that JSON knows."
            self._refuse(backslash, message, r"Write `\\` for a backslash, or `/` between folders.")
        self._refuse(start, "The quote that opens here is not closed on its line.", _UNCLOSED_HINT)

    def _word(self, word: str) -> Node:
        start = self._at
        number = _NUMBER.fullmatch(word)
        if number is None and word not in _LITERALS:
            self._unexpected("a value")
        self._at += len(word)
        span = self._span(start)
        if number is None:
            kind, value = _LITERALS[word]
            return self._source.node(kind, value, span, written=word)
        if number.group(1) or number.group(2):
            return self._source.node("number", self._number(start, word), span, written=word)
        return self._source.node("integer", self._integer(start, word), span, written=word)

    def _integer(self, start: int, word: str) -> int:
        if len(word) <= MAX_NUMBER_CHARACTERS:
            return int(word)
        self._complain(start, f"A number of {len(word)} characters is too large.", _TOO_LARGE_HINT)
        return 0

    def _number(self, start: int, word: str) -> float:
        value = float(word)
        if math.isinf(value):
            self._complain(start, f"The number {word:.40} is too large.", _TOO_LARGE_HINT)
        return value

    def _unexpected(self, expected: str) -> NoReturn:
        """Refuse what stands here, in the words of the mistake that is most likely behind it."""
        rest = self._text[self._at : self._at + 40]
        word = _WORD.match(rest)
        found = word.group() if word and word.group() else rest[:1]
        if not rest:
            self._refuse(self._at, f"The text ends here; expected {expected}.", self._end_hint())
        if rest.startswith(("//", "/*", "#")):
            message = f"A comment stands here; expected {expected}."
            self._refuse(self._at, message, "JSON has no comments; name the file .yaml to use them.")
        if rest[0] in _OTHER_QUOTES:
            self._refuse(
                self._at,
                f"Found the quote {rest[0]}, expected {expected}.",
                'JSON wants straight double quotes: "..."',
            )
        if found.lstrip("+-") in ("NaN", "Infinity"):
            self._refuse(
                self._at, f"`{found}` is no number that JSON knows.", "Write a number, or leave the key out."
            )
        self._refuse(self._at, f"Found `{found}`, expected {expected}.", _hint_for(found, expected))

    def _end_hint(self) -> str:
        if not self._opened:
            return "Write a job between `{` and `}`."
        opened = self._opened[-1]
        line = self._source.place(self._base + opened)[0]
        return f"The `{self._text[opened]}` of line {line} is not closed; is the file complete?"

    def _skip_blanks(self) -> None:
        blanks = _BLANKS.match(self._text, self._at)
        assert blanks is not None
        self._at = blanks.end()

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _span(self, start: int) -> tuple[int, int]:
        return self._base + start, self._base + self._at

    def _where(self) -> list[str | int]:
        """The path inside the job, without the job's place in the array and the key being read."""
        path = self._path[:-1] if self._path and self._path[-1] == "" else self._path
        return path[1:] if path and isinstance(path[0], int) else path

    def _complain(self, at: int, message: str, hint: str) -> None:
        self._source.complain(self._base + at, message, hint, self._where())

    def _refuse(self, at: int, message: str, hint: str) -> NoReturn:
        self._source.refuse(self._base + at, message, hint, self._where())


def _hint_for(found: str, expected: str) -> str:
    if not expected.startswith(("a value", "a key")):
        return "Compare the brackets, commas and quotes near here."
    if found in _OTHER_LITERALS:
        return f"JSON writes it as `{_OTHER_LITERALS[found]}`."
    if found[0] in "+-.0123456789":
        return "Write a number like 12, -3 or 0.5: no + and no 0 in front, digits on both sides of the point."
    if found[0].isalpha():
        return f'Put texts and keys in double quotes: "{found}"'
    return "Compare the brackets, commas and quotes near here."
