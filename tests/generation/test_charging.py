"""What pictures cost: kept back when they are queued, paid when they are made, given back when not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import pytest
from PIL import Image

from hotfolder.app import Library, create_library, open_library
from hotfolder.clock import new_id
from hotfolder.config import load_settings
from hotfolder.errors import HotfolderError
from hotfolder.generation.claimed import ClaimedFile
from tests.generation.test_control import JOB, take_in

OPEN = Callable[[str], Library]
ANNA = f"{JOB}owner: anna\n"


@pytest.fixture
def opening(tmp_path: Path) -> Iterator[OPEN]:
    """Opens the same library under other settings."""
    root, opened = tmp_path / "library", []
    create_library(root)

    def open_with(settings: str) -> Library:
        (root / "hotfolder.yaml").write_text(f"intake: {{refs_timeout_s: 0}}\n{settings}\n", encoding="utf-8")
        opened.append(open_library(root, load_settings(root, {})))
        return opened[-1]

    yield open_with
    for each in opened:
        each.close()


def make_next(library: Library) -> None:
    """Claim the next picture and make it, as far as rows tell."""
    item = library.work.claim("gpu")
    assert item is not None
    with library.database.transaction() as tx:
        job_id = library.generations.get(item.correlation_id).job_id
        library.jobs.set_status(tx, job_id, "running")
        library.generations.set_status(tx, item.correlation_id, "processing")
        library.work.complete(tx, item)
        library.generations.set_status(tx, item.correlation_id, "completed")
        library.closer.close_if_ended(tx, job_id)


def balance(library: Library) -> float:
    return library.credits.balance("anna").amount / 1000


def test_a_picture_is_paid_for_once_it_is_made(opening: OPEN) -> None:
    library = opening("credits: {enabled: true, cost: {picture: 1, step: 0.5}}")
    library.credits.grant("anna", 10_000, "root")

    job_id = take_in(library, ANNA.replace("64*64", "64*64, steps: 4"))
    reserved = balance(library)
    make_next(library)

    assert (reserved, balance(library)) == (7.0, 7.0)
    assert library.jobs.get(job_id).status == "completed"
    row = library.database.query_one("SELECT credit_cost FROM generations")
    assert row is not None
    assert row["credit_cost"] == 3.0
    assert [each.kind for each in library.credits.statement("anna")] == ["debit", "reserve", "grant"]


def test_a_cancelled_job_costs_nothing(opening: OPEN) -> None:
    library = opening("credits: {enabled: true}")
    library.credits.grant("anna", 3_000, "root")
    job_id = take_in(library, f"{ANNA}count: 3\n")
    kept_back = balance(library)

    library.control.cancel(job_id, "anna")

    assert (kept_back, balance(library)) == (0.0, 3.0)


def test_what_was_kept_back_is_settled_also_when_credits_are_off_by_then(opening: OPEN) -> None:
    library = opening("credits: {enabled: true}")
    library.credits.grant("anna", 3_000, "root")
    job_id = take_in(library, ANNA)
    library = opening("credits: {enabled: false}")

    library.control.cancel(job_id, "anna")

    assert balance(library) == 3.0


def test_a_job_without_credit_fails_and_says_what_it_would_cost(opening: OPEN) -> None:
    library = opening("credits: {enabled: true}")

    job_id = take_in(library, ANNA)

    job = library.jobs.get(job_id)
    assert job.status == "failed"
    assert job.error is not None
    assert job.error["problems"][0]["code"] == "queue.no_credits"
    assert "costs 1 credits, and anna has 0" in job.error["problems"][0]["message"]
    assert library.work.claim("gpu") is None


def test_a_job_that_may_wait_for_credit_goes_on_when_there_is_some(opening: OPEN) -> None:
    library = opening("credits: {enabled: true, without: wait}")
    job_id = take_in(library, f"{ANNA}count: 2\n")
    library.entrance.let_in_due()
    waiting = library.jobs.get(job_id)

    library.credits.grant("anna", 2_000, "root")
    library.entrance.let_in_due()

    assert waiting.status == "backlogged"
    assert waiting.wait_reason is not None
    assert "costs 2 credits, and anna has 0" in waiting.wait_reason
    assert library.jobs.get(job_id).status == "queued"
    assert balance(library) == 0.0


def test_a_job_that_waited_for_limits_and_cannot_be_paid_then_fails(opening: OPEN) -> None:
    library = opening("credits: {enabled: true}\nlimits: {owners: {anna: {active_jobs: 1}}}")
    library.credits.grant("anna", 2_000, "root")
    take_in(library, ANNA)
    second = take_in(library, ANNA, "b.yaml")
    assert library.jobs.get(second).status == "backlogged"
    library.credits.grant("anna", -1_000, "root")

    make_next(library)
    library.entrance.let_in_due()

    job = library.jobs.get(second)
    assert job.status == "failed"
    assert job.error is not None
    assert job.error["code"] == "queue.no_credits"


def test_a_held_job_stays_paid_for_and_is_not_asked_twice(opening: OPEN) -> None:
    library = opening("credits: {enabled: true}")
    library.credits.grant("anna", 1_000, "root")
    job_id = take_in(library, ANNA)
    library.control.hold(job_id, "anna")

    library.control.release(job_id, "anna")

    assert library.jobs.get(job_id).status == "queued"
    assert balance(library) == 0.0


def test_a_priority_above_the_highest_is_paid_for_where_it_can_be_bought(opening: OPEN) -> None:
    limits = "limits: {owners: {anna: {priority_max: 5}}}"
    bought = opening(f"credits: {{enabled: true, boost: 0.1}}\n{limits}")
    bought.credits.grant("anna", 10_000, "root")

    first = take_in(bought, f"{ANNA}priority: 15\n")
    lowered = take_in(opening(limits), f"{ANNA}priority: 15\n", "b.yaml")

    assert (bought.jobs.get(first).priority, balance(bought)) == (15, 8.0)
    assert bought.jobs.get(lowered).priority == 5
    assert "15" in bought.jobs.get(lowered).warnings[0]


def test_a_retry_without_credit_is_refused_and_changes_nothing(opening: OPEN) -> None:
    library = opening("credits: {enabled: true}")
    library.credits.grant("anna", 1_000, "root")
    job_id = take_in(library, ANNA)
    library.control.cancel(job_id, "anna")
    library.credits.grant("anna", -1_000, "root")

    with pytest.raises(HotfolderError) as refused:
        library.control.retry(job_id, "anna")

    assert refused.value.code == "queue.no_credits"
    assert library.jobs.get(job_id).status == "cancelled"


def test_pictures_of_a_busy_owner_wait_while_another_owner_goes_on(opening: OPEN) -> None:
    library = opening("limits: {owners: {default: {active_jobs: 1}}}")
    for number in range(5):
        take_in(library, f"{ANNA}title: a{number}\n", f"a{number}.yaml")
    for number in range(2):
        take_in(library, f"{JOB}owner: ben\ntitle: b{number}\n", f"b{number}.yaml")

    order = []
    while (item := library.work.claim("gpu")) is not None:
        job = library.jobs.get(library.generations.get(item.correlation_id).job_id)
        order.append(job.title)
        with library.database.transaction() as tx:
            library.work.hand_back(tx, item)
        make_next(library)
        library.entrance.let_in_due()

    assert order == ["a0", "b0", "a1", "b1", "a2", "a3", "a4"]


def test_a_priority_that_is_given_later_is_paid_for_as_well(opening: OPEN) -> None:
    library = opening("credits: {enabled: true, boost: 0.1}\nlimits: {owners: {anna: {priority_max: 5}}}")
    library.credits.grant("anna", 3_000, "root")
    job_id = take_in(library, ANNA)

    library.control.prioritize(job_id, 15, "anna")
    raised = balance(library)
    with pytest.raises(HotfolderError) as refused:
        library.control.prioritize(job_id, 100, "anna")
    library.control.prioritize(job_id, 0, "anna")
    make_next(library)

    assert refused.value.code == "queue.no_credits"
    assert (raised, balance(library)) == (1.0, 1.0)
    assert library.credits.verify() == []


def test_a_picture_whose_size_follows_from_its_reference_is_paid_for_by_its_real_size(opening: OPEN) -> None:
    library = opening("credits: {enabled: true, cost: {picture: 0, megapixel: 1}}")
    Image.new("RGB", (1000, 1000)).save(library.paths.inbox / "a.png")
    library.credits.grant("anna", 150_000, "root")
    take_in(library, "task: upscale\nparams: {factor: 2}\nrefs: [a.png]\nowner: anna\n")
    kept_back = 150.0 - balance(library)
    item = library.work.claim("gpu")
    assert item is not None
    with library.database.transaction() as tx:
        library.generations.set_status(tx, item.correlation_id, "processing")
        library.generations.record_size(tx, item.correlation_id, 2000, 2000)
        library.generations.set_status(tx, item.correlation_id, "completed")

    assert (kept_back, balance(library)) == (100.0, 146.0)


def test_a_job_that_was_let_in_needs_no_second_token_after_a_hold(opening: OPEN) -> None:
    library = opening("limits: {owners: {anna: {submissions_per_minute: 1}}}")
    job_id = take_in(library, ANNA)

    library.control.hold(job_id, "anna")
    library.control.release(job_id, "anna")

    assert library.jobs.get(job_id).status == "queued"


def test_a_job_that_was_held_in_the_backlog_overtakes_nobody_when_it_is_let_in(opening: OPEN) -> None:
    library = opening("limits: {owners: {anna: {active_jobs: 1}}}")
    take_in(library, ANNA)
    second = take_in(library, ANNA, "b.yaml")
    library.control.hold(second, "anna")
    held_back = library.limits.count_backlog("anna")
    take_in(library, f"{JOB}owner: ben\n", "c.yaml")
    make_next(library)

    library.control.release(second, "anna")

    item = library.work.claim("gpu")
    assert item is not None
    assert library.jobs.get(library.generations.get(item.correlation_id).job_id).owner == "ben"
    assert held_back == 1


def test_jobs_of_next_year_take_nobodys_place_today(opening: OPEN) -> None:
    library = opening("limits: {owners: {anna: {active_jobs: 1}}}")
    take_in(library, f"{ANNA}notBefore: 2099-01-01T00:00:00Z\n")

    job_id = take_in(library, ANNA, "b.yaml")

    assert library.jobs.get(job_id).status == "queued"


def test_a_job_that_was_refused_belongs_to_its_owner_all_the_same(opening: OPEN) -> None:
    library = opening("credits: {enabled: true}\nlimits: {owners: {anna: {folder: anna}}}")

    named = take_in(library, ANNA)
    broken = take_in(library, "endpointKey: local.nothing\nowner: ben\n", "b.yaml")

    assert [library.jobs.get(each).owner for each in (named, broken)] == ["anna", "ben"]


def test_the_folder_that_says_how_urgent_a_job_is_hides_its_owner_from_nobody(opening: OPEN) -> None:
    library = opening("limits: {owners: {anna: {folder: anna, priority_max: 5}}}")
    claimed = ClaimedFile(
        new_id(), "a.yaml", PurePosixPath("!high/anna/a.yaml"), f"{JOB}priority: 50\n".encode()
    )

    job_id = library.service.take_in(claimed).job_id

    job = library.jobs.get(job_id)
    assert (job.owner, job.priority) == ("anna", 5)


def test_a_dragged_back_job_without_credit_is_told_so(opening: OPEN) -> None:
    library = opening("credits: {enabled: true}")
    library.credits.grant("anna", 1_000, "root")
    job_id = take_in(library, ANNA)
    library.control.cancel(job_id, "anna")
    library.credits.grant("anna", -1_000, "root")
    again = ClaimedFile(new_id(), "a.yaml", PurePosixPath("a.yaml"), ANNA.encode(), again=job_id)

    library.service.take_in(again)

    job = library.jobs.get(job_id)
    assert job.error is not None
    assert job.error["problems"][0]["code"] == "queue.no_credits"


def test_a_job_with_a_given_priority_waits_for_credit_at_a_retry_like_any_other(opening: OPEN) -> None:
    library = opening(
        "credits: {enabled: true, without: wait, boost: 1}\nlimits: {owners: {anna: {priority_max: 0}}}"
    )
    library.credits.grant("anna", 11_000, "root")
    job_id = take_in(library, ANNA)
    library.control.prioritize(job_id, 10, "anna")
    library.control.cancel(job_id, "anna")
    library.credits.grant("anna", -10_000, "root")

    library.control.retry(job_id, "anna")

    assert library.jobs.get(job_id).status == "backlogged"
