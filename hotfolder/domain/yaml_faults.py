"""The complaints of PyYAML and libyaml in the words of somebody who writes jobs, not parsers."""

from __future__ import annotations

import re
from typing import NoReturn

from yaml.error import MarkedYAMLError

from hotfolder.domain.node import SourceText

QUOTE_HINT = 'Put the text in quotes: "..."'
_MISSING_SPACE = re.compile(r"\s*(?:- +)?([\w.-]+):(\S.*)")
_COLUMN_HINT = "Start the keys of one map in the same column, and so the dashes of one list."
_BACKSLASH_HINT = r"Write `\\` for a backslash, or use single quotes."
_BRACKET_HINT = "Add the closing bracket or a comma; texts with brackets need quotes."
_SAME_QUOTES_HINT = "Put the whole text in one pair of quotes; inside single quotes a ' is written ''."
_START_HINT = "Start all keys of a job in the same column, and put `---` between jobs."
# What the parsers say, in the order to look for it; what we say; how to mend it.
_FAULTS = {
    "scanning a quoted scalar": (
        "The quote that opens here is never closed.",
        "Close it with the same quote mark.",
    ),
    "unknown escape": ("`\\{found}` means nothing inside double quotes.", _BACKSLASH_HINT),
    "escape sequence": ("Hexadecimal digits are missing behind an escape.", _BACKSLASH_HINT),
    "hexdecimal": ("Hexadecimal digits are missing behind an escape.", _BACKSLASH_HINT),
    "escape code": (
        "This escape stands for no character.",
        "Write the character itself instead of its escape.",
    ),
    "node content": ("Found `{found}` where a value is expected.", QUOTE_HINT),
    "unexpected ':'": ("A space is missing behind this colon.", "Write `key: value`."),
    "parsing a flow": ("Found `{found}`, but the `{opener}` of line {line} is still open.", _BRACKET_HINT),
    "cannot start any token": ("A text cannot start with `{found}`.", QUOTE_HINT),
    "scanning an a": ("A text cannot start with `{opener}`.", QUOTE_HINT),
    "tag": ("A text cannot start with `!`.", QUOTE_HINT),
    "sequence entries": (
        "A list cannot start on the line of its key.",
        "Put each `- item` on its own line below.",
    ),
    "question mark": ("A text cannot start with `?` here.", QUOTE_HINT),
    "mapping keys": ("A text cannot start with `?` and a space.", QUOTE_HINT),
    "a block scalar": ("Text stands on the line of `{opener}`.", "Start it on the next line, indented."),
    "<document start>": ("This does not belong to what stands above.", _START_HINT),
}
_MISFITS = ("expected <block end>", "expected key", "expected '-' indicator")
_SHOWN_AT_OPENING = ("scanning a quoted scalar", "scanning an a", "tag", "a block scalar")


def refuse_syntax(source: SourceText, error: MarkedYAMLError) -> NoReturn:
    """Note the problem that a parser found, and raise Unreadable."""
    at = error.problem_mark.index if error.problem_mark else 0
    if source.text[at : at + 1] == "\\" and "unknown escape" in str(error.problem):
        at += 1  # libyaml shows the backslash, PyYAML what follows it
    opened = error.context_mark.index if error.context_mark else at
    problem = f"{error.context or 'while reading'}: {error.problem}"
    if source.text[at : at + 1] == "\t" and ("any token" in problem or "tab character" in problem):
        _refuse_tab(source, at)
    if "mapping values are not allowed" in problem:
        _refuse_colon(source, at)
    if "could not find expected ':'" in problem:
        _refuse_missing_space(source, opened)
        line = "".join(source.line_at(opened)).strip()
        source.refuse(
            opened, f"`{line:.40}` is not `key: value`.", "Write a colon and a space behind the key."
        )
    if any(needle in problem for needle in _MISFITS):
        _refuse_misfit(source, at)
    words = {
        "found": source.text[at : at + 1].strip() or "the end",
        "opener": source.text[opened : opened + 1],
        "line": source.place(opened)[0],
    }
    for needle, (message, hint) in _FAULTS.items():
        if needle in problem:
            place = opened if needle in _SHOWN_AT_OPENING else at
            source.refuse(place, message.format(**words), hint)
    source.refuse(at, f"This is not YAML: {problem}.", "Compare the indentation and the quotes near here.")


def _refuse_tab(source: SourceText, at: int) -> NoReturn:
    indents = not source.line_at(at)[0].strip()
    message = (
        "A tab is used for indentation; YAML wants spaces."
        if indents
        else "A tab stands where YAML wants spaces."
    )
    source.refuse(at, message, "Replace the tab with spaces, two for each level.")


def _refuse_colon(source: SourceText, at: int) -> NoReturn:
    before, rest = source.line_at(at)
    key, colon, text = (before + rest).partition(": ")
    if colon and len(key) < len(before):
        hint = (
            QUOTE_HINT
            if '"' in text or len(text) > 60
            else f'Put the text in quotes: {key.strip()}: "{text.strip()}"'
        )
        source.refuse(at, f"The text of `{key.strip():.60}` holds a colon and a space.", hint)
    above = source.text[: at - len(before)].rstrip()
    if above:
        _refuse_missing_space(source, len(above) - 1)
    source.refuse(
        at - len(before.lstrip()), "This line is indented deeper than the lines it belongs to.", _COLUMN_HINT
    )


def _refuse_missing_space(source: SourceText, offset: int) -> None:
    """Refuse a line like `steps:4`; say nothing about others."""
    before, rest = source.line_at(offset)
    found = _MISSING_SPACE.match(before + rest)
    if found:
        start = offset - len(before) + found.start(1)
        message = f"A space is missing behind the colon of `{found.group(1):.60}`."
        source.refuse(start, message, f"Write `{found.group(1):.60}: {found.group(2):.60}`.")


def _refuse_misfit(source: SourceText, at: int) -> NoReturn:
    before, rest = source.line_at(at)
    last = before.strip()[-1:]
    if not last:
        source.refuse(at, "This line does not fit the lines above it.", _COLUMN_HINT)
    if rest.startswith(","):
        source.refuse(at, "A comma stands behind the value.", "Lines of YAML end without a comma.")
    if last in "'\"":
        source.refuse(at, "Text stands behind the closing quote.", _SAME_QUOTES_HINT)
    message = f"Found `{rest.strip():.40}` behind `{last}`, where the line should end."
    source.refuse(at, message, "Put a text that holds brackets or quotes into quotes.")
