"""All that is written about one picture says the same, and the same job gives the same picture."""

from __future__ import annotations

import hashlib
import json
import re
import struct
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from hotfolder.engine.manager import EngineCommand, EngineManager, EngineTimeouts
from hotfolder.engine.messages import GenerateParams, LoadParams
from hotfolder.files.xmp import XmpRecord, parse_xmp
from tests.scenarios.service import Service

PROMPT = (
    'Zwei Füchse, "im Schnee" <b>&amp;</b> ]]> 漢字 🌊, seed: 99\n'
    "Steps: 7, a second line \\ with 'quotes'\tend"
)
JOB: dict[str, Any] = {
    "endpointKey": "local.procedural.image",
    "params": {"prompt": PROMPT, "width": 80, "height": 64, "seed": 123456, "steps": 3, "caption": False},
    "title": "Füchse & <Söhne> ]]>",
    "keywords": ["campaign/spring", "Füchse", 'a "quoted", word'],
    "metadata": {"creator": "Łucja ]]> & Co", "copyright": "© Studio, 2026"},
    "extra": {"order": "A-1", "nested": [1, None, "ü"]},
}
INFOTEXT_PAIR = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')


@dataclass(frozen=True)
class Made:
    """One finished picture and everything that was written about it."""

    service: Service
    result: dict[str, Any]
    picture: Path
    sidecar: dict[str, Any]
    media: dict[str, Any]
    generation: dict[str, Any]

    @property
    def output(self) -> dict[str, Any]:
        found: dict[str, Any] = self.result["generations"][0]["outputs"][0]
        return found

    @property
    def parameters(self) -> str:
        with Image.open(self.picture) as image:
            image.load()
            return str(image.text["parameters"])  # type: ignore[attr-defined]

    @property
    def pairs(self) -> dict[str, str]:
        """The last line of `parameters`, as readers of that text take it apart."""
        found = INFOTEXT_PAIR.findall(self.parameters.rsplit("\n", 1)[1])
        return {key: json.loads(value) if value.startswith('"') else value for key, value in found}

    @property
    def records(self) -> list[XmpRecord]:
        """The XMP in the picture and the XMP beside it."""
        packets = [body for kind, body in chunks(self.picture) if body.startswith(b"XML:com.adobe.xmp\0")]
        assert len(packets) == 1
        embedded = packets[0].split(b"\0", 5)[5]
        beside = self.picture.with_name(self.picture.name + ".xmp").read_bytes()
        return [parse_xmp(embedded), parse_xmp(beside)]


def chunks(picture: Path) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a PNG: kind and body."""
    data, place = picture.read_bytes(), 8
    while place < len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        yield kind, data[place + 8 : place + 8 + length]
        place += length + 12


def pixel_chunks(picture: Path) -> list[tuple[bytes, bytes]]:
    return [chunk for chunk in chunks(picture) if chunk[0] in (b"IHDR", b"PLTE", b"IDAT")]


def gather(service: Service, name: str) -> Made:
    result = service.wait_for_result(name)
    assert result["status"] == "completed", result["error"]
    output = result["generations"][0]["outputs"][0]
    picture = service.root / output["path"]
    return Made(
        service,
        result,
        picture,
        json.loads(picture.with_name(picture.name + ".json").read_text(encoding="utf-8")),
        service.query("SELECT * FROM media WHERE id = ?", output["mediaId"])[0],
        service.query("SELECT * FROM generations WHERE id = ?", result["generations"][0]["generationId"])[0],
    )


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Made]]:
    """The same job twice in one library, and once in another."""
    folder = tmp_path_factory.mktemp("agreement")
    services = [Service(folder / "first"), Service(folder / "second")]
    text = json.dumps(JOB, ensure_ascii=False)
    try:
        for service, names in zip(services, (["a.json", "b.json"], ["a.json"]), strict=True):
            for name in names:
                service.drop(name, text)
            assert service.run_once() == 0, service.output()
        yield [gather(services[0], "a.json"), gather(services[0], "b.json"), gather(services[1], "a.json")]
    finally:
        for service in services:
            service.kill()


@pytest.fixture(scope="module")
def made(twins: list[Made]) -> Made:
    return twins[0]


def test_same_job_with_the_same_seed_gives_the_same_pixels_again_and_in_another_library(
    twins: list[Made],
) -> None:
    first, *others = twins

    assert len({each.output["mediaId"] for each in twins}) == 3
    for other in others:
        assert pixel_chunks(other.picture) == pixel_chunks(first.picture)
        assert other.output["pixelSha256"] == first.output["pixelSha256"]


def test_pixel_data_of_the_picture_is_what_the_engine_wrote(made: Made, tmp_path: Path) -> None:
    command = EngineCommand("procedural", (sys.executable, "-m", "hotfolder.engine.procedural"), {})
    engine = EngineManager(command, EngineTimeouts())
    raw = tmp_path / "raw.png"
    params = GenerateParams(PROMPT, 80, 64, 123456, 3, None, (), str(raw), extra={"caption": False})
    try:
        engine.generate(LoadParams(), params, on_progress=lambda _: None, cancel=threading.Event())
    finally:
        engine.stop()

    assert pixel_chunks(made.picture) == pixel_chunks(raw)


def test_hashes_and_size_agree_with_the_bytes_everywhere(made: Made) -> None:
    data = made.picture.read_bytes()
    with Image.open(made.picture) as image:
        pixels = hashlib.sha256(f"{image.mode} {image.width}x{image.height}\n".encode() + image.tobytes())
    media, output, file = made.media, made.output, made.sidecar["file"]

    sha256 = hashlib.sha256(data).hexdigest()
    assert [output["sha256"], file["sha256"], media["sha256"], media["file_sha256"]] == [sha256] * 4
    hashes = [output["pixelSha256"], file["pixelSha256"], media["pixel_sha256"]]
    assert hashes == [pixels.hexdigest()] * 3
    assert [output["bytes"], file["bytes"], media["file_size"]] == [len(data)] * 3
    assert [output["path"], file["path"], media["file_path"]] == [output["path"]] * 3
    assert [output["mimeType"], file["mimeType"], media["mime_type"]] == ["image/png"] * 3


def test_prompt_with_quotes_commas_newlines_and_cdata_ends_is_the_same_everywhere(made: Made) -> None:
    assert made.generation["prompt"] == PROMPT
    assert json.loads(made.generation["params_json"])["prompt"] == PROMPT
    assert made.result["generations"][0]["params"]["prompt"] == PROMPT
    assert made.sidecar["params"]["prompt"] == PROMPT
    assert made.parameters.rsplit("\n", 1)[0] == PROMPT
    for record in made.records:
        assert json.loads(record.params_json or "{}")["params"]["prompt"] == PROMPT


def test_non_latin_prompt_stands_as_international_text_in_the_picture(made: Made) -> None:
    kinds = [kind for kind, body in chunks(made.picture) if body.startswith(b"parameters\0")]

    assert kinds == [b"iTXt"]
    assert PROMPT.encode() in made.picture.read_bytes()


def test_seed_size_and_steps_are_the_same_everywhere(made: Made) -> None:
    expected = {"seed": 123456, "width": 80, "height": 64, "steps": 3}
    said: list[dict[str, Any]] = [
        made.generation,
        made.sidecar["params"],
        made.result["generations"][0]["params"],
        {**made.sidecar["file"], "seed": made.sidecar["seed"], "steps": 3},
        {**made.output, "seed": made.result["generations"][0]["seed"], "steps": 3},
        {**made.media, "seed": 123456, "steps": 3},
        *(json.loads(record.params_json or "{}")["params"] for record in made.records),
    ]

    with Image.open(made.picture) as image:
        assert image.size == (80, 64)
    assert [{name: each[name] for name in expected} for each in said] == [expected] * len(said)
    assert (made.pairs["Seed"], made.pairs["Size"], made.pairs["Steps"]) == ("123456", "80x64", "3")


def test_params_are_the_same_in_result_sidecar_and_xmp(made: Made) -> None:
    params = made.result["generations"][0]["params"]

    assert params == JOB["params"]
    assert made.sidecar["params"] == params
    for record in made.records:
        assert json.loads(record.params_json or "{}") == {
            "endpointKey": "local.procedural.image",
            "params": params,
        }


def test_endpoint_and_engine_are_the_same_everywhere(made: Made) -> None:
    key = "local.procedural.image"
    assert made.sidecar["endpoint"]["endpointKey"] == key
    assert [made.result["endpointKey"], made.generation["endpoint_key"], made.pairs["Endpoint"]] == [key] * 3
    kinds = [made.sidecar["engine"]["kind"], made.generation["engine_kind"], made.pairs["Engine"]]
    assert kinds == ["procedural"] * 3
    assert made.sidecar["engine"]["modelInfo"] == made.pairs["Model"] == "procedural (no AI model)"


def test_title_keywords_creator_and_copyright_are_the_same_everywhere(made: Made) -> None:
    stored = made.service.query(
        "SELECT keyword FROM media_keywords JOIN keywords ON keywords.id = keyword_id WHERE media_id = ?",
        made.media["id"],
    )

    assert {row["keyword"] for row in stored} == set(JOB["keywords"])
    assert made.sidecar["keywords"] == JOB["keywords"]
    assert [made.media["title"], made.sidecar["title"]] == [JOB["title"]] * 2
    assert made.sidecar["metadata"] == JOB["metadata"]
    for record in made.records:
        assert sorted(record.keywords) == sorted(JOB["keywords"])
        assert record.title == JOB["title"]
        assert record.creators == (JOB["metadata"]["creator"],)
        assert record.rights == JOB["metadata"]["copyright"]


def test_ids_and_times_are_the_same_everywhere(made: Made) -> None:
    generation, told = made.generation, made.result["generations"][0]
    media_id, job_id = made.output["mediaId"], made.result["jobId"]

    assert [made.media["id"], made.sidecar["mediaId"], made.picture.stem] == [media_id] * 3
    assert [generation["job_id"], made.sidecar["job"]["jobId"]] == [job_id] * 2
    assert made.media["generation_id"] == made.sidecar["generation"]["generationId"] == generation["id"]
    for record in made.records:
        assert (record.document_id, record.job_id, record.generation_id) == (
            f"xmp.did:{media_id}",
            job_id,
            generation["id"],
        )
        assert record.created_at == made.media["created_at"]
    assert made.sidecar["generation"]["startedAt"] == told["startedAt"] == generation["started_at"]
    assert made.sidecar["generation"]["completedAt"] == told["completedAt"] == generation["completed_at"]
    assert made.sidecar["generation"]["attempts"] == told["attempts"] == generation["attempts"] == 1
    assert made.sidecar["generation"]["totalTimeMs"] == told["metrics"]["totalTimeMs"]
    assert made.sidecar["createdAt"] == made.media["created_at"]


def test_extra_and_the_text_of_the_job_file_come_back_untouched(made: Made) -> None:
    assert made.result["extra"] == made.sidecar["extra"] == JOB["extra"]
    assert made.sidecar["job"]["text"] == json.dumps(JOB, ensure_ascii=False)
    assert made.sidecar["job"]["jobFile"] == made.result["jobFile"] == "a.json"


def test_xmp_in_the_picture_and_beside_it_say_the_same(made: Made) -> None:
    embedded, beside = made.records

    assert embedded == beside


def test_drawing_without_a_model_is_never_called_ai_generated(made: Made) -> None:
    written = made.picture.parent.glob(made.picture.name + "*")

    assert made.sidecar["aiGenerated"] is False
    assert not any(b"trainedAlgorithmicMedia" in file.read_bytes() for file in written)
    for record in made.records:
        assert record.ai_system_used is None
        assert (record.digital_source_type or "").endswith("/algorithmicMedia")
