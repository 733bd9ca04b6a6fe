"""hotfolder credits: what owners may spend, who was given what, and where it went."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from hotfolder.cli.opening import opened, user_name
from hotfolder.cli.output import json_option, one_line, print_json, print_table, say
from hotfolder.domain.credits import Entry, format_amount, in_credits, parse_amount
from hotfolder.library.credit_ledger import EXPORT_COLUMNS
from hotfolder.library.credit_requests import CreditRequest
from hotfolder.library.credits import Balance, CreditBook


def _parsed_amount(context: click.Context, parameter: click.Parameter, value: str) -> int:
    try:
        return parse_amount(value)
    except ValueError as error:
        raise click.BadParameter(str(error), context, parameter) from error


def _checked_owner(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is None or (value.strip() and value.isprintable()):
        return value
    raise click.BadParameter("This is no owner that a job can have.", context, parameter)


@click.group("credits")
def credits_() -> None:
    """What owners may spend on pictures, and what they have spent."""


@credits_.command()
@click.argument("owner", required=False, callback=_checked_owner)
@json_option
@click.pass_context
def show(context: click.Context, owner: str | None, as_json: bool) -> None:
    """Print the balance of an owner, or of everybody."""
    with _opened(context) as book:
        found = book.list_balances() if owner is None else [book.balance(owner)]
    if as_json:
        print_json([_balance_object(each) for each in found])
        return
    rows = [
        (each.owner, format_amount(each.amount), format_amount(each.spent_today), _or_blank(each.left_today))
        for each in found
    ]
    columns = ("Owner", "Balance", "Spent today", "Cap leaves")
    print_table(columns, rows, "Nobody has been given credits.")


# A negative amount is no option.
@credits_.command(context_settings={"ignore_unknown_options": True})
@click.argument("owner", callback=_checked_owner)
@click.argument("amount", callback=_parsed_amount)
@click.option("--note", metavar="TEXT", help="Why; it stands in the statement.")
@click.pass_context
def grant(context: click.Context, owner: str, amount: int, note: str | None) -> None:
    """Add to a balance; a negative amount is taken from it."""
    with _opened(context) as book:
        request = book.grant(owner, amount, user_name(), note)
        _report(book, owner)
    if request is not None:
        say(f"A grant of {format_amount(amount)} has to be approved by somebody else:")
        say(f"hotfolder credits approve {request.request_id}")


@credits_.command()
@click.argument("request_id", metavar="REQUEST")
@click.pass_context
def approve(context: click.Context, request_id: str) -> None:
    """Make a large grant that somebody else has asked for."""
    with _opened(context) as book:
        request = book.approve(request_id, user_name())
        _report(book, request.owner)


@credits_.command()
@json_option
@click.pass_context
def requests(context: click.Context, as_json: bool) -> None:
    """List large grants; those that wait to be approved come first."""
    with _opened(context) as book:
        found = book.list_requests()
    if as_json:
        print_json([_request_object(each) for each in found])
        return
    rows = [
        (
            each.request_id,
            each.owner,
            format_amount(each.amount),
            each.actor,
            each.created_at,
            each.approved_by,
            each.note,
        )
        for each in found
    ]
    print_table(("Request", "Owner", "Amount", "By", "At", "Approved by", "Note"), rows, "No requests.")


@credits_.command()
@click.argument("owner", callback=_checked_owner)
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="The latest.")
@json_option
@click.pass_context
def statement(context: click.Context, owner: str, limit: int, as_json: bool) -> None:
    """List what changed a balance, newest first."""
    with _opened(context) as book:
        found = book.statement(owner, limit)
    if as_json:
        print_json([_entry_object(each) for each in found])
        return
    rows = [
        (
            each.created_at,
            each.kind,
            format_amount(each.amount),
            format_amount(each.balance),
            each.job_id,
            each.actor,
            each.note,
        )
        for each in found
    ]
    print_table(("At", "Kind", "Amount", "Balance", "Job", "By", "Note"), rows, "Nothing.")


@credits_.command()
@click.option("--owner", callback=_checked_owner, help="Of this owner only.")
@click.pass_context
def export(context: click.Context, owner: str | None) -> None:
    """Print the whole ledger as CSV, oldest first."""
    with _opened(context) as book:
        rows = book.export(owner)
    click.echo(_to_csv([EXPORT_COLUMNS, *rows]), nl=False)


@contextmanager
def _opened(context: click.Context) -> Iterator[CreditBook]:
    with opened(context) as library:
        if not library.settings.credits.enabled:
            say("Jobs cost nothing here: the setting `credits.enabled` is false.", err=True)
        yield library.credits


def _report(book: CreditBook, owner: str) -> None:
    say(f"{one_line(owner)} has {format_amount(book.balance(owner).amount)} credits.")


def _to_csv(rows: Sequence[Sequence[str]]) -> str:
    """Every cell is quoted: a spreadsheet that splits at semicolons begins no cell within one."""
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _or_blank(amount: int | None) -> str:
    return "" if amount is None else format_amount(amount)


def _balance_object(each: Balance) -> dict[str, Any]:
    return {
        "owner": each.owner,
        "balance": in_credits(each.amount),
        "spentToday": in_credits(each.spent_today),
        "leftToday": None if each.left_today is None else in_credits(each.left_today),
    }


def _request_object(each: CreditRequest) -> dict[str, Any]:
    return {
        "requestId": each.request_id,
        "owner": each.owner,
        "amount": in_credits(each.amount),
        "note": each.note,
        "actor": each.actor,
        "createdAt": each.created_at,
        "approvedBy": each.approved_by,
        "approvedAt": each.approved_at,
    }


def _entry_object(each: Entry) -> dict[str, Any]:
    return {
        "seq": each.seq,
        "at": each.created_at,
        "owner": each.owner,
        "kind": each.kind,
        "amount": in_credits(each.amount),
        "balance": in_credits(each.balance),
        "jobId": each.job_id,
        "generationId": each.generation_id,
        "actor": each.actor,
        "note": each.note,
    }
