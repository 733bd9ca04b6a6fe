"""The library page as tests speak of it."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect


def cell(page: Page, media_id: str) -> Locator:
    """The picture's place in the grid."""
    return page.locator(f'#grid .cell[data-media-id="{media_id}"]')


def choose(page: Page, media_id: str) -> Locator:
    """Click a picture that is not the current one, or leave the current one so; gives its cell."""
    found = cell(page, media_id)
    if found.get_attribute("aria-current") is None:
        found.click()
    expect(found).to_have_attribute("aria-current", "true")
    found.focus()
    return found


def shown_ids(page: Page) -> list[str]:
    """The pictures in the grid, in order."""
    ids: list[str] = page.locator("#grid .cell").evaluate_all(
        "cells => cells.map((cell) => cell.dataset.mediaId)"
    )
    return ids


def wait_until_drawn(image: Locator) -> None:
    """Until the image has been loaded and decoded."""
    image.scroll_into_view_if_needed()
    image.page.wait_for_function(
        "image => image.complete && image.naturalWidth > 0", arg=image.element_handle()
    )


def loupe_id(page: Page) -> str:
    """The picture in the loupe, by the address."""
    return page.url.rpartition("#")[2]
