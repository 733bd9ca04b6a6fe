"""What the plugin serves: stores and functions, built and handed in by the program that starts it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, Protocol, TypeVar

from datasette_hotfolder.access import Rules
from datasette_hotfolder.news import News
from datasette_hotfolder.threads import Threads
from hotfolder.accounts.scopes import Actor
from hotfolder.accounts.store import AccountStore
from hotfolder.database import Database
from hotfolder.errors import Problem
from hotfolder.files.paths import LibraryPaths
from hotfolder.library.browse import MediaBrowser
from hotfolder.library.changes import ChangeStore
from hotfolder.library.collections import CollectionStore
from hotfolder.library.control import ControlStore
from hotfolder.library.duplicates import DuplicateStore
from hotfolder.library.generations import GenerationStore
from hotfolder.library.import_folders import FolderMode
from hotfolder.library.jobs import Job, JobStore
from hotfolder.library.keywords import KeywordStore
from hotfolder.library.media import Media, MediaStore
from hotfolder.library.ratings import RatingStore
from hotfolder.library.trash import Trash

P = ParamSpec("P")
T = TypeVar("T")


class Control(Protocol):
    """What can be wished for jobs; the sidecar makes it so."""

    def cancel(self, job_id: str, actor: str) -> Job:
        """Cancel what waits or runs; raises HotfolderError `job.already_ended`."""

    def withdraw(self, job_id: str, file: Path, owner: str | None, actor: str) -> Job:
        """Cancel a job whose file nobody has claimed; raises FileNotFoundError when somebody just did."""

    def retry(self, job_id: str, actor: str) -> Job:
        """Run an ended job again; raises HotfolderError `job.not_retryable`."""

    def hold(self, job_id: str, actor: str) -> Job:
        """Keep a job that waits from being run; raises HotfolderError `job.running`, `job.already_ended`."""

    def release(self, job_id: str, actor: str) -> Job:
        """Let a held job go on; raises HotfolderError `job.already_ended`."""

    def prioritize(self, job_id: str, priority: int, actor: str) -> Job:
        """Give a job another priority; raises HotfolderError `job.already_ended`, `job.invalid`."""

    def requeue(self, job_id: str, actor: str) -> Job:
        """Try dead work of a job again; raises HotfolderError `job.not_dead`, `job.not_retryable`."""


class Review(Protocol):
    """Pictures that somebody has to look at before they count."""

    def list_awaiting(self, limit: int) -> Sequence[Media]:
        """The pictures, the longest waiting first."""

    def count_awaiting(self) -> int:
        """How many there are."""

    def decide(self, media_id: str, accept: bool, collection: str | None, actor: str) -> Media:
        """Accept or discard one; raises LibraryError `library.review_decided` or `library.not_in_review`."""


class ImportFolders(Protocol):
    """Folders outside the library from which pictures join it, as `hotfolder folders` has them."""

    def describe(self) -> Sequence[Mapping[str, Any]]:
        """Each as `hotfolder folders list --json` prints it, and its `folderId`."""

    def add(
        self, path: str, mode: FolderMode, recursive: bool, keywords: Sequence[str], collection: str | None
    ) -> object:
        """Watch a folder; raises LibraryError `library.folder_refused` for one that cannot be."""

    def remove(self, folder_id: str) -> object:
        """Watch one no longer; raises NotFound, and LibraryError `library.folder_in_settings`."""


class Host(Protocol):
    """What only the program around the plugin knows."""

    def find_problems(self, job_file: bytes) -> Sequence[Problem]:
        """Everything that is wrong with a JSON job file, its references included; raises JobFileError."""

    def check_job(self, job_file: bytes) -> Mapping[str, Any]:
        """What a JSON job file would lead to, by a glance that writes nothing and decodes no picture.

        `problems` (of errors.Problem), `pictures`, `cost` and `balance` in credits, `estimateS`, `width` and
        `height`; None where nothing costs any, nobody knows, or the size follows from the reference.
        """

    def check_room(self, wanted_bytes: int) -> None:
        """Raise DiskFull when so many more bytes would leave too little on the disk of the library."""

    def list_endpoints(self) -> Sequence[Mapping[str, Any]]:
        """All endpoints as JSON, with `available`, and as `problem` what this machine lacks for it."""

    def list_presets(self) -> Sequence[Mapping[str, Any]]:
        """All presets: `name`, `title`, `description`, `params`, the names of its `vars`, and `problem`."""

    def check_backlog(self, owner: str | None) -> None:
        """Raise QueueError `queue.backlog_full` when as many jobs of an owner wait as may."""

    def nudge(self) -> None:
        """Tell a running sidecar to look now."""

    def describe_sidecar(self) -> Mapping[str, Any]:
        """`running` and `since`."""

    def describe_health(self) -> Mapping[str, Any]:
        """`status` ok or failing, with what it rests on: the sidecar's heartbeat, the engine, the disk."""

    def describe_setup(self) -> Mapping[str, Any]:
        """Checks, settings and model sets; takes a second or two."""

    def knows_model_set(self, wanted: str) -> bool:
        """Whether this is a model set as jobs name it: `SET`, or `KIND/SET`."""

    def list_model_sets(self) -> Sequence[str]:
        """The names of the model sets in the settings."""

    def cap_priority(self, owner: str | None, priority: int) -> int:
        """The priority that a job of this owner gets who asks for this one."""

    def list_waiting(self) -> Sequence[tuple[str, str]]:
        """Job files in the inbox that nobody has claimed yet: path below inbox/, and received or held."""


@dataclass(frozen=True)
class Services:
    """One open library, as the web sees it."""

    paths: LibraryPaths
    database: Database
    media: MediaStore
    browser: MediaBrowser
    ratings: RatingStore
    changes: ChangeStore
    collections: CollectionStore
    keywords: KeywordStore
    trash: Trash
    duplicates: DuplicateStore
    folders: ImportFolders
    jobs: JobStore
    generations: GenerationStore
    accounts: AccountStore
    control: Control
    review: Review
    wishes: ControlStore
    host: Host
    news: News
    rules: Rules
    threads: Threads
    lanes: Mapping[str, int]
    """Every lane of the queue, and how many items it runs at once."""
    cookie_name: str
    default_endpoint: str | None
    version: str

    def get_picture(self, media_id: str, actor: Actor | None) -> Media:
        """A picture as somebody may see it: visitors none that awaits its review; raises NotFound."""
        return self.media.get_reviewed(media_id) if actor is None else self.media.get_present(media_id)

    async def read(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function that only reads, on a thread: no page waits for another."""
        return await self.threads.call(self.threads.reading, function, *args, **kwargs)

    async def write(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function that may wait for another writer; raises LibraryBusy when too many wait already."""
        return await self.threads.call(self.threads.writing, function, *args, **kwargs)

    async def examine(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function that takes seconds; one at a time."""
        return await self.threads.call(self.threads.slow, function, *args, **kwargs)
