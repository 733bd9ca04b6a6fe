"""/-/metrics: what the official parser reads there is what the database and the machine say."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from datasette_hotfolder.exposition import Machine, build_exposition
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from hotfolder import __version__, metrics
from hotfolder.app import create_library
from hotfolder.database import Database
from hotfolder.library.metrics import MetricsStore
from tests.plugins.house import House, open_house

ALERTS = Path(__file__).parents[2] / "docs" / "alerts.yml"
MACHINE = Machine(
    version="1.0",
    sidecar_is_alive=True,
    heartbeat_age_s=1.5,
    disk_free_bytes=10,
    disk_size_bytes=100,
    wal_bytes=7,
    watching=(
        {"root": "/secret/place/inbox", "pending": 2, "missed": 3},
        {"root": "/secret/other/inbox", "pending": 1, "missed": 0},
    ),
    gpus=({"gpu": "0", "name": "A card", "usedBytes": 5, "totalBytes": 9, "utilization": None},),
)


class Text:
    """An exposition as the parser understands it."""

    def __init__(self, text: str) -> None:
        self.families: dict[str, Metric] = {each.name: each for each in text_string_to_metric_families(text)}
        self.samples = [sample for each in self.families.values() for sample in each.samples]

    def value(self, name: str, **labels: str) -> float:
        """The value of the one sample with this name and these labels."""
        (found,) = self.values(name, **labels).values()
        return found

    def values(self, name: str, **labels: str) -> Mapping[tuple[str, ...], float]:
        """All values with this name and at least these labels, by all of their labels."""
        return {
            tuple(each.labels.values()): each.value
            for each in self.samples
            if each.name == f"hotfolder_{name}" and labels.items() <= each.labels.items()
        }


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    create_library(tmp_path / "library")
    opened = Database(tmp_path / "library" / "library.db")
    yield opened
    opened.close()


def expose(database: Database, machine: Machine = MACHINE) -> Text:
    return Text(build_exposition(MetricsStore(database).read(), machine).decode())


def scrape(client: httpx.Client) -> Text:
    answer = client.get("/-/metrics")
    assert answer.status_code == 200, answer.text
    return Text(answer.text)


def ask(house: House, sql: str) -> Any:
    connection = sqlite3.connect(house.root / "library.db")
    try:
        return connection.execute(sql).fetchone()[0]
    finally:
        connection.close()


def test_scrape_is_what_the_official_parser_reads(house: House, visitor: httpx.Client) -> None:
    answer = visitor.get("/-/metrics")

    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    text = Text(answer.text)
    assert len(text.families) > 30
    assert all(name.startswith("hotfolder_") for name in text.families)
    assert all(each.documentation for each in text.families.values())
    assert text.value("build_info") == 1
    assert text.values("build_info") == {(__version__,): 1}


def test_scrape_says_what_the_database_says(house: House, visitor: httpx.Client) -> None:
    text = scrape(visitor)

    for status in ("pending", "scheduled", "processing"):
        open_work = ask(house, f"SELECT count(*) FROM work_queue WHERE status = '{status}'")
        assert sum(text.values("work_items", state=status).values()) == open_work
    assert text.value("jobs", status="queued") == ask(
        house, "SELECT count(*) FROM jobs WHERE status = 'queued'"
    )
    for status in ("failed", "completed"):
        ended = ask(house, f"SELECT count(*) FROM jobs WHERE status = '{status}'")
        assert text.value("jobs_ended_total", status=status) == ended
    assert text.value("jobs_received_total") == ask(house, "SELECT count(*) FROM jobs")
    assert text.value("work_oldest_pending_seconds", lane="gpu") > 0
    assert text.value("events_total") == ask(house, "SELECT max(seq) FROM events")
    assert text.value("disk_size_bytes") == shutil.disk_usage(house.root).total
    assert text.value("database_size_bytes") > 100_000


def test_sidecar_is_up_while_it_gives_signs(house: House, visitor: httpx.Client) -> None:
    assert scrape(visitor).value("sidecar_up") == 0
    (house.root / "run" / "gpus").write_text(json.dumps(MACHINE.gpus))
    (house.root / "run" / "watching").write_text(json.dumps(MACHINE.watching))
    with house.held():
        (house.root / "run" / "heartbeat").touch()

        text = scrape(visitor)

    assert text.value("sidecar_up") == 1
    assert text.value("sidecar_heartbeat_age_seconds") < 15
    assert text.value("gpu_memory_used_bytes", gpu="0") == 5
    assert text.value("files_pending", folder="inbox") == 3


@pytest.mark.parametrize("written", ["", "{", "[1]", "{}", "[[]]"])
def test_notes_of_the_sidecar_that_cannot_be_read_tell_nothing(
    house: House, visitor: httpx.Client, written: str
) -> None:
    (house.root / "run" / "gpus").write_text(written)

    assert scrape(visitor).values("gpu_memory_used_bytes") == {}


def test_visitors_from_here_and_programs_that_may_read_scrape(house: House, visitor: httpx.Client) -> None:
    assert visitor.get("/-/metrics").status_code == 200
    assert visitor.get("/-/metrics", headers={"X-Forwarded-For": "10.0.0.1"}).status_code == 401
    assert house.program("read").get("/-/metrics", headers={"X-Forwarded-For": "10.0.0.1"}).status_code == 200
    assert house.program("admin").post("/-/metrics").status_code == 405
    assert visitor.head("/-/metrics").status_code == 200


def test_private_library_is_scraped_with_a_token_alone(tmp_path: Path) -> None:
    with open_house(tmp_path / "library", settings="web: {private: true}\n") as private:
        assert private.visitor().get("/-/metrics").status_code == 401
        assert private.program("read").get("/-/metrics").status_code == 200
        assert private.visitor().get("/-/healthz").status_code == 503  # open to all; no sidecar runs


def test_new_library_tells_zero_of_all_that_may_happen(database: Database) -> None:
    text = expose(database)

    assert text.values("work_items").keys() == {
        (lane, state) for lane in ("gpu", "cpu", "io") for state in ("pending", "scheduled", "processing")
    }
    for name in ("work_ended_total", "work_retries_total", "lease_losses_total", "deliveries_total"):
        assert set(text.values(name).values()) == {0}
    assert set(text.values("lane_running").values()) == {1}
    assert set(text.values("work_oldest_pending_seconds").values()) == {0}


def test_histograms_add_up(database: Database) -> None:
    with database.transaction() as tx:
        for seconds in (0.2, 4, 4.5, 700):
            metrics.observe(tx, metrics.GENERATION_DURATION, {"endpoint": 'a"b\\c\nd'}, seconds)

    text = expose(database)

    buckets = {
        each.labels["le"]: each.value
        for each in text.samples
        if each.name == "hotfolder_generation_duration_seconds_bucket"
    }
    assert (buckets["0.5"], buckets["2.5"], buckets["5"], buckets["600"], buckets["+Inf"]) == (1, 1, 3, 3, 4)
    assert list(buckets.values()) == sorted(buckets.values())
    assert text.value("generation_duration_seconds_count", endpoint='a"b\\c\nd') == 4
    assert text.value("generation_duration_seconds_sum") == pytest.approx(708.7)


def test_credits_of_all_owners_are_added_up(database: Database) -> None:
    with database.transaction() as tx:
        tx.count(metrics.CREDITS_SPENT, {"owner": "anna"}, 1.5)
        tx.count(metrics.CREDITS_SPENT, {"owner": "ben"}, 2)

    assert expose(database).values("credits_spent_total") == {(): 3.5}


def test_places_on_the_machine_are_not_told(database: Database) -> None:
    figures = MetricsStore(database).read()

    assert b"secret" not in build_exposition(figures, MACHINE)
    assert expose(database).values("files_missed_total") == {("inbox",): 3}


def test_engines_are_down_when_no_sidecar_runs(database: Database) -> None:
    with database.transaction() as tx:
        tx.event("engine.status", "engine", "cn-engine", {"state": "busy"})
    alone = Machine("1.0", False, None, 1, 1, 0)

    assert expose(database).value("engine_up", engine="cn-engine") == 1
    assert expose(database).values("engine_state") == {("cn-engine", "busy"): 1}
    assert expose(database, alone).value("engine_up", engine="cn-engine") == 0
    assert expose(database, alone).values("sidecar_heartbeat_age_seconds") == {}


def test_every_metric_and_label_that_the_alerts_name_is_there(database: Database) -> None:
    with database.transaction() as tx:
        tx.event("engine.status", "engine", "cn-engine", {"state": "error"})
    labels: dict[str, set[str]] = {}
    for each in expose(database).samples:
        labels.setdefault(each.name, set()).update(each.labels)
    (group,) = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]

    assert len(group["rules"]) > 10
    for rule in group["rules"]:
        used = re.findall(r"(hotfolder_\w+)(?:\{([^}]*)\})?", rule["expr"])
        assert used, rule["alert"]
        for name, matchers in used:
            assert name in labels, rule["alert"]
            assert set(re.findall(r"(\w+)=", matchers)) <= labels[name], rule["alert"]
        assert {"summary", "description"} == rule["annotations"].keys()


def test_alerts_watch_all_that_a_studio_asks_for() -> None:
    text = ALERTS.read_text(encoding="utf-8")

    for name in (
        *("work_items", "work_oldest_pending_seconds", "disk_free_bytes", "sidecar_up"),
        *("work_ended_total", "lease_losses_total", "jobs"),
    ):
        assert re.search(rf"\bhotfolder_{name}\b", text), name
