"""What the queue page tells beyond its lists: reports, job files, the engine by hand, and the log."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.house import House, job
from tests.browser.test_queue_page import row_of, wait_for_status
from tests.browser.visitor import Visitor
from tests.scenarios.service import wait_for

A_WHILE_MS = 10_000
HOSTILE = "<img src=x onerror=alert(1)>"
REFUSED = f"""endpointKey: local.procedural.image
params: {{prompt: x, size: 7*7}}
"{HOSTILE}": red
"""


class Log:
    """What the web answers to those who ask for the log: lines that the test writes."""

    def __init__(self, page: Page) -> None:
        self.lines: list[str] = []
        self.asked: list[str] = []
        page.route("**/-/api/log*", self._answer)

    def _answer(self, route: Route) -> None:
        self.asked.append(route.request.url)
        after = int(route.request.url.partition("after=")[2] or 0)
        told: dict[str, Any] = {"lines": self.lines[after:], "next": len(self.lines), "reset": False}
        route.fulfill(content_type="application/json", body=json.dumps(told))


@pytest.fixture
def page(reviewer: Visitor) -> Page:
    return reviewer.open("/-/queue")


def test_report_of_a_failed_job_names_every_problem_with_its_place(page: Page, house: House) -> None:
    house.drop("faulty.yaml", REFUSED)
    row = page.locator("#ended .job").filter(has_text="faulty.yaml")
    problems = row.locator(".problems li")
    expect(problems.first).to_be_hidden()

    row.locator("summary").focus()
    page.keyboard.press("Enter")

    expect(row.locator("summary")).to_have_text("Hide report")
    expect(problems).to_have_count(2)
    expect(problems.first).to_contain_text("line 2, column 27")
    expect(problems.first).to_contain_text("params.size")
    expect(problems.first).to_contain_text("Use at least 64 pixels an edge.")
    expect(problems.first).to_contain_text("job.invalid_params")
    expect(problems.last).to_contain_text(HOSTILE)
    house.draw("beside")  # news do not close what is read
    expect(row_of(page, "beside", "ended")).to_be_visible()
    expect(problems.first).to_be_visible()


def test_members_get_the_file_of_a_job_and_visitors_do_not(
    page: Page, visit: Callable[..., Visitor], house: House
) -> None:
    house.draw("filed")
    job_id = wait_for_status(house, "filed", "completed")["id"]

    link = row_of(page, "filed", "ended").get_by_role("link", name="Download the job file")

    expect(link).to_have_attribute("href", f"/-/api/jobs/{job_id}/file")
    elsewhere = row_of(visit().open("/-/queue"), "filed", "ended")
    expect(elsewhere).to_be_visible()
    expect(elsewhere.get_by_role("link", name="Download the job file")).to_have_count(0)


def test_running_job_tells_for_how_long_and_shows_its_last_picture_largest(page: Page, house: House) -> None:
    house.drop("long.json", job("long", count=32, steps=10))
    row = row_of(page, "long", "running")

    images = row.locator(".job-pictures img")
    expect(images).not_to_have_count(0)
    expect(row.locator(".job-progress")).to_contain_text(" s · ")  # at work for so long, and what is left
    wide = images.first.evaluate("image => image.getBoundingClientRect().width")
    assert wide > 100
    row.get_by_role("button", name="Cancel").click()
    page.mouse.move(0, 0)
    expect(row_of(page, "long", "ended")).to_be_visible()


def test_engine_without_model_sets_says_so_where_one_would_be_chosen(page: Page) -> None:
    page.get_by_label("Model set").focus()

    expect(page.locator("#engine-actions")).to_contain_text("The settings name no model set (models.sets).")
    expect(page.get_by_role("button", name="Have this model loaded")).to_be_disabled()


@pytest.fixture
def timed(reviewer: Visitor) -> Page:
    """The page with a clock that can be moved on."""
    page = reviewer.open("about:blank")
    page.clock.install()
    page.goto("/-/queue")
    return page


def test_log_is_asked_for_only_while_somebody_looks_at_it(timed: Page) -> None:
    page, log = timed, Log(timed)
    log.lines = ["INFO the first line"]
    page.clock.run_for(A_WHILE_MS)
    assert log.asked == []

    page.locator("#log summary").click()

    expect(page.locator(".log-lines")).to_have_text("INFO the first line")
    log.lines.append(f"2026-01-01 ERROR   main hotfolder: {HOSTILE}")
    expect(page.locator(".log-lines [data-level=error]")).to_contain_text(HOSTILE)
    page.locator("#log summary").click()
    count = len(log.asked)
    page.clock.run_for(A_WHILE_MS)
    assert len(log.asked) == count


def test_log_is_held_and_filtered(timed: Page) -> None:
    page, log = timed, Log(timed)
    log.lines = [f"line {number}" for number in range(1, 13)]
    page.locator("#log summary").click()
    expect(page.locator("[data-part=count]")).to_have_text("12 lines")
    page.get_by_label("Filter the lines").fill("LINE 1")
    expect(page.locator("[data-part=count]")).to_have_text("4 of 12 lines")
    page.get_by_role("button", name="Pause", exact=True).click()
    log.lines.append("line 100")
    page.clock.run_for(A_WHILE_MS)
    expect(page.locator("[data-part=count]")).to_have_text("4 of 12 lines")

    page.get_by_role("button", name="Go on").click()

    expect(page.locator("[data-part=count]")).to_have_text("5 of 13 lines")
    page.get_by_label("Filter the lines").fill("nowhere")
    expect(page.locator("[data-part=none]")).to_have_text("No line has this text.")


def test_log_keeps_two_thousand_lines_and_follows_its_end_unless_scrolled_up(page: Page) -> None:
    log = Log(page)
    log.lines = [f"line {number}" for number in range(3000)]
    page.locator("#log summary").click()
    lines = page.locator(".log-lines")
    at_end = "e => e.scrollHeight - e.scrollTop - e.clientHeight < 5"
    expect(page.locator("[data-part=count]")).to_have_text("2,000 lines")
    wait_for(lambda: lines.evaluate(at_end), "the end in sight")

    lines.evaluate("e => e.scrollTo(0, 100)")
    log.lines.append("line after all")

    expect(lines).to_contain_text("line after all")
    assert not lines.evaluate(at_end)
    expect(page.locator("[data-part=count]")).to_have_text("2,000 lines")
