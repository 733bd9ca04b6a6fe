"""Rules find what a text says, however it is written, and no pattern runs away."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.domain.moderation import PIECE, TEXT_MAX, Rule, RuleBook
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
