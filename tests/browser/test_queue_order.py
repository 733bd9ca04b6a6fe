"""Jobs that wait get another place in line, by drag or by keys, by those who may give it."""

from __future__ import annotations

from collections.abc import Callable

import httpx
from playwright.sync_api import Page, expect

from hotfolder.accounts.store import FILE, open_accounts
from hotfolder.cli.accounts import build_link
from tests.browser.house import House
from tests.browser.test_queue_operating import button, drop_waiting, paused
from tests.browser.test_queue_page import click_and_leave, row_of, wait_for_status
from tests.browser.visitor import Visitor

__all__ = ["paused"]


def expect_order(page: Page, *names: str) -> None:
    """Until the jobs in line stand in this order, numbered."""
    expect(page.locator("#waiting .job-title")).to_have_text([f"{each}.json" for each in names])
    expect(page.locator("#waiting .job-place")).to_have_text([str(place + 1) for place in range(len(names))])


def cancel_all(page: Page, *names: str) -> None:
    for name in names:
        click_and_leave(button(row_of(page, name, "waiting"), "Cancel"))
        expect(row_of(page, name, "ended").locator(".job-state")).to_have_text("cancelled")


def log_in_as_submitter(house: House, name: str) -> dict[str, str]:
    accounts = open_accounts(house.root / FILE)
    try:
        link = build_link(house.url, accounts.create_login_link(name, ["submit"]))
    finally:
        accounts.close()
    return dict(httpx.get(link, timeout=20).cookies)


def test_alt_and_arrows_move_a_job_before_and_after_its_neighbour(
    visit: Callable[..., Visitor], reviewer: Visitor, paused: House
) -> None:
    page, elsewhere = reviewer.open("/-/queue"), visit().open("/-/queue")
    drop_waiting(paused, "order-first", "order-second")
    expect_order(page, "order-first", "order-second")
    row = row_of(page, "order-second", "waiting")
    row.focus()

    page.keyboard.press("Alt+ArrowUp")

    expect_order(page, "order-second", "order-first")
    expect_order(elsewhere, "order-second", "order-first")
    expect(row).to_be_focused()
    expect(page.locator("#order-news")).to_have_text("“order-second.json” is now number 1, with priority 1.")
    assert wait_for_status(paused, "order-second", "queued")["priority"] == 1
    page.keyboard.press("Alt+ArrowUp")  # there is nobody before it
    page.keyboard.press("Alt+ArrowDown")
    expect_order(page, "order-first", "order-second")
    assert wait_for_status(paused, "order-second", "queued")["priority"] == 0
    cancel_all(page, "order-first", "order-second")


def test_job_is_dragged_behind_another_and_before_it(reviewer: Visitor, paused: House) -> None:
    page = reviewer.open("/-/queue")
    drop_waiting(paused, "order-one", "order-two", "order-three")
    expect_order(page, "order-one", "order-two", "order-three")
    place = ".job-place"

    row_of(page, "order-one", "waiting").locator(place).drag_to(
        row_of(page, "order-three", "waiting"), target_position={"x": 300, "y": 40}
    )

    expect_order(page, "order-two", "order-three", "order-one")
    row_of(page, "order-three", "waiting").locator(place).drag_to(
        row_of(page, "order-two", "waiting"), target_position={"x": 300, "y": 4}
    )
    expect_order(page, "order-three", "order-two", "order-one")
    cancel_all(page, "order-one", "order-two", "order-three")


def test_page_tells_when_a_job_overtook_more_than_it_was_meant_to(reviewer: Visitor, paused: House) -> None:
    page = reviewer.open("/-/queue")
    drop_waiting(paused, "a", "b", "c")
    expect_order(page, "a", "b", "c")
    row_of(page, "c", "waiting").focus()

    page.keyboard.press("Alt+ArrowUp")

    expect(page.locator(".toast")).to_contain_text("It went before 1 other too: they have one priority.")
    expect_order(page, "c", "a", "b")
    cancel_all(page, "a", "b", "c")


def test_nobody_moves_the_jobs_of_others(visit: Callable[..., Visitor], paused: House) -> None:
    drop_waiting(paused, "mine", "yours")
    pages = [visit(cookies).open("/-/queue") for cookies in (log_in_as_submitter(paused, "ben"), None)]

    for page in pages:
        expect_order(page, "mine", "yours")
        row = row_of(page, "yours", "waiting")
        expect(row.locator(".job-place")).to_have_attribute("draggable", "false")
        row.focus()
        page.keyboard.press("Alt+ArrowUp")
        expect_order(page, "mine", "yours")

    for name in ("mine", "yours"):
        assert wait_for_status(paused, name, "queued")["priority"] == 0
