"""What work needs of a machine, and which lanes have it."""

from __future__ import annotations

import pytest

from hotfolder.domain.resources import find_lacking, resource_tags


@pytest.mark.parametrize(
    ("tags", "lane_tags", "lacking"),
    [
        (("high-vram",), {}, ()),
        (("high-vram",), {"cpu": []}, ()),
        (("high-vram",), {"gpu": []}, ("high-vram",)),
        (("high-vram",), {"gpu": ["high-vram"]}, ()),
        (("flux",), {"gpu": []}, ()),
        (("nvlink", "high-vram", "flux"), {"gpu": ["high-vram"], "far": ["nvlink"]}, ("nvlink",)),
    ],
)
def test_a_lane_lacks_the_resources_that_it_is_not_said_to_have(tags, lane_tags, lacking) -> None:
    assert find_lacking(tags, "gpu", lane_tags) == lacking


def test_tags_that_only_describe_an_endpoint_are_no_resources() -> None:
    assert resource_tags(("flux", "high-vram", "text"), {}) == ("high-vram",)
