"""hotfolder review: what waits is listed, and decided as in the browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hotfolder.app import Library, open_library
from hotfolder.cli.opening import user_name
from hotfolder.cli.review import review
from hotfolder.config import load_settings
from hotfolder.library.collections import CollectionStore
from tests.cli.conftest import Command, Outcome
from tests.scenarios.service import JOB, Service

Review = Callable[..., Outcome]


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """A library with a job of four pictures that wait, on which no sidecar runs."""
    made = Service(tmp_path_factory.mktemp("reviewed") / "library")
    made.drop("four.yaml", JOB + "review: true\ncount: 4\n")
    assert made.run_once() == 0, made.output()
    return made


@pytest.fixture
def library(reviewed: Service) -> Iterator[Library]:
    opened = open_library(reviewed.root, load_settings(reviewed.root, {}))
    yield opened
    opened.close()


@pytest.fixture
def on_review(reviewed: Service, capsys: pytest.CaptureFixture[str]) -> Review:
    """Runs one command of the group."""

    def run(*arguments: str) -> Outcome:
        capsys.readouterr()
        code = review.main(list(arguments), obj=Path(reviewed.root), standalone_mode=False)
        return Outcome(code or 0, *capsys.readouterr())

    return run


def test_pictures_are_listed_and_decided_by_name(on_review: Review, library: Library) -> None:
    first, second, third, _ = ids = [each.media_id for each in library.review_desk.list_awaiting(9)]
    assert [each["mediaId"] for each in on_review("list", "--json").json] == ids
    assert on_review("list", "--limit", "1").out.splitlines()[-1] == "and 3 more"

    accepted = on_review("accept", first.upper(), second, "--collection", "Best")
    discarded = on_review("discard", third, "nothing")

    assert (accepted.code, accepted.out) == (0, f"{first}: accepted\n{second}: accepted\n")
    assert CollectionStore(library.database).list_media("Best") == [first, second]
    assert (discarded.code, discarded.out) == (1, f"{third}: discarded\n")
    assert "There is no picture nothing" in discarded.err
    assert [each["mediaId"] for each in on_review("list", "--json").json] == ids[3:]
    events = [each for each in library.database.list_events(0) if "review" in each.data]
    assert {each.actor for each in events} == {user_name()}


def test_job_is_shown_without_the_pictures_that_were_discarded(
    command: Command, reviewed: Service, on_review: Review, library: Library
) -> None:
    gone = library.review_desk.list_awaiting(1)[0]
    on_review("discard", gone.media_id)
    job_id = library.generations.get(str(gone.generation_id)).job_id
    on = lambda *more: command("--library", reviewed.root, "jobs", "show", job_id, *more)  # noqa: E731

    assert f"{gone.file_path}  {gone.width} x" not in on().out
    outputs = [each for made in on("--json").json["generations"] for each in made["outputs"]]

    assert gone.media_id not in {each["mediaId"] for each in outputs}
    assert {each["review"] for each in outputs} <= {"accepted", "awaiting"}
