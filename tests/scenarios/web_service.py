"""A library in the browser, for tests: `hotfolder up` or `serve` as a process, and what it prints."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import httpx

from tests.forks import forks
from tests.scenarios.service import Service, wait_for

_LINK = re.compile(r"(http://\S+)/-/auth-token\?token=(\S+)")
GONE_LIMIT_S = 3.0


class WebService(Service):
    """Its standard output goes to a file of its own, outside of logs/: the login link is in it."""

    def start_web(self, verb: str = "up", *options: str, port: int = 0) -> None:
        """Start `hotfolder up` or `serve` in a process group of its own, as a terminal does."""
        self.printed.unlink(missing_ok=True)
        self.process = forks.start(
            [verb, str(self.root), "--port", str(port), *options],
            env=self.env,
            output=self.printed,
            errors=self.told,
            has_group=True,
        )

    def open_web(self, *options: str) -> str:
        """`hotfolder up` on a free port, until its web answers; gives the address."""
        self.start_web("up", *options)
        url, _ = self.wait_for_link()
        self.wait_until_answering(url)
        return url

    def wait_for_link(self) -> tuple[str, str]:
        """Address and token of the login link that was printed."""

        def look() -> tuple[str, str] | None:
            found = _LINK.search(self.printed.read_text(encoding="utf-8")) if self.printed.exists() else None
            return (found[1], found[2]) if found else None

        return wait_for(look, "a login link on standard output")

    def wait_until_answering(self, url: str) -> None:
        """Until the web's first answer; a browser would wait as long, and no longer."""
        assert httpx.get(f"{url}/-/api/status", timeout=20).status_code == 200

    @property
    def printed(self) -> Path:
        """What the latest process wrote to standard output."""
        return self.root.with_name(f"{self.root.name}-stdout.txt")

    @property
    def told(self) -> Path:
        """What all processes wrote to standard error."""
        return self.root.with_name(f"{self.root.name}-stderr.txt")

    def signal_group(self, number: signal.Signals) -> None:
        """What Ctrl-C does: the signal goes to the whole group in the foreground."""
        assert self.process is not None
        os.killpg(self.process.pid, number)

    def web_pid(self) -> int:
        """The process that serves the pages; the engine has other words in its command."""
        return wait_for(lambda: self._find_child(" serve "), "a web process")

    def engine_pid(self) -> int:
        """The process of the embedded engine."""
        return wait_for(lambda: self._find_child("procedural"), "an engine process")

    def _find_child(self, words: str) -> int | None:
        return next((pid for pid in self.engine_pids() if words in command_of(pid)), None)

    def family(self) -> dict[int, str]:
        """The service and all its children: process id and the moment of its start."""
        assert self.process is not None
        pids = [self.process.pid, *self.engine_pids()]
        return {pid: started for pid in pids if (started := start_of(pid)) is not None}

    def wait_until_gone(self, family: dict[int, str], limit_s: float = GONE_LIMIT_S) -> None:
        """Until none of these processes runs, and no other one on this library."""

        def look() -> bool:
            left = [pid for pid, started in family.items() if start_of(pid) == started]
            return not left and not self.find_processes()

        wait_for(look, "the end of every process", limit_s)

    def find_processes(self) -> list[int]:
        """Running processes that have this library in their command."""
        pids = [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()]
        return [pid for pid in pids if str(self.root) in command_of(pid) and start_of(pid) is not None]

    def kill(self) -> None:
        """Also the clean-up: what a failed test left behind goes too."""
        super().kill()
        for pid in self.find_processes():
            os.kill(pid, signal.SIGKILL)


def command_of(pid: int) -> str:
    """The command of a process, empty when there is none."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def start_of(pid: int) -> str | None:
    """When a running process began; None when it has ended, waited for or not."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]
