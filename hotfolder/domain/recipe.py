"""Recipe folders: what a job inherits from the `_folder.yaml` of its folder and of the folders above it."""

from __future__ import annotations

import posixpath
import unicodedata
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import PurePath, PurePosixPath
from typing import Final

from hotfolder.domain.document import Entry, Node, child, find_node
from hotfolder.domain.given import find_given, list_given, read_text
from hotfolder.domain.wording import one_line
from hotfolder.errors import Problem

RECIPE_NAMES: Final = ("_folder.yaml", "_folder.yml", "_folder.json")

_NOT_INHERITED: Final = frozenset({"id", "title", "notBefore", "atomic"})
_MAPS: Final = ("params", "matrix", "vars", "metadata", "extra")
_ENDPOINT: Final = ("endpointKey", "task")
_INDEX_DIGITS: Final = 6
# A size is said in one of three forms; whoever uses one of them wants nothing of the others.
_SIZE_FORMS: Final = {
    "size": "size",
    "width": "edges",
    "height": "edges",
    "resolution": "ratio",
    "aspectRatio": "ratio",
}


@dataclass(frozen=True, slots=True)
class RecipeFile:
    """A `_folder.yaml`: its place below inbox/, its keys if it can be read, and all that is wrong with it."""

    place: PurePosixPath
    node: Node | None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the jobs of a folder (below inbox/) inherit; while it has problems, they wait."""

    folder: PurePosixPath
    files: tuple[RecipeFile, ...]
    """At least one, the outermost first."""
    node: Node | None
    """All files together, as meant in the folder of the innermost; None when none can be read."""
    keywords: tuple[str, ...] = ()

    @property
    def problems(self) -> list[Problem]:
        """Of all files; each stands in a file of its own, so the lines belong to `files`."""
        return [problem for file in self.files for problem in file.problems]

    def complete(self, job: Node) -> Node:
        """The job with the keys that it inherits."""
        levels = len(self.folder.parts) - len(self._base.parts)
        return merge(self.node, job, levels=levels, keywords=self.keywords)

    def explain(self, job: Node, problems: Sequence[Problem]) -> list[Problem]:
        """The problems of the completed job; what stands in a recipe, not in the job as written, says so."""
        return [self._explained(job, each) for each in problems]

    def names(self, picture: PurePosixPath) -> bool:
        """Whether a picture (its place below inbox/) is a reference of the recipe itself."""
        wanted = {_folded(posixpath.normpath(self._base / each)) for each in _reference_paths(self.node)}
        return _folded(str(picture)) in wanted

    @property
    def _base(self) -> PurePosixPath:
        return self.files[-1].place.parent

    def _explained(self, job: Node, problem: Problem) -> Problem:
        path = [_step(each) for each in (problem.path or "").split(".")]
        own = find_node(job, path)
        if own is not None and own.kind != "null":
            return problem
        for file in reversed(self.files):
            found = find_node(file.node, path) if file.node is not None else None
            if found is not None and found.kind != "null":
                origin = f"It comes from `inbox/{one_line(str(file.place))}`, line {found.line}."
                return replace(problem, hint=f"{problem.hint} {origin}" if problem.hint else origin)
        return problem


def merge(recipe: Node | None, job: Node, *, levels: int = 0, keywords: Sequence[str] = ()) -> Node:
    """The job over its recipe, whose keys stand at the place where the job begins.

    The job lies `levels` folders below the recipe; the names of these folders are `keywords`.
    """
    if recipe is None or recipe.kind != "map" or job.kind != "map":
        return job
    if all(find_given(each, "preset") is None for each in (recipe, job)):
        recipe = _without(recipe, "vars")  # they are there for jobs that name a preset
    return merge_recipes(_with_keywords(recipe, keywords), job, levels)


def merge_recipes(outer: Node | None, inner: Node, levels: int) -> Node:
    """The inner recipe over the one that lies `levels` folders above it."""
    if outer is None or outer.kind != "map" or inner.kind != "map":
        return inner
    inherited = _list_inherited(outer, inner, levels)
    merged = []
    for entry in inner.value:
        below = inherited.pop(str(entry.key.value), None)
        merged.append(entry if below is None else _combined(entry, below))
    return replace(inner, value=(*merged, *inherited.values()))


def _list_inherited(outer: Node, inner: Node, levels: int) -> dict[str, Entry]:
    """What the outer document has to give, by key, as if it were written where the inner one begins."""
    inherited = {}
    for entry in list_given(outer):
        key = str(entry.key.value)
        if _is_decided(key, outer, inner):
            continue
        value = _inheritable(key, entry.value, inner, levels)
        if value.kind != "map" or value.value:
            inherited[key] = Entry(_placed(entry.key, inner), _placed(value, inner))
    return inherited


def _step(text: str) -> str | int:
    """A step of a problem's path: a key, or a place in a list."""
    return int(text) if len(text) < _INDEX_DIGITS and text.isascii() and text.isdecimal() else text


def _without(node: Node, key: str) -> Node:
    return replace(node, value=tuple(entry for entry in node.value if entry.key.value != key))


def _with_keywords(recipe: Node, keywords: Sequence[str]) -> Node:
    """Names of folders stand behind the recipe's own keywords."""
    names = tuple(_text_node(each, recipe) for each in keywords)
    if not names:
        return recipe
    own = find_given(recipe, "keywords")
    if own is not None and own.kind != "list":
        return recipe
    value = replace(_text_node("", recipe), kind="list", value=(*(own.value if own else ()), *names))
    return replace(
        recipe,
        value=(*_without(recipe, "keywords").value, Entry(_text_node("keywords", recipe), value)),
    )


def _text_node(text: str, at: Node) -> Node:
    return Node("text", text, text, at.line, at.column, at.start, at.start, flow=False, plain=False)


def _is_decided(key: str, outer: Node, inner: Node) -> bool:
    """Whether nothing of a key is inherited, for what stands in the inner document decides it."""
    if key in _NOT_INHERITED:
        return True
    if key in _ENDPOINT:
        return any(find_given(inner, each) is not None for each in _ENDPOINT)
    if key == "count":
        return find_given(find_given(inner, "matrix"), "seed") is not None  # both choose seeds
    if key == "vars":
        presets = [read_text(find_given(each, "preset")) for each in (outer, inner)]
        return None not in presets and presets[0] != presets[1]  # they fill another preset
    return False


def _inheritable(key: str, value: Node, inner: Node, levels: int) -> Node:
    """What of a value is inherited, with paths as they are meant in the folder of the inner document."""
    if key == "refs" and levels and value.kind == "list":
        return replace(value, value=tuple(_lifted(each, levels) for each in value.value))
    if key == "keywords" and value.kind == "list":
        return replace(value, value=tuple(_each_once(value.value)))
    if key not in ("params", "matrix") or value.kind != "map":
        return value
    chosen = {
        str(entry.key.value) for each in ("params", "matrix") for entry in list_given(child(inner, each))
    }
    if key == "matrix" and find_given(inner, "count") is not None:
        chosen.add("seed")
    left = tuple(each for each in list_given(value) if not _is_chosen(str(each.key.value), chosen))
    return replace(value, value=left)


def _is_chosen(name: str, chosen: Set[str]) -> bool:
    """Whether the inner document says itself what this param is, as a param or in its matrix."""
    form = _SIZE_FORMS.get(name)
    return name in chosen or (
        form is not None and any(_SIZE_FORMS.get(each, form) != form for each in chosen)
    )


def _lifted(reference: Node, levels: int) -> Node:
    """A reference of a recipe, named from a folder so many levels below."""
    if reference.kind == "map":
        return replace(
            reference,
            value=tuple(
                replace(entry, value=_lifted_path(entry.value, levels))
                if entry.key.value == "path"
                else entry
                for entry in reference.value
            ),
        )
    return _lifted_path(reference, levels)


def _lifted_path(path: Node, levels: int) -> Node:
    text = read_text(path)
    if text is None or text.startswith("~/") or PurePath(text).is_absolute():
        return path
    lifted = "../" * levels + text.removeprefix("./")
    return replace(path, kind="text", value=lifted, written=lifted)


def _placed(node: Node, at: Node) -> Node:
    """The node as if it were written where another one begins."""
    value = node.value
    if node.kind == "map":
        value = tuple(Entry(_placed(each.key, at), _placed(each.value, at)) for each in value)
    elif node.kind == "list":
        value = tuple(_placed(each, at) for each in value)
    return replace(node, value=value, line=at.line, column=at.column, start=at.start, end=at.start)


def _combined(entry: Entry, below: Entry) -> Entry:
    """One key that both documents have."""
    key, own, given = entry.key.value, entry.value, below.value
    if own.kind == "null":
        return replace(entry, value=given)
    if key in _MAPS and own.kind == given.kind == "map":
        return replace(entry, value=_merged_map(given, own, keep_empty=key == "extra"))
    if key == "keywords" and own.kind == given.kind == "list":
        return replace(entry, value=replace(own, value=tuple(_each_once((*given.value, *own.value)))))
    return entry


def _merged_map(below: Node, own: Node, *, keep_empty: bool) -> Node:
    """Name by name; only in `extra`, which is kept untouched, is an empty value more than an absent one."""
    merged = {entry.key.value: entry for entry in below.value}
    for entry in own.value:
        if keep_empty or entry.value.kind != "null" or entry.key.value not in merged:
            merged[entry.key.value] = entry
    return replace(own, value=tuple(merged.values()))


def _each_once(nodes: Sequence[Node]) -> Iterator[Node]:
    seen: set[str] = set()
    for node in nodes:
        text = read_text(node)
        if text is None or text not in seen:
            yield node
        seen |= {text} if text is not None else set()


def _reference_paths(node: Node | None) -> Iterator[str]:
    references = find_given(node, "refs")
    for each in references.value if references is not None and references.kind == "list" else ():
        text = read_text(find_given(each, "path") if each.kind == "map" else each)
        if text is not None:
            yield text


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
