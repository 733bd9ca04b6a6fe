"""The light table in Chromium, for bench_web: first grid, frames while scrolling, next picture, 20 tabs."""

from __future__ import annotations

import statistics
import time
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page, sync_playwright

PROGRAM = "/usr/bin/chromium"
FIRST_GRID_MS, FRAME_P95_MS, NEXT_MS, TAB_MS = 1_000.0, 33.0, 100.0, 3_000.0
TABS = 20
ALL_DRAWN = """
() => {
  const box = document.getElementById('scroller').getBoundingClientRect();
  const seen = [...document.querySelectorAll('#grid .cell')].filter((cell) => {
    const { top, bottom } = cell.getBoundingClientRect();
    return bottom > box.top && top < box.bottom;
  });
  return seen.length > 0 && seen.every((cell) => {
    const image = cell.querySelector('img');
    return image.getAttribute('src') && image.complete && image.naturalWidth > 0;
  });
}
"""
SCROLL = """
() => new Promise((resolve) => {
  const scroller = document.getElementById('scroller');
  const frames = [];
  let last = performance.now();
  const step = (now) => {
    frames.push(now - last);
    last = now;
    scroller.scrollTop += 400;
    if (frames.length < 360) requestAnimationFrame(step);
    else resolve(frames.slice(2));
  };
  requestAnimationFrame(step);
})
"""


def measure_browser(address: str, cookie: str) -> bool:
    """Print the figures of the browser; whether all goals are met."""
    name, _, value = cookie.partition("=")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox"])
        context = browser.new_context(base_url=address, viewport={"width": 1440, "height": 900})
        context.add_cookies([{"name": name, "value": value, "url": address}])
        print(f"\nChromium {browser.version} on {urlsplit(address).netloc}, 1440 x 900")
        page = context.new_page()
        results = [measure_first(page), measure_frames(page), measure_next(page), measure_tabs(context)]
        browser.close()
    return all(results)


def measure_first(page: Page) -> bool:
    found = []
    for _ in range(5):
        started = time.perf_counter()
        page.goto("/-/library")
        page.wait_for_function(ALL_DRAWN, polling=20)
        found.append((time.perf_counter() - started) * 1000)
    return tell("first grid with all thumbnails, median of 5", statistics.median(found), FIRST_GRID_MS)


def measure_frames(page: Page) -> bool:
    frames = page.evaluate(SCROLL)
    high = statistics.quantiles(frames, n=20)[-1]
    return tell(f"a frame while scrolling, p95 (p50 {statistics.median(frames):.1f})", high, FRAME_P95_MS)


def measure_next(page: Page) -> bool:
    page.goto("/-/library")
    page.locator("#grid .cell").first.click()
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('#loupe [data-sharp=true]')")
    found = []
    for _ in range(20):
        page.wait_for_timeout(250)  # as somebody looks at the picture
        found.append(
            page.evaluate(
                """() => new Promise((resolve) => {
                  const before = location.hash;
                  const started = performance.now();
                  document.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true }));
                  const look = () => {
                    const isSharp = document.querySelector('#loupe [data-sharp=true]');
                    if (location.hash !== before && isSharp) resolve(performance.now() - started);
                    else requestAnimationFrame(look);
                  };
                  look();
                })"""
            )
        )
    return tell(
        f"next picture in the loupe, p95 (p50 {statistics.median(found):.0f})",
        statistics.quantiles(found, n=20)[-1],
        NEXT_MS,
    )


def measure_tabs(context: BrowserContext) -> bool:
    """Each of twenty tabs of one browser opens as quickly as the first."""
    found = []
    for _ in range(TABS):
        page = context.new_page()
        started = time.perf_counter()
        page.goto("/-/library")
        page.wait_for_function(ALL_DRAWN, polling=20)
        found.append((time.perf_counter() - started) * 1000)
    return tell(f"the slowest of {TABS} tabs opened one after the other", max(found), TAB_MS)


def tell(name: str, found_ms: float, goal_ms: float) -> bool:
    fits = found_ms <= goal_ms
    print(f"{name:60} {found_ms:8.1f} ms  {'ok' if fits else 'MISSED'} (<= {goal_ms:g})", flush=True)
    return fits
