"""A file with several jobs as texts of one job each (pure)."""

from __future__ import annotations

from collections.abc import Sequence

from hotfolder.domain.document import DocumentFormat, Node, decode_text


def split_documents(data: bytes, document_format: DocumentFormat, nodes: Sequence[Node]) -> list[bytes]:
    """The text of each document on its own; a YAML one keeps the indentation of its first line.

    A block text at the end keeps its line breaks, which are a part of its value.
    """
    text = decode_text(data)
    parts = []
    for node in nodes:
        start = node.start
        if document_format == "yaml" and not node.flow:
            line_start = max(text.rfind("\n", 0, start), text.rfind("\r", 0, start)) + 1
            start = line_start if not text[line_start:start].strip() else start
        part = text[start : node.end]
        parts.append((part if part.endswith("\n") else part + "\n").encode())
    return parts
