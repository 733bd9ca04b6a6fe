"""Text that others wrote, made fit to be shown: it steers no terminal and forges no line of ours."""

from __future__ import annotations

import re

# Control characters but tab and line feed, halves of characters, and marks that turn text around.
STEERING = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u2028-\\u202e\\u2066-\\u2069\\ud800-\\udfff]")


def printable(text: str) -> str:
    """Text without what would steer a terminal: control characters, and bytes that are no UTF-8."""
    return STEERING.sub("\ufffd", text)


def one_line(text: str) -> str:
    """Printable text on one line: a name with a line break in it cannot pass for two lines."""
    return printable(text).replace("\n", "\ufffd").replace("\t", " ")
