"""Graphics cards: the memory and load that the tools of their makers tell.

Sources: `nvidia-smi --help-query-gpu`; `rocm-smi --showmeminfo vram --showuse --showproductname --json`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hotfolder.engine.process import build_child_environment

TIMEOUT_S: Final = 5.0
"""A driver that hangs keeps its tool from answering."""
_MIB: Final = 1024 * 1024
_NVIDIA: Final = (
    "nvidia-smi",
    "--query-gpu=index,name,memory.used,memory.total,utilization.gpu",
    "--format=csv,noheader,nounits",
)
_ROCM: Final = ("rocm-smi", "--showmeminfo", "vram", "--showuse", "--showproductname", "--json")


@dataclass(frozen=True, slots=True)
class GraphicsCard:
    """One card; what its tool does not tell is None. `utilization` is a part of 1."""

    gpu: str
    name: str
    used_bytes: int | None
    total_bytes: int | None
    utilization: float | None


def find_tool() -> str | None:
    """The tool that this machine has, if any."""
    return next((each[0] for each in (_NVIDIA, _ROCM) if shutil.which(each[0])), None)


def read_cards(tool: str, timeout_s: float = TIMEOUT_S) -> list[GraphicsCard]:
    """What the tool tells now; nothing when it fails or takes too long."""
    command, parse = _TOOLS[tool]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_s,
            env=build_child_environment(os.environ, {}),
            check=True,
        )
        return parse(done.stdout.decode("utf-8", "replace"))
    except (OSError, subprocess.SubprocessError, ValueError):
        return []


def parse_nvidia(text: str) -> list[GraphicsCard]:
    """Lines of `0, NVIDIA GeForce RTX 4090, 1024, 24564, 37`, in MiB and percent; `[N/A]` where unknown."""
    rows = [[each.strip() for each in line.split(",")] for line in text.splitlines() if line.strip()]
    return [
        GraphicsCard(
            gpu=row[0],
            name=", ".join(row[1:-3]),
            used_bytes=_scaled(row[-3], _MIB),
            total_bytes=_scaled(row[-2], _MIB),
            utilization=_part(row[-1]),
        )
        for row in rows
        if len(row) >= 5
    ]


def parse_rocm(text: str) -> list[GraphicsCard]:
    """An object of cards by name, each an object of texts, with memory in bytes."""
    found = json.loads(text)
    cards = found.items() if isinstance(found, dict) else ()
    return [
        _to_card(name, card) for name, card in cards if name.startswith("card") and isinstance(card, dict)
    ]


def _to_card(name: str, card: Mapping[str, Any]) -> GraphicsCard:
    return GraphicsCard(
        gpu=name.removeprefix("card"),
        name=str(card.get("Card series") or card.get("Card Series") or "AMD"),
        used_bytes=_scaled(card.get("VRAM Total Used Memory (B)"), 1),
        total_bytes=_scaled(card.get("VRAM Total Memory (B)"), 1),
        utilization=_part(card.get("GPU use (%)")),
    )


def _scaled(text: str | None, unit: int) -> int | None:
    try:
        return int(text or "") * unit
    except ValueError:
        return None


def _part(text: str | None) -> float | None:
    percent = _scaled(text, 1)
    return None if percent is None else percent / 100


_TOOLS: Final[Mapping[str, tuple[tuple[str, ...], Callable[[str], list[GraphicsCard]]]]] = {
    _NVIDIA[0]: (_NVIDIA, parse_nvidia),
    _ROCM[0]: (_ROCM, parse_rocm),
}
