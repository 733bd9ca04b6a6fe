"""What holds for whatever writers do: half a thing is never settled, a whole one always is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hotfolder.watchers.settle import SettleBook, Signature, Verdict

TICKS = 16  # a second
SETTLE_TICKS, RENAME_TICKS, EMPTY_TICKS = 8, 1, 160
LONGEST_PAUSE_TICKS = 160
FILE = Signature(device=1, inode=7, size=1, mtime_ns=1, ctime_ns=1)
UNIT = replace(FILE, contents=1)


def _book() -> SettleBook:
    return SettleBook(settle_s=lambda path: SETTLE_TICKS / TICKS, rename_s=RENAME_TICKS / TICKS, empty_s=10.0)


@dataclass(frozen=True)
class _Step:
    """A piece is added, or what is there is written over; an event may tell; then comes a pause."""

    size: int
    is_heard: bool
    pause: int


@dataclass
class _Writer:
    """Writes pieces into a file, or files into a folder: in place, or elsewhere and renames the whole in."""

    book: SettleBook
    first: Signature
    renames_in: bool
    now: int = 0
    version: int = 1
    size: int = 0
    is_whole: bool = False
    disk: Signature | None = None
    taken: list[Signature] = field(default_factory=list)

    def run(self, steps: list[_Step]) -> Iterator[int]:
        """Write step by step; gives each tick that passes."""
        for step in steps:
            self._write(step)
            yield from range(step.pause)
        self.is_whole = True
        if self.renames_in:
            self._put(renamed=True)

    def _write(self, step: _Step) -> None:
        self.size += step.size
        if not self.renames_in:
            self._put(renamed=False, is_heard=step.is_heard)

    def _put(self, *, renamed: bool, is_heard: bool = True) -> None:
        self.version += 1
        self.disk = replace(self.first, size=self.size, mtime_ns=self.version)
        if self.first.contents is not None:
            self.disk = replace(self.disk, contents=self.version)
        if is_heard:
            self.book.announce("a", renamed=renamed and self.first.contents is None, now=self.now / TICKS)


def _look(writer: _Writer, *, asks: bool) -> None:
    """One turn of a loop: looks at what is due; takes what is settled and, if asked, is whole."""
    now = writer.now / TICKS
    for path in writer.book.due(now):
        if writer.book.look(path, writer.disk, now) is not Verdict.SETTLED:
            continue
        assert writer.disk is not None
        if asks and not writer.is_whole:
            writer.book.hold(path, writer.disk, now)
        else:
            writer.taken.append(writer.disk)
            writer.book.done(path)


def _simulate(writer: _Writer, steps: list[_Step], *, scan_every: int, late: int, asks: bool = False) -> None:
    """Write while a loop looks, up to `late` ticks after it should, and lists the folder now and then."""
    for _ in writer.run(steps):
        _tick(writer, scan_every=scan_every, late=late, asks=asks)
        assert not writer.taken, "a part was taken"
    for _ in range(LONGEST_PAUSE_TICKS + EMPTY_TICKS + scan_every + 2 * late):
        _tick(writer, scan_every=scan_every, late=late, asks=asks)


def _tick(writer: _Writer, *, scan_every: int, late: int, asks: bool) -> None:
    writer.now += 1
    if writer.now % scan_every == 0 and writer.disk and not writer.taken:
        writer.book.remember("a", writer.now / TICKS)
    if writer.now % (late + 1) == 0:
        _look(writer, asks=asks)


def _steps(longest_pause: int) -> st.SearchStrategy[list[_Step]]:
    step = st.builds(_Step, st.integers(0, 3), st.booleans(), st.integers(0, longest_pause))
    return st.lists(step, min_size=1, max_size=12)


@given(
    steps=_steps(SETTLE_TICKS - 1),
    kind=st.sampled_from([FILE, UNIT]),
    renames_in=st.booleans(),
    scan_every=st.integers(1, 200),
    late=st.integers(0, 5),
)
def test_no_part_is_taken_while_pauses_are_short_and_the_whole_always_is(
    steps: list[_Step], kind: Signature, renames_in: bool, scan_every: int, late: int
) -> None:
    writer = _Writer(_book(), kind, renames_in)
    _simulate(writer, steps, scan_every=scan_every, late=late)
    assert writer.taken == [writer.disk]


@given(
    steps=_steps(400),
    kind=st.sampled_from([FILE, UNIT]),
    renames_in=st.booleans(),
    scan_every=st.integers(1, 200),
    late=st.integers(0, 5),
)
def test_with_a_rule_for_completeness_no_pause_is_too_long(
    steps: list[_Step], kind: Signature, renames_in: bool, scan_every: int, late: int
) -> None:
    writer = _Writer(_book(), kind, renames_in)
    _simulate(writer, steps, scan_every=scan_every, late=late, asks=True)
    assert writer.taken == [writer.disk]


class SettleMachine(RuleBasedStateMachine):
    """Two files that are written, renamed over, removed, held and announced in any order, against a model."""

    def __init__(self) -> None:
        super().__init__()
        self.book = _book()
        self.now = 0
        self.version = 0
        self.disk: dict[str, tuple[Signature, int]] = {}  # signature, tick since which it is on disk
        self.incomplete: set[str] = set()

    @rule(path=st.sampled_from("ab"), renamed=st.booleans(), size=st.sampled_from([0, 1, 2]))
    def write(self, path: str, renamed: bool, size: int) -> None:
        self.version += 1
        self.disk[path] = (replace(FILE, size=size, mtime_ns=self.version), self.now)
        self.book.announce(path, renamed=renamed, now=self.now / TICKS)

    @rule(path=st.sampled_from("ab"))
    def write_unheard(self, path: str) -> None:
        self.version += 1
        self.disk[path] = (replace(FILE, size=self.version, mtime_ns=self.version), self.now)

    @rule(path=st.sampled_from("ab"))
    def remove(self, path: str) -> None:
        self.disk.pop(path, None)

    @rule(path=st.sampled_from("ab"))
    def list_again(self, path: str) -> None:
        self.book.remember(path, now=self.now / TICKS)

    @rule(path=st.sampled_from("ab"), is_complete=st.booleans())
    def complete(self, path: str, is_complete: bool) -> None:
        (self.incomplete.discard if is_complete else self.incomplete.add)(path)

    @rule(ticks=st.integers(1, 200))
    def pass_time(self, ticks: int) -> None:
        self.now += ticks
        for path in self.book.due(self.now / TICKS):
            signature, since = self.disk.get(path, (None, 0))
            verdict = self.book.look(path, signature, self.now / TICKS)
            assert (verdict is Verdict.VANISHED) == (signature is None)
            if verdict is Verdict.SETTLED:
                assert signature is not None
                self._take(path, signature, still=self.now - since)

    def _take(self, path: str, signature: Signature, *, still: int) -> None:
        assert still >= (RENAME_TICKS if signature.size else EMPTY_TICKS)
        if path in self.incomplete:
            self.book.hold(path, signature, self.now / TICKS)
        else:
            self.book.done(path)

    @invariant()
    def every_path_has_its_look_planned(self) -> None:
        assert (self.book.next_look_at() is None) == (len(self.book) == 0)

    @invariant()
    def held_paths_are_in_the_book(self) -> None:
        assert self.book.count_held() == sum(self.book.is_held(path) for path in self.book.first(9))


TestSettleMachine = SettleMachine.TestCase
