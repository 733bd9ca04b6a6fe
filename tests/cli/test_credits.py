"""hotfolder credits: balances, grants with a second person, statements and the ledger as CSV."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from hotfolder.app import Library
from tests.cli.conftest import Command


@pytest.fixture(autouse=True)
def with_credits(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    """Jobs cost credits, and the person at the keyboard is `root`."""
    monkeypatch.setenv("LOGNAME", "root")
    (root / "hotfolder.yaml").write_text("credits: {enabled: true, approval_over: 1000}\n", encoding="utf-8")


def spend(library: Library, owner: str | None, amount: int) -> None:
    with library.database.transaction() as tx:
        library.credits.reserve(tx, owner, "job-1", "generation-1", amount)


def test_grant_is_told_and_shown(on: Command) -> None:
    outcome = on("credits", "grant", "anna", "12.5", "--note", "to begin with")

    assert (outcome.code, outcome.out) == (0, "anna has 12.5 credits.\n")
    assert on("credits", "show", "anna").out.splitlines()[1].split() == ["anna", "12.5", "0"]
    assert on("credits", "show", "--json").json == [
        {"owner": "anna", "balance": 12.5, "spentToday": 0, "leftToday": None}
    ]


def test_balance_of_nobody_is_a_sentence_or_an_empty_list(on: Command) -> None:
    assert on("credits", "show").out == "Nobody has been given credits.\n"
    assert on("credits", "show", "--json").json == []
    assert on("credits", "show", "ben", "--json").json[0]["balance"] == 0


def test_negative_amount_is_taken_back(on: Command) -> None:
    on("credits", "grant", "anna", "10")

    assert on("credits", "grant", "anna", "-4", "--note", "a typo").out == "anna has 6 credits.\n"
    refused = on("credits", "grant", "anna", "-7")
    assert refused.code == 1
    assert "credits.invalid_amount" in refused.err


def test_large_grant_is_made_by_a_second_person(on: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = on("credits", "grant", "anna", "1000.001", "--note", "the fair")
    request_id = asked.out.split()[-1]
    assert asked.code == 0
    assert asked.out.splitlines()[-1] == f"hotfolder credits approve {request_id}"

    own = on("credits", "approve", request_id)
    monkeypatch.setenv("LOGNAME", "rita")
    approved = on("credits", "approve", request_id)
    again = on("credits", "approve", request_id)

    assert (own.code, approved.code, again.code) == (1, 0, 1)
    assert approved.out == "anna has 1000.001 credits.\n"
    (request,) = on("credits", "requests", "--json").json
    assert (request["actor"], request["approvedBy"], request["amount"]) == ("root", "rita", 1000.001)
    line = on("credits", "requests").out.splitlines()[1]
    assert line.split()[:4] == [request_id, "anna", "1000.001", "root"]


def test_statement_has_the_newest_first(on: Command, library: Library) -> None:
    on("credits", "grant", "anna", "10", "--note", "first")
    spend(library, "anna", 2500)

    latest, first = on("credits", "statement", "anna", "--json").json

    assert {"kind": "reserve", "amount": -2.5, "balance": 7.5, "jobId": "job-1"}.items() <= latest.items()
    assert {"kind": "grant", "amount": 10, "actor": "root", "note": "first"}.items() <= first.items()
    line = on("credits", "statement", "anna", "--limit", 1).out.splitlines()[1]
    assert line.split()[1:5] == ["reserve", "-2.5", "7.5", "job-1"]


def test_export_is_csv_whose_cells_are_no_formulas(on: Command) -> None:
    on("credits", "grant", "anna", "10", "--note", 'x";=1+1')
    on("credits", "grant", "=cmd", "2", "--note", "@SUM(1)")

    text = on("credits", "export").out

    first, second = csv.DictReader(io.StringIO(text))
    assert (first["owner"], first["amount"], first["note"]) == ("anna", "10", 'x";=1+1')
    assert (second["owner"], second["note"]) == ("'=cmd", "'@SUM(1)")
    assert all(line.startswith('"') for line in text.splitlines())
    assert len(on("credits", "export", "--owner", "anna").out.splitlines()) == 2


def test_credits_of_a_library_without_them_are_there_with_a_remark(on: Command, root: Path) -> None:
    (root / "hotfolder.yaml").write_text("", encoding="utf-8")

    outcome = on("credits", "grant", "anna", "10")

    assert (outcome.code, outcome.out) == (0, "anna has 10 credits.\n")
    assert "credits.enabled" in outcome.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("grant", "anna", "many"),
        ("grant", "anna", "1.2345"),
        ("grant", " ", "1"),
        ("grant", "a\x1bb", "1"),
        ("grant", "anna"),
        ("grant", "anna", "1", "--notes", "x"),
        ("statement",),
        ("statement", "anna", "--limit", "0"),
        ("approve",),
    ],
)
def test_amounts_and_owners_that_cannot_be_are_errors_of_usage(
    on: Command, arguments: tuple[str, ...]
) -> None:
    outcome = on("credits", *arguments)

    assert (outcome.code, outcome.out) == (2, "")


@pytest.mark.parametrize("arguments", [("grant", "anna", "0"), ("approve", "nobody-asked")])
def test_what_cannot_be_granted_is_a_failure_with_a_hint(on: Command, arguments: tuple[str, ...]) -> None:
    outcome = on("credits", *arguments)

    assert outcome.code == 1
    assert len(outcome.err.splitlines()) == 2
