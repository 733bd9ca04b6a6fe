"""Which settings are in force, where each came from, and what is said about wrong ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hotfolder.config import LoadedSettings, load_settings
from hotfolder.errors import ConfigError
from hotfolder.settings import ModelSetSettings, Settings, as_section


def load(
    folder: Path,
    text: str = "",
    env: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
) -> LoadedSettings:
    (folder / "hotfolder.yaml").write_text(text, encoding="utf-8")
    return load_settings(folder, env or {}, options)


def refused(folder: Path, text: str = "", env: Mapping[str, str] | None = None) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(folder, text, env)
    return caught.value


def origins(loaded: LoadedSettings) -> dict[str, str]:
    return {each.key: each.origin for each in loaded.list()}


def test_library_without_a_settings_file_has_all_defaults(tmp_path: Path) -> None:
    loaded = load_settings(tmp_path, {})

    assert loaded.settings == Settings()
    assert set(origins(loaded).values()) == {"default"}


def test_every_key_of_every_section_says_what_it_means() -> None:
    sections: list[Any] = [Settings, ModelSetSettings]
    missing = []
    for section in sections:
        for name, field in section.model_fields.items():
            if not field.description:
                missing.append(f"{section.__name__}.{name}")
            if inner := as_section(field.annotation):
                sections.append(inner)

    assert len(sections) == 18
    assert missing == []


def test_every_listed_setting_has_a_value_a_meaning_and_an_origin(tmp_path: Path) -> None:
    listed = load(tmp_path).list()

    assert len(listed) == len({each.key for each in listed}) == 58
    assert all(each.description and each.origin == "default" for each in listed)
    assert next(each.value for each in listed if each.key == "queue.lanes.io") == 8


def test_environment_wins_over_the_file_and_the_command_line_over_both(tmp_path: Path) -> None:
    text = (
        "intake: {settle_ms: 100, max_job_bytes: 2000}\nqueue: {max_attempts: 5}\nlogging: {level: debug}\n"
    )
    env = {"HOTFOLDER_INTAKE__SETTLE_MS": "200", "HOTFOLDER_QUEUE__MAX_ATTEMPTS": "6"}

    loaded = load(tmp_path, text, env, {"queue.max_attempts": 7})

    assert loaded.settings.intake.settle_ms == 200
    assert loaded.settings.queue.max_attempts == 7
    assert loaded.settings.logging.level == "debug"
    found = origins(loaded)
    assert found["intake.settle_ms"] == "$HOTFOLDER_INTAKE__SETTLE_MS"
    assert found["queue.max_attempts"] == "command line"
    assert found["intake.max_job_bytes"] == found["logging.level"] == "hotfolder.yaml"
    assert found["queue.lease_s"] == "default"


def test_three_levels_of_keys_are_reached_from_the_environment(tmp_path: Path) -> None:
    assert load(tmp_path, "", {"HOTFOLDER_QUEUE__LANES__IO": "3"}).settings.queue.lanes.io == 3


def test_short_forms_win_over_the_file_and_are_named_as_origins(tmp_path: Path) -> None:
    env = {"HOTFOLDER_ENGINE": "/opt/cn-engine", "HOTFOLDER_MODELS": "/b:/c"}

    loaded = load(tmp_path, "engine: {path: /old}\nmodels: {roots: [/a]}\n", env)

    assert loaded.settings.engine.path == "/opt/cn-engine"
    assert loaded.settings.models.roots == ["/a", "/b", "/c"], "HOTFOLDER_MODELS is added"
    assert origins(loaded)["engine.path"] == "$HOTFOLDER_ENGINE"
    assert origins(loaded)["models.roots"] == "hotfolder.yaml, $HOTFOLDER_MODELS"


def test_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    env = {"HOTFOLDER_ENGINE": "", "HOTFOLDER_MODELS": "", "HOTFOLDER_LOGGING__LEVEL": ""}

    assert load(tmp_path, "engine: {path: /x}\n", env).settings.engine.path == "/x"
    assert load(tmp_path, "", env).settings == Settings()


def test_text_settings_take_the_words_as_written(tmp_path: Path) -> None:
    env = {"HOTFOLDER_METADATA__CREATOR": "Studio: North #1"}

    loaded = load(tmp_path, "metadata: {copyright: 2026}\nengine: {env: {DEVICE: 01}}\n", env)

    assert loaded.settings.metadata.copyright == "2026"
    assert loaded.settings.engine.env == {"DEVICE": "01"}
    assert loaded.settings.metadata.creator == "Studio: North #1"


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "---\n", "---\n# nothing\n...\n", "engine:\nmodels:\n  sets:\n"]
)
def test_keys_without_a_value_keep_their_defaults(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, text).settings == Settings()


def test_relative_paths_of_the_file_are_meant_from_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library, elsewhere = tmp_path / "library", tmp_path / "elsewhere"
    library.mkdir()
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    text = "engine: {path: bin/cn}\nmodels: {roots: [m, ~/n]}\nintake: {allowed_roots: [../shared]}\n"

    found = load(library, text, {"HOTFOLDER_MODELS": "here"}).settings

    assert found.engine.path == str(library / "bin/cn")
    assert found.models.roots == [str(library / "m"), "~/n", str(elsewhere / "here")]
    assert found.intake.allowed_roots == [str(library / "../shared")]


def test_engine_that_is_a_bare_name_is_left_to_the_search_path(tmp_path: Path) -> None:
    assert load(tmp_path, "engine: {path: cn-engine-2}\n").settings.engine.path == "cn-engine-2"


def test_unknown_key_names_the_nearest_one_with_file_line_and_column(tmp_path: Path) -> None:
    error = refused(tmp_path, "engine:\n  path: /x\n  fallbak: none\n")

    assert f"{tmp_path / 'hotfolder.yaml'}, line 3, column 3: `engine.fallbak`" in error.message
    assert error.hint == "Did you mean `fallback`?"
    assert error.code == "config.invalid"


def test_unknown_section_names_the_nearest_one(tmp_path: Path) -> None:
    error = refused(tmp_path, "# mine\nengin: {path: /x}\n")

    assert "line 2, column 1: `engin` is not a known setting." in error.message
    assert error.hint == "Did you mean `engine`?"


def test_unknown_key_without_a_value_is_told_too(tmp_path: Path) -> None:
    assert "`engin` is not a known setting" in refused(tmp_path, "engin:\n").message


def test_unknown_key_of_a_model_set_names_those_of_model_sets(tmp_path: Path) -> None:
    error = refused(tmp_path, "models:\n  sets:\n    klein: {diffusion_model: a, vea: b}\n")

    assert "line 3, column 33: `models.sets.klein.vea`" in error.message
    assert error.hint == "Did you mean `vae`?"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "intake:\n  settle_ms: soon\n",
            'line 2, column 3: `intake.settle_ms` is "soon"; expected a whole number.',
        ),
        ("intake:\n  settle_ms: 5\n", "`intake.settle_ms` is 5; expected at least 50."),
        ("queue: {lanes: {gpu: 17}}\n", "line 1, column 17: `queue.lanes.gpu` is 17; expected at most 1."),
        ("queue: {lanes: {gpu: true}}\n", "`queue.lanes.gpu` is true; expected a whole number."),
        ("engine: {stall_s: 0}\n", "`engine.stall_s` is 0; expected more than 0."),
        ("engine: 5\n", "line 1, column 1: `engine` is 5; expected a section with keys below it."),
        (
            "models:\n  roots: /srv\n",
            'line 2, column 3: `models.roots` is "/srv"; expected a list, such as [a, b].',
        ),
        ("models: {roots: [[1]]}\n", "`models.roots.0` is [1]; expected text."),
        ("logging: {level: loud}\n", "is \"loud\"; expected 'debug', 'info', 'warning' or 'error'."),
        (
            "models: {sets: {a: {vae: b}}}\n",
            "column 17: `models.sets.a.diffusion_model` is missing; expected text.",
        ),
    ],
)
def test_wrong_value_is_told_with_its_place_and_what_was_expected(
    tmp_path: Path, text: str, said: str
) -> None:
    assert said in refused(tmp_path, text).message


def test_wrong_value_is_explained_by_the_meaning_and_the_default_of_its_key(tmp_path: Path) -> None:
    hint = refused(tmp_path, "intake: {settle_ms: soon}\n").hint

    meaning = "A file is complete when unchanged for so long; 500, and 5000 on network file systems."
    assert hint == f"`settle_ms`: {meaning} Default: nothing."


def test_all_faults_of_the_file_are_told_at_once(tmp_path: Path) -> None:
    error = refused(tmp_path, "engin: {}\nintake: {settle_ms: soon}\nloging: {}\n")

    assert error.message.count("\n") == 2


def test_value_from_the_environment_is_blamed_on_its_variable(tmp_path: Path) -> None:
    wrong = refused(tmp_path, "intake: {settle_ms: 100}\n", {"HOTFOLDER_INTAKE__SETTLE_MS": "soon"})
    unknown = refused(tmp_path, "", {"HOTFOLDER_ENGINE__PTAH": "/x"})
    section = refused(tmp_path, "", {"HOTFOLDER_ENGIN__PATH": "/x"})

    assert wrong.message.startswith("$HOTFOLDER_INTAKE__SETTLE_MS: `intake.settle_ms`")
    assert unknown.message.startswith("$HOTFOLDER_ENGINE__PTAH: `engine.ptah`")
    assert unknown.hint == "Did you mean `path`?"
    assert section.message.startswith("$HOTFOLDER_ENGIN__PATH: `engin`")


def test_value_in_the_environment_that_is_not_yaml_names_the_variable(tmp_path: Path) -> None:
    assert "HOTFOLDER_QUEUE__LANES" in refused(tmp_path, "", {"HOTFOLDER_QUEUE__LANES": "{io: "}).message


def test_variable_without_a_section_is_an_error_with_the_nearest_name(tmp_path: Path) -> None:
    error = refused(tmp_path, "", {"HOTFOLDER_ENGINE_PATH": "/x"})

    assert "HOTFOLDER_ENGINE_PATH is not a setting" in error.message
    assert "HOTFOLDER_SECTION__KEY" in (error.hint or "")
    assert "Did you mean `HOTFOLDER_ENGINE__PATH`?" in (error.hint or "")


def test_variables_that_others_read_are_not_settings(tmp_path: Path) -> None:
    env = {
        "HOTFOLDER_LIBRARY": "/x",
        "HOTFOLDER_PROCEDURAL_FAULT": "crash",
        "HOTFOLDER_PROCEDURAL_ANYTHING_NEW": "1",
        "HOTFOLDER_SECRETS__FAL": "k",
        "PATH": "/bin",
    }

    assert load(tmp_path, "", env).settings == Settings()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("engine: {path: a, path: b}\nqueue: {", "line 1, column 19"),
        ("engine:\n\tpath: /x\n", "line 2"),
        ("- a\n", "is not a mapping of sections"),
        ("a: 1\n---\nb: 2\n", "is not a mapping of sections"),
    ],
)
def test_file_that_cannot_be_read_is_named_with_the_place(tmp_path: Path, text: str, said: str) -> None:
    error = refused(tmp_path, text)

    assert "hotfolder.yaml" in error.message
    assert said in error.message


def test_settings_file_that_is_a_folder_is_a_known_failure(tmp_path: Path) -> None:
    (tmp_path / "hotfolder.yaml").mkdir()

    with pytest.raises(ConfigError, match="cannot be read"):
        load_settings(tmp_path, {})


def test_listed_values_can_be_written_as_json(tmp_path: Path) -> None:
    loaded = load(tmp_path, "models: {sets: {a: {diffusion_model: b.gguf}}}\n")

    found = {each.key: each.value for each in loaded.list()}

    flags = json.loads(json.dumps(found))["models.sets"]["a"]["flags"]
    assert (flags["offload_to_cpu"], flags["flash_attn"], flags["llm_on_cpu"]) == (True, True, None)
    assert origins(loaded)["models.sets"] == "hotfolder.yaml"


def test_a_pattern_that_could_run_away_is_named_when_the_settings_are_read(tmp_path: Path) -> None:
    text = "moderation:\n  rules:\n    - {pattern: '(a+)+$', action: block}\n"

    message = str(refused(tmp_path, text))

    assert "line 1, column 1: `moderation.rules[0].pattern` can take more than" in message
