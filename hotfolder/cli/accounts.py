"""hotfolder login, token and password: who may use the web, and with what."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from hotfolder.accounts.passwords import PASSWORD_MAX
from hotfolder.accounts.scopes import SCOPES, check_name
from hotfolder.accounts.store import FILE, LINK_VALID_S, AccountStore, Token, open_accounts
from hotfolder.cli.opening import find_root, user_name
from hotfolder.cli.output import json_option, one_line, print_json, print_table, say
from hotfolder.config import load_settings
from hotfolder.errors import ConfigError
from hotfolder.listening import build_url

_PROBE_LIMIT_S = 1.0
_DAY_S = 24 * 3600
_DAYS_MAX = 36_500
_SCOPES = click.Choice(SCOPES)


def _checked_name(context: click.Context, parameter: click.Parameter, value: str) -> str:
    try:
        return check_name(value)
    except ConfigError as error:
        raise click.BadParameter(f"{error.message} {error.hint}", context, parameter) from error


@click.command()
@click.option("--name", default=user_name, callback=_checked_name, help="Who logs in; default: your login.")
@click.option(
    "--scope",
    "scopes",
    type=_SCOPES,
    multiple=True,
    default=("admin",),
    show_default=True,
    help="What the link allows; may be repeated.",
)
@json_option
@click.pass_context
def login(context: click.Context, name: str, scopes: Sequence[str], as_json: bool) -> None:
    """Print a link that logs a browser in, once and within an hour."""
    url, listens = find_web(find_root(context))
    with _opened(context) as accounts:
        link = build_link(url, accounts.create_login_link(name, scopes))
    if as_json:
        print_json({"url": link, "name": name, "scopes": sorted(set(scopes)), "validS": int(LINK_VALID_S)})
    else:
        say(link)
        say(f"The link logs in {name} ({_in_words(scopes)}), once and within an hour.", err=True)
    if not listens:
        say("Nothing listens there yet: start `hotfolder up`, then open the link.", err=True)


@click.command()
@click.option("--name", required=True, callback=_checked_name, help="Who is logged out, in all browsers.")
@click.pass_context
def logout(context: click.Context, name: str) -> None:
    """End all sessions of a name. Its tokens stay (`hotfolder token revoke`)."""
    with _opened(context) as accounts:
        count = accounts.end_sessions_of(name)
    say(f"{count} {'session' if count == 1 else 'sessions'} of {one_line(name)} ended.")


@click.group()
def token() -> None:
    """Make, list and revoke the tokens that programs use."""


@token.command()
@click.option("--name", required=True, callback=_checked_name, help="Who uses it, and owns what it submits.")
@click.option(
    "--scope",
    "scopes",
    type=_SCOPES,
    multiple=True,
    required=True,
    help="What it allows; may be repeated.",
)
@click.option("--valid-days", type=click.IntRange(1, _DAYS_MAX), help="Without it, until it is revoked.")
@click.pass_context
def create(context: click.Context, name: str, scopes: Sequence[str], valid_days: int | None) -> None:
    """Make a token and print it, once."""
    valid_s = None if valid_days is None else valid_days * _DAY_S
    with _opened(context) as accounts:
        _, secret = accounts.create_token(name, scopes, user_name(), valid_s)
    say(secret)
    say(f"The token of {name} ({_in_words(scopes)}). Keep it now: it is not shown again.", err=True)


@token.command("list")
@json_option
@click.pass_context
def list_tokens(context: click.Context, as_json: bool) -> None:
    """List all tokens, newest first; what they are is not shown."""
    with _opened(context) as accounts:
        found = accounts.list_tokens()
    if as_json:
        print_json([_to_object(each) for each in found])
        return
    rows = [
        (
            each.token_id,
            each.name,
            _in_words(each.scopes),
            each.created_at,
            each.created_by,
            each.last_used_at,
            each.expires_at,
            each.revoked_at,
        )
        for each in found
    ]
    columns = ("Token", "Name", "Scopes", "Created", "By", "Last used", "Expires", "Revoked")
    print_table(columns, rows, "No tokens.")


@token.command()
@click.argument("name_or_id", metavar="NAME_OR_ID")
@click.pass_context
def revoke(context: click.Context, name_or_id: str) -> None:
    """Revoke the token of this id, or all tokens of this name."""
    with _opened(context) as accounts:
        for each in accounts.revoke_token(name_or_id):
            say(f"{each.token_id}  {one_line(each.name)}: revoked")


@click.group()
def password() -> None:
    """Set, remove and list passwords. They need `pip install 'hotfolder[auth]'`."""


@password.command("set")
@click.option("--name", required=True, callback=_checked_name, help="Who logs in with it.")
@click.option(
    "--scope",
    "scopes",
    type=_SCOPES,
    multiple=True,
    help="What it allows; may be repeated. Without it, what the old one allowed.",
)
@click.option("--stdin", "from_stdin", is_flag=True, help="Read it from standard input: its first line.")
@click.pass_context
def set_password(context: click.Context, name: str, scopes: Sequence[str], from_stdin: bool) -> None:
    """Give somebody a password. Another one ends the sessions of the old one."""
    with _opened(context) as accounts:
        accounts.passwords.require_extra()
        given = accounts.passwords.set_password(name, _ask_password(from_stdin), scopes)
    say(f"{one_line(given.name)} logs in at /-/login with it ({_in_words(given.scopes)}).", err=True)


@password.command("remove")
@click.option(
    "--name", required=True, callback=_checked_name, help="Whose password; it logs out who used it."
)
@click.pass_context
def remove_password(context: click.Context, name: str) -> None:
    """Take somebody's password away."""
    with _opened(context) as accounts:
        accounts.passwords.remove_password(name)
    say(f"{one_line(name)} has no password any more.")


@password.command("list")
@json_option
@click.pass_context
def list_passwords(context: click.Context, as_json: bool) -> None:
    """List who has a password; what they are, nobody knows."""
    with _opened(context) as accounts:
        found = accounts.passwords.list_passwords()
    if as_json:
        print_json(
            [
                {"name": each.name, "scopes": sorted(each.scopes), "changedAt": each.changed_at}
                for each in found
            ]
        )
        return
    rows = [(each.name, _in_words(each.scopes), each.changed_at) for each in found]
    print_table(("Name", "Scopes", "Changed"), rows, "No passwords.")


def find_web(root: Path) -> tuple[str, bool]:
    """The address of a library's web, and whether something listens there."""
    noted = _read_note(root / "run" / "web")
    if noted is not None and _listens(noted):
        return noted, True
    web = load_settings(root, os.environ).settings.web
    if web.port == 0:
        raise ConfigError(
            "The address is not known: `web.port` is 0, and the web does not run.",
            hint="Start `hotfolder up` first.",
        )
    url = build_url(web.host, web.port)
    return url, _listens(url)


def build_link(url: str, secret: str) -> str:
    """The link that spends a login secret."""
    return f"{url}/-/auth-token?token={secret}"


def _read_note(file: Path) -> str | None:
    """The address that a web process left; None when it left none, or no whole one."""
    try:
        url = json.loads(file.read_bytes())["url"]
        return url.rstrip("/") if urlsplit(url).scheme in ("http", "https") else None
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None


def _listens(url: str) -> bool:
    parts = urlsplit(url)
    try:
        address = (parts.hostname or "", parts.port or {"http": 80, "https": 443}[parts.scheme])
        with socket.create_connection(address, timeout=_PROBE_LIMIT_S):
            return True
    except (OSError, ValueError):
        return False


def _ask_password(from_stdin: bool) -> str:
    """What somebody types twice unseen, or a program writes once; arguments can be read by others."""
    if from_stdin:
        return sys.stdin.readline(PASSWORD_MAX + 2).rstrip("\r\n")
    if not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask at: use --stdin.")
    typed: str = click.prompt("Password", hide_input=True, confirmation_prompt="Once more", err=True)
    return typed


@contextmanager
def _opened(context: click.Context) -> Iterator[AccountStore]:
    accounts = open_accounts(find_root(context) / FILE)
    try:
        yield accounts
    finally:
        accounts.close()


def _in_words(scopes: Sequence[str] | frozenset[str]) -> str:
    return ", ".join(sorted(set(scopes)))


def _to_object(each: Token) -> dict[str, Any]:
    return {
        "tokenId": each.token_id,
        "name": each.name,
        "scopes": sorted(each.scopes),
        "createdAt": each.created_at,
        "createdBy": each.created_by,
        "lastUsedAt": each.last_used_at,
        "expiresAt": each.expires_at,
        "revokedAt": each.revoked_at,
    }
