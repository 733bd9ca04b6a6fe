from __future__ import annotations

import re
from pathlib import Path

import pytest

from hotfolder.domain.document import parse_documents, to_plain
from hotfolder.domain.job import NOT_SUPPORTED, JobFile
from hotfolder.engine import procedural_faults
from hotfolder.settings import iter_keys

ROOT = Path(__file__).parent.parent
CODE = re.compile(r'(?:code=|default_code(?:: ClassVar\[str\])? = |Problem\(\s*|else )"([a-z]+\.[a-z_]+)"')


def test_every_error_code_of_the_source_stands_in_the_table() -> None:
    table = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    used = {
        code for file in (ROOT / "hotfolder").rglob("*.py") for code in CODE.findall(file.read_text("utf-8"))
    }

    assert len(used) > 30
    assert {code for code in used if f"`{code}`" not in table} == set()


def test_every_setting_stands_in_the_documentation_with_its_default() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")

    missing = [key for key, _ in iter_keys() if f"| `{key}` |" not in text]

    assert missing == []


def test_every_job_key_stands_in_the_documentation() -> None:
    text = (ROOT / "docs" / "job-files.md").read_text(encoding="utf-8")
    keys = [field.alias or name for name, field in JobFile.model_fields.items()]

    assert [key for key in [*keys, *NOT_SUPPORTED] if f"`{key}`" not in text] == []


def test_job_file_of_the_readme_is_sound_yaml() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"((?:    .*\n)*    endpointKey: .*\n(?:    .*\n)*)", text)
    assert block is not None
    lines = [line.removeprefix("    ") for line in block[1].splitlines()]

    job = to_plain(parse_documents("\n".join(lines).encode(), "yaml")[0])

    assert isinstance(job, dict)
    assert job["params"]["aspectRatio"] == "3:2"


def test_every_test_that_the_documentation_names_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "intake-rules.md").read_text(encoding="utf-8")))
    found = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    }

    assert named - found == set()


def test_every_module_that_the_protocol_names_is_there_and_every_check_of_engines_is_named() -> None:
    text = (ROOT / "docs" / "engine-protocol.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_/]+\.(?:py|json))`", text))

    assert len(named) > 30
    assert {name for name in named if not (ROOT / "hotfolder" / name).is_file()} == set()
    checks = {f"engine/{path.name}" for path in (ROOT / "hotfolder" / "engine").glob("conformance*.py")}
    assert checks <= named


def test_every_error_code_and_setting_that_the_protocol_names_is_known() -> None:
    text = (ROOT / "docs" / "engine-protocol.md").read_text(encoding="utf-8")
    settings = {key for key, _ in iter_keys()}
    codes = re.findall(r"`(engine\.[a-z_]+)`", (ROOT / "docs" / "errors.md").read_text(encoding="utf-8"))

    named = set(re.findall(r"`(engine\.[a-z_]+)`", text))

    assert named - settings - set(codes) == set()


def test_every_fault_of_the_embedded_engine_stands_in_its_table() -> None:
    table = procedural_faults.__doc__ or ""
    with pytest.raises(procedural_faults.UnknownFault, match="one of: ") as unknown:
        procedural_faults.parse_fault("?")
    known = str(unknown.value).partition("one of: ")[2].removesuffix(" (error:CODE)").split(", ")

    assert len(known) > 15
    assert [each for each in known if not re.search(rf"^    {each}[: ]|`none`", table, re.MULTILINE)] == []
