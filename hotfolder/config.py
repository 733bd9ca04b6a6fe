"""Settings: hotfolder.yaml < environment < command line, each value with its origin."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hotfolder.domain.document import Node, find_node, parse_documents, to_plain
from hotfolder.domain.nearest import did_you_mean
from hotfolder.errors import ConfigError, JobFileError

ENVIRONMENT_PREFIX = "HOTFOLDER_"
SHORT_FORMS = {"HOTFOLDER_ENGINE": "engine.path", "HOTFOLDER_MODELS": "models.roots"}
NOT_SETTINGS = {"HOTFOLDER_LIBRARY", "HOTFOLDER_PROCEDURAL_FAULT", "HOTFOLDER_PROCEDURAL_STEP_MS"}


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EngineSettings(_Section):
    """How the engine is found and how long it may take."""

    path: str | None = Field(
        None, description="The cn-engine binary; else PATH and LIBRARY/engines are searched."
    )
    fallback: Literal["none", "procedural"] = Field(
        "none", description="Without engine or models: fail, or draw test pictures that say so."
    )
    stall_s: float = Field(120, gt=0, description="A busy engine that is silent for so long has hung.")
    load_timeout_s: float = Field(300, gt=0, description="Longest time to load a model.")
    generate_timeout_s: float = Field(600, gt=0, description="Longest time for one picture.")
    env: dict[str, str] = Field(default_factory=dict, description="Added to the engine's environment.")


class ModelSetSettings(_Section):
    """The files of one model; relative paths are looked up in models.roots, then LIBRARY/models."""

    diffusion_model: str = Field(description="Diffusion model (*.gguf, *.safetensors).")
    vae: str | None = None
    llm: str | None = None
    upscale_model: str | None = None
    flags: dict[str, Any] = Field(
        default_factory=lambda: {"offload_to_cpu": True, "flash_attn": True},
        description="As cn-engine's load takes them.",
    )


class ModelSettings(_Section):
    """Where models are and how their files belong together."""

    roots: list[str] = Field(default_factory=list, description="Folders with model files.")
    sets: dict[str, ModelSetSettings] = Field(default_factory=dict, description="Model sets by name.")


class IntakeSettings(_Section):
    """When a dropped file is complete, and what it may name."""

    settle_ms: int = Field(500, ge=50, description="A file is complete when unchanged for so long.")
    allowed_roots: list[str] = Field(
        default_factory=list, description="Folders outside the library for refs."
    )
    max_job_bytes: int = Field(1024 * 1024, ge=1024, description="Largest job file.")


class LaneSettings(_Section):
    """How many items of each kind run at the same time."""

    gpu: int = Field(1, ge=1, le=1)
    cpu: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=256)
    io: int = Field(8, ge=1, le=256)


class QueueSettings(_Section):
    """How work is shared out and repeated."""

    lanes: LaneSettings = LaneSettings()
    max_attempts: int = Field(3, ge=1, le=100, description="Attempts at a generation, unless the job says.")
    lease_s: float = Field(60, ge=1, description="Renewed while the work is in hand.")


class MetadataSettings(_Section):
    """What is written into every picture, unless the job says otherwise."""

    creator: str | None = None
    copyright: str | None = None


class ShutdownSettings(_Section):
    """How the sidecar stops."""

    grace_s: float = Field(30, ge=0, description="Time for the work in hand before it is handed back.")


class LoggingSettings(_Section):
    """What the sidecar tells."""

    level: Literal["debug", "info", "warning", "error"] = "info"


class Settings(_Section):
    """All settings; every key has a default."""

    engine: EngineSettings = EngineSettings()
    models: ModelSettings = ModelSettings()
    intake: IntakeSettings = IntakeSettings()
    queue: QueueSettings = QueueSettings()
    metadata: MetadataSettings = MetadataSettings()
    shutdown: ShutdownSettings = ShutdownSettings()
    logging: LoggingSettings = LoggingSettings()


@dataclass(frozen=True, slots=True)
class EffectiveSetting:
    """One value in force, and where it came from."""

    key: str
    value: Any
    origin: str


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """The settings in force."""

    settings: Settings
    origins: Mapping[str, str]

    def list(self) -> list[EffectiveSetting]:
        """Every key with its value and origin."""
        plain = self.settings.model_dump(mode="json")
        return [EffectiveSetting(key, value, self._origin(key)) for key, value in _flatten(plain, Settings)]

    def _origin(self, key: str) -> str:
        candidates = [each for each in self.origins if key == each or key.startswith(each + ".")]
        candidates += [each for each in self.origins if each.startswith(key + ".")]
        return self.origins[candidates[0]] if candidates else "default"


def load_settings(
    library: Path, environment: Mapping[str, str], options: Mapping[str, Any] | None = None
) -> LoadedSettings:
    """Settings of a library; `options` are dotted keys from the command line. Raises ConfigError."""
    file = library / "hotfolder.yaml"
    node = _read_file(file)
    merged: dict[str, Any] = {}
    origins: dict[str, str] = {}
    if node is not None:
        plain = to_plain(node)
        merged = plain if isinstance(plain, dict) else {}
        origins |= {key: "hotfolder.yaml" for key, _ in _leaves(merged)}
    for key, value, origin in _from_environment(environment):
        _put(merged, key, value)
        origins = {each: old for each, old in origins.items() if not each.startswith(key + ".")} | {
            key: origin
        }
    for key, value in (options or {}).items():
        _put(merged, key, value)
        origins[key] = "command line"
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
    if not any(line.strip() and not line.lstrip().startswith(b"#") for line in data.splitlines()):
        return None
    try:
        nodes = parse_documents(data, "yaml")
    except JobFileError as error:
        problem = error.problems[0]
        raise ConfigError(f"{file}, line {problem.line}: {problem.message}", hint=problem.hint) from error
    if len(nodes) != 1 or nodes[0].kind != "map":
        raise ConfigError(
            f"{file} is not a mapping of sections.", hint="Write for example `engine: {path: ...}`."
        )
    return nodes[0]


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, Any, str]]:
    for name in sorted(environment):
        if name in SHORT_FORMS:
            value: Any = environment[name]
            yield (
                SHORT_FORMS[name],
                value.split(os.pathsep) if name == "HOTFOLDER_MODELS" else value,
                f"${name}",
            )
        elif name.startswith(ENVIRONMENT_PREFIX) and "__" in name and "SECRETS__" not in name:
            key = name.removeprefix(ENVIRONMENT_PREFIX).lower().replace("__", ".")
            yield key, _parse_value(name, environment[name]), f"${name}"
        elif name.startswith(ENVIRONMENT_PREFIX) and name not in NOT_SETTINGS and "SECRETS__" not in name:
            hint = f"Settings are written HOTFOLDER_SECTION__KEY. {did_you_mean(name, SHORT_FORMS)}"
            raise ConfigError(f"The environment variable {name} is no setting.", hint=hint)


def _parse_value(name: str, text: str) -> Any:
    try:
        return to_plain(parse_documents(text.encode(), "yaml")[0])
    except JobFileError as error:
        raise ConfigError(
            f"The environment variable {name} cannot be read: {error}", hint=error.hint
        ) from error


def _put(tree: dict[str, Any], key: str, value: Any) -> None:
    *sections, last = key.split(".")
    for section in sections:
        inner = tree.get(section)
        if not isinstance(inner, dict):
            inner = tree[section] = {}
        tree = inner
    tree[last] = value


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _flatten(tree: Mapping[str, Any], model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _flatten(tree[name], field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", tree[name]


def _to_config_error(
    error: ValidationError, root: Node | None, file: Path, origins: Mapping[str, str]
) -> ConfigError:
    lines, hints = [], []
    for each in error.errors(include_url=False):
        path = tuple(each["loc"])
        key = ".".join(map(str, path))
        where = _place(root, path, file, origins.get(key))
        if each["type"] == "extra_forbidden":
            lines.append(f"{where}`{key}` is not a known setting.")
            hints.append(did_you_mean(str(path[-1]), _known_keys(path[:-1])))
        else:
            lines.append(f"{where}`{key}`: {each['msg']} (found {each['input']!r}).")
            hints.append("`hotfolder config show` lists every key with its default.")
    return ConfigError("\n".join(lines), hint="\n".join(dict.fromkeys(hints)))


def _place(root: Node | None, path: tuple[str | int, ...], file: Path, origin: str | None) -> str:
    if origin is not None and origin != "hotfolder.yaml":
        return f"{origin}: "
    node = find_node(root, path) if root is not None else None
    return f"{file}, line {node.line}, column {node.column}: " if node is not None else f"{file}: "


def _known_keys(path: tuple[str | int, ...]) -> list[str]:
    model: type[BaseModel] = Settings
    for name in path:
        field = model.model_fields.get(str(name))
        if field is None:
            return list(ModelSetSettings.model_fields)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            model = field.annotation
    return list(model.model_fields)
