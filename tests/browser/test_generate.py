"""The form that asks for pictures, in the browser: drawn, checked, submitted, and what comes of it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from hotfolder.domain.document import parse_documents, to_plain
from hotfolder.domain.sizes import resolve_size
from tests import pictures
from tests.browser.house import House
from tests.browser.light_table import cell
from tests.browser.visitor import Visitor
from tests.scenarios.service import wait_for

STATIC = "/-/static-plugins/hotfolder"
PROCEDURAL = "local.procedural.image"
PRESET = """
title: Product shot
params:
  prompt: A {product} on white, soft light
  resolution: 128
  aspectRatio: "3:2"
"""
DROP = """([selector, media, files]) => {
  const transfer = new DataTransfer();
  if (media) transfer.setData("application/x-hotfolder-media", JSON.stringify(media));
  for (const { name, type, content } of files) {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    transfer.items.add(new File([bytes], name, { type }));
  }
  const how = { dataTransfer: transfer, bubbles: true, cancelable: true };
  for (const kind of ["dragenter", "dragover", "drop"])
    document.querySelector(selector).dispatchEvent(new DragEvent(kind, how));
}"""
START_IMPORT_DROP = f"""async () => {{
  const {{ startImportDrop }} = await import("{STATIC}/import_drop.js");
  const {{ Api }} = await import("{STATIC}/api.js");
  startImportDrop({{ api: new Api(""), can: {{ submit: true }} }}, document.querySelector("main"));
}}"""
PIXELS = f"""async (sizes) => {{
  const {{ pixelsOf }} = await import("{STATIC}/sizes.js");
  const pixels = ([resolution, ratio, multiple]) => pixelsOf({{ resolution, ratio }}, multiple);
  return sizes.map((size) => Object.values(pixels(size)));
}}"""
RELOAD = f"""async ([detail, multiple]) => {{
  const {{ draftFromPicture }} = await import("{STATIC}/generate_job.js");
  return draftFromPicture(detail, multiple);
}}"""

BEYOND = """(width) => [...document.querySelectorAll("#generate *")]
  .filter((each) => each.checkVisibility() && each.getBoundingClientRect().right > width)
  .map((each) => each.id || each.className)"""
TIMES = "\N{MULTIPLICATION SIGN}"


@pytest.fixture
def form(reviewer: Visitor) -> Page:
    """The form alone on its page, for small pictures."""
    return open_form(reviewer)


def open_form(visitor: Visitor, endpoint: str = PROCEDURAL) -> Page:
    """The page of the form with an endpoint."""
    page = visitor.open("/-/generate")
    page.locator("#generate-endpoint").select_option(endpoint)
    if endpoint == PROCEDURAL:
        page.get_by_label("Long edge of your own").fill("96")
    return page


def drop(page: Page, *, media: list[str] | None = None, files: list[Path] | None = None, at: str) -> None:
    """Drop pictures of the library, or files of this machine, on an element."""
    given = [
        {"name": each.name, "type": "", "content": base64.b64encode(each.read_bytes()).decode()}
        for each in files or []
    ]
    page.evaluate(DROP, [at, media, given])


def made_by(page: Page, words: str) -> Locator:
    """The row of a job beside the form."""
    return page.locator("#generate-jobs .now-job").filter(has_text=words)


def generate(page: Page, prompt: str) -> Locator:
    """Ask for pictures; gives the row of the job."""
    page.locator("#generate-param-prompt").fill(prompt)
    page.keyboard.press("Control+Enter")
    return made_by(page, prompt)


def jobs_of(house: House) -> list[dict[str, Any]]:
    """All jobs, as they were taken in."""
    return [json.loads(row["text"]) for row in house.query("SELECT text FROM jobs")]


def job_of(house: House, prompt: str) -> dict[str, Any]:
    """The job with this prompt; there has to be exactly one."""

    def look() -> list[dict[str, Any]]:
        return [each for each in jobs_of(house) if each.get("params", {}).get("prompt") == prompt]

    (found,) = wait_for(look, f"a job for {prompt!r}")
    return found


def test_form_is_drawn_from_the_endpoint(reviewer: Visitor) -> None:
    page = open_form(reviewer, "local.upscale")

    expect(page.get_by_label("Factor")).to_have_value("4")
    expect(page.get_by_label("Model")).to_be_visible()
    expect(page.locator("#generate-mode")).to_have_text("needs a picture")
    for absent in ("#generate-param-prompt", "#generate-sizes", "#generate-seed-part"):
        expect(page.locator(absent)).to_be_hidden()
    page.locator("#generate-endpoint").select_option(PROCEDURAL)
    expect(page.get_by_label("Prompt")).to_be_visible()
    expect(page.get_by_label("Steps")).to_be_hidden()
    page.locator("#generate-more > summary").click()
    expect(page.get_by_label("Steps")).to_have_value("4")


def test_picture_has_the_size_that_the_form_shows(form: Page, house: House) -> None:
    form.get_by_label("Long edge of your own").fill("100")
    form.get_by_role("radio", name="3:2").check(force=True)
    expect(form.locator("#generate-pixels")).to_have_text(f"112 {TIMES} 80 px")
    form.get_by_role("button", name="swap").click()
    expect(form.locator("#generate-pixels")).to_have_text(f"80 {TIMES} 112 px")

    row = generate(form, "as large as shown")

    expect(row.locator("img")).to_have_count(1)
    expect(row).to_have_attribute("data-status", "completed")
    (found,) = house.query("SELECT width, height FROM media ORDER BY created_at DESC LIMIT 1")
    assert (found["width"], found["height"]) == (80, 112)


def test_rule_of_sizes_is_that_of_job_files(form: Page) -> None:
    asked = [
        (edge, ratio, multiple)
        for edge in (64, 513, 1000, 1024, 4096)
        for ratio in ("1:1", "3:2", "2:3", "16:9", "9:16", "4:5", "21:9", "7:5")
        for multiple in (1, 16, 64)
    ]

    shown = form.evaluate(PIXELS, asked)

    for (edge, ratio, multiple), pixels in zip(asked, shown, strict=True):
        size = resolve_size({"resolution": edge, "aspectRatio": ratio}, multiple=multiple, max_pixels=None)
        assert pixels == [size.width, size.height]


def test_problem_stands_at_its_field_and_has_the_focus(form: Page) -> None:
    form.locator("#generate-submit").click()

    prompt = form.locator("#generate-param-prompt")
    expect(prompt).to_be_focused()
    expect(prompt).to_have_attribute("aria-invalid", "true")
    expect(form.locator("#generate-form .problem").first).to_have_text("Describe what you want to see first.")
    prompt.fill("now with words")
    expect(prompt).not_to_have_attribute("aria-invalid", "true")
    form.locator("#generate-more > summary").click()
    form.get_by_label("Steps").fill("99")
    expect(form.locator('[data-path="params.steps"] .problem')).to_contain_text("from 1 to 10")
    form.locator("#generate-more > summary").click()
    form.keyboard.press("Control+Enter")
    expect(form.get_by_label("Steps")).to_be_focused()


def test_job_without_a_title_is_called_by_its_prompt_when_it_ends(form: Page) -> None:
    form.get_by_label("Another number of variations").fill("99")
    expect(form.locator('[data-path="count"] > .problem')).to_have_text("1 to 64")
    form.get_by_label("Another number of variations").fill("1")

    generate(form, "A fox in the snow")

    expect(form.locator(".toast")).to_contain_text("“A fox in the snow” is done: 1 picture.")


def test_number_of_pictures_is_told_before_they_are_asked_for(form: Page, house: House) -> None:
    form.get_by_role("radio", name="4", exact=True).check(force=True)
    form.locator("#generate-param-prompt").fill("counted")
    form.locator("#generate-more > summary").click()
    form.get_by_role("button", name="Add a parameter").click()
    form.get_by_label("Parameter", exact=True).select_option("steps")
    form.get_by_label("Values", exact=True).fill("1, 2, 3")
    cost = form.locator("#generate-cost")
    expect(cost).to_contain_text("12 pictures")
    form.get_by_label("Another number of variations").fill("64")
    expect(cost).to_contain_text("192 pictures")
    form.get_by_label("Values", exact=True).fill("1 2 3 4 5")
    expect(cost).to_contain_text("a job may ask for 256")
    form.get_by_label("Another number of variations").fill("2")
    form.get_by_label("Values", exact=True).fill("1\n2")

    row = generate(form, "counted")

    expect(row.locator("img")).to_have_count(4)
    assert job_of(house, "counted")["matrix"] == {"steps": [1, 2]}


def test_picture_of_the_library_becomes_a_reference(form: Page, house: House) -> None:
    first, second = house.draw("for reference", count=2)
    drop(form, media=[first, second], at="#generate-drop")
    tiles = form.locator("#generate-ref-list .ref")
    expect(tiles).to_have_count(2)
    expect(form.locator("#generate-mode")).to_have_text("image to image")

    tiles.first.focus()
    form.keyboard.press("Shift+ArrowRight")
    expect(tiles.nth(1)).to_be_focused()
    form.keyboard.press("Enter")
    form.get_by_label("Role of this reference").fill("composition")
    row = generate(form, "after two references")

    expect(row).to_have_attribute("data-status", "completed")
    refs = [{"media": second}, {"media": first, "role": "composition"}]
    assert job_of(house, "after two references")["refs"] == refs
    tiles.nth(1).focus()
    form.keyboard.press("Delete")
    expect(tiles).to_have_count(1)
    expect(tiles.first).to_be_focused()


def test_file_of_this_machine_becomes_a_reference_and_an_import(
    form: Page, house: House, tmp_path: Path
) -> None:
    file = pictures.write_png(tmp_path / "from the desk.png", (88, 56))
    drop(form, files=[file], at="#generate-form")
    tile = form.locator("#generate-ref-list .ref")
    expect(tile).to_have_attribute("aria-busy", "false")
    expect(tile.locator("img")).to_be_visible()

    row = generate(form, "after a file")

    expect(row).to_have_attribute("data-status", "completed")
    wait_for(
        lambda: house.query("SELECT id FROM media WHERE original_name = 'from the desk.png'"), "the import"
    )


def test_no_more_references_than_the_endpoint_takes(reviewer: Visitor, house: House) -> None:
    page = open_form(reviewer, "local.upscale")

    drop(page, media=house.draw("too many", count=2), at="#generate-drop")

    expect(page.locator("#generate-ref-list .ref")).to_have_count(1)
    expect(page.locator("#toasts")).to_contain_text("takes at most 1 reference")


def test_what_stands_in_the_form_survives_a_reload(form: Page) -> None:
    form.locator("#generate-param-prompt").fill("kept")
    form.get_by_label("Another seed").click()
    seed = form.get_by_label("Seed", exact=True).input_value()
    form.locator("#generate-about > summary").click()
    form.get_by_label("Keywords").fill("spring, sea")

    form.reload()

    expect(form.locator("#generate-param-prompt")).to_have_value("kept")
    expect(form.get_by_label("Seed", exact=True)).to_have_value(seed)
    expect(form.get_by_label("Keep this seed")).to_have_attribute("aria-pressed", "true")
    expect(form.locator("#generate-keywords")).to_have_value("spring, sea")
    expect(form.locator("#generate-endpoint")).to_have_value(PROCEDURAL)


def test_lost_answer_makes_no_second_job(reviewer: Visitor, form: Page, house: House) -> None:
    reviewer.excuse("net::ERR_FAILED")

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    form.route("**/-/api/jobs", lose, times=1)
    generate(form, "sent twice")
    expect(form.locator("#generate-problem")).to_contain_text("cannot be reached")
    expect(form.locator("#generate-submit")).to_have_attribute("aria-busy", "false")
    form.locator("#generate-submit").click()

    expect(made_by(form, "sent twice")).to_have_attribute("data-status", "completed")
    expect(form.locator("#generate-problem")).to_be_hidden()
    assert job_of(house, "sent twice")


def test_double_press_makes_one_job(form: Page, house: House) -> None:
    form.locator("#generate-param-prompt").fill("pressed twice")
    form.locator("#generate-submit").dblclick()

    expect(made_by(form, "pressed twice")).to_have_attribute("data-status", "completed")
    assert job_of(house, "pressed twice")


def test_preset_fills_the_form_and_asks_for_its_words(reviewer: Visitor, house: House) -> None:
    (house.root / "presets").mkdir(exist_ok=True)
    (house.root / "presets" / "product-shot.yaml").write_text(PRESET, encoding="utf-8")
    page = open_form(reviewer)
    page.get_by_label("Preset").select_option(label="Product shot")
    prompt = page.locator("#generate-param-prompt")
    expect(prompt).to_have_value("A {product} on white, soft light")
    expect(page.locator("#generate-pixels")).to_have_text(f"128 {TIMES} 96 px")
    page.keyboard.press("Control+Enter")
    product = page.get_by_label("product")
    expect(product).to_be_focused()

    product.fill("teapot")

    expect(prompt).to_have_value("A teapot on white, soft light")
    page.keyboard.press("Control+Enter")
    expect(made_by(page, "A teapot on white")).to_have_attribute("data-status", "completed")
    (job,) = (each for each in jobs_of(house) if each.get("preset") == "product-shot")
    assert (job["vars"], job["params"]) == ({"product": "teapot"}, {})


def test_job_file_that_is_dropped_fills_the_form(form: Page, tmp_path: Path) -> None:
    job = {
        "endpointKey": PROCEDURAL,
        "params": {"prompt": "from a file", "size": "1024*688", "seed": 7, "steps": 2},
        "count": 4,
        "matrix": {"caption": [True, False]},
        "title": "3:2",
        "keywords": ["sea: blue", "two"],
    }
    file = tmp_path / "job.json"
    file.write_text(json.dumps(job), encoding="utf-8")

    drop(form, files=[file], at="#generate-form")

    expect(form.locator("#generate-param-prompt")).to_have_value("from a file")
    expect(form.locator("#generate-pixels")).to_have_text(f"1024 {TIMES} 688 px")
    expect(form.get_by_role("radio", name="3:2")).to_be_checked()
    expect(form.get_by_label("Seed", exact=True)).to_have_value("7")
    with form.expect_download() as download:
        form.get_by_role("button", name="YAML").click()
    (node,) = parse_documents(Path(download.value.path()).read_bytes(), "yaml")
    params = {"prompt": "from a file", "steps": 2, "seed": 7, "resolution": 1024, "aspectRatio": "3:2"}
    assert to_plain(node) == {**job, "params": params}
    assert download.value.suggested_filename == "3-2.yaml"


def test_parameters_of_a_picture_are_taken_back(reviewer: Visitor, form: Page, house: House) -> None:
    row = generate(form, "to be taken back")
    expect(row).to_have_attribute("data-status", "completed")
    (newest,) = house.query("SELECT id FROM media ORDER BY created_at DESC LIMIT 1")
    detail = reviewer.context.request.get(f"/-/api/media/{newest['id']}").json()

    draft = form.evaluate(RELOAD, [detail, 16])

    assert draft["endpointKey"] == PROCEDURAL
    assert draft["values"]["prompt"] == "to be taken back"
    assert draft["size"] == {"resolution": 96, "ratio": "1:1"}
    assert draft["seed"] == detail["generation"]["seed"]


def test_own_job_is_cancelled_beside_the_form(form: Page) -> None:
    form.get_by_label("Another number of variations").fill("32")
    row = generate(form, "long and cancelled")
    expect(row.locator(".bar")).to_be_visible()

    row.get_by_role("button", name="Cancel").click()

    expect(row).to_contain_text("cancelled")
    row.get_by_role("button", name="Take from this list").click()
    expect(row).to_have_count(0)


def test_form_beside_the_grid_takes_its_pictures(reviewer: Visitor, house: House) -> None:
    (newest,) = house.draw("dragged")
    page = reviewer.open("/-/library")
    page.keyboard.press("Control+k")
    prompt = page.locator("#generate-param-prompt")
    expect(prompt).to_be_focused()
    page.locator("#generate-endpoint").select_option(PROCEDURAL)

    cell(page, newest).drag_to(page.locator("#generate-drop"))

    expect(page.locator("#generate-ref-list .ref")).to_have_count(1)
    page.keyboard.press("Control+g")
    expect(page.locator("#generate")).to_be_hidden()
    page.keyboard.press("Control+g")
    expect(prompt).to_be_visible()


def test_visitor_reads_why_there_is_nothing_to_press(visit: Callable[..., Visitor]) -> None:
    page = visit().open()
    page.keyboard.press("Control+g")

    expect(page.locator("#generate-param-prompt")).to_be_visible()
    expect(page.locator("#generate-submit")).to_be_disabled()
    expect(page.locator("#generate-why")).to_contain_text("log in")


def test_form_fits_a_phone(visit: Callable[..., Visitor], house: House) -> None:
    page = open_form(visit(house.cookies, size=(360, 740)))
    page.locator("#generate-more > summary").click()
    page.locator("#generate-about > summary").click()

    assert page.evaluate(BEYOND, 360) == []


def test_dropped_files_are_imported_and_each_refusal_is_told(
    reviewer: Visitor, house: House, tmp_path: Path
) -> None:
    reviewer.excuse("status of 400")
    page = reviewer.open("/-/generate")
    page.evaluate(START_IMPORT_DROP)
    good = [pictures.write_png(tmp_path / f"dropped {n}.png", (72 + n, 48)) for n in (1, 2)]
    bad = tmp_path / "no picture.png"
    bad.write_bytes(b"words")

    drop(page, files=[*good, bad], at="main")

    toasts = page.locator("#toasts")
    expect(toasts).to_contain_text("2 pictures uploaded")
    expect(toasts).to_contain_text("no picture.png: ")
    names = "SELECT id FROM media WHERE original_name LIKE 'dropped %.png'"
    wait_for(lambda: len(house.query(names)) == 2, "both imports")
