"""Result and status objects, and the report for people, from what the library knows (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hotfolder.domain.estimate import Estimate
from hotfolder.domain.instants import elapsed_ms
from hotfolder.domain.wording import one_line
from hotfolder.library.generations import Generation
from hotfolder.library.jobs import Job
from hotfolder.library.media import Media

RESULT_SCHEMA = "hotfolder/result@1"
_SURE_S, _SURE_PART = 3.0, 0.5
_UNITS = ((3600, "h"), (60, "min"))


def build_head(job: Job) -> dict[str, Any]:
    """What result and status files begin with."""
    return {
        "schema": RESULT_SCHEMA,
        "jobId": job.job_id,
        "jobFile": job.job_file,
        "status": job.status,
        "owner": job.owner,
        "createdAt": job.created_at,
        "startedAt": job.started_at,
        "completedAt": job.completed_at,
        "endpointKey": job.endpoint_key,
        "extra": dict(job.extra),
    }


def build_result(job: Job, generations: Sequence[tuple[Generation, Sequence[Media]]]) -> dict[str, Any]:
    """The result object `hotfolder/result@1`."""
    return {
        **build_head(job),
        "generations": [_build_generation(generation, media) for generation, media in generations],
        "error": dict(job.error) if job.error else None,
    }


def _build_generation(generation: Generation, media: Sequence[Media]) -> dict[str, Any]:
    return {
        "generationId": generation.generation_id,
        "status": generation.status,
        "seed": generation.seed,
        "attempts": generation.attempts,
        "startedAt": generation.started_at,
        "completedAt": generation.completed_at,
        "params": generation.sent_params,
        "metrics": {
            "totalTimeMs": generation.total_time_ms,
            "queueWaitMs": elapsed_ms(generation.created_at, generation.started_at),
            "promptCacheHit": generation.prompt_cache_hit,
            "refLatentCacheHit": generation.ref_latent_cache_hit,
            "workerId": generation.worker_id,
        },
        "outputs": [_build_output(each) for each in media],
        "warnings": list(generation.warnings),
        "error": dict(generation.error) if generation.error else None,
    }


def _build_output(media: Media) -> dict[str, Any]:
    return {
        "mediaId": media.media_id,
        "path": media.file_path,
        "sha256": media.sha256,
        "pixelSha256": media.pixel_sha256,
        "width": media.width,
        "height": media.height,
        "bytes": media.file_size,
        "mimeType": media.mime_type,
    }


def build_progress(
    generations: Sequence[Generation],
    latest: Mapping[str, Mapping[str, Any]],
    queue_position: int | None,
    left: Estimate | None = None,
) -> dict[str, Any]:
    """How far a job is; the percentage counts whole pictures and the steps of the ones at work.

    `left` is what earlier pictures tell of the time until its end, the wait in the queue included.
    """
    total = len(generations)
    ended = sum(each.status not in ("pending", "processing") for each in generations)
    current = next((each for each in generations if each.status == "processing"), None)
    data = latest.get(current.generation_id, {}) if current else {}
    step, steps = data.get("currentStep"), data.get("totalSteps")
    fraction = min(max(step / steps, 0.0), 1.0) if step is not None and steps else 0.0
    return {
        "stage": data.get("stage"),
        "currentStep": step,
        "totalSteps": steps,
        "percentage": round(100 * (ended + fraction) / total, 1) if total else 0.0,
        "currentImage": min(ended + 1, total) if current else ended,
        "totalImages": total,
        "etaSeconds": round(left.likely_s, 1) if left else _eta_s(data, total - ended - 1),
        "etaRangeSeconds": [round(left.low_s, 1), round(left.high_s, 1)] if left else None,
        "queuePosition": queue_position,
    }


def _eta_s(data: Mapping[str, Any], more: int) -> float | None:
    """From the engine's own average step time; None before it is known."""
    step_time_s, step, steps = data.get("stepTimeS"), data.get("currentStep"), data.get("totalSteps")
    if not step_time_s or step is None or not steps:
        return None
    return round(float(step_time_s) * int(steps - step + more * steps), 1)


def build_status(job: Job, progress: Mapping[str, Any]) -> dict[str, Any]:
    """The object of status/<job_id>.json."""
    return {
        **build_head(job),
        "progress": dict(progress),
        "waitsFor": list(job.waits_for),
        "waitsUntil": job.waits_until,
        "waitReason": job.wait_reason,
    }


def build_status_line(job: Job, progress: Mapping[str, Any]) -> str:
    """The one line of status/<job_id>.txt."""
    parts = [one_line(job.file_name), job.status.replace("_", " ")]
    if job.waits_for:
        parts.append("lacks " + ", ".join(map(one_line, job.waits_for)))
    if job.wait_reason:
        parts.append(one_line(job.wait_reason))
    if job.status == "queued" and progress["queuePosition"] is not None:
        parts.append(f"{progress['queuePosition']} ahead")
    if progress["totalImages"] > 1:
        parts.append(f"picture {progress['currentImage']} of {progress['totalImages']}")
    if progress["stage"]:
        step = f" {progress['currentStep']}/{progress['totalSteps']}" if progress["totalSteps"] else ""
        parts.append(f"{progress['stage']}{step}")
    if progress["percentage"]:
        parts.append(f"{progress['percentage']:.0f} %")
    return ", ".join(filter(None, [*parts, describe_time_left(progress)]))


def describe_time_left(progress: Mapping[str, Any]) -> str:
    """One figure where it is nearly sure, else two; empty while nothing is known. The pages say the same."""
    likely_s, range_s = progress.get("etaSeconds"), progress.get("etaRangeSeconds")
    if likely_s is None:
        return ""
    if range_s is None or range_s[1] - range_s[0] <= max(_SURE_S, _SURE_PART * likely_s):
        return "about {} {} left".format(*_in_unit(likely_s))
    (low, low_unit), (high, unit) = map(_in_unit, range_s)
    return f"{low}{'' if low_unit == unit else f' {low_unit}'} to {high} {unit} left"


def _in_unit(seconds: float) -> tuple[int, str]:
    """A whole number of the largest unit that goes into it twice; halves are rounded up."""
    length_s, unit = next((each for each in _UNITS if seconds >= 2 * each[0]), (1, "s"))
    return int(seconds / length_s + 0.5), unit


def build_report(job: Job, generations: Sequence[Generation], file_name: str, inbox: str = "inbox") -> str:
    """The Markdown report beside a job file in failed/: what is wrong, where, and how to go on."""
    name = one_line(file_name)
    lines = [f"# {name}: {job.status.replace('_', ' ')}", ""]
    problems = (job.error or {}).get("problems") or []
    if problems:
        lines.append(_count(len(problems), "problem") + " found; nothing was run.")
        lines += [each for problem in problems for each in ("", *_problem_lines(problem))]
    elif job.error:
        lines += _problem_lines(job.error)
    lines += _generation_lines(job, generations)
    lines += ["", "## To try again", ""]
    if problems:
        lines.append(f"Mend `{name}` and move it back into `{inbox}/`.")
    elif job.text_name is not None and not generations:  # its references are in the bundle, and there alone
        lines.append(f"Move `{name}` back into `{inbox}/`.")
    else:
        lines.append(f"Move `{name}` back into `{inbox}/`, or run `hotfolder jobs retry {job.job_id}`.")
    if any(each.status in ("completed", "awaiting_review") for each in generations):
        lines.append("`hotfolder jobs retry` does not run again what completed.")
    lines += ["", f"Job {job.job_id}, dropped as `{inbox}/{one_line(job.job_file)}` at {job.created_at}.", ""]
    return "\n".join(lines)


def _problem_lines(problem: Mapping[str, Any]) -> list[str]:
    where = f"**line {problem['line']}, column {problem['column']}:** " if problem.get("line") else ""
    lines = [f"- {where}{one_line(str(problem['message']))} (`{problem['code']}`)"]
    return lines + [f"  {line}".rstrip() for line in _detail_lines(problem)]


def _detail_lines(error: Mapping[str, Any]) -> list[str]:
    """What to do, and how each attempt failed where there were several; each after an empty line."""
    lines = ["", *str(error["hint"]).splitlines()] if error.get("hint") else []
    for each in error.get("attempts") or []:
        message = one_line(str(each["message"]).partition("\n")[0])
        lines += ["", f"Attempt {each['attempt']}: {message} (`{each['code']}`)"]
    return lines


def _generation_lines(job: Job, generations: Sequence[Generation]) -> list[str]:
    if len(generations) < 2 and job.error:  # said above
        return []
    lines = ["", "## Pictures", ""]
    for number, each in enumerate(generations, 1):
        reason = f": {each.error['message']} (`{each.error['code']}`)" if each.error else ""
        lines.append(f"{number}. seed {each.seed}: {each.status}{reason}")
        if each.error and not job.error and (details := _detail_lines(each.error)):
            lines += [*(f"   {line}".rstrip() for line in details), ""]
    return lines


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
