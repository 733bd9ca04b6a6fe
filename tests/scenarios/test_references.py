"""Reference pictures: which reach the engine and how, which are refused and why."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests import pictures
from tests.scenarios.recording import RecordingService

KLEIN = "endpointKey: local.flux2-klein-4b.image\nparams: {prompt: %s, size: 64*64}\nrefs:\n%s"


@pytest.fixture(scope="module")
def allowed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder outside the library that the settings allow."""
    return tmp_path_factory.mktemp("allowed")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, allowed: Path) -> Iterator[RecordingService]:
    """A running library whose engine notes every line that it gets."""
    made = RecordingService(
        tmp_path_factory.mktemp("references") / "library",
        settings=f"intake: {{allowed_roots: [{allowed}], refs: leave, refs_timeout_s: 3}}\n",
    )
    try:
        made.start()
        made.wait_until_watching()
        yield made
    finally:
        made.kill()


def submit(service: RecordingService, name: str, references: list[str]) -> dict[str, Any]:
    """Drop a job with these references, each written as YAML; its result."""
    lines = "".join(f"  - {each}\n" for each in references)
    service.drop(name, KLEIN % (name, lines))
    return service.wait_for_result(Path(name).name)


def sent_references(service: RecordingService, name: str) -> list[Path]:
    """What the engine was told for the job of this name."""
    lines = [each for each in service.commands("generate") if each["prompt"] == name]
    assert len(lines) == 1
    return [Path(each) for each in lines[0]["ref_images"]]


def inputs_of(service: RecordingService, result: dict[str, Any]) -> list[dict[str, Any]]:
    return service.query(
        "SELECT * FROM generation_inputs WHERE generation_id = ? ORDER BY position",
        result["generations"][0]["generationId"],
    )


def test_references_reach_the_engine_once_each_in_order_as_upright_rgb_pngs(
    service: RecordingService,
) -> None:
    folder = service.root / "inbox" / "kinds"
    folder.mkdir()
    phone = pictures.write_rotated_jpeg(folder / "phone.jpg")
    pictures.write_grey_png(folder / "grey.png", (70, 50))
    pictures.write_webp(folder / "art.webp", (100, 60))
    (folder / "phone copy.jpg").write_bytes(phone.read_bytes())
    wanted = ["phone.jpg", "./grey.png", "{path: art.webp, role: style}", "phone.jpg", "phone copy.jpg"]

    result = submit(service, "kinds/kinds.yaml", wanted)

    assert result["status"] == "completed"
    sent = sent_references(service, "kinds/kinds.yaml")
    assert len(sent) == len(set(sent)) == 3
    sizes = []
    for path in sent:
        with Image.open(path) as image:
            assert (image.format, image.mode) == ("PNG", "RGB")
            assert not image.getexif()
            assert image.width % 16 == image.height % 16 == 0
            assert image.width * image.height <= 1024 * 1024
            sizes.append(image.size)
    assert sizes[0][0] < sizes[0][1]
    assert sizes[1:] == [(64, 48), (96, 48)]
    for path in (sent[0], sent[2]):
        assert pictures.colours_are_close(pictures.corner_colours(path), pictures.CORNERS)


def test_accepted_references_are_kept_by_hash_with_role_order_and_thumbnails(
    service: RecordingService,
) -> None:
    folder = service.root / "inbox" / "kept"
    folder.mkdir()
    sources = [
        pictures.write_png(folder / "one.png"),
        pictures.write_grey_png(folder / "two.PNG", value=30),
        pictures.write_webp(folder / "three.webp"),
    ]

    result = submit(service, "kept/kept.yaml", ["one.png", "{path: two.PNG, role: layout}", "three.webp"])

    inputs = inputs_of(service, result)
    assert [each["position"] for each in inputs] == [0, 1, 2]
    assert [each["role"] for each in inputs] == [None, "layout", None]
    assert [each["original_name"] for each in inputs] == ["one.png", "two.PNG", "three.webp"]
    for source, each in zip(sources, inputs, strict=True):
        assert each["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
        assert (service.root / each["file_path"]).read_bytes() == source.read_bytes()
        with Image.open(service.root / each["thumb_path"]) as thumbnail:
            assert thumbnail.size == (400, 400)


def test_same_pixels_in_two_files_reach_the_engine_once(service: RecordingService) -> None:
    folder = service.root / "inbox" / "same"
    folder.mkdir()
    pictures.write_png(folder / "a.png")
    pictures.write_bmp(folder / "b.bmp")

    result = submit(service, "same/same.yaml", ["a.png", "b.bmp"])

    assert result["status"] == "completed"
    assert len(sent_references(service, "same/same.yaml")) == 1
    assert len(inputs_of(service, result)) == 2


def test_pictures_of_the_library_are_references_by_id_hash_or_path_and_become_lineage(
    service: RecordingService,
) -> None:
    for number in (1, 2, 3):
        prompt = f"parent, seed {number}"
        text = "endpointKey: local.procedural.image\nparams: {prompt: '%s', size: 64*64, steps: 1}\n"
        service.drop(f"parent-{number}.yaml", text % prompt)
    outputs = [
        service.wait_for_result(f"parent-{number}.yaml")["generations"][0]["outputs"][0]
        for number in (1, 2, 3)
    ]
    by_id, by_hash, by_path = outputs

    result = submit(
        service,
        "child.yaml",
        [f"media: {by_id['mediaId']}", f"sha256: {by_hash['sha256'].upper()}", f"../{by_path['path']}"],
    )

    assert result["status"] == "completed", result["error"]
    assert [each["media_id"] for each in inputs_of(service, result)] == [each["mediaId"] for each in outputs]
    assert len(sent_references(service, "child.yaml")) == 3


def test_every_unusable_reference_is_refused_with_its_reason_and_place_in_one_report(
    service: RecordingService, tmp_path: Path
) -> None:
    folder = service.root / "inbox" / "bad"
    folder.mkdir()
    pictures.write_truncated_jpeg(folder / "half.jpg")
    pictures.write_empty(folder / "empty.png")
    pictures.write_bomb_png(folder / "bomb.png")
    pictures.write_text(folder / "text.png")
    pictures.write_png(folder / "lighthouse.png")
    pictures.write_png(tmp_path / "outside.png")
    (folder / "link.png").symlink_to(tmp_path / "outside.png")
    os.mkfifo(folder / "pipe.png")
    (folder / "folder.png").mkdir()
    refused = [
        ("half.jpg", ""),
        ("empty.png", "empty"),
        ("bomb.png", "60000 x 60000"),
        ("text.png", ""),
        (os.path.relpath(tmp_path / "outside.png", folder), "outside"),
        ("link.png", "outside"),
        ("/etc/passwd", "outside"),
        ("pipe.png", "not a regular file"),
        ("folder.png", "not a regular file"),
    ]
    kept_before = set((service.root / "refs").iterdir())

    result = submit(service, "bad/bad.yaml", [*(name for name, _ in refused), "lighthose.png"])

    assert result["status"] == "failed"
    problems = result["error"]["problems"]
    assert len(problems) == len(refused) + 1
    for number, ((name, reason), problem) in enumerate(zip(refused, problems, strict=False)):
        assert problem["code"] == "job.ref_refused", problem
        assert f"`{name}`" in problem["message"]
        assert reason in problem["message"]
        assert problem["hint"]
        assert (problem["line"], problem["column"], problem["path"]) == (4 + number, 5, f"refs.{number}")
    missing = problems[-1]
    assert (missing["code"], missing["line"], missing["column"]) == ("job.ref_missing", 13, 5)
    assert "lighthouse.png" in missing["hint"]
    report = (service.root / "failed" / "bad.yaml.error.md").read_text(encoding="utf-8")
    assert all(name in report for name, _ in refused)
    assert set((service.root / "refs").iterdir()) == kept_before


def test_reference_outside_the_library_does_not_tell_what_is_there(
    service: RecordingService, tmp_path: Path
) -> None:
    pictures.write_png(tmp_path / "confidential.png")

    result = submit(service, "nosy.yaml", [f"{tmp_path}/confidentia.png", f"{tmp_path}/none/x.png"])

    problems = result["error"]["problems"]
    assert [each["code"] for each in problems] == ["job.ref_refused"] * 2
    assert "confidential.png" not in str(result)


def test_reference_whose_name_begins_with_a_tilde_is_looked_for_beside_the_job(
    service: RecordingService,
) -> None:
    folder = service.root / "inbox" / "tilde"
    folder.mkdir()
    pictures.write_png(folder / "~draft.png")
    (folder / "loop.png").symlink_to(folder / "loop.png")

    found = submit(service, "tilde/found.yaml", ["~draft.png"])
    missing = submit(service, "tilde/missing.yaml", ["~nobody-has-this-name/x.png", "loop.png"])

    assert found["status"] == "completed", found["error"]
    assert [each["code"] for each in missing["error"]["problems"]] == ["job.ref_missing"] * 2


def test_unknown_media_id_and_hash_are_missing_references(service: RecordingService) -> None:
    result = submit(service, "unknown.yaml", ["media: 0b6c", f"sha256: {'ab' * 32}"])

    problems = result["error"]["problems"]
    assert [each["code"] for each in problems] == ["job.ref_missing"] * 2
    assert [each["line"] for each in problems] == [4, 5]


def test_allowed_root_gives_references_from_elsewhere_and_keeps_them_there(
    service: RecordingService, allowed: Path
) -> None:
    source = pictures.write_png(allowed / "moodboard.png")
    (service.root / "inbox" / "mood.png").symlink_to(source)

    result = submit(service, "elsewhere.yaml", [str(source), "mood.png"])

    assert result["status"] == "completed", result["error"]
    assert len(sent_references(service, "elsewhere.yaml")) == 1
    assert source.is_file()


def test_ninth_different_reference_is_refused_and_a_repeated_one_is_not_counted(
    service: RecordingService,
) -> None:
    folder = service.root / "inbox" / "many"
    folder.mkdir()
    names = [pictures.write_grey_png(folder / f"{number}.png", value=number).name for number in range(9)]

    too_many = submit(service, "many/nine.yaml", names)
    enough = submit(service, "many/eight.yaml", [*names[:8], names[0]])

    problem = too_many["error"]["problems"][0]
    assert too_many["status"] == "failed"
    assert (problem["code"], problem["path"], problem["line"]) == ("job.invalid_params", "refs", 4)
    assert "at most 8" in problem["message"]
    assert enough["status"] == "completed"
    assert len(sent_references(service, "many/eight.yaml")) == 8


def test_picture_whose_file_is_gone_is_a_missing_reference(service: RecordingService) -> None:
    service.drop("gone.yaml", "endpointKey: local.procedural.image\nparams: {prompt: gone, size: 64*64}\n")
    output = service.wait_for_result("gone.yaml")["generations"][0]["outputs"][0]
    (service.root / output["path"]).unlink()

    result = submit(service, "orphan.yaml", [f"media: {output['mediaId']}"])

    assert [each["code"] for each in result["error"]["problems"]] == ["job.ref_missing"]
