"""A job as its file describes it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

from hotfolder.domain.document import Node, to_plain
from hotfolder.domain.instants import is_uuid
from hotfolder.domain.plan import JobPlan
from hotfolder.files.names import display_text
from hotfolder.generation.claimed import ClaimedFile
from hotfolder.library.jobs import Job


def received(claimed: ClaimedFile, own_id: str | None, at: str) -> Job:
    """A new job of a file; a UUID of the submitter becomes its id, any other text its key."""
    is_job_id = own_id is not None and is_uuid(own_id)
    return Job(
        job_id=own_id.lower() if own_id is not None and is_job_id else claimed.job_id,
        status="received",
        job_file=display_text(str(claimed.job_file)),
        file_name=display_text(claimed.name),
        text=claimed.data,
        created_at=at,
        submit_key=None if is_job_id else own_id,
        text_name=None if claimed.text_name is None else display_text(claimed.text_name),
    )


def waits_as(job: Job, claimed: ClaimedFile) -> bool:
    """Whether the job waits for references, and this is its file."""
    return job.status == "waiting_refs" and job.job_id in (claimed.job_id, claimed.again)


def describe(job: Job, node: Node, plan: JobPlan) -> Job:
    """The job with everything that its file says of it."""
    return replace(
        job,
        content_sha256=content_sha256(node),
        endpoint_key=plan.endpoint.endpoint_key,
        title=plan.job.title,
        owner=plan.job.owner,
        priority=plan.job.priority if job.priority_wish is None else job.priority_wish,
        max_attempts=plan.job.max_attempts,
        keywords=tuple(plan.job.keywords),
        metadata=plan.job.metadata.model_dump(exclude_none=True),
        extra=plan.job.extra,
        not_before=plan.job.not_before,
        review=plan.job.review,
        collection=plan.job.collection,
        preset=plan.job.preset,
        warnings=plan.warnings,
    )


def content_sha256(node: Node) -> str:
    """Of the meaning of a job: comments and layout do not count."""
    text = json.dumps(to_plain(node), sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def as_it_is_now(existing: Job, claimed: ClaimedFile, plan: JobPlan, node: Node) -> Job:
    """A job that is there already, as another file describes it."""
    new = received(claimed, None, existing.created_at)
    again = replace(
        existing, text=new.text, text_name=new.text_name, job_file=new.job_file, file_name=new.file_name
    )
    return describe(again, node, plan)
