"""The queue and the set-up in the browser: what is at work, and a hand on it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.house import REVIEWER, House, job
from tests.browser.visitor import Visitor
from tests.scenarios.service import wait_for

RECORD = """() => {
  window.seen = [];
  const look = (changes) => changes.forEach(({ target }) => {
    const words = target.closest("#running .job")?.textContent ?? "";
    const value = target.getAttribute("aria-valuenow");
    if (words.includes("live.json") && value !== null) window.seen.push({ value: Number(value), words });
  });
  const attributeFilter = ["aria-valuenow"];
  new MutationObserver(look).observe(document.body, { attributes: true, attributeFilter, subtree: true });
}"""
FOR_LONG = 32
STOPPED = ("cancelled", "partially_completed")  # before or after its first picture


def row_of(page: Page, name: str, place: str) -> Locator:
    """The row of a job file in one of the lists `running`, `waiting` and `ended`."""
    return page.locator(f"#{place} .job").filter(has_text=f"{name}.json")


def click_and_leave(button: Locator) -> None:
    """Click, and take the pointer away: under it no row moves."""
    button.click()
    button.page.mouse.move(0, 0)


def wait_for_status(house: House, name: str, *statuses: str) -> dict[str, Any]:
    """The row of a job file's job, once it has one of these statuses."""

    def look() -> dict[str, Any] | None:
        rows = house.query("SELECT * FROM jobs WHERE file_name = ?", f"{name}.json")
        return next((row for row in rows if row["status"] in statuses), None)

    return wait_for(look, f"{name} as {' or '.join(statuses)}")


def test_running_job_shows_its_progress_live_and_then_its_pictures(reviewer: Visitor, house: House) -> None:
    page = reviewer.open("/-/queue")
    page.evaluate(RECORD)

    house.drop("live.json", job("live", count=5, steps=10))

    ended = row_of(page, "live", "ended")
    expect(ended.locator(".job-pictures img")).to_have_count(5)
    expect(ended.locator(".job-state")).to_have_text("done")
    seen = page.evaluate("window.seen")
    values = [each["value"] for each in seen]
    assert values == sorted(values)  # a bar that goes back frightens
    assert 0 <= values[0] <= values[-1] <= 100
    assert len({each["words"] for each in seen}) >= 3
    assert any("of 5 · " in each["words"] for each in seen)
    ended.locator(".job-pictures a").first.click()
    expect(page.locator("#loupe")).to_be_visible()


def test_job_is_cancelled_from_the_page_and_then_tried_again(reviewer: Visitor, house: House) -> None:
    page = reviewer.open("/-/queue")
    house.drop("stopped.json", job("stopped", count=FOR_LONG, steps=10))
    running, ended = row_of(page, "stopped", "running"), row_of(page, "stopped", "ended")

    click_and_leave(running.get_by_role("button", name="Cancel"))

    cancelled = wait_for_status(house, "stopped", *STOPPED)
    expect(ended.locator(".job-state")).to_have_text(re.compile("cancelled|partly done"))
    sql = "SELECT actor FROM events WHERE subject_id = ? AND actor IS NOT NULL"
    assert {row["actor"] for row in house.query(sql, cancelled["id"])} == {REVIEWER}
    made = house.count_pictures()
    expect(ended).to_have_attribute("aria-busy", "false")  # a press just after the first one does not count
    click_and_leave(ended.get_by_role("button", name="Retry"))
    again = wait_for_status(house, "stopped", "running")
    assert again["id"] == cancelled["id"]
    wait_for(lambda: house.count_pictures() > made, "another picture")
    click_and_leave(running.get_by_role("button", name="Cancel"))
    wait_for_status(house, "stopped", *STOPPED)


def test_waiting_and_held_files_are_listed(reviewer: Visitor, house: House) -> None:
    page = reviewer.open("/-/queue")
    house.drop("first.json", job("first", count=FOR_LONG, steps=10))
    expect(row_of(page, "first", "running")).to_be_visible()
    held = house.drop("hold/held.json", job("held"))

    house.drop("second.json", job("second"))

    expect(row_of(page, "second", "waiting")).to_contain_text("ahead")
    expect(page.locator("#in-queue")).to_have_text("1 in queue")
    page.reload()
    expect(page.locator("#inbox")).to_contain_text("hold/held.json")
    held.unlink()
    click_and_leave(row_of(page, "first", "running").get_by_role("button", name="Cancel"))
    wait_for_status(house, "second", "completed")


def test_visitor_may_look_at_the_queue_but_steer_nothing(
    visit: Callable[..., Visitor], reviewer: Visitor, house: House
) -> None:
    page = visit().open("/-/queue")
    house.drop("watched.json", job("watched", count=FOR_LONG, steps=10))

    expect(row_of(page, "watched", "running")).to_be_visible()

    expect(page.locator("main button")).to_have_count(0)
    expect(page.locator(".actor")).to_have_attribute("title", re.compile("hotfolder login"))
    reviewer.post(f"/-/api/jobs/{wait_for_status(house, 'watched', 'running')['id']}/cancel")
    wait_for_status(house, "watched", *STOPPED)


def test_setup_shows_the_checks_and_filters_the_settings(reviewer: Visitor, house: House) -> None:
    page = reviewer.open("/-/setup")

    checks = page.locator("#checks li")
    expect(checks.filter(has_text="Python")).to_have_count(1)
    assert checks.count() >= 5
    page.locator("#settings-filter").fill("settle_ms")
    expect(page.locator("#settings tr")).to_have_count(1)
    expect(page.locator("#settings tr")).to_contain_text("100")
    page.get_by_role("button", name="Check again").click()
    expect(page.get_by_role("button", name="Check again")).to_be_enabled()
    expect(page.locator("#verdict")).not_to_have_text("Checking …")


def test_visitor_is_asked_to_log_in_where_only_members_may_look(visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    visitor.excuse("status of 401")

    expect(visitor.open("/-/setup").locator("body")).to_contain_text("hotfolder login")
