"""PyYAML from characters to events, mended where it follows YAML 1.1; nothing is ever constructed."""

from __future__ import annotations

import re
from typing import Any

from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner
from yaml.tokens import ScalarToken

_BLOCK_RUN = re.compile(
    r"(?:[^\0 \t\r\n:]|:(?![\0 \t\r\n]))+(?:[ \t]+(?!#)(?:[^\0 \t\r\n:]|:(?![\0 \t\r\n]))+)*"
)
_FLOW_RUN = re.compile(
    _BLOCK_RUN.pattern.replace(r"\r\n:]", r"\r\n:,\[\]{}]").replace(r"\r\n])", r"\r\n,\[\]{}])")
)
_BLANKS_TO_BREAK = re.compile(r"[ \t]*(?=[\r\n])")
_BLANKS = re.compile(r"[ \t]+")
_BLANK_LINE = re.compile(r"[ \t]+(?=[\r\n\0#])")


class YamlStream(Reader, Scanner, Parser):
    """Events of a text, as YAML 1.2 means it."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)

    def check_printable(self, data: str) -> None:
        """Nothing: `read_yaml` names all forbidden characters itself."""

    def check_key(self) -> bool:
        """A question mark opens a key only before a blank, in [...] and {...} too."""
        return self.peek(1) in "\0 \t\r\n"

    def check_plain(self) -> bool:
        """A text may start with a question mark, in [...] and {...} too."""
        return super().check_plain() or (self.peek() == "?" and self.peek(1) not in "\0 \t\r\n,[]{}")

    def scan_to_next_token(self) -> None:
        """Allow tabs between tokens and on empty lines, as 1.2 does; never as indentation."""
        super().scan_to_next_token()
        while self.peek() == "\t":
            separates = self.flow_level or not self.allow_simple_key
            blanks = (_BLANKS if separates else _BLANK_LINE).match(self.buffer, self.pointer)
            if blanks is None:
                return
            self.forward(len(blanks.group()))
            super().scan_to_next_token()

    def scan_plain(self) -> ScalarToken:
        """A scalar without quotes; tabs and question marks may stand inside."""
        start = end = self.get_mark()
        run = _FLOW_RUN if self.flow_level else _BLOCK_RUN
        indent = self.indent + 1
        parts: list[str] = []
        spaces: list[str] = []
        while self.peek() != "#" and (found := run.match(self.buffer, self.pointer)):
            self.allow_simple_key = False
            parts += [*spaces, found.group()]
            self.forward(len(found.group()))
            end = self.get_mark()
            spaces = self._scan_line_end(indent, start)
            if not spaces or (not self.flow_level and self.column < indent):
                break
        return ScalarToken("".join(parts), True, start, end)

    def _scan_line_end(self, indent: int, start: Any) -> list[str]:
        blanks = _BLANKS_TO_BREAK.match(self.buffer, self.pointer)
        if blanks is None:
            return []
        self.forward(len(blanks.group()))
        return self.scan_plain_spaces(indent, start) or []
