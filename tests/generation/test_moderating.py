"""Every text of a job is judged by the rules, and a refusal says where the text stands."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hotfolder.app import Library
from hotfolder.domain.document import Node
from hotfolder.domain.moderation import Rule, RuleBook
from hotfolder.domain.moderation_patterns import TEXT_MAX
from hotfolder.domain.plan import JobPlan
from hotfolder.generation.moderating import PROMPT_MAX, Judgement, Moderation, PromptLog
from hotfolder.library.owner_blocks import OwnerBlockStore

RULES = RuleBook([Rule("weapons", ["gun"]), Rule(None, ["bomb"]), Rule("minors", ["child"], None, "flag")])
HEAD = "endpointKey: local.procedural.image\n"
PROMPT = HEAD + "params: {prompt: %s}\n"


def read(library: Library, text: str) -> tuple[JobPlan, Node]:
    checked = library.checker.check(text.encode(), "yaml")
    plan = checked.plans[0]
    assert isinstance(plan, JobPlan), plan
    return plan, checked.nodes[0]


def judge(library: Library, text: str, rules: RuleBook = RULES) -> Judgement:
    plan, node = read(library, text)
    return Moderation(rules, (), OwnerBlockStore(library.database)).judge(plan.job.owner, plan, node)


def places(judgement: Judgement) -> list[tuple[str, str | None, int | None, int | None]]:
    return [(each.code, each.path, each.line, each.column) for each in judgement.problems]


def test_harmless_job_is_let_through_as_it_is(library: Library) -> None:
    judgement = judge(library, PROMPT % "A bay")

    assert (judgement.verdict, judgement.problems, judgement.warnings) == ("allowed", (), ())
    assert judgement.outcome is judgement.plan


@pytest.mark.parametrize(
    ("text", "path", "line", "column"),
    [
        (PROMPT % "A G\u200bUN", "params.prompt", 2, 18),
        (HEAD + "matrix:\n  prompt:\n    - A bay\n    - A gun\n", "matrix.prompt", 5, 7),
        (PROMPT % "A bay" + "title: My gun\n", "title", 3, 8),
        (PROMPT % "A bay" + "keywords: [sea, 'gun']\n", "keywords.1", 3, 17),
        (HEAD + "preset: armed\nvars: {thing: gun}\n", "params.prompt", 2, 9),
        (PROMPT % "A bay" + "preset: armed\nvars: {thing: gun}\n", "vars.thing", 4, 15),
        (PROMPT % "A bay" + "collection: Gun\n", "collection", 3, 13),
        (PROMPT % "A bay" + "metadata: {creator: Gun}\n", "metadata.creator", 3, 21),
        (PROMPT % "A bay" + "metadata:\n  copyright: A gun\n", "metadata.copyright", 4, 14),
    ],
)
def test_blocked_text_is_found_wherever_it_stands(
    library: Library, text: str, path: str, line: int, column: int
) -> None:
    (library.paths.presets / "armed.yaml").write_text("params: {prompt: 'A {thing}'}\n")

    judgement = judge(library, text)

    assert places(judgement) == [("job.moderated", path, line, column)]
    assert judgement.verdict == "blocked"
    assert judgement.outcome == list(judgement.problems)
    assert judgement.problems[0].message == (
        f"`{path}` breaks the rule `weapons`, and this library makes no such pictures."
    )
    assert judgement.problems[0].hint


def test_every_text_of_every_picture_is_told_once(library: Library) -> None:
    text = HEAD + "params: {prompt: A bomb}\nmatrix: {seed: [1, 2, 3]}\ntitle: A gun\n"

    judgement = judge(library, text)

    assert [each.path for each in judgement.problems] == ["params.prompt", "title"]
    assert "has the word `bomb`" in judgement.problems[0].message


def test_flagged_job_asks_for_a_review_and_says_why(library: Library) -> None:
    judgement = judge(library, PROMPT % "A child on a beach")

    assert judgement.verdict == "flagged"
    outcome = judgement.outcome
    assert isinstance(outcome, JobPlan)
    assert outcome.job.review is True
    assert outcome.warnings == (
        "`params.prompt` breaks the rule `minors`: somebody looks at the pictures first.",
    )
    assert outcome.runs == judgement.plan.runs


def test_job_that_is_flagged_and_blocked_is_refused(library: Library) -> None:
    assert judge(library, PROMPT % "A child with a gun").verdict == "blocked"


def test_text_that_is_too_long_for_the_patterns_is_looked_at_by_somebody(library: Library) -> None:
    judgement = judge(library, PROMPT % ("x" * TEXT_MAX + " y"), RuleBook([Rule("p", pattern="gun")]))

    assert judgement.verdict == "flagged"
    assert "more than 20,000 characters" in judgement.warnings[0]


def test_jobs_of_a_blocked_owner_are_refused_until_the_block_is_gone(library: Library) -> None:
    blocks = OwnerBlockStore(library.database)
    given = read(library, PROMPT % "A bay" + "owner: ben\n")
    moderation = Moderation(RULES, ("carl",), blocks)
    blocks.block("ben", "sends spam", "anna")

    judgement = moderation.judge("ben", *given)

    assert places(judgement) == [("job.owner_blocked", "owner", 3, 8)]
    assert judgement.problems[0].message == "No jobs are taken from ben at present: sends spam."
    blocks.unblock("ben", "anna")
    assert moderation.judge("ben", *given).verdict == "allowed"
    assert moderation.judge(None, *given).verdict == "allowed"
    assert places(moderation.judge("carl", *given)) == [("job.owner_blocked", "owner", 3, 8)]


@pytest.mark.parametrize("name", ["Carl", " CARL", "ca\u200brl", "c\u0430rl", "Ben", "b\u200ben"])
def test_blocked_owner_does_not_come_in_under_a_name_that_reads_alike(library: Library, name: str) -> None:
    blocks = OwnerBlockStore(library.database)
    blocks.block("ben", None, "anna")
    moderation = Moderation(RULES, ("carl",), blocks)

    judgement = moderation.judge(name, *read(library, PROMPT % "A bay"))

    assert [each.code for each in judgement.problems] == ["job.owner_blocked"]


def test_what_is_the_submitters_own_is_not_looked_at(library: Library) -> None:
    assert judge(library, PROMPT % "A bay" + "extra: {note: gun}\nid: gun\nowner: gun\n").verdict == "allowed"


def test_prompts_are_logged_one_a_line_with_what_became_of_them(library: Library) -> None:
    prompts = PromptLog(library.paths.logs / "prompts.jsonl", lambda: datetime(2026, 11, 21, 3, tzinfo=UTC))
    matrix = HEAD + 'owner: ben\nmatrix: {prompt: ["A bay", "Ein\\nMeer ü"], seed: [1, 2]}\n'

    prompts.write("1", judge(library, matrix))
    prompts.write("2", judge(library, PROMPT % "A gun"))
    prompts.write("3", judge(library, PROMPT % "A child"))

    lines = [
        json.loads(each) for each in (library.paths.logs / "prompts.jsonl").read_text("utf-8").splitlines()
    ]
    assert lines[0] == {
        "at": "2026-11-21T03:00:00.000Z",
        "jobId": "1",
        "owner": "ben",
        "endpoint": "local.procedural.image",
        "prompt": "A bay",
        "verdict": "allowed",
    }
    assert [(each["jobId"], each["prompt"], each["verdict"]) for each in lines[1:]] == [
        ("1", "Ein\nMeer ü", "allowed"), ("2", "A gun", "blocked"), ("3", "A child", "flagged"),
    ]  # fmt: skip


def test_prompt_log_is_put_aside_when_it_is_large(library: Library) -> None:
    file = library.paths.logs / "prompts.jsonl"
    prompts = PromptLog(file, lambda: datetime.now(UTC), max_bytes=10_000, backups=2)
    judgement = judge(library, PROMPT % ("A bay " * 50))

    for number in range(100):
        prompts.write(str(number), judgement)

    files = sorted(library.paths.logs.glob("prompts.jsonl*"))
    assert [each.name for each in files] == ["prompts.jsonl", "prompts.jsonl.1", "prompts.jsonl.2"]
    assert max(each.stat().st_size for each in files) <= 10_000
    assert {each.stat().st_mode & 0o777 for each in files} == {0o600}
    lines = [json.loads(each) for one in reversed(files) for each in one.read_text("utf-8").splitlines()]
    assert [each["jobId"] for each in lines] == [str(number) for number in range(100 - len(lines), 100)]


def test_long_prompt_is_cut_in_the_log(library: Library) -> None:
    file = library.paths.logs / "prompts.jsonl"
    PromptLog(file, lambda: datetime.now(UTC)).write("1", judge(library, PROMPT % ("x" * 100_000)))

    assert json.loads(file.read_text("utf-8"))["prompt"] == "x" * PROMPT_MAX + "…"


def test_prompt_log_that_cannot_be_written_keeps_no_job(
    library: Library, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    judgement = judge(library, PROMPT % "A bay")
    full = Path("/dev/full")
    (tmp_path / "taken").write_text("")

    for file in (tmp_path / "taken" / "prompts.jsonl", *([full] if full.exists() else [])):
        PromptLog(file, lambda: datetime.now(UTC)).write("1", judgement)

    assert {each.levelname for each in caplog.records} == {"WARNING"}
    assert "the prompts of job 1 could not be logged" in caplog.text
