"""Nodes of a document that know where they were written, and the text that they are read from."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

from hotfolder.errors import Problem

Kind = Literal["map", "list", "text", "integer", "number", "boolean", "null"]

MAX_DEPTH = 32
# Python refuses to print integers past 4300 digits; a hexadecimal one of this length has 4215.
MAX_NUMBER_CHARACTERS = 3500
# A file with more problems than this is not a job file; reading stops.
MAX_VALUES = 200_000
MAX_PROBLEMS = 100

_LINE_BREAK = re.compile(r"\r\n|\n|\r")
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Node:
    """One value of a document: what it means, how it was written and where."""

    kind: Kind
    value: Any
    """A scalar, a tuple of nodes (list) or a tuple of entries (map)."""
    written: str
    """A scalar without its quotes, so that a text key can take `2026` or `007`; empty for collections."""
    line: int
    column: int
    start: int
    """Character offset into the decoded text; `text[start:end]` is the node as written."""
    end: int
    flow: bool
    """A collection written as {...} or [...]; always so in JSON."""
    plain: bool
    """A YAML scalar without quotes; never so in JSON, where nothing is converted."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One `key: value` of a map; the key is always of kind text, as written."""

    key: Node
    value: Node


def to_plain(node: Node) -> object:
    """The node as plain Python values: dict, list and scalars, new ones at each call."""
    if node.kind == "map":
        return {str(entry.key.value): to_plain(entry.value) for entry in node.value}
    if node.kind == "list":
        return [to_plain(item) for item in node.value]
    return node.value


def find_node(node: Node, path: Sequence[str | int]) -> Node | None:
    """The node below this one at a path of keys and list positions, or None."""
    found: Node | None = node
    for step in path:
        if found is None:
            return None
        if isinstance(step, str):
            found = child(found, step)
        else:
            items = found.value if found.kind == "list" else ()
            found = items[step] if 0 <= step < len(items) else None
    return found


def child(node: Node, key: str) -> Node | None:
    """The value of a key, or None when the node is no map or has no such key."""
    return next((entry.value for entry in entries(node) if entry.key.value == key), None)


def entries(node: Node | None) -> tuple[Entry, ...]:
    """The entries of a map; none when the node is missing or something else."""
    return tuple(node.value) if node is not None and node.kind == "map" else ()


class Unreadable(Exception):
    """Nothing after this place can be read; its problem is already in the list of the source."""


@dataclass(slots=True)
class SourceText:
    """The text that is being read, with its lines and the problems found so far."""

    text: str
    problems: list[Problem] = field(default_factory=list)
    values: int = 0
    _line_starts: list[int] = field(default_factory=list)

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1, of a character offset."""
        if not self._line_starts:
            self._line_starts = [0, *(found.end() for found in _LINE_BREAK.finditer(self.text))]
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def line_at(self, offset: int) -> tuple[str, str]:
        """The line around an offset: what stands before it, and what from it to the end of the line."""
        start = offset - self.place(offset)[1] + 1
        found = _LINE_BREAK.search(self.text, offset)
        return self.text[start:offset], self.text[offset : found.start() if found else len(self.text)]

    def node(
        self,
        kind: Kind,
        value: Any,
        span: tuple[int, int],
        *,
        written: str = "",
        flow: bool = False,
        plain: bool = False,
    ) -> Node:
        """A node at a span (start, end) of this text."""
        self.count_value(span[0])
        line, column = self.place(span[0])
        return Node(kind, value, written, line, column, span[0], span[1], flow, plain)

    def count_value(self, offset: int) -> None:
        """Refuse a text of very many tiny values: each takes far more memory and time than its characters."""
        self.values += 1
        if self.values > MAX_VALUES:
            self.refuse(offset, f"The file holds more than {MAX_VALUES:,} values.", "Split the file.")

    def complain(self, offset: int, message: str, hint: str, path: Sequence[str | int] = ()) -> None:
        """Note a problem and go on; raises Unreadable when there are too many."""
        if len(self.problems) >= MAX_PROBLEMS:
            raise Unreadable
        line, column = self.place(offset)
        shown = ".".join(f"{step!s:.60}" for step in path)
        self.problems.append(Problem("job.parse", message, hint, line, column, shown or None))

    def refuse(self, offset: int, message: str, hint: str, path: Sequence[str | int] = ()) -> NoReturn:
        """Note a problem after which nothing more can be read."""
        self.complain(offset, message, hint, path)
        raise Unreadable

    def check_escapes(self, offset: int, value: str, path: Sequence[str | int]) -> None:
        """Complain about characters that only escapes can bring in, and that no file name can hold."""
        if "\0" in value:
            self.complain(
                offset, "The text holds a NUL character.", r"Take `\0` or `\u0000` out of the text.", path
            )
        if found := _SURROGATE.search(value):
            message = rf"`\u{ord(found.group()):04x}` is half of a character; its other half is missing."
            self.complain(offset, message, "Write the character itself instead of its escape.", path)
