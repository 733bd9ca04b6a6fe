"""Reads YAML, with the meaning of version 1.2, into nodes with positions."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from typing import Any

from yaml import events
from yaml.error import MarkedYAMLError

from hotfolder.domain.node import MAX_DEPTH, MAX_NUMBER_CHARACTERS, Entry, Kind, Node, SourceText, Unreadable
from hotfolder.domain.yaml_faults import QUOTE_HINT, refuse_syntax
from hotfolder.domain.yaml_stream import YamlStream

MAX_ALIAS_NODES = 10_000

_FORBIDDEN = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Line breaks of YAML 1.1 that are plain characters since 1.2. PyYAML still breaks lines at them, so it is
# shown surrogates in their place, which no decoded text can hold; offsets stay.
_HIDE = str.maketrans("\x85\u2028\u2029", "\udbfd\udbfe\udbff")
_SHOW = str.maketrans("\udbfd\udbfe\udbff", "\x85\u2028\u2029")

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


def read_yaml(source: SourceText) -> list[Node]:
    """One node a document, empty documents left out; problems go to the source."""
    for found in _FORBIDDEN.finditer(source.text):
        message = f"A control character ({found.group()!r}) stands in the file."
        source.complain(found.start(), message, "Delete it; the editor may not show it.")
    if source.problems:
        raise Unreadable
    stream = YamlStream(source.text.translate(_HIDE))
    builder = _Builder(source)
    try:
        while stream.check_event():
            builder.take(stream.get_event())  # type: ignore[no-untyped-call]  # the stubs name no types
    except MarkedYAMLError as error:
        refuse_syntax(source, error)
    except (ValueError, OverflowError, IndexError):
        # PyYAML lets these through for escapes beyond Unicode and for endless version numbers.
        source.refuse(stream.index, "A number or escape near here is out of range.", "Use a smaller one.")
    return builder.documents


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
            self._source.complain(span[0], f"`{shown}` {fault}.", QUOTE_HINT, self._path())
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
        self._source.complain(start, message, QUOTE_HINT, self._path())

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
