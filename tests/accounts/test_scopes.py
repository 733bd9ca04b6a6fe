"""What each scope allows, and which names somebody may have."""

from __future__ import annotations

import unicodedata
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.accounts.scopes import NAME_MAX, SCOPES, Action, Actor, check_name, check_scopes
from hotfolder.errors import ConfigError

ACTIONS: tuple[Action, ...] = get_args(Action)


def allowed(*scopes: str) -> set[str]:
    actor = Actor("anna", frozenset(scopes), "session", "1")
    return {action for action in ACTIONS if actor.may(action)}


@pytest.mark.parametrize(
    ("scope", "actions"),
    [
        ("read", {"look"}),
        ("rate", {"look", "rate"}),
        ("review", {"look", "rate", "review"}),
        ("submit", {"look", "submit"}),
        ("admin", {"look", "rate", "review", "submit", "admin"}),
    ],
)
def test_each_scope_allows_what_the_table_says_and_nothing_else(scope: str, actions: set[str]) -> None:
    assert allowed(scope) == actions


def test_several_scopes_allow_what_each_of_them_allows() -> None:
    assert allowed("rate", "submit") == {"look", "rate", "submit"}


def test_scope_of_a_newer_version_and_no_scope_allow_nothing() -> None:
    assert allowed("paint") == allowed() == set()


def test_word_that_is_no_action_is_not_allowed_to_anybody() -> None:
    assert not Actor("anna", frozenset(SCOPES), "token", "1").may("delete everything")  # type: ignore[arg-type]


@given(st.text(max_size=NAME_MAX + 10))
def test_name_is_taken_only_when_it_shows_on_one_line_and_steers_nothing(text: str) -> None:
    try:
        name = check_name(text)
    except ConfigError:
        return
    assert name == text.strip()
    assert 1 <= len(name) <= NAME_MAX
    assert not {unicodedata.category(each) for each in name} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert name == check_name(name)


@given(st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=NAME_MAX))
def test_name_of_visible_characters_is_taken_as_it_is(name: str) -> None:
    assert check_name(f"  {name} ") == name


@pytest.mark.parametrize("text", ["", "   ", "a\nb", "a\x1b[2J", "a\u202eb", "a\ud800", "x" * (NAME_MAX + 1)])
def test_name_that_nobody_can_have_is_refused_with_what_is_possible(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_name(text)

    assert "1 to 64" in str(caught.value.hint)


def test_scopes_are_kept_once_each() -> None:
    assert check_scopes(["rate", "submit", "rate"]) == {"rate", "submit"}


@pytest.mark.parametrize("scopes", [[], ["rate", "paint"], ["RATE"], [""]])
def test_no_scope_and_unknown_scopes_are_refused_with_the_list(scopes: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        check_scopes(scopes)

    assert "read, rate, review, submit, admin" in str(caught.value.hint)
