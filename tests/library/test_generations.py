"""Generations keep what was asked for and by what means it was made."""

from __future__ import annotations

import itertools
import sqlite3
from dataclasses import replace

import pytest

from hotfolder.domain.generation import GENERATION_TRANSITIONS, GenerationOutcome
from hotfolder.errors import NotFound
from hotfolder.library.generations import Generation, GenerationInput, GenerationStore
from hotfolder.library.jobs import Job, JobStore

AT = "2026-11-21T03:00:00.000Z"
LATER = "2026-11-21T03:00:05.000Z"
ASKED = Generation(
    generation_id="g0",
    job_id="job",
    position=0,
    provider="local",
    endpoint_key="local.flux2-klein-4b.image",
    mode="text-to-image",
    params={"prompt": "A quiet bay", "negativePrompt": "people", "steps": 4, "guidance": 1.5, "x": [None]},
    width=1024,
    height=768,
    seed=2**31 - 1,
    status="pending",
    created_at=AT,
    base_model_id="flux2-klein-4b",
)
OUTCOME = GenerationOutcome(
    output="work/g0/a.png",
    total_time_ms=4200,
    prompt_cache_hit=False,
    ref_latent_cache_hit=None,
    engine_kind="cn-engine",
    model_info=None,
    model_files={"diffusion_model": "klein.gguf", "vae": "ae.safetensors"},
    ai_generated=True,
    warnings=("The size was raised.",),
)
PAIRS = list(itertools.product(GENERATION_TRANSITIONS, repeat=2))


@pytest.fixture
def generations(database):
    with database.transaction() as tx:
        JobStore(database).insert(tx, Job("job", "received", "a.yaml", "a.yaml", b"", AT))
    return GenerationStore(database)


@pytest.fixture
def add(database, generations):
    """Adds a generation like ASKED, at any status."""

    def insert(generation_id="g0", *, status="pending", inputs=(), **values):
        generation = replace(ASKED, generation_id=generation_id, **values)
        with database.transaction() as tx:
            generations.insert(tx, generation, inputs)
            tx.execute("UPDATE generations SET status = ? WHERE id = ?", (status, generation_id))
        return generation

    return insert


@pytest.fixture
def change(database, generations):
    """Changes the status, in a transaction of its own."""

    def set_status(status, generation_id="g0", **values):
        with database.transaction() as tx:
            generations.set_status(tx, generation_id, status, **values)

    return set_status


def reference(number, **values):
    return GenerationInput(
        f"i{number}", "g0", number, str(number) * 64, f"refs/{number}.png", f"t/{number}", **values
    )


def told(database):
    return [each.data for each in database.list_events(0) if each.topic == "generation.changed"]


def test_a_generation_is_read_as_it_was_written(generations, add):
    add()

    assert generations.get("g0") == ASKED


def test_the_usual_params_have_columns_of_their_own(database, add):
    add()

    row = database.query_one("SELECT prompt, negative_prompt, steps, guidance, seed FROM generations")
    assert tuple(row) == ("A quiet bay", "people", 4, 1.5, 2**31 - 1)


def test_what_is_sent_holds_the_size_and_seed_that_were_decided():
    sent = ASKED.sent_params

    assert (sent["width"], sent["height"], sent["seed"]) == (1024, 768, 2**31 - 1)
    assert sent["prompt"] == "A quiet bay"


def test_a_model_that_the_library_does_not_know_is_left_out(generations, add):
    add(base_model_id="somebody-elses-model")

    assert generations.get("g0").base_model_id is None


def test_a_generation_belongs_to_a_job(add):
    with pytest.raises(sqlite3.IntegrityError):
        add(job_id="no such job")


def test_a_job_has_one_generation_at_each_position(add):
    add("g0", position=0)

    with pytest.raises(sqlite3.IntegrityError):
        add("g1", position=0)


def test_a_generation_that_does_not_exist_is_not_found(generations, change):
    with pytest.raises(NotFound, match="none"):
        generations.get("none")
    with pytest.raises(NotFound, match="none"):
        change("processing", "none")


def test_references_are_kept_in_their_order(generations, add):
    inputs = [reference(1, original_name="b.png", role="style"), reference(0, original_name="a.png")]
    add(inputs=inputs)

    assert generations.list_inputs("g0") == [inputs[1], inputs[0]]


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_the_status_changes_by_the_table_only(database, generations, add, change, before, after):
    add(status=before)

    if after in GENERATION_TRANSITIONS[before]:
        change(after)
        assert generations.get("g0").status == after
        assert told(database) == [{"status": after, "from": before, "jobId": "job"}]
    else:
        with pytest.raises(ValueError, match=f"no change from '{before}' to '{after}'"):
            change(after)
        assert generations.get("g0").status == before
        assert told(database) == []


def test_a_generation_starts_with_its_attempt_and_ends_when_it_ends(generations, clock, add, change):
    add()
    clock.advance(1)
    change("processing", attempts=2)
    running = generations.get("g0")
    clock.advance(1)
    change("completed")
    done = generations.get("g0")

    assert (running.started_at, running.completed_at, running.attempts) == (
        "2026-11-21T03:00:01.000Z",
        None,
        2,
    )
    assert (done.started_at, done.completed_at) == (running.started_at, "2026-11-21T03:00:02.000Z")
    assert done.attempts == 2


def test_a_generation_that_is_handed_back_has_not_started(generations, clock, add, change):
    add()
    change("processing")
    change("pending")
    assert generations.get("g0").started_at is None
    clock.advance(5)

    change("processing")

    assert generations.get("g0").started_at == LATER


def test_the_end_may_lie_before_the_moment_it_is_recorded(generations, clock, add, change):
    add(status="processing")
    clock.advance(60)

    change("completed", at=LATER)

    assert generations.get("g0").completed_at == LATER


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_generation_without_success_keeps_the_reason(generations, add, change, status):
    add(status="processing")

    change(status, error={"code": "engine.crashed", "message": "It died."})

    ended = generations.get("g0")
    assert ended.error == {"code": "engine.crashed", "message": "It died."}
    assert ended.completed_at == AT


def test_a_generation_under_review_has_not_completed(generations, add, change):
    add(status="processing")

    change("awaiting_review")

    assert generations.get("g0").completed_at is None


def test_by_what_means_a_picture_was_made_is_kept(database, generations, add):
    add()
    with database.transaction() as tx:
        generations.record_outcome(tx, "g0", OUTCOME)
        generations.record_size(tx, "g0", 1040, 784)

    made = generations.get("g0")
    assert (made.model_file, made.engine_kind, made.total_time_ms) == ("klein.gguf", "cn-engine", 4200)
    assert (made.prompt_cache_hit, made.ref_latent_cache_hit) == (False, None)
    assert made.warnings == ("The size was raised.",)
    assert (made.width, made.height) == (1040, 784)


def test_a_job_lists_its_current_generations_in_their_order(database, generations, add):
    add("g0", position=1)
    add("g1", position=0)
    add("old", position=2)
    with database.transaction() as tx:
        generations.detach(tx, "old")

    assert [each.generation_id for each in generations.list_of_job("job")] == ["g1", "g0"]
    assert generations.get("old").position is None


def test_several_generations_of_one_job_can_be_replaced(database, generations, add):
    for name in ("g0", "g1"):
        add(name, position=0)
        with database.transaction() as tx:
            generations.detach(tx, name)
    add("g2", position=0)

    assert [each.generation_id for each in generations.list_of_job("job")] == ["g2"]


def test_work_folders_are_in_use_until_the_generation_has_ended(generations, add):
    for position, status in enumerate(GENERATION_TRANSITIONS):
        add(status, status=status, position=position)

    assert generations.list_work_ids_in_use() == {"pending", "processing"}
