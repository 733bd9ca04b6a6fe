"""What is thrown at an inbox: each has its documented outcome, and nobody else waits for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.scenarios.service import JOB, Service, wait_for

DELAY_LIMIT_S = 5.0
TRIES = 3
"""A machine that is busy with other things delays a job by itself, but not each time."""
ALIASES = "k: &a [x, x]\n" + "".join(
    f"k{number}: &{chr(98 + number)} [{', '.join([f'*{chr(97 + number)}'] * 9)}]\n" for number in range(9)
)
MORTAL = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--inh-caps", "-all")
"""Root without the right to ignore permissions: as any other user of a service."""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running library."""
    service = Service(
        tmp_path_factory.mktemp("hostile") / "library",
        settings="intake: {settle_ms: 100, refs_timeout_s: 2, bundle_max_bytes: 20000000}\n",
    )
    service.start()
    service.wait_until_watching()
    yield service
    service.kill()


def assert_nobody_waits(service: Service, name: str) -> None:
    """A job that comes behind ends in time, or as soon as any on a machine that is busy with other things."""
    took_s, limit_s = time_behind(service, name)
    assert took_s < limit_s


def time_behind(service: Service, name: str) -> tuple[float, float]:
    """How long a job takes that comes behind, and how long it may take, in seconds."""
    took_s = time_job(service, f"behind-{name}.yaml")
    return took_s, max(DELAY_LIMIT_S, 4 * time_job(service, f"later-{name}.yaml"))


def time_job(service: Service, name: str) -> float:
    began_s = time.monotonic()
    service.drop(name)
    assert service.wait_for_result(name)["status"] == "completed"
    return time.monotonic() - began_s


def refusal(service: Service, name: str) -> str:
    """The code of the first problem of a refused job file."""
    result = service.wait_for_result(name)
    assert result["status"] == "failed"
    return str(result["error"]["problems"][0]["code"])


def test_sparse_file_of_two_gigabytes_is_refused_unread(hostile: Service) -> None:
    path = hostile.root / "inbox" / ".sparse.tmp"
    with path.open("wb") as stream:
        stream.truncate(2 * 1024**3)
    path.rename(hostile.root / "inbox" / "sparse.yaml")

    assert_nobody_waits(hostile, "sparse")
    assert refusal(hostile, "sparse.yaml") == "job.too_large"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("aliases", ALIASES),
        ("deep", "params: " + "[" * 5000 + "]" * 5000 + "\n"),
        ("long", "".join(f"key{number}: value\n" for number in range(60_000))),
        ("broken-at-its-end", "".join(f"- item {number}\n" for number in range(70_000)) + '"\n'),
    ],
)  # fmt: skip
def test_yaml_that_is_made_to_be_slow_delays_nobody(hostile: Service, name: str, text: str) -> None:
    times: list[tuple[float, float]] = []
    for each in (f"{name}-{number}" for number in range(TRIES)):
        hostile.drop(f"{each}.yaml", text)
        times.append(time_behind(hostile, each))
        assert refusal(hostile, f"{each}.yaml").startswith("job.")
        if times[-1][0] < times[-1][1]:
            return
    pytest.fail(f"each time a job behind it waited: seconds and limit {times}")


def test_zip_bomb_is_refused_and_leaves_nothing_behind(hostile: Service, tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("job.yaml", JOB)
        for number in range(40):
            archive.writestr(f"{number}.png", bytes(1024 * 1024))
    hostile.drop("bomb.zip", bomb.read_bytes())

    assert_nobody_waits(hostile, "bomb")
    assert refusal(hostile, "bomb.zip") == "job.bundle_refused"
    assert not list((hostile.root / "work").rglob("*.png"))


def test_zip_with_a_way_out_of_its_folder_is_refused(hostile: Service, tmp_path: Path) -> None:
    path = tmp_path / "out.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("job.yaml", JOB)
        archive.writestr("../../escaped.png", b"x")
    hostile.drop("out.zip", path.read_bytes())

    assert refusal(hostile, "out.zip") == "job.bundle_refused"
    assert not list(hostile.root.parent.rglob("escaped.png"))


def test_pipe_named_like_a_job_is_left_and_named_by_doctor(hostile: Service) -> None:
    os.mkfifo(hostile.root / "inbox" / "pipe.yaml")

    assert_nobody_waits(hostile, "pipe")
    assert (hostile.root / "inbox" / "pipe.yaml").is_fifo()
    assert "pipe.yaml" in hostile.command("doctor").stdout


def test_link_named_like_a_job_is_left(hostile: Service, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.yaml").write_text(JOB)
    (hostile.root / "inbox" / "link.yaml").symlink_to(tmp_path / "elsewhere.yaml")

    assert_nobody_waits(hostile, "link")
    assert (hostile.root / "inbox" / "link.yaml").is_symlink()


def test_link_to_the_password_file_is_refused_as_a_reference(hostile: Service) -> None:
    (hostile.root / "inbox" / "secret.png").symlink_to("/etc/passwd")
    hostile.drop("secret.yaml", JOB + "refs: [secret.png]\n")

    assert refusal(hostile, "secret.yaml") == "job.ref_refused"
    assert "root:" not in (hostile.root / "failed" / "secret.yaml.error.md").read_text(encoding="utf-8")


def test_names_of_every_kind_complete(hostile: Service) -> None:
    composed = unicodedata.normalize("NFC", "café.yaml")
    decomposed = unicodedata.normalize("NFD", "café.yaml")
    longest = "n" * 250 + ".yaml"
    for name in (composed, decomposed, longest):
        temporary = hostile.root / "inbox" / ".x.tmp"
        temporary.write_text(JOB, encoding="utf-8")
        temporary.rename(hostile.root / "inbox" / name)
    raw = os.fsencode(hostile.root / "inbox") + b"/n\xe9.yaml"
    (hostile.root / "inbox" / ".raw.tmp").write_text(JOB, encoding="utf-8")
    os.rename(hostile.root / "inbox" / ".raw.tmp", raw)  # noqa: PTH104 - bytes

    done = hostile.root / "done"

    def all_done() -> bool:
        names = {each.name for each in done.rglob("*.yaml")}
        return {composed, decomposed} <= names and any(
            os.fsencode(each).startswith((b"n\xe9", b"n?")) for each in names
        )

    wait_for(all_done, "three jobs of odd names")
    wait_for(lambda: any(each.name.startswith("n" * 200) for each in done.rglob("*.yaml")), "the longest")


def test_file_that_may_not_be_read_is_refused_and_delays_nobody(make_service: Callable[..., Service]) -> None:
    service = start_mortal(make_service)
    path = service.root / "inbox" / ".x.tmp"
    path.write_text(JOB)
    path.chmod(0)
    path.rename(service.root / "inbox" / "closed.yaml")

    assert refusal(service, "closed.yaml") == "job.unreadable"
    assert_nobody_waits(service, "closed")


def test_inbox_that_may_not_be_written_keeps_its_files_until_it_may(
    make_service: Callable[..., Service],
) -> None:
    service = start_mortal(make_service)
    shut = service.root / "inbox" / "shut"
    shut.mkdir()
    (shut / ".a.tmp").write_text(JOB)
    (shut / ".a.tmp").rename(shut / "a.yaml")
    shut.chmod(0o555)

    assert_nobody_waits(service, "shut")
    assert (shut / "a.yaml").exists()
    wait_for(lambda: "a.yaml" in service.output(), "a word about the file")
    shut.chmod(0o755)

    assert service.wait_for_result("a.yaml")["status"] == "completed"


def test_whole_inbox_that_may_not_be_written_keeps_its_file_and_the_service_lives(
    make_service: Callable[..., Service],
) -> None:
    service = start_mortal(make_service)
    inbox = service.root / "inbox"
    (inbox / ".a.tmp").write_text(JOB)
    (inbox / ".a.tmp").rename(inbox / "a.yaml")
    inbox.chmod(0o555)  # well before it can have settled
    try:
        service.drop("../import/later.png", "no picture")
        wait_for((service.root / "failed" / "later.png").exists, "what came elsewhere", 5)
        wait_for(lambda: "a.yaml" in service.output(), "a word about the file")
        assert (inbox / "a.yaml").exists()
    finally:
        inbox.chmod(0o755)

    assert service.wait_for_result("a.yaml")["status"] == "completed"
    assert len(service.query("SELECT id FROM jobs")) == 1


def start_mortal(make_service: Callable[..., Service]) -> Service:
    service = make_service(settings="intake: {settle_ms: 50}\n")
    if os.getuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("setpriv is not installed, and root may read everything")
    program = (*(MORTAL if os.getuid() == 0 else ()), sys.executable, "-m", "hotfolder")
    service.start_program(program)
    service.wait_until_watching()
    return service


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 300 MB: with less than 50 MB left nothing is begun."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=300m", "tmpfs", str(place)]
    if os.getuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("a file system can only be mounted by root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_full_disk_loses_nothing_and_everything_goes_on_with_room(small_disk: Path) -> None:
    service = Service(small_disk / "library", settings="intake: {settle_ms: 50}\n")
    service.start()
    service.wait_until_watching()
    try:
        ballast = small_disk / "ballast"
        service.drop("before.yaml")
        assert service.wait_for_result("before.yaml")["status"] == "completed"
        outside = small_disk / "waiting.yaml"
        outside.write_text(JOB)
        with ballast.open("wb", buffering=0) as stream:
            while True:
                try:
                    stream.write(bytes(65536))
                    stream.flush()
                except OSError:
                    break
        outside.rename(service.root / "inbox" / "waiting.yaml")
        wait_for(lambda: "no room" in service.output() or "full" in service.output(), "a word about the disk")
        assert service.process is not None
        assert service.process.poll() is None

        ballast.unlink()

        assert service.wait_for_result("waiting.yaml", 60)["status"] == "completed"
        assert service.stop() == 0
    finally:
        service.kill()
