"""Builds nodes with positions from the events of a YAML parser."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from yaml import events

from hotfolder.domain.node import MAX_DEPTH, Entry, Kind, Node, SourceText
from hotfolder.domain.yaml_faults import QUOTE_HINT
from hotfolder.domain.yaml_mask import MaskedText
from hotfolder.domain.yaml_scalars import is_not_finite, resolve, tag_kind
from hotfolder.domain.yaml_spans import event_span, node_span

MAX_ALIAS_NODES = 10_000

_COLON = re.compile(r"(?:[ \t\r\n]++|#[^\r\n]*+)*+:")


class _Built(NamedTuple):
    """A node with what an alias to it costs: nodes, and levels of nesting."""

    node: Node
    nodes: int
    levels: int


@dataclass(slots=True)
class _Frame:
    """A collection that is still open."""

    kind: Kind
    start: int
    flow: bool
    anchor: str | None
    children: list[Node | Entry] = field(default_factory=list)
    end: int = 0
    keys: dict[str, Node] = field(default_factory=dict)
    key: Node | None = None
    """The key of a map whose value comes next."""
    nodes: int = 1
    levels: int = 1

    def step(self) -> str | int | None:
        if self.kind == "list":
            return len(self.children)
        return self.key.written if self.key else None


class Builder:
    """Events in, nodes out; without recursion, so that no nesting can exhaust the stack."""

    def __init__(self, source: SourceText, masked: MaskedText) -> None:
        self.documents: list[Node] = []
        """One node a document, empty documents left out."""
        self._source = source
        self._masked = masked
        self._frames: list[_Frame] = []
        self._anchors: dict[str, _Built | None] = {}
        self._alias_nodes = 0

    def take(self, event: events.Event) -> None:
        """Add what the next event says; raises Unreadable when going on makes no sense."""
        match event:
            case events.ScalarEvent():
                self._add(self._scalar(event), event.anchor)
            case events.CollectionStartEvent():
                self._open(event)
            case events.CollectionEndEvent():
                self._close(event_span(event)[1])
            case events.AliasEvent():
                self._alias(event)
            case events.DocumentStartEvent():
                self._anchors.clear()

    def _open(self, event: events.CollectionStartEvent) -> None:
        kind: Kind = "map" if isinstance(event, events.MappingStartEvent) else "list"
        start, _ = node_span(self._source.text, event)
        if self._wants_key():
            message = f"A {'map' if kind == 'map' else 'list'} stands where a key is expected."
            self._source.complain(start, message, "Put a key that holds brackets in quotes.", self._path())
        self._check_depth(start, 1)
        if event.tag not in (None, "!") and tag_kind(str(event.tag)) != kind:
            self._complain_tag(event)
        if event.anchor:
            self._anchors[event.anchor] = None
        self._frames.append(_Frame(kind, start, bool(event.flow_style), event.anchor))

    def _close(self, end: int) -> None:
        frame = self._frames.pop()
        bracketed = frame.flow and self._source.text[frame.start] in "[{"
        if not bracketed and frame.children:
            # The event ends at the next token; the collection ends with its last child.
            end = frame.end
        node = self._source.node(frame.kind, tuple(frame.children), (frame.start, end), flow=frame.flow)
        self._add(node, frame.anchor, frame.nodes, frame.levels)

    def _add(self, node: Node, anchor: str | None, nodes: int = 1, levels: int = 0) -> None:
        if anchor:
            self._anchors[anchor] = _Built(node, nodes, levels)
        if not self._frames:
            if not _is_empty(node):
                self.documents.append(node)
            return
        frame = self._frames[-1]
        frame.end = node.end
        frame.nodes += nodes
        if levels >= frame.levels:
            frame.levels = levels + 1
        if frame.kind == "list":
            frame.children.append(node)
        elif frame.key is None:
            frame.key = self._key(frame, node)
        else:
            frame.children.append(Entry(frame.key, node))
            frame.key = None

    def _key(self, frame: _Frame, node: Node) -> Node:
        """The key as text, as written; complains about a repeated or missing one."""
        if node.kind == "null":
            self._source.complain(
                node.start, "A key is missing here.", 'Write `key: value`; "null" needs quotes.'
            )
        if node.kind in ("map", "list"):
            return node
        key = node if node.kind == "text" else replace(node, kind="text", value=node.written)
        earlier = frame.keys.setdefault(key.written, key)
        if earlier is not key:
            message = f"`{key.written:.60}` is written twice, first on line {earlier.line}."
            self._source.complain(key.start, message, "Keep one of the two.", [*self._path(), key.written])
        return key

    def _alias(self, event: events.AliasEvent) -> None:
        name = str(event.anchor)
        shown = f"*{name:.60}"
        span = event_span(event)
        built = self._anchors.get(name)
        if built is None:
            fault = "stands inside of what it names" if name in self._anchors else "names nothing above it"
            self._source.complain(span[0], f"`{shown}` {fault}.", QUOTE_HINT, self._path())
            self._add(self._source.node("text", shown, span, written=shown, plain=True), None)
            return
        self._check_depth(span[0], built.levels)
        self._alias_nodes += built.nodes
        if self._alias_nodes > MAX_ALIAS_NODES:
            message = f"The aliases (`{shown}` and others) stand for more than {MAX_ALIAS_NODES:,} values."
            self._source.refuse(span[0], message, "Write out what is needed, in several files.", self._path())
        line, column = self._source.place(span[0])
        node = replace(built.node, line=line, column=column, start=span[0], end=span[1])
        self._add(node, None, built.nodes, built.levels)

    def _scalar(self, event: events.ScalarEvent) -> Node:
        start, end = node_span(self._source.text, event)
        plain = not event.style
        if start == end and not event.anchor and not event.tag:
            start = end = self._after_colon(start)
        written = self._masked.show(event.value)
        if event.style == '"':
            written = self._unescaped(start, written)
        kind: Kind = "text"
        value: Any = written
        if plain or event.tag:
            kind, value = self._meaning(event, written, start)
        line, column = self._source.place(start)
        self._source.count_value(start)
        return Node(kind, value, written, line, column, start, end, False, plain)

    def _after_colon(self, start: int) -> int:
        """Where a missing value belongs; the parsers name different places."""
        key = self._frames[-1].key if self._frames else None
        colon = _COLON.match(self._source.text, key.end, start) if key else None
        return colon.end() if colon else start

    def _unescaped(self, start: int, written: str) -> str:
        """Escapes may write one character as a pair of halves, as JSON does."""
        if not written.isascii():
            written = written.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
        self._source.check_escapes(start, written, self._path())
        return written

    def _meaning(self, event: events.ScalarEvent, written: str, start: int) -> tuple[Kind, Any]:
        if event.tag is None and is_not_finite(written) and not self._wants_key():
            message = f"`{written}` is no number that a job can use."
            self._source.complain(start, message, "Write a number, or put a text in quotes.", self._path())
            return "number", 0.0
        kind, value = resolve(written)
        if event.tag is None:
            return kind, value
        wanted = "text" if event.tag == "!" else tag_kind(event.tag)
        if wanted == "text":
            return "text", written
        if (kind, wanted) == ("integer", "number"):
            return "number", float(value)
        if kind != wanted:
            self._complain_tag(event)
        return kind, value

    def _complain_tag(self, event: events.ScalarEvent | events.CollectionStartEvent) -> None:
        start, end = event_span(event)
        found = re.search(r"!\S*", self._source.text[start:end])
        tag = found.group() if found else str(event.tag)
        message = f"The tag `{tag:.60}` does not fit here."
        self._source.complain(start, message, QUOTE_HINT, self._path())

    def _check_depth(self, offset: int, levels: int) -> None:
        if len(self._frames) + levels > MAX_DEPTH:
            message = f"Values are nested more than {MAX_DEPTH} deep."
            self._source.refuse(offset, message, "Nest them less.")

    def _wants_key(self) -> bool:
        return bool(self._frames) and self._frames[-1].kind == "map" and self._frames[-1].key is None

    def _path(self) -> list[str | int]:
        return [step for frame in self._frames if (step := frame.step()) is not None]


def _is_empty(node: Node) -> bool:
    return node.kind == "null" and node.plain and not node.written
