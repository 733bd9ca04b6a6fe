"""hotfolder owners: who is blocked, why and by whom, at a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Command


@pytest.fixture(autouse=True)
def person(monkeypatch: pytest.MonkeyPatch) -> None:
    """The person at the keyboard is `rita`."""
    monkeypatch.setenv("LOGNAME", "rita")


def test_owner_is_blocked_with_a_reason_and_unblocked(on: Command) -> None:
    blocked = on("owners", "block", " mallory ", "--reason", "sends spam")

    assert (blocked.code, blocked.out) == (0, "Jobs of mallory are refused from now on.\n")
    (told,) = on("owners", "list", "--json").json
    assert (told["owner"], told["reason"], told["actor"]) == ("mallory", "sends spam", "rita")
    assert on("owners", "list").out.splitlines()[1].split()[0] == "mallory"
    assert on("owners", "unblock", "Mallory").out == "Jobs of Mallory are taken again.\n"
    assert on("owners", "list").out == "Nobody is blocked.\n"


def test_who_is_not_blocked_is_told(on: Command) -> None:
    refused = on("owners", "unblock", "anna")

    assert refused.code == 1
    assert "anna is not blocked." in refused.err


def test_owner_blocked_by_the_settings_is_listed_and_stays_blocked(on: Command, root: Path) -> None:
    (root / "hotfolder.yaml").write_text("moderation: {blocked_owners: [carl]}\n", encoding="utf-8")
    on("owners", "block", "carl")

    told = on("owners", "list", "--json").json
    unblocked = on("owners", "unblock", "carl")

    assert [(each["owner"], each["actor"]) for each in told] == [
        ("carl", "rita"), ("carl", "moderation.blocked_owners"),
    ]  # fmt: skip
    assert "still refuses them" in unblocked.err


def test_job_of_a_blocked_owner_is_refused_by_validate(on: Command, tmp_path: Path) -> None:
    job = tmp_path / "job.yaml"
    job.write_text("endpointKey: local.procedural.image\nparams: {prompt: A bay}\nowner: Mallory\n")
    on("owners", "block", "mallory", "--reason", "spam")

    checked = on("validate", job)

    assert checked.code == 1
    assert "job.owner_blocked" in checked.err + checked.out
