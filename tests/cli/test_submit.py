"""hotfolder validate and submit: all problems are told, and what is dropped arrives whole."""

from __future__ import annotations

import os
from pathlib import Path
from zipfile import ZipFile

import pytest

from hotfolder.domain.document import parse_documents, to_plain
from tests import pictures
from tests.cli.conftest import Command
from tests.scenarios.service import JOB

BROKEN = "endpointKey: local.procedurall.image\ntitel: x\nparams: {prompt: x, steps: many}\n"


def write(name: str, text: str = JOB) -> Path:
    path = Path.cwd() / name
    path.write_text(text, encoding="utf-8")
    return path


def dropped(root: Path) -> list[str]:
    return sorted(each.name for each in (root / "inbox").iterdir() if each.is_file())


def test_validate_of_sound_files_says_so(on: Command) -> None:
    outcome = on(
        "validate",
        write("a.yaml"),
        write("b.json", '{"endpointKey": "local.procedural.image", "params": {"prompt": "x"}}'),
    )

    assert outcome.code == 0
    assert [line.rsplit(": ", 1)[1] for line in outcome.out.splitlines()] == ["sound", "sound"]


def test_validate_tells_every_problem_of_every_file_with_its_place(on: Command) -> None:
    outcome = on("validate", write("a.yaml", BROKEN), write("b.yaml", "a: [\n"), write("c.yaml"))

    lines = [line for line in outcome.out.splitlines() if not line.startswith(" ")]
    assert outcome.code == 1
    assert [line.split(": ")[0] for line in lines] == [
        *(f"{Path.cwd()}/a.yaml:{place}" for place in ("1:14", "2:1", "3:28")),
        f"{Path.cwd()}/b.yaml:2:1",
        f"{Path.cwd()}/c.yaml",
    ]
    assert [line.rsplit(" ", 1)[1] for line in lines[:3]] == [
        "[job.unknown_endpoint]",
        "[job.unknown_key]",
        "[job.invalid_params]",
    ]
    assert "    Did you mean `title`?" in outcome.out


def test_validate_as_json_is_an_array_with_the_problems_of_each_file(on: Command) -> None:
    outcome = on("validate", "--json", write("a.yaml", BROKEN), write("b.yaml"))

    broken, sound = outcome.json
    assert outcome.code == 1
    assert sound == {"file": str(Path.cwd() / "b.yaml"), "problems": []}
    assert broken["problems"][1] == {
        "code": "job.unknown_key",
        "line": 2,
        "column": 1,
        "path": "titel",
        "message": "`titel` is not a known key.",
        "hint": "Did you mean `title`?",
    }


def test_file_of_a_wrong_extension_is_a_problem_that_hides_no_other(on: Command) -> None:
    files = (write("job.txt"), write("b.yaml", BROKEN))

    outcome = on("validate", *files)

    assert outcome.code == 1
    assert outcome.out.startswith(
        f"{files[0]}: The name is not that of a job file. [job.parse]\n    Job files end"
    )
    assert "b.yaml:1:14" in outcome.out
    assert len(on("validate", "--json", *files).json) == 2


def test_problems_of_references_are_told_with_the_others(on: Command) -> None:
    file = write("a.yaml", JOB + "refs:\n  - gone.png\n---\n" + BROKEN)

    outcome = on("validate", file)

    assert "a.yaml:4:5: The reference `gone.png` is not there." in outcome.out
    assert "a.yaml:6:14" in outcome.out


def test_validate_inside_the_library_holds_references_to_the_rules_of_the_inbox(
    on: Command, root: Path
) -> None:
    pictures.quartered((8, 8)).save(Path.cwd() / "a.png")
    text = JOB + f"refs: [{Path.cwd() / 'a.png'}]\n"
    (root / "inbox" / "a.yaml").write_text(text, encoding="utf-8")

    assert "[job.ref_refused]" in on("validate", root / "inbox" / "a.yaml").out
    assert on("validate", write("b.yaml", text)).code == 0, "submit would take the picture along"


def test_names_and_prompts_do_not_reach_the_terminal_raw(on: Command) -> None:
    text = 'endpointKey: "\\e[31mx\\x9b"\nparams: {prompt: x}\n'

    for arguments in (("validate",), ("validate", "--json"), ("submit",)):
        outcome = on(*arguments, write("a\x1b]0;x\x07\nb.yaml", text))

        assert outcome.code == 1
        assert not set("\x1b\x07\x9b") & set(outcome.out + outcome.err)


def test_submit_prints_the_id_that_it_put_into_the_file(on: Command, root: Path) -> None:
    text = "# my job\n" + JOB

    outcome = on("submit", write("a.yaml", text))

    job_id = outcome.out.strip()
    assert outcome.code == 0
    assert (root / "inbox" / "a.yaml").read_text(encoding="utf-8") == text.replace(
        "endpointKey", f"id: {job_id}\nendpointKey"
    )


def test_submit_as_json_is_an_array_of_ids(on: Command, root: Path) -> None:
    two = JOB + "id: mine\n---\n" + JOB
    outcome = on("submit", "--json", write("a.yaml", two), write("b.yaml"))

    (first, second, third) = outcome.json
    assert first == {"jobId": "mine", "jobFile": "a.yaml"}
    assert (second["jobFile"], third["jobFile"]) == ("a.yaml", "b.yaml")
    assert len({each["jobId"] for each in outcome.json}) == 3


def test_taken_name_in_the_inbox_is_not_overwritten(on: Command, root: Path) -> None:
    on("submit", write("a.yaml"))
    on("submit", write("a.yaml"))

    assert dropped(root) == ["a.yaml", "a~2.yaml"]


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        (".draft.yaml", "draft.yaml"),
        ("~$a.json", "a.json"),
        ("_folder.yaml", "folder.yaml"),
        ("_.yaml", "_.yaml"),
        (".yaml", "job.yaml"),
    ],
)
def test_name_that_the_inbox_passes_over_is_changed(on: Command, root: Path, name: str, inside: str) -> None:
    text = '{"endpointKey": "local.procedural.image", "params": {"prompt": "x"}}'

    assert on("submit", write(name, text)).code == 0
    assert dropped(root) == [inside]


def test_submit_with_problems_drops_nothing_at_all_and_tells_them(on: Command, root: Path) -> None:
    outcome = on("submit", write("good.yaml"), write("bad.yaml", BROKEN), write("c.txt"))

    assert (outcome.code, outcome.out) == (1, "")
    assert f"{Path.cwd()}/bad.yaml:1:14: There is no endpoint" in outcome.err
    assert f"{Path.cwd()}/c.txt: " in outcome.err
    assert outcome.err.endswith("Nothing was submitted.\n")
    assert dropped(root) == []


def test_job_with_a_picture_is_dropped_as_one_bundle(on: Command, root: Path) -> None:
    pictures.quartered((8, 8)).save(Path.cwd() / "a.png")
    text = "# mine\n" + JOB + "refs: [../elsewhere/a.png]  # the bay\n"

    outcome = on("submit", "--json", write("bay.yaml", text))

    (job,) = outcome.json
    assert job["jobFile"] == "bay.zip"
    assert dropped(root) == ["bay.zip"]
    assert list((root / "refs").iterdir()) == []
    with ZipFile(root / "inbox" / "bay.zip") as bundle:
        assert bundle.namelist() == ["job.yaml", "refs/a.png"]
        assert bundle.read("refs/a.png") == (Path.cwd() / "a.png").read_bytes()
        assert bundle.read("job.yaml").decode() == text.replace(
            "endpointKey", f"id: {job['jobId']}\nendpointKey"
        ).replace("../elsewhere/a.png", '"refs/a.png"')


@pytest.mark.parametrize("name", ["a\x1bb.yaml", "a\\b.json", "c:d.yml", os.fsdecode(b"\xff.yaml")])
def test_strange_name_of_the_file_is_not_that_of_the_job_in_its_bundle(
    on: Command, root: Path, name: str
) -> None:
    pictures.quartered((8, 8)).save(Path.cwd() / "a.png")
    text = '{"endpointKey": "local.procedural.image", "params": {"prompt": "x"}, "refs": ["a.png"]}'

    assert on("submit", write(name, text)).code == 0

    assert dropped(root) == [f"{Path(name).stem}.zip"]
    with ZipFile(root / "inbox" / dropped(root)[0]) as bundle:
        assert bundle.namelist()[0] == f"job{Path(name).suffix}"


def test_file_of_several_jobs_stays_a_file_and_its_pictures_are_stored(on: Command, root: Path) -> None:
    pictures.quartered((8, 8)).save(Path.cwd() / "a.png")
    one = JOB + "refs: [a.png]\n"

    assert on("submit", write("two.yaml", f"{one}---\n{one}")).code == 0

    assert dropped(root) == ["two.yaml"]
    assert len(list((root / "refs").iterdir())) == 1


def test_second_bundle_does_not_replace_the_first(on: Command, root: Path) -> None:
    pictures.quartered((8, 8)).save(Path.cwd() / "a.png")
    write("a.yaml", JOB + "refs: [a.png]\n")

    assert on("submit", "a.yaml").code == on("submit", "a.yaml").code == 0

    assert dropped(root) == ["a.zip", "a~2.zip"]


def test_pictures_larger_than_a_bundle_may_be_are_told_and_nothing_is_dropped(
    on: Command, root: Path
) -> None:
    pictures.quartered((200, 200)).save(Path.cwd() / "a.bmp")
    (root / "hotfolder.yaml").write_text("intake: {bundle_max_bytes: 1024}\n")

    outcome = on("submit", write("a.yaml", JOB + "refs: [a.bmp]\n"))

    assert (outcome.code, dropped(root)) == (1, [])
    assert "[job.bundle_refused]" in outcome.err


def test_picture_elsewhere_on_the_disk_is_taken_along(on: Command, root: Path) -> None:
    pictures.quartered((64, 64)).save(Path.cwd() / "a.png")
    write("a.yaml", JOB + "refs: [./a.png]\n")

    assert on("submit", "a.yaml").code == 0
    (Path.cwd() / "a.png").unlink()
    outcome = on("run", "--once", "--json")

    assert outcome.code == 0, outcome.err
    assert outcome.json[0]["status"] == "completed"


def test_library_that_cannot_be_written_to_is_a_known_failure(on: Command, root: Path) -> None:
    file = write("a.yaml", JOB.replace("\n", "\n" + "# long enough to count\n", 1))
    (root / "inbox" / "hold").rmdir()
    (root / "inbox").rmdir()
    (root / "inbox").write_bytes(b"")

    outcome = on("submit", file)

    assert outcome.code == 1
    assert "[library.unusable]" in outcome.err


def test_id_without_a_value_is_filled_so_that_the_wait_finds_its_job(on: Command, root: Path) -> None:
    job_id = on("submit", write("a.yaml", JOB + "id:\n")).out.strip()

    (node,) = parse_documents((root / "inbox" / "a.yaml").read_bytes(), "yaml")
    plain = to_plain(node)
    assert isinstance(plain, dict)
    assert plain["id"] == job_id
