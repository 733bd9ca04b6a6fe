"""What a job inherits from the recipes above it."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.domain.document import Node, to_plain
from hotfolder.domain.plan import JobPlan, plan_job
from hotfolder.domain.recipe import Recipe, RecipeFile, merge, merge_recipes
from hotfolder.errors import Problem
from tests.domain.job_texts import ENDPOINTS, parse_one, shelf

HEAD = "endpointKey: local.procedural.image\n"


def merged(recipe: str, job: str, levels: int = 0, keywords: tuple[str, ...] = ()) -> Any:
    """A job over its recipe as plain values."""
    return to_plain(merge(parse_one(recipe), parse_one(job), levels=levels, keywords=keywords))


def planned(recipe: str, job: str) -> JobPlan | list[Problem]:
    return plan_job(
        merge(parse_one(recipe), parse_one(job)), ENDPOINTS, shelf({"plain": "params: {steps: 2}"})
    )


def test_job_inherits_every_key_that_it_does_not_set() -> None:
    recipe = (
        f"{HEAD}params: {{steps: 2, size: 64*64}}\npriority: 5\nowner: anna\nmetadata: {{creator: Anna}}\n"
    )

    assert merged(recipe, "params: {prompt: x, steps: 3}\nowner: ben\nmetadata: {copyright: C}\n") == {
        "params": {"steps": 3, "size": "64*64", "prompt": "x"},
        "owner": "ben",
        "metadata": {"creator": "Anna", "copyright": "C"},
        "endpointKey": "local.procedural.image",
        "priority": 5,
    }


def test_id_title_time_and_atomicity_of_a_recipe_are_not_inherited() -> None:
    recipe = "id: a\ntitle: Shoes\nnotBefore: 2026-12-01T08:00:00Z\natomic: false\npriority: 1\n"

    assert merged(recipe, "params: {prompt: x}\n") == {"params": {"prompt": "x"}, "priority": 1}


def test_empty_key_of_a_job_is_as_good_as_absent() -> None:
    recipe = "params: {steps: 2}\nrefs: [a.png]\nowner: anna\n"

    assert merged(recipe, "params:\nrefs:\nowner:\n") == {
        "params": {"steps": 2},
        "refs": ["a.png"],
        "owner": "anna",
    }
    assert merged(recipe, "params: {steps: }\n")["params"] == {"steps": 2}


def test_empty_value_in_extra_is_kept_untouched() -> None:
    assert merged("extra: {order: 7, shop: x}\n", "extra: {order: null}\n") == {
        "extra": {"order": None, "shop": "x"}
    }


def test_references_of_a_job_replace_those_of_its_recipe() -> None:
    assert merged("refs: [a.png]\n", "refs: [./b.png]\n", 1) == {"refs": ["./b.png"]}
    assert merged("refs: [a.png]\n", "refs: []\n", 1) == {"refs": []}


def test_references_of_a_recipe_are_meant_from_its_own_folder() -> None:
    recipe = (
        "refs: [pose.png, ./a b.png, ../logo.png, /abs/x.png, ~/y.png, 2026, "
        "{path: deep/z.png, role: pose}, {media: m1}]\n"
    )

    assert merged(recipe, "priority: 1\n", 2)["refs"] == [
        "../../pose.png",
        "../../a b.png",
        "../../../logo.png",
        "/abs/x.png",
        "~/y.png",
        "../../2026",
        {"path": "../../deep/z.png", "role": "pose"},
        {"media": "m1"},
    ]
    assert merged(recipe, "priority: 1\n")["refs"][:2] == ["pose.png", "./a b.png"]


def test_keywords_add_up_from_the_outermost_in_each_once() -> None:
    outer, inner = parse_one("keywords: [shop, spring]\n"), parse_one("keywords: [shoes, shop]\n")
    recipe = merge_recipes(outer, inner, 1)
    job = parse_one("keywords: [mine, red, spring]\n")

    found = to_plain(merge(recipe, job, levels=2, keywords=["red", "low"]))

    assert found == {"keywords": ["shop", "spring", "shoes", "red", "low", "mine"]}


def test_names_of_folders_become_keywords_of_a_job_without_any() -> None:
    assert merged("keywords: [red]\n", "priority: 1\n", 2, ("red", "low"))["keywords"] == ["red", "low"]
    assert merged("owner: anna\n", "priority: 1\n", 1, ("red",))["keywords"] == ["red"]


def test_keywords_that_are_no_list_stay_a_fault_of_whoever_wrote_them() -> None:
    assert merged("keywords: [shoes]\n", "keywords: red\n", 1, ("low",)) == {"keywords": "red"}


@pytest.mark.parametrize("job", ["endpointKey: other\n", "task: upscale\n"])
def test_endpoint_and_task_are_one_choice(job: str) -> None:
    assert merged(HEAD, job) == to_plain(parse_one(job))
    assert merged("task: upscale\n", job) == to_plain(parse_one(job))


@pytest.mark.parametrize(
    ("recipe", "job", "sizes"),
    [
        ("{size: 64*64}", "{width: 8, height: 8}", {"width": 8, "height": 8}),
        ("{size: 64*64}", "{resolution: 512}", {"resolution": 512}),
        ("{width: 8, height: 8}", "{size: 64*64}", {"size": "64*64"}),
        ("{width: 8, height: 8}", "{width: 16}", {"width": 16, "height": 8}),
        (
            "{resolution: 512, aspectRatio: 3:2}",
            "{aspectRatio: 1:1}",
            {"resolution": 512, "aspectRatio": "1:1"},
        ),
        ("{resolution: 512, aspectRatio: 3:2}", "{width: 8, height: 8}", {"width": 8, "height": 8}),
        ("{size: 64*64}", "{size: }", {"size": "64*64"}),
    ],
)
def test_size_of_a_job_replaces_that_of_its_recipe_in_whatever_form(
    recipe: str, job: str, sizes: object
) -> None:
    assert merged(f"params: {recipe}\n", f"params: {job}\n")["params"] == sizes


@pytest.mark.parametrize(
    ("recipe", "job"),
    [
        ("params: {size: 64*64, steps: 2}", "matrix: {resolution: [512, 1024], steps: [1, 3]}"),
        ("matrix: {resolution: [512, 1024], steps: [1, 3]}", "params: {size: 64*64, steps: 2}"),
    ],
)
def test_param_of_a_job_wins_over_its_recipe_be_it_in_params_or_in_the_matrix(recipe: str, job: str) -> None:
    assert merged(recipe, job) == to_plain(parse_one(job))


def test_axes_of_a_recipe_and_a_job_are_combined() -> None:
    found = merged("matrix: {seed: [1, 2], steps: [1, 3]}\n", "matrix: {steps: [4], caption: [true]}\n")

    assert list(found["matrix"].items()) == [("seed", [1, 2]), ("steps", [4]), ("caption", [True])]


def test_seeds_of_a_job_and_the_count_of_its_recipe_are_no_contradiction() -> None:
    assert merged("count: 4\n", "matrix: {seed: [1, 2]}\n") == {"matrix": {"seed": [1, 2]}}
    assert merged("count: 4\n", "matrix: {steps: [1, 2]}\n") == {"matrix": {"steps": [1, 2]}, "count": 4}
    assert merged("matrix: {seed: [1, 2], steps: [1]}\n", "count: 4\n") == {
        "count": 4,
        "matrix": {"steps": [1]},
    }
    assert merged("matrix: {seed: [1, 2]}\n", "count: 4\n") == {"count": 4}


def test_vars_of_a_recipe_fill_its_own_preset_or_one_that_only_the_job_names() -> None:
    recipe = "preset: shot\nvars: {product: kettle, ground: slate}\n"

    assert merged(recipe, "vars: {product: pot}\n")["vars"] == {"product": "pot", "ground": "slate"}
    assert merged(recipe, "preset: other\n") == {"preset": "other"}
    assert merged("vars: {brand: x}\n", "preset: other\n") == {"preset": "other", "vars": {"brand": "x"}}
    assert merged("vars: {brand: x}\n", "priority: 1\n") == {"priority": 1}


def test_vars_of_an_outer_recipe_wait_for_the_job_that_names_a_preset() -> None:
    recipe = merge_recipes(parse_one("vars: {brand: x}\n"), parse_one("priority: 1\n"), 1)

    assert to_plain(merge(recipe, parse_one("preset: a\n"))) == {
        "preset": "a",
        "priority": 1,
        "vars": {"brand": "x"},
    }


def test_nearer_recipe_wins_key_by_key_and_references_keep_their_folder() -> None:
    outer = parse_one("params: {steps: 1, seed: 1}\npriority: 1\nrefs: [logo.png]\ncount: 2\n")
    inner = parse_one("params: {steps: 2}\npriority: 2\n")

    recipe = merge_recipes(outer, inner, 2)

    assert to_plain(merge(recipe, parse_one("params: {seed: 9}\n"), levels=1)) == {
        "params": {"steps": 2, "seed": 9},
        "priority": 2,
        "refs": ["../../../logo.png"],
        "count": 2,
    }


def test_inherited_key_stands_where_the_job_begins_and_own_ones_where_they_are_written() -> None:
    job = parse_one("# a note\nparams:\n  steps: 99\n")
    node = merge(parse_one(f"{HEAD}params: {{prompt: x, caption: 7}}\n"), job)

    plan = plan_job(node, ENDPOINTS, shelf({}))

    assert isinstance(plan, list)
    assert [(each.line, each.column, each.path) for each in plan] == [
        (2, 1, "params.caption"),
        (3, 10, "params.steps"),
    ]


def test_completed_job_of_a_recipe_is_planned_like_one_that_is_written_out() -> None:
    plan = planned(
        f"{HEAD}preset: plain\nparams: {{size: 64*64}}\ncount: 2\n", "params: {prompt: x, seed: 5}\n"
    )

    assert isinstance(plan, JobPlan)
    assert [(run.seed, run.width, run.params["steps"]) for run in plan.runs] == [(5, 64, 2), (6, 64, 2)]


def test_document_that_is_no_mapping_is_left_as_it_is() -> None:
    job = parse_one("- a\n")

    assert merge(parse_one(HEAD), job) is job
    assert merge(parse_one("- a\n"), parse_one(HEAD)) == parse_one(HEAD)
    assert merge(None, job) is job


def _recipe(folder: str, **texts: str) -> Recipe:
    """Of a folder, from the text of each recipe file by its folder (`_` is inbox/ itself)."""
    files = []
    for name, text in texts.items():
        place = PurePosixPath("" if name == "_" else name) / "_folder.yaml"
        files.append(RecipeFile(place, parse_one(text)))
    return Recipe(PurePosixPath(folder), tuple(files), files[-1].node)


def test_problem_of_an_inherited_value_names_the_recipe_and_the_line_it_comes_from() -> None:
    recipe = _recipe("shoes/red", _="params:\n  steps: 99\n", shoes="params:\n\n  caption: 7\n")
    job = parse_one("params: {seed: x}\n")
    faults = [
        Problem("job.invalid_params", "m", "Mend it.", 1, 1, f"params.{name}")
        for name in ("steps", "caption", "seed", "prompt")
    ]

    assert [each.hint for each in recipe.explain(job, faults)] == [
        "Mend it. It comes from `inbox/_folder.yaml`, line 2.",
        "Mend it. It comes from `inbox/shoes/_folder.yaml`, line 3.",
        "Mend it.",
        "Mend it.",
    ]


def test_problem_of_an_inherited_reference_is_told_by_its_number() -> None:
    recipe = _recipe("shoes", shoes="refs:\n- a.png\n- b.png\n")

    (found,) = recipe.explain(parse_one(HEAD), [Problem("job.ref_missing", "m", None, 1, 1, "refs.1")])

    assert found.hint == "It comes from `inbox/shoes/_folder.yaml`, line 3."


def test_path_with_a_number_that_is_too_long_to_be_a_place_is_explained_like_a_key() -> None:
    fault = Problem("job.invalid_params", "m", None, 1, 1, "matrix." + "9" * 5000)

    assert _recipe("shoes", shoes=HEAD).explain(parse_one(HEAD), [fault]) == [fault]


@pytest.mark.parametrize(
    ("picture", "is_named"),
    [("shoes/pose.png", True), ("shoes/Pose.PNG", True), ("logo.png", True), ("shoes/red/pose.png", False)],
)
def test_recipe_knows_the_pictures_that_it_names_itself(picture: str, is_named: bool) -> None:
    recipe = _recipe(
        "shoes/red", shoes="refs: [./pose.png, {path: ../logo.png}, ../../outside.png, {media: m}]\n"
    )

    assert recipe.names(PurePosixPath(picture)) is is_named


# Values of any sort at any place: merging never looks at what they mean, but for the choices named below.
_PARAM = st.sampled_from(["prompt", "steps", "seed", "size", "width", "height", "resolution", "aspectRatio"])
_SCALAR = st.none() | st.integers(0, 9) | st.sampled_from(["a", "b", "c"])
_AXES = st.dictionaries(_PARAM, st.none() | st.lists(st.integers(0, 9), min_size=1, max_size=3), max_size=4)
_WORDS = st.lists(st.sampled_from(["red", "low", "shoes", "spring"]), max_size=4)
_DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "endpointKey": _SCALAR,
        "task": st.sampled_from(["upscale", None]),
        "params": st.none() | st.dictionaries(_PARAM, _SCALAR, max_size=5),
        "matrix": st.none() | _AXES,
        "vars": st.dictionaries(st.sampled_from("xyz"), _SCALAR, max_size=3),
        "extra": st.dictionaries(st.sampled_from("xyz"), _SCALAR, max_size=3),
        "metadata": st.dictionaries(st.sampled_from(["creator", "copyright"]), _SCALAR),
        "refs": st.none() | st.lists(st.sampled_from(["a.png", "./b.png", "../c.png"]), max_size=3),
        "keywords": st.none() | _WORDS,
        "count": st.none() | st.integers(1, 3),
        "preset": _SCALAR,
        "title": _SCALAR,
        "id": _SCALAR,
        "priority": _SCALAR,
    },
)


def _node(document: object) -> Node:
    return parse_one(json.dumps(document), "json")


@given(recipe=_DOCUMENTS, job=_DOCUMENTS)
def test_what_a_job_sets_always_wins(recipe: dict[str, Any], job: dict[str, Any]) -> None:
    found: Any = to_plain(merge(_node(recipe), _node(job), levels=1, keywords=["red"]))

    for key, value in job.items():
        if isinstance(value, dict):
            given = {name: each for name, each in value.items() if each is not None}
            assert {name: found[key][name] for name in given} == given
        elif key == "keywords" and value is not None:
            assert set(value) <= set(found[key])
        elif value is not None:
            assert found[key] == value


@given(recipe=_DOCUMENTS, job=_DOCUMENTS)
def test_what_a_job_leaves_out_comes_from_its_recipe_or_is_a_choice_already_made(
    recipe: dict[str, Any], job: dict[str, Any]
) -> None:
    found: Any = to_plain(merge(_node(recipe), _node(job)))
    choices = {"id", "title", "endpointKey", "task", "count", "vars", "params", "matrix"}

    for key, value in recipe.items():
        if key not in choices and value not in (None, {}) and job.get(key) is None and key != "keywords":
            assert found[key] == value
    assert set(found) <= set(recipe) | set(job)
    assert found.get("id") == job.get("id")


@given(recipe=_DOCUMENTS, job=_DOCUMENTS, levels=st.integers(0, 2))
def test_merging_twice_is_merging_once(recipe: dict[str, Any], job: dict[str, Any], levels: int) -> None:
    once = merge(_node(recipe), _node(job), levels=levels, keywords=["red", "low"])

    assert merge(_node(recipe), once, levels=levels, keywords=["red", "low"]) == once


@given(recipe=_DOCUMENTS, job=_DOCUMENTS)
def test_merging_makes_no_contradiction_that_nobody_wrote(
    recipe: dict[str, Any], job: dict[str, Any]
) -> None:
    found: Any = to_plain(merge(_node(recipe), _node(job)))

    for contradiction in (_has_both_seeds, _has_both_endpoints, _mixes_sizes):
        assert not contradiction(found) or contradiction(recipe) or contradiction(job)


@given(recipe=_DOCUMENTS, job=_DOCUMENTS)
def test_every_inherited_value_points_at_the_beginning_of_the_job(
    recipe: dict[str, Any], job: dict[str, Any]
) -> None:
    node = merge(_node(recipe), _node(job))

    own = set(job)
    for entry in node.value:
        if entry.key.value not in own:
            assert (entry.value.line, entry.value.column, entry.value.end) == (1, 1, 0)


@given(documents=st.lists(_DOCUMENTS, min_size=2, max_size=4))
def test_nearest_document_that_gives_a_key_wins(documents: list[dict[str, Any]]) -> None:
    recipe: Node | None = None
    for document in documents[:-1]:
        recipe = merge_recipes(recipe, _node(document), 1)
    found: Any = to_plain(merge(recipe, _node(documents[-1])))

    for key in ("priority", "preset"):
        said = [each[key] for each in documents if each.get(key) is not None]
        assert found.get(key) == (said[-1] if said else None)
    for name in "xyz":
        said = [each["extra"][name] for each in documents if name in each.get("extra", {})]
        assert found.get("extra", {}).get(name) == (said[-1] if said else None)


def _names(document: dict[str, Any]) -> set[str]:
    return {
        name
        for key in ("params", "matrix")
        for name, value in (document.get(key) or {}).items()
        if value is not None
    }


def _has_both_seeds(document: dict[str, Any]) -> bool:
    return document.get("count") is not None and (document.get("matrix") or {}).get("seed") is not None


def _has_both_endpoints(document: dict[str, Any]) -> bool:
    return document.get("endpointKey") is not None and document.get("task") is not None


def _mixes_sizes(document: dict[str, Any]) -> bool:
    forms = ({"size"}, {"width", "height"}, {"resolution", "aspectRatio"})
    return sum(bool(form & _names(document)) for form in forms) > 1
