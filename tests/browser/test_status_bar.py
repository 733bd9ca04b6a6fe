"""The bar at the foot of every page, and the message when a job of yours has ended."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from datasette_hotfolder.plain import STATIC
from playwright.sync_api import Locator, Page, expect

from hotfolder.app import open_library
from hotfolder.config import load_settings
from tests.browser.house import SETTINGS, House, job
from tests.browser.test_queue_operating import drop_waiting, paused
from tests.browser.test_queue_page import wait_for_status
from tests.browser.visitor import Visitor
from tests.dead_work import let_die
from tests.scenarios.service import wait_for

__all__ = ["paused"]

TITLE = "<b>Night</b> train"
LIGHTS = {
    "ready": "ready",
    "busy": "ready",
    "starting": "starting",
    "loading": "starting",
    "idle": "stopped",
    "stopped": "stopped",
    "error": "error",
}
SAY = f"""async (states) => {{
  const {{ engineLight }} = await import("{STATIC}/engine_words.js");
  return states.map((state) => engineLight({{ state }}));
}}"""
COLOURS = """(bar) => {
  const dot = bar.querySelector(".dot");
  const probe = document.body.appendChild(document.createElement("i"));
  const colour = (name) => { probe.style.color = `var(${name})`; return getComputedStyle(probe).color; };
  const names = { green: "--pick", yellow: "--warn", red: "--reject", grey: "--faint" };
  return Object.keys(names).find((name) => colour(names[name]) === getComputedStyle(dot).backgroundColor);
}"""


@pytest.fixture
def unserved(tmp_path: Path) -> Iterator[House]:
    """A library whose web runs, and whose sidecar does not."""
    made = House(tmp_path / "library", settings=SETTINGS)
    try:
        made.start_web("serve")
        made.url, _ = made.wait_for_link()
        made.wait_until_answering(made.url)
        yield made
    finally:
        made.kill()


def submit(visitor: Visitor, title: str, **more: object) -> None:
    """A job that belongs to this visitor."""
    params = {"prompt": title, "size": "96*64", "steps": more.pop("steps", 1)}
    body = {"endpointKey": "local.procedural.image", "params": params, "title": title, **more}
    visitor.post("/-/api/jobs", body)


def colour_of(page: Page) -> str:
    found: str = page.locator("#engine").evaluate(COLOURS)
    return found


def toasts(page: Page) -> Locator:
    return page.locator(".toast")


def test_dot_is_green_yellow_red_or_grey_as_the_engine_is(visit: Callable[..., Visitor]) -> None:
    page = visit().open("/-/queue")

    assert page.evaluate(SAY, list(LIGHTS)) == list(LIGHTS.values())
    shown = {"ready": "green", "starting": "yellow", "stopped": "grey", "error": "red"}
    for state, colour in shown.items():
        page.locator("#engine").evaluate("(bar, state) => (bar.dataset.state = state)", state)
        assert colour_of(page) == colour, state


def test_dot_is_green_with_the_name_of_the_model_and_grey_without_one(
    reviewer: Visitor, house: House
) -> None:
    page = reviewer.open("/-/setup")
    house.draw("warming-up")
    words = page.locator("#engine-words")
    expect(words).to_contain_text(re.compile(r"^(Ready|Busy) · .*procedural"))
    assert colour_of(page) == "green"

    reviewer.post("/-/api/engine/unload")

    expect(words).to_have_text("Engine idle, no model loaded")
    assert colour_of(page) == "grey"


def test_job_at_work_is_told_on_every_page_with_stage_bar_and_time(reviewer: Visitor, house: House) -> None:
    page = reviewer.open("/-/setup")
    now = page.locator("#now")
    expect(now).to_be_hidden()

    house.drop("barred.json", job("barred", count=32, steps=10, title="Barred"))

    expect(now).to_contain_text("Barred")
    expect(page.locator("#now-stage")).to_contain_text(re.compile(r"picture \d+ of 32, sampling \d+/10"))
    expect(page.locator("#now-eta")).to_have_text(re.compile(r"^[1-9]\d* s$"))
    value = int(now.get_by_role("progressbar").get_attribute("aria-valuenow") or -1)
    assert 0 <= value <= 100
    reviewer.post(f"/-/api/jobs/{wait_for_status(house, 'barred', 'running')['id']}/cancel")
    expect(now).to_be_hidden()


def test_length_of_the_queue_is_told_and_hidden_when_nothing_waits(reviewer: Visitor, paused: House) -> None:
    page = reviewer.open("/-/setup")
    badge = page.locator("#in-queue")
    expect(badge).to_be_hidden()
    names = ("x1", "x2", "x3")
    drop_waiting(paused, *names)

    expect(badge).to_have_text("3 in queue")

    for name in names:
        reviewer.post(f"/-/api/jobs/{wait_for_status(paused, name, 'queued')['id']}/cancel")
    expect(badge).to_be_hidden()


def test_service_that_does_not_run_is_told_in_words(chromium: object, unserved: House) -> None:
    with Visitor(chromium, unserved.url) as visitor:  # type: ignore[arg-type]  # a Browser, by the fixture
        page = visitor.open("/-/queue")

        expect(page.locator("#engine-words")).to_have_text("Service not running")
        expect(page.locator("#engine")).to_have_attribute("title", re.compile("hotfolder up"))
        assert colour_of(page) == "grey"
        expect(page.locator("#engine-facts")).to_contain_text("not running: start it with “hotfolder up”")


def test_end_of_a_job_of_yours_is_told_once_and_leads_to_its_pictures(
    visit: Callable[..., Visitor], reviewer: Visitor, house: House
) -> None:
    tabs = [reviewer.open("/-/queue"), reviewer.open("/-/setup")]
    others = [visit(house.log_in("ben")).open("/-/queue"), visit().open("/-/queue")]

    submit(reviewer, TITLE, count=2)

    wait_for(lambda: sum(toasts(each).count() for each in tabs), "a message")
    told = next(each for each in tabs if toasts(each).count())
    expect(toasts(told)).to_contain_text(f"“{TITLE}” is done: 2 pictures.")
    house.draw("later")  # all tabs have heard of this, and so of what came before
    for each in (*tabs, *others):
        ended = each.locator("#ended .job").filter(has_text="later.json")
        if each.url.endswith("queue"):
            expect(ended).to_be_visible()
    assert sum(toasts(each).count() for each in tabs) == 1
    assert [toasts(each).count() for each in others] == [0, 0]
    toasts(told).get_by_role("link", name="See them").click()
    told.wait_for_url(re.compile(r"/-/library#.+"))


def test_failure_of_a_job_of_yours_is_told_with_its_reason(reviewer: Visitor, paused: House) -> None:
    page = reviewer.open("/-/setup")
    submit(reviewer, "Worn out")
    (row,) = wait_for(
        lambda: paused.query("SELECT id FROM jobs WHERE title = 'Worn out' AND status = 'queued'"), "a job"
    )
    library = open_library(paused.root, load_settings(paused.root, {}))
    try:
        let_die(library, row["id"])
        library.nudge()
    finally:
        library.close()

    expect(toasts(page)).to_contain_text("“Worn out” failed.")
    expect(toasts(page)).to_contain_text("It crashed.")
    expect(toasts(page)).to_have_class(re.compile("failure"))
    expect(toasts(page).get_by_role("link", name="See why")).to_have_attribute("href", "/-/queue")
    reviewer.post(f"/-/api/jobs/{row['id']}/retry")  # it is dead work no longer, which others count


def test_title_tells_how_far_a_job_of_yours_is(reviewer: Visitor, house: House) -> None:
    page = reviewer.open("/-/setup")
    title = page.title()

    submit(reviewer, "Titled", count=4, steps=10)

    expect(page).to_have_title(re.compile(rf"^\d+ % · {re.escape(title)}$"))
    expect(page).to_have_title(title)
    house.drop("somebody.json", job("somebody", count=8, steps=10))
    expect(page.locator("#now")).to_contain_text("somebody")
    assert page.title() == title
    job_id = wait_for_status(house, "somebody", "running")["id"]
    reviewer.post(f"/-/api/jobs/{job_id}/cancel")


def test_jobs_that_end_together_are_told_in_one_message(reviewer: Visitor, house: House) -> None:
    page = reviewer.open("/-/setup")
    page.route("**/-/api/jobs?state=ended*", lambda route: route.continue_())
    reviewer.post("/-/api/lanes/gpu/pause")
    for number in range(12):
        submit(reviewer, f"Of many {number}")

    reviewer.post("/-/api/lanes/gpu/resume")

    expect(toasts(page).filter(has_text="jobs of yours have ended.").first).to_be_visible()
    assert json.loads(page.evaluate("localStorage.getItem('hotfolder.told')"))
