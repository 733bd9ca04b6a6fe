"""hotfolder submit and validate: a job file on its way into the inbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath, PurePosixPath

import click

from hotfolder.app import Library
from hotfolder.cli.following import find_job, follow
from hotfolder.cli.opening import find_root, opened, unusable
from hotfolder.cli.output import format_problem, json_option, one_line, print_json, problem_object, say
from hotfolder.clock import new_id
from hotfolder.domain.document import Node, decode_text, format_of, parse_documents, to_plain
from hotfolder.domain.generation import RETRYABLE
from hotfolder.errors import JobFileError, Problem
from hotfolder.files.bundles import ZIP_SUFFIX
from hotfolder.files.packing import Parcel, write_bundle
from hotfolder.files.storage import write_to_free_name
from hotfolder.generation.context import RecipeUnsound
from hotfolder.generation.finding import Beside
from hotfolder.generation.submission import Submission, build_submission
from hotfolder.watchers.ignore import is_ignored
from hotfolder.watchers.inbox_files import is_job_file

_FILES = click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
)


@click.command()
@_FILES
@json_option
@click.pass_context
def validate(context: click.Context, files: Sequence[Path], as_json: bool) -> int:
    """Print all problems of job files; exit 1 if there are any."""
    root = find_root(context).resolve()
    found: dict[Path, list[Problem]] = {}
    for file in files:
        options = None if file.resolve().is_relative_to(root) else _anywhere()
        with opened(context, None, options) as library:
            found[file] = _examine(library, file).problems
    if as_json:
        print_json(
            [
                {"file": str(file), "problems": [problem_object(each) for each in problems]}
                for file, problems in found.items()
            ]
        )
    else:
        for file, problems in found.items():
            _print_problems(file, problems)
            if not problems:
                say(f"{one_line(str(file))}: sound")
    return 1 if any(found.values()) else 0


@click.command()
@_FILES
@click.option("--wait", is_flag=True, help="Follow until the jobs have ended, with progress.")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0),
    default=3600.0,
    show_default=True,
    help="Longest wait in seconds.",
)
@json_option
@click.pass_context
def submit(context: click.Context, files: Sequence[Path], wait: bool, timeout_s: float, as_json: bool) -> int:
    """Check job files, then drop them into the inbox. Local references go with them."""
    with opened(context, None, _anywhere()) as library:
        candidates = [_examine_to_submit(library, file) for file in dict.fromkeys(files)]
        if not _are_sound(candidates):
            return 1
        submissions = [_pack(library, each) for each in candidates]
        if not _are_sound(candidates):
            return 1
        ids = [job_id for each in submissions for job_id in each.ids]
        runs = _runs_so_far(library, ids)
        dropped = [_drop(library, *each) for each in zip(candidates, submissions, strict=True)]
        library.nudge()
        if wait:
            return follow(library, ids, runs, timeout_s=timeout_s, as_json=as_json)
    if as_json:
        print_json([each for objects in dropped for each in objects])
    else:
        for each in ids:
            say(one_line(each))
    return 0


@dataclass(slots=True)
class _Candidate:
    """A file that may become jobs: what was read of it, and what is wrong with it."""

    file: Path
    text: str = ""
    nodes: list[Node] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def _anywhere() -> Mapping[str, object]:
    """Whoever submits a picture from outside the library may read it, and sends it along."""
    return {"intake.allowed_roots": [Path.cwd().anchor]}


def _examine_to_submit(library: Library, file: Path) -> _Candidate:
    """As it will lie at the top of the inbox; what lies in the inbox already needs nobody to drop it."""
    if file.resolve().is_relative_to(library.paths.inbox.resolve()):
        message = "The file lies in the inbox already: the service takes it from there."
        hint = "Start the service if none runs: hotfolder run. `hotfolder jobs list` shows the job."
        return _Candidate(file, problems=[Problem("job.duplicate_id", message, hint)])
    return _examine(library, file)


def _examine(library: Library, file: Path) -> _Candidate:
    """Every problem of a file, those of references included."""
    document_format = format_of(file.name)
    if document_format is None:
        message = "The name is not that of a job file."
        hint = "Job files end in .yaml, .yml, .json or .jsonl."
        return _Candidate(file, problems=[Problem("job.parse", message, hint)])
    try:
        data = file.read_bytes()
        checked = library.checker.check(data, document_format, _inbox_folder(library, file))
    except JobFileError as error:
        return _Candidate(file, problems=error.problems)
    except RecipeUnsound as error:
        return _Candidate(file, problems=[Problem(error.code, error.message, error.hint)])
    except OSError as error:
        message = f"The file cannot be read: {error.strerror or error}."
        return _Candidate(file, problems=[Problem("job.parse", message, "Check its permissions.")])
    problems = checked.problems + library.checker.check_references(checked, Beside(file.parent))
    problems.sort(key=lambda each: (each.line or 0, each.column or 0))
    return _Candidate(file, decode_text(data), checked.written, problems)


def _inbox_folder(library: Library, file: Path) -> PurePosixPath:
    """The folder whose recipe a file in the inbox inherits from; submitted ones go to its top."""
    inbox, folder = library.paths.inbox.resolve(), file.resolve().parent
    return PurePosixPath(folder.relative_to(inbox).as_posix() if folder.is_relative_to(inbox) else ".")


def _are_sound(candidates: Sequence[_Candidate]) -> bool:
    """Whether nothing is wrong with any; else tells what."""
    for each in candidates:
        _print_problems(each.file, each.problems, err=True)
    sound = not any(each.problems for each in candidates)
    if not sound:
        say("Nothing was submitted.", err=True)
    return sound


def _print_problems(file: Path, problems: Sequence[Problem], *, err: bool = False) -> None:
    for problem in problems:
        say(format_problem(problem, str(file)), err=err)


def _pack(library: Library, candidate: _Candidate) -> Submission:
    """The text to drop; an id that belongs to another job already is one more problem."""
    submission = build_submission(
        candidate.text,
        candidate.nodes,
        candidate.file.parent,
        library.paths,
        new_id,
        bundle_max_bytes=library.settings.intake.bundle_max_bytes,
    )
    nodes = parse_documents(submission.text.encode(), format_of(candidate.file.name) or "yaml")
    for job_id, node, place in zip(submission.ids, nodes, candidate.nodes, strict=True):
        if _belongs_to_another(library, job_id, node):
            message = f"The id `{job_id}` belongs to another job already."
            hint = "Choose a new id, or leave it out."
            problem = Problem("job.duplicate_id", message, hint, place.line, place.column, "id")
            candidate.problems.append(problem)
    return submission


def _belongs_to_another(library: Library, job_id: str, node: Node) -> bool:
    """Whether a job that will not run again has this id, with another content: the inbox would refuse."""
    job = find_job(library, job_id)
    if job is None or job.status in RETRYABLE:
        return False
    earlier = parse_documents(job.text, job.document_format, max_bytes=len(job.text))
    return to_plain(earlier[0]) != to_plain(node)


def _runs_so_far(library: Library, ids: Sequence[str]) -> dict[str, int]:
    """How often the jobs that a repeat runs again have run: their earlier end is not the one to wait for."""
    found = {job_id: find_job(library, job_id) for job_id in ids}
    return {job_id: job.run for job_id, job in found.items() if job is not None and job.status in RETRYABLE}


def _drop(library: Library, candidate: _Candidate, submission: Submission) -> list[dict[str, str]]:
    """Write the file, or its bundle, into the inbox under a free name, all at once; gives its jobs."""
    inbox, name, data = library.paths.inbox, _inbox_name(candidate.file), submission.text.encode()
    try:
        if submission.enclosed:
            # Inside, the name is always good: a bundle with a strange one in it would be refused.
            parcel = Parcel(f"job{PurePath(name).suffix}", data, submission.enclosed)
            name = write_bundle(inbox, PurePath(name).stem + ZIP_SUFFIX, parcel, new_id()).name
        else:
            name = write_to_free_name(inbox, name, data).name
    except OSError as error:
        raise unusable(library.paths.root, error) from error
    return [{"jobId": each, "jobFile": name} for each in submission.ids]


def _inbox_name(file: Path) -> str:
    """The file's name, without what would make the inbox pass it over (`.draft.yaml`, `_folder.yaml`)."""
    if is_job_file(PurePath(file.name)) and not is_ignored(file.name):
        return file.name
    name = file.name.lstrip("._~$")
    return name if format_of(name) else f"job.{format_of(file.name)}"
