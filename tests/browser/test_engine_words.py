"""An engine that does not start, and what is left of jobs, in words that people read on the queue page."""

from __future__ import annotations

import itertools
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from datasette_hotfolder.plain import STATIC
from playwright.sync_api import Page, expect

from hotfolder.delivery.documents import describe_time_left
from tests.browser.house import SETTINGS, House
from tests.browser.visitor import Visitor

MODELS = "models: {sets: {flux2-klein-4b: {diffusion_model: four.gguf}}}\n"
SECONDS = (0, 0.4, 2.5, 9.9, 10, 12, 30, 59.5, 119.9, 120, 150, 3600, 7199, 7200, 9000, 100_000)
SAY = f"""async (cases) => {{
  const {{ etaWords }} = await import("{STATIC}/progress.js");
  return cases.map(etaWords);
}}"""


class Workshop(House):
    """A house whose cn-engine is the embedded engine, unless it is broken."""

    def __init__(self, folder: Path) -> None:
        self._fault = folder / "broken"
        engine = folder / "cn-engine"
        engine.write_text(
            f'#!/bin/sh\n[ -e "{self._fault}" ] && exit 3\n'
            f'exec "{sys.executable}" -m hotfolder.engine.procedural\n'
        )
        engine.chmod(0o755)
        super().__init__(
            folder / "library", settings=SETTINGS.replace("engine: {", f"engine: {{path: {engine}, ") + MODELS
        )
        (self.root / "models" / "four.gguf").touch()

    def break_engine(self) -> None:
        """From now on it does not start."""
        self._fault.touch()

    def mend_engine(self) -> None:
        """From now on it does."""
        self._fault.unlink(missing_ok=True)


def flux(name: str, *, count: int = 1, steps: int = 10) -> str:
    """A job for cn-engine; each step takes STEP_MS."""
    params = {"prompt": name, "size": "96*64", "steps": steps}
    return json.dumps({"endpointKey": "local.flux2-klein-4b.image", "params": params, "count": count})


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house of its own: the engine of the others is not to be broken."""
    made = Workshop(tmp_path)
    made.break_engine()
    try:
        made.open_house()
        yield made
    finally:
        made.kill()


def fact(page: Page, name: str) -> str:
    """What the side of the queue page says of the engine under this name."""
    return page.locator(f"#engine-facts dt:text-is('{name}') + dd").inner_text()


def test_queue_page_says_why_the_engine_does_not_start_and_later_how_long_jobs_will_take(
    reviewer: Visitor, house: Workshop
) -> None:
    page = reviewer.open("/-/queue")
    facts, running, waiting = (
        page.locator(each) for each in ("#engine-facts", "#running .job", "#waiting .job")
    )
    sets = page.get_by_label("Model set")
    sets.focus()
    expect(sets.locator("option")).to_have_text(["Model set …", "flux2-klein-4b"])
    sets.select_option("flux2-klein-4b")
    page.get_by_role("button", name="Have this model loaded").click()
    house.drop("first.json", flux("first", count=3))

    expect(facts).to_contain_text(re.compile(r"The engine did not start: .+, tries again at \d\d:\d\d:\d\d"))
    expect(page.locator("#engine-words")).to_contain_text("The engine did not start")
    expect(page.locator("#engine")).to_have_attribute("data-state", "error")
    assert fact(page, "Kind") == "cn-engine"
    assert fact(page, "Wanted") == "flux2-klein-4b, anna"
    expect(running).not_to_contain_text("left")
    house.mend_engine()
    house.wait_for_pictures_of("first", 3)
    expect(facts).to_contain_text("Ready")

    house.drop("second.json", flux("second", count=16))
    expect(running).to_contain_text(re.compile(r"(about|\d to) \d+ s left"))
    house.drop("third.json", flux("third", count=16))

    expect(waiting).to_contain_text(re.compile(r"(about \d+|\d+ to \d+) s left"))
    expect(facts).to_contain_text("Busy")
    page.get_by_role("button", name="Free what the model holds").click()
    expect(facts.locator("dt:text-is('Wanted') + dd")).to_have_text("no model, anna")


def test_page_and_status_file_say_the_same_of_what_is_left(
    visit: Callable[..., Visitor],
) -> None:
    ranges = [None, *([low, high] for low, high in itertools.combinations_with_replacement(SECONDS, 2))]
    cases = [
        {"etaSeconds": likely, "etaRangeSeconds": each}
        for likely in (None, *SECONDS)
        for each in ranges
        if likely is None or each is None or each[0] <= likely <= each[1]
    ]

    said = visit().open("/-/queue").evaluate(SAY, cases)

    assert said == [describe_time_left(each) for each in cases]
    assert len(set(said)) > 50
