"""Which engine a request goes to, and what is said when it is not there."""

from __future__ import annotations

import threading

import pytest

from hotfolder.domain.generation import GenerationRequest
from hotfolder.engine.messages import LoadParams
from hotfolder.errors import EngineError
from hotfolder.providers.local import LocalProvider, find_engine


@pytest.mark.parametrize(
    ("provider_model_id", "engine"),
    [
        ("procedural", ("procedural", None)),
        ("flux2-klein-4b", ("cn-engine", "flux2-klein-4b")),
        ("sdcpp/flux2-klein-4b", ("sdcpp", "flux2-klein-4b")),
        ("sdcpp/my/own", ("sdcpp", "my/own")),
    ],
)
def test_endpoint_decides_the_kind_of_engine_and_the_model_set(
    provider_model_id: str, engine: tuple[str, str | None]
) -> None:
    assert find_engine(provider_model_id) == engine


@pytest.mark.parametrize(
    ("provider_model_id", "advice"),
    [("sdcpp/tiny", "pip install 'hotfolder[sdcpp]'"), ("flux2-klein-4b", "engine.path")],
)
def test_engine_that_is_not_there_is_an_error_that_says_how_to_get_it(
    provider_model_id: str, advice: str
) -> None:
    provider = LocalProvider(engines={}, model_sets={"tiny": LoadParams("tiny.gguf")}, fallback=False)
    request = GenerationRequest("g", "local.x.image", provider_model_id, {}, 64, 64, 5, (), "out.png")

    with pytest.raises(EngineError) as refused:
        provider.run(request, lambda _: None, threading.Event())

    assert refused.value.code == "engine.not_found"
    assert advice in (refused.value.hint or "")
