"""What a start finds in the inbox goes into hold/ where the settings ask for it."""

from __future__ import annotations

from pathlib import Path

from tests.intake_house import JOB, IntakeHouse


def test_everything_that_would_run_is_held_with_its_pictures_and_recipes_stay(tmp_path: Path) -> None:
    house = IntakeHouse(tmp_path / "library", intake="on_start: hold")
    try:
        for name in ("a.yaml", "moods/_folder.yaml", "moods/b.yaml", "moods/list.txt", "notes.txt"):
            house.drop(name, JOB)
        for name in ("a.png", "moods/cat.png", "rerun/old.png"):
            house.draw(name)

        house.intake.recover()

        left = [each for each in house.paths.inbox.rglob("*") if each.is_file()]
        names = sorted(each.relative_to(house.paths.inbox).as_posix() for each in left)
        assert names == [
            "hold/a.png",
            "hold/a.yaml",
            "hold/moods/b.yaml",
            "hold/moods/cat.png",
            "hold/moods/list.txt",
            "hold/rerun/old.png",
            "moods/_folder.yaml",
            "notes.txt",
        ]
    finally:
        house.close()
