"""Everything that people drop, in small sets with names of their own, and what has to become of it."""

from __future__ import annotations

import io
import uuid
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from PIL import Image

from tests.import_ledger import digest
from tests.scenarios.service import Service

SETTINGS: Final = "intake: {settle_ms: 50}\n"
HEAD: Final = (
    "endpointKey: local.procedural.image\nparams: {prompt: A quiet bay, size: 64*64, steps: 1, seed: %d}\n"
)
RECIPE: Final = "endpointKey: local.procedural.image\nparams: {prompt: A quiet bay, size: 64*64, steps: 1}\n"
BROKEN: Final = "endpointKey: local.nowhere.image\nparams: {prompt: A quiet bay}\n"
PREPARED_BY: Final = {"arriving": "waiting", "deleted": "waiting", "returned": "broken", "rerun": "plain"}
"""Stories that begin with what an earlier one has left."""


@dataclass
class Ledger:
    """What was dropped: the names that job files end under with their status, and contents by SHA-256.

    Files that were split end in done/ without a result; more than one file may stand for a job. `imported`
    are the pictures that join the library, as often as each was dropped; `refused` is what is no picture.
    """

    jobs: dict[str, str] = field(default_factory=dict)
    more_files: Counter[str] = field(default_factory=Counter)
    split: set[str] = field(default_factory=set)
    imported: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)


class Drops:
    """Drops into one library, and keeps the books; each call makes another set."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._number = 0
        self._late: list[int] = []  # jobs whose references have not been dropped
        self.ledger = Ledger()
        self.stories: Mapping[str, Callable[[], None]] = {
            "plain": self.plain,
            "pictures": self.pictures,
            "broken": self.broken,
            "two": self.two,
            "reference": self.reference,
            "many": self.many,
            "zip": self.zip,
            "folder": self.folder,
            "again": self.again,
            "lines": self.lines,
            "recipe picture": self.recipe_picture,
            "rerun": self.rerun,
            "waiting": self.waiting,
            "arriving": self.arriving,
            "deleted": self.deleted,
            "returned": self.returned,
        }

    def plain(self) -> None:
        """A job of one picture."""
        self._drop_job("plain", HEAD % self._next())

    def two(self) -> None:
        """A job of two."""
        self._drop_job("two", HEAD % self._next() + "count: 2\nkeywords: [sea]\n")

    def reference(self) -> None:
        """A job and the picture that it names, which joins the library."""
        number = self._next()
        self._service.drop(f"mood-{number}.png", self._picture(number, imported=True))
        self._drop_job("reference", HEAD % number + f"refs: [./mood-{number}.png]\n")

    def many(self) -> None:
        """A file of two jobs, each with an id of its own."""
        number = self._next()
        second = uuid.uuid5(uuid.NAMESPACE_OID, str(number))
        ids = (f"{HEAD % number}id: many-{number}", f"{HEAD % number}id: {second}")
        self._service.drop(f"many-{number}.yaml", "\n---\n".join(ids) + "\n")
        self._expect_parts(f"many-{number}", ".yaml", ".yaml")

    def broken(self) -> None:
        """A job for an endpoint that is not there."""
        self._drop_job("broken", BROKEN + f"# {self._next()}\n", "failed")

    def zip(self) -> None:
        """A job and its picture in a zip."""
        number = self._next()
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("job.yaml", HEAD % number + "refs: [./mood.png]\n")
            archive.writestr("mood.png", self._picture(number))
        self._service.drop(f"zip-{number}.zip", packed.getvalue())
        self.ledger.jobs[f"zip-{number}.zip"] = "completed"

    def folder(self) -> None:
        """The same in a folder."""
        number = self._next()
        folder = self._service.root / "inbox" / f".folder-{number}.tmp"
        folder.mkdir()
        (folder / "job.yaml").write_text(HEAD % number + "refs: [./mood.png]\n")
        (folder / "mood.png").write_bytes(self._picture(number))
        folder.rename(folder.with_name(f"folder-{number}.job"))
        self.ledger.jobs[f"folder-{number}.job"] = "completed"

    def again(self) -> None:
        """The same job twice, under one id."""
        number = self._next()
        for place in ("here", "there"):
            self._service.drop(f"{place}/again-{number}.yaml", HEAD % number + f"id: again-{number}\n")
        self.ledger.jobs[f"again-{number}.yaml"] = "completed"
        self.ledger.more_files[f"again-{number}.yaml"] += 1

    def pictures(self) -> None:
        """A picture twice, and a file that is none, for import/."""
        number = self._next()
        picture = self._picture(number, imported=True)
        self.ledger.imported[digest(picture)] += 1
        text = f"no picture {number}".encode()
        self.ledger.refused[digest(text)] += 1
        contents = {
            f"picture-{number}.png": picture,
            f"twin-{number}.png": picture,
            f"text-{number}.png": text,
        }
        for name, data in contents.items():
            self._service.drop(f"../import/{name}", data)

    def lines(self) -> None:
        """A list of prompts in a recipe folder."""
        number = self._next()
        self._drop_recipe()
        self._service.drop(f"recipe/lines-{number}.txt", f"A quiet bay {number}\nA loud one {number}\n")
        self._expect_parts(f"lines-{number}", ".txt", ".json")

    def recipe_picture(self) -> None:
        """A picture in a recipe folder."""
        number = self._next()
        self._drop_recipe()
        name = f"look-{number}.png"
        self._service.drop(f"recipe/{name}", self._picture(number, imported=True))
        self.ledger.jobs[f"{name}.json"] = "completed"

    def rerun(self) -> None:
        """A picture that was made here, to be made again."""
        made = self._list_made()[0].read_bytes()
        name = f"made-{self._next()}.png"
        self._service.drop(f"rerun/{name}", made)
        self.ledger.imported[digest(made)] += 1
        self.ledger.jobs[f"{name}.json"] = "completed"

    def waiting(self) -> None:
        """A job whose reference comes later."""
        number = self._next()
        self._drop_job("late", HEAD % number + f"refs: [./late-{number}.png]\n")
        self._late.append(number)

    def arriving(self) -> None:
        """The reference that a job has waited for longest."""
        number = self._late.pop(0)
        self._service.drop(f"late-{number}.png", self._picture(number, imported=True))

    def arrive_all(self) -> None:
        """All references that jobs wait for."""
        while self._late:
            self.arriving()

    def deleted(self) -> None:
        """A job that waits is deleted from processing/; another makes that the service has time to see it."""
        file = self._list_waiting()[0]
        file.unlink()
        self._late.remove(int(file.stem.rpartition("-")[2]))
        self.ledger.jobs[file.name.partition("--")[2]] = "cancelled"
        self.plain()

    def returned(self) -> None:
        """A file that failed is mended and dragged back."""
        file = self._list_failed()[0]
        file.write_text(HEAD % self._next())
        file.rename(self._service.root / "inbox" / file.name)
        self.ledger.jobs[file.name] = "completed"

    def is_prepared(self, story: str) -> bool:
        """Whether what the story begins with is there."""
        stock = {"waiting": self._list_waiting, "broken": self._list_failed, "plain": self._list_made}
        before = PREPARED_BY.get(story)
        return before is None or bool(stock[before]())

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _drop_job(self, kind: str, text: str, status: str = "completed") -> None:
        name = f"{kind}-{self._number}.yaml"
        self._service.drop(name, text)
        self.ledger.jobs[name] = status

    def _expect_parts(self, stem: str, extension: str, of_parts: str) -> None:
        self.ledger.split.add(stem + extension)
        for part in (1, 2):
            self.ledger.jobs[f"{stem}.{part}{of_parts}"] = "completed"

    def _drop_recipe(self) -> None:
        if not (self._service.root / "inbox" / "recipe").exists():
            self._service.drop("recipe/_folder.yaml", RECIPE)

    def _picture(self, number: int, *, imported: bool = False) -> bytes:
        buffer = io.BytesIO()
        Image.new("RGB", (16, 16), (number % 256, number // 256, 99)).save(buffer, "PNG")
        if imported:
            self.ledger.imported[digest(buffer.getvalue())] += 1
        return buffer.getvalue()

    def _list_waiting(self) -> list[Path]:
        """Claimed files of jobs that are known to wait."""
        rows = self._service.query("SELECT id, file_name FROM jobs WHERE status = 'waiting_refs'")
        numbers = {f"late-{each}.yaml" for each in self._late}
        folder = self._service.root / "processing"
        files = (
            folder / f"{each['id']}--{each['file_name']}" for each in rows if each["file_name"] in numbers
        )
        return [each for each in files if each.exists()]

    def _list_made(self) -> list[Path]:
        """Pictures that were made here."""
        rows = self._service.query("SELECT file_path FROM media WHERE origin = 'generation'")
        return [self._service.root / each["file_path"] for each in rows]

    def _list_failed(self) -> list[Path]:
        """Files of jobs that have failed, and whose results are known to have been written."""
        rows = self._service.query(
            """
            SELECT final_path FROM jobs
            WHERE status = 'failed' AND file_name LIKE 'broken-%'
              AND EXISTS (SELECT 1 FROM events WHERE topic = 'delivery.completed' AND subject_id = jobs.id)
            """
        )
        files = [self._service.root / each["final_path"] for each in rows]
        return [each for each in files if each.exists()]
