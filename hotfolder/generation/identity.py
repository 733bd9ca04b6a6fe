"""What can be told of a job file that is refused: the submitter's id and extra (pure)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hotfolder.domain.document import DocumentFormat, child, parse_documents, to_plain
from hotfolder.errors import JobFileError

_ID_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Identity:
    """The `id` and `extra` of a single job, as far as they can be read."""

    own_id: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)


def read_identity(data: bytes, document_format: DocumentFormat, max_bytes: int) -> Identity:
    """The identity of the one job in a file; an empty one when it cannot be read or there are several."""
    try:
        nodes = parse_documents(data, document_format, max_bytes=max_bytes)
    except JobFileError:
        return Identity()
    if len(nodes) != 1:
        return Identity()
    own_id, extra = child(nodes[0], "id"), child(nodes[0], "extra")
    plain = to_plain(extra) if extra is not None else None
    is_text = own_id is not None and own_id.kind in ("text", "integer", "number")
    text = own_id.written if own_id is not None and is_text else ""
    return Identity(
        text if 0 < len(text) <= _ID_CHARACTERS else None, plain if isinstance(plain, dict) else {}
    )
