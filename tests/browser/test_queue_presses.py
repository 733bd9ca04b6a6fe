"""Buttons of the queue pressed by real hands: twice, held down, quickly, and while everything changes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from hotfolder.app import Library, open_library
from hotfolder.config import load_settings
from hotfolder.domain.work import NewWork
from tests.browser.house import House
from tests.browser.test_queue_operating import button, drop_waiting, lane, paused, press
from tests.browser.test_queue_page import click_and_leave, row_of, wait_for_status
from tests.browser.visitor import Visitor
from tests.dead_work import let_die

__all__ = ["paused"]

PRESS_AGAIN = """(row, action) => {
  const press = (_, observer) => {
    const button = row.querySelector(`[data-action=${action}]`);
    if (button.hidden) return;
    observer.disconnect();
    button.click();
    window.wasPressedAgain = true;
  };
  new MutationObserver(press).observe(row, { attributes: true, subtree: true });
}"""


@pytest.fixture
def library(house: House) -> Iterator[Library]:
    opened = open_library(house.root, load_settings(house.root, {}))
    yield opened
    opened.close()


def note_posts(page: Page) -> list[str]:
    """The last part of each address that is written to from now on."""
    posts: list[str] = []
    page.on(
        "request",
        lambda request: posts.append(request.url.rpartition("/")[2]) if request.method == "POST" else None,
    )
    return posts


def expect_rest(row: Locator) -> None:
    """Until presses count again."""
    expect(row).to_have_attribute("aria-busy", "false")


def test_double_press_on_hold_does_not_release(reviewer: Visitor, paused: House) -> None:
    page = reviewer.open("/-/queue")
    drop_waiting(paused, "twice")
    row, posts = row_of(page, "twice", "waiting"), note_posts(page)
    row.evaluate(PRESS_AGAIN, "release")

    button(row, "Hold").click(click_count=2)

    expect_rest(row)
    assert page.evaluate("window.wasPressedAgain")
    assert posts == ["hold"]
    expect(row.locator(".job-state")).to_have_text("held")
    click_and_leave(button(row, "Release"))
    wait_for_status(paused, "twice", "queued")
    expect_rest(row)
    click_and_leave(button(row, "Cancel"))


def test_double_press_on_pause_does_not_resume(reviewer: Visitor, house: House) -> None:
    page = reviewer.open("/-/queue")
    posts = note_posts(page)
    lane(page, "cpu").evaluate(PRESS_AGAIN, "resume")
    try:
        button(lane(page, "cpu"), "Pause").click(click_count=2)

        expect_rest(lane(page, "cpu"))
        assert (page.evaluate("window.wasPressedAgain"), posts) == (True, ["pause"])
        expect(lane(page, "cpu")).to_have_attribute("data-state", "paused")
    finally:
        reviewer.post("/-/api/lanes/cpu/resume")


def test_held_down_key_cancels_once_and_the_focus_stays_in_the_row(reviewer: Visitor, paused: House) -> None:
    page = reviewer.open("/-/queue")
    drop_waiting(paused, "held-down")
    waiting, ended = row_of(page, "held-down", "waiting"), row_of(page, "held-down", "ended")
    posts = note_posts(page)
    button(waiting, "Cancel").focus()

    for _ in range(3):
        page.keyboard.down("Enter")

    expect(ended).to_be_focused()
    page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    expect_rest(ended)
    assert posts == ["cancel"]
    expect(button(ended, "Retry")).to_be_visible()


def test_three_quick_clicks_on_higher_are_three_steps(reviewer: Visitor, paused: House) -> None:
    page = reviewer.open("/-/queue")
    drop_waiting(paused, "urgent")
    row = row_of(page, "urgent", "waiting")

    button(row, "Higher priority").click(click_count=3)

    expect(row).to_contain_text("priority 30")
    assert wait_for_status(paused, "urgent", "queued")["priority"] == 30
    button(row, "Lower priority").click(click_count=3)
    expect(row).not_to_contain_text("priority")
    click_and_leave(button(row, "Cancel"))


def test_dead_work_can_be_requeued_while_the_queue_is_changing(
    reviewer: Visitor, paused: House, library: Library
) -> None:
    page = reviewer.open("/-/queue")
    drop_waiting(paused, "dead-one", "dead-two")
    for name in ("dead-one", "dead-two"):
        let_die(library, wait_for_status(paused, name, "queued")["id"])
    library.nudge()
    first, second = (
        page.locator("#dead li").filter(has_text=f"{name}.json") for name in ("dead-one", "dead-two")
    )
    button(first, "Requeue").focus()
    button(second, "Requeue").hover()
    page.mouse.down()

    for verb, state in (("pause", "paused"), ("resume", "running")):
        reviewer.post(f"/-/api/lanes/cpu/{verb}")
        expect(lane(page, "cpu")).to_have_attribute("data-state", state)

    page.mouse.up()
    expect(second).to_have_count(0)
    press(button(first, "Requeue"))
    expect(page.locator("#dead-part")).to_be_hidden()
    for name in ("dead-one", "dead-two"):
        assert wait_for_status(paused, name, "queued")["run"] == 2
        click_and_leave(button(row_of(page, name, "waiting"), "Cancel"))


def test_dead_work_without_a_job_is_listed_and_tried_again(
    reviewer: Visitor, paused: House, library: Library
) -> None:
    with library.database.transaction() as tx:
        work = NewWork("media.discard", "gpu", {"mediaId": "m"}, "media", "lost-picture", max_attempts=1)
        work_id = library.work.enqueue(tx, work)
        tx.execute(
            "UPDATE work_queue SET status = 'dead', error_message = 'No room.' WHERE id = ?", (work_id,)
        )
    page = reviewer.open("/-/queue")
    row = page.locator("#dead li").filter(has_text="media.discard lost-picture")
    expect(row.locator("span")).to_have_attribute("title", f"{work_id}\nNo room.")

    button(row, "Requeue").click()

    expect(page.locator("#dead-part")).to_be_hidden()
    assert [each.status for each in library.work.list_of("lost-picture")] == ["pending"]
    with library.database.transaction() as tx:
        library.work.cancel_waiting(tx, "lost-picture", "media.discard")
