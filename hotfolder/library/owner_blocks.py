"""Rows of `owner_blocks`: whose jobs are refused, since when, why and by whom."""

from __future__ import annotations

from dataclasses import dataclass

from hotfolder.database import Database, Row
from hotfolder.domain.moderation_text import read_text
from hotfolder.errors import LibraryError, NotFound

OWNER_BLOCKED = "limits.owner_blocked"
OWNER_UNBLOCKED = "limits.owner_unblocked"


@dataclass(frozen=True, slots=True)
class OwnerBlock:
    """An owner whose jobs are refused."""

    owner: str
    reason: str | None
    actor: str | None
    at: str


class OwnerBlockStore:
    """Blocks and unblocks owners; each change with an event that tells who it was."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def block(self, owner: str, reason: str | None, actor: str) -> OwnerBlock:
        """Refuse the jobs of an owner from now on, or for another reason; what has been accepted goes on."""
        owner, reason = owner.strip(), (reason or "").strip() or None
        if not read_text(owner)[0]:
            raise LibraryError(
                "An owner has a name.", code="library.invalid_value", hint="Name the owner to block."
            )
        with self._database.transaction() as tx:
            before = self.find(owner)
            owner = before.owner if before is not None else owner
            if before is None or before.reason != reason:
                tx.execute(
                    """
                    INSERT INTO owner_blocks (owner, reason, actor, at) VALUES (?, ?, ?, ?)
                    ON CONFLICT (owner) DO UPDATE
                    SET reason = excluded.reason, actor = excluded.actor, at = excluded.at
                    """,
                    (owner, reason, actor, tx.at),
                )
                tx.event(OWNER_BLOCKED, "owner", owner, {"reason": reason}, actor)
        return self.get(owner)

    def unblock(self, owner: str, actor: str) -> None:
        """Take the jobs of an owner again; raises NotFound when they are not refused."""
        with self._database.transaction() as tx:
            blocked = self.get(owner).owner
            tx.execute("DELETE FROM owner_blocks WHERE owner = ?", (blocked,))
            tx.event(OWNER_UNBLOCKED, "owner", blocked, {}, actor)

    def get(self, owner: str) -> OwnerBlock:
        """The block of an owner; raises NotFound."""
        found = self.find(owner)
        if found is None:
            raise NotFound(f"{owner} is not blocked.", hint="`hotfolder owners list` tells who is.")
        return found

    def find(self, owner: str) -> OwnerBlock | None:
        """The block of an owner, whose name may be written differently and read alike; or None."""
        read = set(read_text(owner))
        return next((each for each in self.list() if not read.isdisjoint(read_text(each.owner))), None)

    def list(self) -> list[OwnerBlock]:
        """All blocked owners, by name."""
        return [_to_block(row) for row in self._database.query("SELECT * FROM owner_blocks ORDER BY owner")]


def _to_block(row: Row) -> OwnerBlock:
    return OwnerBlock(row["owner"], row["reason"], row["actor"], row["at"])
