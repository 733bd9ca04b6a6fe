"""The lanes as people want them: running, paused, or draining; wishes that every claim reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from hotfolder.database import Database, Row, Transaction

LaneState = Literal["running", "paused", "draining"]
LANE_CHANGED: Final = "queue.lane"
STATE_SQL: Final = "SELECT value, at FROM control WHERE key = ?"
HAS_OPEN_SQL: Final = tuple(
    f"SELECT 1 FROM work_queue WHERE lane = ? AND since <= ? AND {which} LIMIT 1"
    for which in (
        "status = 'processing'",
        "status = 'pending'",
        "status = 'scheduled' AND run_at IS NOT NULL",
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
        row = self._database.query_one("SELECT * FROM control WHERE key = ?", (_PREFIX + lane,))
        return _to_wish(lane, row)

    def put(self, lane: str, state: LaneState, actor: str) -> LaneWish:
        """Want it so; what is so already stays as it is, with who wanted it first."""
        with self._database.transaction() as tx:
            row = tx.execute("SELECT * FROM control WHERE key = ?", (_PREFIX + lane,)).fetchone()
            if _to_wish(lane, row).state != state:
                self._write(tx, lane, state, actor)
        return self.find(lane)

    def settle(self, lanes: Iterable[str]) -> None:
        """Pause the draining lanes in which nothing is left of what was there when it began."""
        for wish in [self.find(lane) for lane in lanes]:
            if wish.state == "draining" and not self._has_open(wish):
                self._pause_if_empty(wish)

    def _pause_if_empty(self, wish: LaneWish) -> None:
        """Looked at again while nobody writes: work may have come back into line meanwhile."""
        with self._database.transaction() as tx:
            now = _to_wish(wish.lane, tx.execute(STATE_SQL, (key_of(wish.lane),)).fetchone())
            is_same = (now.state, now.at) == ("draining", wish.at)
            if is_same and not self._has_open(wish):  # on the connection of `tx`
                self._write(tx, wish.lane, "paused", wish.actor or "")

    def _has_open(self, wish: LaneWish) -> bool:
        values = (wish.lane, wish.at)
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
    return LaneWish(lane, row["value"], row["actor"] if "actor" in row.keys() else None, row["at"])  # noqa: SIM118
