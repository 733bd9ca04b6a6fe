"""`hotfolder up` and `serve` as processes: one command, one end, and a web that does not go away."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import httpx
import pytest

from tests.scenarios.service import Service, wait_for
from tests.scenarios.web_service import WebService, start_of

SLOW_STEP = "engine: {env: {HOTFOLDER_PROCEDURAL_STEP_MS: '100'}}\nshutdown: {grace_s: 1}\n"
LONG_JOB = (
    "endpointKey: local.procedural.image\nparams: {prompt: A long one, size: 64*64, steps: 10}\ncount: 8\n"
)
STOP_LIMIT_S = 5.0
PAGES = 20


@pytest.fixture
def make_web(tmp_path: Path) -> Iterator[Callable[..., WebService]]:
    """Makes libraries whose processes are gone after the test, whatever happened."""
    made: list[WebService] = []

    def make(name: str = "library", **options: str) -> WebService:
        made.append(WebService(tmp_path / name, **options))  # type: ignore[arg-type]  # passed on as given
        return made[-1]

    yield make
    for each in made:
        each.kill()


@pytest.fixture
def web(make_web: Callable[..., WebService]) -> WebService:
    """A library with a slow engine; nothing serves it yet."""
    return make_web(settings=SLOW_STEP)


def log_in(link: str) -> httpx.Cookies:
    """The cookies that a login link gives a browser."""
    answer = httpx.get(link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/-/library"), answer.text
    return answer.cookies


def name_of_actor(url: str, cookies: httpx.Cookies) -> str | None:
    found = httpx.get(f"{url}/-/api/status", cookies=cookies, timeout=20).json()["actor"]
    return found["name"] if found else None


def start_long_job(web: WebService) -> None:
    web.drop("long.yaml", LONG_JOB)
    wait_for(lambda: web.query("SELECT id FROM jobs WHERE status = 'running'"), "a running job")
    web.engine_pid()


def listen(connection: HTTPConnection, seq: int) -> list[int]:
    """Read what is answered, and ask again and again, as a page does; the answers, once there are no more."""
    answers = []
    with suppress(OSError, HTTPException), closing(connection):
        while True:
            answer = connection.getresponse()
            seq = json.load(answer)["seq"]
            answers.append(answer.status)
            ask_for_news(connection, seq)
    return answers


def ask_for_news(connection: HTTPConnection, seq: int) -> None:
    connection.request("GET", f"/-/api/events?after={seq}&wait=25", headers={"Connection": "close"})


@contextmanager
def listeners(url: str, count: int) -> Iterator[list[Future[list[int]]]]:
    """So many who wait for news: what they ask has been sent, and the web process has read it."""
    seq = httpx.get(f"{url}/-/api/events").json()["seq"]
    connections = [HTTPConnection(url.removeprefix("http://"), timeout=40) for _ in range(count)]
    for each in connections:
        ask_for_news(each, seq)
    httpx.get(f"{url}/-/api/status", timeout=20)  # one loop serves all: what was asked before is in hand
    with ThreadPoolExecutor(count) as executor:
        yield [executor.submit(listen, each, seq) for each in connections]


def test_login_link_is_printed_once_and_stands_in_no_log(web: WebService) -> None:
    url = web.open_web()
    token = web.wait_for_link()[1]

    cookies = log_in(f"{url}/-/auth-token?token={token}")

    assert name_of_actor(url, cookies) is not None
    assert httpx.get(f"{url}/-/auth-token?token={token}").status_code == 403
    assert httpx.get(f"{url}/").headers["location"] == "/-/library"
    assert web.stop() == 0
    assert web.printed.read_text(encoding="utf-8").count(token) == 1
    assert token not in web.told.read_text(encoding="utf-8")
    for file in (path for path in web.root.rglob("*") if path.is_file()):
        assert token.encode() not in file.read_bytes(), file
    assert {each.name for each in (web.root / "logs").iterdir()} >= {"hotfolder.log", "web.log"}


def test_link_preview_that_only_asks_for_the_head_does_not_spend_the_link(web: WebService) -> None:
    web.open_web()
    url, token = web.wait_for_link()

    assert httpx.head(f"{url}/-/auth-token?token={token}").status_code == 204

    log_in(f"{url}/-/auth-token?token={token}")


def test_stop_with_a_running_job_and_twenty_waiting_pages_takes_less_than_five_seconds(
    web: WebService,
) -> None:
    url = web.open_web()
    start_long_job(web)
    family = web.family()
    with listeners(url, PAGES) as pages:
        began_s = time.monotonic()

        assert web.stop() == 0

        assert time.monotonic() - began_s < STOP_LIMIT_S
        # Each wait was ended, none cut off.
        assert [set(each.result(5)) for each in pages] == [{200}] * len(pages)
    assert len(family) == 3
    web.wait_until_gone(family)
    assert not (web.root / "run" / "web").exists()
    assert "Traceback" not in web.told.read_text(encoding="utf-8")
    assert web.query("SELECT id FROM work_queue WHERE status = 'processing'") == []


def test_ctrl_c_ends_everything_within_five_seconds(web: WebService) -> None:
    url = web.open_web()
    start_long_job(web)
    family = web.family()
    with listeners(url, 2) as pages:
        assert web.process is not None

        web.signal_group(signal.SIGINT)

        assert web.process.wait(STOP_LIMIT_S) == 0
        # Each wait was ended, none cut off.
        assert [set(each.result(5)) for each in pages] == [{200}] * len(pages)
    web.wait_until_gone(family)
    assert "Traceback" not in web.told.read_text(encoding="utf-8")


def test_killed_web_process_comes_back_and_answers_what_was_asked_meanwhile(web: WebService) -> None:
    url = web.open_web()
    cookies = log_in("/-/auth-token?token=".join(web.wait_for_link()))
    first = web.web_pid()
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: start_of(first) is None, "the end of the web process")

    name = name_of_actor(url, cookies)

    assert name is not None  # the login is still good, too
    assert web.web_pid() != first
    web.drop("quick.yaml")
    assert web.wait_for_result("quick.yaml")["status"] == "completed"
    assert web.stop() == 0


def test_killed_service_leaves_no_process_behind(web: WebService) -> None:
    web.open_web()
    start_long_job(web)
    family = web.family()
    assert len(family) == 3
    assert web.process is not None

    os.kill(web.process.pid, signal.SIGKILL)

    web.process.wait(STOP_LIMIT_S)
    web.wait_until_gone(family)


def test_taken_port_is_told_in_words_and_nothing_is_left_running(web: WebService) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        web.start_web(port=port)
        assert web.process is not None

        assert web.process.wait(20) == 1

    said = web.told.read_text(encoding="utf-8")
    assert f"port {port}: Address already in use" in said
    assert "web.port" in said
    assert "Traceback" not in said
    assert web.find_processes() == []
    assert not (web.root / "run" / "nudge").exists()
    assert web.printed.read_text(encoding="utf-8") == ""


@pytest.mark.parametrize("same_port", [False, True], ids=["on a free port", "on the same port"])
def test_second_up_on_a_library_says_that_the_first_one_runs(web: WebService, same_port: bool) -> None:
    url = web.open_web()
    family = web.family()

    second = web.command("up", "--port", url.rpartition(":")[2] if same_port else "0")

    assert second.returncode == 1
    assert "library.locked" in second.stderr
    assert f"process {web.process.pid}" in second.stderr if web.process else False
    assert second.stdout == ""
    assert web.family() == family
    web.wait_until_answering(url)


def test_login_survives_a_restart_of_the_service(web: WebService) -> None:
    url = web.open_web()
    cookies = log_in("/-/auth-token?token=".join(web.wait_for_link()))
    name = name_of_actor(url, cookies)
    assert web.stop() == 0

    web.start_web(port=int(url.rpartition(":")[2]))
    web.wait_for_link()

    assert name_of_actor(url, cookies) == name
    assert web.stop() == 0


def test_web_alone_serves_and_says_that_the_service_does_not_run(web: WebService) -> None:
    web.start_web("serve")
    url, token = web.wait_for_link()

    status = httpx.get(f"{url}/-/api/status", timeout=20).json()

    assert status["sidecar"]["running"] is False
    assert status["sidecar"]["since"] is None
    log_in(f"{url}/-/auth-token?token={token}")
    assert httpx.get(f"{url}/-/library").status_code == 200
    health = httpx.get(f"{url}/-/healthz")
    assert (health.status_code, health.json()["failing"]) == (503, ["sidecar"])
    assert web.stop() == 0


def test_health_is_good_while_the_service_runs_and_bad_once_it_was_killed(web: WebService) -> None:
    web.start_web("serve")
    url, _ = web.wait_for_link()
    beside = Service(web.root)
    beside.start()
    try:
        beside.wait_until_watching()
        wait_for(lambda: httpx.get(f"{url}/-/healthz", timeout=20).status_code == 200, "a healthy service", 5)
    finally:
        beside.kill()

    assert httpx.get(f"{url}/-/healthz").status_code == 503
    assert web.stop() == 0


def test_stop_before_the_web_is_up_is_not_lost(web: WebService) -> None:
    for moment in (wait_until_forked, wait_until_loading):
        web.start_web()
        moment(web)
        family = web.family()

        assert web.stop(STOP_LIMIT_S) == 0

        web.wait_until_gone(family)
    assert "Traceback" not in web.told.read_text(encoding="utf-8")


def wait_until_forked(web: WebService) -> None:
    web.web_pid()


def wait_until_loading(web: WebService) -> None:
    """The child has the plugin in hand, and no loop yet."""
    pid = web.web_pid()
    wait_for(lambda: "_sqlite3" in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8"), "a loading child")


def test_service_without_web_runs_and_stops_as_before(web: WebService) -> None:
    web.start()
    web.wait_until_watching()
    web.drop("quick.yaml")
    assert web.wait_for_result("quick.yaml")["status"] == "completed"
    assert [pid for pid in web.engine_pids() if pid != web.engine_pid()] == []
    assert not (web.root / "run" / "web").exists()
    assert web.stop() == 0
    assert "auth-token" not in web.output()


def test_requests_are_answered_at_once_while_many_pages_wait_for_news(web: WebService) -> None:
    url = web.open_web()
    with listeners(url, 3 * PAGES) as pages:
        answer = httpx.get(f"{url}/-/api/media")

        assert answer.elapsed.total_seconds() < 1.0
        assert web.stop() == 0
        # Each wait was ended, none cut off.
        assert [set(each.result(5)) for each in pages] == [{200}] * len(pages)
