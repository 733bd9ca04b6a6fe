"""A job file on its way into the inbox: ids are put in, references go along, the rest stays as written."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from hotfolder.domain.document import DocumentFormat, parse_documents, to_plain
from hotfolder.errors import LibraryError
from hotfolder.files.paths import LibraryPaths
from hotfolder.generation.submission import Submission, build_submission
from tests import pictures


@pytest.fixture
def paths(tmp_path: Path) -> LibraryPaths:
    found = LibraryPaths(tmp_path / "library")
    found.create()
    return found


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder elsewhere on the disk, with a picture."""
    folder = tmp_path / "desk"
    folder.mkdir()
    pictures.quartered((8, 8)).save(folder / "a.png")
    return folder


def submit(
    paths: LibraryPaths, folder: Path, text: str, document_format: DocumentFormat = "yaml"
) -> Submission:
    numbers = itertools.count(1)
    nodes = parse_documents(text.encode(), document_format)
    return build_submission(
        text, nodes, folder, paths, lambda: f"id-{next(numbers)}", bundle_max_bytes=10_000
    )


def meaning(submission: Submission, document_format: DocumentFormat = "yaml") -> list[Any]:
    return [to_plain(node) for node in parse_documents(submission.text.encode(), document_format)]


def stored(paths: LibraryPaths) -> str:
    """The one stored picture, as a job of several in the inbox names it."""
    (file,) = paths.refs.iterdir()
    return f"../refs/{file.name}"


def test_block_yaml_gets_an_id_and_keeps_its_comments(paths: LibraryPaths, desk: Path) -> None:
    text = "# mine\n\nendpointKey: x  # which\nparams:\n  # the words\n  prompt: p\n# end\n"

    found = submit(paths, desk, text)

    assert found.text == text.replace("endpointKey", "id: id-1\nendpointKey")
    assert found.ids == ["id-1"]


@pytest.mark.parametrize(
    ("document_format", "text"),
    [
        ("yaml", "a: 1\nb: 2\n"),
        ("yaml", "   a: 1\n   b:\n     - 2\n"),
        ("yaml", "--- # note\na: 1\n"),
        ("yaml", "\r\na: 1\r\nb: 2\r\n"),
        ("yaml", "--- &job\na: 1\n"),
        ("yaml", "? a\n: 1\n"),
        ("yaml", "{a: 1, b: {c: 2}}"),
        ("yaml", "{\n  a: 1\n}\n"),
        ("yaml", '"a": 1\n'),
        ("json", '{"a": 1}'),
        ("json", '[{"a": 1}]'),
        ("json", '\n{\n  "a": 1\n}\n'),
        ("jsonl", '{"a": 1}\n'),
    ],
)
def test_every_form_of_a_job_gets_its_id(
    paths: LibraryPaths, desk: Path, document_format: DocumentFormat, text: str
) -> None:
    before = [to_plain(node) for node in parse_documents(text.encode(), document_format)]

    found = submit(paths, desk, text, document_format)

    assert meaning(found, document_format) == [{"id": "id-1", **each} for each in before]  # type: ignore[dict-item]
    assert ("\r\n" in text) == ("\r\n" in found.text)


@pytest.mark.parametrize(
    ("document_format", "text"),
    [
        ("yaml", "# one\na: 1\n---\n# two\n{a: 2}\n---\n  a: 3\n"),
        ("json", '[{"a": 1}, {"a": 2},\n {"a": 3}]'),
        ("jsonl", '{"a": 1}\n\n{"a": 2}\n{"a": 3}'),
    ],
)
def test_each_of_several_jobs_gets_an_id_of_its_own(
    paths: LibraryPaths, desk: Path, document_format: DocumentFormat, text: str
) -> None:
    found = submit(paths, desk, text, document_format)

    assert found.ids == ["id-1", "id-2", "id-3"]
    assert meaning(found, document_format) == [{"id": f"id-{each}", "a": each} for each in (1, 2, 3)]
    assert text.count("#") == found.text.count("#")


def test_own_id_is_kept_and_the_text_untouched(paths: LibraryPaths, desk: Path) -> None:
    text = "a: 1\nid: order 007  # ours\n---\nid: 0042\na: 2\n"

    found = submit(paths, desk, text)

    assert found == Submission(text, ["order 007", "0042"])


@pytest.mark.parametrize(
    ("document_format", "text"),
    [
        ("yaml", "a: 1\nid:\nb: 2\n"),
        ("yaml", "a: 1\nid: ~  # later\nb: 2\n"),
        ("yaml", "a: 1\nid:   # later\nb: 2\n"),
        ("yaml", "a: 1\nb: 2\nid: null"),
        ("yaml", "{id: , a: 1, b: 2}"),
        ("yaml", "{a: 1, id, b: 2}"),
        ("json", '{"a": 1, "id": null, "b": 2}'),
    ],
)
def test_id_without_a_value_is_filled_in(
    paths: LibraryPaths, desk: Path, document_format: DocumentFormat, text: str
) -> None:
    found = submit(paths, desk, text, document_format)

    assert found.ids == ["id-1"]
    assert meaning(found, document_format) == [{"a": 1, "id": "id-1", "b": 2}]
    assert text.count("#") == found.text.count("#")


REFERENCES = pytest.mark.parametrize(
    ("document_format", "text"),
    [
        ("yaml", "id: i\nrefs:\n  - a.png  # the bay\n  - ./a.png\n"),
        ("yaml", "id: i\nrefs: [a.png, 'a.png']\n"),
        ("yaml", "id: i\nrefs:\n  - {path: a.png}\n  - path: ../desk/a.png\n"),
        ("yaml", "id: i\nrefs: [&p a.png, *p]\n"),
        ("yaml", "id: i\nrefs: [&p {path: a.png}, *p]\n"),
        ("yaml", "id: i\nrefs:\n  - >-\n    a.png\n  - a.png\n"),
        ("json", '{"id": "i", "refs": ["a.png", {"path": "a.png"}]}'),
    ],
)


def named(job: Any) -> list[str]:
    return [each["path"] if isinstance(each, dict) else each for each in job["refs"]]


@REFERENCES
def test_references_of_one_job_are_enclosed_once_wherever_they_lay(
    paths: LibraryPaths, desk: Path, document_format: DocumentFormat, text: str
) -> None:
    found = submit(paths, desk, text, document_format)

    (job,) = meaning(found, document_format)
    assert named(job) == ["refs/a.png"] * 2
    assert found.enclosed == {"refs/a.png": desk / "a.png"}
    assert list(paths.refs.iterdir()) == []
    assert text.count("#") == found.text.count("#")


@REFERENCES
def test_references_of_several_jobs_name_the_stored_copy(
    paths: LibraryPaths, desk: Path, document_format: DocumentFormat, text: str
) -> None:
    several = f"[{text}, {text}]" if document_format == "json" else f"{text}---\n{text}"

    found = submit(paths, desk, several, document_format)

    first, second = meaning(found, document_format)
    assert named(first) == named(second) == [stored(paths)] * 2
    assert (paths.inbox / stored(paths)).resolve().read_bytes() == (desk / "a.png").read_bytes()
    assert found.enclosed == {}


def test_role_of_a_reference_and_references_by_id_or_content_stay(paths: LibraryPaths, desk: Path) -> None:
    others = [{"media": "m1"}, {"sha256": "ab" * 32}]
    text = (
        f"id: i\nrefs:\n  - {{path: a.png, role: composition}}\n  - media: m1\n  - {{sha256: {'ab' * 32}}}\n"
    )

    (job,) = meaning(submit(paths, desk, text))

    assert job["refs"] == [{"path": "refs/a.png", "role": "composition"}, *others]


def test_job_without_references_by_path_encloses_nothing(paths: LibraryPaths, desk: Path) -> None:
    assert submit(paths, desk, "id: i\nrefs: [{media: m1}]\n").enclosed == {}


def test_absolute_and_home_paths_are_taken_along(
    paths: LibraryPaths, desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(desk))

    found = submit(paths, tmp_path, f"id: i\nrefs: [{desk / 'a.png'}, ~/a.png]\n")

    assert named(meaning(found)[0]) == ["refs/a.png"] * 2
    assert found.enclosed == {"refs/a.png": desk / "a.png"}


def test_link_goes_along_as_the_file_that_it_means_under_its_own_name(
    paths: LibraryPaths, desk: Path
) -> None:
    (desk / "latest.png").symlink_to("a.png")

    found = submit(paths, desk, "id: i\nrefs: [latest.png]\n")

    assert found.enclosed == {"refs/latest.png": desk / "a.png"}


def test_pictures_of_one_name_from_two_folders_stay_two(paths: LibraryPaths, desk: Path) -> None:
    (desk / "b").mkdir()
    pictures.quartered((4, 4)).save(desk / "b" / "A.PNG")

    found = submit(paths, desk, "id: i\nrefs: [a.png, b/A.PNG]\n")

    assert named(meaning(found)[0]) == ["refs/a.png", "refs/A~2.PNG"]
    assert found.enclosed == {"refs/a.png": desk / "a.png", "refs/A~2.PNG": desk / "b" / "A.PNG"}


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("Küste am Abend (2).png", "Küste am Abend (2).png"),
        ("Ku\u0308ste.JPG", "Küste.JPG"),
        ("\U0001f30a.png", "\U0001f30a.png"),
        (".hidden.png", "hidden.png"),
        ("~$a.png", "$a.png"),
        (".~.png", "picture.png"),
        ("a\\b:c.png", "a_b_c.png"),
        ("a\tb\u202e.png", "a_b_.png"),
        ("2026", "2026.bin"),
        ("a.tmp", "a.tmp.bin"),
        ("a.yaml", "a.yaml.bin"),
        ("a" * 251 + ".png", "a" * (255 - len(".png.result.json")) + ".png"),
    ],
)
def test_name_is_kept_as_far_as_every_disk_and_every_rule_takes_it(
    paths: LibraryPaths, desk: Path, name: str, inside: str
) -> None:
    (desk / "a.png").rename(desk / name)

    found = submit(paths, desk, f"id: i\nrefs: [{json.dumps(name)}]\n")

    assert found.enclosed == {f"refs/{inside}": desk / name}
    assert named(meaning(found)[0]) == [f"refs/{inside}"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_reference_that_has_gone_meanwhile_is_a_known_failure(
    paths: LibraryPaths, desk: Path, jobs: int
) -> None:
    with pytest.raises(LibraryError, match=r"gone\.png") as caught:
        submit(paths, desk, "---\n".join(["id: i\nrefs: [gone.png]\n"] * jobs))

    assert caught.value.code == "job.ref_missing"


def test_more_than_a_bundle_may_hold_is_told_before_it_is_dropped(paths: LibraryPaths, desk: Path) -> None:
    (desk / "b.png").write_bytes(bytes(10_000))

    with pytest.raises(LibraryError) as caught:
        submit(paths, desk, "id: i\nrefs: [a.png, b.png]\n")

    assert caught.value.code == "job.bundle_refused"
