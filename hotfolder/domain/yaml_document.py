"""Reads YAML, with the meaning of version 1.2, into nodes with positions."""

from __future__ import annotations

import re
from contextlib import suppress

from yaml.error import MarkedYAMLError

from hotfolder.domain.node import Node, SourceText, Unreadable
from hotfolder.domain.yaml_builder import Builder
from hotfolder.domain.yaml_faults import refuse_syntax
from hotfolder.domain.yaml_libyaml import has_libyaml, libyaml_events
from hotfolder.domain.yaml_mask import MaskedText, mask_text
from hotfolder.domain.yaml_stream import YamlStream

# Up to here a text that libyaml refuses is read again by PyYAML, which takes a second at most. It explains
# better, and accepts more: tabs on blank lines, `{a:[1]}`, `[?a]`, unknown directives, a character as two
# escapes. A larger text with any of these is refused.
MAX_SECOND_LOOK_CHARACTERS = 64 * 1024

_FORBIDDEN = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_yaml(source: SourceText) -> list[Node]:
    """One node a document, empty documents left out; problems go to the source."""
    for found in _FORBIDDEN.finditer(source.text):
        message = f"A control character ({found.group()!r}) stands in the file."
        source.complain(found.start(), message, "Delete it; the editor may not show it.")
    if source.problems:
        raise Unreadable
    masked = mask_text(source.text)
    if has_libyaml():
        if len(source.text) > MAX_SECOND_LOOK_CHARACTERS:
            return read_with_libyaml(source, masked)
        first_look = SourceText(source.text)
        with suppress(Unreadable):
            documents = read_with_libyaml(first_look, masked)
            if not first_look.problems:
                return documents
    return read_with_pyyaml(source, masked)


def read_with_libyaml(source: SourceText, masked: MaskedText) -> list[Node]:
    """Read with the parser written in C; raises Unreadable at a fault."""
    builder = Builder(source, masked)
    try:
        for event in libyaml_events(masked.text):
            builder.take(event)
    except MarkedYAMLError as fault:
        refuse_syntax(source, fault)
    return builder.documents


def read_with_pyyaml(source: SourceText, masked: MaskedText) -> list[Node]:
    """Read with the parser written in Python, ten times slower; raises Unreadable at a fault."""
    builder = Builder(source, masked)
    stream = YamlStream(masked.text)
    try:
        for event in iter(stream.get_event, None):
            builder.take(event)
    except MarkedYAMLError as fault:
        refuse_syntax(source, fault)
    except (ValueError, OverflowError, IndexError):
        # PyYAML lets these through for escapes beyond Unicode and for endless version numbers.
        source.refuse(stream.index, "A number or escape near here is out of range.", "Use a smaller one.")
    return builder.documents
