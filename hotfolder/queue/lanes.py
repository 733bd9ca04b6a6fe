"""The lanes as people want them: running, paused, or draining; wishes that every claim reads."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from hotfolder.database import Database, Row, Transaction
from hotfolder.domain.instants import format_instant, parse_instant
from hotfolder.domain.work import RETRY_MAX_S

LaneState = Literal["running", "paused", "draining"]
LANE_CHANGED: Final = "queue.lane"
STATE_SQL: Final = "SELECT value, actor, at FROM control WHERE key = ?"
HAS_OPEN_SQL: Final = tuple(
    f"SELECT 1 FROM work_queue WHERE lane = :lane AND since <= :at AND {which} LIMIT 1"
    for which in (
        "status = 'processing'",
        "status = 'pending'",
        "status = 'scheduled' AND run_at <= :soon",
    )
)
_PREFIX: Final = "lane."


@dataclass(frozen=True, slots=True)
class LaneWish:
    """What is wanted of a lane, by whom and since when (None: nobody has said anything yet).

    A paused lane claims nothing. A draining one claims what got in line before `at`, then is paused.
    """

    lane: str
    state: LaneState = "running"
    actor: str | None = None
    at: str | None = None


class LaneBook:
    """The wishes for lanes; each change is an event."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, lane: str) -> LaneWish:
        """What is wanted of a lane."""
        row = self._database.query_one(STATE_SQL, (key_of(lane),))
        return _to_wish(lane, row)

    def put(self, lane: str, state: LaneState, actor: str) -> LaneWish:
        """Want it so; what is so already stays as it is, with who wanted it first."""
        self.put_all([lane], state, actor)
        return self.find(lane)

    def put_all(self, lanes: Iterable[str], state: LaneState, actor: str) -> None:
        """Want it so for several lanes, from one instant on."""
        with self._database.transaction() as tx:
            for lane in lanes:
                if self.find(lane).state != state:  # on the connection of `tx`
                    self._write(tx, lane, state, actor)

    def settle(self, lanes: Collection[str]) -> None:
        """Pause the draining ones of these lanes once none of them has anything left of what was there.

        Together, because what one has made passes through the others.
        """
        if not self._list_empty_drains(lanes):
            return
        with self._database.transaction() as tx:  # again, while nobody writes
            for wish in self._list_empty_drains(lanes):
                self._write(tx, wish.lane, "paused", wish.actor or "")

    def _list_empty_drains(self, lanes: Iterable[str]) -> list[LaneWish]:
        draining = [wish for wish in map(self.find, lanes) if wish.state == "draining"]
        return [] if any(map(self._has_open, draining)) else draining

    def _has_open(self, wish: LaneWish) -> bool:
        """What is tried again after a pause is waited for, what is to be run next year is not."""
        soon = format_instant(parse_instant(self._database.now()) + timedelta(seconds=RETRY_MAX_S))
        values = {"lane": wish.lane, "at": wish.at, "soon": soon}
        return any(self._database.query_one(sql, values) is not None for sql in HAS_OPEN_SQL)

    def _write(self, tx: Transaction, lane: str, state: LaneState, actor: str) -> None:
        tx.execute(
            """
            INSERT INTO control (key, value, actor, at) VALUES (?, ?, ?, ?)
            ON CONFLICT (key) DO UPDATE
            SET value = excluded.value, actor = excluded.actor, at = excluded.at
            """,
            (key_of(lane), state, actor, tx.at),
        )
        tx.event(LANE_CHANGED, "lane", lane, {"state": state}, actor)


def key_of(lane: str) -> str:
    """The key of a lane in `control`."""
    return _PREFIX + lane


def _to_wish(lane: str, row: Row | None) -> LaneWish:
    if row is None:
        return LaneWish(lane)
    return LaneWish(lane, row["value"], row["actor"], row["at"])
