"""What graphics cards have in use, as the tools of their makers tell it."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hotfolder.engine.graphics import GraphicsCard, find_tool, parse_nvidia, parse_rocm, read_cards
from hotfolder.gpu_watch import GpuWatch
from tests.scenarios.service import wait_for

NVIDIA = """\
0, NVIDIA GeForce RTX 4090, 1024, 24564, 37
1, Odd, Name, [N/A], 16384, [Not Supported]
"""
ROCM = json.dumps(
    {
        "card0": {
            "GPU use (%)": "12",
            "VRAM Total Memory (B)": "17163091968",
            "VRAM Total Used Memory (B)": "27475968",
            "Card Series": "Radeon RX 7900 XT",
        },
        "system": {"Driver version": "6.3"},
    }
)

Install = Callable[[str, str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a program of this name and these lines of Python where tools are looked for, and nothing else."""
    tools = tmp_path / "tools"
    tools.mkdir()
    monkeypatch.setenv("PATH", str(tools))

    def write(name: str, source: str) -> None:
        (tools / name).write_text(f"#!{sys.executable}\n{source}\n")
        (tools / name).chmod(0o755)

    return write


def test_nvidia_tells_mebibytes_and_percent() -> None:
    assert parse_nvidia(NVIDIA) == [
        GraphicsCard("0", "NVIDIA GeForce RTX 4090", 1024 * 2**20, 24564 * 2**20, 0.37),
        GraphicsCard("1", "Odd, Name", None, 16384 * 2**20, None),
    ]


def test_rocm_tells_bytes_as_text() -> None:
    assert parse_rocm(ROCM) == [GraphicsCard("0", "Radeon RX 7900 XT", 27475968, 17163091968, 0.12)]


@pytest.mark.parametrize("text", ["", "No devices were found\n", "0, a, 1\n"])
def test_lines_that_tell_of_no_card_are_passed_over(text: str) -> None:
    assert parse_nvidia(text) == []


def test_cards_are_asked_of_the_tool_that_is_there(install: Install) -> None:
    assert find_tool() is None
    install("rocm-smi", f"print('''{ROCM}''')")
    assert find_tool() == "rocm-smi"
    assert [each.gpu for each in read_cards("rocm-smi")] == ["0"]
    install("nvidia-smi", f"print('''{NVIDIA}''', end='')")

    assert find_tool() == "nvidia-smi"
    assert [each.gpu for each in read_cards("nvidia-smi")] == ["0", "1"]


@pytest.mark.parametrize(
    "source", ["raise SystemExit(9)", "print('no JSON')", "print('[1]')", "import time; time.sleep(60)"]
)
def test_tool_that_fails_or_hangs_tells_nothing(install: Install, source: str) -> None:
    install("rocm-smi", source)

    began_at_s = time.monotonic()
    assert read_cards("rocm-smi", timeout_s=1.0) == []
    assert time.monotonic() - began_at_s < 10


def test_tool_is_not_handed_the_secrets(
    install: Install, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REPLICATE_API_TOKEN", "r8_secret")
    seen = tmp_path / "seen"
    install("nvidia-smi", f"import os; open({str(seen)!r}, 'w').write(repr(dict(os.environ)))")

    read_cards("nvidia-smi")

    assert "r8_secret" not in seen.read_text()


def test_figures_are_written_for_others_to_read(install: Install, tmp_path: Path) -> None:
    install("nvidia-smi", f"print('''{NVIDIA}''', end='')")
    path = tmp_path / "gpus"
    watch = GpuWatch(path, every_s=60.0)

    watch.start()
    wait_for(path.exists, "figures")
    watch.stop()

    first, _ = json.loads(path.read_bytes())
    assert first == {
        "gpu": "0",
        "name": "NVIDIA GeForce RTX 4090",
        "usedBytes": 1024 * 2**20,
        "totalBytes": 24564 * 2**20,
        "utilization": 0.37,
    }


@pytest.mark.usefixtures("install")
def test_without_a_tool_nothing_is_written_and_old_figures_go(tmp_path: Path) -> None:
    path = tmp_path / "gpus"
    path.write_text("[]")
    watch = GpuWatch(path)

    watch.start()
    watch.stop()

    assert not path.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_folder_that_takes_no_file_ends_nothing(install: Install, tmp_path: Path) -> None:
    install("nvidia-smi", "print('0, A, 1, 2, 3')")
    (tmp_path / "run").mkdir(mode=0o500)
    watch = GpuWatch(tmp_path / "run" / "gpus", every_s=0.01)

    watch.start()
    watch.stop()

    assert list((tmp_path / "run").iterdir()) == []
