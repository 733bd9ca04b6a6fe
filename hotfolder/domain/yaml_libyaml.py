"""The events of libyaml, without what libyaml alone lets through."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from yaml import events
from yaml.error import Mark, MarkedYAMLError

from hotfolder.domain.yaml_spans import event_span, node_span

try:
    from yaml._yaml import CParser
except ImportError:  # PyYAML was built without it
    CParser = None  # type: ignore[assignment,misc]

# libyaml compares each of them with all before it, while every other thread stands still.
_MAX_TAG_DIRECTIVES = 100

_TAG_DIRECTIVE = re.compile(r"(?:^|[\r\n])%(?=TAG)")
_TAB_INDENT = re.compile(r"[\r\n] *\t")
_TAG_AND_TAB = re.compile(r"(?:&\S*+(?:\s++|#[^\r\n]*+)*+)?!\S*+\t")
_BLOCK_HEADER = re.compile(r"[|>][-+0-9]*(?: *| +#[^\r\n]*)(?=[\r\n]|\Z)")
# Without any of this, no event needs a look.
_SUSPECT = re.compile(r"\t|\?[^ \t\r\n]|[|>][-+0-9]*#")


def has_libyaml() -> bool:
    """Whether PyYAML was built with libyaml."""
    return CParser is not None


def libyaml_events(text: str) -> Iterator[events.Event]:
    """All events of a text; raises MarkedYAMLError at what libyaml or `YamlStream` would refuse."""
    if excess := next(islice(_TAG_DIRECTIVE.finditer(text), _MAX_TAG_DIRECTIVES, None), None):
        raise _fault(excess.end() - 1, f"found more than {_MAX_TAG_DIRECTIVES} directives")
    stream = iter(CParser(text).get_event, None)
    return _checked(text, stream) if _SUSPECT.search(text) else stream


def _checked(text: str, stream: Iterator[events.Event]) -> Iterator[events.Event]:
    for event in stream:
        if isinstance(event, events.NodeEvent) and (found := _find_laxity(text, event)):
            raise _fault(*found)
        yield event


def _find_laxity(text: str, event: events.NodeEvent) -> tuple[int, str] | None:
    start, end = event_span(event)
    if text[start - 1 : start] == "?":
        return start - 1, "found a question mark without a space"
    if isinstance(event, events.AliasEvent):
        return None
    assert isinstance(event, events.ScalarEvent | events.CollectionStartEvent)
    node_start = node_span(text, event)[0]
    if event.tag and (found := _TAG_AND_TAB.match(text, start, node_start + 1)):
        return found.end() - 1, "found a tab character behind a tag"
    if isinstance(event, events.ScalarEvent):
        if not event.style and (found := _TAB_INDENT.search(text, node_start, end)):
            return found.end() - 1, "found a tab character that violates indentation"
        if event.style in ("|", ">") and not _BLOCK_HEADER.match(text, node_start):
            return node_start, "found no line break behind the indicator of a block scalar"
    return None


def _fault(offset: int, problem: str) -> MarkedYAMLError:
    return MarkedYAMLError(problem=problem, problem_mark=Mark("", offset, 0, 0, None, 0))
