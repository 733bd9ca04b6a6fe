"""Six processes share one queue: nothing is lost or taken twice, and nobody hears of a locked database."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hotfolder.events import WORK_UPDATED

CREW = Path(__file__).with_name("crew.py")
ITEMS = 20_000
LIMIT_S = 120.0


def test_two_producers_and_four_consumers_share_20000_items(database):
    database.connection().execute("CREATE TABLE taken (n INTEGER PRIMARY KEY, pid INTEGER)")

    done = subprocess.run(
        [sys.executable, CREW, "share", database.path, str(ITEMS)],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    taken = database.query("SELECT pid, count(*) AS n FROM taken GROUP BY pid")
    assert sum(row["n"] for row in taken) == ITEMS
    assert len(taken) > 1
    ends = database.query("SELECT status, attempt_count, count(*) FROM work_queue GROUP BY 1, 2")
    assert [tuple(row) for row in ends] == [("completed", 1, ITEMS)]
    told = database.query(
        """
        SELECT json_extract(data_json, '$.status') AS status, count(*), count(DISTINCT subject_id)
        FROM events WHERE topic = ? GROUP BY 1 ORDER BY 1
        """,
        (WORK_UPDATED,),
    )
    assert [tuple(row) for row in told] == [
        (status, ITEMS, ITEMS) for status in ("completed", "pending", "processing")
    ]
