"""The log of a service: on standard error, and in a file that is put aside when it is large."""

from __future__ import annotations

import json
import logging
import logging.handlers
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hotfolder.domain.instants import format_instant
from hotfolder.domain.wording import printable

log = logging.getLogger(__name__)

_OURS: Final = ("hotfolder", "datasette_hotfolder")
_STRANGERS: Final = ("uvicorn", "asyncio")
"""Of these only warnings are told: what they say beyond that is for those who work on them."""


@contextmanager
def kept_log(file: Path, *, level: str, as_json: bool, max_bytes: int, backups: int) -> Iterator[None]:
    """Log at `level` (debug, info, ...) and above until the end of the block; raises OSError without a file.

    The file is put aside as `<name>.1` before it grows beyond `max_bytes`, and `backups` of these are kept.
    """
    written = LogFile(file, max_bytes, backups)
    shown = logging.StreamHandler()
    written.setFormatter(
        JsonLines() if as_json else _Plain("%(asctime)s %(levelname)-7s %(threadName)s %(name)s: %(message)s")
    )
    shown.setFormatter(
        JsonLines() if as_json else _Plain("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")
    )
    before = {each: logging.getLogger(each).level for each in (*_OURS, *_STRANGERS)}
    for name in before:
        logger = logging.getLogger(name)
        logger.setLevel(level.upper() if name in _OURS else "WARNING")
        for handler in (written, shown):
            logger.addHandler(handler)
    try:
        yield
    finally:
        for name, old in before.items():
            logger = logging.getLogger(name)
            logger.setLevel(old)
            for handler in (written, shown):
                logger.removeHandler(handler)
        for handler in (written, shown):
            handler.close()


class LogFile(logging.handlers.RotatingFileHandler):
    """A full disk costs lines of the log, and never more than that."""

    def __init__(self, file: Path, max_bytes: int, backups: int) -> None:
        super().__init__(
            file, maxBytes=max_bytes, backupCount=max(backups, 1), encoding="utf-8", errors="replace"
        )
        if backups == 0:  # with no backups at all, the standard library would let it grow for ever
            self.rotator = lambda source, _: os.unlink(source)  # noqa: PTH108 - the handler deals in text
        self._fails = False

    def flush(self) -> None:
        """Write out; after that it is known to work."""
        super().flush()
        self._fails = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - the interface
        """Say once, where it can be seen, that lines are lost; the next line opens the file anew."""
        self._drop()
        if not self._fails:
            self._fails = True
            log.warning("%s cannot be written: lines of the log are lost", self.baseFilename)

    def close(self) -> None:
        """Close it, whether or not the disk takes what is left."""
        with suppress(OSError, ValueError):
            super().close()

    def _drop(self) -> None:
        stream, self.stream = self.stream, None  # opened again when it is None
        if stream is not None:
            with suppress(OSError, ValueError):
                stream.close()


class JsonLines(logging.Formatter):
    """One object a line, for programs: at, level, logger, thread, message, and traceback after a fault."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; whatever is not plain ASCII stands there as an escape."""
        told = {
            "at": format_instant(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "thread": record.threadName,
            "message": record.getMessage(),
        }
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        return json.dumps(told)


class _Plain(logging.Formatter):
    """Log lines name files as others named them: nothing in them may steer a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))
