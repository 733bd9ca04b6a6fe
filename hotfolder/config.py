"""Settings in force: hotfolder.yaml < environment < command line, each value with its origin."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from hotfolder.domain.document import Node, entries, find_node, parse_documents
from hotfolder.domain.nearest import did_you_mean
from hotfolder.errors import ConfigError, JobFileError
from hotfolder.settings import (
    ModelSetSettings,
    Settings,
    as_section,
    fields_of,
    inner_type,
    iter_keys,
    takes_text,
    to_values,
)

__all__ = ["EffectiveSetting", "LoadedSettings", "ModelSetSettings", "Settings", "load_settings"]

ENVIRONMENT_PREFIX = "HOTFOLDER_"
SHORT_FORMS = {"HOTFOLDER_ENGINE": "engine.path", "HOTFOLDER_MODELS": "models.roots"}
NOT_SETTINGS = ("HOTFOLDER_LIBRARY", "HOTFOLDER_PROCEDURAL_", "HOTFOLDER_SECRETS__")
"""Variables with these beginnings are read elsewhere."""
FILE = "hotfolder.yaml"
_FOLDER_KEYS = ("models.roots", "intake.allowed_roots")


@dataclass(frozen=True, slots=True)
class EffectiveSetting:
    """One value in force, where it came from, and what it means."""

    key: str
    value: Any
    origin: str
    description: str


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """The settings in force."""

    settings: Settings
    origins: Mapping[str, str]

    def list(self) -> list[EffectiveSetting]:
        """Every key with its value and origin."""
        plain = self.settings.model_dump(mode="json", by_alias=True)
        return [
            EffectiveSetting(key, _at(plain, key), _origin_of(self.origins, key) or "default", description)
            for key, description in iter_keys()
        ]


def load_settings(
    library: Path, environment: Mapping[str, str], options: Mapping[str, Any] | None = None
) -> LoadedSettings:
    """Settings of a library; `options` are dotted keys from the command line. Raises ConfigError.

    A relative path is meant from the library folder in hotfolder.yaml, and from the current folder elsewhere.
    """
    file = library / FILE
    node = _read_file(file)
    merged: dict[str, Any] = to_values(node, Settings) if node is not None else {}
    origins = {key: FILE for key, _ in _leaves(merged)}
    _anchor(merged, library)
    for key, value, origin in _from_environment(environment):
        if origin == "$HOTFOLDER_MODELS":
            found = _at(merged, key)
            value = [*(found if isinstance(found, list) else ()), *value]  # noqa: PLW2901 - added, not put
            origin = ", ".join(filter(None, (origins.get(key), origin)))  # noqa: PLW2901
        _override(merged, origins, key, value, origin)
    for key, value in (options or {}).items():
        _override(merged, origins, key, value, "command line")
    _anchor(merged, Path())
    try:
        return LoadedSettings(Settings.model_validate(merged), origins)
    except ValidationError as error:
        raise _to_config_error(error, node, file, origins) from error


def _read_file(file: Path) -> Node | None:
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be read: {error.strerror}.", hint="Check its permissions."
        ) from error
    lines = (line.partition(b"#")[0].strip() for line in data.removeprefix(b"\xef\xbb\xbf").splitlines())
    if all(line in (b"", b"---", b"...") for line in lines):
        return None
    try:
        nodes = parse_documents(data, "yaml")
    except JobFileError as error:
        lines_found = [
            f"{file}, line {each.line}, column {each.column}: {each.message}" for each in error.problems
        ]
        hints = dict.fromkeys(each.hint for each in error.problems if each.hint)
        raise ConfigError("\n".join(lines_found), hint="\n".join(hints)) from error
    if len(nodes) != 1 or nodes[0].kind != "map":
        raise ConfigError(
            f"{file} is not a mapping of sections.", hint="Write for example `engine: {path: ...}`."
        )
    return nodes[0]


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, Any, str]]:
    """Keys with values and origins, short forms last; an empty variable counts as one that is not set."""
    names = [name for name in environment if name.startswith(ENVIRONMENT_PREFIX) and environment[name]]
    for name in sorted(names, key=lambda each: (each in SHORT_FORMS, each)):
        text = environment[name]
        if name in SHORT_FORMS:
            roots = [each for each in text.split(os.pathsep) if each]
            yield SHORT_FORMS[name], roots if name == "HOTFOLDER_MODELS" else text, f"${name}"
        elif name.startswith(NOT_SETTINGS):
            continue
        elif "__" in name:
            key = name.removeprefix(ENVIRONMENT_PREFIX).lower().replace("__", ".")
            yield key, _parse_value(name, key, text), f"${name}"
        else:
            hint = f"Settings are written HOTFOLDER_SECTION__KEY. {did_you_mean(name, _variables())}"
            raise ConfigError(f"The environment variable {name} is not a setting.", hint=hint)


def _variables() -> list[str]:
    names = [ENVIRONMENT_PREFIX + key.upper().replace(".", "__") for key, _ in iter_keys()]
    return [*names, *SHORT_FORMS, "HOTFOLDER_LIBRARY"]


def _parse_value(name: str, key: str, text: str) -> Any:
    annotation = _type_at(key.split("."))
    if annotation is not None and takes_text(annotation):
        return text
    try:
        return to_values(parse_documents(text.encode("utf-8", "replace"), "yaml")[0], annotation)
    except JobFileError as error:
        message = f"The environment variable {name} cannot be read: {error.problems[0].message}"
        raise ConfigError(message, hint=error.hint) from error


def _type_at(path: Sequence[str | int]) -> Any:
    found: Any = Settings
    for step in path:
        found = inner_type(found, step)
    return found


def _override(tree: dict[str, Any], origins: dict[str, str], key: str, value: Any, origin: str) -> None:
    for each in [each for each in origins if each.startswith(key + ".")]:
        del origins[each]
    origins[key] = origin
    *sections, last = key.split(".")
    for section in sections:
        inner = tree.get(section)
        if not isinstance(inner, dict):
            inner = tree[section] = {}
        tree = inner
    tree[last] = value


def _anchor(tree: dict[str, Any], folder: Path) -> None:
    """Make relative paths absolute, so that they mean the same from every folder."""

    def absolute(value: Any) -> Any:
        is_relative = isinstance(value, str) and value and not value.startswith("~")
        return str((folder / value).absolute()) if is_relative else value

    for key in _FOLDER_KEYS:
        roots = _at(tree, key)
        if isinstance(roots, list):
            roots[:] = map(absolute, roots)
    engine = tree.get("engine")
    path = _at(tree, "engine.path")
    if isinstance(engine, dict) and isinstance(path, str) and len(Path(path).parts) > 1:
        engine["path"] = absolute(path)


def _at(tree: Any, key: str) -> Any:
    for name in key.split("."):
        tree = tree.get(name) if isinstance(tree, dict) else None
    return tree


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _origin_of(origins: Mapping[str, str], key: str) -> str | None:
    """Where a key came from: itself, what it lies in, and what lies below it."""
    found = [
        origin
        for each, origin in origins.items()
        if each == key or key.startswith(each + ".") or each.startswith(key + ".")
    ]
    return ", ".join(dict.fromkeys(found)) or None


def _to_config_error(
    error: ValidationError, root: Node | None, file: Path, origins: Mapping[str, str]
) -> ConfigError:
    lines, hints = [], []
    for each in error.errors(include_url=False):
        path = tuple(each["loc"])
        key = ".".join(map(str, path))
        where = _place(root, path, file, _origin_of(origins, key))
        if each["type"] == "extra_forbidden":
            lines.append(f"{where}`{key}` is not a known setting.")
            hints.append(did_you_mean(str(path[-1]), _known_keys(path[:-1])))
        elif each["type"] == "value_error":  # said in words by what looked at the value
            lines.append(f"{where}{each['ctx']['error']}")
            hints.append(_explain(path))
        else:
            lines.append(f"{where}`{key}` is {_found(each)}; expected {_expected(each)}.")
            hints.append(_explain(path))
    return ConfigError("\n".join(lines), hint="\n".join(dict.fromkeys(hints)))


def _place(root: Node | None, path: Sequence[str | int], file: Path, origin: str | None) -> str:
    """Where a value was written: its key in the file, or the nearest place above that is in the file."""
    if origin is not None and FILE not in origin:
        return f"{origin}: "
    for end in range(len(path), 0, -1):
        above = find_node(root, path[: end - 1]) if root is not None else None
        key = next((each.key for each in entries(above) if each.key.value == path[end - 1]), None)
        node = key or (find_node(root, path[:end]) if root is not None else None)
        if node is not None:
            return f"{file}, line {node.line}, column {node.column}: "
    return f"{file}: "


def _known_keys(path: Sequence[str | int]) -> list[str]:
    section = as_section(_type_at(path))
    return list(fields_of(section)) if section else []


def _explain(path: Sequence[str | int]) -> str:
    """What the key means, and its default."""
    section = as_section(_type_at(path[:-1]))
    field = fields_of(section).get(str(path[-1])) if section else None
    if field is None or as_section(field.annotation):
        return "`hotfolder config show` lists every key with its value."
    default = (
        "" if field.is_required() else f" Default: {_in_words(field.get_default(call_default_factory=True))}."
    )
    return f"`{path[-1]}`: {field.description}{default}"


def _found(error: Any) -> str:
    return "missing" if error["type"] == "missing" else _in_words(error["input"])


def _in_words(value: Any) -> str:
    if isinstance(value, BaseModel | dict):
        return "a section" if value else "an empty section"
    if value is None:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


_EXPECTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "bool_type": "true or false",
    "list_type": "a list, such as [a, b]",
    "dict_type": "a section with keys below it",
    "model_type": "a section with keys below it",
    "missing": "text",
}


def _expected(error: Any) -> str:
    context = error.get("ctx", {})
    match error["type"]:
        case "greater_than":
            return f"more than {context['gt']:g}"
        case "greater_than_equal":
            return f"at least {context['ge']:g}"
        case "less_than_equal":
            return f"at most {context['le']:g}"
        case "literal_error":
            return str(context["expected"])
        case kind:
            return _EXPECTED.get(kind, str(error["msg"]))
