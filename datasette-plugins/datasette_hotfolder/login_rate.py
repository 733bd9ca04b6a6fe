"""How often somebody may fail to log in: a few times under a name, some more from an address."""

from __future__ import annotations

import ipaddress
import math
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

WINDOW_S: Final = 600.0
NAME_MAX: Final = 5
PEER_MAX: Final = 20
KEYS_MAX: Final = 2000
"""So many names, and so many addresses, are remembered; who failed longest ago is forgotten first."""
_SPACED: Final = 3
"""So many tries before the limit have to wait for each other: 1, 2 and 4 seconds."""


class LoginRate:
    """Failures by name and by address; for the event loop alone, which is why it needs no lock."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._names = _Failures(NAME_MAX)
        self._peers = _Failures(PEER_MAX)

    def begin(self, name: str, peer: str | None) -> int:
        """0, and the try counts as a failure from now on; or the seconds to wait, and nothing is counted."""
        now_s, pairs = self._now_s(), self._pairs(name, peer)
        wait_s = max(failures.wait_s(key, now_s) for failures, key in pairs)
        if wait_s > 0:
            return math.ceil(wait_s)
        for failures, key in pairs:
            failures.add(key, now_s)
        return 0

    def succeed(self, name: str, peer: str | None) -> None:
        """The last try was none: the name starts anew, the address has one failure less."""
        self._names.forget(name)
        self._peers.take_back(_network(peer))

    def _pairs(self, name: str, peer: str | None) -> tuple[tuple[_Failures, str], ...]:
        return (self._names, name), (self._peers, _network(peer))


class _Failures:
    """When each key failed of late, the one that failed last at the end."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, key: str, now_s: float) -> float:
        times = self._times.get(key, deque())
        while times and times[0] <= now_s - WINDOW_S:
            times.popleft()
        if not times:
            self._times.pop(key, None)
            return 0.0
        spaced = min(len(times) - (self._most - 1 - _SPACED), _SPACED)
        wait_s = times[-1] + 2 ** (spaced - 1) - now_s if spaced > 0 else 0.0
        return max(wait_s, times[0] + WINDOW_S - now_s) if len(times) >= self._most else wait_s

    def add(self, key: str, now_s: float) -> None:
        self._times.setdefault(key, deque()).append(now_s)
        self._times.move_to_end(key)
        if len(self._times) > KEYS_MAX:
            self._times.popitem(last=False)

    def forget(self, key: str) -> None:
        self._times.pop(key, None)

    def take_back(self, key: str) -> None:
        if self._times.get(key):
            self._times[key].pop()


def _network(peer: str | None) -> str:
    """Who has one IPv6 address has 2**64 of them."""
    try:
        address = ipaddress.ip_address(peer or "")
    except ValueError:
        return ""
    if address.version == 4 or address.ipv4_mapped:
        return str(getattr(address, "ipv4_mapped", None) or address)
    return str(ipaddress.ip_network((address, 64), strict=False))
