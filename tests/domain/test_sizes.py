"""Sizes: what a job asks for, and the pixels that are run."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.domain.sizes import Size, SizeError, resolve_size
from tests.domain.job_texts import plan_of, problems_of

HEAD = "endpointKey: local.procedural.image\nparams:\n  prompt: x\n"


def _resolve(**params: Any) -> Size:
    return resolve_size(params, multiple=16, max_pixels=2048 * 2048)


@pytest.mark.parametrize(
    ("resolution", "ratio", "asked", "run"),
    [
        (1024, "1:1", (1024, 1024), (1024, 1024)),
        (1024, "3:2", (1024, 682), (1024, 688)),
        (1024, "2:3", (682, 1024), (688, 1024)),
        (1024, "16:9", (1024, 576), (1024, 576)),
        (1024, "9:16", (576, 1024), (576, 1024)),
        (1024, "4:5", (819, 1024), (832, 1024)),
        (512, "1:1", (512, 512), (512, 512)),
        (512, "3:2", (512, 341), (512, 352)),
        (512, "2:3", (341, 512), (352, 512)),
        (512, "16:9", (512, 288), (512, 288)),
        (512, "9:16", (288, 512), (288, 512)),
        (512, "4:5", (409, 512), (416, 512)),
        (1000, "21:9", (1000, 428), (1008, 432)),
    ],
)
def test_short_edge_is_floored_and_both_edges_are_raised_to_the_multiple(
    resolution: int, ratio: str, asked: tuple[int, int], run: tuple[int, int]
) -> None:
    size = _resolve(resolution=resolution, aspectRatio=ratio)

    assert (size.asked_width, size.asked_height) == asked
    assert (size.width, size.height) == run


@pytest.mark.parametrize(
    ("params", "asked"),
    [
        ({}, (1024, 1024)),
        ({"resolution": 512}, (512, 512)),
        ({"aspectRatio": "3:2"}, (1024, 682)),
        ({"size": "1024*768"}, (1024, 768)),
        ({"size": "1024x768"}, (1024, 768)),
        ({"size": " 1024 X 768 "}, (1024, 768)),
        ({"width": 640, "height": 480}, (640, 480)),
        ({"size": None, "width": 640, "height": 480}, (640, 480)),
    ],
)
def test_size_is_read_from_each_of_its_forms(params: dict[str, Any], asked: tuple[int, int]) -> None:
    size = _resolve(**params)

    assert (size.asked_width, size.asked_height) == asked


@pytest.mark.parametrize(
    "params",
    [
        {"size": "512*512", "width": 512, "height": 512},
        {"size": "512*512", "resolution": 512},
        {"size": "512*512", "aspectRatio": "3:2"},
        {"width": 512, "height": 512, "resolution": 512},
        {"width": 512, "aspectRatio": "3:2"},
    ],
)
def test_mixed_forms_are_refused(params: dict[str, Any]) -> None:
    with pytest.raises(SizeError, match="does not go together with") as refused:
        _resolve(**params)

    assert refused.value.param in params
    assert refused.value.hint == "Use one of: size; width + height; resolution + aspectRatio."


@pytest.mark.parametrize(("alone", "missing"), [("width", "height"), ("height", "width")])
def test_one_edge_alone_asks_for_the_other(alone: str, missing: str) -> None:
    with pytest.raises(SizeError, match=f"needs `{missing}`") as refused:
        _resolve(**{alone: 512})

    assert refused.value.param == alone


@pytest.mark.parametrize("text", ["1024", "big", "1024*", "*768", "1024*768*3", "-1*5", "1e3*5", "10.5*10"])
def test_text_that_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(SizeError, match="is not a size") as refused:
        _resolve(size=text)

    assert refused.value.param == "size"


@pytest.mark.parametrize("text", ["3", "3/2", "0:1", "3:0", "1.5:1", "wide", "3:2:1"])
def test_text_that_is_no_ratio_is_refused(text: str) -> None:
    with pytest.raises(SizeError, match="is not an aspect ratio") as refused:
        _resolve(aspectRatio=text)

    assert refused.value.param == "aspectRatio"


@pytest.mark.parametrize("params", [{"size": "0*512"}, {"resolution": 512, "aspectRatio": "9999:1"}])
def test_empty_edge_is_refused(params: dict[str, Any]) -> None:
    with pytest.raises(SizeError, match="edge of less than 1 pixels"):
        _resolve(**params)


def test_as_many_pixels_as_the_endpoint_takes_are_allowed_and_not_one_row_more() -> None:
    assert _resolve(size="2048*2048").width == 2048
    with pytest.raises(SizeError, match=r"2048 x 2064 is 4,227,072 pixels; .* at most 4,194,304") as refused:
        _resolve(size="2048*2049")

    assert refused.value.param == "size"


def test_limit_of_pixels_counts_what_is_run_and_not_what_is_asked() -> None:
    with pytest.raises(SizeError, match="at most 100"):
        resolve_size({"size": "10*10"}, multiple=16, max_pixels=100)


@pytest.mark.parametrize(
    ("params", "path"),
    [
        ("size: 63*512", "params.size"),
        ("size: 16*16", "params.size"),
        ("size: 512*4097", "params.size"),
        ("resolution: 64\n  aspectRatio: 3:2", "params.resolution"),
        ("aspectRatio: 100:1", "params.aspectRatio"),
        ("size: 4096*4096", "params.size"),
    ],
)
def test_edges_obey_the_limits_of_width_and_height_however_the_size_is_written(
    params: str, path: str
) -> None:
    (problem,) = problems_of(f"{HEAD}  {params}\n")

    assert (problem.code, problem.line, problem.path) == ("job.invalid_params", 4, path)


def test_unquoted_ratio_in_a_job_decides_the_size_of_its_run() -> None:
    (run,) = plan_of(f"{HEAD}  resolution: 1024\n  aspectRatio: 3:2\n").runs

    assert (run.width, run.height) == (1024, 688)
    assert not {"resolution", "aspectRatio"} & set(run.params)


@given(
    width=st.integers(1, 4096),
    height=st.integers(1, 4096),
    multiple=st.sampled_from([1, 2, 8, 16, 32, 64, 100]),
)
def test_run_size_is_the_next_multiple_and_never_smaller(width: int, height: int, multiple: int) -> None:
    size = resolve_size({"width": width, "height": height}, multiple=multiple, max_pixels=None)

    for asked, run in ((width, size.width), (height, size.height)):
        assert run % multiple == 0
        assert asked <= run < asked + multiple
    assert (size.asked_width, size.asked_height) == (width, height)


@given(resolution=st.integers(64, 4096), wide=st.integers(1, 100), high=st.integers(1, 100))
def test_resolution_is_the_long_edge_of_any_ratio(resolution: int, wide: int, high: int) -> None:
    try:
        size = resolve_size(
            {"resolution": resolution, "aspectRatio": f"{wide}:{high}"}, multiple=1, max_pixels=None
        )
    except SizeError:
        assert resolution * min(wide, high) < max(wide, high)
        return

    assert max(size.width, size.height) == resolution
    assert (size.width >= size.height) == (wide >= high) or size.width == size.height
