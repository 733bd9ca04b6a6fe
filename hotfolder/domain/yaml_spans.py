"""Tells where the events of a YAML parser stand in the text."""

from __future__ import annotations

import re

from yaml import events

_PROPERTIES = re.compile(r"(?:[&!]\S*(?:\s+(?:#[^\r\n]*)?)*)+")


def event_span(event: events.Event) -> tuple[int, int]:
    """Start and end of all that the event stands for, in characters."""
    assert event.start_mark is not None
    assert event.end_mark is not None
    return event.start_mark.index, event.end_mark.index


def node_span(text: str, event: events.ScalarEvent | events.CollectionStartEvent) -> tuple[int, int]:
    """Start and end of the node itself, without its anchor and tag."""
    start, end = event_span(event)
    if event.anchor or event.tag:
        if isinstance(event, events.ScalarEvent) and not event.value and not event.style:
            return end, end
        if found := _PROPERTIES.match(text, start):
            return found.end(), end
    return start, end
