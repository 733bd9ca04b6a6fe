"""After kills: a run that lets everything end, and a look at what there is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tests.scenarios.drops import SETTINGS, Drops
from tests.scenarios.service import Service
from tests.scenarios.wholeness import audit

LIMIT_S: Final = 300.0
_SWEEPING: Final = "intake: {settle_ms: 50, refs_timeout_s: 0}\n"


def settle(service: Service, drops: Drops, run_once: Callable[[], int] | None = None) -> list[str]:
    """Let all end that was dropped; gives what is wrong then.

    A picture whose job was accepted in the instant of a kill stays in the inbox until `intake.refs_timeout_s`
    is over, as one that nobody named: that time is made short here.
    """
    run_once = run_once or (lambda: service.run_once(LIMIT_S))
    drops.arrive_all()
    codes = [run_once()]
    if any((service.root / "inbox").rglob("*.png")):
        settings = service.root / "hotfolder.yaml"
        settings.write_text(_SWEEPING, encoding="utf-8")
        codes.append(run_once())
        settings.write_text(SETTINGS, encoding="utf-8")
    faults = [f"a run ended with {code}: {service.output()[-2000:]}" for code in codes if code not in (0, 1)]
    return faults + audit(service.root, drops.ledger)
