"""The log over the API: its end, what is added, and that it is told once whatever becomes of its file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from datasette_hotfolder.log_views import LINE_MAX, TAIL_BYTES, read_log

from tests.plugins.furniture import HOSTILE
from tests.plugins.house import House

LOG = "/-/api/log"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "hotfolder.log"


@pytest.fixture
def log_of_house(house: House) -> Iterator[Path]:
    file = house.root / "logs" / "hotfolder.log"
    yield file
    file.unlink(missing_ok=True)


def add(file: Path, *lines: str) -> None:
    with file.open("a", encoding="utf-8") as stream:
        stream.writelines(f"{each}\n" for each in lines)


def put_aside(file: Path) -> None:
    """As the log of a service does when it is full."""
    file.replace(file.with_name("hotfolder.log.1"))


def follow(file: Path, told: dict[str, Any]) -> dict[str, Any]:
    return read_log(file, told["next"])


def test_log_is_told_from_its_end_and_then_as_it_grows(file: Path) -> None:
    add(file, "one", "two")
    told = read_log(file, None)
    assert (told["lines"], told["reset"]) == (["one", "two"], False)

    assert follow(file, told)["lines"] == []
    add(file, "three")
    more = follow(file, told)
    assert (more["lines"], more["reset"]) == (["three"], False)
    assert follow(file, more)["lines"] == []


def test_number_to_go_on_with_is_one_that_scripts_hold(file: Path) -> None:
    add(file, "x" * 100)

    assert 0 < read_log(file, None)["next"] < 2**53


def test_line_that_is_not_whole_yet_is_told_once_it_is(file: Path) -> None:
    add(file, "one")
    with file.open("a") as stream:
        stream.write("tw")
    told = read_log(file, None)
    assert told["lines"] == ["one"]

    add(file, "o")
    assert follow(file, told)["lines"] == ["two"]


def test_only_the_end_of_a_long_log_is_told_in_whole_lines(file: Path) -> None:
    add(file, *(f"{number:07} {'x' * 90}" for number in range(10_000)))

    told = read_log(file, None)
    assert told["lines"][-1].startswith("0009999")
    assert {len(each) for each in told["lines"]} == {98}
    assert TAIL_BYTES - 200 < 99 * len(told["lines"]) <= TAIL_BYTES


def test_more_than_is_told_at_once_was_added_and_that_is_said(file: Path) -> None:
    add(file, "one")
    told = read_log(file, None)
    add(file, *(f"{number:07} {'x' * 90}" for number in range(10_000)))

    more = follow(file, told)
    assert (more["lines"][-1][:7], more["reset"]) == ("0009999", True)


def test_log_that_is_put_aside_loses_no_line_to_who_follows_it(file: Path) -> None:
    add(file, "one")
    told = read_log(file, None)
    add(file, "two")
    put_aside(file)
    add(file, "three")

    more = follow(file, told)
    assert (more["lines"], more["reset"]) == (["two", "three"], False)
    assert follow(file, more)["lines"] == []


def test_log_that_is_put_aside_and_not_begun_anew_is_waited_for(file: Path) -> None:
    add(file, "one")
    told = read_log(file, None)
    put_aside(file)

    more = follow(file, told)
    assert (more["lines"], more["reset"]) == ([], False)
    add(file, "two")
    assert follow(file, more)["lines"] == ["two"]


def test_another_log_under_the_same_name_begins_anew_however_long_it_is(file: Path) -> None:
    add(file, "one")
    told = read_log(file, None)
    file.unlink()
    add(file, "another one", "and more")

    more = follow(file, told)
    assert (more["lines"], more["reset"]) == (["another one", "and more"], True)


def test_log_that_was_emptied_begins_anew(file: Path) -> None:
    add(file, "one", "two")
    told = read_log(file, None)
    file.write_text("one\n")

    more = follow(file, told)
    assert (more["lines"], more["reset"]) == (["one"], True)


@pytest.mark.parametrize("after", [None, 5, 2**53 - 1])
def test_no_log_at_all_has_no_lines(file: Path, after: int | None) -> None:
    assert read_log(file, after)["lines"] == []


def test_link_in_the_place_of_the_log_is_not_followed(file: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret\n")
    file.symlink_to(tmp_path / "secret")

    assert read_log(file, None) == {"lines": [], "next": 0, "reset": False}


def test_what_strangers_wrote_steers_nothing_and_is_not_endless(file: Path) -> None:
    with file.open("wb") as stream:
        stream.write(b"\x1b[2J\xff\x07\r\n" + "\u202e\u2028".encode() + b"\n" + b"y" * 10_000 + b"\n")

    first, second, third = read_log(file, None)["lines"]
    assert first.isprintable()
    assert second.isprintable()
    assert len(third) == LINE_MAX + 1


def test_admins_read_the_log(house: House, admin: httpx.Client, log_of_house: Path) -> None:
    lines = [each.replace("\u2028", "").replace("\u2029", "") for each in HOSTILE]
    add(log_of_house, *lines)

    told = admin.get(LOG).json()
    assert len(told["lines"]) == len(lines)
    assert told["lines"][0] == "<script>alert(1)</script>"
    add(log_of_house, "more")
    assert admin.get(LOG, params={"after": told["next"]}).json()["lines"] == ["more"]


@pytest.mark.parametrize("scope", ["read", "rate", "review", "submit"])
def test_nobody_else_reads_the_log(house: House, visitor: httpx.Client, scope: str) -> None:
    assert house.program(scope, "ben").get(LOG).status_code == 403
    assert visitor.get(LOG).status_code == 401


@pytest.mark.parametrize("after", ["-1", "x", "1.5", str(2**60), "../../etc/passwd"])
def test_place_that_makes_no_sense_is_refused(admin: httpx.Client, after: str) -> None:
    assert admin.get(LOG, params={"after": after}).status_code == 400
