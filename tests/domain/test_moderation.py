"""Rules find what a text says, however it is written, and no pattern runs away."""

from __future__ import annotations

import re
import threading
import time
from functools import partial
from itertools import pairwise
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.config import load_settings
from hotfolder.domain.moderation import Rule, RuleBook
from hotfolder.domain.moderation_patterns import PIECE, TEXT_MAX
from hotfolder.errors import ConfigError

GUN = RuleBook([Rule(words=["gun", "white powder", "Straße", "Ünsinn", "武器"])])


def finds(text: str, *rules: Rule) -> bool:
    return bool((RuleBook(rules) if rules else GUN).look(text).hits)


@pytest.mark.parametrize(
    "text",
    [
        "a gun", "GUN!", "two_gun_s", "a  \n white\t powder", "the STRASSE", "strasse", "unsinn", "ÜNSINN",
        "\uff47\uff55\uff4e", "\U0001d420\U0001d42e\U0001d427", "\u24d6\u24e4\u24dd", "g\u200bu\u200bn",
        "g\u00adun", "gu\u2060n", "g\u0336u\u0336n\u0336",
        "g\u0301\u0302\u0303un", "gün", "g\u180eun", "gu\ufe0fn", "a\u200bgun",
        "gun\u200bpowder", "g\u034fun",
        "g\u0489un", "gu\u05b0n", "gu\u0610n", "gu\u0e31n", "g\u1d1cn",
        "\u0262\u1d1c\u0274", "g\u03c5n", "\u0261un",
        "\U0001f176un", "\U0001f156un",
        "g\x08un", "g\U000e0067un", "white\u00a0powder", "white\u3164powder", "购买武器店", "\u202egun",
    ],
)  # fmt: skip
def test_word_is_found_however_it_is_written(text: str) -> None:
    assert finds(text)


@pytest.mark.parametrize(
    "text", ["gunpowder", "begun", "gun1", "shotgun", "white", "powder white", "g u n", "", "gu", "gùnè"]
)
def test_what_only_contains_a_word_is_left_alone(text: str) -> None:
    assert not finds(text)


def test_signs_that_change_the_meaning_of_a_script_stay() -> None:
    assert not finds("がく", Rule(words=["かく"]))
    assert finds("がく", Rule(words=["がく"]))
    assert finds("दिन", Rule(words=["दिन"]))
    assert not finds("दान", Rule(words=["दिन"]))


def test_hit_is_called_by_the_name_of_its_rule_or_by_the_word() -> None:
    rules = [
        Rule("weapons", ["gun"], "kni(fe|ves)"),
        Rule(None, ["Bomb"], None, "flag"),
        Rule(None, (), "x{3}"),
    ]
    book = RuleBook(rules)

    hits = [hit for text in ("a gun", "knives", "a BOMB", "xxx") for hit in book.look(text).hits]

    assert [each.said for each in hits] == [
        "breaks the rule `weapons`", "breaks the rule `weapons`",
        "has the word `bomb`", "breaks the rule `x{3}`",
    ]  # fmt: skip
    assert [each.action for each in hits] == ["block", "block", "flag", "block"]


def test_every_broken_rule_is_told_once() -> None:
    book = RuleBook([Rule("a", ["gun", "bomb"]), Rule("b", ["gun"]), Rule("c", ["tea"])])

    assert [each.said for each in book.look("gun bomb gun").hits] == [
        "breaks the rule `a`",
        "breaks the rule `b`",
    ]


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"\bkill\w*\b", "KILLING time"), ("buy.*gun", "buy a big gun"), ("caf[éè]", "CAFÉ"),
        ("café", "cafe\u0301"), ("(?:a|b)c", "bc"), (r"(?<!water )pistol", "a pistol"), ("^gun$", "gun"),
        ("(gun|rifle){1,3}", "rifle"), ("ß+", "Grüße"), (r"\d{4}-\d{4}", "1234-5678"), ("(?>gun)s?+", "guns"),
        ("Жук", "жук"), (r"white powder", "white \n\n powder"),
    ],
)  # fmt: skip
def test_pattern_is_found_in_any_case_and_form(pattern: str, text: str) -> None:
    assert finds(text, Rule(pattern=pattern))


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+b", "(a|a)*b", "(a|aa)+$", "(.*a){20}", r"(\w+\s?)*$", ".*.*.*x", "(x+x+)+y", "(a*)*b",
        "((a{0,50}){0,50}){0,50}b", "(?=(a+)+b)a", "(?:(a+)+b)?", "(?>(a+)+b)", "((a?){30})a{30}",
        r"(a.*)\1b", "(?P<x>a)(?P=x)", "(a)?b(?(1)c|d)", "^(([a-z])+.)+[A-Z]([a-z])+$", "(?:a+)++.*.*b",
        "(?:(?:a{1,20}){1,20}){1,20}c", r"\s*\s*\s*x", "((((a*)*)*)*)*b", "(a|b|ab)*c", "a?" * 40 + "a" * 40,
    ],
)  # fmt: skip
def test_pattern_that_could_run_away_is_refused_at_once(pattern: str) -> None:
    began = time.monotonic()
    with pytest.raises(ConfigError, match=r"moderation\.rules\[1\]\.pattern") as caught:
        RuleBook([Rule(words=["a"]), Rule(pattern=pattern)])

    assert time.monotonic() - began < 5
    assert caught.value.hint


@pytest.mark.parametrize(
    "pattern",
    [
        "buy.*gun",
        r"\bkill\w*\b",
        ".{0,20}.{0,20}.{0,7}x",
        "(?:a|b|ab){0,5}x",
        "a{0,60}a{0,60}x",
        "a++.{0,30}b",
    ],
)
@pytest.mark.parametrize("text", ["a" * TEXT_MAX, "ab" * TEXT_MAX, "buy" * TEXT_MAX, "kill" * TEXT_MAX])
def test_pattern_that_is_accepted_ends_soon_on_the_worst_text(pattern: str, text: str) -> None:
    book = RuleBook([Rule(pattern=pattern)])

    began = time.monotonic()
    book.look(text)

    assert time.monotonic() - began < 20


@given(
    st.recursive(
        st.sampled_from(["a", "b", ".", "[ab]", r"\w"]),
        lambda inner: st.one_of(
            st.tuples(inner, inner).map("".join),
            st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
            st.tuples(inner, st.sampled_from(["*", "+", "?", "{2,9}", "*?", "++"])).map(
                lambda pair: f"(?:{pair[0]}){pair[1]}"
            ),
        ),
        max_leaves=8,
    )
)
def test_whatever_is_accepted_ends(pattern: str) -> None:
    try:
        book = RuleBook([Rule(pattern=f"{pattern}c")])
    except ConfigError:
        return

    began = time.monotonic()
    book.look("ab" * (PIECE // 2))

    assert time.monotonic() - began < 10


@pytest.mark.parametrize("pattern", ["(", "[", "a{2,1}", "(?<x", "*", "a" * 1001, "(?:" * 400])
def test_pattern_that_is_none_is_named_with_what_is_wrong(pattern: str) -> None:
    with pytest.raises(ConfigError, match=r"`moderation\.rules\[0\]\.pattern` is"):
        RuleBook([Rule("odd", pattern=pattern)])


@pytest.mark.parametrize("rule", [Rule("empty"), Rule(words=["ok", "\u200b"]), Rule(words=[" "])])
def test_rule_without_content_is_refused(rule: Rule) -> None:
    with pytest.raises(ConfigError, match=r"`moderation\.rules\[0\]"):
        RuleBook([rule])


@pytest.mark.parametrize("before", [0, PIECE // 2 - 3, PIECE - 3, PIECE, TEXT_MAX - 10])
def test_pattern_is_found_wherever_it_stands_in_what_is_looked_at(before: int) -> None:
    look = RuleBook([Rule(pattern="b.{0,3}gun")]).look("x" * before + "b a gun")

    assert look.hits
    assert not look.is_cut


def test_text_that_is_too_long_for_patterns_is_told_and_its_words_are_all_found() -> None:
    book = RuleBook([Rule(words=["bomb"]), Rule(pattern="gun")])

    look = book.look("x" * TEXT_MAX + " gun bomb")

    assert look.is_cut
    assert [each.said for each in look.hits] == ["has the word `bomb`"]
    assert not GUN.look("x" * TEXT_MAX + " more").is_cut


def test_thousands_of_words_are_found_in_a_long_text_at_once_while_others_run() -> None:
    words = [f"{chr(97 + n % 26)}word{n}" for n in range(2000)]
    book = RuleBook([Rule(words=words), Rule(words=[f"word {each}" for each in words])])
    text = "word " * 200_000
    ticks, ended = [time.monotonic()], threading.Event()
    other = threading.Thread(
        target=lambda: ticks.extend(time.monotonic() for _ in iter(partial(ended.wait, 0.005), True))
    )
    other.start()

    began = time.monotonic()
    hits = book.look(text + "zword25").hits
    took_s = time.monotonic() - began
    ended.set()
    other.join()

    assert len(hits) == 2
    assert took_s < 3
    assert max(after - before for before, after in pairwise(ticks)) < 1


def test_words_without_blanks_between_them_are_found_in_a_long_text_at_once() -> None:
    book = RuleBook([Rule(words=["字典词" + chr(0x4E00 + number) for number in range(2000)])])
    began = time.monotonic()

    assert not book.look("字典词" * 330_000).hits
    assert book.look("字典词" * 330_000 + "一").hits
    assert time.monotonic() - began < 10


def test_heap_of_marks_takes_no_longer_than_other_text() -> None:
    began = time.monotonic()
    for letter in ("x", "\u05d0", "\u0915"):
        GUN.look(letter + "\u05b0\u05bc\u0316\u0301" * 100_000)

    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "text",
    ["a cock\u00adtail", "as\u00adsas\u00adsin", "cock\u2060tail", "\u0645\u06cc\u200c\u062e sin\u200dx"],
)
def test_soft_hyphen_or_joiner_makes_no_words(text: str) -> None:
    assert not finds(text, Rule(words=["cock", "sin"]))


def test_look_alike_letters_are_read_as_latin_ones_and_as_what_they_are() -> None:
    assert finds("\u0430cm\u0435", Rule(words=["acme"]))
    assert finds("\u0391\u0421\u041c\u0415", Rule(words=["acme"]))
    assert finds("\u0441\u043e\u0440", Rule(words=["\u0441\u043e\u0440"]))
    assert finds("\u0430cm\u0435", Rule(pattern="^acme$"))
    assert not finds("\u0440\u043e\u0442", Rule(words=["pot"]))  # a mouth in Russian has another t
    assert finds("\u0142\u00f3d\u017a", Rule(words=["lodz"]))


@pytest.mark.parametrize(
    "pattern", ["forbidden .* thing", "(draw|paint) .* (nude|naked)", "in the style of .* in oil on a canvas"]
)
def test_pattern_with_one_gap_between_words_is_taken(pattern: str) -> None:
    RuleBook([Rule(pattern=pattern)])


@pytest.mark.parametrize(
    ("before", "pattern"),
    [
        (PIECE - 3, r"\bcat\b"), (PIECE - 3, "cat$"), (PIECE - 3, "cat(?!alog)"), (PIECE - 5, "cat(?!alog)"),
        (PIECE - 3, "(?>catalog|cat)(?!u)"),
    ],
)  # fmt: skip
def test_pattern_does_not_take_the_end_of_a_piece_for_the_end_of_the_text(before: int, pattern: str) -> None:
    text = "x" * (before - 1) + " catalogue of hills " + "hill " * 1000

    assert not finds(text, Rule(pattern=pattern))
    assert finds(text + "cat", Rule(pattern=pattern))


def test_pattern_that_goes_on_to_the_end_is_found_in_a_long_text() -> None:
    assert finds("a hill " * 500 + "forbidden" + " hill" * 2000, Rule(pattern=r"\bforbidden\b.*"))


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"caf\xe9", "CAFÉ"), (r"CAF\u00c9", "café"), (r"caf\351", "café"), (r"a\xa0b", "a b"),
        (r"\N{LATIN SMALL LETTER E WITH ACUTE}t", "et"), ("^(?:ﬁ){2}$", "fifi"), ("^ﬁ{2}$", "fifi"),
        ("x(ß|y)z", "xssz"), ("x[ßy]z", "xyz"), ("[^é]t", "at"), ("[\u0430-\u044f]{3}", "ЖУК"),
        ("❤\ufe0f", "❤"), ("\u0142\xf3d\u017a", "lodz"),
    ],
)  # fmt: skip
def test_letters_in_patterns_are_read_as_those_of_texts(pattern: str, text: str) -> None:
    assert finds(text, Rule(pattern=pattern))


def test_letter_that_is_read_as_two_is_repeated_as_a_whole() -> None:
    assert not finds("fi fii", Rule(pattern="ﬁ{2}"))
    assert not finds("xsz", Rule(pattern="x[ßy]z"))


@pytest.mark.parametrize(
    "pattern", ["[à-ü]", "[^ß]", "a\u0301+", r"[\u0300-\u036f]", r"\u200b", r"[\u200b]", r"[^\u0301]"]
)
def test_pattern_for_what_no_text_is_read_with_is_refused(pattern: str) -> None:
    with pytest.raises(ConfigError, match=r"moderation\.rules\[0\]\.pattern") as caught:
        RuleBook([Rule(pattern=pattern)])

    assert caught.value.hint


def test_every_moderation_example_of_the_documentation_loads(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "queue.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^    moderation:\n(?:    .*\n|\n(?=    ))*", text, re.MULTILINE)

    assert blocks
    for block in blocks:
        (tmp_path / "hotfolder.yaml").write_text(dedent(block), encoding="utf-8")
        assert load_settings(tmp_path, {}).settings.moderation.rules
