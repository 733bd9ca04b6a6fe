"""What holds for every test."""

from __future__ import annotations

from hypothesis import settings

# The time of an example says more about the machine and its other users than about the code.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")
