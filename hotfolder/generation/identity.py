"""What can be told of a job file that is refused: the submitter's id and extra, and whose it is (pure)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hotfolder.domain.document import DocumentFormat, Node, child, parse_documents, to_plain
from hotfolder.errors import JobFileError

_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Identity:
    """The `id`, `extra` and `owner` of a single job, as far as they can be read."""

    own_id: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    owner: str | None = None


def read_identity(data: bytes, document_format: DocumentFormat, max_bytes: int) -> Identity:
    """The identity of the one job in a file; an empty one when it cannot be read or there are several."""
    try:
        nodes = parse_documents(data, document_format, max_bytes=max_bytes)
    except JobFileError:
        return Identity()
    if len(nodes) != 1:
        return Identity()
    extra = child(nodes[0], "extra")
    plain = to_plain(extra) if extra is not None else None
    own_id, owner = _read_text(nodes[0], "id"), _read_text(nodes[0], "owner")
    return Identity(own_id, plain if isinstance(plain, dict) else {}, owner)


def _read_text(job: Node, key: str) -> str | None:
    """A short text of a job as it was written; None when it is none."""
    node = child(job, key)
    is_text = node is not None and node.kind in ("text", "integer", "number")
    text = node.written.strip() if node is not None and is_text else ""
    return text if 0 < len(text) <= _CHARACTERS and text.isprintable() else None
