"""The settings of a library: every key with its default and what it means."""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.fields import FieldInfo

from hotfolder.domain.document import Node, to_plain
from hotfolder.domain.moderation import Rule, RuleBook
from hotfolder.errors import ConfigError


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class EngineSettings(_Section):
    """How the engine is found and how long it may take."""

    path: str | None = Field(
        None, description="The cn-engine binary; without it PATH and LIBRARY/engines are searched."
    )
    fallback: Literal["none", "procedural"] = Field(
        "none", description="Without engine or models: fail (none), or draw test pictures that say so."
    )
    preload: str = Field(
        "none", description="What is loaded at the start: none, last, or a model set by name."
    )
    stall_s: float = Field(120, gt=0, description="A busy engine that is silent for so long has hung.")
    load_timeout_s: float = Field(300, gt=0, description="Longest time to load a model.")
    generate_timeout_s: float = Field(600, gt=0, description="Longest time for one picture.")
    env: dict[str, str] = Field(default_factory=dict, description="Added to the engine's environment.")


class LoadFlags(_Section):
    """The switches of cn-engine's load command, under its names."""

    offload_to_cpu: bool = Field(True, description="Keep weights in main memory until they are used.")
    flash_attn: bool = Field(True, description="Flash attention.")
    diffusion_flash_attn: bool | None = Field(
        None, description="Flash attention in the diffusion model only."
    )
    vae_conv_direct: bool | None = Field(None, description="Direct convolution in the VAE.")
    llm_on_cpu: bool | None = Field(None, description="Run the text encoder on the processor.")
    vae_on_cpu: bool | None = Field(None, description="Run the VAE on the processor.")
    n_threads: int | None = Field(None, description="Threads of the processor to use.")
    tensor_type_rules: str | None = Field(None, description="Which tensors are converted to which type.")
    upscale_offload_to_cpu: bool | None = Field(None, description="As offload_to_cpu, for the upscaler.")
    upscale_direct: bool | None = Field(None, description="Direct convolution in the upscaler.")
    upscale_n_threads: int | None = Field(None, description="Threads for the upscaler.")
    upscale_tile_size: int | None = Field(None, description="Edge of a tile in pixels.")


class ModelSetSettings(_Section):
    """The files of one model; relative paths are looked up in models.roots, then LIBRARY/models."""

    diffusion_model: str = Field(description="The diffusion model (*.gguf, *.safetensors).")
    vae: str | None = Field(None, description="The autoencoder, where it is a file of its own.")
    llm: str | None = Field(None, description="The text encoder, where it is a file of its own.")
    upscale_model: str | None = Field(None, description="The model that enlarges pictures.")
    flags: LoadFlags = Field(LoadFlags(), description="How cn-engine loads the model.")


class ModelSettings(_Section):
    """Where models are and how their files belong together."""

    roots: list[str] = Field(
        default_factory=list, description="Folders with model files; LIBRARY/models is always searched."
    )
    sets: dict[str, ModelSetSettings] = Field(
        default_factory=dict, description="Model sets by name: the files that belong together."
    )


class IntakeSettings(_Section):
    """When a dropped file is complete, what it may name, and what becomes of it."""

    settle_ms: int | None = Field(
        None,
        ge=50,
        description="A file is complete when unchanged for so long; 500, and 5000 on network file systems.",
    )
    refs_timeout_s: float = Field(
        900, ge=0, description="So long does a job wait for missing references; 0 fails it at once."
    )
    allowed_roots: list[str] = Field(
        default_factory=list, description="Folders outside the library whose pictures jobs may name as refs."
    )
    require_end_marker: bool = Field(
        False, description="A YAML job file is complete only when its last line is `...`."
    )
    max_job_bytes: int = Field(1024 * 1024, ge=1024, description="Largest job file.")
    bundle_max_bytes: int = Field(
        2 * 1024**3, ge=1024, description="Most bytes that a bundle (*.job folder, .zip) may hold, unpacked."
    )
    refs: Literal["move", "leave"] = Field(
        "move", description="A reference from the inbox joins the library once used (move), or stays (leave)."
    )
    failed_layout: Literal["flat", "dated"] = Field(
        "flat", description="Failed job files lie in failed/ itself, or below it by YYYY/MM/DD."
    )
    on_start: Literal["process", "hold"] = Field(
        "process", description="Job files found at start are taken in, or moved into hold/."
    )

    @property
    def settle_s(self) -> float | None:
        """In seconds; None lets the file system decide."""
        return None if self.settle_ms is None else self.settle_ms / 1000


class ImportFolderSettings(_Section):
    """A folder outside the library whose new pictures are imported."""

    path: str = Field(description="The folder.")
    mode: Literal["copy", "move", "reference"] = Field("copy", description="What becomes of the files there.")
    recursive: bool = Field(True, description="Folders below it count too.")
    keywords: list[str] = Field(default_factory=list, description="Given to every picture from there.")
    collection: str | None = Field(None, description="Every picture from there joins it.")


class FolderSettings(_Section):
    """Which folders are watched, and what they are called."""

    vocabulary: Literal["hotfolder", "aem", "distiller", "ame", "switch"] = Field(
        "hotfolder", description="What the working folders are called: as here, or as in a system you know."
    )
    imports: list[ImportFolderSettings] = Field(
        default_factory=list, alias="import", description="Folders outside the library to import from."
    )


class LaneSettings(_Section):
    """How many items of each kind run at the same time."""

    gpu: int = Field(
        1, ge=1, le=1, description="Pictures in the making at the same time: one engine makes one."
    )
    cpu: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        le=256,
        description="Finished pictures taken into the library at the same time; one a core by default.",
    )
    io: int = Field(8, ge=1, le=256, description="Results and deliveries written at the same time.")


class QueueSettings(_Section):
    """How work is shared out and repeated."""

    lanes: LaneSettings = Field(LaneSettings(), description="How many items of each kind run at once.")
    max_attempts: int = Field(3, ge=1, le=100, description="Attempts at a picture, unless the job says.")
    lease_s: float = Field(
        60, ge=1, description="Work that no sidecar has renewed for so long is taken up again."
    )
    aging_s: float = Field(
        600, ge=0, description="A point of priority is worth so many seconds of waiting; 0: strict order."
    )
    lane_tags: dict[str, list[str]] = Field(
        default_factory=dict,
        description="What a lane can do, such as gpu: [high-vram]; a lane that is not named can do all.",
    )
    history_days: float = Field(
        30, gt=0, description="Ended work and the events of ended jobs are kept for so long."
    )
    history_events: int = Field(
        500_000, ge=1000, description="More events than this are not kept: the oldest go first."
    )


class OwnerLimits(_Section):
    """How much one owner may ask for; what is left out is not limited."""

    folder: str | None = Field(None, description="Jobs dropped below inbox/FOLDER belong to this owner.")
    active_jobs: int | None = Field(None, ge=1, description="Jobs in the queue and running at one time.")
    submissions_per_minute: float | None = Field(None, gt=0, description="Jobs a minute, on average.")
    backlog: int | None = Field(
        None, ge=0, description="Jobs that wait because of limits; with more the API says that it is busy."
    )
    priority_default: int | None = Field(None, ge=-100, le=100, description="Of jobs that name none.")
    priority_max: int | None = Field(None, ge=-100, le=100, description="Higher ones are lowered to it.")


class LimitSettings(_Section):
    """When jobs wait although nothing is wrong with them."""

    queue_depth: int | None = Field(
        None, ge=2, description="With so many jobs queued those of low priority wait, until half are left."
    )
    low_priority_below: int = Field(
        0, ge=-100, le=100, description="A lower priority than this is low, for queue_depth."
    )
    owners: dict[str, OwnerLimits] = Field(
        default_factory=dict, description="Limits by owner; `default` is for all that are not named."
    )


class CreditCost(_Section):
    """What a picture costs: the sum of its parts, times the factor of its endpoint."""

    picture: float = Field(1, ge=0, description="For each picture.")
    megapixel: float = Field(0, ge=0, description="For each million pixels of it.")
    step: float = Field(0, ge=0, description="For each step.")
    endpoints: dict[str, Annotated[float, Field(ge=0)]] = Field(
        default_factory=dict, description="A factor by endpointKey; 1 where none is given."
    )


class CreditSettings(_Section):
    """What jobs cost, and what happens without credit."""

    enabled: bool = Field(False, description="Jobs cost credits.")
    daily: float = Field(0, ge=0, description="Every day a balance is raised to at least so much.")
    cost: CreditCost = Field(CreditCost(), description="What a picture costs.")
    approval_over: float | None = Field(None, ge=0, description="A larger grant waits for a second actor.")
    without: Literal["fail", "wait"] = Field("fail", description="What a job without credit does.")
    daily_cap: float | None = Field(None, ge=0, description="Most that an owner may spend in a day.")
    reject_refund: float = Field(
        0, ge=0, le=1, description="The part that comes back when a picture is discarded in review."
    )
    boost: float | None = Field(
        None, gt=0, description="What a point of priority above the owner's highest costs a picture."
    )


class ModerationRule(_Section):
    """Words or a pattern, and what becomes of a job whose text has them."""

    name: str | None = Field(None, description="What the report calls the rule.")
    words: list[str] = Field(default_factory=list, description="Whole words or phrases, in any case.")
    pattern: str | None = Field(None, description="A regular expression, in any case.")
    action: Literal["block", "flag"] = Field("block", description="Refuse the job, or have it reviewed.")


class ModerationSettings(_Section):
    """Which prompts are refused or looked at."""

    rules: list[ModerationRule] = Field(default_factory=list, description="All of them are looked at.")
    blocked_owners: list[str] = Field(default_factory=list, description="Whose jobs are refused.")
    log_prompts: bool = Field(False, description="Write every prompt to logs/prompts.jsonl.")

    @model_validator(mode="after")
    def _can_be_looked_for(self) -> ModerationSettings:
        try:
            RuleBook([Rule(**each.model_dump()) for each in self.rules])
        except ConfigError as error:
            raise ValueError(str(error)) from error
        return self


class MetadataSettings(_Section):
    """What is written into every picture, unless the job says otherwise."""

    creator: str | None = Field(None, description="Who made the pictures.")
    copyright: str | None = Field(None, description="Who owns the pictures.")


class ApiSettings(_Section):
    """What programs may leave out."""

    default_endpoint: str | None = Field(
        None, description="What POST /v1/images/generations uses when the request names none."
    )


class WebSettings(_Section):
    """Where the web is served, and to whom."""

    host: str = Field("127.0.0.1", description="The address to listen at; 0.0.0.0 or :: for all of them.")
    port: int = Field(8001, ge=0, le=65535, description="The port to listen at; 0 takes a free one.")
    private: bool = Field(False, description="Nobody may look without a login or a token.")
    allowed_hosts: list[str] = Field(
        default_factory=list, description="Further names by which browsers reach this server."
    )


class ShutdownSettings(_Section):
    """How the sidecar stops."""

    grace_s: float = Field(30, ge=0, description="Time for the work in hand before it is handed back.")


class LoggingSettings(_Section):
    """What the sidecar tells."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least that is logged; prompts appear at debug only."
    )
    json_lines: bool = Field(False, alias="json", description="One JSON object a line instead of text.")
    max_bytes: int = Field(
        10_000_000, ge=10_000, description="logs/hotfolder.log is put aside when it is larger."
    )
    backups: int = Field(5, ge=0, le=1000, description="So many of the logs put aside are kept.")


class Settings(_Section):
    """All settings; every key has a default."""

    engine: EngineSettings = Field(EngineSettings(), description="How the engine is found.")
    models: ModelSettings = Field(ModelSettings(), description="Where the models are.")
    intake: IntakeSettings = Field(IntakeSettings(), description="When a dropped file is complete.")
    folders: FolderSettings = Field(FolderSettings(), description="Which folders are watched.")
    queue: QueueSettings = Field(QueueSettings(), description="How work is shared out and repeated.")
    limits: LimitSettings = Field(LimitSettings(), description="When jobs wait for others.")
    credits: CreditSettings = Field(CreditSettings(), description="What jobs cost.")
    moderation: ModerationSettings = Field(ModerationSettings(), description="Which prompts are refused.")
    metadata: MetadataSettings = Field(MetadataSettings(), description="What is written into pictures.")
    api: ApiSettings = Field(ApiSettings(), description="What programs may leave out.")
    web: WebSettings = Field(WebSettings(), description="Where the web is served, and to whom.")
    shutdown: ShutdownSettings = Field(ShutdownSettings(), description="How the sidecar stops.")
    logging: LoggingSettings = Field(LoggingSettings(), description="What the sidecar tells.")


def iter_keys(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every dotted key with its description; what a user names (model sets) stays below its key."""
    for name, field in fields_of(model).items():
        inner = as_section(field.annotation)
        if inner is not None:
            yield from iter_keys(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field.description or ""


def fields_of(section: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a section under the keys that a user writes."""
    return {field.alias or name: field for name, field in section.model_fields.items()}


def as_section(annotation: Any) -> type[BaseModel] | None:
    """The section that a type is, or None."""
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def inner_type(annotation: Any, step: str | int) -> Any:
    """The type one step below another; None where there is no such key."""
    section = as_section(annotation)
    if section is not None:
        field = fields_of(section).get(str(step))
        return field.annotation if field else None
    return get_args(annotation)[-1] if get_origin(annotation) in (dict, list) else None


def takes_text(annotation: Any) -> bool:
    """Whether a type is text, one of some words, or either of them or nothing."""
    if get_origin(annotation) is Literal:
        return True
    return all(each in (str, NoneType) for each in get_args(annotation) or (annotation,))


def to_values(node: Node, annotation: Any) -> Any:
    """Plain values as a type reads them: text takes a scalar as written, a key without value its default."""
    if node.kind == "map":
        inner = [(str(each.key.value), each.value) for each in node.value]
        types = {key: inner_type(annotation, key) for key, _ in inner}
        return {
            key: to_values(value, types[key])
            for key, value in inner
            if value.kind != "null" or types[key] in (None, Any)
        }
    if node.kind == "list":
        return [to_values(each, inner_type(annotation, 0)) for each in node.value]
    if takes_text(annotation) and node.plain and node.kind in ("integer", "number", "boolean"):
        return node.written
    return to_plain(node)
