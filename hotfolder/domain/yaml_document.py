"""Reads YAML, with the meaning of version 1.2, into nodes with positions."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

from yaml import events
from yaml.error import MarkedYAMLError
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner
from yaml.tokens import ScalarToken

from hotfolder.domain.document import (
    MAX_DEPTH,
    MAX_NUMBER_CHARACTERS,
    Entry,
    Kind,
    Node,
    SourceText,
    Unreadable,
)

MAX_ALIAS_NODES = 10_000

_FORBIDDEN = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Line breaks of YAML 1.1 that are plain characters since 1.2. PyYAML still breaks lines at them, so it is
# shown surrogates in their place, which no decoded text can hold; offsets stay.
_HIDE = str.maketrans("\x85\u2028\u2029", "\udbfd\udbfe\udbff")
_SHOW = str.maketrans("\udbfd\udbfe\udbff", "\x85\u2028\u2029")

_BLOCK_RUN = re.compile(
    r"(?:[^\0 \t\r\n:]|:(?![\0 \t\r\n]))+(?:[ \t]+(?!#)(?:[^\0 \t\r\n:]|:(?![\0 \t\r\n]))+)*"
)
_FLOW_RUN = re.compile(
    _BLOCK_RUN.pattern.replace(r"\r\n:]", r"\r\n:,\[\]{}]").replace(r"\r\n])", r"\r\n,\[\]{}])")
)
_BLANKS_TO_BREAK = re.compile(r"[ \t]*(?=[\r\n])")
_BLANKS = re.compile(r"[ \t]+")
_BLANK_LINE = re.compile(r"[ \t]+(?=[\r\n\0#])")
_PROPERTIES = re.compile(r"(?:[&!]\S*(?:\s+(?:#[^\r\n]*)?)*)+")

_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_CONSTANTS: dict[str, tuple[Kind, bool | None]] = {
    "": ("null", None),
    "~": ("null", None),
    "null": ("null", None),
    "true": ("boolean", True),
    "false": ("boolean", False),
}
_QUOTE_HINT = 'Put the text in quotes: "..."'
_TAG_PREFIX = "tag:yaml.org,2002:"
_TAG_KINDS: dict[str, Kind] = {
    "str": "text",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "null": "null",
    "map": "map",
    "seq": "list",
}

_MISSING_SPACE = re.compile(r"\s*(?:- +)?([\w.-]+):(\S.*)")
_COLUMN_HINT = "Start the keys of one map in the same column, and so the dashes of one list."
_BACKSLASH_HINT = r"Write `\\` for a backslash, or use single quotes."
_BRACKET_HINT = "Add the closing bracket or a comma; texts with brackets need quotes."
_SAME_QUOTES_HINT = "Put the whole text in one pair of quotes; inside single quotes a ' is written ''."
_START_HINT = "Start all keys of a job in the same column, and put `---` between jobs."
# What PyYAML says, in the order to look for it; what we say; how to mend it.
_FAULTS = {
    "a quoted scalar": ("The quote that opens here is never closed.", "Close it with the same quote mark."),
    "unknown escape": ("`\\{found}` means nothing inside double quotes.", _BACKSLASH_HINT),
    "escape sequence": ("Hexadecimal digits are missing behind an escape.", _BACKSLASH_HINT),
    "expected the node content": ("Found `{found}` where a value is expected.", _QUOTE_HINT),
    "parsing a flow": ("Found `{found}`, but the `{opener}` of line {line} is still open.", _BRACKET_HINT),
    "cannot start any token": ("A text cannot start with `{found}`.", _QUOTE_HINT),
    "scanning an a": ("A text cannot start with `{opener}`.", _QUOTE_HINT),
    "tag": ("A text cannot start with `!`.", _QUOTE_HINT),
    "sequence entries": (
        "A list cannot start on the line of its key.",
        "Put each `- item` on its own line below.",
    ),
    "mapping keys": ("A text cannot start with `?` and a space.", _QUOTE_HINT),
    "a block scalar": ("Text stands on the line of `{opener}`.", "Start it on the next line, indented."),
    "<document start>": ("This does not belong to what stands above.", _START_HINT),
}
_SHOWN_AT_OPENING = ("a quoted scalar", "scanning an a", "tag", "a block scalar")


def read_yaml(source: SourceText) -> list[Node]:
    """One node a document, empty documents left out; problems go to the source."""
    for found in _FORBIDDEN.finditer(source.text):
        message = f"A control character ({found.group()!r}) stands in the file."
        source.complain(found.start(), message, "Delete it; the editor may not show it.")
    if source.problems:
        raise Unreadable
    stream = _Stream(source.text.translate(_HIDE))
    builder = _Builder(source)
    try:
        while stream.check_event():
            builder.take(stream.get_event())  # type: ignore[no-untyped-call]  # the stubs name no types
    except MarkedYAMLError as error:
        _refuse_syntax(source, error)
    except (ValueError, OverflowError, IndexError):
        # PyYAML lets these through for escapes beyond Unicode and for endless version numbers.
        source.refuse(stream.index, "A number or escape near here is out of range.", "Use a smaller one.")
    return builder.documents


class _Stream(Reader, Scanner, Parser):
    """PyYAML from characters to events, mended where it follows YAML 1.1; nothing is ever constructed."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)

    def check_printable(self, data: str) -> None:
        """Nothing: `read_yaml` names all forbidden characters itself."""

    def check_key(self) -> bool:
        """A question mark opens a key only before a blank, in [...] and {...} too."""
        return self.peek(1) in "\0 \t\r\n"

    def check_plain(self) -> bool:
        """A text may start with a question mark, in [...] and {...} too."""
        return super().check_plain() or (self.peek() == "?" and self.peek(1) not in "\0 \t\r\n,[]{}")

    def scan_to_next_token(self) -> None:
        """Allow tabs between tokens and on empty lines, as 1.2 does; never as indentation."""
        super().scan_to_next_token()
        while self.peek() == "\t":
            separates = self.flow_level or not self.allow_simple_key
            blanks = (_BLANKS if separates else _BLANK_LINE).match(self.buffer, self.pointer)
            if blanks is None:
                return
            self.forward(len(blanks.group()))
            super().scan_to_next_token()

    def scan_plain(self) -> ScalarToken:
        """A scalar without quotes; tabs and question marks may stand inside."""
        start = end = self.get_mark()
        run = _FLOW_RUN if self.flow_level else _BLOCK_RUN
        indent = self.indent + 1
        parts: list[str] = []
        spaces: list[str] = []
        while self.peek() != "#" and (found := run.match(self.buffer, self.pointer)):
            self.allow_simple_key = False
            parts += [*spaces, found.group()]
            self.forward(len(found.group()))
            end = self.get_mark()
            spaces = self._scan_line_end(indent, start)
            if not spaces or (not self.flow_level and self.column < indent):
                break
        return ScalarToken("".join(parts), True, start, end)

    def _scan_line_end(self, indent: int, start: Any) -> list[str]:
        blanks = _BLANKS_TO_BREAK.match(self.buffer, self.pointer)
        if blanks is None:
            return []
        self.forward(len(blanks.group()))
        return self.scan_plain_spaces(indent, start) or []


@dataclass(frozen=True, slots=True)
class _Built:
    """A node with what an alias to it costs: nodes, aliases followed, and levels of nesting."""

    node: Node
    nodes: int = 1
    levels: int = 0


@dataclass(slots=True)
class _Frame:
    """A collection that is still open; a map holds its keys and values in turn."""

    kind: Kind
    start: int
    flow: bool
    anchor: str | None
    children: list[Node] = field(default_factory=list)
    keys: dict[str, Node] = field(default_factory=dict)
    nodes: int = 1
    levels: int = 1

    @property
    def wants_key(self) -> bool:
        return self.kind == "map" and len(self.children) % 2 == 0

    def step(self) -> str | int | None:
        if self.kind == "list":
            return len(self.children)
        return None if self.wants_key else self.children[-1].written


class _Builder:
    """Events in, nodes out; without recursion, so that no nesting can exhaust the stack."""

    def __init__(self, source: SourceText) -> None:
        self.documents: list[Node] = []
        self._source = source
        self._frames: list[_Frame] = []
        self._anchors: dict[str, _Built | None] = {}
        self._alias_nodes = 0

    def take(self, event: events.Event) -> None:
        """Add what the next event says; raises Unreadable when going on makes no sense."""
        match event:
            case events.DocumentStartEvent():
                self._anchors.clear()
            case events.ScalarEvent():
                self._add(_Built(self._scalar(event)), event.anchor)
            case events.AliasEvent():
                self._add(self._alias(event), None)
            case events.CollectionStartEvent():
                self._open(event)
            case events.CollectionEndEvent():
                self._close(_span(event)[1])

    def _open(self, event: events.CollectionStartEvent) -> None:
        kind: Kind = "map" if isinstance(event, events.MappingStartEvent) else "list"
        start = self._start(event)
        if self._wants_key():
            message = f"A {'map' if kind == 'map' else 'list'} stands where a key is expected."
            self._source.complain(start, message, "Put a key that holds brackets in quotes.", self._path())
        self._check_depth(start, 1)
        if event.tag not in (None, "!") and _TAG_KINDS.get(_tag_name(event)) != kind:
            self._complain_tag(event)
        if event.anchor:
            self._anchors[event.anchor] = None
        self._frames.append(_Frame(kind, start, bool(event.flow_style), event.anchor))

    def _close(self, end: int) -> None:
        frame = self._frames.pop()
        bracketed = frame.flow and self._source.text[frame.start] in "[{"
        if not bracketed and frame.children:
            # The event ends at the next token; the collection ends with its last child.
            end = frame.children[-1].end
        children: tuple[Node | Entry, ...] = tuple(frame.children)
        if frame.kind == "map":
            pairs = zip(frame.children[::2], frame.children[1::2], strict=True)
            children = tuple(Entry(key, value) for key, value in pairs)
        node = self._source.node(frame.kind, children, (frame.start, end), flow=frame.flow)
        self._add(_Built(node, frame.nodes, frame.levels), frame.anchor)

    def _add(self, built: _Built, anchor: str | None) -> None:
        if anchor:
            self._anchors[anchor] = built
        if not self._frames:
            if not _is_empty(built.node):
                self.documents.append(built.node)
            return
        frame = self._frames[-1]
        node = self._key(frame, built.node) if frame.wants_key else built.node
        frame.children.append(node)
        frame.nodes += built.nodes
        frame.levels = max(frame.levels, built.levels + 1)

    def _key(self, frame: _Frame, node: Node) -> Node:
        """The key as text, as written; complains about a repeated or missing one."""
        if node.kind == "null":
            self._source.complain(
                node.start, "A key is missing here.", 'Write `key: value`; "null" needs quotes.'
            )
        if node.kind in ("map", "list"):
            return node
        key = replace(node, kind="text", value=node.written)
        if earlier := frame.keys.get(key.written):
            message = f"`{key.written:.60}` is written twice, first on line {earlier.line}."
            self._source.complain(key.start, message, "Keep one of the two.", [*self._path(), key.written])
        frame.keys.setdefault(key.written, key)
        return key

    def _alias(self, event: events.AliasEvent) -> _Built:
        name = str(event.anchor)
        shown = f"*{name:.60}"
        span = _span(event)
        built = self._anchors.get(name)
        if built is None:
            fault = "stands inside of what it names" if name in self._anchors else "names nothing above it"
            self._source.complain(span[0], f"`{shown}` {fault}.", _QUOTE_HINT, self._path())
            return _Built(self._source.node("text", shown, span, written=shown, plain=True))
        self._check_depth(span[0], built.levels)
        self._alias_nodes += built.nodes
        if self._alias_nodes > MAX_ALIAS_NODES:
            message = f"The aliases (`{shown}` and others) stand for more than {MAX_ALIAS_NODES:,} values."
            self._source.refuse(span[0], message, "Write out what is needed, in several files.", self._path())
        line, column = self._source.place(span[0])
        return replace(built, node=replace(built.node, line=line, column=column, start=span[0], end=span[1]))

    def _scalar(self, event: events.ScalarEvent) -> Node:
        start, end = self._start(event), _span(event)[1]
        plain = not event.style
        written = event.value.translate(_SHOW)
        if not plain:
            written = _joined_surrogates(written)
            self._source.check_escapes(start, written, self._path())
        kind: Kind = "text"
        value: Any = written
        if plain or event.tag:
            kind, value = self._meaning(event, written, start)
        return self._source.node(kind, value, (start, end), written=written, plain=plain)

    def _meaning(self, event: events.ScalarEvent, written: str, start: int) -> tuple[Kind, Any]:
        if _NOT_FINITE.fullmatch(written) and not self._wants_key() and event.tag is None:
            message = f"`{written}` is no number that a job can use."
            self._source.complain(start, message, "Write a number, or put a text in quotes.", self._path())
            return "number", 0.0
        kind, value = _resolve(written)
        wanted = (
            kind if event.tag is None else "text" if event.tag == "!" else _TAG_KINDS.get(_tag_name(event))
        )
        if wanted == "text":
            return "text", written
        if (kind, wanted) == ("integer", "number"):
            return "number", float(value)
        if kind != wanted:
            self._complain_tag(event)
        return kind, value

    def _complain_tag(self, event: events.ScalarEvent | events.CollectionStartEvent) -> None:
        start, end = _span(event)
        found = re.search(r"!\S*", self._source.text[start:end])
        tag = found.group() if found else str(event.tag)
        message = f"The tag `{tag:.60}` does not fit here."
        self._source.complain(start, message, _QUOTE_HINT, self._path())

    def _check_depth(self, offset: int, levels: int) -> None:
        if len(self._frames) + levels > MAX_DEPTH:
            message = f"Values are nested more than {MAX_DEPTH} deep."
            self._source.refuse(offset, message, "Nest them less.")

    def _wants_key(self) -> bool:
        return bool(self._frames) and self._frames[-1].wants_key

    def _path(self) -> list[str | int]:
        return [step for frame in self._frames if (step := frame.step()) is not None]

    def _start(self, event: events.ScalarEvent | events.CollectionStartEvent) -> int:
        """Where the node itself starts, behind its anchor and tag."""
        start, end = _span(event)
        if not event.anchor and not event.tag:
            return start
        if isinstance(event, events.ScalarEvent) and not event.value and not event.style:
            return end
        found = _PROPERTIES.match(self._source.text, start)
        return found.end() if found else start


def _span(event: events.Event) -> tuple[int, int]:
    assert event.start_mark is not None
    assert event.end_mark is not None
    return event.start_mark.index, event.end_mark.index


def _tag_name(event: events.ScalarEvent | events.CollectionStartEvent) -> str:
    tag = event.tag or ""
    return tag.removeprefix(_TAG_PREFIX) if tag.startswith(_TAG_PREFIX) else ""


def _is_empty(node: Node) -> bool:
    return node.kind == "null" and node.plain and not node.written


def _joined_surrogates(value: str) -> str:
    """Escapes may write one character as a pair of halves, as JSON does."""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def _resolve(written: str) -> tuple[Kind, Any]:
    """What a scalar without quotes means; a number beyond all measure stays text, which an id may well be."""
    if written in _CONSTANTS:
        return _CONSTANTS[written]
    if len(written) <= MAX_NUMBER_CHARACTERS:
        if _INTEGER.fullmatch(written):
            base = {"0x": 16, "0o": 8}.get(written[:2], 10)
            return "integer", int(written[2:], base) if base != 10 else int(written)
        if _NUMBER.fullmatch(written) and math.isfinite(value := float(written)):
            return "number", value
    return "text", written


def _refuse_syntax(source: SourceText, error: MarkedYAMLError) -> NoReturn:
    """PyYAML's complaint in the words of somebody who writes jobs, not parsers."""
    at = error.problem_mark.index if error.problem_mark else 0
    opened = error.context_mark.index if error.context_mark else at
    problem = f"{error.context or 'while reading'}: {error.problem}"
    if "character '\\t'" in problem:
        _refuse_tab(source, at)
    if "mapping values are not allowed" in problem:
        _refuse_colon(source, at)
    if "could not find expected ':'" in problem:
        _refuse_missing_space(source, opened)
        line = "".join(source.line_at(opened)).strip()
        source.refuse(
            opened, f"`{line:.40}` is not `key: value`.", "Write a colon and a space behind the key."
        )
    if "expected <block end>" in problem:
        _refuse_misfit(source, at)
    words = {
        "found": source.text[at : at + 1].strip() or "the end",
        "opener": source.text[opened : opened + 1],
        "line": source.place(opened)[0],
    }
    for needle, (message, hint) in _FAULTS.items():
        if needle in problem:
            place = opened if needle in _SHOWN_AT_OPENING else at
            source.refuse(place, message.format(**words), hint)
    source.refuse(at, f"This is not YAML: {problem}.", "Compare the indentation and the quotes near here.")


def _refuse_tab(source: SourceText, at: int) -> NoReturn:
    indents = not source.line_at(at)[0].strip()
    message = (
        "A tab is used for indentation; YAML wants spaces."
        if indents
        else "A tab stands where YAML wants spaces."
    )
    source.refuse(at, message, "Replace the tab with spaces, two for each level.")


def _refuse_colon(source: SourceText, at: int) -> NoReturn:
    before, rest = source.line_at(at)
    key, colon, text = (before + rest).partition(": ")
    if colon and len(key) < len(before):
        hint = (
            _QUOTE_HINT
            if '"' in text or len(text) > 60
            else f'Put the text in quotes: {key.strip()}: "{text.strip()}"'
        )
        source.refuse(at, f"The text of `{key.strip():.60}` holds a colon and a space.", hint)
    above = source.text[: at - len(before)].rstrip()
    if above:
        _refuse_missing_space(source, len(above) - 1)
    source.refuse(
        at - len(before.lstrip()), "This line is indented deeper than the lines it belongs to.", _COLUMN_HINT
    )


def _refuse_missing_space(source: SourceText, offset: int) -> None:
    """Refuse a line like `steps:4`; say nothing about others."""
    before, rest = source.line_at(offset)
    found = _MISSING_SPACE.match(before + rest)
    if found:
        start = offset - len(before) + found.start(1)
        message = f"A space is missing behind the colon of `{found.group(1):.60}`."
        source.refuse(start, message, f"Write `{found.group(1):.60}: {found.group(2):.60}`.")


def _refuse_misfit(source: SourceText, at: int) -> NoReturn:
    before, rest = source.line_at(at)
    last = before.strip()[-1:]
    if not last:
        source.refuse(at, "This line does not fit the lines above it.", _COLUMN_HINT)
    if rest.startswith(","):
        source.refuse(at, "A comma stands behind the value.", "Lines of YAML end without a comma.")
    if last in "'\"":
        source.refuse(at, "Text stands behind the closing quote.", _SAME_QUOTES_HINT)
    message = f"Found `{rest.strip():.40}` behind `{last}`, where the line should end."
    source.refuse(at, message, "Put a text that holds brackets or quotes into quotes.")
