"""Answers of the API: JSON whatever is in them, each error with its status."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from datasette_hotfolder.answers import RequestError, answer, api, error_answer, status_of
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.errors import (
    ConfigError,
    ContentMissing,
    DiskFull,
    HotfolderError,
    JobFileError,
    LibraryBusy,
    LibraryError,
    NotFound,
    Problem,
)

TEXTS = st.one_of(st.text(), st.text(st.characters(categories=["Cs"]), max_size=1))


@given(
    st.recursive(TEXTS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3))
)
def test_every_text_comes_through_half_characters_too(value: Any) -> None:
    assert json.loads(answer(value).body) == value


def test_an_answer_is_kept_by_nobody_unless_it_says_so() -> None:
    assert answer({}).headers["Cache-Control"] == "no-store"
    assert answer({}, headers={"Cache-Control": "private"}).headers["Cache-Control"] == "private"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RequestError("x"), 400), (ConfigError("x"), 400),
        (LibraryError("x", code="library.invalid_value"), 400), (NotFound("x"), 404),
        (ContentMissing("x"), 404), (LibraryBusy("x"), 503), (DiskFull("x"), 507),
        (HotfolderError("x", code="job.already_ended"), 409),
        (HotfolderError("x", code="job.not_retryable"), 409),
        (RequestError("x", code="web.login_needed"), 401),
        (RequestError("x", code="web.scope_missing"), 403),
        (RequestError("x", code="web.body_too_large"), 413),
    ],
)  # fmt: skip
def test_an_error_has_the_status_that_says_the_same(error: HotfolderError, status: int) -> None:
    assert status_of(error) == status


def test_an_error_tells_code_message_hint_and_all_problems() -> None:
    problem = Problem("job.unknown_key", "No key `stpes`.", "Did you mean `steps`?", 3, 1, "params.stpes")
    found = error_answer(JobFileError([problem]))

    assert json.loads(found.body)["error"] == {
        "code": "job.unknown_key",
        "message": "No key `stpes`.",
        "hint": "Did you mean `steps`?",
        "problems": [
            {
                "code": "job.unknown_key",
                "path": "params.stpes",
                "message": "No key `stpes`.",
                "hint": "Did you mean `steps`?",
            }
        ],
    }


def test_what_nobody_expected_is_told_to_the_log_and_not_to_the_visitor(
    caplog: pytest.LogCaptureFixture,
) -> None:
    @api
    async def broken() -> None:
        raise ZeroDivisionError("the secret of the house")

    found = asyncio.run(broken())  # type: ignore[arg-type]

    assert found is not None
    assert (found.status, "secret" in found.body.decode()) == (500, False)
    assert "the secret of the house" in caplog.text
