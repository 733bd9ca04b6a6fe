"""Dead work for tests: a job whose picture used up its attempts, as the worker leaves it."""

from __future__ import annotations

from dataclasses import replace

from hotfolder.app import Library


def let_die(library: Library, job_id: str, code: str = "engine.crashed") -> None:
    """End the only picture of a job in the queue as dead."""
    (generation,) = library.generations.list_of_job(job_id)
    (item,) = library.work.list_of(generation.generation_id)
    error = {"code": code, "message": "It crashed.", "hint": None, "problems": []}
    with library.database.transaction() as tx:
        tx.execute("UPDATE work_queue SET status = 'processing' WHERE id = ?", (item.work_id,))
        library.jobs.set_status(tx, job_id, "running")
        library.generations.set_status(tx, generation.generation_id, "processing", attempts=3)
        library.work.end(tx, replace(item, status="processing"), "dead", "It crashed.")
        library.generations.set_status(tx, generation.generation_id, "failed", error=error)
        library.closer.close_if_ended(tx, job_id)
    assert library.jobs.get(job_id).status == "failed"
