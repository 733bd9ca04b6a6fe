"""What becomes of wishes for models, on real engines: granted, tried again, given up, forgotten."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hotfolder.database import Database
from hotfolder.engine.manager import EngineCommand, EngineManager, EngineStatus, EngineTimeouts
from hotfolder.engine.memory import Shortage
from hotfolder.engine.messages import LoadParams
from hotfolder.engine.supervision import RestartPolicy
from hotfolder.engine_keeper import EngineKeeper
from hotfolder.engines import Engines
from hotfolder.events import Doorbell
from hotfolder.library.control import WANTED_MODEL, ControlStore
from hotfolder.migrations import migrate
from tests.scenarios.service import wait_for

ROUGH_ENGINE = Path(__file__).parent / "engine" / "rough_engine.py"
QUICK = RestartPolicy(0.02, 3)


class House:
    """Two engines with two models, a keeper for each start, and what the engines were told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        migrate(folder / "library.db")
        self.database = Database(folder / "library.db")
        self.control = ControlStore(self.database)
        self.doorbell = Doorbell()
        self.statuses: list[EngineStatus] = []
        self.sets = {name: LoadParams(self.write(f"{name}.gguf", "sound")) for name in ("four", "nine")}
        self.managers = {kind: self._manage(kind) for kind in ("sdcpp", "cn-engine")}
        self.keeper: EngineKeeper | None = None

    def write(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text, encoding="utf-8")
        return str(self.folder / name)

    def _manage(self, kind: str) -> EngineManager:
        log = {"ROUGH_ENGINE_LOG": str(self.folder / f"{kind}.log")}
        command = EngineCommand(kind, (sys.executable, "-S", str(ROUGH_ENGINE)), log)
        return EngineManager(command, EngineTimeouts(start_s=1.0), self.statuses.append, QUICK)

    def start(self, preload: str = "none") -> None:
        """As the service does; an earlier one is stopped before."""
        if self.keeper is not None:
            self.stop()
        self.keeper = EngineKeeper(
            Engines(self.managers),
            self.sets,
            self.control,
            self.doorbell,
            preload=preload,
            find_last=lambda: None,
            tries=QUICK,
        )
        self.keeper.start()

    def stop(self) -> None:
        if self.keeper is not None:
            self.keeper.stop(10.0)
        for each in self.managers.values():
            each.stop()

    def wish(self, value: str) -> None:
        self.control.put(WANTED_MODEL, value, "tests")
        self.doorbell.ring()

    def commands(self, kind: str, cmd: str) -> list[dict[str, Any]]:
        try:
            lines = (self.folder / f"{kind}.log").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        sent = [json.loads(json.loads(line)["line"]) for line in lines]
        return [each for each in sent if each["cmd"] == cmd]

    def loads(self, kind: str = "cn-engine") -> list[str]:
        return [Path(each["params"]["diffusion_model"]).stem for each in self.commands(kind, "load")]

    def wait_for_end(self, wish: str) -> None:
        """Until the newest wish is granted or given up."""
        at = self.control.find(WANTED_MODEL)
        wait_for(lambda: (told := self.control.find("engine.granted")) and at and told.value == at.at, wish)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.stop()
    made.database.close()


def test_model_whose_load_kills_the_engine_is_tried_three_times_and_no_more(house: House) -> None:
    house.write("nine.gguf", "deadly")
    house.wish("nine")
    house.start()

    house.wait_for_end("the third try")

    assert house.loads() == ["nine"] * 3
    (told,) = [each for each in house.statuses if each.problem and "given up" in each.problem]
    assert (told.kind, told.state) == ("cn-engine", "error")
    assert "nine is not loaded, after 3 tries" in (told.problem or "")
    assert "SIGABRT" in (told.problem or "")
    house.start()
    house.wish("sdcpp/four")
    house.wait_for_end("the next wish")
    assert (house.loads(), house.loads("sdcpp")) == (["nine"] * 3, ["four"])


def test_model_that_finds_too_little_memory_is_tried_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: Iterator[Any] = iter([Shortage(9000, 1000), None, None])
    monkeypatch.setattr("hotfolder.engine.model_checks.find_shortage", lambda *_: next(answers))
    house.wish("sdcpp/four")
    house.start()

    house.wait_for_end("a load")

    assert house.loads("sdcpp") == ["four"]


def test_model_that_the_engine_refuses_is_not_tried_again_and_told(house: House) -> None:
    house.sets["broken"] = LoadParams(house.write("broken.gguf", ""))
    house.wish("broken")
    house.start()

    house.wait_for_end("a refusal")

    assert house.loads() == ["broken"]
    assert "broken is not loaded, after 1 tries" in (house.statuses[-1].problem or "")


@pytest.mark.parametrize("ill", ["sdcpp", "cn-engine"])
def test_unload_gives_the_memory_of_all_engines_back_also_when_one_is_ill(house: House, ill: str) -> None:
    for each in house.managers.values():
        each.load(house.sets["four"])
    os.kill(house.managers[ill].status().pid or 0, signal.SIGSTOP)
    house.wish("")
    house.start()

    house.wait_for_end("an unload")

    assert [each.model_info for each in house.managers.values()] == [None, None]


def test_wish_that_was_granted_in_an_earlier_run_is_over_at_the_next_start(house: House) -> None:
    house.wish("")
    house.start(preload="four")
    house.wait_for_end("nothing to unload")
    assert house.loads() == []

    house.start(preload="four")
    wait_for(lambda: house.loads() == ["four"], "the preload")
    house.wish("nine")
    house.wait_for_end("a load")
    house.start(preload="four")

    wait_for(lambda: house.loads() == ["four", "nine", "four"], "the preload again")


def test_wish_that_was_made_while_no_service_ran_comes_before_the_preload(house: House) -> None:
    house.wish("nine")
    house.start(preload="four")

    house.wait_for_end("a load")

    assert house.loads() == ["nine"]
