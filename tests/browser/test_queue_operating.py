"""The queue operated in the browser: lanes and jobs, by mouse or keys, and seen by others at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from hotfolder.accounts.store import FILE, open_accounts
from hotfolder.app import open_library
from hotfolder.cli.accounts import build_link
from hotfolder.config import load_settings
from tests.browser.house import REVIEWER, House, job
from tests.browser.test_queue_page import click_and_leave, row_of, wait_for_status
from tests.browser.visitor import Visitor
from tests.dead_work import let_die
from tests.scenarios.service import wait_for


@pytest.fixture
def paused(house: House, reviewer: Visitor) -> Iterator[House]:
    """The house with its lane gpu paused; what waits then goes on at the end."""
    reviewer.post("/-/api/lanes/gpu/pause")
    yield house
    reviewer.post("/-/api/lanes/gpu/resume")


def lane(page: Page, name: str = "gpu") -> Locator:
    return page.locator(f".lane[data-lane={name}]")


def button(place: Locator, name: str) -> Locator:
    return place.get_by_role("button", name=name)


def press(control: Locator) -> None:
    """Reach a button with the keyboard and press it."""
    control.focus()
    control.page.keyboard.press("Enter")


def press_next(row: Locator, name: str) -> None:
    """Press another button of a row, once it rests from the last one."""
    expect(row).to_have_attribute("aria-busy", "false")
    press(button(row, name))


def wish_for(house: House, name: str = "gpu") -> dict[str, Any]:
    return house.query("SELECT value, actor FROM control WHERE key = ?", f"lane.{name}")[0]


def actors_of(house: House, job_id: str) -> set[str]:
    sql = "SELECT actor FROM events WHERE subject_id = ? AND actor IS NOT NULL"
    return {row["actor"] for row in house.query(sql, job_id)}


def drop_waiting(house: House, *names: str) -> None:
    """Job files whose jobs are in line, in this order."""
    for name in names:
        house.drop(f"{name}.json", job(name))
        wait_for_status(house, name, "queued")


def test_lane_is_paused_and_resumed_and_others_see_it_at_once(
    visit: Callable[..., Visitor], reviewer: Visitor, house: House
) -> None:
    page, elsewhere = reviewer.open("/-/queue"), visit().open("/-/queue")
    expect(lane(elsewhere)).to_have_attribute("data-state", "running")

    press(button(lane(page), "Pause"))

    try:
        expect(lane(page)).to_contain_text(f"by {REVIEWER}")
        expect(lane(elsewhere)).to_have_attribute("data-state", "paused")
        expect(lane(elsewhere)).to_contain_text(f"by {REVIEWER}")
        expect(elsewhere.locator("#waiting-why")).to_contain_text(f"paused by {REVIEWER}")
        expect(lane(elsewhere, "io")).to_have_attribute("data-state", "running")
        assert wish_for(house) == {"value": "paused", "actor": REVIEWER}
        expect(lane(page)).to_be_focused()  # the keyboard goes on where it was, but not at the opposite
    finally:
        press_next(lane(page), "Resume")
    expect(lane(elsewhere)).to_have_attribute("data-state", "running")
    expect(elsewhere.locator("#waiting-why")).to_be_hidden()


def test_drained_lane_says_so_until_it_is_paused(reviewer: Visitor, house: House) -> None:
    page = reviewer.open("/-/queue")
    house.drop("drained.json", job("drained", count=16, steps=10))  # cancelled before its end
    expect(row_of(page, "drained", "running")).to_be_visible()

    press(button(lane(page), "Drain"))

    try:
        expect(lane(page).locator(".lane-state")).to_have_text("finishing what is in line")
        expect(page.locator("#waiting-why")).to_contain_text(f"drained by {REVIEWER}")
        click_and_leave(button(row_of(page, "drained", "running"), "Cancel"))
        expect(lane(page)).to_have_attribute("data-state", "paused")
    finally:
        press_next(lane(page), "Resume")
    expect(lane(page)).to_have_attribute("data-state", "running")


def test_job_is_held_and_released_with_keys(reviewer: Visitor, paused: House) -> None:
    page = reviewer.open("/-/queue")
    drop_waiting(paused, "kept")
    row = row_of(page, "kept", "waiting")

    press(button(row, "Hold"))

    expect(row.locator(".job-state")).to_have_text("held")
    expect(row).to_contain_text(f"held by {REVIEWER}")
    found = wait_for_status(paused, "kept", "held")
    assert (found["hold_requested"], actors_of(paused, found["id"])) == (1, {REVIEWER})
    expect(row).to_be_focused()
    press_next(row, "Release")
    expect(row.locator(".job-state")).to_have_text("waiting")
    expect(row).not_to_contain_text("held")
    wait_for_status(paused, "kept", "queued")


def test_job_that_is_given_a_higher_priority_moves_up_for_everybody(
    visit: Callable[..., Visitor], reviewer: Visitor, paused: House
) -> None:
    page, elsewhere = reviewer.open("/-/queue"), visit().open("/-/queue")
    drop_waiting(paused, "early", "late")
    order = "[...document.querySelectorAll('#waiting .job-title')].map((each) => each.textContent)"
    for each in (page, elsewhere):
        expect(each.locator("#waiting .job")).to_have_count(2)
        assert each.evaluate(order) == ["early.json", "late.json"]

    press(button(row_of(page, "late", "waiting"), "Higher priority"))

    for each in (page, elsewhere):
        expect(row_of(each, "late", "waiting")).to_contain_text("priority 10")
        expect(each.locator("#waiting .job-title").first).to_have_text("late.json")
    assert wait_for_status(paused, "late", "queued")["priority"] == 10
    press(button(row_of(page, "late", "waiting"), "Lower priority"))
    expect(page.locator("#waiting .job-title").first).to_have_text("early.json")
    for name in ("early", "late"):
        click_and_leave(button(row_of(page, name, "waiting"), "Cancel"))
        expect(row_of(elsewhere, name, "ended").locator(".job-state")).to_have_text("cancelled")


def test_dead_work_is_listed_and_tried_again(reviewer: Visitor, paused: House) -> None:
    page = reviewer.open("/-/queue")
    drop_waiting(paused, "worn")
    found = wait_for_status(paused, "worn", "queued")
    library = open_library(paused.root, load_settings(paused.root, {}))
    try:
        let_die(library, found["id"])
        library.nudge()
    finally:
        library.close()
    dead = page.locator("#dead li").filter(has_text="worn.json")
    expect(dead.locator("span")).to_have_attribute("title", "worn.json\nengine.crashed\nIt crashed.")
    expect(row_of(page, "worn", "ended")).to_contain_text("1 dead")
    expect(lane(page)).to_contain_text("1 dead")

    press(button(dead, "Requeue"))

    expect(row_of(page, "worn", "waiting")).to_be_visible()
    expect(page.locator("#dead-part")).to_be_hidden()
    assert wait_for_status(paused, "worn", "queued")["run"] == 2


def test_submitter_steers_their_own_jobs_and_nothing_else(
    visit: Callable[..., Visitor], reviewer: Visitor, paused: House
) -> None:
    accounts = open_accounts(paused.root / FILE)
    try:
        link = build_link(paused.url, accounts.create_login_link("ben", ["submit"]))
    finally:
        accounts.close()
    ben = visit(dict(httpx.get(link, timeout=20).cookies))
    page = ben.open("/-/queue")
    drop_waiting(paused, "theirs")
    params = {"prompt": "own", "size": "96*64"}
    ben.post("/-/api/jobs", {"endpointKey": "local.procedural.image", "params": params, "title": "own"})

    own = page.locator("#waiting .job").filter(has_text="own")
    expect(button(own, "Hold")).to_be_enabled()

    expect(row_of(page, "theirs", "waiting").locator("button")).to_have_count(0)
    expect(lane(page)).to_have_attribute("data-state", "paused")
    expect(lane(page).locator("button")).to_have_count(0)
    press(button(own, "Cancel"))
    expect(page.locator("#ended .job").filter(has_text="own").first).to_be_visible()


def test_visitor_sees_the_lanes_and_the_waits_but_no_button(
    visit: Callable[..., Visitor], reviewer: Visitor, paused: House
) -> None:
    page = visit().open("/-/queue")
    drop_waiting(paused, "looked-at")
    reviewer.post(f"/-/api/jobs/{wait_for_status(paused, 'looked-at', 'queued')['id']}/hold")

    expect(row_of(page, "looked-at", "waiting")).to_contain_text(f"held by {REVIEWER}")

    expect(page.locator(".lane")).to_have_count(3)
    expect(page.locator("main button")).to_have_count(0)
    reviewer.post(f"/-/api/jobs/{wait_for_status(paused, 'looked-at', 'held')['id']}/cancel")


def test_page_says_what_the_database_says(reviewer: Visitor, paused: House, tmp_path: Path) -> None:
    drop_waiting(paused, "in-line")
    page = reviewer.open("/-/queue")

    (row,) = paused.query("SELECT count(*) AS n FROM work_queue WHERE lane = 'gpu' AND status = 'pending'")
    expect(lane(page)).to_contain_text(f"{row['n']} waiting · 0 at work (room for 1)")

    page.screenshot(path=tmp_path / "queue.png")
    wait_for(lambda: (tmp_path / "queue.png").stat().st_size > 10_000, "a picture of the page")
