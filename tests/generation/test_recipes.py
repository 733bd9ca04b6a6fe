"""Recipes read from the folders of an inbox, again when they change, with their reports beside them."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from hotfolder.catalog.endpoints import EndpointCatalog
from hotfolder.catalog.store import load_builtin_providers
from hotfolder.domain.document import Node, parse_documents, to_plain
from hotfolder.domain.params import ParamNode
from hotfolder.domain.recipe import Recipe
from hotfolder.generation.presets import PresetShelf
from hotfolder.generation.recipes import MAX_RECIPE_BYTES, RecipeShelf

ENDPOINTS = EndpointCatalog(load_builtin_providers()).by_key
HEAD = "endpointKey: local.procedural.image\n"
REPORT = "_folder.yaml.error.md"


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture
def shelf(inbox: Path) -> RecipeShelf:
    presets = PresetShelf(inbox.parent / "presets")
    return RecipeShelf(inbox, ENDPOINTS, presets.find, no_keywords=("!high", "!low"))


def write(file: Path, text: str) -> Path:
    """Save a file as most editors do: a new one under the old name."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(file.name + ".new")
    new.write_text(text, encoding="utf-8")
    return new.replace(file)


def find(shelf: RecipeShelf, folder: str) -> Recipe:
    recipe = shelf.find(PurePosixPath(folder))
    assert recipe is not None
    return recipe


def completed(shelf: RecipeShelf, folder: str, job: str = "priority: 1\n") -> object:
    (node,) = parse_documents(job.encode(), "yaml")
    return to_plain(find(shelf, folder).complete(node))


def codes(shelf: RecipeShelf, folder: str) -> list[str]:
    return [each.code for each in find(shelf, folder).problems]


def test_folder_without_a_recipe_has_none(inbox: Path, shelf: RecipeShelf) -> None:
    write(inbox / "shoes/_folder.yaml", HEAD)

    assert shelf.find(PurePosixPath()) is None
    assert shelf.find(PurePosixPath("hats/red")) is None


@pytest.mark.parametrize(
    ("name", "text"),
    [("yaml", "priority: 2\n"), ("yml", "priority: 2\n"), ("json", '{"priority": 2}')],
)
def test_recipe_may_be_written_in_each_format(inbox: Path, shelf: RecipeShelf, name: str, text: str) -> None:
    write(inbox / f"shoes/_folder.{name}", text)

    assert completed(shelf, "shoes", "owner: anna\n") == {"owner": "anna", "priority": 2}
    assert find(shelf, "shoes").problems == []


def test_recipe_inherits_from_those_of_all_folders_above_it(inbox: Path, shelf: RecipeShelf) -> None:
    write(
        inbox / "_folder.yaml", f"{HEAD}params: {{steps: 1, seed: 1}}\nkeywords: [shop]\nrefs: [logo.png]\n"
    )
    write(inbox / "shoes/_folder.yaml", "params: {steps: 2}\nkeywords: [shoes]\n")

    assert completed(shelf, "shoes/red", "params: {prompt: x}\n") == {
        "params": {"steps": 2, "seed": 1, "prompt": "x"},
        "endpointKey": "local.procedural.image",
        "keywords": ["shop", "shoes", "red"],
        "refs": ["../../logo.png"],
    }
    assert [str(each.place) for each in find(shelf, "shoes").files] == ["_folder.yaml", "shoes/_folder.yaml"]


def test_names_of_folders_below_the_recipe_are_keywords(inbox: Path, shelf: RecipeShelf) -> None:
    write(inbox / "_folder.yaml", HEAD)
    write(inbox / "hats/shoes/_folder.yaml", "priority: 2\n")

    assert find(shelf, "").keywords == ()
    assert find(shelf, "hats").keywords == ("hats",)
    assert find(shelf, "hats/shoes/!High/red/low").keywords == ("hats", "red", "low")


def test_own_name_of_the_recipe_folder_is_no_keyword(inbox: Path, shelf: RecipeShelf) -> None:
    write(inbox / "a/shoes/_folder.yaml", HEAD)

    assert find(shelf, "a/shoes").keywords == ()
    assert find(shelf, "a/shoes/red").keywords == ("red",)


@pytest.mark.parametrize("bundle", ["shoes/red/kettle.job", "shoes/red/kettle.ZIP"])
def test_bundle_is_no_keyword_but_a_folder_for_references(
    inbox: Path, shelf: RecipeShelf, bundle: str
) -> None:
    write(inbox / "shoes/_folder.yaml", "refs: [pose.png]\n")
    write(inbox / "shoes/red/kettle.job/_folder.yaml", "priority: 9\n")

    assert completed(shelf, bundle, "owner: anna\n") == {
        "owner": "anna",
        "refs": ["../../pose.png"],
        "keywords": ["red"],
    }


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_folder_whose_name_is_not_utf8_is_a_keyword_that_can_be_stored(
    inbox: Path, shelf: RecipeShelf
) -> None:
    folder = os.fsdecode(b"r\xffd\n")
    write(inbox / "_folder.yaml", HEAD)
    write(inbox / folder / "_folder.yaml", "titel: x\n")

    assert find(shelf, f"{folder}/b\u0061\u0308r").keywords == ("b\u00e4r",)
    assert find(shelf, f"caf\u00e9/{folder}x").keywords == ("caf\u00e9", "r?d\ufffdx")
    shelf.update_reports(PurePosixPath(folder))
    assert "inbox/r" in (inbox / folder / REPORT).read_text(encoding="utf-8")


def test_edited_recipe_counts_for_the_next_job(inbox: Path, shelf: RecipeShelf) -> None:
    write(inbox / "shoes/_folder.yaml", "priority: 2\n")
    assert completed(shelf, "shoes", "owner: a\n") == {"owner": "a", "priority": 2}

    write(inbox / "shoes/_folder.yaml", "priority: 3\n")
    assert completed(shelf, "shoes", "owner: a\n") == {"owner": "a", "priority": 3}

    write(inbox / "_folder.yaml", "keywords: [shop]\n")
    assert completed(shelf, "shoes", "owner: a\n") == {"owner": "a", "priority": 3, "keywords": ["shop"]}

    (inbox / "shoes/_folder.yaml").unlink()
    assert completed(shelf, "shoes", "owner: a\n") == {"owner": "a", "keywords": ["shop", "shoes"]}


def test_recipe_is_read_once_for_ten_thousand_jobs(inbox: Path, shelf: RecipeShelf) -> None:
    write(inbox / "shoes/_folder.yaml", f"{HEAD}params: {{steps: 2}}\n")
    first = find(shelf, "shoes").node

    started = time.perf_counter()
    found = [find(shelf, "shoes").node for _ in range(10_000)]

    assert all(each is first for each in found)
    assert time.perf_counter() - started < 10


def test_recipes_that_are_kept_in_memory_are_bounded(inbox: Path, shelf: RecipeShelf) -> None:
    nodes: list[Node | None] = []
    for number in range(300):
        write(inbox / f"{number}/_folder.yaml", "priority: 2\n")
        nodes.append(find(shelf, str(number)).node)

    assert find(shelf, "299").node is nodes[299]
    assert find(shelf, "0").node is not nodes[0]


def test_problems_of_a_recipe_have_their_lines_and_those_above_come_with_them(
    inbox: Path, shelf: RecipeShelf
) -> None:
    write(inbox / "_folder.yaml", f"{HEAD}params: {{steps: 99}}\n")
    write(inbox / "shoes/_folder.yaml", "\ntitel: x\nparams: {size: big}\n")

    outer, inner = find(shelf, "shoes/red").files

    assert [(each.code, each.line) for each in outer.problems] == [("job.invalid_params", 2)]
    assert [(each.code, each.line) for each in inner.problems] == [
        ("job.unknown_key", 2),
        ("job.invalid_params", 3),
    ]
    assert len(find(shelf, "shoes/red").problems) == 3
    assert len(find(shelf, "hats").problems) == 1


def test_recipe_whose_keys_do_not_go_with_what_it_inherits_says_where_that_stands(
    inbox: Path, shelf: RecipeShelf
) -> None:
    write(
        inbox / "_folder.yaml", "endpointKey: local.flux2-klein-4b.image\nparams: {sampling_method: euler}\n"
    )
    write(inbox / "shoes/_folder.yaml", f"# a note\n{HEAD}")

    outer, inner = find(shelf, "shoes").files

    assert outer.problems == ()
    (problem,) = inner.problems
    assert (problem.line, problem.path) == (2, "params.sampling_method")
    assert "It comes from `inbox/_folder.yaml`, line 2." in (problem.hint or "")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "job.parse"),
        ("params: {\n", "job.parse"),
        ("- a\n", "job.parse"),
        ("priority: 1\n---\npriority: 2\n", "job.invalid"),
        ("# " + "x" * MAX_RECIPE_BYTES + "\npriority: 1\n", "job.too_large"),
    ],
)
def test_file_that_is_no_recipe_is_a_problem(inbox: Path, shelf: RecipeShelf, text: str, code: str) -> None:
    write(inbox / "shoes/_folder.yaml", text)
    write(inbox / "shoes/red/_folder.yaml", "priority: 3\n")

    assert codes(shelf, "shoes") == [code]
    assert codes(shelf, "shoes/red") == [code]
    completed(shelf, "shoes/red/low")


def test_two_recipes_in_one_folder_are_one_too_many(inbox: Path, shelf: RecipeShelf) -> None:
    write(inbox / "shoes/_folder.yaml", "priority: 1\n")
    write(inbox / "shoes/_folder.json", '{"priority": 2}')

    (problem,) = find(shelf, "shoes").problems

    assert problem.message == "`_folder.json` lies in the same folder."


@pytest.mark.skipif(os.name == "nt", reason="links and pipes are made otherwise there")
@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_recipe_that_is_no_regular_file_is_refused_at_once(
    inbox: Path, shelf: RecipeShelf, kind: str
) -> None:
    place = inbox / "shoes/_folder.yaml"
    place.parent.mkdir()
    if kind == "link":
        place.symlink_to(write(inbox.parent / "elsewhere.yaml", HEAD))
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.mkdir()

    (problem,) = find(shelf, "shoes").problems

    assert (problem.code, problem.message) == (
        "job.unreadable",
        "The recipe cannot be read: not a regular file.",
    )


def test_recipe_that_named_a_missing_preset_is_sound_once_that_is_there(
    inbox: Path, shelf: RecipeShelf
) -> None:
    write(inbox / "shoes/_folder.yaml", f"{HEAD}preset: shot\n")
    assert codes(shelf, "shoes") == ["job.invalid_params"]

    shelf.update_reports(PurePosixPath("shoes"))

    write(inbox.parent / "presets/shot.yaml", "params: {steps: 2}\n")
    shelf.recheck()

    assert codes(shelf, "shoes") == []
    assert not (inbox / "shoes" / REPORT).exists()


def test_recipes_with_problems_are_looked_at_again_once_a_second_at_most(inbox: Path) -> None:
    now_s = [100.0]
    looks: list[str] = []

    def look(name: str) -> dict[str, ParamNode]:
        looks.append(name)
        return {}

    shelf = RecipeShelf(inbox, ENDPOINTS, look, monotonic=lambda: now_s[0])
    write(inbox / "shoes/_folder.yaml", f"{HEAD}preset: shot\ntitel: x\n")
    find(shelf, "shoes/red")
    shelf.recheck()
    before = len(looks)

    for _ in range(100):
        find(shelf, "shoes/red")
        shelf.recheck()
    assert len(looks) == before

    now_s[0] += 1.0
    shelf.recheck()
    assert len(looks) > before
    assert (inbox / "shoes" / REPORT).exists()


def test_report_lies_beside_the_recipe_until_it_is_sound(inbox: Path, shelf: RecipeShelf) -> None:
    write(inbox / "_folder.yaml", "titel: x\n")
    write(inbox / "shoes/_folder.yaml", "params: {\n")
    shelf.update_reports(PurePosixPath("shoes"))
    assert "Did you mean `title`?" in (inbox / REPORT).read_text(encoding="utf-8")
    assert "what lies in `inbox/shoes/` waits" in (inbox / "shoes" / REPORT).read_text(encoding="utf-8")

    write(inbox / "_folder.yaml", "title: x\n")
    (inbox / "shoes/_folder.yaml").unlink()
    shelf.update_reports(PurePosixPath("shoes"))

    assert sorted(each.name for each in inbox.rglob("*")) == ["_folder.yaml", "shoes"]


def test_report_that_says_the_same_is_not_written_again(inbox: Path, shelf: RecipeShelf) -> None:
    write(inbox / "shoes/_folder.yaml", "titel: x\n")
    shelf.update_reports(PurePosixPath("shoes"))
    before = (inbox / "shoes" / REPORT).stat()

    shelf.update_reports(PurePosixPath("shoes"))
    same = (inbox / "shoes" / REPORT).stat()
    write(inbox / "shoes/_folder.yaml", "titel: x\nownr: y\n")
    shelf.update_reports(PurePosixPath("shoes"))

    assert (same.st_ino, same.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert "2 problems" in (inbox / "shoes" / REPORT).read_text(encoding="utf-8")


@pytest.mark.skipif(os.name == "nt", reason="links and pipes are made otherwise there")
def test_report_replaces_a_link_and_leaves_what_it_points_to(inbox: Path, shelf: RecipeShelf) -> None:
    write(inbox / "shoes/_folder.yaml", "titel: x\n")
    other = write(inbox.parent / "other.txt", "mine")
    (inbox / "shoes" / REPORT).symlink_to(other)

    shelf.update_reports(PurePosixPath("shoes"))

    assert other.read_text(encoding="utf-8") == "mine"
    assert not (inbox / "shoes" / REPORT).is_symlink()


def test_report_that_cannot_be_written_is_told_to_the_log_once(
    inbox: Path, shelf: RecipeShelf, caplog: pytest.LogCaptureFixture
) -> None:
    write(inbox / "shoes/_folder.yaml", "titel: x\n")
    write(inbox / "shoes" / REPORT / "in the way.txt", "")

    shelf.update_reports(PurePosixPath("shoes"))
    shelf.update_reports(PurePosixPath("shoes"))

    assert len(caplog.records) == 1


@pytest.fixture
def editor(inbox: Path) -> Iterator[threading.Event]:
    """Saves a recipe over and over until it is told to stop."""
    done = threading.Event()

    def edit() -> None:
        number = 0
        while not done.is_set():
            number = (number + 1) % 90
            write(inbox / "shoes/_folder.yaml", f"priority: {number}\nowner: o{number}\n")

    write(inbox / "shoes/_folder.yaml", "priority: 0\nowner: o0\n")
    thread = threading.Thread(target=edit)
    thread.start()
    yield done
    done.set()
    thread.join(10)


def test_recipe_that_is_saved_while_it_is_read_is_the_old_or_the_new_one(
    shelf: RecipeShelf, editor: threading.Event
) -> None:
    for _ in range(300):
        recipe = find(shelf, "shoes")
        assert recipe.problems == []
        assert recipe.node is not None
        plain = to_plain(recipe.node)
        assert isinstance(plain, dict)
        assert plain["owner"] == f"o{plain['priority']}"
