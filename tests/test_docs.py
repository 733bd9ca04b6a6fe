from __future__ import annotations

import re
from pathlib import Path

from hotfolder.domain.document import parse_documents, to_plain
from hotfolder.domain.job import NOT_SUPPORTED, JobFile
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
