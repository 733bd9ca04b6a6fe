"""Rows of `control`: what somebody wants of the running service, which makes it so."""

from __future__ import annotations

from dataclasses import dataclass

from hotfolder.database import Database

WANTED_MODEL = "engine.wanted"
"""A model set that is to be loaded, as jobs name it (`SET`, or `KIND/SET`); empty: none."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted, by whom and since when."""

    value: str
    actor: str
    at: str


class ControlStore:
    """One wish a key: a later one replaces it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, key: str) -> Wish | None:
        """The wish, if there is one."""
        row = self._database.query_one("SELECT value, actor, at FROM control WHERE key = ?", (key,))
        return Wish(row["value"] or "", row["actor"] or "", row["at"]) if row else None

    def put(self, key: str, value: str, actor: str) -> None:
        """Write a wish down; the event tells who it was."""
        with self._database.transaction() as tx:
            tx.execute(
                """
                INSERT INTO control (key, value, actor, at) VALUES (?, ?, ?, ?)
                ON CONFLICT (key) DO UPDATE
                SET value = excluded.value, actor = excluded.actor, at = excluded.at
                """,
                (key, value, actor, tx.at),
            )
            tx.event("control.changed", "control", key, {"value": value}, actor=actor)
