"""Values of a document as a job reads them: given or empty, as text, and in words."""

from __future__ import annotations

from typing import Any

from hotfolder.domain.document import Entry, Node, child, entries


def find_given(node: Node | None, key: str) -> Node | None:
    """The value of a key; None when the key is absent or empty, which mean the same."""
    found = child(node, key) if node is not None else None
    return None if found is None or found.kind == "null" else found


def list_given(node: Node | None) -> list[Entry]:
    """The entries of a map that have a value; none when the node is missing or something else."""
    return [entry for entry in entries(node) if entry.value.kind != "null"]


def as_written(node: Node) -> Any:
    """What a text key takes: an unquoted YAML scalar as it stands (`title: 2026`, an all-digit sha256)."""
    return node.written if node.plain and node.kind in ("integer", "number", "boolean") else node.value


def read_text(node: Node | None) -> str | None:
    """The text that a text key takes; None when there is none."""
    text = as_written(node) if node is not None else None
    return text if isinstance(text, str) and text else None


def describe(node: Node) -> str:
    """A found value in words, for messages."""
    match node.kind:
        case "map":
            return "a mapping"
        case "list":
            return "a list"
        case "null":
            return "empty"
        case "text":
            return f'the text "{_shortened(" ".join(str(node.value).splitlines()))}"'
        case "boolean":
            return str(node.value).lower()
        case _:
            return f"the number {_shortened(node.written)}"


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
