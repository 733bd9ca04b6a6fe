"""Lines out of an engine's pipes."""

from hypothesis import given
from hypothesis import strategies as st

from hotfolder.engine.pipes import LineSplitter


@given(st.lists(st.binary(max_size=20)))
def test_lines_are_the_same_however_the_bytes_arrive(chunks):
    splitter = LineSplitter()

    lines = [line for chunk in chunks for line in splitter.feed(chunk)]

    assert b"\n".join([*lines, splitter.rest]) == b"".join(chunks)


def test_endless_line_is_not_kept_whole_but_its_end_is():
    splitter = LineSplitter(limit_bytes=100)

    held = [len(splitter.rest) for _ in range(1000) if not splitter.feed(b"\r |==> | 1/2")]
    (line,) = splitter.feed(b'\x1b[K{"id":"a"}\n')

    assert max(held) <= 100
    assert len(line) <= 100
    assert line.endswith(b'\x1b[K{"id":"a"}')
