"""What every provider offers: run one request."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from hotfolder.domain.generation import GenerationOutcome, GenerationRequest, Progress


class Provider(Protocol):
    """Makes the picture of a request at `request.output`, in the caller's thread."""

    def run(
        self,
        request: GenerationRequest,
        on_progress: Callable[[Progress], None],
        interrupt: threading.Event,
    ) -> GenerationOutcome:
        """The outcome; raises EngineError or ProviderError, soon after `interrupt` is set."""
