"""Which preset a job file names, at a glance."""

from __future__ import annotations

import pytest

from hotfolder.library.preset_jobs import find_preset


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (b"preset: night # dark\n", "night"),
        (b"a: 1\npreset: 'two words'\n", "two words"),
        (b'preset: "x"\r\n', "x"),
        (b"params:\n  preset: inner\n", None),
        (b"preset:\nparams: {}\n", None),
        (b'{"params": {"preset": "inner"}}', None),
        (b'[{"preset": "first"}]', "first"),
        (b'{"preset": 7}', None),
        (b"{ broken preset", None),
        (b"preset: caf\xc3\xa9\n", "café"),
    ],
)
def test_preset_is_what_the_job_itself_names(text, name):
    assert find_preset(text) == name
